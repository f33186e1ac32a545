"""Locks: a mutex, and a semaphore.

To acquire what is not free fails, as does to release what is not held.  Where a recording
notes no result, the operation took place.
"""

from __future__ import annotations

from scrutator.model.objects.sequential import Effect, EffectOf, Object, Value, or_done, success


def _turns(held: bool) -> EffectOf:
    """The effect of an operation that turns held into free, or free into held."""

    def effect(_: Value, done: Value) -> Effect | None:
        whether = {None: Effect(held, leaves=not held), True: Effect(held, leaves=not held), False: Effect(not held)}
        return whether.get(done) if done is None or isinstance(done, bool) else None

    return effect


MUTEX = Object("mutex", False, doc="Held or free.", aliases=("lock",))


@MUTEX.method("lock", agrees=or_done, result_text=success, effect=_turns(held=False))
def acquire(held: bool, _: Value) -> tuple[Value, bool]:
    """Take the lock; return whether it was free."""
    return not held, True


@MUTEX.method("unlock", agrees=or_done, result_text=success, effect=_turns(held=True))
def release(held: bool, _: Value) -> tuple[Value, bool]:
    """Give the lock back; return whether it was held."""
    return held, False


def permits(argument: Value) -> bool:
    """how many permits, or nothing for one"""
    return argument is None or (isinstance(argument, int) and not isinstance(argument, bool) and argument > 0)


def semaphore(permits_max: Value) -> Object:
    """A semaphore of so many permits."""
    assert isinstance(permits_max, int), f"a semaphore has a number of permits, not {permits_max!r}"
    lock = Object("semaphore", permits_max, doc="Permits, taken and given back one or more at a time.", family=semaphore)

    @lock.method("take", takes=permits, agrees=or_done, result_text=success)
    def acquire(free: int, wanted: int | None) -> tuple[Value, int]:
        """Take permits; return whether enough were free."""
        left = free - (wanted or 1)
        return (True, left) if left >= 0 else (False, free)

    @lock.method("give", takes=permits, agrees=or_done, result_text=success)
    def release(free: int, back: int | None) -> tuple[Value, int]:
        """Give permits back; return whether so many were taken."""
        left = free + (back or 1)
        return (True, left) if left <= permits_max else (False, free)

    return lock


SEMAPHORE = semaphore(2)
