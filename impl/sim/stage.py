"""Where a scenario is played: simulated servers whose network and disks take no time unless they are told to.

The law: time passes only in `run`.  All else happens at one instant, and what follows from it is over before
the next command, but for what is cut, held or stuck.  Nothing is drawn by lot.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from scrutator.impl.machine import Command, encoded
from scrutator.impl.raft import (
    Change,
    Compact,
    Configuration,
    Entry,
    Event,
    Leave,
    Options,
    Output,
    Persist,
    Role,
)
from scrutator.impl.sim.host import Host, Request, Response
from scrutator.impl.sim.mutants import MUTANTS
from scrutator.impl.sim.network import Link, Network, Quality
from scrutator.impl.sim.run import Simulation
from scrutator.impl.sim.setup import Setup
from scrutator.impl.sim.story import Line
from scrutator.impl.sim.tape import Tape
from scrutator.impl.sim.world import World

M = TypeVar("M")

NEVER = 1 << 40  # so slow that no scenario sees the end of it


@dataclass(frozen=True, slots=True)
class Given:
    """What lies on a server's disk at the beginning: the terms of its entries, by position."""

    terms: tuple[int, ...] = ()
    term: int = 0
    vote: str | None = None

    def persist(self) -> Persist:
        """The record; entries of one position and term are the same on every server."""
        entries = [Entry(t, k, data=written(f"{t}.{k}", "given")) for k, t in enumerate(self.terms, 1)]
        return Persist(term=max((self.term, *self.terms)), vote=self.vote, entries=entries)


@dataclass(frozen=True, slots=True)
class Cast(Setup):
    """Servers by the names that a scenario gives them, plain as in the paper; snapshots are taken only when told."""

    members: tuple[str, ...] = ()
    others: tuple[str, ...] = ()  # of whom the first configuration knows nothing
    clients: int = 0
    snapshot_every: int = 1 << 30
    faults: str = "none"
    vary: bool = False
    options: Options = field(default_factory=lambda: Options(pre_vote=False, check_quorum=False))
    given: dict[str, Given] = field(default_factory=dict)

    @property
    def initial(self) -> tuple[str, ...]:
        return self.members

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.members, *self.others)


class Chosen(Tape):
    """Every choice is the most benign, but for those that lie in ``coming``."""

    __slots__ = ("coming",)

    def __init__(self) -> None:
        super().__init__()
        self.coming: deque[int] = deque()

    def draw(self, n: int) -> int:
        return min(self.coming.popleft(), n - 1) if self.coming else 0


class HoldingNetwork(Network):
    """Delivers at once, but on links that are held: there, messages wait until they are released."""

    def __init__(self, world: World, tape: Tape) -> None:
        super().__init__(world, tape)
        self.quality = Quality(shortest_us=0, spread_us=0)
        self._holding: set[Link] = set()
        self._held: list[tuple[Link, Callable[[], None]]] = []

    def send(self, src: str, dst: str, deliver: Callable[[M], None], message: M, *, once: bool = False) -> None:
        if (src, dst) in self._holding:
            self._held.append(((src, dst), lambda: self._send_now(src, dst, deliver, message)))
        else:
            self._send_now(src, dst, deliver, message)

    def _send_now(self, src: str, dst: str, deliver: Callable[[M], None], message: M) -> None:
        super().send(src, dst, deliver, message)

    def hold(self, links: Iterable[Link]) -> None:
        """Let messages on these links wait from now on."""
        self._holding.update(links)

    def release(self, links: Iterable[Link]) -> int:
        """Send what waited, in the order in which it came, and go on holding; how many messages that were."""
        taken = self.drop(links)
        for send in taken:
            send()
        return len(taken)

    def drop(self, links: Iterable[Link]) -> list[Callable[[], None]]:
        """Lose what waited, and go on holding; what would have sent it."""
        wanted = set(links)
        taken = [send for link, send in self._held if link in wanted]
        self._held = [(link, send) for link, send in self._held if link not in wanted]
        return taken

    def hold_no_more(self, links: Iterable[Link]) -> None:
        """Let messages pass again; what still waits is sent."""
        self._holding -= set(links)
        self.release(links)


@dataclass(slots=True)
class Answer:
    """What came of a request so far."""

    text: str = "nothing"


class Stage(Simulation):
    """A cluster under a scenario's command, watched by the same invariants as any run.

    Every step raises `Violated` where an invariant breaks.
    """

    network: HoldingNetwork

    def __init__(self, cast: Cast, mutant: str | None = None) -> None:
        setup = cast if mutant is None else MUTANTS[mutant].setup(cast)
        self._choices = Chosen()
        super().__init__(setup, self._choices, None, tell=True, trace=False)
        self.network = HoldingNetwork(self.world, self._choices)
        self._cut: set[Link] = set()
        self._why = ""  # the last refusal
        self._changes: dict[str, Answer] = {}  # to the last who asked each server for a change
        self._requests = 0
        for host in self.hosts.values():
            host.torn = True
            host.disk.slowness = 0
            given = cast.given.get(host.id)
            if given is not None:
                host.disk.append(given.persist())
                host.disk.sync(host.disk.writes)
            host.start()

    @property
    def story(self) -> Sequence[Line]:
        """What happened so far."""
        return self._story.lines

    def tell_step(self, host: Host, event: Event, output: Output) -> None:
        """Remember why a server refuses, which is not told to clients."""
        super().tell_step(host, event, output)
        if output.refused:
            self._why = output.refused[-1][2]
        if isinstance(event, (Change, Leave)) and host.id in self._changes:
            self._changes[host.id].text = f"refused: {self._why}" if output.refused else "accepted"

    # --- time -----------------------------------------------------------------------------

    def deliver(self) -> None:
        """Let everything happen that is to happen at this instant."""
        self.world.run(self.world.now)

    def pass_time(self, us: int) -> None:
        """Let time pass, with all timers."""
        self.world.run(self.world.now + us)

    # --- servers --------------------------------------------------------------------------

    def tell_server(self, name: str, event: Event) -> None:
        """Let something happen to a running server."""
        self.hosts[name].command(event)

    def compact(self, name: str) -> None:
        """Have a server replace all that it has applied by a snapshot."""
        host = self.hosts[name]
        data = host.machine.snapshot()
        self.watch.snapshot(host, host.applied, data)
        host.command(Compact(host.applied, data))

    def crash(self, name: str, kept_bytes: int = 0) -> None:
        """Crash a server; of what its disk has not synced, so many bytes are kept."""
        self._choices.coming.append(kept_bytes)
        self.hosts[name].crash()
        self._choices.coming.clear()

    def restart(self, name: str) -> None:
        """Start a server from its disk, which is fast again."""
        self.hosts[name].disk.slowness = 0
        self.hosts[name].start()

    def stick(self, name: str) -> None:
        """Let a disk write, and never come to an end of syncing."""
        self.hosts[name].disk.slowness = NEVER

    # --- links ----------------------------------------------------------------------------

    def cut(self, links: Iterable[Link]) -> None:
        """Lose what is sent over these links from now on."""
        new = set(links) - self._cut
        self._cut |= new
        self.network.cut(sorted(new))

    def mend(self, links: Iterable[Link] | None = None) -> None:
        """Undo that for these links, or for all."""
        old = self._cut if links is None else set(links) & self._cut
        self.network.mend(sorted(old))
        self._cut = self._cut - old

    # --- requests -------------------------------------------------------------------------

    def propose(self, name: str, data: bytes) -> Answer:
        """Ask a server for a command."""
        return self._ask(name, "log", data)

    def read(self, name: str, key: str, way: str) -> Answer:
        """Ask a server for what a key holds, by ``index`` or by ``lease``."""
        return self._ask(name, way, key.encode())

    def change(self, name: str, target: Configuration, *, single: bool, auto_leave: bool = True) -> Answer:
        """Ask a server for other members."""
        answer = self._changes[name] = Answer()
        self._requests += 1
        self.tell_server(name, Change(self._requests, target, single, auto_leave))
        return answer

    def leave(self, name: str) -> Answer:
        """Ask a server to leave a joint configuration."""
        answer = self._changes[name] = Answer()
        self._requests += 1
        self.tell_server(name, Leave(self._requests))
        return answer

    def _ask(self, name: str, way: str, data: bytes) -> Answer:
        answer = Answer()

        def respond(response: Response) -> None:
            if response.reply is None:
                answer.text = f"refused: {self._why}" if self._why else "refused"
            elif way == "log":
                self.watch.acknowledged(response.index, data)
                answer.text = "done"
            else:
                result = response.reply.result
                answer.text = result.decode() if isinstance(result, bytes) else "empty"

        self._why = ""
        self._requests += 1
        self.hosts[name].request(Request("scenario", (self._requests, 1), way, data, respond))
        return answer

    # --- looking --------------------------------------------------------------------------

    def leaders(self) -> list[Host]:
        """All who think they lead, the latest last."""
        those = [h for h in self.hosts.values() if h.raft is not None and h.raft.role is Role.LEADER]
        return sorted(those, key=lambda h: h.raft.term if h.raft is not None else 0)


def written(key: str, value: str, op: str = "put") -> bytes:
    """The bytes of a command."""
    return encoded(Command(op, key.encode(), value.encode()))
