"""A simulated cluster for tests that steer it as the suites of others do: cut off, crash, restart, ask for writes.

The law: everything a lab does comes from its seed.  The invariants are looked at after every step, and `finish`
makes the last checks: one log everywhere, every acknowledged write in it, one state, one sender of entries a term.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from scrutator.impl.machine import Command, encoded
from scrutator.impl.raft import Change, Configuration, Members, Options, Raft, Role, Transfer
from scrutator.impl.raft.messages import (
    Appended,
    AppendEntries,
    Installing,
    InstallSnapshot,
    Message,
    ReadReply,
    RequestVote,
    Vote,
)
from scrutator.impl.sim.faults import both
from scrutator.impl.sim.host import Host, Request, Response, Status
from scrutator.impl.sim.network import Network, Quality
from scrutator.impl.sim.run import Simulation
from scrutator.impl.sim.setup import Setup
from scrutator.impl.sim.tape import Tape
from scrutator.impl.sim.world import MILLISECOND, SECOND, World

M = TypeVar("M")

ANSWERS = (Vote, Appended, Installing, ReadReply)
UNRELIABLE = Quality(lost=100, doubled=20, late=100, late_ms=100)
REORDERED = Quality(lost=100, doubled=20, late=600, late_ms=400)  # "long reordering" of 6.5840
TIMEOUT_S = 1.0  # the shortest election timeout


class Wire(Network):
    """Counts what servers send to each other; votes may be slow to one server and from it."""

    def __init__(self, world: World, tape: Tape) -> None:
        super().__init__(world, tape)
        self.counts: Counter[str] = Counter()
        self.requests = self.refusals = self.data_bytes = 0
        self.entries: Counter[tuple[str, int, int]] = Counter()  # by receiver, position, term
        self.senders: dict[int, set[str]] = {}  # of entries and heartbeats, by term
        self.slow_to: str | None = None
        self.slow_from: str | None = None
        self._world_, self._tape_ = world, tape

    def send(self, src: str, dst: str, deliver: Callable[[M], None], message: M, *, once: bool = False) -> None:
        if isinstance(message, Message):
            self._count(message)
        if isinstance(message, (RequestVote, Vote)) and (src == self.slow_from or dst == self.slow_to):
            late = MILLISECOND * (100 + self._tape_.draw(900))
            self._world_.after(late, lambda m: Network.send(self, src, dst, deliver, m), message)
        else:
            super().send(src, dst, deliver, message, once=once)

    def _count(self, message: Message) -> None:
        self.counts[type(message).__name__] += 1
        self.requests += not isinstance(message, ANSWERS)
        if isinstance(message, AppendEntries):
            self.senders.setdefault(message.term, set()).add(message.src)
            for entry in message.entries:
                self.entries[message.dst, entry.index, entry.term] += 1
                self.data_bytes += len(entry.data)
        elif isinstance(message, InstallSnapshot):
            self.senders.setdefault(message.term, set()).add(message.src)
        elif isinstance(message, Appended) and message.refused is not None:
            self.refusals += 1


@dataclass(slots=True)
class Write:
    """What came of a write: its position once acknowledged, 0 if refused, None while nothing is known."""

    data: bytes
    index: int | None = None


class Lab(Simulation):
    """The cluster; servers are n1, n2, ..."""

    network: Wire
    raft: type[Raft] = Raft  # the core that runs, or a broken one

    def __init__(
        self, seed: int, servers: int, *, spares: int = 0, quality: Quality | None = None,
        snapshot_every: int = 1 << 30, options: Options | None = None,
    ) -> None:  # fmt: skip
        setup = Setup(
            servers=servers, spares=spares, clients=0, vary=False, faults="none",
            snapshot_every=snapshot_every, options=options or Options(), raft=self.raft,
        )  # fmt: skip
        super().__init__(setup, Tape(seed), seed, tell=False, trace=False)
        self.network = Wire(self.world, self.tape)
        self.network.quality = quality or Quality()
        self.random = Random(seed)
        self.off: set[str] = set()  # who is cut off
        self.writes: list[Write] = []
        self.names = list(setup.names)
        self._hint = self.names[0]
        for host in self.hosts.values():
            host.start()

    # --- time, servers, links -------------------------------------------------------------

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.world.run(self.world.now + round(seconds * SECOND))

    def until(self, holds: Callable[[], object], seconds: float, what: str) -> None:
        """Wait until something holds; fails after so long."""
        end = self.world.now + round(seconds * SECOND)
        while not holds():
            assert self.world.now < end, f"after {seconds} s: {what}"
            self.wait(0.02)

    def disconnect(self, *names: str) -> None:
        """Cut servers off from all others."""
        for name in set(names) - self.off:
            self.off.add(name)
            self.network.cut(both([name], [n for n in self.names if n != name]))

    def connect(self, *names: str) -> None:
        """Undo that."""
        for name in set(names) & self.off:
            self.off.remove(name)
            self.network.mend(both([name], [n for n in self.names if n != name]))

    def crash(self, *names: str) -> None:
        """Stop servers at once, in whatever they are doing."""
        for name in names:
            self.hosts[name].crash()

    def start(self, *names: str) -> None:
        """Start what is down."""
        for name in names:
            if self.hosts[name].status is not Status.UP:
                self.hosts[name].start()

    # --- who leads ------------------------------------------------------------------------

    def leading(self) -> list[Host]:
        """The servers that lead in their own eyes, and are not cut off; the latest last."""
        those = [h for h in self.hosts.values() if h.raft is not None and h.raft.role is Role.LEADER and h.id not in self.off]
        return sorted(those, key=lambda h: h.raft.term if h.raft is not None else 0)

    def one_leader(self) -> str:
        """Wait for a leader among those that are not cut off; there is one for each term by the invariants."""
        self.until(self.leading, 10 * TIMEOUT_S, "no leader")
        return self.leading()[-1].id

    def no_leader(self) -> None:
        """Nobody leads any more who is not cut off."""
        self.until(lambda: not self.leading(), 3 * TIMEOUT_S, f"{self.leading()} leads without a quorum")

    def followers(self) -> list[str]:
        """All first members but the leader, from the one after it on."""
        at = self.names.index(self.one_leader())
        count = self.setup.servers
        return [self.names[(at + k) % count] for k in range(1, count)]

    def terms(self) -> set[int]:
        return {host.raft.term for host in self.hosts.values() if host.raft is not None}

    # --- writes ---------------------------------------------------------------------------

    def ask(self, name: str, size: int = 0) -> Write:
        """Ask one server for a write of its own, of about so many bytes."""
        number = len(self.writes)
        write = Write(encoded(Command("put", b"w%d" % number, b"%0*d" % (size, number))))
        self.writes.append(write)

        def respond(response: Response) -> None:
            if response.reply is None:
                write.index = 0
                self._hint = response.leader or self._hint
            else:
                self.watch.acknowledged(response.index, write.data)
                write.index = response.index

        self.hosts[name].request(Request("lab", (number, 1), "log", write.data, respond))
        return write

    def stored(self, index: int) -> list[str]:
        """Who has applied the entry at a position."""
        return [host.id for host in self.hosts.values() if host.applied >= index]

    def is_committed(self, write: Write) -> bool:
        return any(entry.data == write.data for entry in self.watch.committed)

    def agree(self, servers: int, size: int = 0, seconds: float = 10) -> int:
        """Have a write applied by so many servers, asking whoever leads, again if need be; its position."""
        end = self.world.now + round(seconds * SECOND)
        while self.world.now < end:
            leading = self.leading()
            if leading:
                write = self.ask(leading[-1].id, size)
                stop = min(end, self.world.now + 2 * SECOND)
                while self.world.now < stop and write.index != 0:
                    if write.index and len(self.stored(write.index)) >= servers:
                        return write.index
                    self.wait(0.005)
            else:
                self.wait(0.02)
        raise AssertionError(f"no agreement of {servers} servers within {seconds} s")

    def load(self, every_ms: int, seconds: float) -> None:
        """Ask for a write again and again, in the background; who refuses may say whom to ask."""
        end = self.world.now + round(seconds * SECOND)

        def ask(_: None) -> None:
            host = self.hosts[self._hint]
            if host.status is not Status.UP or self.random.random() < 0.05:
                self._hint = self.random.choice(self.names)
            self.ask(self._hint)
            if self.world.now < end:
                self.world.after(every_ms * MILLISECOND, ask, None)

        ask(None)

    # --- operators ------------------------------------------------------------------------

    def change(self, voters: Collection[str], *, single: bool = False, seconds: float = 20) -> None:
        """Ask for other members until that is in effect, and committed."""
        target = Configuration(Members(tuple(voters)))

        def done() -> bool:
            leading = self.leading()
            raft = leading[-1].raft if leading else None
            if raft is None:
                return False
            if raft.configuration == target:
                return raft.commit >= raft.log.configured_at
            leading[-1].command(Change(0, target, single))
            return False

        self.until(done, seconds, f"members are not {voters}")

    def transfer(self, to: str) -> None:
        """Ask whoever leads to hand over."""
        for host in self.leading():
            host.command(Transfer(to))

    # --- the end --------------------------------------------------------------------------

    def finish(self) -> None:
        """All is healed; then the last checks must hold."""
        self.network.quality = Quality()
        self.network.slow_to = self.network.slow_from = None
        self.connect(*self.off)
        self.start(*self.names)
        leader = self.hosts[self.one_leader()]
        assert leader.raft is not None
        members = leader.raft.configuration.voters
        self.agree(len(members), seconds=20)
        self.until(lambda: self._is_even(members), 10, "servers lag behind")
        self._check(members)

    def _is_even(self, members: Collection[str]) -> bool:
        rafts = [self.hosts[name].raft for name in members]
        return all(r is not None and r.applied == r.log.last == len(self.watch.committed) for r in rafts)

    def _check(self, members: Collection[str]) -> None:
        hosts = [self.hosts[name] for name in members]
        committed = self.watch.committed
        for host in hosts:
            assert host.raft is not None
            assert host.raft.log.entries == committed[host.raft.log.base :], host.id
        places = {entry.data: entry.index for entry in committed if entry.data}
        for write in self.writes:
            if write.index is not None:
                assert places.get(write.data, 0) == write.index, "a write was acknowledged elsewhere, or refused and yet took place"
        assert len({host.machine.snapshot() for host in hosts}) == 1
        assert all(len(senders) == 1 for senders in self.network.senders.values())
