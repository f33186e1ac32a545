"""Recording clients: each does one operation after the other, and notes what it saw.

The law: the time of a call is taken before anything is sent, that of a return after everything came back.  An
operation that was refused leaves no trace but a count; anything else that went wrong, the time limit included,
leaves a pending operation, and the client goes on over a new connection as another process.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from random import Random

from scrutator.impl.cluster.record.workloads import Call, Workload
from scrutator.impl.cluster.target import Client, Refused, Target
from scrutator.impl.history import History, Plain

TURN_MAX = 40  # operations after which a client that goes about goes on to the next node
BEHIND_MAX_S = 0.5  # what a client does not catch up with
TROUBLES_MAX = 50  # different errors that are told apart
OTHERS = "other errors"


class Habit(Enum):
    """To which node a client speaks: always one, one after the other, or as the target's own clients choose."""

    STAYS = "stays with a node"
    ROTATES = "goes from node to node"
    FREE = "chooses"


class Ended(Enum):
    """How an operation ended."""

    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(slots=True)
class Counts:
    """What happened so far; ``troubles`` are errors in words, those beyond `TROUBLES_MAX` different ones together as `OTHERS`."""

    done: Counter[str] = field(default_factory=Counter)  # by method
    refused: int = 0
    unknown: int = 0
    troubles: Counter[str] = field(default_factory=Counter)

    def trouble(self, error: BaseException) -> None:
        text = str(error) or ("no answer in time" if isinstance(error, TimeoutError) else "")
        said = ": ".join(filter(None, (type(error).__name__, text)))[:160]
        self.troubles[said if said in self.troubles or len(self.troubles) < TROUBLES_MAX else OTHERS] += 1


@dataclass(slots=True)
class Shared:
    """What all clients of a run have in common; ``interval_s`` is the mean time from call to call of one client."""

    target: Target
    workload: Workload
    history: History
    interval_s: float
    limit_s: float
    now_ns: Callable[[], int] = time.monotonic_ns
    counts: Counts = field(default_factory=Counts)
    stop: asyncio.Event = field(default_factory=asyncio.Event)


class Worker:
    """A client with a number; what it does is drawn from the seed and its number."""

    def __init__(self, number: int, seed: int, shared: Shared) -> None:
        self.number, self.shared = number, shared
        self.random = Random(f"client {number} of {seed}")
        self.habit = list(Habit)[number % len(Habit)]
        self.process = shared.history.process()
        self._place = number // len(Habit)
        self._left = 0  # operations until it goes on to the next node
        self._client: Client | None = None
        self._last: Plain = None  # what the last operation returned

    async def work(self, until_ns: int) -> None:
        """Go on until that time, or until all are to stop."""
        shared = self.shared
        due_s = time.monotonic() + self.random.random() * shared.interval_s
        while not shared.stop.is_set() and shared.now_ns() < until_ns:
            late_s = time.monotonic() - due_s
            if late_s < 0:
                await asyncio.sleep(min(-late_s, 0.25))
                continue
            due_s += self.random.expovariate(1 / shared.interval_s) + max(0.0, late_s - BEHIND_MAX_S)
            ended = await self.attempt(shared.workload.call(self.random))
            if ended is not Ended.DONE:
                await asyncio.sleep(0.03 + 0.07 * self.random.random())

    async def finish(self, keys: Sequence[str], until_ns: int) -> int:
        """Ask each key for what it holds until it is told, or all there was is taken; how many were not."""
        missed = 0
        for key in keys:
            known = False
            while not known and self.shared.now_ns() < until_ns:
                known = await self._asked(key)
                await asyncio.sleep(0 if known else 0.1)
            missed += not known
        return missed

    async def _asked(self, key: str) -> bool:
        while await self.attempt(self.shared.workload.last(key)) is Ended.DONE:
            if not self.shared.workload.empties or self._last is None:
                return True
        return False

    async def attempt(self, call: Call) -> Ended:
        """Do one operation and note how it ended."""
        shared = self.shared
        try:
            client = await self._connected()
        except Exception as error:  # nothing was sent
            return self._refused(error)
        called_ns = shared.now_ns()
        try:
            async with asyncio.timeout(shared.limit_s):
                result = await call.do(client)
        except Refused as error:
            return self._refused(error)
        except asyncio.CancelledError:
            self._pending(call, called_ns)
            raise
        except (Exception, SystemExit) as error:  # nobody can tell what any other error means
            shared.counts.trouble(error)
            self._pending(call, called_ns)
            await self.close()
            return Ended.UNKNOWN
        returned_ns = shared.now_ns()
        try:
            shared.history.add(self.process, call.method, call.key, call.argument, result, called_ns, returned_ns)
        except (TypeError, ValueError):  # what came back is nothing that a history holds
            shared.counts.trouble(TypeError(f"{call.method} returned {result!r:.60}"))
            self._pending(call, called_ns)
            return Ended.UNKNOWN
        shared.counts.done[call.method] += 1
        shared.workload.saw(call, result)
        self._last = result
        return Ended.DONE

    def _refused(self, error: Exception) -> Ended:
        self.shared.counts.refused += 1
        self.shared.counts.trouble(error)
        self._left = 0
        return Ended.REFUSED

    def _pending(self, call: Call, called_ns: int) -> None:
        shared = self.shared
        shared.history.add(self.process, call.method, call.key, call.argument, None, called_ns, None)
        shared.counts.unknown += 1
        shared.workload.keys.doubt(call.key)
        self.process = shared.history.process()

    async def _connected(self) -> Client:
        if self.habit is Habit.ROTATES and self._left <= 0:
            await self.close()
            self._place += 1
            self._left = 1 + self.random.randrange(TURN_MAX)
        self._left -= 1
        if self._client is None:
            nodes = self.shared.target.nodes
            node = None if self.habit is Habit.FREE else nodes[self._place % len(nodes)]
            self._client = self.shared.target.connect(node, self.number)
        return self._client

    async def close(self) -> None:
        """Let go of the connection."""
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(1.0):
                    await client.close()
