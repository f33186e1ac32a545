"""A reader that goes away (``| head -1``) must not turn a verdict into another."""

from __future__ import annotations

import os
import subprocess
import sys


def test_a_closed_pipe_keeps_the_exit_status() -> None:
    read, write = os.pipe()
    os.close(read)
    arguments = [sys.executable, "-m", "scrutator", "check", "two-phase-commit", "--engine", "python"]
    done = subprocess.run(arguments, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")
