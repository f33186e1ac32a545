"""Why an exploration ends early: a limit, or Ctrl-C.

The first Ctrl-C only raises a flag that workers look at between parts, so that nothing is
left half done and the result says what was found until then; a second one interrupts.
"""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType, TracebackType


class Stopper:
    """Asked often whether to go on; remembers why not.

    A context manager: inside, the first Ctrl-C sets ``limit`` to "interrupted".
    """

    def __init__(self, timeout_s: float | None) -> None:
        self._deadline = None if timeout_s is None else time.monotonic() + timeout_s
        self._previous: object = None
        self.limit: str | None = None

    def stop(self) -> bool:
        """Whether to end as soon as possible."""
        if self.limit is None and self._deadline is not None and time.monotonic() >= self._deadline:
            self.limit = "time"
        return self.limit is not None

    def __enter__(self) -> Stopper:
        main = threading.current_thread() is threading.main_thread()
        if main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            self._previous = signal.signal(signal.SIGINT, self._interrupt)
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        if self.limit == "interrupted":
            raise KeyboardInterrupt
        self.limit = "interrupted"
