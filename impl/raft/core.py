"""A Raft server without input, output, clock or random source: events in, `Output` out.

The parts are in files of their own: elections, replication, snapshots, membership, reads.  Law: the same
events at the same times give the same outputs, and nothing happens but in `step`.
"""

from __future__ import annotations

from collections.abc import Callable

from scrutator.impl.raft.elections import Elections
from scrutator.impl.raft.events import (
    Change,
    Compact,
    ElectionTimeout,
    Event,
    HeartbeatTimeout,
    Leave,
    Output,
    Propose,
    Read,
    Received,
    Transfer,
)
from scrutator.impl.raft.membership import Membership
from scrutator.impl.raft.messages import (
    AnyMessage,
    Appended,
    AppendEntries,
    Installing,
    InstallSnapshot,
    ReadReply,
    ReadRequest,
    RequestVote,
    TimeoutNow,
    Vote,
)
from scrutator.impl.raft.reads import Reads
from scrutator.impl.raft.snapshots import Snapshots
from scrutator.impl.raft.state import Role
from scrutator.impl.raft.tracing import Trace, trace_of


class Raft(Reads, Membership, Snapshots, Elections):
    """One server.  Made from what its disk holds; a new one from nothing but the configuration.

    ``on_trace``, if set, is told of every event; see `tracing`.

    >>> from scrutator.impl.raft import ElectionTimeout, Options, Raft, Received, configuration
    >>> server = Raft("a", configuration(["a"]), Options(pre_vote=False))
    >>> server.role.value, len(server.step(ElectionTimeout(), 1.0).send_durable)
    ('follower', 1)
    """

    on_trace: Callable[[Trace], None] | None = None

    def step(self, event: Event, now_s: float) -> Output:
        """What follows from an event at that time of the server's own clock, which never goes back."""
        self.now_s = now_s
        self.out = Output()
        match event:
            case Received(message=message):
                self.receive(message)
            case Propose(number=number, data=data):
                self.propose(number, data)
            case HeartbeatTimeout():
                if self.role is Role.LEADER:
                    self.heartbeat()
            case ElectionTimeout():
                self.on_election_timeout()
            case Read(number=number, lease=lease):
                self.read(number, lease=lease)
            case Compact(index=index, data=data):
                self.compact(index, data)
            case Change(number=number, configuration=target, single=single, auto_leave=auto_leave):
                self.change(number, target, single=single, auto_leave=auto_leave)
            case Leave(number=number):
                self.leave(number)
            case Transfer(to=to):
                self.hand_over(to)
        if self.on_trace is not None:
            self.on_trace(trace_of(self, event, self.out))
        return self.out

    def receive(self, m: AnyMessage) -> None:
        """A message of a higher term makes a follower (section 5.1), but for requests to which that is the question."""
        asks = isinstance(m, RequestVote) or (isinstance(m, Vote) and m.pre and m.granted)
        if m.term > self.term and not asks:
            self.follow(m.term, None)
        match m:
            case AppendEntries():
                self.on_append_entries(m)
            case Appended():
                self.on_appended(m)
            case RequestVote():
                self.on_request_vote(m)
            case Vote():
                self.on_vote(m)
            case InstallSnapshot():
                self.on_install_snapshot(m)
            case Installing():
                self.on_installing(m)
            case ReadRequest():
                self.on_read_request(m)
            case ReadReply():
                self.on_read_reply(m)
            case TimeoutNow():
                self.on_timeout_now(m)

    def set_commit(self, index: int) -> None:
        """A leader that commits may complete a change, and answer reads that waited for it."""
        grew = index > self.commit
        super().set_commit(index)
        if grew and self.role is Role.LEADER:
            if self.committed_in_term():
                self.take_early_reads()
            self.after_commit()
