"""Keeps compiled code to the session, and compiles before anything is timed."""

import pytest

from scrutator.checker.linear.formats.lines_scan import scanned
from scrutator.checker.linear.formats.source import Source


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCRUTATOR_CACHE", str(tmp_path_factory.mktemp("cache")))
        scanned(Source("nothing", b"\n"), 1)
        yield
