"""A cluster in memory: cores, their disks, and the messages under way; nothing moves unless told to.

The law: outputs are carried out as `scrutator.impl.raft.events` asks, and a server's messages to itself come
back to it once what it wanted durable is on its disk.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from scrutator.impl.raft import (
    AnyMessage,
    Configuration,
    ElectionTimeout,
    Entry,
    Event,
    HeartbeatTimeout,
    Kind,
    Options,
    Output,
    Persist,
    Propose,
    Raft,
    Received,
    Role,
    Snapshot,
    configuration,
)

PLAIN = Options(pre_vote=False, check_quorum=False)


@dataclass(slots=True)
class Disk:
    """What survives a crash."""

    term: int = 0
    vote: str | None = None
    snapshot: Snapshot | None = None
    entries: list[Entry] = field(default_factory=list)

    def write(self, p: Persist) -> None:
        """Make it durable."""
        if p.term is not None:
            self.term, self.vote = p.term, p.vote
        if p.snapshot is not None:
            self.snapshot = p.snapshot
            self.entries = [] if p.reset else [e for e in self.entries if e.index > p.snapshot.index]
        first = p.truncate if p.truncate is not None else p.entries[0].index if p.entries else None
        if first is not None:
            self.entries = [e for e in self.entries if e.index < first]
        self.entries += p.entries


class Cluster:
    """Servers by name; ``pending`` are outputs not yet carried out, ``network`` messages not yet delivered."""

    def __init__(
        self, first: Configuration | Collection[str], options: Options = PLAIN, raft: type[Raft] = Raft
    ) -> None:
        self.first = first if isinstance(first, Configuration) else configuration(first)
        self.options, self.raft = options, raft
        self.now_s = 0.0
        self.servers: dict[str, Raft] = {}
        self.disks: dict[str, Disk] = {}
        self.pending: dict[str, list[Output]] = {}
        self.applied: dict[str, list[Entry]] = {}
        self.outputs: dict[str, list[Output]] = {}  # all there were, carried out or not
        self.network: list[AnyMessage] = []
        for name in self.first.servers:
            self.add(name, self.first)

    def add(self, name: str, first: Configuration, disk: Disk | None = None) -> Raft:
        """A new server, or one that restarts from its disk."""
        disk = self.disks[name] = disk or Disk()
        self.servers[name] = self.raft(
            name, first, self.options, term=disk.term, vote=disk.vote, snapshot=disk.snapshot,
            entries=list(disk.entries), now_s=self.now_s,
        )  # fmt: skip
        self.pending[name], self.applied[name], self.outputs[name] = [], [], []
        return self.servers[name]

    def restart(self, name: str) -> Raft:
        """A crash: what was pending is lost, what is on disk stays."""
        return self.add(name, self.first, self.disks[name])

    # --- single moves -------------------------------------------------------------------

    def step(self, name: str, event: Event) -> Output:
        """Let something happen to a server; its output stays pending."""
        out = self.servers[name].step(event, self.now_s)
        self.pending[name].append(out)
        self.outputs[name].append(out)
        return out

    def carry_out(self, name: str) -> None:
        """Send, persist and apply all that is pending; then the server hears what it told itself."""
        outputs, self.pending[name] = self.pending[name], []
        for message in self.carried_out(name, outputs):
            if message.dst == name:
                self.step(name, Received(message))
            else:
                self.network.append(message)

    def carried_out(self, name: str, outputs: Iterable[Output]) -> list[AnyMessage]:
        """Persist and apply; the messages that may go out now."""
        messages: list[AnyMessage] = []
        for out in outputs:
            self.disks[name].write(out.persist)
            messages += (*out.send, *out.send_durable)
            self.applied[name] += out.apply
        return messages

    def take(self, names: Iterable[str]) -> list[AnyMessage]:
        """The messages under way to these servers, which are no longer: deliver them, or drop them."""
        wanted = set(names)
        taken = [m for m in self.network if m.dst in wanted]
        self.network = [m for m in self.network if m.dst not in wanted]
        return taken

    def deliver(self, name: str) -> None:
        """All messages under way to one server, in order."""
        for message in self.take([name]):
            self.step(name, Received(message))

    # --- the usual ----------------------------------------------------------------------

    def settle(self, *names: str) -> None:
        """Carry out and deliver among these servers, or all, until nothing is left to do."""
        among = names or tuple(self.servers)
        while any(self.pending[n] for n in among) or any(m.dst in among for m in self.network):
            for name in among:
                if self.pending[name]:
                    self.carry_out(name)
            for name in among:
                self.deliver(name)

    def without(self, *names: str) -> tuple[str, ...]:
        """All other servers."""
        return tuple(name for name in self.servers if name not in names)

    def elect(self, name: str, *among: str) -> Raft:
        """Let a server stand, and win, before anything else happens."""
        self.step(name, ElectionTimeout())
        self.settle(*among)
        if self.servers[name].role is not Role.LEADER:
            raise AssertionError(f"{name} did not win")
        return self.servers[name]

    def propose(self, name: str, *commands: bytes) -> None:
        """Ask a server for commands."""
        for command in commands:
            self.step(name, Propose(len(self.outputs[name]), command))

    def beat(self, name: str, *among: str) -> None:
        """A heartbeat of the leader, and all that follows from it."""
        self.step(name, HeartbeatTimeout())
        self.settle(*among)

    def log(self, name: str) -> list[tuple[int, bytes]]:
        """Term and data of each entry."""
        return [(entry.term, entry.data) for entry in self.servers[name].log.entries]

    def commands(self, name: str) -> list[bytes]:
        """What a server applied."""
        return [entry.data for entry in self.applied[name] if entry.kind is Kind.COMMAND]
