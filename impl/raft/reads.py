"""Linearizable reads without the log: by a round of messages (ReadIndex), or by lease (section 6.4 of
Ongaro's dissertation).

Law: an index is given out only by a leader that committed an entry of its own term, and after a quorum
confirmed that it led when the read arrived, or while its lease says that nobody else can.
"""

from __future__ import annotations

from scrutator.impl.raft.messages import ReadReply, ReadRequest
from scrutator.impl.raft.replication import Replication
from scrutator.impl.raft.state import Role


class Reads(Replication):
    """Answering reads."""

    def read(self, number: int, *, lease: bool) -> None:
        """A client of this server asks to read; a follower asks its leader."""
        if self.role is Role.LEADER:
            self.take_read(number, None, lease=lease)
        elif self.leader is not None and self.leader != self.id:
            self.out.send.append(ReadRequest(self.id, self.leader, self.term, number))
        else:
            self.out.refused.append((number, None, "no leader is known"))

    def on_read_request(self, m: ReadRequest) -> None:
        """A follower asks on behalf of its client."""
        if self.role is Role.LEADER:
            self.take_read(m.number, m.src, lease=False)
        else:
            self.out.send.append(ReadReply(self.id, m.src, self.term, m.number, None))

    def on_read_reply(self, m: ReadReply) -> None:
        """The leader's answer for a client of this server."""
        if m.index is None:
            self.out.refused.append((m.number, self.leader, "the server that was asked does not lead"))
        else:
            self.out.reads.append((m.number, m.index))

    def take_read(self, number: int, asker: str | None, *, lease: bool) -> None:
        """As leader: answer now, or once it is certain that this server leads."""
        if not self.may_read():
            self.early_reads.append((number, asker))
        elif lease and self.has_lease():
            self.answer(number, asker, self.commit)
        else:
            self.waiting_reads.append((number, asker, self.commit))
            if not self.asked_reads:
                self.heartbeat()  # one round for all that wait; those that come meanwhile wait for the next

    def may_read(self) -> bool:
        """The commit index is known to be no older than that of any leader before."""
        return self.committed_in_term()

    def has_lease(self) -> bool:
        """No other leader can exist yet: a quorum heard of this one so lately, whatever clocks do within the bound."""
        return self.options.check_quorum and not self.lease_given_up and self.now_s - self.confirmed_s < self.lease_s()

    def lease_s(self) -> float:
        """The length of the lease on this server's clock."""
        return self.options.lease_s

    def heartbeat(self) -> None:
        """A round also asks for all reads that wait."""
        super().heartbeat()
        self.asked_reads.extend((*waiting, self.round) for waiting in self.waiting_reads)
        self.waiting_reads.clear()

    def confirm_rounds(self) -> None:
        """Answer the reads of rounds that a quorum has confirmed."""
        before = self.confirmed
        while self.rounds and self.commits(self.confirming(self.rounds[0][0])):
            self.confirmed, self.confirmed_s = self.rounds.popleft()
        if self.confirmed == before:
            return
        while self.asked_reads and self.asked_reads[0][3] <= self.confirmed:
            number, asker, index, _ = self.asked_reads.popleft()
            self.answer(number, asker, index)
        if self.waiting_reads and not self.asked_reads:
            self.heartbeat()

    def confirming(self, round: int) -> set[str]:
        """Who has answered that round or a later one."""
        return {self.id, *(peer for peer, progress in self.progress.items() if progress.round >= round)}

    def answer(self, number: int, asker: str | None, index: int) -> None:
        """Give out an index to read at."""
        if asker is None:
            self.out.reads.append((number, index))
        else:
            self.out.send.append(ReadReply(self.id, asker, self.term, number, index))

    def take_early_reads(self) -> None:
        """Something of this term is committed: reads that waited for that go on."""
        early, self.early_reads = self.early_reads, []
        for number, asker in early:
            self.take_read(number, asker, lease=False)

    def refuse_reads(self) -> None:
        """Whoever still waits is told; no read is dropped in silence."""
        asked = [(number, asker) for number, asker, _, _ in self.asked_reads]
        waiting = [(number, asker) for number, asker, _ in self.waiting_reads]
        for number, asker in (*self.early_reads, *asked, *waiting):
            if asker is None:
                self.out.refused.append((number, self.leader, "no longer the leader"))
            else:
                self.out.send.append(ReadReply(self.id, asker, self.term, number, None))
        self.asked_reads.clear()
        self.waiting_reads.clear()
        self.early_reads.clear()
