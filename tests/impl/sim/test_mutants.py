"""Every broken core, host, state machine and client is found, within a stated number of runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from scrutator.checker.linear.check import check_linearizable
from scrutator.checker.linear.formats import read
from scrutator.checker.verdict import Verdict
from scrutator.impl.raft import Options
from scrutator.impl.sim.mutants import LINEARIZABILITY, MUTANTS
from scrutator.impl.sim.run import run
from scrutator.impl.sim.setup import Setup

BARE = Options(pre_vote=False, check_quorum=False, batch_bytes=1)
THREE = Setup(servers=3, spares=0)
BUSY = replace(THREE, attempt_ms=400, think_ms=200)
DISKS = replace(THREE, faults="kill,disk")
MEMBERS = Setup(faults="kill,partition,membership")
LEADERS = Setup(faults="kill,isolate", spares=0)

# What a bug needs, without what hides it; all others are found by the swarm.
AIMED = {
    "reply_before_sync": DISKS,
    "vote_before_sync": DISKS,
    "sync_error_retried": DISKS,
    "rot_taken_for_torn": DISKS,
    "rotten_disk_wiped": DISKS,
    "torn_refused": DISKS,
    "reads_before_applied": LEADERS,
    "doubt_taken_for_failure": LEADERS,
    "local_reads": LEADERS,
    "read_index_of_old_term": LEADERS,
    "keep_log_under_snapshot": LEADERS,
    "snapshot_over_newer_log": Setup(faults="network,pause", spares=0, snapshot_every=4),
    "keep_truncated_configuration": MEMBERS,
}
# Minutes.
HARD = {
    "vote_in_memory": replace(BUSY, faults="kill,network"),
    "count_old_votes": replace(BUSY, faults="kill,network"),
    "trust_commit_index": Setup(faults="kill,partition,network"),
    "commit_old_terms": replace(THREE, vary=False, faults="partition", options=BARE),
    "change_before_commit": Setup(servers=4, spares=1, vary=False, faults="partition,membership", options=BARE),
    "joint_counts_one_majority": MEMBERS,
    "joint_counts_the_union": MEMBERS,
    "learner_counts": MEMBERS,
    "lease_without_drift": replace(BUSY, faults="isolate,clock"),
    "lease_from_the_answer": replace(BUSY, faults="isolate"),
}


def found(name: str, setup: Setup, runs: int, tmp_path) -> Iterator[str]:
    """What is seen to be broken, run by run."""
    mutant = MUTANTS[name]
    broken = mutant.setup(setup)
    for seed in range(runs):
        r = run(seed, broken)
        if r.violation is not None:
            yield r.violation.invariant
        elif mutant.breaks == LINEARIZABILITY:
            path = tmp_path / "run.jsonl"
            path.write_text(r.history)
            if check_linearizable(read(path), "kv", explain=False).verdict is Verdict.VIOLATED:
                yield LINEARIZABILITY


@pytest.mark.parametrize("name", [name for name in MUTANTS if name not in HARD])
def test_broken_parts_are_found(name, tmp_path):
    setup = AIMED.get(name, Setup())
    assert next(found(name, setup, 100, tmp_path), None), f"{name} is not found in 100 runs"


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in MUTANTS if name in HARD])
def test_broken_parts_are_found_by_patience(name, tmp_path):
    assert next(found(name, HARD[name], 4000, tmp_path), None), f"{name} is not found in 4000 runs"


@pytest.mark.parametrize("setup", [DISKS, LEADERS, MEMBERS], ids=["disks", "leaders", "members"])
def test_where_nothing_is_broken_nothing_is_found(setup, tmp_path):
    for seed in range(10):
        r = run(seed, setup)
        assert r.holds, f"seed {seed}: {r.violation}"
