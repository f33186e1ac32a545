"""How far a check has come: one live line on a terminal, plain lines elsewhere.

Law: progress goes to the stream it is given (standard error), at most one plain line
every few seconds, and never fails the check.  Knows no engine: whoever explores passes a
`Progress` as often as it likes.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from types import TracebackType
from typing import TextIO

from rich.live import Live
from rich.text import Text

from scrutator.checker.explore.options import Progress
from scrutator.checker.report.clean import clean
from scrutator.checker.report.layout import console_for, duration, rate, size

PLAIN_PERIOD_S = 5.0
LIVE_PERIOD_S = 0.1


class ProgressLine:
    """Shows a running check's progress: ``with ProgressLine(sys.stderr, name) as show: check(..., progress=show)``."""

    def __init__(self, file: TextIO, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._file, self._name, self._clock = file, clean(name), clock
        self._shown_at = clock()
        self._before: tuple[float, int] = (0.0, 0)
        self._rate = 0.0
        self._live: Live | None = None
        if file.isatty():
            console = console_for(file)
            self._live = Live(
                Text(), console=console, transient=True, auto_refresh=False, redirect_stdout=False
            )

    def __enter__(self) -> ProgressLine:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, place: TracebackType | None
    ) -> None:
        if self._live is not None:
            with contextlib.suppress(OSError):
                self._live.stop()

    def __call__(self, progress: Progress) -> None:
        """Show it, unless what is shown is still fresh."""
        now = self._clock()
        period = PLAIN_PERIOD_S if self._live is None else LIVE_PERIOD_S
        if now - self._shown_at < period:
            return
        self._shown_at = now
        line = self.line(progress)
        with contextlib.suppress(OSError):  # a closed pipe must not end the check
            if self._live is None:
                print(line, file=self._file, flush=True)
            else:
                self._live.update(Text(line, no_wrap=True, overflow="ellipsis"), refresh=True)

    def line(self, progress: Progress) -> str:
        """It in words; its rate is that since the previous line."""
        seconds, distinct = self._before
        if progress.seconds > seconds:
            self._rate = (progress.distinct - distinct) / (progress.seconds - seconds)
            self._before = (progress.seconds, progress.distinct)
        return (
            f"{self._name}: {progress.distinct:,} states, {rate(max(self._rate, 0))}/s, depth {progress.depth}, "
            f"frontier {progress.frontier:,}, {size(progress.memory_bytes)}, {duration(progress.seconds)}"
        )
