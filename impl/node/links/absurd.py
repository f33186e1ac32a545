"""Messages that no right node sends, though they can be decoded: told apart before the core sees them.

Law: whatever passes makes the core, the store and the state machine fail in no way and grow no further than the
limits say; and every message of a right node passes.  What a liar says within these bounds is believed: Raft
does not defend against nodes that lie, and without TLS whoever reaches the port can claim to be one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from scrutator.impl.machine import Image, image_of
from scrutator.impl.node.config import Limits
from scrutator.impl.node.log import Log
from scrutator.impl.node.rarely import Rarely
from scrutator.impl.raft import Configuration, Entry, Role, configuration
from scrutator.impl.raft.messages import (
    AnyMessage,
    Appended,
    AppendEntries,
    Installing,
    InstallSnapshot,
    ReadReply,
    ReadRequest,
    RequestVote,
)
from scrutator.model.quorums import QuorumError

if TYPE_CHECKING:
    from scrutator.impl.raft import Raft

TERM_LEAP = 1 << 32  # how far a term may be ahead: elections never get there, and the last term is never reached
INDEX_MAX = 1 << 62  # of positions and terms: what is stored has 64 bits
READS_WAITING_MAX = 1 << 16  # of other nodes', at a leader


class Guard:
    """Stands before the core of one node."""

    __slots__ = ("_image", "_limits", "_raft", "_rarely")

    def __init__(self, raft: Raft, limits: Limits, log: Log) -> None:
        self._raft, self._limits, self._rarely = raft, limits, Rarely(log, 10.0)
        self._image: tuple[int, Image] | None = None  # of a snapshot that is whole, with its index

    def refuses(self, message: AnyMessage) -> bool:
        """Whether a message of another node, which the core is to see next, cannot be right: it is as if it were lost."""
        why = absurd(message, self._raft, self._limits)
        if not why and isinstance(message, InstallSnapshot) and message.offset + len(message.data) == message.size:
            why = self._unreadable(message)
        if why:
            self._rarely("absurd message", message.src, kind=type(message).__name__, why=why)
        return bool(why)

    def take_image(self, index: int) -> Image | None:
        """What the snapshot of that index says, if its last piece was just seen here."""
        image, self._image = self._image, None
        return image[1] if image is not None and image[0] == index else None

    def _unreadable(self, last: InstallSnapshot) -> str:
        """Why a snapshot is none: told with its last piece, before it is stored in the place of what is here."""
        raft = self._raft
        if last.offset != held_of(last, raft) or last.index <= raft.commit or last.term < raft.term:
            return ""
        held = raft.incoming[2] if last.offset and raft.incoming is not None else b""
        try:
            self._image = last.index, image_of(b"".join((held, last.data)))
        except msgspec.DecodeError as error:
            return f"a snapshot that cannot be read: {error}"
        return ""


def absurd(message: AnyMessage, raft: Raft, limits: Limits) -> str:
    """Why a message of another node cannot be right, '' if it may be."""
    if not 0 <= message.term <= min(raft.term + TERM_LEAP, INDEX_MAX):
        return f"term {message.term}, and this node is in term {raft.term}"
    match message:
        case AppendEntries():
            return _append_entries(message, raft)
        case Appended() | Installing():
            return _answer(message, raft)
        case InstallSnapshot():
            return _install_snapshot(message, raft, limits)
        case RequestVote() if not (0 <= message.last_index <= INDEX_MAX and 0 <= message.last_term <= message.term):
            return f"a log that ends with entry {message.last_index} of term {message.last_term}"
        case ReadRequest() if len(raft.early_reads) + len(raft.waiting_reads) + len(raft.asked_reads) >= READS_WAITING_MAX:
            return f"{READS_WAITING_MAX:,} reads wait already"
        case ReadReply(index=index) if index is not None and not 0 <= index <= INDEX_MAX:
            return f"a read at entry {index}"
    return ""


def _append_entries(m: AppendEntries, raft: Raft) -> str:
    if not (0 <= m.prev_index <= INDEX_MAX and 0 <= m.prev_term <= m.term and 0 <= m.commit <= INDEX_MAX and 0 <= m.round <= INDEX_MAX):
        return f"entries after {m.prev_index} of term {m.prev_term}, committed up to {m.commit}, round {m.round}"
    last, term = m.prev_index, m.prev_term
    for entry in m.entries:
        if entry.index != last + 1 or not term <= entry.term <= m.term:
            return f"entry {entry.index} of term {entry.term} after entry {last} of term {term}"
        if entry.configuration is not None and (why := _configuration(entry.configuration)):
            return f"entry {entry.index}: {why}"
        last, term = entry.index, entry.term
    return _conflict(m.entries, raft)


def _conflict(entries: tuple[Entry, ...], raft: Raft) -> str:
    """What is committed here is what the leader has there, as far as both can be seen."""
    if not entries or not entries[0].index <= raft.commit < entries[-1].index:
        return ""
    entry, term = entries[raft.commit - entries[0].index], raft.log.term_at(raft.commit)
    return "" if term in (None, entry.term) else f"entry {entry.index} is of term {entry.term}, and is committed here in term {term}"


def _answer(m: Appended | Installing, raft: Raft) -> str:
    """An answer speaks of what this node has sent as leader of the term."""
    if raft.role is not Role.LEADER or m.term != raft.term:
        return ""
    if not 0 <= m.round <= raft.round:
        return f"an answer in round {m.round} of {raft.round}"
    if isinstance(m, Installing):
        progress = raft.progress.get(m.src)
        snapshot = None if progress is None else progress.snapshot
        least_wrong = INDEX_MAX if snapshot is None or snapshot.index != m.index else len(snapshot.data)
        return "" if 0 <= m.offset < least_wrong else f"{m.offset:,} bytes held of a snapshot of {least_wrong:,}"
    if not 0 <= m.match <= raft.log.last:
        return f"stored up to entry {m.match}, and the log ends with {raft.log.last}"
    if not (0 <= (m.refused or 0) <= INDEX_MAX and 0 <= m.hint_index <= INDEX_MAX and 0 <= m.hint_term <= INDEX_MAX):
        return f"refused after {m.refused}, with the hint {m.hint_index} of term {m.hint_term}"
    return ""


def _install_snapshot(m: InstallSnapshot, raft: Raft, limits: Limits) -> str:
    if not (1 <= m.index <= INDEX_MAX and 0 <= m.last_term <= m.term and 0 <= m.round <= INDEX_MAX):
        return f"a snapshot of entry {m.index}, term {m.last_term}"
    if m.size > limits.snapshot_bytes_max:
        return f"a snapshot of {m.size:,} bytes, and limits.snapshot_bytes_max is {limits.snapshot_bytes_max:,}: raise it at all nodes if this is right"
    if not 0 <= m.offset <= m.offset + len(m.data) <= m.size or not m.size:
        return f"bytes {m.offset:,} to {m.offset + len(m.data):,} of a snapshot of {m.size:,}"
    if m.offset < (held := held_of(m, raft)) and held >= m.size:
        return f"a snapshot of {m.size:,} bytes, of which {held:,} are held"
    return _configuration(m.configuration)


def held_of(m: InstallSnapshot, raft: Raft) -> int:
    """How many bytes of this snapshot are here already."""
    return len(raft.incoming[2]) if raft.incoming is not None and raft.incoming[:2] == (m.term, m.index) else 0


def _configuration(c: Configuration) -> str:
    """Why nobody could vote in it."""
    try:
        for members, learners in ((c.members, c.learners), *(() if c.outgoing is None else ((c.outgoing, ()),))):
            configuration(members.voters, learners, election=members.election, commit=members.commit)
    except (QuorumError, RecursionError) as error:
        return f"a configuration that cannot be: {error}"
    return ""
