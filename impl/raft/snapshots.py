"""Snapshots (section 7): the log's beginning replaced, and sent in pieces to those who lack it.

Law: a snapshot behind what is committed changes nothing; entries after it stay where they agree with it.
The snapshot under way to a follower stays the same until it is installed, whatever newer one there is.
"""

from __future__ import annotations

from scrutator.impl.raft.messages import Appended, Installing, InstallSnapshot, Snapshot
from scrutator.impl.raft.replication import Replication
from scrutator.impl.raft.state import Progress, Role, Sending


class Snapshots(Replication):
    """Taking, sending and installing snapshots."""

    def compact(self, index: int, data: bytes) -> None:
        """The host's snapshot of the state machine, once entry ``index`` was applied."""
        if index <= self.log.base:
            return  # meanwhile a leader's snapshot was installed, which the host has yet to restore
        term = self.log.term_at(index)
        if index > self.applied or term is None:
            raise ValueError(f"{self.id} cannot compact up to entry {index}: only entries up to {self.applied} are applied")
        snapshot = Snapshot(index, term, self.log.configuration_at(index), data)
        self.log.compact(snapshot)
        self.out.persist.snapshot = snapshot

    # --- leaders --------------------------------------------------------------------------

    def send_snapshot(self, peer: str, progress: Progress, *, again: bool = False) -> bool:
        """Send the next piece, or ``again`` the one that may have been lost; whether anything was sent."""
        if progress.sending is not Sending.SNAPSHOT or progress.snapshot is None:
            progress.sending, progress.waiting, progress.offset = Sending.SNAPSHOT, False, 0
            progress.snapshot = self.log.snapshot
            progress.inflight.clear()
        if progress.waiting and not again:
            return False
        snapshot = progress.snapshot
        if snapshot is None:
            raise AssertionError(f"{self.id} compacted its log without a snapshot")
        piece = snapshot.data[progress.offset : progress.offset + self.options.chunk_bytes]
        self.out.send.append(
            InstallSnapshot(
                self.id, peer, self.term, snapshot.index, snapshot.term, snapshot.configuration,
                progress.offset, piece, len(snapshot.data), self.round,
            )
        )  # fmt: skip
        progress.waiting = True
        return True

    def on_installing(self, m: Installing) -> None:
        """The follower holds so much of the snapshot."""
        progress = self.progress.get(m.src)
        if self.role is not Role.LEADER or m.term != self.term or progress is None:
            return
        progress.heard = True
        progress.round = max(progress.round, m.round)
        self.confirm_rounds()
        if progress.sending is not Sending.SNAPSHOT or progress.snapshot is None or progress.snapshot.index != m.index:
            return
        if m.offset == progress.offset:
            return  # the piece from there on is under way: an answer that came twice asks for nothing
        progress.offset, progress.waiting = m.offset, False
        self.send_snapshot(m.src, progress)

    # --- followers ------------------------------------------------------------------------

    def on_install_snapshot(self, m: InstallSnapshot) -> None:
        """Collect the pieces; with the last one, install it."""
        if m.term < self.term:
            self.out.send_durable.append(self.outdated(m.src))
            return
        self.hear(m.term, m.src)
        if self.is_behind(m):
            self.incoming = None
            self.out.send_durable.append(Appended(self.id, m.src, self.term, self.commit, m.round))
            return
        if self.incoming is None or self.incoming[:2] != (m.term, m.index):
            self.incoming = (m.term, m.index, bytearray())  # other leaders may write the same state in other bytes
        held = self.incoming[2]
        if m.offset == len(held):
            held.extend(m.data)
        if len(held) < m.size:
            self.out.send_durable.append(Installing(self.id, m.src, self.term, m.index, len(held), m.round))
            return
        self.incoming = None
        self.install(Snapshot(m.index, m.last_term, m.configuration, bytes(held)))
        self.out.send_durable.append(Appended(self.id, m.src, self.term, m.index, m.round))

    def is_behind(self, m: InstallSnapshot) -> bool:
        """Everything in the snapshot is known to be committed here already."""
        return m.index <= self.commit

    def install(self, snapshot: Snapshot) -> None:
        """Let the snapshot replace the log up to its index, and the state machine."""
        keeps = self.keeps_suffix(snapshot)
        if keeps:
            self.log.compact(snapshot)
        else:
            self.log.reset(snapshot)
        self.out.persist.snapshot, self.out.persist.reset = snapshot, not keeps
        self.commit = self.applied = snapshot.index
        self.out.restore = snapshot

    def keeps_suffix(self, snapshot: Snapshot) -> bool:
        """The log agrees with the snapshot, so that what follows is still good (figure 13, step 6)."""
        return self.log.term_at(snapshot.index) == snapshot.term
