"""What is being worked on, and for how long: one live line on a terminal, plain lines elsewhere.

Law: it goes to the stream it is given (standard error), tells nothing of work that takes
no time, and never fails the work.
"""

from __future__ import annotations

import contextlib
import threading
import time
from types import TracebackType
from typing import TextIO

from rich.live import Live
from rich.text import Text

from scrutator.checker.report.clean import clean
from scrutator.checker.report.layout import console_for, duration

PLAIN_PERIOD_S = 5.0
LIVE_PERIOD_S = 0.25


class Elapsed:
    """Shows what is going on: ``with Elapsed(sys.stderr) as show: show("reading run.jsonl"); ...``."""

    def __init__(self, file: TextIO, plain_period_s: float = PLAIN_PERIOD_S) -> None:
        self._file = file
        self._what, self._began = "", time.monotonic()
        self._done = threading.Event()
        self._live: Live | None = None
        if file.isatty():
            self._live = Live(Text(), console=console_for(file), transient=True, auto_refresh=False, redirect_stdout=False)
        self._period_s = plain_period_s if self._live is None else LIVE_PERIOD_S
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __call__(self, what: str, *, goes_on: bool = False) -> None:
        """From now on this is being done; if it ``goes_on``, since when what was said before was."""
        self._what = clean(what)
        if not goes_on:
            self._began = time.monotonic()

    def __enter__(self) -> Elapsed:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, place: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    def _work(self) -> None:
        shown = False
        while not self._done.wait(self._period_s):
            with contextlib.suppress(OSError):  # a closed pipe must not end the work
                line = f"{self._what}: {duration(time.monotonic() - self._began)}"
                if self._live is None:
                    print(line, file=self._file, flush=True)
                else:
                    if not shown:
                        self._live.start()
                        shown = True
                    self._live.update(Text(line, no_wrap=True, overflow="ellipsis"), refresh=True)
        if shown and self._live is not None:
            with contextlib.suppress(OSError):
                self._live.stop()
