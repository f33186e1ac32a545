"""Whole runs: the core keeps its invariants, the same tape gives the same run, histories are linearizable."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter

import pytest

from scrutator.checker.linear.check import check_linearizable
from scrutator.checker.linear.formats import read
from scrutator.checker.verdict import Verdict
from scrutator.impl.sim.run import Run, run
from scrutator.impl.sim.setup import FAULTS, Setup
from scrutator.impl.sim.story import told

DIGEST = (
    "import hashlib, json; from scrutator.impl.sim.run import run\n"
    "runs = [run(seed) for seed in (3, 4, 5)]\n"
    "print(json.dumps([[r.digest, hashlib.sha256(r.history.encode()).hexdigest(), sum(r.tape), r.events] for r in runs]))"
)


def is_linearizable(r: Run, tmp_path) -> bool:
    path = tmp_path / "run.jsonl"
    path.write_text(r.history)
    return check_linearizable(read(path), "kv", explain=False).verdict is Verdict.HOLDS


def test_without_faults_one_leader_serves_and_everything_returns(tmp_path):
    r = run(1, Setup(faults="none", vary=False))
    assert r.holds and r.counts["terms with a leader"] == 1 and "operations given up" not in r.counts
    assert r.healed_s is not None and r.healed_s < 2
    assert is_linearizable(r, tmp_path)


def test_swarms_of_faults_break_nothing_and_reach_what_they_are_to_test(tmp_path):
    counts: Counter[str] = Counter()
    for seed in range(25):
        r = run(seed)
        assert r.holds, f"seed {seed}: {r.violation}"
        assert is_linearizable(r, tmp_path), f"seed {seed} is not linearizable"
        counts.update(r.counts)
    for what in (
        "torn records dropped", "rotten disks found", "failed syncs", "snapshots installed", "snapshots taken", "ambush",
        "several killed", "single change", "joint change", "get by lease", "get by index", "get by log", "operations given up",
    ):  # fmt: skip
        assert counts[what] > 0, f"no run of 25 had {what}"


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_alone_breaks_nothing_and_happens(fault, tmp_path):
    counts: Counter[str] = Counter()
    for seed in range(4):
        r = run(seed, Setup(faults=fault))
        assert r.holds, f"seed {seed}: {r.violation}"
        assert is_linearizable(r, tmp_path)
        counts.update(r.counts)
    signs = {
        "kill": "crashes", "pause": "pause", "partition": "messages stopped", "isolate": "isolated leader", "network": "messages lost",
        "disk": "full disks", "clock": "clock drift", "membership": "joint change", "transfer": "transfer",
    }  # fmt: skip
    assert counts[signs[fault]] > 0


def test_the_seed_of_the_hash_changes_nothing():
    outputs = []
    for hash_seed in ("0", "1", "4242"):
        environment = os.environ | {"PYTHONHASHSEED": hash_seed}
        done = subprocess.run([sys.executable, "-c", DIGEST], capture_output=True, text=True, check=True, env=environment)
        outputs.append(json.loads(done.stdout))
    assert outputs[0] == outputs[1] == outputs[2]
    assert [[r.digest, sum(r.tape)] for r in (run(3), run(4), run(5))] == [[o[0], o[2]] for o in outputs[0]]


def test_a_tape_replays_its_run_and_telling_changes_nothing():
    first = run(8)
    again = run(None, tape=first.tape, tell=True, trace=True)
    assert (again.digest, again.counts, again.events) == (first.digest, first.counts, first.events)
    assert again.history.splitlines()[1:] == first.history.splitlines()[1:]  # the header says the seed
    assert "LEADS in term" in told(again.story) and len(again.trace) > 100
    assert {trace.server for _, trace in again.trace} >= {"n1", "n2", "n3"}


def test_an_empty_tape_is_the_most_benign_run():
    r = run(None, tape=())
    assert r.holds and not any(r.tape) and r.counts["terms with a leader"] == 1
    assert not any(r.counts[f"messages {what}"] for what in ("lost", "doubled", "late", "stopped"))


def test_other_seeds_are_other_runs():
    assert len({run(seed).digest for seed in range(5)}) == 5


def test_faults_are_named():
    with pytest.raises(ValueError, match="no fault 'quake': choose of kill"):
        Setup(faults="kill,quake")
