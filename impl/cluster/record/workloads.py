"""What clients do: a key-value store, registers, sets, queues or counters, as calls drawn from a random source.

The law: every value is written once only, so that a read tells which write it saw; and every key has its share
of operations and then makes room for a new one, so that histories stay decidable, key by key, however long
they get.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from scrutator.impl.cluster.record import built
from scrutator.impl.cluster.target import Client, TargetError
from scrutator.impl.history import Plain

Do = Callable[[Client], Awaitable[Plain]]
DOUBTS_MAX = 8  # operations of unknown outcome on one key, after which it makes room


@dataclass(frozen=True, slots=True)
class Call:
    """One operation: how the history names it, and how a client does it."""

    method: str
    key: str
    argument: Plain
    do: Do


@dataclass(slots=True)
class Keys:
    """The keys in use, so many at a time, each for so many operations."""

    count: int
    share: int
    every: list[str] = field(default_factory=list)  # in the order in which they came into use
    _used: dict[str, int] = field(default_factory=dict)  # of those in use
    _doubts: dict[str, int] = field(default_factory=dict)

    def pick(self, random: Random) -> str:
        while len(self._used) < self.count:
            key = f"k{len(self.every)}"
            self.every.append(key)
            self._used[key] = self._doubts[key] = 0
        key = random.choice(list(self._used))
        self._used[key] += 1
        if self._used[key] >= self.share:
            self._retire(key)
        return key

    def doubt(self, key: str) -> None:
        """An operation on the key may or may not have happened."""
        if key in self._doubts:
            self._doubts[key] += 1
            if self._doubts[key] >= DOUBTS_MAX:
                self._retire(key)

    def _retire(self, key: str) -> None:
        del self._used[key], self._doubts[key]


class Workload:
    """Calls on one kind of object.  ``operations`` are those that clients of the target have."""

    name: str
    object: str
    empties = False  # whether the last calls on a key are repeated until they find nothing
    keys: Keys

    def __init__(self, operations: frozenset[str]) -> None:
        self.operations = operations
        self._values = 0

    def call(self, random: Random) -> Call:
        """The next operation of some client."""
        raise NotImplementedError

    def last(self, key: str) -> Call:
        """What is asked of a key at the end, so that a lost write shows."""
        raise NotImplementedError

    def saw(self, call: Call, result: Plain) -> None:
        """A call returned this."""

    def value(self) -> str:
        """One that nobody has written yet."""
        self._values += 1
        return f"v{self._values}"

    def require(self, *ways: Sequence[str]) -> Sequence[str]:
        """The first of some sets of operations that clients have all of; raises `TargetError`."""
        for way in ways:
            if set(way) <= self.operations:
                return way
        wanted = " or ".join("+".join(way) for way in ways)
        raise TargetError(
            f"the workload {self.name} needs {wanted}; clients of this target have {', '.join(sorted(self.operations))}: choose another --workload"
        )


class Kv(Workload):
    """Several keys: get, put, append, compare-and-set and delete, as far as there are such operations."""

    name = object = "kv"
    _WEIGHTS = (("get", 8), ("put", 4), ("append", 3), ("cas", 3), ("delete", 2))

    def __init__(self, operations: frozenset[str]) -> None:
        super().__init__(operations)
        self.require(("get", "put"))
        self.keys = Keys(5, 150)
        self._seen: dict[str, str | None] = {}
        self._methods = [method for method, weight in self._WEIGHTS for _ in range(weight) if method in operations]

    def call(self, random: Random) -> Call:
        key, method = self.keys.pick(random), random.choice(self._methods)
        value = self.value() + (";" if method == "append" else "")
        if method == "get":
            return self.last(key)
        if method == "put":
            return Call(method, key, value, lambda client: client.put(key, value))
        if method == "append":
            return Call(method, key, value, lambda client: client.append(key, value))
        if method == "delete":
            return Call(method, key, None, lambda client: client.delete(key))
        expected = self._seen.get(key)
        return Call("cas", key, (expected, value), lambda client: client.cas(key, expected, value))

    def last(self, key: str) -> Call:
        return Call("get", key, None, lambda client: client.get(key))

    def saw(self, call: Call, result: Plain) -> None:
        if call.method == "get":
            self._seen[call.key] = result if isinstance(result, str) else None
        elif call.method == "put" and isinstance(call.argument, str):
            self._seen[call.key] = call.argument
        elif call.method == "cas" and result is True and isinstance(call.argument, tuple):
            self._seen[call.key] = str(call.argument[1])
        elif call.method == "delete":
            self._seen[call.key] = None


class Register(Workload):
    """A few registers: read, write, and compare-and-set where clients have it."""

    name = object = "register"

    def __init__(self, operations: frozenset[str]) -> None:
        super().__init__(operations)
        self.require(("get", "put"))
        self.keys = Keys(3, 250)
        self._seen: dict[str, str | None] = {}
        self._methods = ["read"] * 5 + ["write"] * 3 + ["cas"] * 2 * ("cas" in operations)

    def call(self, random: Random) -> Call:
        key, method, value = self.keys.pick(random), random.choice(self._methods), self.value()
        if method == "read":
            return self.last(key)
        if method == "write":
            return Call(method, key, value, lambda client: client.put(key, value))
        expected = self._seen.get(key)
        return Call(method, key, (expected, value), lambda client: client.cas(key, expected, value))

    def last(self, key: str) -> Call:
        return Call("read", key, None, lambda client: client.get(key))

    def saw(self, call: Call, result: Plain) -> None:
        if call.method == "read":
            self._seen[call.key] = result if isinstance(result, str) else None
        elif call.method == "write" and isinstance(call.argument, str):
            self._seen[call.key] = call.argument


class Set(Workload):
    """Elements are added, and all of them read."""

    name = object = "set"

    def __init__(self, operations: frozenset[str]) -> None:
        super().__init__(operations)
        self._native = "sadd" in self.require(("sadd", "smembers"), ("get", "cas"))
        self.keys = Keys(3, 100)

    def call(self, random: Random) -> Call:
        key, value = self.keys.pick(random), self.value()
        if random.random() < 0.25:
            return self.last(key)
        if self._native:
            return Call("add", key, value, lambda client: client.sadd(key, value))
        return Call("add", key, value, lambda client: built.changed(client, key, built.with_last(value)))

    def last(self, key: str) -> Call:
        async def read(client: Client) -> Plain:
            found = await client.smembers(key) if self._native else built.items_of(await client.get(key))
            return sorted(found)

        return Call("read", key, None, read)


class Queue(Workload):
    """Values are added at the back and taken from the front; at the end, every queue is emptied."""

    name = object = "queue"
    empties = True

    def __init__(self, operations: frozenset[str]) -> None:
        super().__init__(operations)
        self._native = "rpush" in self.require(("rpush", "lpop"), ("get", "cas"))
        self.keys = Keys(3, 150)

    def call(self, random: Random) -> Call:
        key, value = self.keys.pick(random), self.value()
        if random.random() < 0.45:
            return self.last(key)
        if self._native:
            return Call("enqueue", key, value, lambda client: client.rpush(key, value))
        return Call("enqueue", key, value, lambda client: built.changed(client, key, built.with_last(value)))

    def last(self, key: str) -> Call:
        if self._native:
            return Call("dequeue", key, None, lambda client: client.lpop(key))
        return Call("dequeue", key, None, lambda client: built.changed(client, key, built.without_first))


class Counter(Workload):
    """Numbers that are counted up, and read."""

    name = object = "counter"

    def __init__(self, operations: frozenset[str]) -> None:
        super().__init__(operations)
        self._native = "incr" in self.require(("incr", "get"), ("get", "cas"))
        self.keys = Keys(3, 200)

    def call(self, random: Random) -> Call:
        key = self.keys.pick(random)
        if random.random() < 0.35:
            return self.last(key)
        if self._native:
            return Call("increment", key, None, lambda client: client.incr(key))
        return Call("increment", key, None, lambda client: built.changed(client, key, built.one_more))

    def last(self, key: str) -> Call:
        async def read(client: Client) -> Plain:
            return int(await client.get(key) or 0)

        return Call("read", key, None, read)


WORKLOADS: dict[str, type[Workload]] = {kind.name: kind for kind in (Kv, Register, Set, Queue, Counter)}
