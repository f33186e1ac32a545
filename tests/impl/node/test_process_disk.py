"""Nodes as processes whose disks are full, rotten, shared or not their own: they stop, say why and what to do, and nothing is lost."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from real_nodes import LIMIT_S, Limits, Nodes, Writers, with_nodes

from scrutator.impl.cluster.resp import Error

MIB = 1 << 20


@contextlib.contextmanager
def small_disk(folder: Path, size: int) -> Iterator[None]:
    """A disk of so many bytes at a folder; skips where that is not possible."""
    folder.mkdir(parents=True)
    if sys.platform != "linux" or os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("only root can mount a small disk")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def make_room(folder: Path, size: int = 256 * MIB) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", folder], check=True)


def fill(folder: Path) -> None:
    """Take all room that is left."""
    with contextlib.suppress(OSError), (folder / "ballast").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


async def stops_for_want_of_room(nodes: Nodes, name: str) -> None:
    assert await nodes.ended(name) == 3, nodes.processes[name].problem
    last = nodes.log(name)[-1]
    assert last["event"] == "stops" and last["status"] == 3
    assert "the disk is full" in str(last["why"]) and "Make room, then start the node again" in str(last["why"]), last


def test_a_full_disk_of_one_node(tmp_path: Path) -> None:
    async def work(nodes: Nodes) -> None:
        nodes.start()
        await nodes.served()
        writers = Writers(nodes, 4, filler=20_000)
        await stops_for_want_of_room(nodes, "n1")
        await writers.progress(50)  # the others go on
        fill(nodes.data("n1"))
        for _ in range(2):  # still full: it says so again, and nothing else
            nodes.start("n1")
            await stops_for_want_of_room(nodes, "n1")
        make_room(nodes.data("n1"))
        nodes.start("n1")
        await nodes.served()
        await writers.progress(20)
        await writers.stop()
        await writers.check("n1")
        print(f"{writers.total} acknowledged, longest without an acknowledgement {writers.worst_s:.1f} s")

    nodes = Nodes(tmp_path)
    with small_disk(nodes.data("n1"), 7 * MIB):
        with_nodes(nodes, work)


@pytest.mark.slow
def test_full_disks_of_all_nodes(tmp_path: Path) -> None:
    async def work(nodes: Nodes) -> None:
        nodes.start()
        await nodes.served()
        writers = Writers(nodes, 4, filler=20_000)
        for name in nodes.names:
            await stops_for_want_of_room(nodes, name) if name == "n1" else await nodes.processes[name].wait(5.0)
        for name in nodes.names:
            if nodes.processes[name].running:
                fill(nodes.data(name))
                await stops_for_want_of_room(nodes, name)
        for name in nodes.names:
            make_room(nodes.data(name))
        nodes.start()
        await nodes.served()
        await writers.progress(20)
        await writers.stop()
        for name in nodes.names:
            await writers.check(name)
        print(f"{writers.total} acknowledged, {writers.answers}")

    nodes = Nodes(tmp_path)
    with contextlib.ExitStack() as stack:
        for name in nodes.names:
            stack.enter_context(small_disk(nodes.data(name), 8 * MIB))
        with_nodes(nodes, work)


@pytest.mark.slow
def test_disks_that_fill_up_anywhere(tmp_path: Path) -> None:
    """Of many sizes, so that the end comes in commits, checkpoints, snapshots and marks."""

    async def work(nodes: Nodes) -> None:
        dice = random.Random(3)
        nodes.start()
        await nodes.served()
        writers = Writers(nodes, 4, filler=3_000)
        size, ends = 6 * MIB, 0
        for _ in range(12):
            if await nodes.processes["n1"].wait(3.0) is None:
                fill(nodes.data("n1"))
                await nodes.processes["n1"].wait(LIMIT_S)
            await stops_for_want_of_room(nodes, "n1")
            ends += 1
            (nodes.data("n1") / "ballast").unlink(missing_ok=True)
            size += dice.randrange(4096, 600_000)
            make_room(nodes.data("n1"), size)
            nodes.start("n1")
        await nodes.processes["n1"].wait(0.5)
        make_room(nodes.data("n1"))
        if not nodes.processes["n1"].running:
            nodes.start("n1")
        await nodes.served()
        await writers.stop()
        await writers.check("n1")
        print(f"full {ends} times, {writers.total} acknowledged")

    nodes = Nodes(tmp_path)
    with small_disk(nodes.data("n1"), 6 * MIB):
        with_nodes(nodes, work)


@pytest.mark.slow
def test_a_file_that_may_not_grow(tmp_path: Path) -> None:
    """As with a quota: where the system says something else than that the disk is full, the node stops all the same."""

    async def work(nodes: Nodes) -> None:
        nodes.start()
        await nodes.served()
        writers = Writers(nodes, 2, filler=20_000)
        identity = nodes.processes["n1"].identity
        assert identity is not None
        resource.prlimit(identity.pid, resource.RLIMIT_FSIZE, (5 * MIB, 5 * MIB))
        assert await nodes.ended("n1") == 3
        last = nodes.log("n1")[-1]
        assert last["event"] == "stops" and "start the node again" in str(last["why"]), last
        nodes.start("n1")
        await nodes.served()
        await writers.progress(20)
        await writers.stop()
        await writers.check("n1")

    if not hasattr(resource, "prlimit"):
        pytest.skip("only Linux limits other processes")
    with_nodes(Nodes(tmp_path), work)


# --- rot ---------------------------------------------------------------------------------------------


def rot(path: Path, dice: random.Random) -> None:
    """Flip some bits in the part of a file that is in use."""
    data = bytearray(path.read_bytes())
    used = len(bytes(data).rstrip(b"\0"))
    for _ in range(20):
        data[dice.randrange(used)] ^= 1 << dice.randrange(8)
    path.write_bytes(data)


@pytest.mark.parametrize("name", ["raft.db-wal", *(pytest.param(name, marks=pytest.mark.slow) for name in ("raft.db", "snapshot-*", "store.json"))])
def test_a_rotten_store_is_refused_and_the_node_comes_back_under_a_new_name(tmp_path: Path, name: str) -> None:
    """The way back that docs/cluster.md describes: another node with an empty folder takes the place of the lost one."""

    async def work(nodes: Nodes) -> None:
        first, grown = ["n1", "n2", "n3"], dict(nodes.configs)
        for one in first:
            places = {other: nodes.places[other] for other in first}
            nodes.configs[one] = msgspec.structs.replace(grown[one], nodes=places, voters=())
            nodes.configure(one)
        nodes.start(*first)
        await nodes.served()
        writers = Writers(nodes, 2)
        await writers.progress(400)
        if name == "raft.db":  # while the node is up, the write-ahead log may hold newer ones of all its pages
            nodes.terminate("n3")
            assert await nodes.ended("n3") == 0
        else:
            await nodes.kill("n3")
        for path in nodes.data("n3").glob(name):
            rot(path, random.Random(5))
        nodes.start("n3")
        assert await nodes.ended("n3") == 4
        last = nodes.log("n3")[-1]
        assert last["status"] == 4 and "under a new name" in str(last["why"]) and str(nodes.data("n3")) in str(last["why"]), last
        await writers.progress(50)

        for one in ("n1", "n2"):  # one after the other is told where n4 is, and that n1, n2, n3 voted at first
            nodes.configs[one] = grown[one]
            nodes.configure(one)
            nodes.terminate(one)
            assert await nodes.ended(one) == 0
            nodes.start(one)
            await nodes.served()
        nodes.start("n4")
        for words in (("RAFT", "REMOVE", "n3"), ("RAFT", "ADD", "n4", "LEARNER"), ("RAFT", "ADD", "n4")):
            await changed(nodes, *words)
        await nodes.until("n4", lambda found: found.leader != "" and found.applied > 300)
        await nodes.kill("n1")  # so that n4 is needed
        await writers.progress(50)
        await writers.stop()
        await writers.check("n4")

    with_nodes(Nodes(tmp_path, 4, voters=3), work)


async def changed(nodes: Nodes, *words: str) -> None:
    """Change the members, at whoever leads."""
    async with asyncio.timeout(LIMIT_S):
        while True:
            answer = await nodes.ask(await nodes.leader(), *words)
            if answer == "OK":
                return
            assert isinstance(answer, Error) and answer.kind in ("MOVED", "TRYAGAIN"), answer
            await asyncio.sleep(0.05)


def test_two_processes_cannot_share_a_folder(tmp_path: Path) -> None:
    async def work(nodes: Nodes) -> None:
        nodes.start("n1")
        await nodes.served("n1")
        twin = subprocess.run(nodes.command("n1"), capture_output=True, text=True, timeout=LIMIT_S, check=False)
        assert twin.returncode == 4
        assert "another process" in twin.stderr and "uses this folder" in twin.stderr
        assert await nodes.done("SET", "k", "v") == "OK"

    with_nodes(Nodes(tmp_path, 1), work)


@pytest.mark.slow
def test_the_folder_of_another_node_is_refused(tmp_path: Path) -> None:
    async def work(nodes: Nodes) -> None:
        nodes.start()
        await nodes.served()
        await nodes.kill(*nodes.names)
        shutil.rmtree(nodes.data("n1"))
        shutil.copytree(nodes.data("n2"), nodes.data("n1"))
        nodes.start("n1")
        assert await nodes.ended("n1") == 4
        assert "n2" in str(nodes.log("n1")[-1]["why"]) and "folder of its own" in str(nodes.log("n1")[-1]["why"])

    with_nodes(Nodes(tmp_path, limits=Limits()), work)
