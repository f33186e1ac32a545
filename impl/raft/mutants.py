"""Broken Rafts: bugs that shipped, or that a paper warns of, each one method replaced.

Law: a mutant differs from the core in the named rule and nothing else; a simulator that cannot tell it
from the core tests nothing.  Those that are about when things are durable are the host's; see the simulator.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TypeVar

from scrutator.impl.raft.configuration import Configuration
from scrutator.impl.raft.core import Raft
from scrutator.impl.raft.log import Log
from scrutator.impl.raft.messages import (
    AppendEntries,
    Entry,
    InstallSnapshot,
    RequestVote,
    Snapshot,
    Vote,
)


@dataclass(frozen=True, slots=True)
class Mutant:
    """A broken core: what it does wrong, what that breaks, and where it was seen."""

    name: str
    raft: type[Raft]
    doc: str
    breaks: str
    source: str


R = TypeVar("R", bound=Raft)
MUTANTS: dict[str, Mutant] = {}


def _mutant(name: str, breaks: str, source: str) -> Callable[[type[R]], type[R]]:
    def declare(raft: type[R]) -> type[R]:
        doc = (raft.__doc__ or "").strip()
        MUTANTS[name] = Mutant(name, raft, doc, breaks, source)
        return raft

    return declare


# --- elections ----------------------------------------------------------------------------


@_mutant("vote_twice", "Election Safety", "a server that does not remember its vote")
class VoteTwice(Raft):
    """A server votes for everyone who asks."""

    def on_request_vote(self, m: RequestVote) -> None:
        if m.term == self.term and not m.pre:
            self.vote = None
        super().on_request_vote(m)


@_mutant("vote_in_memory", "Election Safety", "bakwc/PySyncObj/issues/84")
class VoteInMemory(Raft):
    """The vote does not survive a restart."""

    def persist_term(self) -> None:
        super().persist_term()
        self.out.persist.vote = None


@_mutant("elect_anybody", "Leader Completeness", "belaban/jgroups-raft/issues/14")
class ElectAnybody(Raft):
    """Logs are not compared in elections."""

    def is_up_to_date(self, m: RequestVote) -> bool:
        return True


@_mutant("compare_logs_by_parts", "Leader Completeness", "markwylde/liferaft/pull/10")
class CompareLogsByParts(Raft):
    """A candidate is refused only if its last term and its last position are both behind."""

    def is_up_to_date(self, m: RequestVote) -> bool:
        return m.last_term >= self.log.last_term or m.last_index >= self.log.last


@_mutant("count_old_votes", "Election Safety", "a candidate that counts every vote it is sent")
class CountOldVotes(Raft):
    """A candidate also counts votes that it was given in an earlier term."""

    def on_vote(self, m: Vote) -> None:
        term = self.term + 1 if m.pre and m.granted else self.term
        super().on_vote(Vote(m.src, m.dst, term, m.granted, m.pre) if m.term < term else m)


@_mutant("pre_vote_bumps_term", "liveness: a server that rejoins disrupts the leader", "a pre-vote that is a vote")
class PreVoteBumpsTerm(Raft):
    """Whoever is asked for a pre-vote adopts its term, and so deposes the leader."""

    def on_request_vote(self, m: RequestVote) -> None:
        if m.pre and m.term > self.term:
            self.follow(m.term, None)
        super().on_request_vote(m)


@_mutant("elect_by_half", "Election Safety", "n / 2 written for n / 2 + 1")
class ElectByHalf(Raft):
    """Half of the voters elect a leader."""

    def elects(self, servers: Collection[str]) -> bool:
        voters = self.configuration.members.voters
        return 2 * sum(voter in servers for voter in voters) >= len(voters)


# --- replication --------------------------------------------------------------------------


@_mutant("commit_old_terms", "Leader Completeness", "figure 8; logcabin/logcabin/issues/44")
class CommitOldTerms(Raft):
    """A leader commits an entry of an earlier term once a quorum stores it."""

    def may_commit(self, index: int, stored: set[str]) -> bool:
        return self.commits(stored)


@_mutant("skip_consistency_check", "Log Matching", "a follower that stores what it is sent")
class SkipConsistencyCheck(Raft):
    """The follower does not compare the entry before the new ones, only that there is one."""

    def is_consistent(self, m: AppendEntries) -> bool:
        return self.log.term_at(m.prev_index) is not None


@_mutant("truncate_always", "no acknowledged write lost", "PySyncObj 0.3.17, syncobj.py:991")
class TruncateAlways(Raft):
    """The follower drops everything after prev_index on every AppendEntries, also what agrees."""

    def store(self, entries: Sequence[Entry], m: AppendEntries) -> None:
        if m.prev_index >= self.commit and m.prev_index < self.log.last:
            self.truncate(m.prev_index + 1)
        super().store(entries, m)


@_mutant("trust_commit_index", "State Machine Safety", "atomix/copycat/issues/265; rabbitmq/ra/pull/508")
class TrustCommitIndex(Raft):
    """The follower takes the leader's commit index for all of its log, whatever the message vouches for."""

    def commit_told(self, m: AppendEntries, match: int) -> int:
        return min(m.commit, self.log.last)


@_mutant("commit_alone", "no acknowledged write lost", "a leader that acknowledges before it replicates")
class CommitAlone(Raft):
    """A leader commits what it alone stores."""

    def may_commit(self, index: int, stored: set[str]) -> bool:
        return self.id in stored


# --- snapshots ----------------------------------------------------------------------------


@_mutant("snapshot_over_newer_log", "no acknowledged write lost", "camunda/camunda/issues/6092")
class SnapshotOverNewerLog(Raft):
    """A snapshot that is behind the log is installed all the same, and what follows it is dropped."""

    def is_behind(self, m: InstallSnapshot) -> bool:
        return m.index <= self.log.base

    def keeps_suffix(self, snapshot: Snapshot) -> bool:
        return False


@_mutant("keep_log_under_snapshot", "Log Matching", "databendlabs/openraft/pull/753")
class KeepLogUnderSnapshot(Raft):
    """After a snapshot was installed, the log behind it stays though it may differ."""

    def keeps_suffix(self, snapshot: Snapshot) -> bool:
        return self.log.last > snapshot.index >= self.log.base


# --- membership ---------------------------------------------------------------------------


@_mutant("change_before_commit", "Election Safety", "Ongaro, 2015: single-server changes")
class ChangeBeforeCommit(Raft):
    """A new leader may change the configuration before it has committed an entry of its own term."""

    def may_change(self) -> bool:
        return True

    def begin_term(self) -> None:
        """Without the entry that would commit what came before."""


@_mutant("joint_counts_one_majority", "Election Safety", "async-raft/async-raft/issues/62")
class JointCountsOneMajority(Raft):
    """During a change, the new members alone decide."""

    def elects(self, servers: Collection[str]) -> bool:
        return self.configuration.members.elects(servers)

    def commits(self, servers: Collection[str]) -> bool:
        return self.configuration.members.commits(servers)


@_mutant("joint_counts_the_union", "Election Safety", "microsoft/CCF/issues/3948")
class JointCountsTheUnion(Raft):
    """During a change, votes are counted as a majority of old and new members together."""

    def elects(self, servers: Collection[str]) -> bool:
        return _majority(self.configuration.voters, servers)

    def commits(self, servers: Collection[str]) -> bool:
        return _majority(self.configuration.voters, servers)


@_mutant("learner_counts", "no acknowledged write lost", "a learner counted as a voter")
class LearnerCounts(Raft):
    """Learners count for commitment, as if they voted."""

    def commits(self, servers: Collection[str]) -> bool:
        voters = len(self.configuration.voters)
        return 2 * sum(server in servers for server in self.configuration.servers) > voters


@_mutant("keep_truncated_configuration", "Election Safety", "andrewjstone/rafter/pull/34")
class KeepTruncatedConfiguration(Raft):
    """A configuration stays in effect although its entry was overwritten."""

    def truncate(self, index: int) -> None:
        before = self.log.configuration
        super().truncate(index)
        _force(self.log, before)


# --- reads --------------------------------------------------------------------------------


@_mutant("local_reads", "linearizability", "a leader that answers reads without asking anybody")
class LocalReads(Raft):
    """Any server that thinks it leads answers reads at once, from what it has applied."""

    def take_read(self, number: int, asker: str | None, *, lease: bool) -> None:
        self.answer(number, asker, self.applied)


@_mutant("read_index_of_old_term", "linearizability", "etcd-io/etcd/issues/7331")
class ReadIndexOfOldTerm(Raft):
    """A new leader gives out its commit index before it has committed an entry of its own term."""

    def may_read(self) -> bool:
        return True


@_mutant("lease_without_drift", "linearizability", "etcd-io/etcd/issues/6005")
class LeaseWithoutDrift(Raft):
    """The lease is as long as the election timeout, as if all clocks ran alike."""

    def lease_s(self) -> float:
        return self.options.election_timeout_s * (1 + self.options.drift) / (1 - self.options.drift)


@_mutant("lease_from_the_answer", "linearizability", "sofastack/sofa-jraft/pull/34")
class LeaseFromTheAnswer(Raft):
    """The lease begins when the answers arrive, not when the question was sent."""

    def confirm_rounds(self) -> None:
        before = self.confirmed
        super().confirm_rounds()
        if self.confirmed != before:
            self.confirmed_s = self.now_s


def _majority(voters: Collection[str], servers: Collection[str]) -> bool:
    return 2 * sum(voter in servers for voter in voters) > len(voters)


def _force(log: Log, configuration: Configuration) -> None:
    """Let a configuration be in effect that no entry of the log states."""
    if log.configuration != configuration:
        log.override(configuration)


