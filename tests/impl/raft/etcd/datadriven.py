"""The test data of etcd's Raft: where it is, and how it is written.

A case is a line ``command name=value ...``, lines of input, ``----``, what is expected, and an empty line.
The data is not part of this project; where it is absent, its tests are skipped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]
DATA = ROOT.parent / "shared" / "corpus" / "etcd-testdata"

_ARGUMENT = re.compile(r"(?P<name>[^\s=]+)(?:=(?P<value>\([^)]*\)|\S*))?")


@dataclass(frozen=True)
class Case:
    """One command and what is expected of it; ``names`` are the arguments without a value."""

    file: str
    line: int
    command: str
    names: tuple[str, ...]
    options: dict[str, str]
    input: tuple[str, ...]
    expected: tuple[str, ...]

    def list(self, option: str) -> list[str]:
        """The value ``(1, 2, 3)`` of an option, or nothing."""
        return [part.strip() for part in self.options.get(option, "").strip("()").split(",") if part.strip()]

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def cases(path: Path) -> list[Case]:
    """All cases of a file, in order."""
    found, lines = [], path.read_text(encoding="utf-8").splitlines()
    at = 0
    while at < len(lines):
        if not lines[at].strip() or lines[at].startswith("#"):
            at += 1
            continue
        bar = lines.index("----", at)
        end = next((k for k in range(bar, len(lines)) if not lines[k].strip()), len(lines))
        command, *rest = lines[at].split(maxsplit=1)
        arguments = [(m["name"], m["value"]) for m in _ARGUMENT.finditer("".join(rest))]
        names = tuple(name for name, value in arguments if value is None)
        options = {name: value for name, value in arguments if value is not None}
        found.append(
            Case(path.stem, at + 1, command, names, options, tuple(lines[at + 1 : bar]), tuple(lines[bar + 1 : end]))
        )
        at = end
    return found


def files(folder: str) -> list[Path]:
    """The files of a folder; none where the data is absent."""
    return sorted((DATA / folder).glob("*.txt"))


needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="etcd's test data is not beside the checkout")
