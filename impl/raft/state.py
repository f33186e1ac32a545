"""What a Raft server knows: the fields that all parts of the core share, and what they all do with them.

Law: nothing here decides about elections or replication.  Every change of what must survive a crash is
noted in the `Output` of the same step.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import Enum

from scrutator.impl.raft.configuration import Configuration
from scrutator.impl.raft.events import Output
from scrutator.impl.raft.log import Log
from scrutator.impl.raft.messages import Entry, Kind, Snapshot


class Role(Enum):
    """A server's part (section 5.1); a pre-candidate asks whether an election would be won."""

    FOLLOWER = "follower"
    PRE_CANDIDATE = "pre-candidate"
    CANDIDATE = "candidate"
    LEADER = "leader"


@dataclass(frozen=True, slots=True)
class Options:
    """How a server behaves; times in seconds of its own clock, sizes in bytes.

    ``election_timeout_s`` is the shortest that the host draws; within it, after hearing of a leader, a
    server helps nobody to replace that leader if ``check_quorum``.  ``drift`` bounds how much faster or
    slower than real time any clock runs: 0.05 for five per cent; leases are shortened accordingly.
    """

    election_timeout_s: float = 1.0
    heartbeat_s: float = 0.2
    pre_vote: bool = True
    check_quorum: bool = True
    drift: float = 0.05
    batch_bytes: int = 64 * 1024
    inflight: int = 16
    chunk_bytes: int = 64 * 1024

    @property
    def lease_s(self) -> float:
        """How long after a confirmed round was sent no other leader can exist, by the leader's clock.

        A voter that answered at real time t helps nobody before its own clock went on by the election
        timeout: at least timeout / (1 + drift) later.  The leader's clock shows at most (1 - drift) of that.
        """
        return self.election_timeout_s * (1 - self.drift) / (1 + self.drift)


class Sending(Enum):
    """How a leader sends to a follower."""

    PROBE = "probe"  # one message, to find where the logs agree
    PIPELINE = "pipeline"  # further entries without waiting
    SNAPSHOT = "snapshot"  # pieces of a snapshot


@dataclass(slots=True)
class Progress:
    """What a leader knows of a follower."""

    next: int
    match: int = 0
    sending: Sending = Sending.PROBE
    waiting: bool = False  # a probe is under way
    inflight: deque[int] = field(default_factory=deque)  # last index of each message under way
    snapshot: Snapshot | None = None  # kept until it is installed, whatever newer one there is
    offset: int = 0
    round: int = 0  # the last round that it confirmed
    heard: bool = False  # since the last look at who is there


class State:
    """The fields of a server."""

    def __init__(
        self,
        id: str,
        configuration: Configuration,
        options: Options,
        *,
        term: int = 0,
        vote: str | None = None,
        snapshot: Snapshot | None = None,
        entries: Sequence[Entry] = (),
        now_s: float = 0.0,
    ) -> None:
        self.id, self.options = id, options
        # Persistent (figure 2)
        self.term, self.vote = term, vote
        self.log = Log(configuration, snapshot, entries)
        # Volatile
        self.role = Role.FOLLOWER
        self.leader: str | None = None
        self.commit = self.log.base
        self.applied = self.log.base  # handed to the host
        self.now_s = now_s
        # Who restarted may have promised a leader not to help another: it waits as if it had.
        self.heard_s = now_s
        # A candidate's
        self.votes: dict[str, bool] = {}
        # A leader's
        self.progress: dict[str, Progress] = {}  # of all other servers of the configuration
        self.own_match = 0  # how far its own log is durable
        self.round = 0
        self.rounds: deque[tuple[int, float]] = deque()  # (round, when it was sent), not yet confirmed
        self.confirmed = 0  # the last round that a quorum answered
        self.confirmed_s = float("-inf")  # when that round was sent
        self.lease_given_up = False
        self.transfer: str | None = None
        self.early_reads: list[tuple[int, str | None]] = []  # (number, who asked), before it may answer
        self.waiting_reads: list[tuple[int, str | None, int]] = []  # with the index, for the next round
        self.asked_reads: deque[tuple[int, str | None, int, int]] = deque()  # with the round that was sent
        # A snapshot that arrives in pieces
        self.incoming: tuple[int, int, bytearray] | None = None  # (leader's term, index, bytes)
        self.out = Output()

    @property
    def configuration(self) -> Configuration:
        return self.log.configuration

    @property
    def peers(self) -> tuple[str, ...]:
        """All others that a leader sends to: also those that a configuration removes, until it is committed."""
        since = self.log.configurations_since(self.commit)
        return tuple(dict.fromkeys(s for c in reversed(since) for s in c.servers if s != self.id))

    @property
    def is_voter(self) -> bool:
        return self.id in self.configuration.voters

    def elects(self, servers: Collection[str]) -> bool:
        """Whether these votes make a leader in the configuration in effect."""
        return self.configuration.elects(servers)

    def commits(self, servers: Collection[str]) -> bool:
        """Whether these servers commit what they store, and confirm who leads."""
        return self.configuration.commits(servers)

    def persist_term(self) -> None:
        """The term or the vote has changed."""
        self.out.persist.term, self.out.persist.vote = self.term, self.vote

    def append_own(self, kind: Kind, data: bytes = b"", configuration: Configuration | None = None) -> Entry:
        """A leader's new entry."""
        entry = Entry(self.term, self.log.last + 1, kind, data, configuration)
        self.log.append([entry])
        self.out.persist.entries.append(entry)
        return entry

    def committed_in_term(self) -> bool:
        """Whether the leader has committed an entry of its own term (sections 5.4.2 and 8)."""
        return self.log.term_at(self.commit) == self.term
