"""What a system under test is: something that runs as several nodes, can be broken, and has clients.

An adapter is a class with these methods; `targets/` has those that come with Scrutator, docs/recording.md
shows how to write one.  The law of a client: it never claims to know more than it was told.  An operation
that certainly did not and will not take effect raises `Refused`; any other error is `Unknown`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol


class Refused(Exception):
    """The operation did not happen, and never will."""


class Unknown(Exception):
    """Nobody can tell whether the operation happened, or will."""


class TargetError(Exception):
    """The system under test cannot be used as asked; the message says why and what to do."""


class Client(Protocol):
    """One client, connected to one node or to all, with one operation at a time.

    A client has those of the methods that its `Target.operations` names.  Keys and values are texts.  Every
    method raises `Refused` or `Unknown`; whoever calls it gives it a time limit and cancels it, which counts
    as unknown.
    """

    async def get(self, key: str) -> str | None: ...
    async def put(self, key: str, value: str) -> None: ...
    async def append(self, key: str, value: str) -> None: ...
    async def cas(self, key: str, expected: str | None, value: str) -> bool: ...
    async def delete(self, key: str) -> bool: ...
    async def incr(self, key: str) -> int: ...
    async def sadd(self, key: str, value: str) -> None: ...
    async def smembers(self, key: str) -> list[str]: ...
    async def rpush(self, key: str, value: str) -> None: ...
    async def lpop(self, key: str) -> str | None: ...
    async def close(self) -> None: ...


class Target(Protocol):
    """A cluster of a system.

    A target may have one method more, ``problems() -> list[str]``: which nodes ended though nobody asked them to, and
    why.  It is asked again and again while a run lasts, and what it says is in the report.

    ``operations`` are names of `Client`'s methods, ``faults`` of kill, pause, partition, clock: what
    this target can do.  A node is named by one of ``nodes``, known after `start`.
    """

    name: str
    nodes: Sequence[str]
    operations: frozenset[str]
    faults: frozenset[str]

    async def start(self, folder: Path, nodes: int, seed: int) -> None:
        """Start so many nodes with their data and logs under the folder; return once they serve.  Raises `TargetError`."""

    async def stop(self) -> None:
        """End every process; also after a `start` that failed.  Data and logs stay."""

    def versions(self) -> Mapping[str, str]:
        """What runs: names of programs and their versions."""

    def configuration(self) -> Mapping[str, str | int | float | bool]:
        """How it is configured, for the record."""

    async def leader(self) -> str | None:
        """The node that leads as far as one can tell, for faults that aim at it."""

    async def kill(self, node: str) -> None:
        """End the node's process at once (kill -9)."""

    async def restart(self, node: str) -> None:
        """Start a killed node again on what it left."""

    async def pause(self, node: str) -> None:
        """Stop the node's process where it stands (SIGSTOP)."""

    async def resume(self, node: str) -> None:
        """Let it go on (SIGCONT)."""

    async def partition(self, cut: frozenset[tuple[str, str]]) -> None:
        """Let no message pass from a to b for each (a, b) of ``cut``; the empty set heals all."""

    async def clock(self, node: str, offset_s: float, rate: float) -> None:
        """Let the node's clock jump by so many seconds, and run at that rate from now on."""

    def connect(self, node: str | None, number: int) -> Client:
        """A client that speaks to this node, or, with None, to whichever it likes; ``number`` is its own."""
