"""A client of our own nodes, over the Redis protocol.

Law: what was sent and not answered is unknown; what was answered with an error is what docs/commands.md says of
that error; what was never sent, or went to nobody, is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scrutator.impl.cluster.resp import Error, NotConnected, Resp, Value
from scrutator.impl.cluster.target import Refused, Unknown
from scrutator.impl.cluster.wires import Address

UNKNOWN = frozenset({"UNKNOWN", "NOSESSION", "STALE"})  # every other error says that nothing was done
HOPS_MAX = 3


class RaftClient:
    """One connection to ``node``; or, without one, to any, starting with the ``number``-th, and to the leader once told."""

    def __init__(self, places: Mapping[str, Address], node: str | None, number: int) -> None:
        self._places = [places[node]] if node is not None else list(places.values())
        self._free = node is None
        self._next = number % len(self._places)
        self._leader: Address | None = None
        self._connection: Resp | None = None

    async def get(self, key: str) -> str | None:
        found = await self._call("GET", key)
        return None if found is None else _text(found)

    async def put(self, key: str, value: str) -> None:
        await self._call("SET", key, value)

    async def append(self, key: str, value: str) -> None:
        await self._call("APPEND", key, value)

    async def cas(self, key: str, expected: str | None, value: str) -> bool:
        return _number(await (self._call("SETNX", key, value) if expected is None else self._call("CAS", key, expected, value))) == 1

    async def delete(self, key: str) -> bool:
        return _number(await self._call("DEL", key)) == 1

    async def incr(self, key: str) -> int:
        return _number(await self._call("INCR", key))

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _call(self, *words: str) -> Value:
        """The answer; raises `Refused` or `Unknown`.  One that says who leads is followed, by a client that may choose."""
        for _ in range(HOPS_MAX):
            answer = await self._exchange(words)
            if not isinstance(answer, Error):
                return answer
            if answer.kind in UNKNOWN:
                raise Unknown(answer)
            if not (answer.kind == "MOVED" and self._free):
                raise Refused(answer)
            await self.close()
            self._leader = _place_of(answer)
        raise Refused("one node names another as the leader, and that one the next")

    async def _exchange(self, words: Sequence[str]) -> Value:
        place = self._leader or self._places[self._next]
        connection, self._connection = self._connection, None  # and back once it is known to be in step
        try:
            if connection is None:
                connection = await Resp.connect(*place)
            answer = await connection.call(*words)
        except NotConnected as error:
            self._elsewhere()
            raise Refused(str(error)) from error
        except (OSError, EOFError) as error:
            connection.abort()  # type: ignore[union-attr]  # it was there to be lost
            self._elsewhere()
            raise Unknown(f"{place[0]}:{place[1]} closed the connection before it had answered") from error
        except BaseException:  # cancelled: an answer that comes later would be taken for that of the next command
            if connection is not None:
                connection.abort()
            self._elsewhere()
            raise
        self._connection = connection
        return answer

    def _elsewhere(self) -> None:
        """Try another node next time, where there is a choice."""
        self._leader = None
        self._next = (self._next + 1) % len(self._places)


def _place_of(moved: Error) -> Address | None:
    host, _, port = moved.rpartition(" ")[2].rpartition(":")
    return (host.strip("[]"), int(port)) if port.isdigit() else None


def _text(value: Value) -> str:
    if not isinstance(value, bytes):
        raise Unknown(f"the answer is {value!r:.60} where a text is due")
    return value.decode()


def _number(value: Value) -> int:
    if not isinstance(value, int):
        raise Unknown(f"the answer is {value!r:.60} where a number is due")
    return value
