"""Actors: nodes, operators and clients, which share nothing and speak by messages alone.

The law: a crash takes everything from an actor but what it declares durable; what it sent may be lost with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, ClassVar, TypeVar

from scrutator.impl.ladder.happening import Message
from scrutator.impl.sim.world import MILLISECOND

if TYPE_CHECKING:
    from scrutator.impl.ladder.stage import Stage

T = TypeVar("T")


class Actor:
    """A node, an operator, a client: it acts when a message or a timer comes.

    ``start`` sets what is in memory, at the beginning and after every crash.  Attributes named by ``durable``
    are on disk: their values at the beginning stand in the class, and are immutable.
    """

    durable: ClassVar[tuple[str, ...]] = ()

    def __init__(self, stage: Stage, name: str) -> None:
        self.stage, self.name, self.variant = stage, name, stage.variant
        self.up = True
        self.life = 0  # how often it has crashed
        self.handled = 0  # messages and timers
        stage.add(self)

    def begin(self) -> None:
        """Start for the first time; what was set until now is how the actor was configured, and stays."""
        self.configured: frozenset[str] = frozenset()
        self.configured = frozenset(vars(self))
        self.start()

    def start(self) -> None:
        """Set what is in memory."""

    def receive(self, src: str, message: Message) -> None:
        """Handle a message."""
        raise NotImplementedError

    # --- what an actor may do ---------------------------------------------------------------

    def send(self, dst: str, message: Message) -> None:
        """Send a message, which may be late, lost or doubled."""
        self.stage.send(self.name, dst, message)

    def send_all(self, dsts: Iterable[str], message: Message) -> None:
        """Send a message to each of them."""
        for dst in dsts:
            self.stage.send(self.name, dst, message)

    def after(self, ms: float, do: Callable[[T], None], argument: T) -> None:
        """Have ``do(argument)`` called in so many milliseconds, unless a crash comes first."""
        self.stage.world.after(int(ms * MILLISECOND), self._wake, (self.life, do, argument))

    def note(self, *what: object) -> None:
        """Put on record what others cannot see in messages: a decision, a vote."""
        self.stage.record("note", self.name, what)
        self.stage.noted(self, what[0])

    def is_mutant(self, name: str) -> bool:
        """Whether this variant has that mistake."""
        return self.variant.mutant == name

    # --- crashes ----------------------------------------------------------------------------

    def crash(self) -> None:
        """Lose all that is not durable."""
        self.up = False
        self.life += 1
        kept = self.configured.union(self.durable)
        for attribute in [a for a in vars(self) if a not in kept]:
            delattr(self, attribute)
        self.stage.record("crash", self.name)

    def restart(self) -> None:
        """Begin again with what is durable."""
        self.up = True
        self.stage.record("restart", self.name)
        self.start()

    def _wake(self, timer: tuple[int, Callable[[T], None], T]) -> None:
        life, do, argument = timer
        if self.up and life == self.life:
            do(argument)
            self.stage.acted(self)
