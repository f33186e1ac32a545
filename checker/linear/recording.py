"""Record what clients of your own system call and get back, while your tests run.

    with record("run.jsonl", object="kv") as recorder:
        ...
        with recorder.call("put", 1, key="x") as call:
            call.returns(client.put("x", 1))

Each operation is written when it ends, in our own format, so that a recording whose
program was killed can be read, and one that grows can be followed.  The law: what the
file says happened was observed.  An operation of which nobody knows whether it took
effect is written as pending, and the process that called it is used no more.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, TypeVar

from scrutator.checker.linear.builder import Builder
from scrutator.checker.linear.formats.lines_write import header_line, operation_line
from scrutator.checker.linear.history import NEVER, History, Value
from scrutator.checker.linear.values import frozen

T = TypeVar("T")


class Recorder:
    """Notes calls and returns of many threads or tasks; each is a process.

    ``object`` names the object for whoever reads the recording, and ``metadata`` says
    whatever else they should know.  Without a path, operations are kept in memory only.
    """

    def __init__(
        self, path: str | Path | None = None, *, object: str | None = None,
        metadata: dict[str, Value] | None = None, clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:  # fmt: skip
        self.path = path
        self.clock = clock
        self._metadata = {**({} if object is None else {"object": object}), **(metadata or {})}
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._processes: dict[Hashable, int] = {}  # a thread's or a task's number
        self._open: dict[Hashable, Call] = {}
        self._ended: list[tuple[Call, int, Value]] = []
        self._file: BinaryIO | None = None
        header = header_line(self._metadata, has_clock=True)
        if path is not None:
            self._file = open(path, "wb")  # noqa: SIM115
            self._write(header)

    def call(self, method: str, argument: object = None, *, key: object = None, keyed: bool | None = None) -> Call:
        """An operation to be called: ``with recorder.call(...) as call: ...``.

        ``keyed`` says whether the operation has a key; None: if it is not None.  Raises
        TypeError where a recording cannot hold the argument or the key.
        """
        keyed = key is not None if keyed is None else keyed
        try:
            return Call(self, method, frozen(argument), frozen(key), keyed)
        except TypeError as error:
            raise TypeError(f"{method}: {error}") from None

    def history(self) -> History:
        """What has ended so far, and what is under way as pending."""
        with self._lock:
            ended, under_way = list(self._ended), list(self._open.values())
        builder = Builder(str(self.path or "recording"), has_clock=True)
        builder.metadata.update(self._metadata)
        rows = [*ended, *((call, NEVER, None) for call in under_way)]
        for line, (call, returned, result) in enumerate(rows, 2):
            builder.add(
                line, call.process, call.method, call.argument, call.called, returned, result,
                key=call.key, keyed=call.keyed, pending=returned == NEVER,
            )  # fmt: skip
        return builder.history()

    def close(self) -> None:
        """Write what is under way as pending, and close the file."""
        with self._lock:
            for call in self._open.values():
                self._end(call, NEVER, None)
            self._open.clear()
            if self._file is not None:
                self._file.close()
                self._file = None

    # --- of a call --------------------------------------------------------------------

    def _begin(self, call: Call) -> None:
        who = _who()
        with self._lock:
            if who in self._open:
                raise RuntimeError(f"{call.method} is called while {self._open[who].method} is under way in the same thread or task")
            if who not in self._processes:
                self._processes[who] = next(self._numbers)
            call.who, call.process = who, self._processes[who]
            self._open[who] = call
            call.called = self.clock()

    def _finish(self, call: Call, returned: int, result: Value, *, dropped: bool) -> None:
        with self._lock:
            if self._open.pop(call.who, None) is None:
                return  # closed meanwhile
            if returned == NEVER:
                del self._processes[call.who]
            if not dropped:
                self._end(call, returned, result)

    def _end(self, call: Call, returned: int, result: Value) -> None:
        self._ended.append((call, returned, result))
        key = (call.key,) if call.keyed else ()
        self._write(operation_line(call.process, call.method, key, call.argument, result, call.called, returned))

    def _write(self, line: bytes) -> None:
        if self._file is not None:
            self._file.write(line)
            self._file.flush()


class Call:
    """One operation.  Say how it ended before leaving the block; an exception means that nobody knows."""

    def __init__(self, recorder: Recorder, method: str, argument: Value, key: Value, keyed: bool) -> None:
        self.method, self.argument, self.key, self.keyed = method, argument, key, keyed
        self.who: Hashable = None
        self.process = -1
        self.called = 0
        self._recorder = recorder
        self._returned: int | None = None
        self._result: Value = None
        self._dropped = False

    def returns(self, result: T) -> T:
        """It took effect and returned this, now; gives the result back."""
        try:
            self._result = frozen(result)
        except TypeError as error:
            raise TypeError(f"{self.method} returned what a recording cannot hold: {error}") from None
        self._returned = self._recorder.clock()
        return result

    def fails(self) -> None:
        """It certainly did not take effect: it is not in the recording."""
        self._dropped = True

    def unknown(self) -> None:
        """Nobody knows whether it takes effect, or when."""
        self._returned = NEVER

    def __enter__(self) -> Call:
        self._recorder._begin(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, place: TracebackType | None
    ) -> None:
        recorder = self._recorder
        if self._dropped:
            recorder._finish(self, 0, None, dropped=True)
        elif self._returned is not None and self._returned != NEVER:
            recorder._finish(self, self._returned, self._result, dropped=False)
        elif kind is None and self._returned is None:  # nothing was returned
            recorder._finish(self, recorder.clock(), None, dropped=False)
        else:
            recorder._finish(self, NEVER, None, dropped=False)


@contextmanager
def record(path: str | Path | None = None, *, object: str | None = None, metadata: dict[str, Value] | None = None) -> Iterator[Recorder]:
    """A `Recorder` that is closed at the end."""
    recorder = Recorder(path, object=object, metadata=metadata)
    try:
        yield recorder
    finally:
        recorder.close()


def _who() -> Hashable:
    """The task, or else the thread, that runs."""
    try:
        task = asyncio.current_task()
    except RuntimeError:
        task = None
    return task if task is not None else threading.get_ident()
