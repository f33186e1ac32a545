"""`python -m scrutator.impl.node.maelstrom`: the replica as a node of Maelstrom, on standard input and output.

It serves the lin-kv workload.  Law: it is the same replica as that of a real node, but its store is its memory,
so that killing it and starting it again breaks what Raft rests on: Maelstrom kills nothing unless told to.  An
answer claims no more than is known: 0 where a request may or may not have happened, 11 where it did not.
Source: https://github.com/jepsen-io/maelstrom/blob/main/doc/protocol.md and workloads.md
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
from msgspec import Struct

from scrutator.impl.machine import Command, KeyValue
from scrutator.impl.maelstrom import (
    ABORT,
    KEY_DOES_NOT_EXIST,
    NOT_SUPPORTED,
    PRECONDITION_FAILED,
    TEMPORARILY_UNAVAILABLE,
    TIMEOUT,
    Request,
    envelope_of,
    line_of,
)
from scrutator.impl.node.config import ConfigError, NodeConfig, Place, Timing, checked
from scrutator.impl.node.links.wire import NodeMessage
from scrutator.impl.node.log import Log
from scrutator.impl.node.mutants import mutants, replica_of
from scrutator.impl.node.replica import Replica
from scrutator.impl.node.requests import Outcome
from scrutator.impl.raft import Entry, Persist, Snapshot

LINE_BYTES_MAX = 16 << 20
CREATE_ATTEMPTS_MAX = 5
NOWHERE = Place("127.0.0.1:0", "127.0.0.1:0")  # messages go by standard output, to names



class Failed(Exception):
    """A request ends with an error of the protocol: its code, and a text."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class Body(Request):
    """What is read of a body, depending on its type."""

    node_id: str = ""
    node_ids: list[str] = msgspec.field(default_factory=list)


class RaftBody(Struct, tag_field="type", tag="raft"):
    """What nodes say to each other; bytes are base64 in JSON."""

    messages: list[NodeMessage]


_BODY = msgspec.json.Decoder(Body)
_RAFT = msgspec.json.Decoder(RaftBody)


@dataclass(slots=True)
class Forgetful:
    """A store in memory: the core remembers all there is, and nothing is ever loaded."""

    term: int = 0
    vote: str | None = None
    snapshot: Snapshot | None = None
    entries: list[Entry] = field(default_factory=list)
    dropped: str = ""

    def load(self) -> Forgetful:
        return self

    def write(self, persists: Sequence[Persist]) -> None:
        """Durable as long as the process lives, as it is."""

    def trim(self, rows_max: int = 2000) -> bool:
        return False


class Node:
    """Takes lines and writes lines; a replica from init on."""

    def __init__(self, write: Callable[[bytes], None], settings: NodeConfig) -> None:
        self._write, self._settings = write, settings
        self._replica: Replica | None = None
        self._id = ""
        self._tasks: set[asyncio.Task[None]] = set()

    def receive(self, line: bytes) -> None:
        """A line of standard input; one that makes no sense is told on standard error."""
        try:
            envelope = envelope_of(line)
            body = _BODY.decode(envelope.body)
            messages = _RAFT.decode(envelope.body).messages if body.type == "raft" else []
        except (ValueError, RecursionError) as error:
            Log(self._id or "?")("line left out", why=str(error)[:200], line=line[:80].decode(errors="replace"))
            return
        if body.type == "init":
            self._init(body)
            self._answer(envelope.src, body, {"type": "init_ok"})
        elif body.type == "raft":
            if self._replica is not None:
                for message in messages:
                    self._replica.receive(message)
        elif body.msg_id is not None:
            task = asyncio.get_running_loop().create_task(self._serve(envelope.src, body))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def stop(self) -> None:
        """Take no further step."""
        if self._replica is not None:
            self._replica.stop()

    def _init(self, body: Body) -> None:
        if self._replica is not None:
            return
        self._id = body.node_id
        nodes = dict.fromkeys(body.node_ids, NOWHERE)
        config = checked(msgspec.structs.replace(self._settings, id=body.node_id, nodes=nodes), "init")
        self._replica = replica_of(config.mutant)(config, Forgetful(), self._send, Log(self._id), compact=_compact, fail=_fail)
        self._replica.start()

    def _send(self, dst: str, messages: Sequence[NodeMessage]) -> None:
        self._say(dst, RaftBody(list(messages)))

    def _say(self, dest: str, body: object) -> None:
        self._write(line_of(self._id, dest, body))

    def _answer(self, dest: str, request: Body, body: Mapping[str, object]) -> None:
        self._say(dest, {**body, "in_reply_to": request.msg_id})

    # --- lin-kv -------------------------------------------------------------------------------

    async def _serve(self, client: str, body: Body) -> None:
        try:
            answer = await self._carry_out(body)
        except Failed as failed:
            answer = {"type": "error", "code": failed.code, "text": str(failed)}
        self._answer(client, body, answer)

    async def _carry_out(self, body: Body) -> dict[str, object]:
        key = _bytes(body.key)
        if body.type == "write":
            await self._ask(Command("put", key, _bytes(body.value)))
            return {"type": "write_ok"}
        if body.type == "read":
            held = await self._get(key)
            if held is None:
                raise Failed(KEY_DOES_NOT_EXIST, "there is no such key")
            return {"type": "read_ok", "value": msgspec.json.decode(held)}
        if body.type == "cas":
            await self._swap(key, body)
            return {"type": "cas_ok"}
        raise Failed(NOT_SUPPORTED, f"there is no {body.type!r:.40} here")

    async def _swap(self, key: bytes, body: Body) -> None:
        """Why a cas failed is asked afterwards: as no key is ever deleted, one that is not there now was not there then."""
        for _ in range(CREATE_ATTEMPTS_MAX):
            if await self._ask(Command("cas", key, _bytes(body.to), _bytes(body.from_))) is True:
                return
            if await self._get_after(key) is not None:
                raise Failed(PRECONDITION_FAILED, "the key holds something else")
            if not body.create_if_not_exists:
                raise Failed(KEY_DOES_NOT_EXIST, "there is no such key")
            if await self._ask(Command("cas", key, _bytes(body.to), None)) is True:
                return
        raise Failed(TEMPORARILY_UNAVAILABLE, "others came in between, again and again")

    async def _get(self, key: bytes) -> bytes | None:
        held = await self._ask(Command("get", key))
        return held if isinstance(held, bytes) else None

    async def _get_after(self, key: bytes) -> bytes | None:
        """A read by which it is known already that nothing was changed."""
        try:
            return await self._get(key)
        except Failed as failed:
            raise Failed(TEMPORARILY_UNAVAILABLE, f"it did not happen, but why is not known: {failed}") from failed

    async def _ask(self, command: Command) -> object:
        """The result of a command; raises `Failed`."""
        if self._replica is None:
            raise Failed(TEMPORARILY_UNAVAILABLE, "there was no init yet")
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._replica.submit(command, lambda outcome: None if future.done() else future.set_result(outcome))
        outcome = await future
        if outcome.reply is None:
            raise Failed(TIMEOUT if outcome.unknown else TEMPORARILY_UNAVAILABLE, outcome.why)
        if outcome.reply.error:
            raise Failed(ABORT, outcome.reply.error)
        return outcome.reply.result


def _bytes(value: object) -> bytes:
    """Equal JSON values, equal bytes: maps are sorted."""
    return msgspec.json.encode(value, order="sorted")


def _compact(index: int, machine: KeyValue, done: Callable[[int, bytes], None]) -> None:
    asyncio.get_running_loop().call_soon(done, index, b"".join(machine.image()))


def _fail(error: Exception) -> None:
    raise SystemExit(f"a bug: {type(error).__name__}: {error}")


def _to_stdout(line: bytes) -> None:
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()


async def serve(settings: NodeConfig) -> int:
    """Until the end of standard input."""
    reader = asyncio.StreamReader(limit=LINE_BYTES_MAX)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    node = Node(_to_stdout, settings)
    try:
        while line := await reader.readline():
            node.receive(line)
    except ValueError:
        sys.stderr.write(f"a line of more than {LINE_BYTES_MAX:,} bytes\n")
        return 2
    finally:
        node.stop()
    return 0


def main(arguments: Sequence[str]) -> int:
    """Exit status 0 at the end of input, 2 where the arguments or the input cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m scrutator.impl.node.maelstrom", description="Raft as a Maelstrom node for lin-kv; its state is in memory.")
    parser.add_argument("--election-s", type=float, default=0.6, help="shortest election timeout, in seconds")
    parser.add_argument("--heartbeat-s", type=float, default=0.1)
    parser.add_argument("--reads", choices=("index", "lease", "log"), default="index")
    parser.add_argument("--mutant", choices=sorted(mutants()), default="", help="break it on purpose", metavar="NAME")
    given = parser.parse_args(arguments)
    settings = NodeConfig(
        id="n1", cluster="maelstrom", data="", nodes={"n1": NOWHERE}, reads=given.reads, mutant=given.mutant,
        timing=Timing(given.election_s, given.heartbeat_s),
    )  # fmt: skip
    try:
        return asyncio.run(serve(checked(settings, "arguments")))
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except BrokenPipeError:  # whoever started it is gone
        return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
