"""`scrutator simulate` and the replay of what it keeps, as a user meets them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from scrutator.checker import cli
from scrutator.checker.report.simulate_json import SimulateDocument

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[int, str, str]:
        status = cli.run(list(arguments))
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return call


def test_it_holds(run: Run) -> None:
    status, out, _ = run("simulate", "--seeds", "4", "--seconds-simulated", "5", "--workers", "1")
    assert status == 0 and out.startswith("HOLDS raft\n")
    assert "Seeds 0 to 3, each 5 simulated seconds under faults drawn from the seed" in " ".join(out.split())
    assert "entries committed" in out


def test_a_mutant_is_caught_kept_and_replayed(run: Run) -> None:
    status, out, _ = run("simulate", "--mutant", "elect_anybody", "--workers", "1", "--no-shrink", "--out", "run.json")
    assert status == 1 and out.startswith("VIOLATED raft, mutant elect_anybody: leader completeness\n")
    assert "LEADS in term" in out and "scrutator replay run.json" in out
    kept = json.loads(Path("run.json").read_text())
    assert kept["breaks"] == "leader completeness" and kept["tape"][-1] != 0
    status, out, _ = run("replay", "run.json")
    assert status == 0 and "It still breaks leader completeness" in out
    Path("mended.json").write_text(json.dumps({**kept, "mutant": None}))
    status, out, _ = run("replay", "mended.json")
    assert status == 1 and "Nothing is broken any more" in out


def test_one_seed_is_told_also_if_it_holds(run: Run) -> None:
    status, out, _ = run("simulate", "--seed", "3", "--seconds-simulated", "5")
    assert status == 0 and "LEADS in term" in out and "returns" in out
    _, out, _ = run("simulate", "--seeds", "2", "--seconds-simulated", "5", "--workers", "1")
    assert "LEADS in term" not in out


def test_json_fits_its_schema(run: Run) -> None:
    status, out, _ = run("simulate", "--seed", "3", "--seconds-simulated", "5", "--format", "json")
    found = msgspec.json.decode(out, type=SimulateDocument)
    assert (found.exit_status, found.verdict, found.seeds, found.first_seed) == (status, "holds", 1, 3)


def test_the_verdict_does_not_depend_on_the_workers(run: Run) -> None:
    found = []
    for workers in ("1", "2"):
        _, out, _ = run("simulate", "--seeds", "20", "--seconds-simulated", "5", "--workers", workers, "--format", "json")
        document = msgspec.json.decode(out, type=SimulateDocument)
        found.append((document.counts, document.events, document.messages, document.operations))
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--mutant", "elect_anibody"], "did you mean elect_anybody"),
        (["--faults", "kill,earthquake"], "there is no fault 'earthquake'"),
        (["--nodes", "0"], "--nodes 0: at least 1"),
        (["--nodes", "99"], "at most 9"),
        (["--seeds", "0"], "--seeds 0: at least 1"),
        (["--seconds-simulated", "0"], "--seconds-simulated 0: at least 1"),
    ],
)
def test_mistakes_are_named(run: Run, arguments: list[str], message: str) -> None:
    status, out, err = run("simulate", *arguments)
    assert message in " ".join(err.split())
    assert (status, out) == (2, "")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tape": [-1]}, "choices are 0 or more"),
        ({"tape": ["1"]}, "not a run"),
        ({"version": 9}, "version 9"),
        ({"mutant": "nobody"}, "no mutant nobody"),
        ({"faults": "rain"}, "there is no fault 'rain'"),
        ({"nodes": 100}, "nodes 1 to 9"),
    ],
)
def test_files_that_are_no_runs_are_refused(run: Run, change: dict[str, object], message: str) -> None:
    kept = {
        "format": "scrutator-scenario", "version": 1, "protocol": "raft", "nodes": 3, "faults": "none", "mutant": None,
        "seconds": 1, "seed": 0, "breaks": "x", "how": "x", "tape": [],
    }  # fmt: skip
    Path("run.json").write_text(json.dumps({**kept, **change}))
    status, _, err = run("replay", "run.json")
    assert status == 2 and message in " ".join(err.split())


def test_files_nested_too_deep_are_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "deep.json").write_text('{"format": "scrutator-scenario", "x": ' + "[" * 100_000 + "]" * 100_000 + "}")
    status, _, err = run("replay", "deep.json")
    assert status == 2 and "not a run that" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--timeout-s", "-1"], "--timeout-s -1: more than 0"),
        (["--timeout-s", "nan"], "--timeout-s nan: more than 0"),
        (["--workers", "0"], "--workers 0: at least 1"),
        (["--seed", "-5"], "--seed -5: at least 0"),
        (["--seeds", "99999999999999999999"], "at most 10,000,000"),
        (["--out", "nowhere/run.json"], "there is no folder nowhere"),
        (["--out", "."], "it is a folder"),
    ],
)
def test_mistakes_are_said_before_anything_runs(run: Run, arguments: list[str], message: str) -> None:
    status, out, err = run("simulate", "--workers", "1", *arguments) if "--workers" not in arguments else run("simulate", *arguments)
    assert status == 2 and not out and message in err
