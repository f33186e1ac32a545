"""What happens on the stage: messages, events for diagrams, and what clients called.

The law: these are values that say what was; nobody acts on an event.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

Value = str | bool | None
Happening = Literal["send", "receive", "crash", "restart", "cut", "mend", "call", "return", "give up", "note"]


class Message:
    """What actors send: frozen dataclasses, one a kind of message.  As text, a kind and what it says."""

    __slots__ = ()

    def __str__(self) -> str:
        said = [value for value in (getattr(self, f.name) for f in fields(self)) if value is not None]  # type: ignore[arg-type]
        return " ".join([_words(type(self).__name__), *map(str, said)])


def _words(name: str) -> str:
    """``SoldTo`` as ``sold to``."""
    return "".join(f" {c.lower()}" if c.isupper() else c for c in name).strip()


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to an actor, for diagrams.

    ``peer`` is the other end of a message or of a line that is cut; ``letter`` numbers messages, so that a
    ``send`` and its ``receive`` are told together; a ``send`` without one was lost.  ``what`` is the message,
    or the operation (method, argument, result), or what the actor notes: its kind, then the details.
    """

    at_us: int
    kind: Happening
    actor: str
    what: Message | tuple[object, ...] = ()
    peer: str | None = None
    letter: int | None = None

    @property
    def text(self) -> str:
        return str(self.what) if isinstance(self.what, Message) else " ".join(str(part) for part in self.what if part is not None)


@dataclass(slots=True)
class Operation:
    """What a client called and what came of it; ``returned_us`` is None if it is pending."""

    process: int
    client: str
    method: str
    argument: str | None
    called_us: int
    result: Value = None
    returned_us: int | None = None
