"""Clients: actors that call operations one after the other, and whose view is the history.

The law: the history says only what clients saw.  A client that is not answered asks again and in the end
gives up; nobody knows whether such an operation took effect, so it is pending, as is one whose client crashed.
"""

from __future__ import annotations

from typing import ClassVar

from scrutator.impl.ladder.actor import Actor
from scrutator.impl.ladder.happening import Operation, Value

LAST_ATTEMPTS = 5

Wish = tuple[str, str | None]  # method and argument


class Client(Actor):
    """Calls what ``wishes`` says, and in the end ``last_wish`` once more; subclasses say how to ``ask``."""

    attempt_ms: ClassVar[int] = 60
    attempts_max: ClassVar[int] = 8
    pause_ms: ClassVar[int] = 1  # between two operations, at most

    def start(self) -> None:
        self.operation: Operation | None = None
        self.attempt = 0  # of all its operations: the number of this one
        self.attempts_left = self.attempts_max  # for each operation
        self._calls = 0
        self._asked = 0  # for this operation
        self._process: int | None = None
        self._todo = self.wishes()
        self.after(self.stage.tape.draw(40) ** 2 / 10, self._next, None)

    # --- what subclasses say ----------------------------------------------------------------

    def wishes(self) -> list[Wish]:
        """What to call, one after the other."""
        return [self.last_wish()]

    def last_wish(self) -> Wish:
        """What to call in the end, when nothing fails any more."""
        raise NotImplementedError

    def ask(self, operation: Operation) -> None:
        """Try to get an answer: the first time, and whenever none came in time."""
        raise NotImplementedError

    def gave_up(self) -> None:
        """The operation was given up."""

    # --- operations -------------------------------------------------------------------------

    @property
    def is_idle(self) -> bool:
        return self.operation is None

    def call(self, wish: Wish) -> None:
        """Begin an operation; one under way is given up."""
        self.give_up()
        if self._process is None:
            self._process = self.stage.process()
        method, argument = wish
        operation = Operation(self._process, self.name, method, argument, self.stage.world.now)
        self._calls, self._asked = self._calls + 1, 0
        self.operation = operation
        self.stage.operations.append(operation)
        self.stage.record("call", self.name, (method, argument))
        self._attempt(self._calls)

    def answer(self, result: Value) -> None:
        """The operation returns."""
        operation = self.operation
        assert operation is not None, f"{self.name} was answered and had asked nothing"
        operation.result, operation.returned_us = result, self.stage.world.now
        self.operation = None
        self.stage.record("return", self.name, (operation.method, operation.argument, result))
        self.after(1 + self.stage.tape.draw(self.pause_ms), self._next, None)

    def give_up(self) -> None:
        """Nobody will know whether the operation took effect; what follows is another process."""
        if self.operation is not None:
            self.stage.record("give up", self.name, (self.operation.method, self.operation.argument))
            self.operation = self._process = None
            self.gave_up()

    def again(self) -> None:
        """Ask again now, as an attempt of its own."""
        self._attempt(self._calls)

    def retire(self) -> None:
        """Call nothing more of its own accord, and be content with a few attempts: nothing fails any more."""
        self._todo = []
        self.attempts_left = LAST_ATTEMPTS
        self.give_up()

    def _attempt(self, call: int) -> None:
        if self.operation is None or call != self._calls:
            return
        if self._asked >= self.attempts_left:
            self.give_up()
            self._next(None)
            return
        self._asked += 1
        self.attempt += 1
        self.after(self.attempt_ms, self._time_out, (call, self.attempt))
        self.ask(self.operation)

    def _time_out(self, which: tuple[int, int]) -> None:
        call, attempt = which
        if attempt == self.attempt:
            self._attempt(call)

    def _next(self, _: None) -> None:
        if self._todo and self.is_idle:
            self.call(self._todo.pop(0))
