"""Systems in memory: a store that is as good as one thread, and broken ones."""

from __future__ import annotations

import asyncio
from pathlib import Path

from scrutator.impl.cluster.target import Refused, Unknown

EVERYTHING = frozenset({"get", "put", "append", "cas", "delete", "incr", "sadd", "smembers", "rpush", "lpop"})


class Memory:
    """One dictionary that all nodes share; a node that is down, paused or cut off answers nobody.

    ``has`` names the operations of its clients; "fewer" leaves get, put and cas.  ``breaks`` is "stale": nodes
    but the first answer reads out of a copy that is late; or "lossy": what was written last is lost when the
    first node is killed.
    """

    name = "memory"
    faults = frozenset({"kill", "pause", "partition", "clock"})

    def __init__(self, breaks: str = "", has: str = "") -> None:
        self.operations = frozenset({"get", "put", "cas"}) if has == "fewer" else EVERYTHING
        self.breaks = breaks
        self.nodes: list[str] = []
        self.store: dict[str, object] = {}
        self.copy: dict[str, object] = {}
        self.down: set[str] = set()
        self.paused: set[str] = set()
        self.cut: frozenset[tuple[str, str]] = frozenset()
        self.done: list[str] = []  # what was asked of it
        self.running = False

    async def start(self, folder: Path, nodes: int, seed: int) -> None:
        assert folder.is_dir()
        self.nodes = [f"n{k}" for k in range(1, nodes + 1)]
        self.running = True
        self._copying = asyncio.ensure_future(self._copy())

    async def _copy(self) -> None:
        while True:
            await asyncio.sleep(0.08)
            self.copy = dict(self.store)

    async def stop(self) -> None:
        if self.running:
            self._copying.cancel()
        self.running = False

    def versions(self) -> dict[str, str]:
        return {"memory": "1"}

    def configuration(self) -> dict[str, str | int | float | bool]:
        return {"breaks": self.breaks}

    async def leader(self) -> str | None:
        return self.nodes[0]

    async def kill(self, node: str) -> None:
        assert node not in self.down
        self.done.append(f"kill {node}")
        self.down.add(node)
        self.paused.discard(node)
        if self.breaks == "lossy" and node == self.nodes[0]:
            self.store = dict(self.copy)

    async def restart(self, node: str) -> None:
        self.done.append(f"restart {node}")
        self.down.remove(node)

    async def pause(self, node: str) -> None:
        assert node not in self.paused | self.down
        self.done.append(f"pause {node}")
        self.paused.add(node)

    async def resume(self, node: str) -> None:
        self.done.append(f"resume {node}")
        self.paused.remove(node)

    async def partition(self, cut: frozenset[tuple[str, str]]) -> None:
        self.done.append(f"cut {len(cut)}")
        self.cut = cut

    async def clock(self, node: str, offset_s: float, rate: float) -> None:
        assert node not in self.down
        self.done.append(f"clock {node} {offset_s:g} {rate:g}")

    def connect(self, node: str | None, number: int) -> Connection:
        return Connection(self, node or self.nodes[number % len(self.nodes)])


class Connection:
    def __init__(self, memory: Memory, node: str) -> None:
        self.memory, self.node = memory, node

    async def close(self) -> None:
        pass

    async def _reach(self) -> dict:
        await asyncio.sleep(0.001)
        if self.node in self.memory.down:
            raise Refused(f"{self.node} refuses connections")
        if any(self.node in pair for pair in self.memory.cut):
            raise Unknown(f"{self.node} is cut off")
        while self.node in self.memory.paused:
            await asyncio.sleep(0.01)
        return self.memory.store

    async def get(self, key):
        store = await self._reach()
        return (self.memory.copy if self.memory.breaks == "stale" and self.node != "n1" else store).get(key)

    async def put(self, key, value):
        (await self._reach())[key] = value

    async def append(self, key, value):
        store = await self._reach()
        store[key] = store.get(key, "") + value

    async def cas(self, key, expected, value):
        store = await self._reach()
        if store.get(key) != expected:
            return False
        store[key] = value
        return True

    async def delete(self, key):
        return (await self._reach()).pop(key, None) is not None

    async def incr(self, key):
        store = await self._reach()
        store[key] = str(int(store.get(key, "0")) + 1)
        return int(store[key])

    async def sadd(self, key, value):
        store = await self._reach()
        store[key] = [*store.get(key, []), value]

    async def smembers(self, key):
        return (await self._reach()).get(key, [])

    rpush = sadd

    async def lpop(self, key):
        store = await self._reach()
        items = store.get(key, [])
        store[key] = items[1:]
        return items[0] if items else None
