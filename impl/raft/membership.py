"""Membership (section 6): joint consensus, single-server changes, and handing over leadership.

Law: one change at a time, and none before the leader has committed an entry of its own term: without
that, two changes of one server each can have majorities that miss each other (Ongaro, 2015).
"""

from __future__ import annotations

from scrutator.impl.raft.configuration import Configuration, configuration
from scrutator.impl.raft.messages import Entry, Kind, TimeoutNow
from scrutator.impl.raft.replication import Replication
from scrutator.impl.raft.state import Progress, Role
from scrutator.model.quorums import QuorumError


class Membership(Replication):
    """Changing who belongs to the cluster, and who leads it."""

    def change(self, number: int, target: Configuration, *, single: bool, auto_leave: bool = True) -> None:
        """Begin a change of configuration; its entry's commitment, or that of the next, completes it."""
        why = self.why_not_change(target, single=single)
        if why is not None:
            self.out.refused.append((number, self.leader, why))
            return
        joint = self.configuration.entering(target.members, target.learners, auto_leave=auto_leave)
        self.propose_configuration(number, target.left() if single else joint)

    def leave(self, number: int) -> None:
        """Leave a joint configuration that waits for being told."""
        why = self.why_not_leave()
        if why is not None:
            self.out.refused.append((number, self.leader, why))
            return
        self.propose_configuration(number, self.configuration.left())

    def why_not_leave(self) -> str | None:
        """Why a joint configuration cannot be left now, or None."""
        if self.role is not Role.LEADER or self.transfer is not None:
            return "leadership is being handed over" if self.role is Role.LEADER else "not the leader"
        if not self.configuration.joint:
            return "the configuration is not joint"
        if self.log.configured_at > self.commit:
            return "the joint configuration is not yet committed"
        return None

    def propose_configuration(self, number: int, configuration: Configuration) -> None:
        """Append a configuration that was asked for, and send it."""
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
        try:
            configuration(target.members.voters, target.learners, election=target.members.election, commit=target.members.commit)
        except QuorumError as error:
            return str(error)
        if single and (len(set(self.configuration.voters) ^ set(target.members.voters)) > 1 or self.requorums(target)):
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
        """Send to the servers of the configuration in effect, which was just appended, from that entry on.

        Those that it removes are sent the log until it is committed: else they would never know.
        """
        for peer in self.peers:
            if peer not in self.progress:
                self.progress[peer] = Progress(self.log.last, heard=True)

    def after_commit(self) -> None:
        """Leave the joint configuration once it is committed; step down if the committed one has no part for us."""
        if self.log.configured_at > self.commit:
            return
        if self.configuration.joint:
            if self.configuration.auto_leave:
                self.append_configuration(self.configuration.left())
                self.replicate()
            return
        self.part()
        if not self.is_voter:
            self.follow(self.term, None)

    def part(self) -> None:
        """Tell those that were removed that their removal is committed, and send them no more."""
        for peer in sorted(set(self.progress) - set(self.configuration.servers)):
            progress = self.progress.pop(peer)
            if not self.send_entries(peer, progress):
                self.send_probe(peer, progress)

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
