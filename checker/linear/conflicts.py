"""Small sets of operations that have no linearization, whatever the others did.

The others are let take effect at any time, or never: what cannot be so cannot be at all.
The law: a set that is returned has no linearization then, and would have one if any of
its operations were among the others too (it is 1-minimal).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from scrutator.checker.linear.frontier import BEAMS, Search, stopped_after
from scrutator.checker.linear.history import NEVER, History, Int64s
from scrutator.checker.linear.possible import Until
from scrutator.checker.linear.problem import Bools, Parts, Problem, methods_of, plain_classes, problem_of
from scrutator.checker.linear.reasons import Scene
from scrutator.checker.linear.relaxed import ANOTHER, Relaxed
from scrutator.checker.linear.stale import stale
from scrutator.model.objects.sequential import ANY, Effect, Method, Object, Value

WRITERS_MAX = 32  # operations that leave a state, from which their number is no longer worth a list
FIRST_TRY = 4
WIDEST = BEAMS[2][0]
STEP_S = 1.0  # for one set
STEP_OF_TABLE_S = 0.25  # where what is free makes for many states


@dataclass(frozen=True, slots=True)
class Small:
    """Positions in the part of operations that have no linearization, the one to blame first.

    ``since`` is a time: they have none whatever the state was then, which operations called
    before may have left.  ``free`` are those of the others, at any time, that could matter.
    ``minimal`` is false where it was not proved that any one fewer have a linearization.
    """

    operations: tuple[int, ...]
    since: int | None
    free: tuple[int, ...]
    minimal: bool


class Conflicts:
    """Looks for conflicts in the operations of one part, all called by some time.

    On objects whose state is one value the others may happen any number of times; on others,
    such as queues, once.
    """

    def __init__(self, part: History, object_: Object, until: float) -> None:
        self.part, self.object, self.until = part, object_, until
        self._sure = True  # whether no search was given up since it was last asked
        n = len(part)
        methods = methods_of(part, object_)
        self.extends = np.array([m.extends for m in methods], np.bool_)[part.method]
        twice = part.take(np.concatenate([np.arange(n), np.arange(n)]))
        pending = np.concatenate([part.returned == NEVER, np.ones(n, np.bool_)])
        effects = (classes := plain_classes(twice, object_, tuple(map(_told, methods)), pending)).effects
        self.by_value = effects is not None
        self.by_effect = self.by_value and not any(m.extends for m in methods)
        self.states = effects.states if effects is not None else ()
        self.pre = self.not_pre = self.post = self.free_pre = self.free_post = np.zeros(n, np.int32)
        if effects is not None:
            of = classes.of
            self.pre, self.not_pre, self.post = effects.pre[of[:n]], effects.not_pre[of[:n]], effects.post[of[:n]]
            self.free_pre, self.free_post = effects.pre[of[n:]], effects.post[of[n:]]

    def find(self, culprit: int, hint: Sequence[int] = (), first: Until | None = None) -> Small | None:
        """A small conflict that the culprit may be part of, of operations that returned by then; None if none is found.

        A hint is a conflict already, of operations that have no linearization alone; the operation
        until which the culprit was possible is tried first.
        """
        if hint:
            near = [*hint]
            return self._least(near, None, near) if self._illegal(near, None, near) else None
        known = np.flatnonzero(self.part.returned <= self.part.returned[culprit])
        return self._near(culprit, known, None if first is None else first.operation)

    def _near(self, culprit: int, known: Int64s, passed: int | None) -> Small | None:
        """Ever more of what was called last, with all that leave the state that the culprit needs, or else since a time."""
        recent = known[np.argsort(self.part.called[known], kind="stable")][::-1]
        recent = recent[recent != culprit]
        writers = recent[(self.post[recent] == self.pre[culprit]) & (self.pre[culprit] > 0)]
        for chosen in (recent[:0], *self._tries(culprit, recent, passed)):
            if time.perf_counter() > self.until:
                return None
            if len(writers) <= WRITERS_MAX:
                near = [culprit, *dict.fromkeys([*chosen.tolist(), *writers.tolist()])]
                if self._illegal(near, None):
                    return self._least(near, None)
            if not self.by_value:
                continue
            since = int(self.part.called[[culprit, *chosen.tolist()]].min())
            near = [culprit, *chosen[self.part.called[chosen] >= since].tolist()]
            if self._illegal(near, since):
                return self._least(near, since)
        everything = [culprit, *(k for k in reversed(range(len(self.part))) if k != culprit)]
        return self._least(everything, None) if self._illegal(everything, None) else None

    def _tries(self, culprit: int, recent: Int64s, first: int | None) -> Iterator[Int64s]:
        """First the last one that shows another state than the culprit needs, then ever more."""
        if first is not None:
            yield np.array([first])
        shown = np.where(self.post > 0, self.post, self.pre)[recent]
        passed = recent[(shown > 0) & (shown != self.pre[culprit]) & (self.part.returned[recent] < self.part.called[culprit])]
        yield passed[:1]
        count = FIRST_TRY
        while count < 4 * len(recent):
            yield recent[:count]
            count *= 4

    def _least(self, operations: Sequence[int], since: int | None, universe: Sequence[int] = ()) -> Small:
        """Drop operations while what is left has no linearization: large shares first, then one by one."""
        left, self._sure = list(operations), True
        share = max(len(left) // 2, 1)
        while share:
            at = 0
            while at < len(left):
                if time.perf_counter() > self.until:
                    return self._small(left, since, universe, minimal=False)
                rest = left[:at] + left[at + share :]
                if rest and self._illegal(rest, since, universe):
                    left = rest
                else:
                    at += share
            share //= 2
        return self._small(left, since, universe, minimal=self._sure)

    def _small(self, left: list[int], since: int | None, universe: Sequence[int], *, minimal: bool) -> Small:
        if since is not None:  # nothing is kept from before the first of them
            since = int(self.part.called[left].min())
        return Small(tuple(left), since, tuple(np.flatnonzero(self._free(self._mask(left), since, universe)).tolist()), minimal)

    def scene(self, small: Small) -> Scene:
        """Where the operations of a conflict took effect."""
        if self.by_value and not self.by_effect:
            relaxed = self._relaxed(self._mask(small.operations), small.since).relaxed(exact=True)
            return Scene(relaxed, (relaxed.initial,))
        free = tuple(self.part[k] for k in small.free)
        if small.since is None and self.object.initial is not ANY:
            return Scene(self.object, (self.object.initial,), free, often=self.by_value)
        which = [*small.operations, *small.free]
        looked_at = {*self.pre[which].tolist(), *self.not_pre[which].tolist()} - {0}
        another = (ANOTHER,) if self.object.part is None else ()  # an element is there or not
        return Scene(self.object, (*another, *(self.states[k - 1] for k in sorted(looked_at))), free)

    def _mask(self, operations: Sequence[int]) -> Bools:
        mask = np.zeros(len(self.part), np.bool_)
        mask[list(operations)] = True
        return mask

    # --- whether a set has no linearization ------------------------------------------

    def _illegal(self, operations: Sequence[int], since: int | None, universe: Sequence[int] = ()) -> bool:
        """Whether it is certain that some operations have no linearization, whatever the others did."""
        kept = self._mask(operations)
        problem = self._problem(kept, since, universe)
        if since is None and self.by_effect and stale(problem, 0) is not None:
            return True
        search = Search(problem)
        if since is not None and self.by_effect:
            search.start_anywhere()
        with stopped_after(search, min(STEP_S if self.by_value else STEP_OF_TABLE_S, self.until - time.perf_counter())):
            found = search.narrow(0) or search.wide(0, WIDEST)
        self._sure &= found.limit is None
        return found.operation is not None

    def _problem(self, kept: Bools, since: int | None, universe: Sequence[int]) -> Problem:
        others = self._free(kept, since, universe)
        object_ = self.object if self.by_effect or not self.by_value else self._relaxed(kept, since).relaxed()
        which = np.flatnonzero(kept | others)
        part = self.part.take(which)
        return problem_of(part, object_, Parts(np.zeros(len(part), np.int32), (None,)), free=others[which])

    def _free(self, kept: Bools, since: int | None, universe: Sequence[int]) -> Bools:
        """The others that the search lets happen at any time; those of a relaxed object it knows of."""
        if self.by_effect:
            return self._others(kept, since)
        if self.by_value:
            return np.zeros(len(kept), np.bool_)
        return ~kept & self._mask(universe) if universe else ~kept

    def _relaxed(self, kept: Bools, since: int | None) -> Relaxed:
        """The object as the kept operations find it."""
        free = ~kept if since is None else ~kept & (self.part.returned >= since)
        pairs = {(int(a), int(b)) for a, b in zip(self.free_pre[free], self.free_post[free], strict=True) if b}
        effects = [Effect(needs=self.states[a - 1] if a else ANY, leaves=self.states[b - 1]) for a, b in sorted(pairs)]
        looked_at = {*self.pre[kept].tolist(), *self.not_pre[kept].tolist()} - {0}
        free_suffixes, kept_suffixes = (
            [str(self.part.values[k]) for k in np.unique(self.part.argument[who & self.extends]).tolist()] for who in (free, kept)
        )
        states = [self.states[k - 1] for k in sorted(looked_at)]
        return Relaxed(self.object, effects, free_suffixes, kept_suffixes, states, anywhere=since is not None)

    def _others(self, kept: Bools, since: int | None) -> Bools:
        """Of the other operations one of each kind that could leave a state that matters."""
        able = ~kept if since is None else ~kept & (self.part.returned >= since)
        states = (set(self.pre[kept].tolist()) | set(self.not_pre[kept].tolist())) - {0}
        chosen: set[int] = set()
        fresh = set(states)
        while fresh:
            leave = np.flatnonzero(able & np.isin(self.free_post, list(fresh)))
            pairs = self.free_pre[leave].astype(np.int64) << 32 | self.free_post[leave]
            chosen.update(leave[np.unique(pairs, return_index=True)[1]].tolist())
            fresh = set(self.free_pre[leave].tolist()) - states - {0}
            states |= fresh
        if self.not_pre[kept].any():  # any other state will do
            leave = np.flatnonzero(able & (self.free_post > 0) & ~np.isin(self.free_post, list(states)))
            at_once = leave[self.free_pre[leave] == 0]
            chosen.update((at_once[:1] if len(at_once) else np.flatnonzero(able & (self.free_post > 0))).tolist())
        return self._mask(list(chosen))


def _told(method: Method) -> Method:
    """A method that extends a text looks at no state, and what it leaves depends on it."""
    return replace(method, effect=_nothing) if method.extends else method


def _nothing(argument: Value, result: Value) -> Effect:
    return Effect()
