"""Hypothesis strategies for histories: legal ones, and ones that are not.

    @given(histories(REGISTER, legal=False))
    def test_my_checker_finds_violations(history): ...

A legal history is legal by construction: each operation takes effect at a point between
its call and its return, and returns what the object returned there.  An illegal one has
results changed, and is kept if the search by definition (Wing and Gong, 1993) finds no
order for it; so those have few operations.  Examples shrink to few operations, early
times and small values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from scrutator.checker.linear.builder import Builder
from scrutator.checker.linear.history import NEVER, History, Value
from scrutator.model.objects.sequential import Method, Object, State

Arguments = Mapping[str, "st.SearchStrategy[Value]"]
LONGEST = 6  # of an operation, in steps of time
CHANGES = 6  # results to choose from


@dataclass(slots=True)
class _Row:
    method: Method
    argument: Value
    called: int
    returned: int
    pending: bool
    result: Value = None


def histories(
    object_: Object,
    *,
    legal: bool | None = None,
    operations_max: int = 6,
    processes_max: int = 3,
    pending: bool = True,
    arguments: Arguments | None = None,
) -> st.SearchStrategy[History]:
    """Histories of one object without keys.

    Args:
        object_: What they are histories of.
        legal: True or False for linearizable ones or others; None for either.
        operations_max: Operations in a history; up to 10 where ``legal`` is False.
        processes_max: Processes at a time; one whose operation is pending is replaced.
        pending: Whether some operations may be pending.
        arguments: For each method a strategy for its argument; those of the catalogue's
            objects have one.

    Raises:
        ValueError: More operations than can be searched, or a method without arguments.
    """
    if legal is False and operations_max > 10:
        raise ValueError(f"illegal histories have up to 10 operations, not {operations_max}")
    given = {**arguments_of(object_), **(arguments or {})}
    for name, method in object_.methods.items():
        if method.takes is not None and name not in given:
            raise ValueError(f"{object_.name}.{name} takes {method.takes.__doc__}: pass arguments={{{name!r}: ...}}")
    return _histories(object_, legal, operations_max, processes_max, pending, given)


def arguments_of(object_: Object) -> dict[str, st.SearchStrategy[Value]]:
    """Strategies for the arguments of the catalogue's methods: small values."""
    values = st.integers(1, 3)
    known: dict[str, st.SearchStrategy[Value]] = {
        "cas": st.tuples(values, values), "append": st.sampled_from("ab"),
        "transfer": _maps(amount=st.integers(0, 20), **{"from": st.integers(0, 2), "to": st.integers(0, 2)}),
    }  # fmt: skip
    change = {"multi-register": "w", "list-append": "append"}.get(object_.name)
    if change is not None:
        steps = st.one_of(
            st.tuples(st.just("r"), st.sampled_from("xy"), st.none()), st.tuples(st.just(change), st.sampled_from("xy"), values)
        )
        known["txn"] = st.lists(steps, min_size=1, max_size=2).map(tuple)
    for name in ("acquire", "release"):
        known[name] = st.none() if object_.name == "mutex" else st.sampled_from([None, 1, 2])
    taking = ("write", "put", "add", "remove", "contains", "enqueue", "push", "push_front", "push_back", "insert", "credit", "debit", "buy", "give_back")
    return {name: known.get(name, values if name in taking else st.none()) for name in object_.methods}


def _maps(**of: st.SearchStrategy[Any]) -> st.SearchStrategy[Value]:
    """Maps as histories hold them: pairs in order of the keys."""
    return st.fixed_dictionaries(of).map(lambda found: tuple(sorted(found.items())))


@dataclass(frozen=True, slots=True)
class _Drawn:
    """All that is drawn of an operation; numbers beyond what there is to choose from count as the last."""

    lane: int
    method: Method
    argument: Value
    pause: int
    length: int
    lost: bool
    takes_effect: bool
    point: int
    outcome: int
    change: int


def _histories(
    object_: Object, legal: bool | None, operations_max: int, processes_max: int, pending: bool, arguments: Arguments
) -> st.SearchStrategy[History]:
    each = [
        st.builds(
            _Drawn, st.integers(0, processes_max - 1), st.just(method), arguments[method.name], st.integers(1, LONGEST),
            st.integers(0, LONGEST), st.booleans() if pending else st.just(False), st.booleans(), st.integers(0, LONGEST),
            st.integers(0, 3), st.just(0) if legal is True else st.integers(0, CHANGES),
        )
        for method in object_.methods.values()
    ]  # fmt: skip
    drawn = st.lists(st.one_of(each), min_size=1, max_size=operations_max)
    found = drawn.map(lambda operations: _run(object_, operations))
    if legal is False:
        found = found.filter(lambda rows: not linearizable(rows, object_))
    return found.map(_history)


def _run(object_: Object, drawn: Sequence[_Drawn]) -> list[list[_Row]]:
    """Operations of each process; each takes effect at a point of its time, and returns what the object returns, or not."""
    processes: list[list[_Row]] = []
    lanes: dict[int, list[_Row]] = {}  # the processes that may still call
    points: list[tuple[int, int, _Row, _Drawn]] = []
    for number, one in enumerate(drawn):
        if one.lane not in lanes:
            lanes[one.lane] = []
            processes.append(lanes[one.lane])
        lane = lanes[one.lane]
        called = (lane[-1].returned if lane else 0) + one.pause
        row = _Row(one.method, one.argument, called, called + one.length, one.lost)
        lane.append(row)
        if one.lost:
            del lanes[one.lane]
        if one.takes_effect or not one.lost:
            points.append((min(called + one.point, row.returned), number, row, one))
    state: State = object_.initial
    for _, _, row, one in sorted(points, key=lambda point: point[:2]):
        outcomes = row.method.outcomes(state, row.argument)
        row.result, state = outcomes[min(one.outcome, len(outcomes) - 1)]
    _change(object_, points)
    return processes


def _change(object_: Object, points: Sequence[tuple[int, int, _Row, _Drawn]]) -> None:
    """Give some operations what others of the same method returned, or would have at the beginning."""
    results = [(row.method, row.result) for _, _, row, _ in points]
    for _, _, row, one in points:
        others = [result for method, result in results if method is row.method]
        at_first = [result for result, _ in row.method.outcomes(object_.initial, row.argument)]
        candidates = [row.result, None, *at_first, *others]
        row.result = candidates[min(one.change, len(candidates) - 1)]


def linearizable(processes: Sequence[Sequence[_Row]], object_: Object) -> bool:
    """Wing and Gong (1993): try every operation that no other precedes, over and over."""
    rows = [row for process in processes for row in process]

    def search(left: tuple[int, ...], state: State) -> bool:
        needed = [k for k in left if not rows[k].pending]
        if not needed:
            return True
        first = min(rows[k].returned for k in needed)
        for k in left:
            row = rows[k]
            if row.called <= first:
                rest = tuple(other for other in left if other != k)
                for result, after in row.method.outcomes(state, row.argument):
                    if (row.pending or row.method.agrees(result, row.result)) and search(rest, after):
                        return True
        return False

    return search(tuple(range(len(rows))), object_.initial)


def _history(processes: list[list[_Row]]) -> History:
    builder = Builder("example", has_clock=True)
    rows = [(row.called, number, row) for number, process in enumerate(processes) for row in process]
    for line, (called, process, row) in enumerate(sorted(rows, key=lambda found: found[:2]), 1):
        builder.add(
            line, process, row.method.name, row.argument, called, NEVER if row.pending else row.returned,
            None if row.pending else row.result, pending=row.pending,
        )  # fmt: skip
    return builder.history()
