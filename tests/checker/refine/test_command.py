"""`scrutator refine`: its text against golden files, its JSON against its schema, its exit statuses."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
import small_pairs as pairs

from scrutator.checker.cli import run
from scrutator.checker.explore.options import CheckOptions
from scrutator.checker.refine.check import refine
from scrutator.checker.refine.result import RefineResult
from scrutator.checker.report.json import encode
from scrutator.checker.report.layout import console_for
from scrutator.checker.report.refine_json import SCHEMA, RefineDocument, refine_document
from scrutator.checker.report.refine_text import print_refinement
from scrutator.checker.verdict import ExitStatus

PAIRS = f"{Path(__file__).parent / 'small_pairs.py'}:CLOCK"


def steady(result: RefineResult) -> RefineResult:
    """The same result on every machine."""
    found = result.refutation
    if found is not None:
        short = tuple(replace(r, guards=tuple(Path(g).name for g in r.guards)) for r in found.refusing)
        found = replace(found, refusing=short)
    return replace(result, seconds=0.5, compile_seconds=0.0, memory_bytes_peak=0, workers=2, refutation=found)


def results() -> dict[str, RefineResult]:
    one = CheckOptions(workers=1)
    return {
        "holds": refine("paxos", bounds={"ballots": 2}, options=one),
        "violated": refine("paxos", mutant="ignore_votes", options=CheckOptions(engine="python")),
        "initial": refine(pairs.CLOCK, bounds={"late": True}, options=one),
        "cut": refine(pairs.CLOCK, options=CheckOptions(workers=1, depth_max=3)),
        "vacuous": refine(pairs.CLOCK, replace(pairs.CLOCK.refinements[0], function=pairs.stuck_hand), options=one),
    }


@pytest.fixture(scope="module")
def found() -> dict[str, RefineResult]:
    return {name: steady(result) for name, result in results().items()}


NAMES = ["holds", "violated", "initial", "cut", "vacuous"]


def printed(result: RefineResult, width: int) -> str:
    file = io.StringIO()
    print_refinement(console_for(file, width), result)
    return file.getvalue()


@pytest.mark.parametrize("width", [80, 140])
@pytest.mark.parametrize("name", NAMES)
def test_as_text(name, width, found, golden):
    text = printed(found[name], width)
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    golden(f"{name}-{width}", text)


@pytest.mark.parametrize("name", NAMES)
def test_as_json_nothing_is_lost(name, found):
    document = refine_document(found[name])
    text = encode(document)
    assert text.isascii() and msgspec.json.decode(text, type=RefineDocument) == document
    plain = json.loads(text)
    assert plain["schema"] == SCHEMA and plain["exit_status"] == int(found[name].exit_status)
    assert (plain["result"]["refutation"] is not None) == (name in ("violated", "initial"))


def test_hostile_names_stay_harmless(found):
    hostile = "[bold]\x1b[31m:smile:\n"
    result = replace(found["violated"], model=hostile, abstract=hostile, mapping=hostile, doc=hostile, mutant=hostile)
    assert printed(result, 80).replace("\n", "").isprintable()


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["paxos", "voting", "--set", "ballots=1"], ExitStatus.HOLDS),
        (["paxos", "votes", "--set", "ballots=1", "--engine", "python"], ExitStatus.HOLDS),
        (["paxos", "--mutant", "forget_promise"], ExitStatus.VIOLATED),
        (["paxos", "--depth-max", "3", "--workers", "1", "--memory-max", "1G", "--timeout-s", "60"], ExitStatus.UNKNOWN),
        ([PAIRS, "hours"], ExitStatus.HOLDS),
        (["voting"], ExitStatus.USAGE),
        (["paxos", "vorting"], ExitStatus.USAGE),
        (["paxos", "--set", "ballot=3"], ExitStatus.USAGE),
        (["paxos", "--mutant", "nobody"], ExitStatus.USAGE),
        (["nowhere"], ExitStatus.USAGE),
    ],
)  # fmt: skip
def test_exit_statuses(arguments, status, capsys):
    assert run(["refine", *arguments]) == status
    out, err = capsys.readouterr()
    assert bool(out) == (status is not ExitStatus.USAGE) and bool(err) == (status is ExitStatus.USAGE)


def test_messages_say_what_there_is(capsys):
    run(["refine", "voting"])
    run(["refine", "paxos", "vorting"])
    err = capsys.readouterr().err
    assert "voting declares no refinement: docs/models.md says how" in err
    assert "no refinement vorting of paxos: did you mean voting?" in err


def test_to_check_a_refinement_as_a_property_points_here(capsys):
    assert run(["check", "paxos", "--property", "votes"]) == ExitStatus.USAGE
    assert "a refinement is checked by scrutator refine paxos votes" in capsys.readouterr().err


def test_json_on_request(capsys):
    assert run(["refine", "paxos", "--set", "ballots=1", "--format", "json"]) == 0
    document = msgspec.json.decode(capsys.readouterr().out, type=RefineDocument)
    assert {(f.action, f.abstract) for f in document.result.followed} >= {("promise", "promise"), ("accept", "vote")}


def test_the_documentation_quotes_models():
    root = Path(__file__).parents[3]
    section = (root / "docs" / "models.md").read_text(encoding="utf-8").split("## Refinement")[1].split("## Symmetry")[0]
    blocks = re.findall(r"^```python\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    models = [(root / "model" / name).read_text(encoding="utf-8") for name in ("paxos.py", "ladder/naive_raft/refinement.py")]
    assert len(blocks) == 2 and all(any(block in model for model in models) for block in blocks)
