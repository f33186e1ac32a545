"""Membership (section 6): joint consensus, single-server changes, and handing over leadership.

Law: one change at a time, and none before the leader has committed an entry of its own term: without
that, two changes of one server each can have majorities that miss each other (Ongaro, 2015).
"""

from __future__ import annotations

from scrutator.impl.raft.configuration import Configuration
from scrutator.impl.raft.messages import Entry, Kind, TimeoutNow
from scrutator.impl.raft.replication import Replication
from scrutator.impl.raft.state import Progress, Role


class Membership(Replication):
    """Changing who belongs to the cluster, and who leads it."""

    def change(self, number: int, target: Configuration, *, single: bool) -> None:
        """Begin a change of configuration; its entry's commitment, or that of the next, completes it."""
        why = self.why_not_change(target, single=single)
        if why is not None:
            self.out.refused.append((number, self.leader, why))
            return
        configuration = target.left() if single else self.configuration.entering(target.members, target.learners)
        entry = self.append_configuration(configuration)
        self.out.proposed.append((number, entry.index, entry.term))
        self.replicate()

    def why_not_change(self, target: Configuration, *, single: bool) -> str | None:
        """Why a change cannot begin now, or None."""
        if self.role is not Role.LEADER or self.transfer is not None:
            return "leadership is being handed over" if self.role is Role.LEADER else "not the leader"
        if self.is_changing():
            return "another change is under way"
        if not self.may_change():
            return "the leader has not yet committed an entry of its own term"
        if single and (len(set(self.configuration.voters) ^ set(target.voters)) > 1 or self.requorums(target)):
            return "a single step changes one voter at most, and leaves the quorums majorities"
        return None

    def is_changing(self) -> bool:
        """A configuration is not yet committed, or joint."""
        return self.log.configured_at > self.commit or self.configuration.joint

    def may_change(self) -> bool:
        """The safety fix: an entry of the leader's own term is committed."""
        return self.committed_in_term()

    def requorums(self, target: Configuration) -> bool:
        """Whether other quorums than majorities are in play: only joint consensus is safe for those."""
        members = (self.configuration.members, target.members)
        return any(m.election or m.commit for m in members) and members[0] != members[1]

    def append_configuration(self, configuration: Configuration) -> Entry:
        """Append it, and send to whom it names from now on."""
        entry = self.append_own(Kind.CONFIGURATION, configuration=configuration)
        self.meet_members()
        return entry

    def meet_members(self) -> None:
        """Keep track of exactly the servers of the configuration in effect."""
        servers = [server for server in self.configuration.servers if server != self.id]
        known = self.progress
        self.progress = {server: known.get(server) or Progress(self.log.last + 1, heard=True) for server in servers}

    def after_commit(self) -> None:
        """Leave the joint configuration once it is committed; step down if the committed one has no part for us."""
        if self.log.configured_at > self.commit:
            return
        if self.configuration.joint:
            self.append_configuration(self.configuration.left())
            self.replicate()
        elif not self.is_voter:
            self.follow(self.term, None)

    # --- handing over ---------------------------------------------------------------------

    def hand_over(self, to: str) -> None:
        """Stop taking requests, bring the successor up to date, and let it stand."""
        if self.role is not Role.LEADER or to == self.id or to not in self.configuration.voters or to not in self.progress:
            return
        self.transfer = to
        self.out.restart_election_timer = True  # it has one election timeout
        progress = self.progress[to]
        self.send_entries(to, progress)
        self.hand_over_to(to, progress)

    def hand_over_to(self, peer: str, progress: Progress) -> None:
        """If this is the successor and it has everything, tell it."""
        if self.role is Role.LEADER and self.transfer == peer and progress.match == self.log.last:
            self.lease_given_up = True  # for the rest of the term: the message may arrive late
            self.out.send.append(TimeoutNow(self.id, peer, self.term))
