"""Failing runs are made small, and still fail."""

from __future__ import annotations

import pytest

from scrutator.impl.sim.mutants import MUTANTS
from scrutator.impl.sim.run import run
from scrutator.impl.sim.setup import Setup
from scrutator.impl.sim.shrink import shrink

SETUP = MUTANTS["elect_anybody"].setup(Setup(seconds=10))


def harm(tape: tuple[int, ...]) -> int:
    """How many choices are not the most benign."""
    return sum(choice != 0 for choice in tape)


def test_a_failing_run_is_made_small() -> None:
    first = next(done for seed in range(50) if (done := run(seed, SETUP)).violation is not None)
    small = shrink(first, SETUP, timeout_s=4)
    assert first.violation is not None and small.run.violation is not None
    assert small.run.violation.invariant == first.violation.invariant
    assert harm(small.run.tape) < harm(first.tape)
    again = run(None, SETUP, tape=small.run.tape)
    assert again.violation == small.run.violation and again.digest == small.run.digest


def test_what_does_not_fail_is_not_made_small() -> None:
    with pytest.raises(ValueError, match="breaks no invariant"):
        shrink(run(1, Setup(seconds=2)), Setup(seconds=2))
