"""Shrinking: a failing tape becomes simpler, still fails, and can be told."""

from __future__ import annotations

import pytest

from scrutator.impl.sim.mutants import MUTANTS
from scrutator.impl.sim.run import run
from scrutator.impl.sim.setup import Setup
from scrutator.impl.sim.shrink import shrink
from scrutator.impl.sim.story import told


def test_a_failing_run_shrinks_to_one_that_breaks_the_same_and_replays():
    setup = MUTANTS["elect_anybody"].setup(Setup())
    found = next(r for r in (run(seed, setup) for seed in range(100)) if r.violation is not None)
    shrunk = shrink(found, setup, timeout_s=3)
    small = shrunk.run
    assert found.violation is not None and small.violation is not None
    assert small.violation.invariant == found.violation.invariant
    assert sum(map(bool, small.tape)) < sum(map(bool, found.tape))  # how much depends on the time
    again = run(None, setup, tape=small.tape, tell=True)
    assert again.violation == small.violation and again.digest == small.digest
    assert again.violation is not None
    assert f"VIOLATED: {again.violation.invariant}" in told(again.story, again.violation.at_us, 3)


def test_a_run_that_holds_cannot_be_shrunk():
    with pytest.raises(ValueError, match="nothing to shrink"):
        shrink(run(1), Setup())


def test_with_time_shrinking_is_complete_and_deterministic():
    setup = MUTANTS["retries_applied"].setup(Setup(seconds=6, healing_s=5, faults="network"))
    found = next(r for r in (run(seed, setup) for seed in range(200)) if r.violation is not None)
    first, again = (shrink(found, setup, timeout_s=0.7) for _ in range(2))
    if first.complete and again.complete:
        assert first.run.tape == again.run.tape
