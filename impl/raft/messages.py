"""What Raft servers say to each other, and what they keep: messages, entries, snapshots.

Law: values that survive the wire and the disk unchanged.  Figure 2 of "In search of an understandable
consensus algorithm (extended version)", Ongaro and Ousterhout, 2014, with what a real system adds:
pre-vote, conflict hints, rounds that confirm a leader, snapshots in chunks, and reads by index.
"""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

from scrutator.impl.raft.configuration import Configuration


class Kind(Enum):
    """What an entry is for."""

    COMMAND = "command"
    NOOP = "noop"  # a new leader's first entry (section 8)
    CONFIGURATION = "configuration"


class Entry(Struct, frozen=True, array_like=True):
    """An entry of the log; positions count from 1."""

    term: int
    index: int
    kind: Kind = Kind.COMMAND
    data: bytes = b""
    configuration: Configuration | None = None


class Snapshot(Struct, frozen=True):
    """What replaces the log up to ``index``: the state machine's bytes, and the configuration then."""

    index: int
    term: int
    configuration: Configuration
    data: bytes


class Message(Struct, frozen=True, tag=True):
    """From one server to another; ``term`` is the sender's, unless the message says otherwise."""

    src: str
    dst: str
    term: int


class RequestVote(Message, frozen=True):
    """Ask for a vote.  With ``pre``, ask whether it would be given in ``term``, the sender's next.

    ``transfer``: the leader told the sender to stand, so that its lease is no reason to refuse.
    """

    last_index: int
    last_term: int
    pre: bool = False
    transfer: bool = False


class Vote(Message, frozen=True):
    """The answer; a refusal of a pre-vote carries the voter's own term."""

    granted: bool
    pre: bool = False


class AppendEntries(Message, frozen=True):
    """Entries after ``prev_index``, none for a heartbeat.  ``round`` is echoed, and confirms the leader."""

    prev_index: int
    prev_term: int
    entries: tuple[Entry, ...]
    commit: int
    round: int


class Appended(Message, frozen=True):
    """The answer: the log agrees with the leader's up to ``match``; or, refused, where it might.

    A refusal hints: the sender's log has ``hint_term`` from ``hint_index`` on, or ends before it (0).
    """

    match: int
    round: int
    refused: int | None = None  # the prev_index that did not fit
    hint_index: int = 0
    hint_term: int = 0


class InstallSnapshot(Message, frozen=True):
    """A piece of a snapshot, from ``offset`` on; ``size`` is that of the whole."""

    index: int
    last_term: int
    configuration: Configuration
    offset: int
    data: bytes
    size: int
    round: int


class Installing(Message, frozen=True):
    """The answer to a piece that is not the last: the sender holds ``offset`` bytes of that snapshot."""

    index: int
    offset: int
    round: int


class TimeoutNow(Message, frozen=True):
    """The leader hands over: stand for election at once (section 3.10 of Ongaro's dissertation)."""


class ReadRequest(Message, frozen=True):
    """A follower asks the leader for an index to read at."""

    number: int


class ReadReply(Message, frozen=True):
    """Read once ``index`` is applied; None: the sender cannot tell, ask again."""

    number: int
    index: int | None


AnyMessage = (
    RequestVote | Vote | AppendEntries | Appended | InstallSnapshot | Installing | TimeoutNow | ReadRequest | ReadReply
)
