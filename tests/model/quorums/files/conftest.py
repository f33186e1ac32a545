"""Files written for one test, and read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from scrutator.model.quorums.files import FileError, read
from scrutator.model.quorums.system import QuorumSystem

Reading = Callable[..., QuorumSystem]
Refusing = Callable[..., str]
CONFIGS = Path(__file__).resolve().parents[4].parent / "shared" / "corpus" / "quorum" / "configs"


@pytest.fixture
def reading(tmp_path: Path) -> Reading:
    """The system that a text describes."""

    def of(text: str, name: str = "file", **options: object) -> QuorumSystem:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        system = read(path, **options)  # type: ignore[arg-type]
        assert isinstance(system, QuorumSystem)
        return system

    return of


@pytest.fixture
def refusing(tmp_path: Path) -> Refusing:
    """Checks that a text is refused in that line; the message after the place."""

    def of(text: str, line: int, name: str = "file", **options: object) -> str:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        with pytest.raises(FileError) as error:
            read(path, **options)  # type: ignore[arg-type]
        message = str(error.value)
        assert message.startswith(f"{path}:{line}: "), message
        assert error.value.line == line
        return message.removeprefix(f"{path}:{line}: ")

    return of


@pytest.fixture
def config() -> Callable[[str], Path]:
    """A real configuration, if they are at hand."""

    def of(name: str) -> Path:
        if not (CONFIGS / name).exists():
            pytest.skip("no collection of real configurations beside the checkout")
        return CONFIGS / name

    return of
