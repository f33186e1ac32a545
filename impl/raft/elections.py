"""Elections (sections 5.2, 5.4.1 and 6), with pre-vote (section 9.6 of Ongaro's dissertation).

Law: a vote is given once a term, to a candidate whose log is not behind, and is durable before it is told;
a candidate's own vote is told to itself like any other.
"""

from __future__ import annotations

from scrutator.impl.raft.messages import Kind, RequestVote, TimeoutNow, Vote
from scrutator.impl.raft.replication import Replication
from scrutator.impl.raft.state import Progress, Role


class Elections(Replication):
    """Becoming a leader, and helping others to."""

    # --- candidates -----------------------------------------------------------------------

    def on_election_timeout(self) -> None:
        """Nobody was heard of as leader for too long; or, as leader, look who was heard of."""
        self.out.restart_election_timer = True
        if self.role is Role.LEADER:
            self.look_around()
        elif self.may_stand():
            self.campaign(pre=self.options.pre_vote)
        else:
            self.leader = None  # clients must not be sent there for ever

    def may_stand(self) -> bool:
        """Whether this server is a voter, or was one before changes of which it does not know that they are committed.

        Nobody else may be electable: a leader that appended its own removal from a cluster of two has a longer
        log than the other, who needs its vote until the removal is committed (section 4.2.2 of the dissertation).
        """
        return any(self.id in configuration.voters for configuration in self.log.configurations_since(self.commit))

    def campaign(self, *, pre: bool, transfer: bool = False) -> None:
        """Ask everybody for their vote, or whether they would give it."""
        self.leader = None
        self.votes = {}
        if pre:
            self.role = Role.PRE_CANDIDATE
        else:
            self.role = Role.CANDIDATE
            self.term += 1
            self.vote = self.id
            self.persist_term()
        term = self.term + 1 if pre else self.term
        for voter in self.configuration.voters:
            if voter == self.id:
                self.out.send_durable.append(Vote(self.id, self.id, term, True, pre))
            else:
                request = RequestVote(self.id, voter, term, self.log.last, self.log.last_term, pre, transfer)
                self.out.send_durable.append(request)

    def on_vote(self, m: Vote) -> None:
        """Count an answer; win, or give up once the rest could not make a quorum any more."""
        wanted = Role.PRE_CANDIDATE if m.pre else Role.CANDIDATE
        if self.role is not wanted or m.term != (self.term + 1 if m.pre and m.granted else self.term):
            return
        self.votes[m.src] = m.granted
        if self.elects(self.granted()):
            if m.pre:
                self.campaign(pre=False)
            else:
                self.lead()
        elif not self.elects({v for v in self.configuration.voters if self.votes.get(v, True)}):
            self.follow(self.term, None)

    def granted(self) -> set[str]:
        """Who voted for this server."""
        return {voter for voter, granted in self.votes.items() if granted}

    def lead(self) -> None:
        """Begin to lead, with an entry of the new term that commits all before it (section 8)."""
        self.role, self.leader = Role.LEADER, self.id
        self.progress = {peer: Progress(self.log.last + 1) for peer in self.peers}
        self.own_match = 0
        self.round, self.confirmed, self.confirmed_s = 0, 0, float("-inf")
        self.rounds.clear()
        self.lease_given_up = False
        self.transfer = None
        self.out.restart_election_timer = True
        self.out.heartbeat_timer = True
        self.begin_term()
        self.heartbeat()

    def begin_term(self) -> None:
        """The new leader's first entry."""
        self.append_own(Kind.NOOP)

    # --- voters ---------------------------------------------------------------------------

    def on_request_vote(self, m: RequestVote) -> None:
        """Give the vote, or say why not by one's own term."""
        if self.must_ignore(m):
            return
        if m.pre:
            granted = m.term > self.term and self.is_up_to_date(m)
            self.out.send_durable.append(Vote(self.id, m.src, m.term if granted else self.term, granted, True))
            return
        if m.term > self.term:
            self.follow(m.term, None)
        granted = m.term == self.term and self.vote in (None, m.src) and self.is_up_to_date(m)
        if granted:
            self.vote = m.src
            self.persist_term()
            self.out.restart_election_timer = True
        self.out.send_durable.append(Vote(self.id, m.src, self.term, granted))

    def must_ignore(self, m: RequestVote) -> bool:
        """Whether a leader was heard of so lately that nobody is helped to replace it.

        Leases rest on this, in the term that has just begun as well: its beginning may have been heard of in
        passing.  The leader itself, if it stands again, is no rival of its own; and who stands because the
        leader said so has its leave.
        """
        if not self.options.check_quorum or m.transfer or m.term < self.term or m.src == self.leader:
            return False
        since = self.confirmed_s if self.role is Role.LEADER else self.heard_s
        return self.now_s - since < self.options.election_timeout_s

    def is_up_to_date(self, m: RequestVote) -> bool:
        """The candidate's log is not behind (section 5.4.1)."""
        return (m.last_term, m.last_index) >= (self.log.last_term, self.log.last)

    def on_timeout_now(self, m: TimeoutNow) -> None:
        """The leader hands over."""
        if m.term == self.term and self.is_voter and self.role is not Role.LEADER:
            self.out.restart_election_timer = True
            self.campaign(pre=False, transfer=True)

    # --- leaders --------------------------------------------------------------------------

    def look_around(self) -> None:
        """A leader that cannot be heard by a quorum steps down, so that its clients ask elsewhere."""
        there = {self.id, *(peer for peer, progress in self.progress.items() if progress.heard)}
        for progress in self.progress.values():
            progress.heard = False
        self.transfer = None  # it had an election timeout to succeed
        if self.options.check_quorum and not self.commits(there):
            self.follow(self.term, None)
