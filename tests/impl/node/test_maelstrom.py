"""The replica behind Maelstrom's protocol: nodes in one event loop, lines passed from hand to hand."""

import asyncio
import itertools
import subprocess
import sys
from collections.abc import Awaitable, Callable

import msgspec

from scrutator.impl.node.config import NodeConfig, Timing
from scrutator.impl.node.maelstrom import NOWHERE, Node

SETTINGS = NodeConfig(
    id="n1", cluster="maelstrom", data="", nodes={"n1": NOWHERE}, timing=Timing(0.15, 0.03, request_timeout_s=0.6)
)  # fmt: skip


class Cluster:
    """Nodes n1, n2, n3; those in ``apart`` are heard by clients only."""

    def __init__(self) -> None:
        self.names = ["n1", "n2", "n3"]
        self.apart: set[str] = set()
        self.waiting: dict[int, asyncio.Future[dict[str, object]]] = {}
        self.numbers = itertools.count(1)
        self.nodes = {name: Node(self.deliver, SETTINGS) for name in self.names}

    def deliver(self, line: bytes) -> None:
        message = msgspec.json.decode(line)
        src, dest = message["src"], message["dest"]
        if dest in self.nodes:
            if not {src, dest} & self.apart:
                asyncio.get_running_loop().call_soon(self.nodes[dest].receive, line)
        elif (future := self.waiting.pop(message["body"]["in_reply_to"], None)) is not None:
            future.set_result(message["body"])

    async def ask(self, node: str, kind: str, **fields: object) -> dict[str, object]:
        number = next(self.numbers)
        future = self.waiting[number] = asyncio.get_running_loop().create_future()
        body = {"type": kind, "msg_id": number, **{name.rstrip("_"): value for name, value in fields.items()}}
        self.nodes[node].receive(msgspec.json.encode({"src": "c1", "dest": node, "body": body}))
        return await asyncio.wait_for(future, 20)

    async def init(self) -> None:
        for name in self.names:
            assert (await self.ask(name, "init", node_id=name, node_ids=self.names))["type"] == "init_ok"

    async def leader(self) -> str:
        while True:
            for name, node in self.nodes.items():
                if node._replica is not None and node._replica.leads:
                    return name
            await asyncio.sleep(0.01)

    def close(self) -> None:
        for node in self.nodes.values():
            node.stop()


def with_cluster(do: Callable[[Cluster], Awaitable[None]]) -> None:
    async def run() -> None:
        cluster = Cluster()
        try:
            await do(cluster)
        finally:
            cluster.close()

    asyncio.run(run())


def test_lin_kv_as_the_protocol_has_it():
    async def use(cluster: Cluster) -> None:
        assert (await cluster.ask("n1", "read", key=1))["code"] == 11  # before init
        await cluster.init()
        ask = cluster.ask
        assert (await ask("n1", "read", key=1))["code"] == 20
        assert (await ask("n2", "cas", key=1, from_=0, to=1))["code"] == 20
        assert (await ask("n3", "write", key=1, value=5))["type"] == "write_ok"
        assert (await ask("n1", "cas", key=1, from_=6, to=7))["code"] == 22
        assert (await ask("n2", "cas", key=1, from_=5, to=[{"b": 1, "a": None}]))["type"] == "cas_ok"
        assert (await ask("n3", "read", key=1))["value"] == [{"a": None, "b": 1}]
        assert (await ask("n3", "cas", key=1, from_=[{"a": None, "b": 1}], to="text"))["type"] == "cas_ok"
        assert (await ask("n1", "cas", key="1", from_=9, to=2, create_if_not_exists=True))["type"] == "cas_ok"  # another key
        assert (await ask("n1", "cas", key="1", from_=9, to=2, create_if_not_exists=True))["code"] == 22
        assert (await ask("n2", "read", key="1"))["value"] == 2
        assert (await ask("n2", "txn", txn=[]))["code"] == 10

    with_cluster(use)


def test_who_is_alone_promises_nothing():
    async def use(cluster: Cluster) -> None:
        await cluster.init()
        for name in cluster.names:
            await cluster.ask(name, "write", key=1, value=1)
        leader = await cluster.leader()
        other = next(name for name in cluster.names if name != leader)
        cluster.apart = {leader}
        written, read = await asyncio.gather(cluster.ask(leader, "write", key=1, value=2), cluster.ask(leader, "read", key=1))
        assert written["code"] == 0  # it may still happen
        assert read["type"] == "error" and read["code"] == 11
        while (await cluster.ask(other, "write", key=1, value=3))["type"] != "write_ok":
            pass
        cluster.apart = set()
        while (found := await cluster.ask(leader, "read", key=1))["type"] != "read_ok":
            pass
        assert found["value"] == 3

    with_cluster(use)


def test_lines_that_make_no_sense_are_left_out(capfd):
    async def use(cluster: Cluster) -> None:
        await cluster.init()
        for line in (b"no json", b"[]", b'{"src":"n2","dest":"n1","body":{"type":"raft","messages":[{"type":"Nothing"}]}}'):
            cluster.nodes["n1"].receive(line)
        assert (await cluster.ask("n1", "write", key=1, value=1))["type"] == "write_ok"

    with_cluster(use)
    assert capfd.readouterr().err.count("line left out") == 3


def test_the_program_ends_with_its_input():
    command = [sys.executable, "-m", "scrutator.impl.node.maelstrom"]
    init = b'{"src":"c0","dest":"n1","body":{"type":"init","msg_id":1,"node_id":"n1","node_ids":["n1"]}}\n'
    done = subprocess.run(command, input=init, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0
    assert msgspec.json.decode(done.stdout.splitlines()[0])["body"] == {"type": "init_ok", "in_reply_to": 1}
    wrong = subprocess.run([*command, "--election-s", "0.1", "--heartbeat-s", "0.1"], input=b"", capture_output=True, check=False, timeout=60)
    assert wrong.returncode == 2 and b"election_timeout_s" in wrong.stderr
