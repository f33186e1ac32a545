"""What is being worked on: lines where nobody looks on, a live line on a terminal, nothing for quick work."""

from __future__ import annotations

import io
import time

from scrutator.checker.report.elapsed import Elapsed


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Closed(io.StringIO):
    def write(self, text):
        raise BrokenPipeError


def wait_for(condition):
    end = time.monotonic() + 20
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    assert condition()


def test_quick_work_is_not_told():
    for file in (io.StringIO(), Terminal()):
        with Elapsed(file) as show:
            show("reading run.jsonl")
        assert file.getvalue() == ""


def test_lines():
    file = io.StringIO()
    with Elapsed(file, plain_period_s=0.01) as show:
        show("reading \x1b[31mrun.jsonl")
        wait_for(lambda: "reading" in file.getvalue())
        show("checking")
        wait_for(lambda: "checking: 0.0" in file.getvalue())
    assert "reading \\x1b[31mrun.jsonl: 0.0" in file.getvalue()


def test_a_live_line():
    file = Terminal()
    with Elapsed(file) as show:
        show("checking run.jsonl")
        wait_for(lambda: "checking run.jsonl" in file.getvalue())
    assert file.getvalue().endswith("\x1b[2K")  # and is gone at the end


def test_a_closed_pipe_ends_no_work():
    with Elapsed(Closed(), plain_period_s=0.001) as show:
        show("checking")
        time.sleep(0.02)
