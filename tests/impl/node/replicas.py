"""Replicas in one event loop: stores in memory that note every write, and messages that go by function calls."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from scrutator.impl.machine import Command, KeyValue
from scrutator.impl.node.config import NodeConfig, Place, Timing
from scrutator.impl.node.log import Log
from scrutator.impl.node.replica import Replica
from scrutator.impl.node.requests import Outcome
from scrutator.impl.node.store import Loaded
from scrutator.impl.raft import Persist
from scrutator.impl.sim.disk import Image

HASTY = Timing(0.2, 0.04, request_timeout_s=1.0)  # for what is to wait in vain


class Silent(Log):
    """Keeps what a node logs."""

    def __init__(self, node: str) -> None:
        super().__init__(node)
        self.events: list[str] = []

    def __call__(self, event: str, **fields: object) -> None:
        self.events.append(event)


class Memory:
    """A store in memory; ``journal`` is shared with what is sent, so that their order shows."""

    def __init__(self, id: str, journal: list[tuple[str, str]]) -> None:
        self.id, self.journal, self.image = id, journal, Image()
        self.failure: Exception | None = None
        self.dropped = ""

    def load(self) -> Loaded:
        return Loaded(self.image.term, self.image.vote, self.image.snapshot, self.image.entries, self.dropped)

    def write(self, persists: Sequence[Persist]) -> None:
        if self.failure is not None:
            raise self.failure
        for persist in persists:
            self.image.absorb(persist)
        self.journal.append((self.id, "write"))

    def trim(self, rows_max: int = 2000) -> bool:
        return False


class Cluster:
    """Nodes n1, n2, ...; messages between cut pairs are lost."""

    def __init__(self, nodes: int = 3, kind: type[Replica] = Replica, **config: object) -> None:
        self.names = [f"n{k}" for k in range(1, nodes + 1)]
        self.kind, self.config = kind, config
        self.journal: list[tuple[str, str]] = []
        self.stores = {name: Memory(name, self.journal) for name in self.names}
        self.replicas: dict[str, Replica] = {}
        self.cut: set[str] = set()
        self.failures: list[Exception] = []
        for name in self.names:
            self.start(name)

    def start(self, name: str) -> None:
        places = {node: Place("127.0.0.1:1", "127.0.0.1:2") for node in self.names}
        settings = {"timing": Timing(0.2, 0.04, request_timeout_s=20.0), **self.config}
        config = NodeConfig(id=name, cluster="test", data="", nodes=places, **settings)
        replica = self.kind(
            config, self.stores[name], self._sender(name), Silent(name), fail=self.failures.append, compact=self._compact
        )
        self.replicas[name] = replica
        replica.start()

    def kill(self, name: str) -> None:
        self.replicas.pop(name).stop()

    def _sender(self, src: str):
        loop = asyncio.get_running_loop()

        def deliver(dst: str, messages: tuple) -> None:
            if dst in self.replicas and not {src, dst} & self.cut:
                for message in messages:
                    self.replicas[dst].receive(message)

        def send(dst: str, messages: Sequence[object]) -> None:
            self.journal.extend((src, type(message).__name__) for message in messages)
            loop.call_later(0.001, deliver, dst, tuple(messages))

        return send

    @staticmethod
    def _compact(index: int, machine: KeyValue, done) -> None:
        asyncio.get_running_loop().call_soon(done, index, b"".join(machine.image()))

    def leader(self) -> str | None:
        leading = [(r.raft.term, name) for name, r in self.replicas.items() if r.leads and name not in self.cut]
        return max(leading)[1] if leading else None

    async def elect(self) -> str:
        """The leader, whom all that can be heard follow."""
        for _ in range(2000):
            leader = self.leader()
            heard = [r for name, r in self.replicas.items() if name not in self.cut]
            if leader is not None and all(r.raft.leader == leader for r in heard):
                return leader
            await asyncio.sleep(0.005)
        raise AssertionError("no leader in 10 s")

    async def ask(self, node: str, *command: object, **fields: object) -> Outcome:
        """The outcome of a command."""
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self.replicas[node].submit(Command(*command, **fields), future.set_result)
        return await future

    def close(self) -> None:
        for name in list(self.replicas):
            self.kill(name)
