"""ABD: what should hold, and what should be possible."""

from __future__ import annotations

from scrutator.model.ladder.abd.model import OPERATION, SPEC, State, is_write


@SPEC.invariant
def follows_real_time(s: State) -> bool:
    """What begins after something is done returns nothing earlier, and writes something later."""
    return all(s.stamp[o] > s.stamp[p] if is_write(o) else s.stamp[o] >= s.stamp[p] for o in OPERATION if o in s.done for p in s.done_before[o])


def was_replaced(s: State, w: int, stamp: int) -> bool:
    """Write w began when somebody was done with this timestamp, or it is the one at the beginning."""
    return stamp == 0 or any(s.stamp[p] == stamp for p in s.done_before[w])


@SPEC.invariant
def no_read_is_stale(s: State) -> bool:
    """A read does not return a price that a write had replaced, and finished, before the read began."""
    return all(not (is_write(w) and was_replaced(s, w, s.stamp[r])) for r in OPERATION if r in s.done and not is_write(r) for w in s.done_before[r])


@SPEC.invariant
def timestamps_are_unique(s: State) -> bool:
    """No two writes have the same timestamp."""
    return all(o == p or s.stamp[o] != s.stamp[p] for o in OPERATION for p in OPERATION if is_write(o) and is_write(p) and o in s.storing and p in s.storing)


@SPEC.always_possible
def everybody_can_finish(s: State) -> bool:
    """Whoever has not crashed can still finish."""
    return all(o in s.done or o in s.crashed for o in OPERATION)


@SPEC.reachable
def unfinished_write_is_read(s: State) -> bool:
    """A read can return what a crashed writer left behind, and so finish it."""
    return any(is_write(o) and o in s.crashed and r in s.done and s.stamp[r] == s.stamp[o] for o in OPERATION for r in OPERATION if o in s.storing and not is_write(r))
