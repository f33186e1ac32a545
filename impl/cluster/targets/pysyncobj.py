"""PySyncObj, a Raft library in Python: a small store of ours on it, with its journal, five processes or so.

Reads are those that its documentation shows, of the node's own memory (``reads=local``), or commands of the log
(``reads=log``).  Of two nodes the one whose address sorts higher dials the other, and it tells its address by
which it must be known there; hence nodes are ``localhost:port`` where they answer, and ``127.0.0.1:port`` of a
proxy, which sorts lower, where they are dialled.

The law: what the library calls failed is refused only where its source says that the command is not applied.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import importlib.util
import json
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from scrutator.impl.cluster.ports import LOOPBACK, Ports
from scrutator.impl.cluster.processes import Process, stop_all
from scrutator.impl.cluster.proxy import Proxies
from scrutator.impl.cluster.target import Refused, TargetError, Unknown
from scrutator.impl.cluster.targets._of_processes import OfProcesses

START_S = 30.0
ASK_S = 1.0
ANSWER_BYTES_MAX = 1 << 20
_CONF: dict[str, float | bool | int] = {
    "autoTickPeriod": 0.01, "appendEntriesPeriod": 0.05, "raftMinTimeout": 0.5, "raftMaxTimeout": 1.0, "connectionRetryTime": 0.3,
    "connectionTimeout": 2.0, "leaderFallbackTimeout": 2.0, "appendEntriesUseBatch": False, "commandsWaitLeader": False,
}  # fmt: skip


class PySyncObj(OfProcesses):
    """A replicated dictionary on PySyncObj."""

    name = "pysyncobj"
    operations = frozenset({"get", "put", "append", "cas", "delete"})
    faults = frozenset({"kill", "pause", "partition"})

    def __init__(self, reads: str = "local") -> None:
        super().__init__()
        if reads not in ("local", "log"):
            raise TargetError(f"reads={reads}: write reads=local, as the library's documentation reads, or reads=log")
        self.reads = reads
        self.client_ports: dict[str, int] = {}
        self._own: dict[str, str] = {}  # each node's address in the library
        self._held: Ports | None = None
        self._proxies = Proxies()

    async def start(self, folder: Path, nodes: int, seed: int) -> None:
        if importlib.util.find_spec("pysyncobj") is None:
            raise TargetError("PySyncObj is not installed: pip install pysyncobj")
        self.nodes = [f"n{k}" for k in range(1, nodes + 1)]
        self._held = Ports()
        raft_ports = dict(zip(self.nodes, sorted(self._held.take() for _ in self.nodes), strict=True))
        self.client_ports = {node: self._held.take() for node in self.nodes}
        self._own = {node: f"localhost:{port}" for node, port in raft_ports.items()}
        await self._proxies.open({node: (LOOPBACK, port) for node, port in raft_ports.items()})
        for node in self.nodes:
            self._processes[node] = self._process((folder / node).resolve(), node, raft_ports[node])
            self._processes[node].start()
        await asyncio.gather(*map(self._serves, self.nodes))
        await self._led()

    def _process(self, folder: Path, node: str, port: int) -> Process:
        folder.mkdir(parents=True)
        settings = folder / "settings.json"
        others = [self._known_as(node, other) for other in self.nodes if other != node]
        settings.write_text(json.dumps({
            "own": self._own[node], "bind": f"{LOOPBACK}:{port}", "others": others, "client_port": self.client_ports[node], "conf": _CONF,
        }))  # fmt: skip
        command = (sys.executable, "-m", "scrutator.impl.cluster.targets._pysyncobj_node", str(settings))
        return Process(node, command, folder / "log")

    def _known_as(self, node: str, other: str) -> str:
        """Another node's address as a node has it: through a proxy where it dials."""
        if self._own[other] > self._own[node]:
            return self._own[other]
        host, port = self._proxies.address(node, other)
        return f"{host}:{port}"

    async def _serves(self, node: str) -> None:
        until = time.monotonic() + START_S
        while await self._status(node) is None:
            if self._processes[node].problem:
                raise TargetError(self._processes[node].problem)
            if time.monotonic() > until:
                raise TargetError(f"{node} did not answer within {START_S:.0f} s: its log is {self._processes[node].log}")
            await asyncio.sleep(0.05)

    async def _led(self) -> None:
        until = time.monotonic() + START_S
        while await self.leader() is None:
            if time.monotonic() > until:
                raise TargetError(f"no leader was elected within {START_S:.0f} s")
            await asyncio.sleep(0.05)

    async def stop(self) -> None:
        await stop_all(list(self._processes.values()), grace_s=0.5)
        await self._proxies.close()
        if self._held is not None:
            self._held.close()

    def versions(self) -> Mapping[str, str]:
        return {"pysyncobj": importlib.metadata.version("pysyncobj"), "python": sys.version.split()[0]}

    def configuration(self) -> Mapping[str, str | int | float | bool]:
        return {**_CONF, "journalFile": "one for each node", "fullDumpFile": "one for each node", "reads": self.reads}

    # --- faults ---------------------------------------------------------------------------------

    async def leader(self) -> str | None:
        """Whom most nodes take for it."""
        said = await asyncio.gather(*map(self._status, self.nodes))
        votes = [name for node, status in zip(self.nodes, said, strict=True) if status for name in [self._named(node, status.get("leader"))] if name]
        return max(sorted(set(votes)), key=votes.count, default=None)

    def _named(self, node: str, address: object) -> str | None:
        """The node that another one calls so."""
        if address == self._own[node]:
            return node
        return next((other for other in self.nodes if other != node and self._known_as(node, other) == address), None)

    async def _status(self, node: str) -> dict[str, object] | None:
        if not self._processes[node].running:
            return None
        client = PySyncObjClient(self, node)
        try:
            async with asyncio.timeout(ASK_S):
                found = await client.call(op="status")
        except (Refused, Unknown, TimeoutError):
            return None
        finally:
            await client.close()
        return found if isinstance(found, dict) else None

    async def restart(self, node: str) -> None:
        await super().restart(node)
        await self._serves(node)

    async def partition(self, cut: frozenset[tuple[str, str]]) -> None:
        self._proxies.cut(cut)

    async def clock(self, node: str, offset_s: float, rate: float) -> None:
        raise TargetError("the clock of PySyncObj cannot be changed")

    def connect(self, node: str | None, number: int) -> PySyncObjClient:
        return PySyncObjClient(self, node or self.nodes[number % len(self.nodes)])


class PySyncObjClient:
    """Speaks to one node; the library forwards commands to the leader."""

    def __init__(self, target: PySyncObj, node: str) -> None:
        self._target, self._node = target, node
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def call(self, **request: str | None) -> object:
        reader, writer = self._streams or await self._connected()
        try:
            writer.write(json.dumps(request).encode() + b"\n")
            await writer.drain()
            line = await reader.readline()
        except (OSError, ValueError) as error:
            raise Unknown(f"the connection was lost: {error}") from error
        if not line.endswith(b"\n"):
            raise Unknown("the connection was lost")
        found = json.loads(line)
        if "refused" in found:
            raise Refused(found["refused"])
        if "ok" not in found:
            raise Unknown(str(found.get("unknown", found)))
        return found["ok"]

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        try:
            port = self._target.client_ports[self._node]
            self._streams = await asyncio.open_connection(LOOPBACK, port, limit=ANSWER_BYTES_MAX)
        except OSError as error:
            raise Refused(f"{self._node} refuses connections: {error.strerror or error}") from error
        return self._streams

    async def get(self, key: str) -> str | None:
        found = await self.call(op="local" if self._target.reads == "local" else "read", key=key)
        return None if found is None else str(found)

    async def put(self, key: str, value: str) -> None:
        await self.call(op="put", key=key, value=value)

    async def append(self, key: str, value: str) -> None:
        await self.call(op="append", key=key, value=value)

    async def cas(self, key: str, expected: str | None, value: str) -> bool:
        return await self.call(op="cas", key=key, expected=expected, value=value) is True

    async def delete(self, key: str) -> bool:
        return await self.call(op="delete", key=key) is True

    async def close(self) -> None:
        streams, self._streams = self._streams, None
        if streams is not None:
            streams[1].close()
            with suppress(OSError):
                await streams[1].wait_closed()
