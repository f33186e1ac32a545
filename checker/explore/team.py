"""Worker threads that do one task together at a time.

The law: `run` returns only when every worker has finished its share, whatever happened,
so that the caller may free what they used.  Python's lock is released inside compiled
code, which is where the workers spend their time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue
from types import TracebackType

Task = Callable[[int], None]


class Team:
    """So many workers, of which number 0 is the caller itself."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._tasks: list[SimpleQueue[Task | None]] = [SimpleQueue() for _ in range(workers - 1)]
        self._done: SimpleQueue[BaseException | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._serve, args=(k + 1, tasks), name=f"explore-{k + 1}", daemon=True)
            for k, tasks in enumerate(self._tasks)
        ]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Team:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        for tasks in self._tasks:
            tasks.put(None)
        for thread in self._threads:
            thread.join()

    def run(self, task: Task) -> None:
        """Call ``task(worker)`` for every worker; raises what the first failing one raised."""
        for tasks in self._tasks:
            tasks.put(task)
        failure: BaseException | None = None
        try:
            task(0)
        except BaseException as error:
            failure = error
        for _ in self._tasks:
            failure = self._done.get() or failure
        if failure is not None:
            raise failure

    def _serve(self, worker: int, tasks: SimpleQueue[Task | None]) -> None:
        while (task := tasks.get()) is not None:
            try:
                task(worker)
            except BaseException as error:
                self._done.put(error)
            else:
                self._done.put(None)
