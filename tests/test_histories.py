"""Everything that was kept in histories/ is judged again, and each file has its provenance beside it."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from scrutator.checker.commands.faults_beside import bands_beside
from scrutator.checker.commands.scenario import read_scenario
from scrutator.checker.commands.simulate_seeds import Work, replayed
from scrutator.checker.linear import History, check_linearizable
from scrutator.impl.cluster.record.nemesis import Struck

HISTORIES = Path(__file__).parents[1] / "histories"
KEPT = sorted((HISTORIES / "simulated").glob("*.json"))
RECORDED = sorted((HISTORIES / "recorded").glob("*.jsonl.gz"))
BYTES_MAX, BYTES_TOGETHER_MAX = 200_000, 2_000_000


def test_runs_were_kept() -> None:
    assert len(KEPT) >= 5


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_a_kept_run_still_breaks_what_it_broke_and_the_core_survives_it(path: Path) -> None:
    note = path.with_suffix(".md").read_text(encoding="utf-8")
    kept = read_scenario(path)
    assert kept.mutant is not None and kept.mutant in note and kept.breaks in note
    work = Work(kept.protocol, kept.nodes, kept.faults, kept.mutant, kept.seconds)
    broken = replayed(work, kept.tape).violation
    assert broken is not None and broken.invariant == kept.breaks
    mended = Work(kept.protocol, kept.nodes, kept.faults, None, kept.seconds)
    assert replayed(mended, kept.tape).violation is None


# --- recorded -----------------------------------------------------------------------------


def of(path: Path, suffix: str) -> Path:
    return path.with_name(path.name.removesuffix(".jsonl.gz") + suffix)


def said(note: str, what: str) -> str:
    """What a note's line ``- what: ...`` says."""
    found = re.search(rf"^- {what}: (.+(?:\n  .+)*)", note, re.MULTILINE)
    assert found is not None, f"there is no line '- {what}: ...'"
    return " ".join(found[1].split())


def test_recordings_were_kept_of_good_and_bad_systems_and_are_small() -> None:
    verdicts = [said(of(path, ".md").read_text(encoding="utf-8"), "Verdict") for path in RECORDED]
    assert verdicts.count("HOLDS") >= 7 and verdicts.count("VIOLATED") >= 7
    sizes = [path.stat().st_size for path in (HISTORIES / "recorded").iterdir()]
    assert max(sizes) < BYTES_MAX and sum(sizes) < BYTES_TOGETHER_MAX


def test_every_file_belongs_to_a_recording() -> None:
    names = {of(path, suffix).name for path in RECORDED for suffix in (".jsonl.gz", ".md", ".faults.jsonl")}
    assert {path.name for path in (HISTORIES / "recorded").iterdir()} == names


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name.removesuffix(".jsonl.gz"))
def test_a_recording_is_judged_as_its_note_says(path: Path) -> None:
    note = of(path, ".md").read_text(encoding="utf-8")
    history = History.read(path)
    assert history.metadata["object"] == said(note, "Object")
    assert said(note, "Operations") == f"{len(history):,}, {history.pending:,} of them pending"
    assert check_linearizable(history, said(note, "Object"), explain=False).verdict.name == said(note, "Verdict")


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name.removesuffix(".jsonl.gz"))
def test_a_note_tells_where_a_recording_comes_from(path: Path) -> None:
    note = of(path, ".md").read_text(encoding="utf-8")
    name, metadata, command = path.name.removesuffix(".jsonl.gz"), History.read(path).metadata, said(note, "Command")
    assert note.startswith(f"# {name}\n") and f"--out {name}`" in command and command.startswith("`scrutator record ")
    assert metadata["target"] == (re.findall(r"--target (\w+)", command) or ["raft"])[0]
    assert f"--seed {metadata['seed']} " in command and said(note, "Seed") == str(metadata["seed"])
    assert said(note, "Versions").startswith("scrutator ") and "processors" in said(note, "Host")
    assert str(metadata["began"]).startswith(said(note, "Recorded")[:10])
    assert f"{len(bands_beside(str(path)))} (" in said(note, "Faults")
    assert "/tmp" not in note and re.search(r"^## Why .+\n\n\w", note, re.MULTILINE)


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name.removesuffix(".jsonl.gz"))
def test_every_fault_of_a_recording_was_carried_out_and_ended(path: Path) -> None:
    lines = [msgspec.json.decode(line, type=Struck) for line in of(path, ".faults.jsonl").read_bytes().splitlines()]
    last = {one.number: one for one in lines}
    assert last and all(one.end is not None and one.begin < one.end and one.nodes and not one.error for one in last.values())
    history = History.read(path)
    assert min(one.begin for one in last.values()) < int(history.called[-1])
