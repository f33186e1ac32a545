"""What must hold after every step of every server: the properties of figure 3, and what clients rely on.

The law: each check costs a constant per step, entry or reply.  Log matching, for one, holds if every pair of
position and term names one entry with one predecessor: then the rest follows by induction.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scrutator.impl.machine import Reply
from scrutator.impl.raft import Entry, Output, Role, Snapshot

if TYPE_CHECKING:
    from scrutator.impl.sim.host import Host

ELECTION_SAFETY = "election safety"
LOG_MATCHING = "log matching"
LEADER_COMPLETENESS = "leader completeness"
STATE_MACHINE_SAFETY = "state machine safety"
COMMIT_MONOTONE = "commit index only grows"
EXACTLY_ONCE = "exactly once"
NOTHING_LOST = "no acknowledged write is lost"
NO_EXCEPTION = "the core raises nothing"
LIVENESS = "liveness once faults have healed"


class Violated(Exception):
    """An invariant does not hold."""

    def __init__(self, invariant: str, what: str) -> None:
        super().__init__(f"{invariant}: {what}")
        self.invariant, self.what = invariant, what


@dataclass(frozen=True, slots=True)
class Commit:
    """Up to which position had been committed when a leader of that term first said so."""

    term: int
    index: int


class Watch:
    """Sees every step, and raises `Violated` at the first that breaks an invariant."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()  # of what was seen to happen
        self.committed: list[Entry] = []  # by position, from 1
        self.commits: list[Commit] = []  # terms grow
        self.leaders: dict[int, str] = {}  # of each term
        self._entries: dict[tuple[int, int], tuple[Entry, int]] = {}  # by (index, term), with the term before
        self._replies: list[Reply] = []  # by position, from 1
        self._executed: dict[tuple[int, int], int] = {}  # where a (session, sequence) changed the state
        self._snapshots: dict[int, bytes] = {}  # the state machine at a position

    # --- the core ---------------------------------------------------------------------

    def stepped(self, host: Host, output: Output) -> None:
        """A server took a step; ``host.mirror`` already holds what it wants to persist."""
        raft = host.raft
        assert raft is not None
        if raft.commit < host.commit_seen:
            raise Violated(COMMIT_MONOTONE, f"{host.id} went back from {host.commit_seen} to {raft.commit}")
        host.commit_seen = raft.commit
        if output.persist.entries:
            self._log_matching(host, output.persist.entries)
        if output.restore is not None:
            self._snapshot_is_committed(host, output.restore)
            if host.mirror.entries:
                self._log_matching(host, host.mirror.entries[:1])  # what follows the snapshot must fit it
            host.handed = output.restore.index
        if output.apply:
            self._state_machine_safety(host, output.apply, raft.term)
        if raft.role is Role.LEADER and host.led != raft.term:
            self._elected(host, raft.term)

    def _log_matching(self, host: Host, entries: list[Entry]) -> None:
        known = self._entries
        before = host.mirror.term_at(entries[0].index - 1) or 0
        for entry in entries:
            key = (entry.index, entry.term)
            other = known.setdefault(key, (entry, before))
            if other[1] != before or (other[0] is not entry and other[0] != entry):
                raise Violated(
                    LOG_MATCHING,
                    f"{host.id} stores {brief(entry)} after one of term {before}, "
                    f"elsewhere it is {brief(other[0])} after one of term {other[1]}",
                )
            before = entry.term

    def _state_machine_safety(self, host: Host, entries: list[Entry], term: int) -> None:
        committed = self.committed
        for entry in entries:
            if entry.index != host.handed + 1:
                raise Violated(STATE_MACHINE_SAFETY, f"{host.id} applies {entry.index} after {host.handed}")
            host.handed = entry.index
            if entry.index > len(committed):
                committed.append(entry)
                if not self.commits or term > self.commits[-1].term:
                    self.commits.append(Commit(term, entry.index))
                else:
                    self.commits[-1] = Commit(self.commits[-1].term, entry.index)
            other = committed[entry.index - 1]
            if other is not entry and other != entry:
                raise Violated(STATE_MACHINE_SAFETY, f"{host.id} applies {brief(entry)}, another server {brief(other)}")

    def _snapshot_is_committed(self, host: Host, snapshot: Snapshot) -> None:
        if snapshot.index > len(self.committed) or self.committed[snapshot.index - 1].term != snapshot.term:
            raise Violated(
                STATE_MACHINE_SAFETY, f"{host.id} installs a snapshot of entry {snapshot.index}, term {snapshot.term}, which is not committed"
            )

    def _elected(self, host: Host, term: int) -> None:
        host.led = term
        other = self.leaders.setdefault(term, host.id)
        if other != host.id:
            raise Violated(ELECTION_SAFETY, f"{host.id} and {other} lead in term {term}")
        self.counts["elections won"] += 1
        earlier = [commit for commit in self.commits if commit.term < term]
        if earlier:
            index = earlier[-1].index
            entry = self.committed[index - 1]
            mine = host.mirror.term_at(index)
            if mine != entry.term and index >= host.mirror.base:
                has = "nothing" if mine is None else f"one of term {mine}"
                raise Violated(LEADER_COMPLETENESS, f"{host.id} leads in term {term} without {brief(entry)}: it has {has} there")

    # --- the state machine ------------------------------------------------------------

    def applied(self, host: Host, entry: Entry, reply: Reply, executed: tuple[int, int] | None) -> None:
        """A server applied an entry."""
        if executed is not None:
            index = self._executed.setdefault(executed, entry.index)
            if index != entry.index:
                raise Violated(
                    EXACTLY_ONCE, f"{host.id} applies command {executed[1]} of session {executed[0]} at {index} and again at {entry.index}"
                )
        replies = self._replies
        if entry.index == len(replies) + 1:
            replies.append(reply)
        elif entry.index > len(replies) or replies[entry.index - 1] != reply:
            raise Violated(STATE_MACHINE_SAFETY, f"{host.id} answers {brief(entry)} with {reply}, another server otherwise")

    def snapshot(self, host: Host, index: int, data: bytes) -> None:
        """A server took or installed a snapshot of its state machine."""
        if self._snapshots.setdefault(index, data) != data:
            raise Violated(STATE_MACHINE_SAFETY, f"{host.id} has another state than others after entry {index}")

    # --- clients ----------------------------------------------------------------------

    def acknowledged(self, index: int, data: bytes) -> None:
        """A client was told that its command took effect at that position."""
        if index > len(self.committed) or self.committed[index - 1].data != data:
            raise Violated(NOTHING_LOST, f"a client was told of entry {index}, which is not committed")


def brief(entry: Entry) -> str:
    """An entry in a few words."""
    return f"entry {entry.index} of term {entry.term} ({entry.kind.value}{' ' + repr(entry.data)[:40] if entry.data else ''})"
