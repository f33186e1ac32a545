"""Requests under way at a node, and how they end.

Law: a request ends once, and an outcome claims no more than is known.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from scrutator.impl.machine import Command, Reply


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a request ended: with a ``reply``; or ``why`` not, which if ``unknown`` may still be wrong.

    Unless unknown, what has no reply did not happen and never will; ``leader`` may know more.
    """

    reply: Reply | None
    why: str = ""
    leader: str | None = None
    unknown: bool = False


Done = Callable[[Outcome], None]


class Kind(Enum):
    """Who asks, and for what."""

    WRITE = "write"  # a client, for an entry of the log
    READ = "read"  # a client, for what is there
    FORWARDED = "forwarded"  # another node, for an entry of the log
    OPERATION = "operation"  # an operator, for other members


@dataclass(slots=True)
class Request:
    """One request; ``due_s`` is of the event loop's clock, ``in_doubt`` says that it may have been carried out."""

    kind: Kind
    command: Command | None
    done: Done
    due_s: float
    data: bytes = b""  # the command as it goes into the log
    in_doubt: bool = False
