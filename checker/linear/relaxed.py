"""An object of which some operations may happen at any time, any number of times.

For objects whose state is one value, which operations look at, set, or extend if it is a
text.  What any number of operations may leave is without end; but few states can matter
to a few operations: those that they look at, and what leads there.  All others are alike.
The law: whatever the object can do, with the free operations anywhere, the relaxed object
can do too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from scrutator.model.objects.sequential import (
    ANY,
    Effect,
    Method,
    Object,
    Outcomes,
    State,
    Value,
    exactly,
    plainly,
    same,
)


class Another:
    """A state that no operation looks at."""

    def __repr__(self) -> str:
        return "something else"


ANOTHER, ANOTHER_TEXT = Another(), Another()
_START = object()  # what a relaxed object starts with: any of the states that it may start in


class Relaxed:
    """The states that matter to operations, and what free ones make of them.

    ``effects`` are those of free operations, ``suffixes`` what free ones add, and
    ``kept_suffixes`` what others do; ``looked_at`` are the states that others look at.
    ``anywhere`` lets it start in any state.
    """

    def __init__(
        self, object_: Object, effects: Iterable[Effect], suffixes: Iterable[str], kept_suffixes: Iterable[str],
        looked_at: Iterable[State], *, anywhere: bool,
    ) -> None:  # fmt: skip
        self.object = object_
        self._suffixes = tuple(dict.fromkeys(suffixes))
        self._all_suffixes = tuple(dict.fromkeys((*self._suffixes, *kept_suffixes)))
        self._matter: dict[Value, State] = {}
        self._next: dict[Value, list[State]] = {}  # of states that matter, what free operations make of each alone
        self._always: list[State] = []  # what they leave whatever there was
        self._reached: dict[Value, tuple[State, ...]] = {}
        self._close([object_.initial, *looked_at], effects)
        self._first = (*self._matter.values(), ANOTHER, ANOTHER_TEXT) if anywhere else self._from(object_.initial)

    def _close(self, states: list[State], effects: Iterable[Effect]) -> None:
        """All that leads to states that matter, matters too."""
        leads: dict[Value, list[State]] = {}
        always: dict[Value, State] = {}
        for effect in effects:
            if effect.needs is ANY:
                always[exactly(effect.leaves)] = effect.leaves
            else:
                leads.setdefault(exactly(effect.leaves), []).append(effect.needs)
        while states:
            state = states.pop()
            key = exactly(state)
            if key not in self._matter:
                self._matter[key] = state
                states += [*leads.get(key, ()), *self._before(state)]
        for key, before in leads.items():
            for state in before:
                self._next.setdefault(exactly(state), []).append(self._alike(plainly(key)))
        self._always = list({exactly(s): s for s in map(self._alike, always.values())}.values())

    def _alike(self, state: State) -> State:
        """The state, or what stands for all that do not matter: they differ in nothing but in that some are texts."""
        other = ANOTHER_TEXT if isinstance(state, str) or state is ANOTHER_TEXT else ANOTHER
        return self._matter.get(exactly(state), other)

    def _before(self, state: State) -> list[State]:
        """The states that one of the operations that add to a text makes this of."""
        if not isinstance(state, str):
            return []
        found: list[State] = [state[: len(state) - len(s)] for s in self._all_suffixes if s and state.endswith(s)]
        if state in self._all_suffixes:
            found.append(self.object.initial)
        return found

    def _from(self, state: State) -> tuple[State, ...]:
        """What free operations may make of a state, itself first."""
        own = exactly(state)
        if own not in self._reached:
            found: dict[Value, State] = {}
            rest: list[State] = [state, *self._always]
            for reached in rest:  # which grows
                key = exactly(reached)
                if key not in found:
                    found[key] = reached
                    rest += [*self._next.get(key, ()), *self._extended(reached)]
            self._reached[own] = tuple(found.values())
        return self._reached[own]

    def _extended(self, state: State) -> list[State]:
        if isinstance(state, str) or same(state, self.object.initial):
            return [self._alike((state if isinstance(state, str) else "") + suffix) for suffix in self._suffixes]
        return []

    def relaxed(self, *, exact: bool = False) -> Object:
        """The object; ``exact`` if what its own operations leave is kept although it does not matter."""
        methods = {name: self._method(method, exact) for name, method in self.object.methods.items()}
        return replace(self.object, initial=_START, part=None, family=None, _methods=methods)

    def _method(self, method: Method, exact: bool) -> Method:
        def step(state: State, argument: Value) -> Outcomes:
            found: dict[Value, tuple[Value, State]] = {}
            for before in self._first if state is _START else (state,):
                outcomes: Sequence[tuple[Value, State]] = method.outcomes(before, argument)
                if method.extends and before is ANOTHER_TEXT:
                    outcomes = ((None, ANOTHER_TEXT),)
                for result, after in outcomes:
                    for reached in self._from(after if exact else self._alike(after)):
                        found.setdefault((exactly(result), exactly(reached)), (result, reached))
            return Outcomes(tuple(found.values()))

        return replace(method, step=step, reads_only=False, overwrites=False, effect=None, extends=False)
