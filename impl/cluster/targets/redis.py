"""Redis with one primary and asynchronous replicas: what a failover loses.

Replicas reach their primary through proxies, one for each pair, so that partitions cut them off.  Failover is
done here as Redis Sentinel does it, with a sentinel beside each node: Sentinel itself tells every replica the
same address of a primary, and proxies for each pair need a different one for each.  A sentinel lives and is cut
off with its node; a majority of all of them that sees the primary down for ``DOWN_AFTER_S`` promotes the replica
that has the most; whoever else believes to be a primary is made a replica once a majority reaches it, as the
documentation of Sentinel has it ("Redis Sentinel", Redis 7).

The law: clients ask a sentinel for the primary and speak to that one directly, as clients of Sentinel do.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random

from scrutator.impl.cluster.ports import LOOPBACK, Ports
from scrutator.impl.cluster.processes import Process, stop_all
from scrutator.impl.cluster.proxy import Proxies
from scrutator.impl.cluster.resp import Error, NotConnected, Resp, Value, ask
from scrutator.impl.cluster.target import Refused, TargetError, Unknown
from scrutator.impl.cluster.targets._of_processes import OfProcesses

PROGRAM = "redis-server"
DOWN_AFTER_S = 1.0
PERIOD_S = 0.1
PING_S = 0.3
START_S = 20.0
# Errors that Redis answers before it does anything.
_REFUSALS = frozenset({"READONLY", "LOADING", "MASTERDOWN", "NOREPLICAS", "MISCONF", "OOM", "WRONGTYPE", "ERR", "BUSY", "NOSCRIPT"})
_SETTINGS = {
    "bind": LOOPBACK, "appendonly": "yes", "appendfsync": "always", "save": '""', "repl-diskless-sync": "yes",
    "repl-diskless-sync-delay": "0", "repl-backlog-size": "16mb", "repl-timeout": "10", "repl-ping-replica-period": "1",
    "databases": "1", "protected-mode": "yes",
}  # fmt: skip
_CAS = """
local held = redis.call('GET', KEYS[1])
if ARGV[1] == '0' and held or ARGV[1] == '1' and held ~= ARGV[2] then return 0 end
redis.call('SET', KEYS[1], ARGV[3])
return 1
"""


class Redis(OfProcesses):
    """One primary, the other nodes its replicas, and a sentinel beside each."""

    name = "redis"
    operations = frozenset({"get", "put", "append", "cas", "delete", "incr", "sadd", "smembers", "rpush", "lpop"})
    faults = frozenset({"kill", "pause", "partition"})

    def __init__(self) -> None:
        super().__init__()
        self.primary = ""
        self.failovers = 0
        self.believes: dict[str, str] = {}  # what the sentinel beside each node takes for the primary
        self.ports: dict[str, int] = {}
        self._held: Ports | None = None
        self._proxies = Proxies()
        self._cut: frozenset[tuple[str, str]] = frozenset()
        self._watch: asyncio.Task[None] | None = None
        self._paused: set[str] = set()
        self._down_since: float | None = None

    # --- a target's life --------------------------------------------------------------------

    async def start(self, folder: Path, nodes: int, seed: int) -> None:
        if shutil.which(PROGRAM) is None:
            raise TargetError(f"there is no {PROGRAM} on this machine: install Redis (Debian: apt install redis-server)")
        self.nodes = [f"n{k}" for k in range(1, nodes + 1)]
        self._held = Ports()
        self.ports = {node: self._held.take() for node in self.nodes}
        await self._proxies.open({node: (LOOPBACK, port) for node, port in self.ports.items()})
        self.primary = self.nodes[0]
        self.believes = dict.fromkeys(self.nodes, self.primary)
        for node in self.nodes:
            self._processes[node] = self._process(folder / node, node)
            self._processes[node].start()
        await asyncio.gather(*map(self._serves, self.nodes))
        await self._attached()
        self._watch = asyncio.create_task(self._guard())

    def _process(self, folder: Path, node: str) -> Process:
        folder.mkdir(parents=True)
        settings = {**_SETTINGS, "port": str(self.ports[node]), "dir": str(folder.resolve())}
        if node != self.primary:
            settings["replicaof"] = self._from(node, self.primary)
        (folder / "redis.conf").write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
        return Process(node, (PROGRAM, str((folder / "redis.conf").resolve())), folder / "log")

    def _from(self, node: str, primary: str) -> str:
        host, port = self._proxies.address(node, primary)
        return f"{host} {port}"

    async def _serves(self, node: str) -> None:
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            if self._processes[node].problem:
                raise TargetError(self._processes[node].problem)
            with contextlib.suppress(OSError, EOFError, TimeoutError):
                if await self._ask(node, "PING") == "PONG":
                    return
            await asyncio.sleep(0.05)
        raise TargetError(f"{node} did not answer within {START_S:.0f} s: its log is {self._processes[node].log}")

    async def _attached(self) -> None:
        """Wait until all replicas are."""
        until = time.monotonic() + START_S
        while (await self._info(self.primary)).get("connected_slaves") != str(len(self.nodes) - 1):
            if time.monotonic() > until:
                raise TargetError(f"the replicas did not reach {self.primary} within {START_S:.0f} s")
            await asyncio.sleep(0.05)

    async def stop(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        await stop_all(list(self._processes.values()), grace_s=1.0)
        await self._proxies.close()
        if self._held is not None:
            self._held.close()

    def versions(self) -> Mapping[str, str]:
        said = subprocess.run((PROGRAM, "--version"), capture_output=True, text=True, check=False).stdout
        return {"redis": next((word[2:] for word in said.split() if word.startswith("v=")), "unknown")}

    def configuration(self) -> Mapping[str, str | int | float | bool]:
        return {**_SETTINGS, "replication": "asynchronous", "down_after_s": DOWN_AFTER_S, "failover": "by the harness", "failovers": self.failovers}

    # --- faults -------------------------------------------------------------------------------

    async def leader(self) -> str | None:
        return self.primary

    async def kill(self, node: str) -> None:
        self._paused.discard(node)
        await super().kill(node)

    async def restart(self, node: str) -> None:
        await super().restart(node)
        await self._serves(node)

    async def pause(self, node: str) -> None:
        self._paused.add(node)
        await super().pause(node)

    async def resume(self, node: str) -> None:
        self._paused.discard(node)
        await super().resume(node)

    async def partition(self, cut: frozenset[tuple[str, str]]) -> None:
        self._cut = cut
        self._proxies.cut(cut)

    async def clock(self, node: str, offset_s: float, rate: float) -> None:
        raise TargetError("the clock of Redis cannot be changed")

    def connect(self, node: str | None, number: int) -> RedisClient:
        return RedisClient(self, node, number)

    # --- sentinels ----------------------------------------------------------------------------

    def alive(self, node: str) -> bool:
        """Whether the node's sentinel can be asked."""
        return self._processes[node].running and node not in self._paused

    def _meets(self, a: str, b: str) -> bool:
        return a == b or not {(a, b), (b, a)} & self._cut

    async def _guard(self) -> None:
        while True:
            await asyncio.sleep(PERIOD_S)
            with contextlib.suppress(OSError, EOFError, TimeoutError):
                await self._look()

    async def _look(self) -> None:
        answers = await asyncio.gather(*map(self._pings, self.nodes))
        up = {node for node, well in zip(self.nodes, answers, strict=True) if well}
        sentinels = [node for node in self.nodes if self.alive(node)]
        sees_it_down = [s for s in sentinels if self.primary not in up or not self._meets(s, self.primary)]
        majority = len(self.nodes) // 2 + 1
        if len(sees_it_down) < majority:
            self._down_since = None
        elif self._down_since is None:
            self._down_since = time.monotonic()
        elif time.monotonic() - self._down_since >= DOWN_AFTER_S:
            await self._fail_over([s for s in sees_it_down if s in up])
        await self._spread(up, sentinels, majority)

    async def _pings(self, node: str) -> bool:
        try:
            return await self._ask(node, "PING") == "PONG"
        except (OSError, EOFError, TimeoutError):
            return False

    async def _fail_over(self, candidates: Sequence[str]) -> None:
        """Promote the replica with the most, of those that most of these reach."""
        reached = [node for node in candidates if sum(self._meets(node, other) for other in candidates) > len(self.nodes) // 2]
        if not reached:
            return
        offsets = {node: int((await self._info(node)).get("slave_repl_offset", "0")) for node in reached}
        best = max(reached, key=lambda node: offsets[node])
        if await self._ask(best, "REPLICAOF", "NO", "ONE") == "OK":
            await self._ask(best, "CONFIG", "REWRITE")
            self.primary, self._down_since = best, None
            self.failovers += 1

    async def _spread(self, up: set[str], sentinels: Sequence[str], majority: int) -> None:
        """What the majority decided reaches the other sentinels, and nodes that follow somebody else."""
        for node in sentinels:
            if self._meets(node, self.primary) or sum(self._meets(node, other) for other in sentinels) >= majority:
                self.believes[node] = self.primary
        for node in up - {self.primary}:
            if self.believes[node] != self.primary:
                continue
            info, (host, port) = await self._info(node), self._proxies.address(node, self.primary)
            if info.get("role") == "master" or info.get("master_port") != str(port):
                await self._ask(node, "REPLICAOF", host, port)
                await self._ask(node, "CONFIG", "REWRITE")

    async def _ask(self, node: str, *words: str | int) -> Value:
        return await ask(LOOPBACK, self.ports[node], *words, timeout_s=PING_S)

    async def _info(self, node: str) -> dict[str, str]:
        found = await self._ask(node, "INFO", "replication")
        lines = found.decode().splitlines() if isinstance(found, bytes) else []
        return dict(line.split(":", 1) for line in lines if ":" in line)


class RedisClient:
    """A client of Sentinel: asks one for the primary, the same one where it was told which."""

    def __init__(self, redis: Redis, node: str | None, number: int) -> None:
        self._redis, self._node = redis, node
        self._random = Random(number)
        self._connection: Resp | None = None

    async def _call(self, *words: str) -> Value:
        connection = self._connection or await self._connected()
        try:
            found = await connection.call(*words)
        except (OSError, EOFError) as error:
            await self.close()
            raise Unknown(f"the connection was lost: {error or type(error).__name__}") from error
        if isinstance(found, Error):
            await self.close()  # it may be no primary any more
            raise (Refused if found.kind in _REFUSALS else Unknown)(str(found))
        return found

    async def _connected(self) -> Resp:
        redis = self._redis
        node = self._node or self._random.choice(list(redis.nodes))
        if not redis.alive(node):
            raise Refused(f"the sentinel of {node} does not answer")
        try:
            self._connection = await Resp.connect(LOOPBACK, redis.ports[redis.believes[node]])
        except NotConnected as error:
            raise Refused(str(error)) from error
        return self._connection

    async def get(self, key: str) -> str | None:
        return _text(await self._call("GET", key))

    async def put(self, key: str, value: str) -> None:
        await self._call("SET", key, value)

    async def append(self, key: str, value: str) -> None:
        await self._call("APPEND", key, value)

    async def cas(self, key: str, expected: str | None, value: str) -> bool:
        return await self._call("EVAL", _CAS, "1", key, "0" if expected is None else "1", expected or "", value) == 1

    async def delete(self, key: str) -> bool:
        return await self._call("DEL", key) == 1

    async def incr(self, key: str) -> int:
        found = await self._call("INCR", key)
        assert isinstance(found, int)
        return found

    async def sadd(self, key: str, value: str) -> None:
        await self._call("SADD", key, value)

    async def smembers(self, key: str) -> list[str]:
        found = await self._call("SMEMBERS", key)
        assert isinstance(found, list)
        return [_text(one) or "" for one in found]

    async def rpush(self, key: str, value: str) -> None:
        await self._call("RPUSH", key, value)

    async def lpop(self, key: str) -> str | None:
        return _text(await self._call("LPOP", key))

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()


def _text(found: Value) -> str | None:
    return found.decode() if isinstance(found, bytes) else None
