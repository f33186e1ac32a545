"""One run: a cluster, its clients and its faults, from a tape; first faults, then all must be well again.

The law: the tape and the setup determine the run, to the byte: its verdict, its history and its trace.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from scrutator.impl.history import History
from scrutator.impl.raft import Event, Output, Raft, Role
from scrutator.impl.raft.tracing import Trace
from scrutator.impl.sim.faults import Faults
from scrutator.impl.sim.host import Host, Status
from scrutator.impl.sim.invariants import LIVENESS, Violated, Watch
from scrutator.impl.sim.network import Network, Quality
from scrutator.impl.sim.setup import Setup
from scrutator.impl.sim.story import Line, Story
from scrutator.impl.sim.tape import Tape
from scrutator.impl.sim.workload import Probe
from scrutator.impl.sim.world import MILLISECOND, SECOND, World

_LOOK_US = 100 * MILLISECOND  # how often to look whether all is well again


@dataclass(frozen=True, slots=True)
class Violation:
    """Which invariant was broken when, in virtual time, and how."""

    invariant: str
    at_us: int
    what: str

    def __str__(self) -> str:
        return f"{self.invariant}, at {self.at_us / 1e6:.6f} s: {self.what}"


@dataclass(frozen=True, slots=True)
class Run:
    """What came of a run."""

    seed: int | None
    violation: Violation | None
    history: str  # what clients saw, in our JSON lines format
    digest: str  # of all that servers did
    tape: tuple[int, ...]
    sizes: tuple[int, ...]  # of how many each choice of the tape was one
    counts: Mapping[str, int]  # faults that happened, and what else did
    events: int
    messages: int
    simulated_s: float
    healed_s: float | None  # how long after the faults all was well; None: not reached
    story: Sequence[Line] = ()
    trace: Sequence[tuple[int, Trace]] = ()  # with the time in microseconds

    @property
    def holds(self) -> bool:
        return self.violation is None


def run(
    seed: int | None = None, setup: Setup | None = None, *,
    tape: Sequence[int] = (), tell: bool = False, trace: bool = False, until_us: int | None = None,
) -> Run:  # fmt: skip
    """Run from a seed, or without one replay a tape.

    ``tell`` keeps the story, ``trace`` the core's traces.  ``until_us`` ends the run early, in the midst of faults.
    """
    drawn = Tape(seed) if seed is not None else Tape(recorded=tape)
    return Simulation(setup or Setup(), drawn, seed, tell=tell, trace=trace).run(until_us)


class Simulation:
    """A run under way."""

    def __init__(self, setup: Setup, tape: Tape, seed: int | None, *, tell: bool, trace: bool) -> None:
        self.setup = setup = setup.varied(tape)
        self.tape, self.seed = tape, seed
        self.world, self.watch = World(), Watch()
        self.network = Network(self.world, tape)
        self.network.quality = Quality(spread_us=setup.spread_ms * MILLISECOND)
        self.telling, self.tracing = tell, trace
        self._story = Story()
        self._trace: list[tuple[int, Trace]] = []
        self._digest = blake2b(digest_size=16)
        members = setup.configuration
        self.hosts = {id: setup.host(id, order, self, members) for order, id in enumerate(setup.names)}
        self._lines: list[bytes] = []  # of the history
        self.history = History("kv", {} if seed is None else {"seed": seed}, self._lines.append)
        self.clients = [setup.client(f"c{k}", self, self.history) for k in range(1, setup.clients + 1)]
        self.faults = Faults(self)
        self._healed_us: int | None = None

    # --- what the parts ask ---------------------------------------------------------------

    def tell(self, who: str, what: str) -> None:
        """Add to the story, if there is one."""
        if self.telling:
            self._story.lines.append((self.world.now, who, what))

    def tell_step(self, host: Host, event: Event, output: Output) -> None:
        """Add what a step changed to the story."""
        self._story.step(self.world.now, host, event, output)

    def note(self, host: Host, raft: Raft) -> None:
        """Let a step count in the digest of the run."""
        now = self.world.now
        self._digest.update(b"%d %b %d %d %d %b;" % (now, host.id.encode(), raft.term, raft.commit, raft.log.last, raft.role.value.encode()))

    def traced(self, trace: Trace) -> None:
        """Keep what a core says of an event."""
        self._trace.append((self.world.now, trace))

    def leader(self) -> Host | None:
        """The running leader of the latest term."""
        leaders = [host for host in self.hosts.values() if host.raft is not None and host.raft.role is Role.LEADER]
        return max(leaders, key=lambda host: host.raft.term if host.raft else 0, default=None)

    # --- the run --------------------------------------------------------------------------

    def run(self, until_us: int | None = None) -> Run:
        """Faults first, then healing, unless that is not to be waited for."""
        faults_us = self.setup.seconds * SECOND
        violation = None
        try:
            self._start()
            self.world.run(faults_us if until_us is None else min(faults_us, until_us))
            if until_us is None or until_us >= faults_us:
                self._heal()
        except Violated as error:
            violation = Violation(error.invariant, self.world.now, error.what)
            self.tell("", f"VIOLATED: {error}")
        return self._result(violation)

    def _start(self) -> None:
        for host in self.hosts.values():
            host.start()
        for client in self.clients:
            client.begin()
        self.faults.begin()

    def _heal(self) -> None:
        """All faults end; then a leader, a new write, and everybody up to date are due in time."""
        healed = self.world.now
        self.faults.heal()
        for client in self.clients:
            client.stopping = True
        probe = Probe("probe", self, self.history)
        self.clients.append(probe)
        probe.begin()
        missing = ""
        while self.world.now < healed + self.setup.healing_s * SECOND:
            self.world.run(self.world.now + _LOOK_US)
            missing = self._missing(probe)
            if not missing:
                self._healed_us = self.world.now - healed
                return
        raise Violated(LIVENESS, f"after {self.setup.healing_s} s {missing}")

    def _members(self) -> list[Host]:
        leader = self.leader()
        if leader is None or leader.raft is None:
            return []
        return [self.hosts[name] for name in leader.raft.configuration.servers]

    def _missing(self, probe: Probe) -> str:
        """What is not yet well."""
        members = self._members()
        if not members:
            return "there is no leader"
        if not probe.done:
            return "no client could write and read"
        down = [host.id for host in members if host.status is not Status.UP]
        if down:
            return f"{', '.join(down)} cannot start"
        behind = [host.id for host in members if host.applied < len(self.watch.committed)]
        if behind:
            return f"{', '.join(behind)} lag behind"
        if any(host.raft is not None and host.raft.configuration.joint for host in members):
            return "a change of members is not complete"
        return ""

    def _result(self, violation: Violation | None) -> Run:
        for client in self.clients:
            client.close()
        network = self.network
        counts = self.watch.counts
        for name in ("lost", "doubled", "late", "stopped"):
            counts[f"messages {name}"] = getattr(network, name)
        counts["terms with a leader"] = len(self.watch.leaders)
        counts["entries committed"] = len(self.watch.committed)
        return Run(
            seed=self.seed, violation=violation, history=b"\n".join([*self._lines, b""]).decode(), digest=self._digest.hexdigest(),
            tape=tuple(self.tape.choices), sizes=tuple(self.tape.sizes), counts=dict(sorted(counts.items())), events=self.world.events,
            messages=network.sent, simulated_s=self.world.now / SECOND,
            healed_s=None if self._healed_us is None else self._healed_us / SECOND, story=self._story.lines, trace=self._trace,
        )  # fmt: skip
