"""Replication (sections 5.3 and 5.4.2): the leader's log becomes everybody's.

Law: a follower answers for what is durable; a leader counts itself among those that store an entry only
once it is durable there, too, so it answers itself; and it commits by counting only entries of its own term.
"""

from __future__ import annotations

from collections.abc import Sequence

from scrutator.impl.raft.messages import Appended, AppendEntries, Entry, Kind
from scrutator.impl.raft.state import Progress, Role, Sending, State

BATCH_ENTRIES_MAX = 1024


class Replication(State):
    """Sending, storing and committing entries."""

    # --- leaders --------------------------------------------------------------------------

    def heartbeat(self) -> None:
        """Begin a round: everybody is sent something, whose answer confirms the leader."""
        self.round += 1
        self.rounds.append((self.round, self.now_s))
        for peer, progress in self.progress.items():
            if not self.send_entries(peer, progress):
                self.send_probe(peer, progress)
        self.answer_self()

    def replicate(self) -> None:
        """Send what is new to all that can take it."""
        for peer, progress in self.progress.items():
            self.send_entries(peer, progress)
        self.answer_self()

    def answer_self(self) -> None:
        """The leader's own answer, once what it appended is durable."""
        self.out.send_durable.append(Appended(self.id, self.id, self.term, self.log.last, self.round))

    def send_entries(self, peer: str, progress: Progress) -> bool:
        """Send all entries that a follower lacks and may be sent now; whether anything was sent."""
        sent = False
        while not progress.waiting and progress.next <= self.log.last and len(progress.inflight) < self.options.inflight:
            if progress.sending is Sending.SNAPSHOT or self.log.term_at(progress.next - 1) is None:
                return self.send_snapshot(peer, progress) or sent
            entries = self.batch(progress.next)
            self.out.send.append(self.append_entries(peer, progress.next - 1, entries))
            sent = True
            if progress.sending is Sending.PROBE:
                progress.waiting = True
            else:
                progress.next += len(entries)
                progress.inflight.append(progress.next - 1)
        return sent

    def send_probe(self, peer: str, progress: Progress) -> None:
        """Send a heartbeat, or again what may have been lost."""
        if progress.sending is Sending.SNAPSHOT or self.log.term_at(progress.next - 1) is None:
            self.send_snapshot(peer, progress, again=True)
            return
        entries = self.batch(progress.next) if progress.waiting else []
        self.out.send.append(self.append_entries(peer, progress.next - 1, entries))

    def batch(self, first: int) -> list[Entry]:
        """Entries from ``first`` on, as many as fit into a message; at least one, if there is one."""
        entries: list[Entry] = []
        size = 0
        for entry in self.log.between(first, min(self.log.last, first + BATCH_ENTRIES_MAX - 1)):
            size += len(entry.data) + 64
            if entries and size > self.options.batch_bytes:
                break
            entries.append(entry)
        return entries

    def append_entries(self, peer: str, prev: int, entries: Sequence[Entry]) -> AppendEntries:
        term = self.log.term_at(prev)
        if term is None:
            raise AssertionError(f"{self.id} cannot vouch for entry {prev}, which a snapshot replaced")
        return AppendEntries(self.id, peer, self.term, prev, term, tuple(entries), self.commit, self.round)

    def send_snapshot(self, peer: str, progress: Progress, *, again: bool = False) -> bool:
        raise NotImplementedError  # see snapshots.py

    def on_appended(self, m: Appended) -> None:
        """Note how much a follower stores, or look for where its log agrees."""
        if self.role is not Role.LEADER or m.term != self.term:
            return
        if m.src == self.id:
            self.advance_commit(own=m.match)
            self.confirm_rounds()
            return
        progress = self.progress.get(m.src)
        if progress is None:
            return
        progress.heard = True
        progress.round = max(progress.round, m.round)
        if m.refused is not None:
            self.step_back(progress, m)
        else:
            self.note_match(progress, m.match)
            self.advance_commit()
            if self.role is not Role.LEADER:
                return  # what was committed removed this server
        self.confirm_rounds()
        self.send_entries(m.src, progress)
        self.hand_over_to(m.src, progress)

    def note_match(self, progress: Progress, match: int) -> None:
        """The follower's log agrees up to ``match``."""
        while progress.inflight and progress.inflight[0] <= match:
            progress.inflight.popleft()
        if match < progress.match:
            return  # an answer that was overtaken
        progress.match = match
        progress.next = max(progress.next, match + 1)
        if progress.sending is Sending.SNAPSHOT and progress.snapshot is not None and match < progress.snapshot.index:
            return
        progress.sending, progress.waiting = Sending.PIPELINE, False
        progress.snapshot = None

    def step_back(self, progress: Progress, m: Appended) -> None:
        """The follower has no such entry: try where its hint says the logs may agree."""
        if m.refused is None or m.refused <= progress.match or progress.sending is Sending.SNAPSHOT:
            return  # an answer that was overtaken
        if progress.sending is Sending.PROBE and m.refused != progress.next - 1:
            return
        guess = self.log.last_at_most(m.hint_term, min(m.hint_index, m.refused - 1)) if m.hint_term else m.hint_index
        progress.sending, progress.waiting = Sending.PROBE, False
        progress.inflight.clear()
        progress.next = max(min(guess + 1, m.refused), progress.match + 1, 1)

    def advance_commit(self, own: int | None = None) -> None:
        """Commit the last entry that a quorum stores, if it is of this term (figure 8)."""
        if own is not None:
            self.own_match = max(self.own_match, own)
        matches = {peer: progress.match for peer, progress in self.progress.items()} | {self.id: self.own_match}
        for index in sorted({m for m in matches.values() if m > self.commit}, reverse=True):
            if self.may_commit(index, {server for server, match in matches.items() if match >= index}):
                self.set_commit(index)
                return

    def may_commit(self, index: int, stored: set[str]) -> bool:
        """A quorum stores the entry, and it is of the leader's own term (section 5.4.2)."""
        return self.log.term_at(index) == self.term and self.commits(stored)

    def confirm_rounds(self) -> None:
        """What follows from new answers; see reads.py."""

    def hand_over_to(self, peer: str, progress: Progress) -> None:
        """See membership.py."""

    # --- followers ------------------------------------------------------------------------

    def follow(self, term: int, leader: str | None) -> None:
        """Be a follower in this term."""
        if term > self.term:
            self.term, self.vote = term, None
            self.persist_term()
        if self.role is Role.LEADER:
            self.out.heartbeat_timer = False
            self.out.restart_election_timer = True
        self.role, self.leader = Role.FOLLOWER, leader
        self.votes = {}
        self.progress = {}
        self.own_match = 0
        self.transfer = None
        self.refuse_reads()

    def refuse_reads(self) -> None:
        """See reads.py."""

    def hear(self, term: int, leader: str) -> None:
        """A leader of this term speaks."""
        self.follow(term, leader)
        self.heard_s = self.now_s
        self.out.restart_election_timer = True

    def on_append_entries(self, m: AppendEntries) -> None:
        """Store the leader's entries where the log agrees with its own, and say how far it does."""
        if m.term < self.term:
            self.out.send_durable.append(self.outdated(m.src))
            return
        self.hear(m.term, m.src)
        if m.prev_index < self.commit:
            # What is committed is the same in every leader's log.
            fresh = [entry for entry in m.entries if entry.index > self.commit]
            if not fresh:
                self.out.send_durable.append(Appended(self.id, m.src, self.term, self.commit, m.round))
                return
        elif self.is_consistent(m):
            fresh = list(m.entries)
        else:
            self.refuse(m)
            return
        self.store(fresh, m)
        match = m.prev_index + len(m.entries)
        self.set_commit(max(self.commit, self.commit_told(m, match)))
        self.out.send_durable.append(Appended(self.id, m.src, self.term, match, m.round))

    def outdated(self, to: str) -> Appended:
        """The answer to an earlier term.  It names no round: its receiver may lead this very term, with rounds of its own."""
        return Appended(self.id, to, self.term, 0, 0, 0)

    def is_consistent(self, m: AppendEntries) -> bool:
        """The log holds the entry just before the new ones."""
        return self.log.term_at(m.prev_index) == m.prev_term

    def refuse(self, m: AppendEntries) -> None:
        """Say where the log may agree: before the conflicting term, or at its end."""
        if m.prev_index > self.log.last:
            hint, term = self.log.last, self.log.last_term
        else:
            first = self.log.first_of_term(m.prev_index)
            hint = max(first - 1, self.commit)
            term = self.log.term_at(hint) or 0
        self.out.send_durable.append(Appended(self.id, m.src, self.term, 0, m.round, m.prev_index, hint, term))

    def store(self, entries: Sequence[Entry], m: AppendEntries) -> None:
        """Append what is new; an entry that conflicts goes, with all that follow it."""
        for k, entry in enumerate(entries):
            if self.log.term_at(entry.index) == entry.term:
                continue
            if entry.index <= self.log.last:
                self.truncate(entry.index)
            new = entries[k:]
            self.log.append(new)
            self.out.persist.entries.extend(new)
            return

    def truncate(self, index: int) -> None:
        """Drop entries from ``index`` on, which no quorum can have stored."""
        if index <= self.commit:
            raise AssertionError(f"{self.id} would drop entry {index}, which is committed")
        self.log.truncate(index)
        kept = [entry for entry in self.out.persist.entries if entry.index < index]
        self.out.persist.entries[:] = kept
        self.out.persist.truncate = index if self.out.persist.truncate is None else min(index, self.out.persist.truncate)

    def commit_told(self, m: AppendEntries, match: int) -> int:
        """The leader's commit index, as far as this message vouches for the log."""
        return min(m.commit, match)

    def set_commit(self, index: int) -> None:
        """Entries up to ``index`` are committed: hand them to the host."""
        if index <= self.commit:
            return
        self.commit = index
        self.out.apply.extend(self.log.between(self.applied + 1, index))
        self.applied = index

    def propose(self, number: int, data: bytes) -> None:
        """A client asks for a command."""
        if self.role is not Role.LEADER or self.transfer is not None:
            why = "leadership is being handed over" if self.role is Role.LEADER else "not the leader"
            self.out.refused.append((number, self.transfer or self.leader, why))
            return
        entry = self.append_own(Kind.COMMAND, data)
        self.out.proposed.append((number, entry.index, entry.term))
        self.replicate()
