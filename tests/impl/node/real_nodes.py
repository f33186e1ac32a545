"""Real processes of our own node for tests: started, asked, killed; and writers who know what was acknowledged.

Law: whatever is started is killed at the end, and what the writers claim is only what a node answered.
"""

from __future__ import annotations

import asyncio
import json
import random
import signal
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

from scrutator.impl.cluster import nodefile
from scrutator.impl.cluster.ports import Ports
from scrutator.impl.cluster.processes import Process, eventually, stop_all
from scrutator.impl.cluster.resp import Error, Resp, Value, ask
from scrutator.impl.cluster.standing import Standing, leader_of, standing, standings, until_served
from scrutator.impl.node.config import Limits, NodeConfig, Place, Timing

LIMIT_S = 60.0  # for what must happen some time: generous, for machines that are busy
QUICK = Timing(election_timeout_s=0.3, heartbeat_s=0.06, request_timeout_s=2.0)


class Nodes:
    """Nodes n1, n2, ... in folders of their own; ``voters`` are the first so many, 0 for all."""

    def __init__(self, folder: Path, count: int = 3, *, voters: int = 0, timing: Timing = QUICK, limits: Limits | None = None, **fields: object) -> None:
        self.folder = folder
        self.ports = Ports()
        self.names = [f"n{k + 1}" for k in range(count)]
        self.places = {name: Place(f"127.0.0.1:{self.ports.take()}", f"127.0.0.1:{self.ports.take()}") for name in self.names}
        self.kills = 0
        self._limits = Limits(snapshot_every=200) if limits is None else limits
        chosen = tuple(self.names[:voters])
        self.configs = {
            name: NodeConfig(name, "tested", str(folder / name / "data"), self.places, voters=chosen, timing=timing, limits=self._limits, **fields)  # type: ignore[arg-type]
            for name in self.names
        }
        self.processes = {name: Process(name, self.command(name), folder / name / "log.jsonl", folder=folder / name) for name in self.names}
        for name in self.names:
            self.configure(name)

    def command(self, name: str) -> list[str]:
        return nodefile.command(self.folder / name / "node.toml")

    def configure(self, name: str) -> None:
        nodefile.write(self.configs[name], self.folder / name / "node.toml")

    def data(self, name: str) -> Path:
        return self.folder / name / "data"

    def address(self, name: str) -> tuple[str, int]:
        host, _, port = self.places[name].client.rpartition(":")
        return host, int(port)

    def raft_address(self, name: str) -> tuple[str, int]:
        host, _, port = self.places[name].raft.rpartition(":")
        return host, int(port)

    # --- life ------------------------------------------------------------------------------

    def start(self, *names: str) -> None:
        for name in names or self.names:
            self.processes[name].start()

    async def kill(self, *names: str) -> None:
        for name in names:
            self.kills += self.processes[name].running
            self.processes[name].kill_at_once()
        for name in names:
            await self.processes[name].kill()

    def terminate(self, name: str) -> None:
        identity = self.processes[name].identity
        assert identity is not None
        identity.signal(signal.SIGTERM)

    async def ended(self, name: str) -> int:
        """The exit status of a node that ends by itself."""
        status = await self.processes[name].wait(LIMIT_S)
        assert status is not None, f"{name} did not end"
        return status

    def running(self) -> list[str]:
        return [name for name in self.names if self.processes[name].running]

    async def served(self, *names: str) -> str:
        """Wait until these (or all that run) follow one leader, which serves; its name."""
        some = names or tuple(self.running())
        return await until_served({name: self.address(name) for name in some}, {name: self.processes[name] for name in some}, LIMIT_S)

    async def leader(self, *, other_than: str = "") -> str:
        async with asyncio.timeout(LIMIT_S):
            while True:
                found = leader_of(await standings({name: self.address(name) for name in self.running() if name != other_than}))
                if found is not None and found != other_than:
                    return found
                await asyncio.sleep(0.02)

    async def standing(self, name: str) -> Standing:
        found = await standing(self.address(name))
        assert found is not None, f"{name} does not answer"
        return found

    async def until(self, name: str, holds: Callable[[Standing], bool]) -> Standing:
        async with asyncio.timeout(LIMIT_S):
            while (found := await standing(self.address(name))) is None or not holds(found):
                await asyncio.sleep(0.02)
        return found

    async def close(self) -> None:
        await stop_all(list(self.processes.values()), 0.0)
        self.ports.close()

    # --- what they say ----------------------------------------------------------------------

    def log(self, name: str) -> list[dict[str, object]]:
        """All lines of a node's log; whoever wrote something else than JSON has crashed badly."""
        return [json.loads(line) for line in (self.folder / name / "log.jsonl").read_text().splitlines()]

    def events(self, name: str, event: str) -> list[dict[str, object]]:
        return [line for line in self.log(name) if line["event"] == event]

    def memory_bytes(self, name: str) -> int:
        identity = self.processes[name].identity
        assert identity is not None
        return int(Path(f"/proc/{identity.pid}/statm").read_text().split()[1]) * 4096

    # --- asking ------------------------------------------------------------------------------

    async def ask(self, name: str, *words: str | bytes | int, timeout_s: float = LIMIT_S) -> Value:
        return await ask(*self.address(name), *words, timeout_s=timeout_s)

    async def done(self, *words: str | bytes | int, at: str = "") -> Value:
        """Ask until it is carried out, at any node: for what may happen twice."""
        async with asyncio.timeout(LIMIT_S):
            while True:
                name = at or random.choice(self.running() or self.names)
                try:
                    answer = await self.ask(name, *words, timeout_s=3.0)
                    if not isinstance(answer, Error):
                        return answer
                    assert answer.kind in ("TRYAGAIN", "UNKNOWN", "MOVED", "BUSY"), answer
                except (OSError, EOFError, TimeoutError):
                    pass
                await asyncio.sleep(0.02)


def with_nodes(nodes: Nodes, work: Callable[[Nodes], Awaitable[None]]) -> None:
    async def main() -> None:
        try:
            await work(nodes)
        finally:
            await nodes.close()

    asyncio.run(main())


class Writers:
    """Clients that write while nodes die.

    The even ones have a session, and send each command until it is answered, to whichever node: their
    key must hold each number once, in order.  The odd ones never repeat a command: what they were not answered
    may be there or not, once at most, and not before what they wrote earlier.
    """

    def __init__(self, nodes: Nodes, count: int = 4, *, filler: int = 0) -> None:
        self.nodes = nodes
        self.acknowledged: dict[str, list[int]] = {f"k{k}": [] for k in range(count)}
        self.counted: dict[str, int] = {f"c{k}": 0 for k in range(count)}
        self.doubtful: dict[str, set[int]] = {f"k{k}": set() for k in range(count)}
        self.retries = 0
        self.answers: dict[str, int] = {}
        self.worst_s = 0.0  # between two acknowledgements, whoever's
        self._filler = "x" * filler
        self._last_s = time.monotonic()
        self._stopping = False
        self._tasks = [asyncio.create_task(self._with_session(k) if k % 2 == 0 else self._without(k)) for k in range(count)]

    @property
    def total(self) -> int:
        return sum(map(len, self.acknowledged.values())) + sum(self.counted.values())

    async def stop(self) -> None:
        self._stopping = True
        for task in self._tasks:
            task.cancel()
        for found in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(found, Exception):
                raise found

    async def progress(self, count: int = 20) -> None:
        """Wait until so many more are acknowledged."""
        goal = self.total + count
        async with asyncio.timeout(LIMIT_S):
            while self.total < goal:
                for task in self._tasks:
                    if task.done():
                        task.result()
                await asyncio.sleep(0.01)

    def _note(self) -> None:
        now_s = time.monotonic()
        self.worst_s, self._last_s = max(self.worst_s, now_s - self._last_s), now_s

    async def _with_session(self, k: int) -> None:
        key, counter, number = f"k{k}", f"c{k}", 0
        session = int(await self.nodes.done("SESSION", "NEW"))  # type: ignore[arg-type]
        connection = _Any(self)
        try:
            while not self._stopping:
                number += 1
                if number % 2:
                    await connection.until_answered("ONCE", session, number, "APPEND", key, f"{number},")
                    self.acknowledged[key].append(number)
                else:
                    answer = await connection.until_answered("ONCE", session, number, "INCR", counter)
                    self.counted[counter] += 1
                    assert answer == self.counted[counter], f"{counter} is {answer} after {self.counted[counter]} increments"
                self._note()
        finally:
            connection.abort()

    async def _without(self, k: int) -> None:
        key, number = f"k{k}", 0
        connection = _Any(self)
        try:
            while not self._stopping:
                number += 1
                self.doubtful[key].add(number)
                answer = await connection.once("APPEND", key, f"{number},")
                if answer is None:
                    continue
                self.doubtful[key].discard(number)
                if isinstance(answer, int):
                    self.acknowledged[key].append(number)
                    self._note()
                if self._filler:
                    await connection.once("SET", f"{key}:{number % 1000}", self._filler)
        finally:
            connection.abort()

    async def check(self, at: str = "") -> None:
        """What was acknowledged before this began is there, once and in order; and nothing that was refused."""
        before = {key: list(numbers) for key, numbers in self.acknowledged.items()}
        counted = dict(self.counted)
        for k, (key, acknowledged) in enumerate(before.items()):
            found = [int(word) for word in bytes(await self.nodes.done("GET", key, at=at) or b"").split(b",") if word]  # type: ignore[arg-type]
            assert len(found) == len(set(found)), f"{key}: applied twice: {_twice(found)}"
            assert found == sorted(found), f"{key}: out of order"
            lost = set(acknowledged) - set(found)
            assert not lost, f"{key}: acknowledged and lost: {sorted(lost)[:20]}"
            if k % 2 == 0:
                last = found[-1] if found else -1
                assert found == list(range(1, last + 1, 2)), f"{key}: not each number once"
                count = int(await self.nodes.done("GET", f"c{k}", at=at) or 0)  # type: ignore[arg-type]
                assert count >= counted[f"c{k}"], f"c{k}: {count} after {counted[f'c{k}']} increments"
        if self._stopping:
            for k, (key, acknowledged) in enumerate(before.items()):
                found = [int(word) for word in bytes(await self.nodes.done("GET", key, at=at) or b"").split(b",") if word]  # type: ignore[arg-type]
                extra = set(found) - set(acknowledged) - self.doubtful[key]
                assert len(extra) <= (k % 2 == 0), f"{key}: refused, and yet there: {sorted(extra)[:20]}"
                if k % 2 == 0:
                    count = int(await self.nodes.done("GET", f"c{k}", at=at) or 0)  # type: ignore[arg-type]
                    assert counted[f"c{k}"] <= count <= counted[f"c{k}"] + 1, f"c{k}: {count} after {counted[f'c{k}']} increments"


def _twice(found: Iterable[int]) -> list[int]:
    numbers = list(found)
    return sorted({number for number in numbers if numbers.count(number) > 1})[:20]


class _Any:
    """A connection to any node that runs; another one after each failure."""

    def __init__(self, writers: Writers) -> None:
        self._writers = writers
        self._connection: Resp | None = None

    async def once(self, *words: str | int) -> Value:
        """The answer; None where nobody knows whether it was carried out."""
        writers = self._writers
        sent = False
        try:
            async with asyncio.timeout(3.0):
                if self._connection is None:
                    self._connection = await Resp.connect(*writers.nodes.address(random.choice(writers.nodes.names)))
                sent = True
                answer = await self._connection.call(*words)
        except (OSError, EOFError, TimeoutError) as error:
            self.abort()
            await asyncio.sleep(0.01)
            kind = "lost" if sent else "no connection"
            writers.answers[kind] = writers.answers.get(kind, 0) + 1
            return None if sent else Error(f"TRYAGAIN {error}")
        if isinstance(answer, Error):
            writers.answers[answer.kind] = writers.answers.get(answer.kind, 0) + 1
            assert answer.kind in ("TRYAGAIN", "UNKNOWN", "BUSY") or "max number of clients" in answer, answer
            self.abort()  # perhaps another node knows more
            await asyncio.sleep(0.01)
            return None if answer.kind == "UNKNOWN" else answer
        return answer

    async def until_answered(self, *words: str | int) -> Value:
        while True:
            answer = await self.once(*words)
            if answer is not None and not isinstance(answer, Error):
                return answer
            self._writers.retries += 1

    def abort(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.abort()


__all__ = ["LIMIT_S", "QUICK", "Limits", "Nodes", "Timing", "Writers", "eventually", "with_nodes"]
