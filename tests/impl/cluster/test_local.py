"""A local cluster comes up, survives its starter and the death of nodes, goes down, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import pytest

from scrutator.impl.cluster import folder as folders
from scrutator.impl.cluster import local
from scrutator.impl.cluster.folder import Cluster, FolderError, Node
from scrutator.impl.cluster.ports import LOOPBACK, Ports
from scrutator.impl.cluster.processes import Identity, birth_of, eventually
from scrutator.impl.cluster.resp import Value, ask
from scrutator.impl.cluster.standing import NotServing
from scrutator.impl.node.config import NodeConfig, Timing


@pytest.fixture(autouse=True)
def _elect_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "NodeConfig", partial(NodeConfig, timing=Timing(0.25, 0.05)))


@asynccontextmanager
async def stopped_at_the_end(folder: Path) -> AsyncIterator[None]:
    try:
        yield
    finally:
        with suppress(FolderError):
            await local.down(folder)


async def tell(node: Node, *words: str) -> Value:
    return await ask(*node.client_address, *words, timeout_s=20)


def kept(folder: Path) -> Cluster:
    return folders.require(folder)


def test_the_life_of_a_cluster(tmp_path: Path) -> None:
    folder = tmp_path / "cluster"

    async def main() -> None:
        async with stopped_at_the_end(folder):
            done = await local.up(folder, port=0)
            assert done.started == ("n1", "n2", "n3") and done.leader in done.started
            print(f"up after {done.seconds:.2f} s")
            nodes = done.cluster.nodes
            assert await tell(nodes["n1"], "SET", "k", "v") == "OK"
            found = await local.status(folder)
            assert found.serves and found.leader == done.leader
            assert [member.state for member in found.members] == ["running"] * 3

            victim = nodes["n2"].identity
            assert victim is not None and victim.signal(signal.SIGKILL)
            assert await eventually(lambda: not victim.alive, 20)
            assert nodes["n3"].identity is not None and nodes["n3"].identity.signal(signal.SIGSTOP)
            found = await local.status(folder)
            assert [member.state for member in found.members] == ["running", "died", "paused"] and not found.serves
            assert found.members[1].last_word
            nodes["n3"].identity.signal(signal.SIGCONT)
            done = await local.up(folder)
            assert done.started == ("n2",) and done.cluster.nodes["n1"] == nodes["n1"]
            assert await tell(done.cluster.nodes["n2"], "GET", "k") == b"v"
            assert (await local.up(folder, nodes=3)).started == ()

            with pytest.raises(FolderError, match="holds a cluster of 3 nodes, not 5"):
                await local.up(folder, nodes=5)
            with pytest.raises(FolderError, match="run with other options: scrutator cluster down"):
                await local.up(folder, changes={"reads": "lease"})
            assert await local.down(folder) == ["n1", "n2", "n3"]
            assert kept(folder).running == [] and [member.state for member in (await local.status(folder)).members] == ["stopped"] * 3

            done = await local.up(folder, changes={"reads": "lease"})
            assert await tell(done.cluster.nodes["n3"], "GET", "k") == b"v"
            assert 'reads = "lease"' in (folder / "n1" / "node.toml").read_text()
            await local.down(folder, wipe=True)
            assert not folder.exists()

    asyncio.run(main())


def test_nodes_speak_tls(tmp_path: Path) -> None:
    async def main() -> None:
        async with stopped_at_the_end(tmp_path / "c"):
            done = await local.up(tmp_path / "c", nodes=2, port=0, changes={"tls": True})
            assert await tell(done.cluster.nodes["n1"], "SET", "k", "v") == "OK"
            assert ((tmp_path / "c" / "tls" / "n1.key").stat().st_mode & 0o077) == 0

    asyncio.run(main())


def test_a_port_in_use(tmp_path: Path) -> None:
    async def main() -> None:
        with Ports() as ports:
            port = ports.take()
            ports.close()
            with socket.create_server((LOOPBACK, port + 1)), pytest.raises(NotServing, match=rf"n2 cannot listen: port {port + 1} of .* is in use: .*--port"):
                await local.up(tmp_path / "c", port=port)
        assert folders.read(tmp_path / "c") is None

    asyncio.run(main())


def test_a_node_that_exits_at_once_stops_the_others(tmp_path: Path) -> None:
    async def main() -> None:
        async with stopped_at_the_end(tmp_path):
            with pytest.raises(NotServing, match=r"n\d exited with status 2: cannot start: .*there is no mutant 'no_such'(.|\n)*log.jsonl"):
                await local.up(tmp_path, port=0, changes={"mutant": "no_such"})
            assert all(node.pid == 0 for node in kept(tmp_path).nodes.values())
            assert (await local.up(tmp_path, changes={"mutant": ""})).leader  # and goes on from there

    asyncio.run(main())


def test_what_an_interruption_had_started_is_stopped(tmp_path: Path) -> None:
    async def main() -> None:
        async with stopped_at_the_end(tmp_path):
            task = asyncio.create_task(local.up(tmp_path, port=0))

            def all_run() -> bool:
                found = folders.read(tmp_path)
                return found is not None and len(found.running) == 3

            assert await eventually(all_run, 20)
            identities = [node.identity for node in kept(tmp_path).nodes.values()]
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert not any(identity.alive for identity in identities if identity) and kept(tmp_path).running == []

    asyncio.run(main())


def test_a_process_that_got_a_nodes_number_is_left_alone(tmp_path: Path) -> None:
    async def main() -> None:
        async with stopped_at_the_end(tmp_path):
            done = await local.up(tmp_path, nodes=1, port=0)
            node = done.cluster.nodes["n1"]
            text = (tmp_path / "cluster.json").read_text()
            other = json.loads(text)
            other["nodes"]["n1"]["birth"] = "another boot:1"
            (tmp_path / "cluster.json").write_text(json.dumps(other))
            assert [member.state for member in (await local.status(tmp_path)).members] == ["died"]
            assert await local.down(tmp_path) == []
            assert node.alive
            (tmp_path / "cluster.json").write_text(text)
            assert await local.down(tmp_path) == ["n1"] and not node.alive

    asyncio.run(main())


def test_one_command_at_a_time(tmp_path: Path) -> None:
    folders.write(tmp_path, Cluster("c", {"n1": Node("127.0.0.1:2", "127.0.0.1:1")}))
    with folders.locked(tmp_path), pytest.raises(FolderError, match="another command starts or stops"):
        asyncio.run(local.down(tmp_path))
    assert asyncio.run(local.down(tmp_path)) == []


def test_wiping_spares_what_is_not_the_clusters(tmp_path: Path) -> None:
    folders.write(tmp_path, Cluster("c", {"n1": Node("127.0.0.1:2", "127.0.0.1:1")}))
    (tmp_path / "n1" / "data").mkdir(parents=True)
    (tmp_path / "n2").mkdir()
    asyncio.run(local.down(tmp_path, wipe=True))
    assert [path.name for path in tmp_path.iterdir()] == ["n2"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "describes no cluster"),
        ("{", "describes no cluster"),
        ('{"cluster": "c", "nodes": {"../x": {"raft": "a:1", "client": "a:2"}}}', "'../x' is no name of a node"),
        ('{"cluster": "c", "nodes": {"n1": {"raft": "a", "client": "a:2"}}}', "n1: 'a' is no address"),
        ('{"cluster": "c", "nodes": {}, "schema": "scrutator.cluster/2"}', "schema"),
        ('{"cluster": "c", "nodes": {}}', "it has no nodes"),
        ('{"cluster": "c", "nodes": {"n1": {"raft": "a:1", "client": "a:2", "pid": -1}}}', "pid"),
        (" " * (2 << 20), "larger than"),
    ],
)
def test_a_folder_whose_file_is_damaged(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "cluster.json").write_text(text)
    for work in (local.up(tmp_path), local.down(tmp_path), local.status(tmp_path)):
        with pytest.raises(FolderError, match=message):
            asyncio.run(work)


def test_a_folder_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(FolderError, match=r"holds thesis.tex and no cluster.json: .*--folder"):
        asyncio.run(local.up(tmp_path))
    with pytest.raises(FolderError, match="scrutator cluster up starts one"):
        asyncio.run(local.down(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_what_fails_before_there_is_a_cluster_leaves_no_trace(tmp_path: Path) -> None:
    for folder in (tmp_path / "new", tmp_path):
        with pytest.raises(FolderError):
            asyncio.run(local.up(folder, nodes=0))
        assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(FolderError, match=r"file is no folder"):
        asyncio.run(local.up(tmp_path / "file"))
    with pytest.raises(FolderError, match="is no UTF-8"):
        asyncio.run(local.up(tmp_path / "\udcff"))


def test_a_paused_node_is_named_and_not_waited_for(tmp_path: Path) -> None:
    process = subprocess.Popen(["sleep", "600"], start_new_session=True)
    try:
        identity = Identity(process.pid, birth_of(process.pid) or "")
        folders.write(tmp_path, Cluster("c", {"n1": Node("127.0.0.1:2", "127.0.0.1:1", identity.pid, identity.birth)}))
        assert identity.signal(signal.SIGSTOP)
        assert asyncio.run(eventually_paused(identity))
        with pytest.raises(NotServing, match=rf"n1 of .* is paused \(SIGSTOP\): kill -CONT {process.pid} "):
            asyncio.run(local.up(tmp_path))
    finally:
        process.kill()
        process.wait()


async def eventually_paused(identity: Identity) -> bool:
    return await eventually(lambda: identity.paused, 20)


def test_a_lock_that_was_wiped_is_none(tmp_path: Path) -> None:
    with folders.locked(tmp_path):
        descriptor = os.open(tmp_path / "lock", os.O_RDWR)
        (tmp_path / "lock").unlink()
    fresh = os.open(tmp_path / "lock", os.O_CREAT)
    try:
        assert folders._is(fresh, tmp_path / "lock") and not folders._is(descriptor, tmp_path / "lock")
    finally:
        os.close(descriptor)
        os.close(fresh)


@pytest.mark.parametrize(("nodes", "port", "message"), [(0, 0, "from 1 to 9"), (99, 0, "from 1 to 9"), (3, 60_000, "from 1 to 55,532"), (3, -1, "port -1")])
def test_numbers_that_make_no_sense(tmp_path: Path, nodes: int, port: int, message: str) -> None:
    with pytest.raises(FolderError, match=message):
        asyncio.run(local.up(tmp_path, nodes=nodes, port=port))
