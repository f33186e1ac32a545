"""Lets the tests of this folder use the browser of the timeline's tests, and runs all models of the ladder once."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scrutator.checker.commands.ladder_run import explore_claim
from scrutator.checker.ladder import ClaimFound, LadderFound, Played, RungFound, pictured
from scrutator.checker.verdict import Verdict
from scrutator.model.ladder import Rung, rungs

sys.path.insert(0, str(Path(__file__).parents[1] / "timeline"))

from browser import PROGRAM, Browser


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser whose windows are all alike, and in which nothing moves that need not."""
    if PROGRAM is None:
        pytest.skip("there is no chromium")
    browser = Browser(tmp_path_factory.mktemp("browser"))
    browser.send("Emulation.setDeviceMetricsOverride", width=1400, height=900, deviceScaleFactor=1, mobile=False)
    browser.prefer(color_scheme="light", reduced_motion="reduce")
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def ladder() -> LadderFound:
    """All rungs with the claims that have pictures; what the implementations say is made up."""
    return LadderFound(tuple(_rung(rung) for rung in rungs()), 1.0, 5)


def _rung(rung: Rung) -> RungFound:
    found = []
    for claim in pictured(rung):
        result = explore_claim(rung, claim)
        found.append(ClaimFound(rung, claim, result, Played(Verdict.VIOLATED, 3, seed=2)))
    return RungFound(rung, tuple(found))
