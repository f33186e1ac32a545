"""`scrutator ladder` as a user meets it, and its documentation, which is what it writes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from scrutator.checker import cli
from scrutator.checker.commands import ladder_run
from scrutator.checker.commands.ladder_run import run_rungs
from scrutator.checker.ladder import Played
from scrutator.checker.report.ladder_docs import docs
from scrutator.checker.report.ladder_json import LadderDocument
from scrutator.checker.verdict import Verdict
from scrutator.model.ladder import rungs

DOCS = Path(__file__).resolve().parents[3] / "docs" / "ladder"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[int, str, str]:
        status = cli.run(["ladder", *arguments])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return call


def test_a_rung_is_told_as_a_story(run: Run) -> None:
    status, out, _ = run("asynchronous", "--workers", "1", "--seeds", "20")
    assert status == 0
    parts = ["2. Asynchronous replication", "How it breaks", "1. The master m1 sells the phone to buyer b1", "FAULT Machine m1 goes down",
             "sell(m=m2, b=b2): sold_to[m2]: - -> b2", "No longer true: At most one buyer", "What to notice", "What comes next", "AGREES 6 of 6"]  # fmt: skip
    places = [out.find(part) for part in parts]
    assert -1 not in places and places == sorted(places)


def test_json_fits_its_schema(run: Run) -> None:
    status, out, _ = run("ladder/majority_write", "--workers", "1", "--seeds", "20", "--format", "json")
    found = msgspec.json.decode(out, type=LadderDocument)
    assert (found.exit_status, found.verdict, [r.name for r in found.rungs]) == (status, "holds", ["majority_write"])
    claims = {c.name: c for c in found.rungs[0].claims}
    assert claims["votes_split"].steps == 3 and claims["votes_split"].played.events and claims["votes_split"].confirmed
    assert claims["never_two_buyers"].played.seed is None and claims["never_two_buyers"].model.distinct > 1000


def test_workers_change_nothing() -> None:
    chosen = [rung for rung in rungs() if rung.name == "asynchronous"]
    alone, together = (run_rungs(chosen, seeds=20, workers=workers, shown=True) for workers in (1, 2))
    for one, other in zip(alone.claims, together.claims, strict=True):
        assert (one.claim, one.judged, one.model.distinct) == (other.claim, other.judged, other.model.distinct)
        assert (one.played.seed, one.played.seeds, one.played.events) == (other.played.seed, other.played.seeds, other.played.events)


def test_a_disagreement_is_an_error(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ladder_run, "_play", lambda *_: Played(Verdict.HOLDS, 20))
    status, out, _ = run("asynchronous", "--workers", "1")
    said = " ".join(out.split())
    assert status == 1 and "DISAGREES" in said
    assert "model and implementation disagree on no_phone_sold_twice: violated in the model, holds as it runs" in said


def test_ctrl_c_shows_what_there_is(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    played = ladder_run._play
    calls: list[str] = []

    def play(rung, claim, seeds, small):  # type: ignore[no-untyped-def]
        calls.append(claim.name)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return played(rung, claim, seeds, small)

    monkeypatch.setattr(ladder_run, "_play", play)
    status, out, _ = run("--workers", "1", "--seeds", "5")
    assert status == 3 and "UNKNOWN 2 of" in out and "Cut short (interrupted)" in out and "one_machine" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no_such_rung"], "no rung no_such_rung"),
        (["asynchronus"], "did you mean asynchronous or"),
        (["--seeds", "0"], "--seeds 0: at least 1"),
        (["--workers", "0"], "--workers 0: at least 1"),
        (["--html", "nowhere/page.html"], "there is no folder nowhere"),
        (["--docs", f"{__file__}/pages"], "test_cli_ladder.py is a file"),
    ],
)
def test_wrong_usage(run: Run, arguments: list[str], said: str) -> None:
    status, out, err = run(*arguments)
    assert status == 2 and said in err and not out


def test_no_rung_is_special() -> None:
    """A new rung is a new file: neither the command nor its reports name one."""
    checker = Path(ladder_run.__file__).parents[1]
    paths = {p for pattern in ("commands/ladder*.py", "ladder/*.py", "report/ladder*.py", "report/ladder*/*.py", "refine/*.py") for p in checker.glob(pattern)}
    assert {"ladder_judge.py", "found.py", "ladder_docs.py", "sections.py", "compiled.py"} <= {path.name for path in paths}
    for path in paths:
        source = path.read_text(encoding="utf-8")
        assert not any(f'"{rung.name}"' in source or f"ladder/{rung.name}" in source for rung in rungs()), path


def test_the_documentation_is_what_is_found(request: pytest.FixtureRequest) -> None:
    """One rung of docs/ladder; all of it is written by ``scrutator ladder --docs docs/ladder``."""
    (rung,) = (rung for rung in rungs() if rung.name == "asynchronous")
    written = docs(run_rungs([rung], shown=True))
    assert set(written) >= {"asynchronous.md", "asynchronous-sold_twice.svg", "asynchronous-run.svg"}
    for name, text in written.items():
        if request.config.getoption("--update-golden"):
            (DOCS / name).write_text(text, encoding="utf-8")
        assert text == (DOCS / name).read_text(encoding="utf-8"), f"docs/ladder/{name} differs; pytest --update-golden accepts it"


def test_the_documentation_has_all_rungs() -> None:
    table = (DOCS / "README.md").read_text(encoding="utf-8")
    for rung in rungs():
        page = (DOCS / f"{rung.name}.md").read_text(encoding="utf-8")
        assert f"({rung.name}.md)" in table and rung.idea in page and rung.notice in page
        assert all(claim.says.rstrip(".") in page for claim in rung.claims)
        assert "violated" in page and "missing" not in page
