"""What a run consists of: all that is not on the tape.

Law: together with the tape, this determines a run.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from scrutator.impl.machine import KeyValue
from scrutator.impl.raft import Configuration, Options, Raft, configuration
from scrutator.impl.sim.tape import Tape

if TYPE_CHECKING:
    from scrutator.impl.sim.host import Host
    from scrutator.impl.sim.workload import Client

FAULTS = ("kill", "pause", "partition", "isolate", "network", "disk", "clock", "membership", "transfer")


def _host() -> type[Host]:
    from scrutator.impl.sim.host import Host

    return Host


def _client() -> type[Client]:
    from scrutator.impl.sim.workload import Client

    return Client


@dataclass(frozen=True, slots=True)
class Setup:
    """How large the cluster and its load are, which faults there may be, and whose code runs.

    With ``vary``, the tape draws another size, load and pace, of which these are the most benign.
    ``faults`` is "swarm" (the tape says which), "none", or names of `FAULTS` with commas.  A core, a state
    machine, a host or a client with a bug in it takes the place of ``raft``, ``machine``, ``host`` or ``client``.
    """

    servers: int = 5
    spares: int = 3  # servers to be added
    clients: int = 3
    keys: int = 3
    seconds: int = 30  # under faults
    healing_s: int = 30  # within which the healed cluster must be in order
    think_ms: int = 800  # between a client's operations, at most
    attempt_ms: int = 1200  # that a client waits for a server
    snapshot_every: int = 25  # entries
    sessions_max: int = 8
    faults: str = "swarm"
    vary: bool = True
    reads: int = 6  # of 16 operations
    ways: tuple[str, ...] = ("log", "index", "lease")  # how a client reads, each as often
    spread_ms: int = 10  # between the shortest and the longest way of a message
    sync_spread_ms: int = 3
    flexible: bool = False  # elections need more than a majority, and so commits fewer
    drift_kept: bool = True  # clocks keep to the bound that leases rest on
    options: Options = field(default_factory=Options)
    raft: type[Raft] = Raft
    machine: type[KeyValue] = KeyValue
    host: type[Host] = field(default_factory=_host)
    client: type[Client] = field(default_factory=_client)

    def __post_init__(self) -> None:
        if self.faults not in ("swarm", "none"):
            unknown = [name for name in self.faults.split(",") if name not in FAULTS]
            if unknown:
                raise ValueError(f"there is no fault {unknown[0]!r}: choose of {', '.join(FAULTS)}, or swarm, or none")

    def varied(self, tape: Tape) -> Setup:
        """The setup of one run: sizes, load and pace from the tape, if ``vary``."""
        if not self.vary:
            return self
        pick = tape.pick
        options = replace(
            self.options,
            pre_vote=pick((self.options.pre_vote,) * 3 + (False,)),
            check_quorum=pick((self.options.check_quorum,) * 3 + (False,)),
            heartbeat_s=pick((self.options.heartbeat_s, self.options.election_timeout_s * 0.4)),
            drift=pick((self.options.drift, 0.2)),
            batch_bytes=pick((self.options.batch_bytes, 1)),
            inflight=pick((self.options.inflight, 2)),
            chunk_bytes=pick((self.options.chunk_bytes, 100)),
        )
        clients = pick((self.clients, 2 * self.clients))
        ways = pick((self.ways, (*self.ways, "lease", "lease", "lease"), (*self.ways, "index", "index", "index")))
        jumping = pick((False,) * 7 + (self.drift_kept,))  # clocks keep to no bound: then nobody reads by lease
        return replace(
            self,
            options=options,
            servers=pick((self.servers, 3, 4)),
            flexible=pick((self.flexible,) * 7 + (True,)),
            clients=clients,
            attempt_ms=pick((self.attempt_ms, self.attempt_ms // 4)),
            think_ms=pick((self.think_ms, self.think_ms // 8 + 1)),
            snapshot_every=pick((self.snapshot_every, 4, 100)),
            sessions_max=pick((self.sessions_max + clients, clients)),  # clients that give up take further ones
            reads=pick((self.reads, 12, 1)),
            ways=tuple(way for way in ways if way != "lease" or not jumping) or ("index",),
            drift_kept=self.drift_kept and not jumping,
            spread_ms=pick((self.spread_ms, 50, 200, 500)),
            sync_spread_ms=pick((self.sync_spread_ms, 50)),
        )

    @property
    def configuration(self) -> Configuration:
        """The first configuration: majorities, or quorums of other sizes that meet as Flexible Paxos says."""
        if not self.flexible:
            return configuration(self.initial)
        election = self.servers // 2 + 2 if self.servers > 2 else self.servers
        return configuration(self.initial, election=str(election), commit=str(self.servers - election + 1))

    @property
    def initial(self) -> tuple[str, ...]:
        """The first members."""
        return tuple(f"n{k}" for k in range(1, self.servers + 1))

    @property
    def names(self) -> tuple[str, ...]:
        """All servers, spares last."""
        return tuple(f"n{k}" for k in range(1, self.servers + self.spares + 1))
