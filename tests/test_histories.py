"""Everything that was kept in histories/ is judged again, and each file has its provenance beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from scrutator.checker.commands.scenario import read_scenario
from scrutator.checker.commands.simulate_seeds import Work, replayed

KEPT = sorted((Path(__file__).parents[1] / "histories" / "simulated").glob("*.json"))


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
