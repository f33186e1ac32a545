"""What objects say of results, in logic: each a few sentences about who took effect before whom."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import reduce

import z3

from scrutator.checker.linear.history import Operation, Value
from scrutator.checker.linear.monitors.calls import Inapplicable
from scrutator.checker.linear.smt.formula import Bool, Formula, Int
from scrutator.checker.linear.smt.table import assert_table
from scrutator.model.objects import counter, queues
from scrutator.model.objects.sequential import ANY, Effect, Effects, Method, Object, exactly, same

Theory = Callable[[Formula, Object], None]


def assert_results(formula: Formula, object_: Object) -> None:
    """Require that each operation returns what it returned.  Raises `Inapplicable`."""
    used = {_method(object_, operation).name for operation in formula.operations}
    theory = _theory(object_, used)
    theory(formula, object_)


def _theory(object_: Object, used: set[str]) -> Theory:
    if all(object_.methods[name].effect is not None for name in used) and (object_.part is None or not object_.initial):
        return one_value
    for kin, add, remove, theory in (
        (queues.QUEUE, "enqueue", "dequeue", first_in_first_out), (queues.STACK, "push", "pop", last_in_first_out),
        (queues.PRIORITY_QUEUE, "insert", "poll", largest_first),
        (queues.MIN_PRIORITY_QUEUE, "insert", "poll", smallest_first),
    ):  # fmt: skip
        if object_.methods == kin.methods and used <= {add, remove} and object_.initial == ():
            return theory
    if object_.methods == counter.COUNTER.methods and used <= {"add", "read", "increment", "decrement"}:
        return sums
    return assert_table


def _method(object_: Object, operation: Operation) -> Method:
    method = object_.find(operation.method)
    assert method is not None
    return method


# --- one value --------------------------------------------------------------------------


def one_value(formula: Formula, object_: Object) -> None:
    """Who needs a state takes effect after one who left it, with nobody between who left another."""
    effects = [_effect(_method(object_, o), o) for o in formula.operations]
    leaves = [(k, e.leaves) for k, e in enumerate(effects) if e is not None and e.leaves is not ANY]
    for k, effect in enumerate(effects):
        if effect is None:
            formula.require(k, formula.no(formula.true))
            continue
        if effect.needs is not ANY:
            good = [j for j, state in leaves if same(state, effect.needs) and j != k]
            bad = [j for j, state in leaves if not same(state, effect.needs) and j != k]
            start = object_.initial is ANY or same(object_.initial, effect.needs)
            formula.require(k, _last_of(formula, k, good, bad, start))
        if effect.refuses is not ANY:
            good = [j for j, state in leaves if not same(state, effect.refuses) and j != k]
            bad = [j for j, state in leaves if same(state, effect.refuses) and j != k]
            start = object_.initial is ANY or not same(object_.initial, effect.refuses)
            formula.require(k, _last_of(formula, k, good, bad, start))


def _last_of(formula: Formula, k: int, good: list[int], bad: list[int], start: bool) -> Bool:
    """The last of some that took effect before k is among the good, or there is none and the start is good."""
    f, at = formula, formula.at

    def none_since(j: int | None) -> Bool:
        since = [f.true if j is None else at[j] < at[i] for i in bad]
        return f.all(*(f.no(f.all(f.occurs[i], after, at[i] < at[k])) for i, after in zip(bad, since, strict=True)))

    found = [f.all(f.occurs[j], at[j] < at[k], none_since(j)) for j in good]
    return f.any(*found, *([none_since(None)] if start else []))


def _effect(method: Method, operation: Operation) -> Effect | None:
    argument, result = operation.argument, operation.result
    if method.effect is Effects.LOOKS:
        return Effect() if operation.pending else Effect(needs=result)
    if method.effect is Effects.SETS:
        return Effect(leaves=argument)
    if method.effect is Effects.SWAPS:
        assert isinstance(argument, tuple)
        if result is None or result is True:
            return Effect(argument[0], leaves=argument[1])
        return Effect(refuses=argument[0]) if result is False else None
    assert callable(method.effect)
    return method.effect(argument, result)


# --- collections ------------------------------------------------------------------------


class _Taken:
    """When each added value is taken, or `Formula.never`; removals take values that were added, each once."""

    def __init__(self, formula: Formula, object_: Object) -> None:
        f = self.formula = formula
        adding = object_.methods[next(iter(object_.methods))].name
        names = [_method(object_, o).name for o in f.operations]
        self.adds = [k for k, name in enumerate(names) if name == adding]
        removals = [k for k, name in enumerate(names) if name != adding]
        self.taken: dict[int, Int] = {j: z3.Int(f"d{j}", f.context) for j in self.adds}
        by: dict[int, list[Bool]] = {j: [] for j in self.adds}
        self.empties: list[int] = []
        for i in removals:
            operation = f.operations[i]
            if not operation.pending and operation.result is None:
                self.empties.append(i)
                continue
            takes = []
            for j in self.adds:
                if operation.pending or same(self.value(j), operation.result):
                    take = z3.Bool(f"m{i}_{j}", f.context)
                    f.define(f.implies(take, f.all(f.occurs[i], f.occurs[j], self.taken[j] == f.at[i], f.at[j] < f.at[i])))
                    takes.append(take)
                    by[j].append(take)
            for one, other in itertools.combinations(takes, 2):
                f.define(f.no(f.all(one, other)))
            f.require(i, f.any(*takes))  # a pending one that finds nothing is as good as none
        for j in self.adds:
            f.define(f.any(*by[j], self.taken[j] == f.never))
            f.require(j, f.true)
            returned = f.operations[j].result
            if not f.operations[j].pending and returned is not None:
                f.require(j, f.no(f.true))
        for i in self.empties:
            f.require(i, f.all(*(f.no(self.there(j, f.at[i])) for j in self.adds)))

    def value(self, j: int) -> Value:
        return self.formula.operations[j].argument

    def there(self, j: int, when: Int) -> Bool:
        """Whether a value is in the collection at a time."""
        f = self.formula
        return f.all(f.occurs[j], f.at[j] < when, self.taken[j] > when)

    def pairs(self, rule: Callable[[int, int], Bool]) -> None:
        """A rule for every two values."""
        for j in self.adds:
            for k in self.adds:
                if j != k:
                    f = self.formula
                    both = f.all(f.label[j], f.label[k], f.occurs[j], f.occurs[k])
                    f.define(f.implies(both, rule(j, k)))


def first_in_first_out(formula: Formula, object_: Object) -> None:
    """What was added first is taken first."""
    q, f = _Taken(formula, object_), formula
    q.pairs(lambda j, k: f.implies(f.all(f.at[j] < f.at[k], q.taken[k] < f.never), q.taken[j] < q.taken[k]))


def last_in_first_out(formula: Formula, object_: Object) -> None:
    """What lies above is taken before what lies below."""
    q, f = _Taken(formula, object_), formula
    q.pairs(
        lambda j, k: f.implies(
            f.all(f.at[j] < f.at[k], f.at[k] < q.taken[j], q.taken[j] < f.never), q.taken[k] < q.taken[j]
        )
    )


def largest_first(formula: Formula, object_: Object) -> None:
    """What is taken is the largest there."""
    _ordered(formula, object_, lambda one, other: one > other)  # type: ignore[operator]


def smallest_first(formula: Formula, object_: Object) -> None:
    """What is taken is the smallest there."""
    _ordered(formula, object_, lambda one, other: one < other)  # type: ignore[operator]


def _ordered(formula: Formula, object_: Object, goes_first: Callable[[Value, Value], bool]) -> None:
    q, f = _Taken(formula, object_), formula
    q.pairs(
        lambda j, k: f.implies(q.taken[j] < f.never, f.no(q.there(k, q.taken[j])))
        if goes_first(q.value(k), q.value(j)) else f.true
    )  # fmt: skip


# --- counters ---------------------------------------------------------------------------


def sums(formula: Formula, object_: Object) -> None:
    """A counter holds the sum of what took effect before."""
    f = formula
    amounts: dict[int, int] = {}
    for k, operation in enumerate(f.operations):
        name = _method(object_, operation).name
        amount = {"increment": 1, "decrement": -1, "read": 0}.get(name, operation.argument)
        if not isinstance(amount, int) or not isinstance(object_.initial, int):
            raise Inapplicable("sums are of whole numbers")
        if amount:
            amounts[k] = amount
    for k, operation in enumerate(f.operations):
        method, result = _method(object_, operation), operation.result
        own = amounts.get(k, 0) if method.name != "read" else 0
        if operation.pending or (result is None and method.name in ("increment", "decrement")):
            continue
        if method.name == "add":
            if result is not None:
                f.require(k, f.no(f.true))
            continue
        if exactly(result)[0] is not int:  # type: ignore[index]
            f.require(k, f.no(f.true))
            continue
        terms = [z3.If(f.all(f.occurs[j], f.at[j] < f.at[k]), amount, 0, f.context) for j, amount in amounts.items() if j != k]
        start = z3.IntVal(object_.initial + own, f.context)  # type: ignore[operator]
        f.require(k, reduce(lambda total, term: total + term, terms, start) == result)
