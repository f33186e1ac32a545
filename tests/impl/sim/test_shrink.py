"""Tapes are made small, and still fail."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from scrutator.impl.sim.mutants import MUTANTS
from scrutator.impl.sim.run import run
from scrutator.impl.sim.setup import Setup
from scrutator.impl.sim.shrink import shrunk, size

TAPES = st.lists(st.integers(0, 50), max_size=60)


@given(TAPES, st.integers(0, 59), st.integers(1, 50))
def test_one_choice_that_matters_is_all_that_is_left(tape: list[int], position: int, least: int) -> None:
    def fails(candidate: Sequence[int]) -> Sequence[int] | None:
        return candidate if len(candidate) > position and candidate[position] >= least else None

    small = shrunk(tape, fails)
    if fails(tape) is None:
        assert small == shrunk(small, fails)
    else:
        assert small == [0] * position + [least]


@given(TAPES, st.integers(1, 200))
def test_what_is_found_still_fails_and_is_no_larger(tape: list[int], least: int) -> None:
    def fails(candidate: Sequence[int]) -> Sequence[int] | None:
        return candidate if sum(candidate) >= least else None

    small = shrunk(tape, fails)
    assert size(small) <= size(tape)
    assert (fails(small) is None) == (fails(tape) is None)


def test_without_time_nothing_is_lost() -> None:
    assert shrunk([3, 1, 0, 0], lambda tape: tape, timeout_s=0) in ([3, 1], [])


def test_a_failing_run_is_made_small() -> None:
    setup = MUTANTS["elect_anybody"].setup(Setup(seconds=10))
    first = next(done for seed in range(50) if (done := run(seed, setup)).violation is not None)
    assert first.violation is not None
    broken = first.violation.invariant

    def fails(candidate: Sequence[int]) -> Sequence[int] | None:
        done = run(setup=setup, tape=candidate)
        return done.tape if done.violation is not None and done.violation.invariant == broken else None

    small = shrunk(first.tape, fails, timeout_s=4)
    assert size(small) < size(first.tape)
    assert fails(small) is not None
