"""The checker as users call it: verdicts, scopes, traces, limits, and both engines alike."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from small_models import ALL_MISTAKES, COUNTER, MISTAKES

from scrutator.checker.explore.check import CheckOptions, Result, check
from scrutator.checker.explore.result import PropertyKind
from scrutator.checker.explore.trace import ReplayError, replay, save
from scrutator.checker.verdict import ExitStatus, Verdict
from scrutator.model.language import ModelError, Spec, SpecError
from scrutator.model.paxos import SPEC as PAXOS
from scrutator.model.raft import SPEC as RAFT
from scrutator.model.two_phase_commit import SPEC as TWO_PHASE_COMMIT

ENGINES = pytest.mark.parametrize("engine", ["compiled", "python"])


def verdicts(result: Result) -> dict[str, Verdict]:
    return {p.name: p.verdict for p in result.properties}


def trace(result: Result, name: str) -> list[str]:
    found = next(p.trace for p in result.properties if p.name == name)
    assert found is not None
    return [s.label for s in found.steps]


def comparable(result: Result) -> dict[str, Any]:
    """What must not depend on the engine, the workers or the hash seed."""
    fields = dataclasses.asdict(result)
    for name in ("engine", "workers", "seconds", "compile_seconds", "memory_bytes_peak", "index_bytes", "collision_odds"):
        del fields[name]
    return fields


# --- verdicts -----------------------------------------------------------------------------


@ENGINES
def test_every_kind_of_property_is_judged(engine: str) -> None:
    result = check(COUNTER, options=CheckOptions(engine=engine, stop_at_first=False, deadlock=True))
    assert verdicts(result) == {
        "small": Verdict.VIOLATED,
        "fits": Verdict.HOLDS,
        "slow": Verdict.VIOLATED,
        "full": Verdict.HOLDS,
        "never": Verdict.VIOLATED,
        "x_empty": Verdict.VIOLATED,
        "no_deadlock": Verdict.VIOLATED,
    }
    assert result.distinct == 5 * 5 + 1
    assert result.exhaustive
    assert result.verdict is Verdict.VIOLATED
    assert result.exit_status is ExitStatus.VIOLATED
    assert "never is never reached" in result.vacuous


@ENGINES
def test_counterexamples_are_the_shortest(engine: str) -> None:
    result = check(COUNTER, options=CheckOptions(engine=engine, stop_at_first=False, deadlock=True))
    lengths = {p.name: len(p.trace) for p in result.properties if p.trace}
    # From (0, 1): small wants x + y = 7 within 4 + 4; the trap wants (4, 4) and a step more.
    assert lengths == {"small": 5, "slow": 1, "full": 6, "x_empty": 7, "no_deadlock": 7}
    assert trace(result, "slow") == ["initial state", "step_y(k=2)"]


@ENGINES
def test_without_the_trap_it_holds(engine: str) -> None:
    result = check(COUNTER, bounds={"traps": False}, properties=("fits", "x_empty"), options=CheckOptions(engine=engine, deadlock=True))
    assert set(verdicts(result).values()) == {Verdict.HOLDS}
    assert result.exit_status is ExitStatus.HOLDS
    assert result.scope == "every state within size=4, traps=false, broken=false"


@ENGINES
def test_vacuous_models_are_not_a_success(engine: str) -> None:
    result = check(COUNTER, bounds={"traps": False}, properties=("never",), options=CheckOptions(engine=engine))
    assert result.verdict is Verdict.HOLDS
    assert result.exit_status is ExitStatus.FAULTY_MODEL
    quiet = check(COUNTER, bounds={"size": 1, "broken": True}, properties=("fits",), options=CheckOptions(engine=engine))
    assert "action overflow never fires" in quiet.vacuous


# --- limits -------------------------------------------------------------------------------


@ENGINES
@pytest.mark.parametrize("limit", [{"depth_max": 4}, {"states_max": 9}, {"timeout_s": 1e-9}])
def test_a_limit_means_unknown(engine: str, limit: dict[str, Any]) -> None:
    result = check(COUNTER, properties=("fits", "full", "x_empty"), bounds={"traps": False}, options=CheckOptions(engine=engine, **limit))
    assert result.verdict is Verdict.UNKNOWN
    assert result.exit_status is ExitStatus.UNKNOWN
    assert not result.exhaustive
    assert result.limit == "--" + next(iter(limit)).replace("_", "-")
    assert not result.vacuous


@ENGINES
def test_the_depth_limit_counts_levels(engine: str) -> None:
    result = check(COUNTER, properties=("fits",), options=CheckOptions(engine=engine, depth_max=3))
    assert result.depth == 3
    assert result.levels[0] == 2


def test_a_violation_within_the_limit_is_a_violation() -> None:
    assert check(COUNTER, properties=("slow",), options=CheckOptions(depth_max=2)).verdict is Verdict.VIOLATED


# --- engines, workers, hash seeds -----------------------------------------------------------

CASES: list[tuple[Spec, dict[str, object], str | None]] = [
    (COUNTER, {}, None),
    (TWO_PHASE_COMMIT, {}, None),
    (TWO_PHASE_COMMIT, {}, "commit_without_all"),
    (PAXOS, {"ballots": 2, "values": 1}, None),
    (PAXOS, {}, "reuse_ballot"),
    (RAFT, {"max_term": 1, "max_log": 0, "messages": 1}, None),
    (RAFT, {}, "vote_in_memory"),
]


@pytest.mark.parametrize(("spec", "bounds", "mutant"), CASES, ids=lambda x: getattr(x, "name", None))
def test_both_engines_find_the_same(spec: Spec, bounds: dict[str, object], mutant: str | None) -> None:
    compiled, python = (
        check(spec, bounds=bounds, mutant=mutant, options=CheckOptions(engine=e, stop_at_first=False, states_max=20_000))
        for e in ("compiled", "python")
    )
    if compiled.exhaustive:
        assert comparable(compiled) == comparable(python)
    assert [p for p in compiled.properties if p.verdict is Verdict.VIOLATED] == [p for p in python.properties if p.verdict is Verdict.VIOLATED]


@pytest.mark.parametrize(("spec", "bounds", "mutant"), CASES, ids=lambda x: getattr(x, "name", None))
def test_the_number_of_workers_changes_nothing(spec: Spec, bounds: dict[str, object], mutant: str | None) -> None:
    one, two, four = (
        check(spec, bounds=bounds, mutant=mutant, options=CheckOptions(workers=n, states_max=300_000)) for n in (1, 2, 4)
    )
    assert comparable(one) == comparable(two) == comparable(four)


@pytest.mark.parametrize("symmetry", [False, True])
def test_the_hash_seed_changes_nothing(symmetry: bool) -> None:
    script = (
        "import dataclasses, json; from scrutator.checker.explore.check import check, CheckOptions;"
        f"r = check('raft', mutant='elect_anybody', options=CheckOptions(symmetry={symmetry}));"
        "print(json.dumps([r.distinct, r.generated, r.levels, [[s.label, s.encoded] for p in r.properties if p.trace for s in p.trace.steps]]))"
    )
    outputs = {
        subprocess.run([sys.executable, "-c", script], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True).stdout
        for seed in ("0", "1", "4242")
    }
    assert len(outputs) == 1
    assert json.loads(outputs.pop())[0] > 0


# --- symmetry -----------------------------------------------------------------------------


@pytest.mark.parametrize(("spec", "bounds", "mutant"), [c for c in CASES if c[0] is not COUNTER], ids=lambda x: getattr(x, "name", None))
def test_symmetry_changes_no_verdict(spec: Spec, bounds: dict[str, object], mutant: str | None) -> None:
    full, reduced = (check(spec, bounds=bounds, mutant=mutant, options=CheckOptions(symmetry=s, stop_at_first=False)) for s in (False, True))
    assert verdicts(full) == verdicts(reduced)
    assert reduced.distinct < full.distinct
    assert {p.name: len(p.trace) for p in full.properties if p.trace} == {p.name: len(p.trace) for p in reduced.properties if p.trace}


def test_a_lopsided_quorum_system_is_not_symmetric() -> None:
    with pytest.raises(SpecError, match="tells interchangeable indices"):
        check(PAXOS, bounds={"phase1": "a*b + a*c", "phase2": "a*b + a*c + b*c", "values": 1}, options=CheckOptions(symmetry=True))


def test_nothing_to_reduce_is_an_error() -> None:
    with pytest.raises(SpecError, match="no interchangeable"):
        check(COUNTER, options=CheckOptions(symmetry=True))


# --- mistakes of a model --------------------------------------------------------------------


@ENGINES
@pytest.mark.parametrize("mistake", ALL_MISTAKES)
def test_a_mistake_is_named_with_place_and_value(engine: str, mistake: int) -> None:
    with pytest.raises(ModelError) as caught:
        check(MISTAKES, bounds={"mistake": mistake}, options=CheckOptions(engine=engine))
    assert ALL_MISTAKES[mistake] in str(caught.value)
    assert "small_models.py:" in str(caught.value)


@ENGINES
def test_the_overflow_of_a_number_is_found(engine: str) -> None:
    with pytest.raises(ModelError, match=r"x = 5: 5 is outside of 0\.\.4"):
        check(COUNTER, bounds={"broken": True}, properties=("fits",), options=CheckOptions(engine=engine))


# --- other searches -----------------------------------------------------------------------


@ENGINES
def test_depth_first_sees_the_same_states(engine: str) -> None:
    breadth, depth = (
        check(COUNTER, properties=("fits", "full"), options=CheckOptions(engine=engine, search=s)) for s in ("bfs", "dfs")
    )
    assert (depth.distinct, depth.generated, depth.verdict) == (breadth.distinct, breadth.generated, breadth.verdict)


@ENGINES
@pytest.mark.parametrize("search", ["dfs", "simulate"])
def test_other_searches_find_the_violation(engine: str, search: str) -> None:
    result = check(PAXOS, mutant="reuse_ballot", properties=("agreement",), options=CheckOptions(engine=engine, search=search, walks=5000))
    assert result.verdict is Verdict.VIOLATED
    found = result.properties[0].trace
    assert found is not None and not found.shortest


def test_simulation_depends_on_the_seed_alone() -> None:
    def labels(seed: int, workers: int) -> list[str]:
        options = CheckOptions(search="simulate", seed=seed, workers=workers, walks=20_000)
        return trace(check(RAFT, mutant="elect_anybody", properties=("leader_completeness",), options=options), "leader_completeness")

    assert labels(1, 1) == labels(1, 2)
    assert labels(1, 1) != labels(2, 1)


def test_simulation_never_claims_to_hold() -> None:
    result = check(TWO_PHASE_COMMIT, options=CheckOptions(search="simulate", walks=50, depth_max=20))
    assert result.verdict is Verdict.UNKNOWN
    assert result.walks == 50
    assert "50 random walks" in result.scope


# --- traces on disk -----------------------------------------------------------------------


@pytest.mark.parametrize("spec", [TWO_PHASE_COMMIT, PAXOS, RAFT], ids=lambda s: s.name)
@pytest.mark.parametrize("symmetry", [False, True])
def test_every_mutants_trace_replays(spec: Spec, symmetry: bool, tmp_path: Path) -> None:
    mutant = spec.mutants[0]
    result = check(spec, mutant=mutant.name, properties=(mutant.breaks,), options=CheckOptions(symmetry=symmetry))
    save(result, mutant.breaks, tmp_path / "trace.json", spec.name)
    again = replay(tmp_path / "trace.json")
    assert again.ok and again.trace is not None
    assert [s.label for s in again.trace.steps] == trace(result, mutant.breaks)


def test_a_changed_trace_does_not_replay(tmp_path: Path) -> None:
    result = check(TWO_PHASE_COMMIT, mutant="commit_without_all", properties=("consistent",))
    save(result, "consistent", tmp_path / "trace.json", "two-phase-commit")
    document = json.loads((tmp_path / "trace.json").read_text())
    document["steps"][2]["parameters"] = {"i": "rm3"}
    (tmp_path / "trace.json").write_text(json.dumps(document))
    again = replay(tmp_path / "trace.json")
    assert not again.ok
    assert "step 2" in again.text[0]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{", ":1: not JSON"),
        ("[]", "expected a trace"),
        ('{"format": "scrutator-trace", "version": 99}', "version 99"),
        ('{"format": "scrutator-trace", "version": 1}', "model is missing"),
        (
            '{"format": "scrutator-trace", "version": 1, "model": "paxos", "bounds": {}, "mutant": null, "property": "agreement", "kind": "invariant", "steps": [{}]}',
            "step 1 needs action",
        ),
    ],
)
def test_a_malformed_trace_is_refused(content: str, complaint: str, tmp_path: Path) -> None:
    (tmp_path / "trace.json").write_text(content)
    with pytest.raises(ReplayError, match=r"trace\.json") as caught:
        replay(tmp_path / "trace.json")
    assert complaint in str(caught.value)


# --- names ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"bounds": {"manager": 3}}, "did you mean managers"),
        ({"bounds": {"managers": "many"}}, "not a whole number"),
        ({"bounds": {"managers": 99}}, "between 1 and 16"),
        ({"mutant": "commit_without_al"}, "did you mean commit_without_all"),
        ({"properties": ("consistence",)}, "did you mean consistent"),
    ],
)
def test_unknown_names_are_answered_with_the_nearest(arguments: dict[str, Any], complaint: str) -> None:
    with pytest.raises(SpecError, match=complaint):
        check(TWO_PHASE_COMMIT, **arguments)


def test_coverage_adds_up() -> None:
    result = check(TWO_PHASE_COMMIT)
    assert sum(a.fired for a in result.actions) + 1 == result.generated
    assert sum(a.distinct for a in result.actions) + 1 == result.distinct
    assert sum(result.levels) == result.distinct
    assert {p.kind for p in result.properties} == {PropertyKind.INVARIANT, PropertyKind.REACHABLE}
