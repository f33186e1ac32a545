"""What a run consists of: all that is not on the tape.

Law: together with the tape, this determines a run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scrutator.impl.machine import KeyValue
from scrutator.impl.raft import Options, Raft

if TYPE_CHECKING:
    from scrutator.impl.sim.host import Host

FAULTS = ("kill", "pause", "partition", "network", "disk", "clock", "membership", "transfer")


def _host() -> type[Host]:
    from scrutator.impl.sim.host import Host

    return Host


@dataclass(frozen=True, slots=True)
class Setup:
    """How large the cluster and its load are, which faults there may be, and whose code runs.

    ``faults`` is "swarm" (the tape says which), "none", or names of `FAULTS` with commas.  A core, a state
    machine or a host with a bug in it takes the place of ``raft``, ``machine`` or ``host``.
    """

    servers: int = 5
    spares: int = 2  # servers to be added
    clients: int = 3
    keys: int = 3
    seconds: int = 30  # under faults
    healing_s: int = 30  # within which the healed cluster must be in order
    think_ms: int = 800  # between a client's operations, at most
    snapshot_every: int = 25  # entries
    sessions_max: int = 8
    faults: str = "swarm"
    drift_kept: bool = True  # clocks keep to the bound that leases rest on
    options: Options = field(default_factory=Options)
    raft: type[Raft] = Raft
    machine: type[KeyValue] = KeyValue
    host: type[Host] = field(default_factory=_host)

    def __post_init__(self) -> None:
        if self.faults not in ("swarm", "none"):
            unknown = [name for name in self.faults.split(",") if name not in FAULTS]
            if unknown:
                raise ValueError(f"there is no fault {unknown[0]!r}: choose of {', '.join(FAULTS)}, or swarm, or none")

    @property
    def initial(self) -> tuple[str, ...]:
        """The first members."""
        return tuple(f"n{k}" for k in range(1, self.servers + 1))

    @property
    def names(self) -> tuple[str, ...]:
        """All servers, spares last."""
        return tuple(f"n{k}" for k in range(1, self.servers + self.spares + 1))
