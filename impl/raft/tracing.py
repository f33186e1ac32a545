"""What a server did, for a checker to read: one record an event, with everything that changed.

The words are those of the model (`model/raft.py`): timeout, receive_request_vote, receive_vote,
client_request, receive_append_entries, receive_stored, receive_refused; what the model leaves out has
words of its own.  Law: a record is an atomic snapshot of the server after the event, so that a trace
needs no search to be checked; it holds whom an entry is (index, term and a digest), never only how many.
"""

from __future__ import annotations

from zlib import crc32

from msgspec import Struct

from scrutator.impl.raft.events import (
    Change,
    Compact,
    ElectionTimeout,
    Event,
    HeartbeatTimeout,
    Leave,
    Output,
    Propose,
    Read,
    Received,
    Transfer,
)
from scrutator.impl.raft.messages import (
    AnyMessage,
    Appended,
    AppendEntries,
    Entry,
    Installing,
    InstallSnapshot,
    ReadReply,
    ReadRequest,
    RequestVote,
    TimeoutNow,
    Vote,
)
from scrutator.impl.raft.state import State


class EntryId(Struct, frozen=True, array_like=True):
    """Which entry it is."""

    index: int
    term: int
    digest: int  # of kind and data


class Trace(Struct, frozen=True):
    """An event and the state that it left; ``sent`` are (word, receiver) of the messages it caused."""

    server: str
    word: str
    src: str | None  # of the message that arrived
    message_term: int | None
    term: int
    vote: str | None
    role: str
    leader: str | None
    commit: int
    last_index: int
    last_term: int
    base: int  # the position up to which a snapshot replaced the log
    configured_at: int
    truncated: int | None  # entries from here on were dropped
    appended: tuple[EntryId, ...]
    applied: tuple[EntryId, ...]
    sent: tuple[tuple[str, str], ...]
    reads: tuple[tuple[int, int], ...]


_EVENTS: dict[type, str] = {
    ElectionTimeout: "timeout",
    HeartbeatTimeout: "heartbeat",
    Propose: "client_request",
    Read: "read",
    Change: "change_configuration",
    Leave: "leave_configuration",
    Transfer: "hand_over",
    Compact: "compact",
}
_MESSAGES: dict[type, str] = {
    RequestVote: "request_vote",
    Vote: "vote",
    AppendEntries: "append_entries",
    Appended: "stored",
    InstallSnapshot: "install_snapshot",
    Installing: "installing",
    TimeoutNow: "timeout_now",
    ReadRequest: "read_request",
    ReadReply: "read_reply",
}


def word_of(m: AnyMessage) -> str:
    """The model's word for sending this message; refusals and pre-votes are told apart."""
    word = _MESSAGES[type(m)]
    if isinstance(m, (RequestVote, Vote)) and m.pre:
        word = f"pre_{word}"
    if (isinstance(m, Appended) and m.refused is not None) or (isinstance(m, Vote) and not m.granted):
        word = f"{word}_refused" if isinstance(m, Vote) else "refused"
    return word


def trace_of(server: State, event: Event, out: Output) -> Trace:
    """The record of an event that was just carried out."""
    message = event.message if isinstance(event, Received) else None
    word = _EVENTS.get(type(event)) or f"receive_{word_of(message)}"  # type: ignore[arg-type]
    return Trace(
        server=server.id,
        word=word,
        src=None if message is None else message.src,
        message_term=None if message is None else message.term,
        term=server.term,
        vote=server.vote,
        role=server.role.value,
        leader=server.leader,
        commit=server.commit,
        last_index=server.log.last,
        last_term=server.log.last_term,
        base=server.log.base,
        configured_at=server.log.configured_at,
        truncated=out.persist.truncate,
        appended=tuple(map(_identity, out.persist.entries)),
        applied=tuple(map(_identity, out.apply)),
        sent=tuple((word_of(m), m.dst) for m in (*out.send, *out.send_durable)),
        reads=tuple(out.reads),
    )


def _identity(entry: Entry) -> EntryId:
    return EntryId(entry.index, entry.term, crc32(entry.data, crc32(entry.kind.value.encode())))
