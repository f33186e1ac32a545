"""Small sets of operations that have no linearization, whatever the others did.

The others are let take effect at any time, or never: what cannot be so cannot be at all.
The law: a set that is returned has no linearization then, and would have one if any of
its operations were among the others too (it is 1-minimal).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from scrutator.checker.linear.frontier import BEAMS, Search, stopped_after
from scrutator.checker.linear.history import NEVER, History, Int64s
from scrutator.checker.linear.problem import Bools, Parts, methods_of, plain_classes, problem_of
from scrutator.checker.linear.stale import stale
from scrutator.model.objects.sequential import ANY, Object, State

WRITERS_MAX = 32  # operations that leave a state, from which their number is no longer worth a list
FIRST_TRY = 4
WIDEST = BEAMS[2][0]
STEP_S = 1.0  # for one set
UNIVERSE_MAX = 40  # operations of an object with larger states of which some are let happen at any time


class Another:
    """A state that no operation looks at."""

    def __repr__(self) -> str:
        return "something else"


ANOTHER = Another()


@dataclass(frozen=True, slots=True)
class Small:
    """Positions in the part of operations that have no linearization, the one to blame first.

    ``since`` is a time: they have none whatever the state was then, which operations called
    before may have left.  ``free`` are those of the others, at any time, that could matter.
    ``minimal`` is false where time ran out before the set was small.
    """

    operations: tuple[int, ...]
    since: int | None
    free: tuple[int, ...]
    minimal: bool


class Conflicts:
    """Looks for conflicts in the operations of one part, all called by some time."""

    def __init__(self, part: History, object_: Object, until: float) -> None:
        self.part, self.object, self.until = part, object_, until
        n = len(part)
        twice = part.take(np.concatenate([np.arange(n), np.arange(n)]))
        pending = np.concatenate([part.returned == NEVER, np.ones(n, np.bool_)])
        effects = (classes := plain_classes(twice, object_, methods_of(part, object_), pending)).effects
        self.by_effect = effects is not None
        self.states = effects.states if effects is not None else ()
        if effects is not None:
            of = classes.of
            self.pre, self.not_pre, self.post = effects.pre[of[:n]], effects.not_pre[of[:n]], effects.post[of[:n]]
            self.free_pre, self.free_post = effects.pre[of[n:]], effects.post[of[n:]]

    def find(self, culprit: int, hint: Sequence[int] = ()) -> Small | None:
        """A small conflict that the culprit may be part of, of operations that returned by then; None if none is found."""
        known = np.flatnonzero(self.part.returned <= self.part.returned[culprit])
        if hint:
            near = [*hint]
            return self._least(near, None, near) if self._illegal(near, None, near) else None
        if self.by_effect:
            return self._near(culprit, known)
        universe = range(len(self.part))
        near = [culprit, *(k for k in reversed(universe) if k != culprit)]
        small = len(universe) <= UNIVERSE_MAX and self._illegal(near, None, universe)
        return self._least(near, None, universe) if small else None

    def _near(self, culprit: int, known: Int64s) -> Small | None:
        """Ever more of what was called last, with all that leave the state that the culprit needs, or else since a time."""
        recent = known[np.argsort(self.part.called[known], kind="stable")][::-1]
        recent = recent[recent != culprit]
        writers = recent[(self.post[recent] == self.pre[culprit]) & (self.pre[culprit] > 0)]
        for chosen in (recent[:0], *self._tries(culprit, recent)):
            if time.perf_counter() > self.until:
                return None
            if len(writers) <= WRITERS_MAX:
                near = [culprit, *dict.fromkeys([*chosen.tolist(), *writers.tolist()])]
                if self._illegal(near, None):
                    return self._least(near, None)
            since = int(self.part.called[[culprit, *chosen.tolist()]].min())
            near = [culprit, *chosen[self.part.called[chosen] >= since].tolist()]
            if self._illegal(near, since):
                return self._least(near, since)
        everything = [culprit, *(k for k in reversed(range(len(self.part))) if k != culprit)]
        return self._least(everything, None) if self._illegal(everything, None) else None

    def _tries(self, culprit: int, recent: Int64s) -> Iterator[Int64s]:
        """First the last one that shows another state than the culprit needs, then ever more."""
        shown = np.where(self.post > 0, self.post, self.pre)[recent]
        passed = recent[(shown > 0) & (shown != self.pre[culprit]) & (self.part.returned[recent] < self.part.called[culprit])]
        yield passed[:1]
        count = FIRST_TRY
        while count < 4 * len(recent):
            yield recent[:count]
            count *= 4

    def _least(self, operations: Sequence[int], since: int | None, universe: Sequence[int] = ()) -> Small:
        """Drop operations while what is left has no linearization: large shares first, then one by one."""
        left = list(operations)
        share = max(len(left) // 2, 1)
        while share:
            at = 0
            while at < len(left):
                if time.perf_counter() > self.until:
                    return self._small(left, since, minimal=False)
                rest = left[:at] + left[at + share :]
                if rest and self._illegal(rest, since, universe):
                    left = rest
                else:
                    at += share
            share //= 2
        return self._small(left, since, minimal=True)

    def _small(self, left: list[int], since: int | None, *, minimal: bool) -> Small:
        if since is not None:  # nothing is kept from before the first of them
            since = int(self.part.called[left].min())
        if not self.by_effect:
            return Small(tuple(left), since, (), minimal)
        return Small(tuple(left), since, tuple(np.flatnonzero(self._others(self._mask(left), since)).tolist()), minimal)

    def initial(self, small: Small) -> tuple[State, ...]:
        """The states that the operations of a conflict may have found."""
        if small.since is None and self.object.initial is not ANY:
            return (self.object.initial,)
        which = [*small.operations, *small.free]
        looked_at = {*self.pre[which].tolist(), *self.not_pre[which].tolist()} - {0}
        return (ANOTHER, *(self.states[k - 1] for k in sorted(looked_at)))

    def _mask(self, operations: Sequence[int]) -> Bools:
        mask = np.zeros(len(self.part), np.bool_)
        mask[list(operations)] = True
        return mask

    # --- whether a set has no linearization ------------------------------------------

    def _illegal(self, operations: Sequence[int], since: int | None, universe: Sequence[int] = ()) -> bool:
        """Whether it is certain that some operations have no linearization, whatever the others did."""
        kept = self._mask(operations)
        if self.by_effect:
            others = self._others(kept, since)
        else:
            others = ~kept
            others[np.setdiff1d(np.arange(len(kept)), universe)] = False
        which = np.flatnonzero(kept | others)
        part = self.part.take(which)
        one_part = Parts(np.zeros(len(part), np.int32), (None,))
        problem = problem_of(part, self.object, one_part, free=others[which])
        if since is None and self.by_effect and stale(problem, 0) is not None:
            return True
        search = Search(problem)
        if since is not None:
            search.start_anywhere()
        with stopped_after(search, min(STEP_S, self.until - time.perf_counter())):
            found = search.narrow(0) or search.wide(0, WIDEST)
        return found.operation is not None

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
