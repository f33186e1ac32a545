"""Any object, by a table of what its operations do in the states that they can lead to; for a few operations."""

from __future__ import annotations

import z3

from scrutator.checker.linear.monitors.calls import Inapplicable
from scrutator.checker.linear.smt.formula import Formula
from scrutator.model.objects.sequential import Object, State, exactly

OPERATIONS_MAX = 12
STATES_MAX = 1000
VISITS_MAX = 20_000


def assert_table(formula: Formula, object_: Object) -> None:
    """Each place in the order has a state, and whoever takes effect there leads to the next.

    Raises `Inapplicable` where there are many operations or states.
    """
    n, f = len(formula.operations), formula
    if n > OPERATIONS_MAX:
        raise Inapplicable(f"there are more than {OPERATIONS_MAX} operations, and {object_.name} has no theory of its own")
    states, steps = _table(formula, object_)
    state = [z3.Int(f"s{place}", f.context) for place in range(n + 1)]
    f.define(state[0] == 0)
    for place in range(n + 1):
        f.define(f.all(state[place] >= 0, state[place] < len(states)))
    for place in range(n):
        stays = state[place + 1] == state[place]
        for k in range(n):
            here = f.at[k] == place + 1
            moves = [f.all(state[place] == before, state[place + 1] == after) for before, after in sorted(steps[k])]
            f.define(f.implies(f.all(here, f.label[k], f.occurs[k]), f.any(*moves)))
            f.define(f.implies(f.all(here, f.no(f.occurs[k])), stays))


def _table(formula: Formula, object_: Object) -> tuple[list[State], list[set[tuple[int, int]]]]:
    """The states that can be reached, each operation done once at most, and of each from which it leads to which."""
    numbers: dict[State, int] = {exactly(object_.initial): 0}
    states: list[State] = [object_.initial]
    steps: list[set[tuple[int, int]]] = [set() for _ in formula.operations]
    visits = [(0, 0)]  # what was done, and the state
    seen = set(visits)
    for done, before in visits:  # it grows meanwhile
        for k, operation in enumerate(formula.operations):
            if done >> k & 1:
                continue
            method = object_.find(operation.method)
            assert method is not None
            for result, after in method.outcomes(states[before], operation.argument):
                if not operation.pending and not method.agrees(result, operation.result):
                    continue
                number = numbers.setdefault(exactly(after), len(states))
                if number == len(states):
                    states.append(after)
                steps[k].add((before, number))
                visit = done | 1 << k, number
                if visit not in seen:
                    seen.add(visit)
                    visits.append(visit)
        if len(states) > STATES_MAX or len(visits) > VISITS_MAX:
            raise Inapplicable(f"{object_.name} has no theory of its own, and too many states")
    return states, steps
