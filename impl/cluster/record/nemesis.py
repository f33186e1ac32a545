"""What goes wrong: carries a schedule of faults out, ends every one, and writes down which nodes it hit and when.

The law: what was begun is ended, also where the run is interrupted, and a fault that could not be carried out
is told as one.  faults.jsonl has a line when a fault begins, with no end, and another one of the same number
when it has ended.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from random import Random

import msgspec

from scrutator.impl.cluster.record.schedule import Fault
from scrutator.impl.cluster.target import Target

ACTION_S_MAX = 30.0  # for what a fault, or its end, may take

Cut = frozenset[tuple[str, str]]


class Struck(msgspec.Struct):
    """A line of faults.jsonl; times in nanoseconds of the history's clock, ``end`` null while it lasts."""

    number: int
    kind: str
    nodes: list[str]
    what: str
    begin: int
    end: int | None = None
    error: str = ""

    def words(self) -> str:
        """What it is, and whom it hits; a partition names its nodes itself."""
        return self.what if self.kind == "partition" else f"{self.what} {' '.join(self.nodes)}"


class Nemesis:
    """Breaks a target as scheduled; ``write`` takes the lines of faults.jsonl, ``now_ns`` is the history's clock."""

    def __init__(self, target: Target, now_ns: Callable[[], int], write: Callable[[bytes], object]) -> None:
        self.target = target
        self.now_ns, self._write = now_ns, write
        self.counts: Counter[str] = Counter()  # by kind
        self.errors: list[str] = []
        self.active: dict[int, Struck] = {}
        self._down: set[str] = set()
        self._paused: set[str] = set()

    async def run(self, faults: Iterable[Fault], begin_ns: int, stop: asyncio.Event) -> None:
        """Carry out each fault at its time after ``begin_ns``; once told to stop, end what is going on."""
        async with asyncio.TaskGroup() as group:
            for number, fault in enumerate(faults):
                group.create_task(self._carry_out(number, fault, begin_ns, stop))

    async def _carry_out(self, number: int, fault: Fault, begin_ns: int, stop: asyncio.Event) -> None:
        if await self._stopped(begin_ns + int(fault.begin_s * 1e9), stop):
            return
        struck = Struck(number, fault.kind, [], fault.aim, self.now_ns())
        random = Random(fault.draw)
        begin = {"kill": self._kill, "pause": self._pause, "partition": self._partition, "clock": self._clock}[fault.kind]
        try:
            async with asyncio.timeout(ACTION_S_MAX):
                undo = await begin(fault.aim, random, struck)
        except Exception as error:  # of any target; the run goes on, and the report says so
            self._failed(struck, error)
            undo = self._mend
        if not struck.nodes and not struck.error:
            return  # nobody was left to be hit
        self.counts[fault.kind] += 1
        self.active[number] = struck
        self._note(struck)
        await self._stopped(begin_ns + int(fault.end_s * 1e9), stop)
        await self._end(struck, undo)

    async def _stopped(self, until_ns: int, stop: asyncio.Event) -> bool:
        """Wait until then; whether all are to stop."""
        try:
            async with asyncio.timeout(max(0.0, (until_ns - self.now_ns()) / 1e9)):
                await stop.wait()
        except TimeoutError:
            return stop.is_set()
        return True

    async def _end(self, struck: Struck, undo: Callable[[Struck], Awaitable[None]]) -> None:
        try:
            async with asyncio.timeout(ACTION_S_MAX):
                await undo(struck)
        except Exception as error:
            self._failed(struck, error)
        struck.end = self.now_ns()
        self.active.pop(struck.number, None)
        self._note(struck)

    def _note(self, struck: Struck) -> None:
        self._write(msgspec.json.encode(struck))

    def _failed(self, struck: Struck, error: Exception) -> None:
        struck.error = f"{type(error).__name__}: {error}"[:300]
        self.errors.append(f"{struck.kind} ({struck.what}): {struck.error}")

    async def heal(self) -> None:
        """At the end, also after an error: nothing is cut, paused or down any more."""
        await self._mend(None)

    async def _mend(self, _: Struck | None) -> None:
        for what in (self._resume_all, self._restart_all, self._join_all):
            try:
                async with asyncio.timeout(ACTION_S_MAX):
                    await what()
            except Exception as error:
                self.errors.append(f"healing: {type(error).__name__}: {error}"[:300])

    async def _resume_all(self) -> None:
        for node in sorted(self._paused):
            await self.target.resume(node)
            self._paused.discard(node)

    async def _restart_all(self) -> None:
        await self._restart(sorted(self._down))

    async def _join_all(self) -> None:
        if "partition" in self.target.faults:
            await self.target.partition(frozenset())

    # --- whom it hits ---------------------------------------------------------------------

    async def _aimed(self, aim: str, random: Random, among: Sequence[str]) -> tuple[str, list[str]]:
        """The nodes that a fault hits, of those that it may hit, and its aim: another one where no leader is known."""
        if aim == "all" or not among:
            return aim, list(among)
        if aim == "leader":
            leader = await self.target.leader()
            return ("leader", [leader]) if leader is not None and leader in among else ("one", [random.choice(among)])
        most = max(1, (len(self.target.nodes) - 1) // 2) if aim == "minority" else 1
        return aim, sorted(random.sample(among, min(most, len(among))))

    def _well(self) -> list[str]:
        return [node for node in self.target.nodes if node not in self._down and node not in self._paused]

    # --- how ------------------------------------------------------------------------------

    async def _kill(self, aim: str, random: Random, struck: Struck) -> Callable[[Struck], Awaitable[None]]:
        among = [node for node in self.target.nodes if node not in self._down] if aim == "all" else self._well()
        aim, struck.nodes = await self._aimed(aim, random, among)
        struck.what = {"all": "power cut", "leader": "kill the leader"}.get(aim, "kill")
        for node in struck.nodes:
            self._down.add(node)
            self._paused.discard(node)
        await asyncio.gather(*map(self.target.kill, struck.nodes))

        async def undo(struck: Struck) -> None:
            await self._restart(struck.nodes)

        return undo

    async def _restart(self, nodes: Sequence[str]) -> None:
        async def restart(node: str) -> None:
            await self.target.restart(node)
            self._down.discard(node)

        failed = [error for error in await asyncio.gather(*map(restart, nodes), return_exceptions=True) if error]
        if failed:
            raise failed[0]

    async def _pause(self, aim: str, random: Random, struck: Struck) -> Callable[[Struck], Awaitable[None]]:
        aim, struck.nodes = await self._aimed(aim, random, self._well())
        struck.what = "pause the leader" if aim == "leader" else "pause"
        for node in struck.nodes:
            self._paused.add(node)
            await self.target.pause(node)

        async def undo(struck: Struck) -> None:
            for node in struck.nodes:
                if node in self._paused:  # it may have been killed since
                    await self.target.resume(node)
                    self._paused.discard(node)

        return undo

    async def _partition(self, aim: str, random: Random, struck: Struck) -> Callable[[Struck], Awaitable[None]]:
        leader = await self.target.leader() if aim in ("leader alone", "one way") else None
        struck.nodes, struck.what, cut = cut_of(aim, list(self.target.nodes), leader, random)
        if struck.nodes:
            await self.target.partition(cut)

        async def undo(_: Struck) -> None:
            await self.target.partition(frozenset())

        return undo

    async def _clock(self, aim: str, random: Random, struck: Struck) -> Callable[[Struck], Awaitable[None]]:
        aim, struck.nodes = await self._aimed(aim, random, self._well())
        offset_s = random.choice((0.0, 0.2, 1.0, 5.0)) * random.choice((1, -1))
        rate = random.choice((1.0, 0.5, 2.0)) if offset_s else random.choice((0.5, 2.0))
        struck.what = f"clock {offset_s:+g} s" * bool(offset_s) + (f" at {rate:g} times the speed" if rate != 1 else "")
        struck.what = struck.what if offset_s else f"clock{struck.what}"
        for node in struck.nodes:
            await self.target.clock(node, offset_s, rate)

        async def undo(struck: Struck) -> None:
            for node in struck.nodes:
                if node not in self._down:
                    await self.target.clock(node, 0.0, 1.0)

        return undo


def cut_of(aim: str, nodes: list[str], leader: str | None, random: Random) -> tuple[list[str], str, Cut]:
    """The nodes that a partition names, what it is in words, and which messages it cuts.

    >>> cut_of("leader alone", ["a", "b"], "a", Random(0))
    (['a'], 'a | b', frozenset({('a', 'b'), ('b', 'a')}))
    """
    if len(nodes) < 2:
        return [], aim, frozenset()
    one = leader if leader is not None and leader in nodes else random.choice(nodes)
    others = [node for node in nodes if node != one]
    if aim == "one way":
        inwards = random.random() < 0.5
        what = f"no message {'to' if inwards else 'from'} {one}"
        return [one], what, frozenset((other, one) if inwards else (one, other) for other in others)
    if aim == "leader alone":
        return [one], f"{one} | {' '.join(others)}", between([one], others)
    mixed = random.sample(nodes, len(nodes))
    bridge = mixed.pop() if aim == "bridge" and len(nodes) > 2 else None
    left, right = sorted(mixed[: len(mixed) // 2]), sorted(mixed[len(mixed) // 2 :])
    what = f"{' '.join(left)} | {' '.join(right)}" + (f", {bridge} meets all" if bridge else "")
    return left, what, between(left, right)


def between(left: Sequence[str], right: Sequence[str]) -> Cut:
    """Every message between two sides."""
    return frozenset(pair for a in left for b in right for pair in ((a, b), (b, a)))
