"""The command as a process: a reader that goes away (``| head -1``), files that it leaves."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from scrutator.checker.cli import run


def test_a_closed_pipe_keeps_the_exit_status() -> None:
    read, write = os.pipe()
    os.close(read)
    arguments = [sys.executable, "-m", "scrutator", "check", "two-phase-commit", "--engine", "python"]
    done = subprocess.run(arguments, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


def test_standard_output_that_is_closed_or_full_is_no_bug_of_ours() -> None:
    command = f"{shlex.quote(sys.executable)} -m scrutator check two-phase-commit --engine python"
    closed = subprocess.run(f"{command} >&- 2>&-", shell=True, capture_output=True, text=True, check=False)
    assert (closed.returncode, closed.stdout, closed.stderr) == (0, "", "")
    if Path("/dev/full").exists():
        full = subprocess.run(f"{command} >/dev/full", shell=True, capture_output=True, text=True, check=False)
        assert (full.returncode, full.stderr) == (2, "scrutator: standard output cannot be written: No space left on device\n")


def test_witnesses_are_saved_and_replay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "two-phase-commit", "--engine", "python", "--witness", "--out", str(tmp_path)]) == 0
    saved = sorted(tmp_path.iterdir())
    assert [file.name for file in saved] == ["two-phase-commit-all_aborted.json", "two-phase-commit-all_committed.json"]
    capsys.readouterr()
    for file in saved:
        assert run(["replay", str(file)]) == 0
    assert "all_committed is true in the last state" in capsys.readouterr().out
