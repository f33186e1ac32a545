"""Who belongs to a Raft cluster, and which of them decide.

A configuration is joint while a change is under way: then both the old and the new quorums are needed
(section 6).  Quorums are majorities, or expressions of `scrutator.model.quorums` over the voters: what
was verified is what runs.  Law: an immutable value, kept in the log and in snapshots.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

from msgspec import Struct

from scrutator.model.quorums import Expression, Node, QuorumError, parse


class Members(Struct, frozen=True):
    """Voters and their quorums; an empty expression stands for majorities."""

    voters: tuple[str, ...]
    election: str = ""
    commit: str = ""

    def elects(self, servers: Collection[str]) -> bool:
        """Whether the votes of these servers make a leader."""
        return _is_quorum(self.election, self.voters, servers)

    def commits(self, servers: Collection[str]) -> bool:
        """Whether what these servers store is committed."""
        return _is_quorum(self.commit, self.voters, servers)


class Configuration(Struct, frozen=True):
    """The members of a cluster; ``outgoing`` are those of the old configuration while it is joint.

    With ``auto_leave``, the leader leaves a joint configuration as soon as it is committed, else when told.
    """

    members: Members
    learners: tuple[str, ...] = ()
    outgoing: Members | None = None
    auto_leave: bool = True

    @property
    def joint(self) -> bool:
        return self.outgoing is not None

    @property
    def voters(self) -> tuple[str, ...]:
        """Of both configurations, if joint."""
        old = () if self.outgoing is None else self.outgoing.voters
        return tuple(dict.fromkeys((*self.members.voters, *old)))

    @property
    def learners_next(self) -> tuple[str, ...]:
        """Learners that still vote in the outgoing configuration, until the joint one is left."""
        return () if self.outgoing is None else tuple(s for s in self.learners if s in self.outgoing.voters)

    @property
    def servers(self) -> tuple[str, ...]:
        """All that are sent the log."""
        return tuple(dict.fromkeys((*self.voters, *self.learners)))

    def elects(self, servers: Collection[str]) -> bool:
        """Whether these votes make a leader: in both configurations, if joint."""
        return self.members.elects(servers) and (self.outgoing is None or self.outgoing.elects(servers))

    def commits(self, servers: Collection[str]) -> bool:
        """Whether these servers commit what they store: in both configurations, if joint."""
        return self.members.commits(servers) and (self.outgoing is None or self.outgoing.commits(servers))

    def entering(self, members: Members, learners: tuple[str, ...] = (), *, auto_leave: bool = True) -> Configuration:
        """The joint configuration on the way to new members."""
        return Configuration(members, learners, self.members, auto_leave)

    def left(self) -> Configuration:
        """The new configuration alone, at the end of a change."""
        return Configuration(self.members, self.learners)

    def with_voter(self, server: str) -> Configuration:
        """The same with one voter more, promoted if it was a learner: what to ask `Change` for."""
        rest = self.without(server)
        voters = self.members.voters if server in self.members.voters else (*self.members.voters, server)
        return Configuration(_voting(self.members, voters), rest.learners)

    def with_learner(self, server: str) -> Configuration:
        """The same with one learner more, demoted if it was a voter."""
        rest = self.without(server)
        return Configuration(rest.members, (*rest.learners, server))

    def without(self, server: str) -> Configuration:
        """The same without a server."""
        voters = tuple(voter for voter in self.members.voters if voter != server)
        return Configuration(_voting(self.members, voters), tuple(s for s in self.learners if s != server))


def _voting(members: Members, voters: tuple[str, ...]) -> Members:
    return Members(voters, members.election, members.commit)


def configuration(voters: Collection[str], learners: Collection[str] = (), *, election: str = "", commit: str = "") -> Configuration:
    """A configuration whose names and quorums were checked; raises `QuorumError`.

    >>> configuration("abc").elects({"a", "b"}), configuration("abc", election="a*b*c").elects({"a", "b"})
    (True, False)
    """
    if not voters:
        raise QuorumError("a cluster needs at least one voter")
    for names in (tuple(voters), tuple(learners)):  # who counted twice would be a majority too soon
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise QuorumError(f"{', '.join(twice)} is named twice")
    both = sorted(set(voters) & set(learners))
    if both:
        raise QuorumError(f"{', '.join(both)} cannot be voter and learner at once")
    members = Members(tuple(voters), election, commit)
    for text in (election, commit):
        _expression(text, members.voters)
    return Configuration(members, tuple(learners))


def _is_quorum(text: str, voters: tuple[str, ...], servers: Collection[str]) -> bool:
    if not text:
        return 2 * sum(voter in servers for voter in voters) > len(voters)
    return _expression(text, voters).is_quorum(frozenset(servers))


@lru_cache(maxsize=256)
def _expression(text: str, voters: tuple[str, ...]) -> Expression:
    nodes = {name: Node(name) for name in voters}
    return parse(text or "majority", everyone=tuple(nodes.values()), named=nodes)
