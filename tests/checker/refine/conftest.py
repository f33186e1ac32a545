"""Lets the tests of this folder import their own helpers, and keeps compiled code to the session."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCRUTATOR_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
