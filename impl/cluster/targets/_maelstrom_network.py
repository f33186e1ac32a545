"""The network between programs that speak the Maelstrom protocol: lines of JSON, routed, delayed, cut and lost.

Law: only what passes between nodes is delayed, cut or lost, as drawn from the seed; clients and services are
always reached at once, as in Maelstrom.  Messages may overtake each other where there are delays.  A line that is
no message is never guessed at: the first one is kept as a complaint, with its node and number.
Source: https://github.com/jepsen-io/maelstrom/blob/main/doc/protocol.md
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Mapping
from random import Random

import msgspec
from msgspec import Struct

from scrutator.impl.cluster.target import TargetError, Unknown
from scrutator.impl.cluster.targets._maelstrom_services import Fields, Service, services
from scrutator.impl.maelstrom import NODE_NOT_FOUND, Envelope, Request, envelope_of, line_of

LINE_BYTES_MAX = 4 << 20


class Body(Struct):
    """What clients read of an answer; other fields are left alone."""

    type: str
    in_reply_to: int | None = None
    value: object = None
    code: int | None = None
    text: str = ""


_BODY = msgspec.json.Decoder(Body)
_REQUEST = msgspec.json.Decoder(Request)


class Network:
    """Nodes are attached by what writes a line to them; ``delay_s`` is the mean of an exponential distribution."""

    def __init__(self, random: Random, *, delay_s: float = 0.0, loss: float = 0.0) -> None:
        self.complaint = ""
        self.cut: frozenset[tuple[str, str]] = frozenset()
        self._random, self._delay_s, self._loss = random, delay_s, loss
        self._nodes: dict[str, Callable[[bytes], None]] = {}
        self._services: Mapping[str, Service] = services(random)
        self._numbers = itertools.count(1)
        self._waiting: dict[int, tuple[str, str, asyncio.Future[Body]]] = {}  # by msg_id: client, node
        self._closed = False

    def attach(self, node: str, write: Callable[[bytes], None]) -> None:
        """What is for this node goes to ``write``, which never blocks."""
        self._nodes[node] = write

    def lost(self, node: str) -> None:
        """The node's process ended: whoever waits for its answer waits for nothing."""
        for _, asked, future in list(self._waiting.values()):
            if asked == node and not future.done():
                future.set_exception(Unknown(f"{node} ended before it answered"))

    def close(self) -> None:
        """Deliver nothing any more."""
        self._closed = True

    # --- clients --------------------------------------------------------------------------------

    async def ask(self, client: str, node: str, fields: Mapping[str, object]) -> Body:
        """A node's answer to a client; waits for ever if none comes."""
        number = next(self._numbers)
        future: asyncio.Future[Body] = asyncio.get_running_loop().create_future()
        self._waiting[number] = (client, node, future)
        try:
            self._nodes[node](line_of(client, node, {**fields, "msg_id": number}))
            return await future
        finally:
            del self._waiting[number]

    # --- what nodes say ---------------------------------------------------------------------------

    def said(self, node: str, number: int, line: bytes) -> bool:
        """A line of a node's standard output, ``number`` counted from 1; whether it was a message."""
        try:
            envelope = envelope_of(line)
            if envelope.src != node:
                raise ValueError(f"its src is {envelope.src!r:.40}, where init said {node!r}")
            self._route(envelope, line)
        except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
            self.complain(node, number, f"is no message ({error}): {line[:80].decode(errors='replace')!r}")
            return False
        return True

    def complain(self, node: str, number: int, why: str) -> None:
        """Keep the first thing that is wrong with what a program writes."""
        if not self.complaint:
            self.complaint = (
                f"{node}: line {number} of its standard output {why}\n"
                "standard output is for messages, a line of JSON each with src, dest and body; write logs to standard error"
            )

    def check(self) -> None:
        """Raises `TargetError` where there is a complaint."""
        if self.complaint:
            raise TargetError(self.complaint)

    def _route(self, envelope: Envelope, line: bytes) -> None:
        src, dest = envelope.src, envelope.dest
        if dest in self._nodes:
            self._between(src, dest, line if line.endswith(b"\n") else line + b"\n")
        elif dest in self._services:
            request = _REQUEST.decode(envelope.body)
            self._answer(dest, src, request, self._services[dest](src, _fields(request)))
        elif dest.startswith("c"):
            self._to_client(dest, _BODY.decode(envelope.body))
        else:
            self._answer("network", src, _REQUEST.decode(envelope.body), {"type": "error", "code": NODE_NOT_FOUND, "text": f"there is no {dest}"})

    def _between(self, src: str, dest: str, line: bytes) -> None:
        if src != dest and self._random.random() < self._loss:
            return
        if self._delay_s and src != dest:
            delay_s = self._random.expovariate(1 / self._delay_s)
            asyncio.get_running_loop().call_later(delay_s, self._deliver, src, dest, line)
        else:
            self._deliver(src, dest, line)

    def _deliver(self, src: str, dest: str, line: bytes) -> None:
        if not self._closed and (src, dest) not in self.cut:
            self._nodes[dest](line)

    def _to_client(self, client: str, body: Body) -> None:
        waiting = self._waiting.get(-1 if body.in_reply_to is None else body.in_reply_to)
        if waiting is not None and waiting[0] == client and not waiting[2].done():
            waiting[2].set_result(body)  # otherwise it comes too late, and nobody waits

    def _answer(self, src: str, dest: str, request: Request, body: Fields) -> None:
        if request.msg_id is not None:
            self._nodes[dest](line_of(src, dest, {**body, "in_reply_to": request.msg_id}))


def _fields(request: Request) -> Fields:
    return {
        "type": request.type, "key": request.key, "value": request.value, "from": request.from_, "to": request.to,
        "create_if_not_exists": request.create_if_not_exists,
    }  # fmt: skip
