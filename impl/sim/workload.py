"""Simulated clients: they write and read a few keys, try again with the same number, and say what they saw.

The law: the history says only what a client observed.  An operation of which a client cannot know whether it
took effect is pending, and the client goes on as another process; one that every server refused did not
happen, and is not in the history.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scrutator.impl.history import History
from scrutator.impl.machine import Command, Reply, encoded
from scrutator.impl.sim.host import Request, Response
from scrutator.impl.sim.world import MILLISECOND, SECOND

if TYPE_CHECKING:
    from scrutator.impl.sim.run import Simulation

GIVE_UP_US = 6 * SECOND
_BACKOFF_US = 60 * MILLISECOND
_WRITES = ("put", "put", "put", "append", "append", "append", "cas", "cas", "cas", "delete")

# Of 16 operations, how many are reads, and by which ways; a client that only reads stays where it is answered.
_HABITS = ((None, None), (16, ("lease",)), (0, None), (14, ("index", "lease")))

Result = str | bool | None


@dataclass(slots=True)
class Operation:
    """What a client does now; times in microseconds."""

    number: int
    method: str
    key: str
    argument: str | tuple[str | None, str] | None
    way: str
    data: bytes
    called: int
    attempts: int = 0
    in_doubt: bool = False  # some attempt was not answered


class Client:
    """Does one operation after the other."""

    def __init__(self, name: str, sim: Simulation, history: History) -> None:
        self.name, self.sim, self.history = name, sim, history
        self.world, self.tape = sim.world, sim.tape
        self.process = history.process()
        self.stopping = False
        self._believed = self._turn = 0  # the server to ask; whose turn it was where none was hinted at
        self._hinted: str | None = None
        self._session = self._sequence = self._numbers = self._values = 0
        self._operation: Operation | None = None
        reads, ways = self.tape.pick(_HABITS)
        self._reads = sim.setup.reads if reads is None else reads
        allowed = sim.setup.ways
        self._ways = tuple(way for way in ways or allowed if way in allowed) or allowed
        self._seen: dict[str, str | None] = {}  # what keys were last known to hold

    @property
    def idle(self) -> bool:
        return self._operation is None

    def begin(self, _: None = None) -> None:
        """Start the next operation, if there is to be one."""
        if self.stopping:
            return
        if not self._session:
            self._call("register", "", None, "log", Command("register"))
            return
        key = f"k{self.tape.draw(self.sim.setup.keys)}"
        if self.tape.draw(16) < self._reads:
            self.read(key, self.tape.pick(self._ways))
        else:
            self.write(self.tape.pick(_WRITES), key)

    def read(self, key: str, way: str) -> None:
        """Read a key through the log, by index or by lease."""
        if way == "log":
            self._call("get", key, None, way, self._numbered("get", key))
        else:
            if way == "index" and self.tape.draw(3) == 2:
                self._believed = self.tape.draw(len(self.sim.setup.names))  # followers answer those, too
            self._call("get", key, None, way, key.encode())

    def write(self, method: str, key: str) -> None:
        """Put, append, compare and set, or delete; every value is another one."""
        self._values += 1
        value = f"{self.name}.{self._values}"
        if method == "delete":
            self._call(method, key, None, "log", self._numbered(method, key))
        elif method == "cas":
            expected = self._seen.get(key)
            command = self._numbered(method, key, value.encode(), None if expected is None else expected.encode())
            self._call(method, key, (expected, value), "log", command)
        else:
            value = value + ";" if method == "append" else value
            self._call(method, key, value, "log", self._numbered(method, key, value.encode()))

    def _numbered(self, op: str, key: str, value: bytes | None = None, expected: bytes | None = None) -> Command:
        self._sequence += 1
        return Command(op, key.encode(), value, expected, self._session, self._sequence)

    def _call(
        self, method: str, key: str, argument: str | tuple[str | None, str] | None, way: str, data: Command | bytes
    ) -> None:  # fmt: skip
        self._numbers += 1
        bytes_ = encoded(data) if isinstance(data, Command) else data
        self._operation = Operation(self._numbers, method, key, argument, way, bytes_, self.world.now)
        self.sim.tell(self.name, f"calls {method} {key} {argument or ''} by {way}")
        self._attempt(self._numbers)

    def _attempt(self, number: int) -> None:
        operation = self._operation
        if operation is None or operation.number != number:
            return
        operation.attempts += 1
        name = self.sim.setup.names[self._believed]
        request = Request(self.name, (number, operation.attempts), operation.way, operation.data, self.respond)
        # Over a connection: a request that was refused must not come a second time, as it would be in doubt then.
        self.sim.network.send(self.name, name, self.sim.hosts[name].request, request, once=True)
        self.world.after(self.sim.setup.attempt_ms * MILLISECOND, self._time_out, request.number)

    def _time_out(self, number: tuple[int, int]) -> None:
        operation = self._operation
        if operation is None or number != (operation.number, operation.attempts):
            return
        operation.in_doubt = True
        self._ask_another(None)
        self._again(operation, 0)

    def _again(self, operation: Operation, delay: int) -> None:
        """Try again, or give up after too long."""
        if self.world.now - operation.called >= GIVE_UP_US:
            self._give_up(operation)
        elif delay:
            self.world.after(delay, self._attempt, operation.number)
        else:
            self._attempt(operation.number)

    def _ask_another(self, leader: str | None) -> None:
        names = self.sim.setup.names
        if leader in names and leader != self._hinted:
            self._hinted = leader
            self._believed = names.index(leader)
        else:  # a server that was removed may hint at another such for ever: ask all in turn
            self._hinted = None
            self._turn = self._believed = (self._turn + 1) % len(names)

    def respond(self, response: Response) -> None:
        """A server answered one of the attempts."""
        operation = self._operation
        if operation is None or response.number[0] != operation.number:
            return
        if response.reply is None:
            if response.number[1] == operation.attempts:
                self._ask_another(response.leader)
                self._again(operation, _BACKOFF_US)
        elif response.reply.error:
            self._session = 0
            operation.in_doubt = True  # an attempt of a session that expired may have been applied before it did
            self._give_up(operation)
        else:
            self._done(operation, response.reply, response.index)

    def _done(self, operation: Operation, reply: Reply, index: int) -> None:
        if operation.way == "log":
            self.sim.watch.acknowledged(index, operation.data)
        self._operation = None
        result = reply.result
        if operation.method == "register":
            assert isinstance(result, int)
            self._session, self._sequence = result, 0
        else:
            value = result.decode() if isinstance(result, bytes) else result
            assert value is None or isinstance(value, str | bool)
            self._learn(operation, value)
            _note(self.history, self.process, operation, value, self.world.now)
        self.sim.watch.counts[f"{operation.method} by {operation.way}"] += 1
        self.sim.tell(self.name, f"{operation.method} {operation.key} returns {result!r}" + (f", entry {index}" if index else ""))
        self._think()

    def _learn(self, operation: Operation, value: Result) -> None:
        argument, key = operation.argument, operation.key
        if operation.method == "get":
            self._seen[key] = value if isinstance(value, str) else None
        elif operation.method == "put":
            assert isinstance(argument, str)
            self._seen[key] = argument
        elif operation.method == "cas" and value is True:
            assert isinstance(argument, tuple)
            self._seen[key] = argument[1]
        elif operation.method == "delete":
            self._seen[key] = None

    def _give_up(self, operation: Operation) -> None:
        self._operation = None
        self.sim.watch.counts["operations given up"] += 1
        self.sim.tell(self.name, f"gives up {operation.method} {operation.key}" + (", which may have taken effect" if operation.in_doubt else ""))
        if operation.method != "register" and self.is_in_doubt(operation):
            _note(self.history, self.process, operation, None, None)
            self.process = self.history.process()
            if self.tape.draw(2):
                self._session = 0
        self._think()

    def is_in_doubt(self, operation: Operation) -> bool:
        """Whether an operation that was given up may have taken effect, or may still."""
        return operation.in_doubt

    def close(self) -> None:
        """At the end, what is under way is pending."""
        operation, self._operation = self._operation, None
        if operation is not None and operation.method != "register":
            _note(self.history, self.process, operation, None, None)

    def _think(self) -> None:
        think_ms = self.sim.setup.think_ms
        self.world.after(MILLISECOND * (think_ms - self.tape.draw(think_ms)), self.begin, None)


def _note(history: History, process: int, operation: Operation, result: Result, returned: int | None) -> None:
    """Put an operation that ended into the history, whose times are nanoseconds."""
    ended = None if returned is None else returned * 1000
    history.add(process, operation.method, operation.key, operation.argument, result, operation.called * 1000, ended)


class Probe(Client):
    """The client at the end: it must get a write done, and read every key."""

    def __init__(self, name: str, sim: Simulation, history: History) -> None:
        super().__init__(name, sim, history)
        self._todo: list[Callable[[], None]] = [
            lambda: self.write("append", "k0"),
            *(lambda key=f"k{k}", way=way: self.read(key, way) for k in range(sim.setup.keys) for way in dict.fromkeys(sim.setup.ways)),
        ]

    @property
    def done(self) -> bool:
        return not self._todo and self.idle

    def begin(self, _: None = None) -> None:
        if not self._session:
            self._call("register", "", None, "log", Command("register"))
        elif self._todo:
            self._todo.pop(0)()

    def _think(self) -> None:
        self.world.after(MILLISECOND, self.begin, None)
