"""Lets the tests of this folder import their own helpers, and opens one browser for all of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "timeline"))
sys.path.insert(0, str(Path(__file__).parent))

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
