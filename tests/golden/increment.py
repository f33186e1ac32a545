"""Stateright's example `increment`: threads that read a shared counter, then write one more.

After ``examples/increment.rs`` of Stateright 0.31 (Jonathan Nadal), whose header lists the
states of two threads: 13 of them, 8 up to a renaming of the threads.
"""

from __future__ import annotations

from enum import Enum

from scrutator.model.language import Array, Bound, Index, Nat, Record, Spec, require

THREADS = Bound("threads", 2, "threads", low=1, high=16)
THREAD = Index("thread", THREADS, interchangeable=True)


class Next(Enum):
    READ = 1
    WRITE = 2
    NOTHING = 3


class State(Record):
    shared = Nat(THREADS)
    local = Array(THREAD, Nat(THREADS))
    next = Array(THREAD, Next)


SPEC = Spec("increment", State)


@SPEC.action(i=THREAD)
def read(s: State, i: int) -> None:
    """The counter, as thread i remembers it from here on."""
    require(s.next[i] == Next.READ)
    s.local[i] = s.shared
    s.next[i] = Next.WRITE


@SPEC.action(i=THREAD)
def write(s: State, i: int) -> None:
    """One more than thread i remembers."""
    require(s.next[i] == Next.WRITE)
    s.shared = s.local[i] + 1
    s.next[i] = Next.NOTHING


def finished(s: State) -> int:
    """Threads that have written."""
    return sum(1 for i in THREAD if s.next[i] == Next.NOTHING)


@SPEC.invariant
def never_too_many(s: State) -> bool:
    """The counter counts nothing twice."""
    return s.shared <= finished(s)


@SPEC.reachable
def increment_lost(s: State) -> bool:
    """Two threads read the same number: Stateright's `fin` is violated."""
    return s.shared < finished(s)
