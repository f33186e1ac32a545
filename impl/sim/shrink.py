"""The simplest tape that breaks the same invariant: pieces are deleted and zeroed, numbers made smaller.

The law: deterministic but for the time limit, and what is returned was run and does break that invariant.
After delta debugging (Zeller and Hildebrandt, 2002), on the tape.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from scrutator.impl.sim.run import Run, run
from scrutator.impl.sim.setup import Setup
from scrutator.impl.sim.world import SECOND


class Taped(Protocol):
    """A run of anything: what it drew, and of how many each choice was one."""

    @property
    def tape(self) -> tuple[int, ...]: ...

    @property
    def sizes(self) -> tuple[int, ...]: ...


R = TypeVar("R", bound=Taped)


@dataclass(frozen=True, slots=True)
class Shrunk(Generic[R]):
    """The simplest run found; ``complete`` unless the time ran out before nothing more could be done."""

    run: R
    tries: int
    complete: bool


def shrink(found: Run, setup: Setup, *, timeout_s: float = 60.0, fails: Callable[[Run], bool] | None = None) -> Shrunk[Run]:
    """Simplify a run that breaks an invariant, or for which ``fails`` is true.

    Raises ValueError if it is no such run.
    """
    invariant = None if found.violation is None else found.violation.invariant
    if fails is None and invariant is None:
        raise ValueError("the run breaks no invariant: there is nothing to shrink")
    # What fails amid faults need not be healed; a little later will do, too.
    at_us = None if found.violation is None else found.violation.at_us
    until_us = None if at_us is None or at_us >= setup.seconds * SECOND else at_us + SECOND
    again = run(None, setup, tape=found.tape)
    return shrink_tape(again, lambda tape: run(None, setup, tape=tape, until_us=until_us), fails or _breaks(invariant), timeout_s=timeout_s)


def shrink_tape(found: R, replay: Callable[[Sequence[int]], R], fails: Callable[[R], bool], *, timeout_s: float = 60.0) -> Shrunk[R]:
    """Simplify a run of anything that ``replay`` makes of a tape.

    Raises ValueError if it does not fail.
    """
    if not fails(found):
        raise ValueError("the run's tape does not break the invariant with this setup")
    search = _Search(found, replay, fails, time.monotonic() + timeout_s)
    complete = search.run()
    return Shrunk(search.best, search.tries, complete)


def _breaks(invariant: str | None) -> Callable[[Run], bool]:
    return lambda r: r.violation is not None and r.violation.invariant == invariant


class _Search(Generic[R]):
    """The simplest tape so far, and ways to try simpler ones."""

    def __init__(self, found: R, replay: Callable[[Sequence[int]], R], fails: Callable[[R], bool], until: float) -> None:
        self._replay, self._fails, self._until = replay, fails, until
        self.tries = 0
        self.best = found
        self.tape = _trimmed(found.tape)

    def run(self) -> bool:
        """Go through all passes until none helps; False: out of time."""
        try:
            while True:
                before = self.tape
                self._shorten()
                self._alike()
                self._pass(_zeroed)
                self._pass(_deleted)
                self._lower()
                if self.tape == before:
                    return True
        except TimeoutError:
            return False

    def _try(self, tape: Sequence[int]) -> bool:
        """Whether that tape fails, too, and is simpler; then it is the best."""
        if time.monotonic() > self._until:
            raise TimeoutError
        self.tries += 1
        r = self._replay(tape)
        simpler = _trimmed(r.tape)
        if not self._fails(r) or _cost(simpler) >= _cost(self.tape):
            return False
        self.best, self.tape = r, simpler
        return True

    def _shorten(self) -> None:
        """Let the tape run out earlier: after that, all is benign."""
        keep = len(self.tape) // 2
        while keep < len(self.tape):
            if self._try(self.tape[:keep]):
                keep = len(self.tape) // 2
            else:
                keep += max(1, (len(self.tape) - keep + 1) // 2)

    def _alike(self) -> None:
        """Zero all choices of one size: those of one kind, such as the delays of all messages."""
        for size in sorted(set(self.best.sizes), reverse=True):
            pairs = zip(self.tape, self.best.sizes, strict=False)
            self._try([0 if n == size else choice for choice, n in pairs])

    def _pass(self, change: Callable[[Sequence[int], int, int], list[int]]) -> None:
        """Change pieces, halving them, while that helps."""
        size = max(1, len(self.tape) // 2)
        while True:
            begin = 0
            while begin < len(self.tape):
                piece = self.tape[begin : begin + size]
                if not any(piece) or not self._try(change(self.tape, begin, size)):
                    begin += size
            if size == 1:
                return
            size //= 2

    def _lower(self) -> None:
        """Make single numbers smaller."""
        for place in range(len(self.tape)):
            for smaller in _below(self.tape[place] if place < len(self.tape) else 0):
                if self._try([*self.tape[:place], smaller, *self.tape[place + 1 :]]):
                    break


def _zeroed(tape: Sequence[int], begin: int, size: int) -> list[int]:
    end = min(begin + size, len(tape))
    return [*tape[:begin], *([0] * (end - begin)), *tape[end:]]


def _deleted(tape: Sequence[int], begin: int, size: int) -> list[int]:
    return [*tape[:begin], *tape[begin + size :]]


def _below(number: int) -> Iterator[int]:
    """A few smaller numbers, the smallest first."""
    yield from sorted({number // 4, number // 2, number - 1} - {number}) if number > 1 else ()


def _trimmed(tape: Sequence[int]) -> tuple[int, ...]:
    """Without the zeros at the end, which a tape that has run out gives anyway."""
    end = len(tape)
    while end and not tape[end - 1]:
        end -= 1
    return tuple(tape[:end])


def _cost(tape: Sequence[int]) -> tuple[int, int, int]:
    """What is simpler comes first: fewer choices that are not benign, fewer choices, smaller ones."""
    return sum(1 for choice in tape if choice), len(tape), sum(tape)
