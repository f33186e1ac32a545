"""Our own node as a system under test: processes, with proxies or a network of their own between them.

Law: nodes run as they do anywhere else, but that they find each other through wires that can be cut, and that
their clocks may be turned.
"""

from __future__ import annotations

import asyncio
import contextlib
import platform
import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

import scrutator
from scrutator.impl.cluster import nodefile
from scrutator.impl.cluster.folder import new_name
from scrutator.impl.cluster.network import Namespaces
from scrutator.impl.cluster.processes import Process, stop_all
from scrutator.impl.cluster.resp import Error, ask
from scrutator.impl.cluster.standing import leader_of, standings, until_served
from scrutator.impl.cluster.target import TargetError
from scrutator.impl.cluster.targets._of_processes import OfProcesses
from scrutator.impl.cluster.targets._options import number, one_of, whole, yes_or_no
from scrutator.impl.cluster.targets._raft_client import RaftClient
from scrutator.impl.cluster.wires import Address, ThroughProxies, Wires, address
from scrutator.impl.node.config import ConfigError, Limits, NodeConfig, Place, Timing, checked
from scrutator.impl.node.mutants import mutants

ASK_S = 0.5
TURN_S = 2.0
LONGEST_S = 3600.0  # of the configuration's times
SLOWEST = 0.01  # of a clock, in seconds per second


class RaftTarget(OfProcesses):
    """Options are texts, as on a command line.

    ``reads`` is index, lease or log; ``followers`` forward or moved; ``mutant`` breaks every node;
    ``snapshot_every`` counts entries; what each core does is written into its folder unless ``trace=no``; ``partitions`` is
    proxy or namespaces; ``election_timeout_s``, ``heartbeat_s`` and ``drift`` are those of the configuration.
    """

    name = "raft"
    operations = frozenset({"get", "put", "append", "cas", "delete", "incr"})
    faults = frozenset({"kill", "pause", "partition", "clock"})

    def __init__(
        self, reads: str = "index", followers: str = "forward", mutant: str = "", snapshot_every: str = "", trace: str = "yes",
        partitions: str = "proxy", election_timeout_s: str = "", heartbeat_s: str = "", drift: str = "",
    ) -> None:  # fmt: skip
        super().__init__()
        if mutant and mutant not in mutants():
            raise TargetError(f"raft: there is no mutant {mutant!r}: write one of {', '.join(mutants())}")
        self._options = {
            "reads": one_of("raft", "reads", reads, "index", "lease", "log"), "followers": one_of("raft", "followers", followers, "forward", "moved"),
            "mutant": mutant,
        }  # fmt: skip
        timing = (("election_timeout_s", election_timeout_s, LONGEST_S), ("heartbeat_s", heartbeat_s, LONGEST_S), ("drift", drift, 0.5))
        self._timing = Timing(**{name: number("raft", name, text, 0, most) for name, text, most in timing if text})
        self._limits = Limits(**({"snapshot_every": whole("raft", "snapshot_every", snapshot_every, 1, (1 << 31) - 1)} if snapshot_every else {}))
        self._trace = yes_or_no("raft", "trace", trace)
        self._partitions = one_of("raft", "partitions", partitions, "proxy", "namespaces")
        self._wires: Wires = Namespaces() if self._partitions == "namespaces" else ThroughProxies()
        self._cluster = new_name()
        self._turning: dict[str, asyncio.Task[None]] = {}  # clocks that stand still for a while

    # --- life -------------------------------------------------------------------------------------

    async def start(self, folder: Path, nodes: int, seed: int) -> None:
        """Raises `TargetError`."""
        self.nodes = [f"n{k + 1}" for k in range(nodes)]
        await self._wires.open(self.nodes)
        for node in self.nodes:
            home = (folder / node).absolute()
            path = home / "node.toml"
            try:
                nodefile.write(checked(self._config(node, home), str(path)), path)
            except (ConfigError, OSError) as error:
                raise TargetError(f"raft: {error}") from error
            self._processes[node] = Process(node, nodefile.command(path), home / "log.jsonl", folder=home, within=self._wires.within(node))
        for process in self._processes.values():
            process.start()
        await until_served(self._places(), self._processes)

    def _config(self, node: str, home: Path) -> NodeConfig:
        wires = self._wires
        places = {
            other: Place(address(wires.listens(other) if other == node else wires.dials(node, other)), address(wires.clients(other))) for other in self.nodes
        }
        fields = {
            **self._options, "id": node, "cluster": self._cluster, "data": str(home / "data"), "nodes": places, "timing": self._timing,
            "limits": self._limits, "any_address": self._partitions == "namespaces", "trace": str(home / "trace.jsonl") if self._trace else "", "debug": True,
        }  # fmt: skip
        return msgspec.convert(msgspec.to_builtins(fields), NodeConfig)

    async def stop(self) -> None:
        for turning in self._turning.values():
            turning.cancel()
        await asyncio.gather(*self._turning.values(), return_exceptions=True)
        await stop_all(list(self._processes.values()))
        await self._wires.close()

    # --- what it is -------------------------------------------------------------------------------

    def versions(self) -> Mapping[str, str]:
        return {"node": scrutator.__version__, "python": platform.python_version(), "sqlite": sqlite3.sqlite_version}

    def configuration(self) -> Mapping[str, str | int | float | bool]:
        timing = msgspec.to_builtins(self._timing)
        how = self._wires.how() if isinstance(self._wires, Namespaces) and self.nodes else self._partitions
        return {**self._options, **timing, "snapshot_every": self._limits.snapshot_every, "trace": self._trace, "partitions": how}

    def _places(self) -> dict[str, Address]:
        return {node: self._wires.clients(node) for node in self.nodes}

    async def leader(self) -> str | None:
        return leader_of(await standings(self._places(), ASK_S))

    # --- what is done to it -----------------------------------------------------------------------

    async def kill(self, node: str) -> None:
        self._stop_turning(node)
        await super().kill(node)

    async def partition(self, cut: frozenset[tuple[str, str]]) -> None:
        """Raises `TargetError`."""
        await self._wires.cut(cut)

    async def clock(self, node: str, offset_s: float, rate: float) -> None:
        """Raises `TargetError`.  The clock is one that never goes back: set back, it stands still until it is right."""
        self._stop_turning(node)
        await self._turn(node, max(0.0, offset_s), SLOWEST if offset_s < 0 else rate)
        if offset_s < 0:
            self._turning[node] = asyncio.get_running_loop().create_task(self._stand_still(node, -offset_s, rate))

    async def _stand_still(self, node: str, seconds: float, rate: float) -> None:
        await asyncio.sleep(seconds)
        with contextlib.suppress(TargetError):  # it may be paused by now, or have died
            await self._turn(node, 0.0, rate)

    def _stop_turning(self, node: str) -> None:
        turning = self._turning.pop(node, None)
        if turning is not None:
            turning.cancel()

    async def _turn(self, node: str, offset_s: float, rate: float) -> None:
        until_s = time.monotonic() + TURN_S
        while True:  # a node that was just started again may not listen yet
            try:
                answer = await ask(*self._wires.clients(node), "DEBUG", "CLOCK", offset_s, rate, timeout_s=TURN_S)
                break
            except (OSError, EOFError, TimeoutError) as error:
                if time.monotonic() > until_s:
                    raise TargetError(f"{node} did not turn its clock: {error or type(error).__name__}") from error
            await asyncio.sleep(0.1)
        if isinstance(answer, Error):
            raise TargetError(f"{node} did not turn its clock: {answer}")

    def connect(self, node: str | None, number: int) -> RaftClient:
        return RaftClient(self._places(), node, number)
