"""What happens to a Raft server, and what it wants done: the whole of the core's contact with the world.

The host (a simulator, a process) calls `Raft.step` with an event and its own clock, and carries out the
`Output`, in this order: `send` at once; `persist`, then `send_durable`; `restore`, `apply`, `reads`.
Outputs are carried out in the order they were given, so that `send_durable` also waits for everything
persisted before.  Messages to the server itself are delivered back to it like any other.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from msgspec import Struct

from scrutator.impl.raft.configuration import Configuration
from scrutator.impl.raft.messages import AnyMessage, Entry, Snapshot


class ElectionTimeout(Struct, frozen=True):
    """The election timer ran out: the host draws its length anew each time it is restarted."""


class HeartbeatTimeout(Struct, frozen=True):
    """The heartbeat timer ran out; the core expects it at a fixed interval while the server leads."""


class Received(Struct, frozen=True):
    """A message arrived."""

    message: AnyMessage


class Propose(Struct, frozen=True):
    """Clients ask for commands; ``number`` comes back in `Output.proposed` or `Output.refused`."""

    number: int
    data: bytes


class Read(Struct, frozen=True):
    """A client asks to read; ``number`` comes back in `Output.reads` or `Output.refused`.

    The host uses no number twice, not after a restart either: an answer to its former life may still arrive.
    With ``lease``, the leader answers from its lease while it has one; otherwise it makes sure with a
    round of messages that it still leads (ReadIndex).
    """

    number: int
    lease: bool = False


class Change(Struct, frozen=True):
    """Change the configuration: by joint consensus, or, for one voter at most, in a single step.

    Without ``auto_leave`` the configuration stays joint until `Leave`.
    """

    number: int
    configuration: Configuration
    single: bool = False
    auto_leave: bool = True


class Leave(Struct, frozen=True):
    """Leave a committed joint configuration that does not leave by itself."""

    number: int


class Transfer(Struct, frozen=True):
    """Hand leadership to another voter."""

    to: str


class Compact(Struct, frozen=True):
    """The state machine's snapshot at an applied index: the log before may go."""

    index: int
    data: bytes


Event = ElectionTimeout | HeartbeatTimeout | Received | Propose | Read | Change | Leave | Transfer | Compact


@dataclass(slots=True)
class Persist:
    """What must be durable, together, before `Output.send_durable` goes out.

    ``entries`` replace everything from the first one's index on; ``truncate`` without entries drops
    everything from that index on.  A ``snapshot`` comes first and replaces the log up to its index;
    ``reset`` says that nothing of the old log stays behind it.
    """

    term: int | None = None  # with vote: both changed or neither
    vote: str | None = None
    snapshot: Snapshot | None = None
    reset: bool = False
    truncate: int | None = None
    entries: list[Entry] = field(default_factory=list)

    def __bool__(self) -> bool:
        return self.term is not None or self.snapshot is not None or self.truncate is not None or bool(self.entries)


@dataclass(slots=True)
class Output:
    """What the host is to do; see the module for the order."""

    send: list[AnyMessage] = field(default_factory=list)
    persist: Persist = field(default_factory=Persist)
    send_durable: list[AnyMessage] = field(default_factory=list)
    restore: Snapshot | None = None  # replaces the state machine
    apply: list[Entry] = field(default_factory=list)  # committed, in order, each once
    reads: list[tuple[int, int]] = field(default_factory=list)  # (number, index): answer once that is applied
    proposed: list[tuple[int, int, int]] = field(default_factory=list)  # (number, index, term)
    refused: list[tuple[int, str | None, str]] = field(default_factory=list)  # (number, leader if known, why)
    restart_election_timer: bool = False
    heartbeat_timer: bool | None = None  # True: start it, False: stop it
