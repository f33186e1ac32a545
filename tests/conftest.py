"""What all tests share: golden texts, and how to update them.

Law: a golden text is compared exactly, but for spaces at the ends of lines, and changes
only under ``pytest --update-golden``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

# Programs to be run, some beside peers that are not installed here.
collect_ignore_glob = ["benchmarks/*"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="write golden texts instead of comparing them"
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """``golden(name, text)`` compares with ``golden/<name>.txt`` beside the test's file."""

    def compare(name: str, text: str) -> None:
        path = Path(request.path).parent / "golden" / f"{name}.txt"
        text = "\n".join(line.rstrip() for line in text.splitlines()) + "\n"
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
            return
        if not path.exists():
            pytest.fail(f"there is no {path}: look at the output, then run pytest --update-golden\n\n{text}")
        assert text == path.read_text(encoding="utf-8"), (
            f"{path.name} differs; pytest --update-golden accepts it"
        )

    return compare
