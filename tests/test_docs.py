"""The examples that the documentation shows are those that work."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from scrutator.checker.cli import app
from scrutator.checker.explore.check import CheckOptions, check

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def code_blocks(path: Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("engine", ["compiled", "python"])
def test_the_first_model(engine: str, tmp_path: Path) -> None:
    model = tmp_path / "lock.py"
    model.write_text(code_blocks(ROOT / "docs" / "models.md")[0])
    result = check(f"{model}:SPEC", bounds={"clients": 3}, options=CheckOptions(engine=engine))
    # Of 3 clients each idle or asking, with nobody holding 2 ** 3; else one of them is granted or holds.
    assert (result.verdict.value, result.distinct) == ("holds", 2**3 + 3 * 2 * 2**2)
    assert not result.vacuous


def test_readme_quotes_the_model() -> None:
    model = (ROOT / "model" / "two_phase_commit.py").read_text(encoding="utf-8")
    quoted = [part for block in code_blocks(ROOT / "README.md") for part in block.split("\n\n\n")]
    assert quoted
    assert all(part.strip() in model for part in quoted)


@pytest.mark.parametrize("number", range(3))
def test_the_examples_of_recording(number: int, tmp_path: Path) -> None:
    blocks = code_blocks(ROOT / "docs" / "recording.md")[2:]  # the first are a target, see test_cli_record.py
    assert len(blocks) == 3
    (tmp_path / "example.py").write_text(blocks[number])
    done = subprocess.run([sys.executable, "example.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("" if number == 2 else "HOLDS")


COMMANDS = re.findall(r"^ +\$ (?:\.venv/bin/)?scrutator (.*?)(?: +#.*| \|.*)?$", README, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_readme_commands_are_understood(command: str) -> None:
    assert app.parse_args(command, exit_on_error=False, print_error=False)


def test_readme_has_commands() -> None:
    assert len(COMMANDS) > 5


def test_the_example_of_quorums() -> None:
    (block,) = code_blocks(ROOT / "docs" / "quorums.md")
    exec(block, {})


def test_the_commands_of_quorums_are_understood() -> None:
    text = (ROOT / "docs" / "quorums.md").read_text(encoding="utf-8")
    commands = re.findall(r"^ +\$ scrutator (.*?)$", text, re.MULTILINE)
    assert len(commands) > 5
    for command in commands:
        assert app.parse_args(command, exit_on_error=False, print_error=False)
