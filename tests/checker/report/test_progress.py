"""The progress line: rare where it is logged, live on a terminal, never fatal."""

from __future__ import annotations

import io

from scrutator.checker.explore.options import Progress
from scrutator.checker.report.progress import ProgressLine


def snapshot(seconds, distinct=1_000_000):
    return Progress(
        distinct=distinct,
        generated=3 * distinct,
        depth=12,
        frontier=34_567,
        memory_bytes=2**29,
        seconds=seconds,
    )


def test_plain_lines_come_every_five_seconds():
    now = [0.0]
    file = io.StringIO()
    with ProgressLine(file, "raft", clock=lambda: now[0]) as progress:
        for tick in range(1, 121):
            now[0] = tick / 10
            progress(snapshot(now[0], 100_000 * tick))
    first, second = file.getvalue().splitlines()
    assert first == "raft: 5,000,000 states, 1.00 M/s, depth 12, frontier 34,567, 512 MiB, 5.00 s"
    assert second.startswith("raft: 10,000,000 states, 1.00 M/s")


def test_a_terminal_gets_one_live_line():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    now = [0.0]
    file = Terminal()
    with ProgressLine(file, "ra\x1bft", clock=lambda: now[0]) as progress:
        now[0] = 1.0
        progress(snapshot(1.0))
    assert "ra\\x1bft: 1,000,000 states" in file.getvalue()
    assert "\x1b[2K" in file.getvalue(), "the line is erased at the end"


def test_a_closed_stream_does_not_end_the_check():
    class Closed(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    now = [0.0]
    with ProgressLine(Closed(), "raft", clock=lambda: now[0]) as progress:
        now[0] = 10.0
        progress(snapshot(10.0))


def test_the_rate_is_never_negative_or_a_division_by_zero():
    progress = ProgressLine(io.StringIO(), "raft")
    assert " 0/s" in progress.line(snapshot(0.0))
    assert " 0/s" in progress.line(snapshot(1.0, 0))
