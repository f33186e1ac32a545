"""Nodes as processes that are killed, paused and stopped: nothing acknowledged is lost, nothing is applied twice."""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path

import pytest
from real_nodes import Nodes, Writers, with_nodes


async def kill_again_and_again(nodes: Nodes, writers: Writers, kills: int, dice: random.Random) -> list[float]:
    """Kill one node, the leader, all, or one that recovers; how long each recovery took, in seconds."""
    took_s = []
    while nodes.kills < kills:
        await asyncio.sleep(dice.random() * 0.4)
        kind = dice.choice(("one", "leader", "two", "all"))
        if kind == "all":
            victims = list(nodes.names)
        elif kind == "leader":
            victims = [await nodes.leader()]
        else:
            victims = dice.sample(nodes.names, 1 if kind == "one" else 2)
        await nodes.kill(*victims)
        if dice.random() < 0.5:
            await asyncio.sleep(dice.random() * 0.5)
        began_s = time.monotonic()
        nodes.start(*victims)
        while dice.random() < 0.3 and nodes.kills < kills:  # while it recovers
            await asyncio.sleep(dice.random() * 0.8)
            await nodes.kill(victims[0])
            nodes.start(victims[0])
        await nodes.served()
        took_s.append(time.monotonic() - began_s)
        await writers.check()
        await writers.progress(5)
    return took_s


def kills_lose_nothing(folder: Path, kills: int, seed: int) -> None:
    async def work(nodes: Nodes) -> None:
        nodes.start()
        await nodes.served()
        writers = Writers(nodes, 6)
        await writers.progress(200)
        took_s = await kill_again_and_again(nodes, writers, kills, random.Random(seed))
        await writers.stop()
        for name in nodes.names:
            await writers.check(name)
        snapshots = sum(len(nodes.events(name, "took a snapshot")) + len(nodes.events(name, "installed a snapshot")) for name in nodes.names)
        print(f"{nodes.kills} kills, {writers.total} acknowledged, {writers.retries} sent again, {snapshots} snapshots, "
              f"worst recovery {max(took_s):.1f} s, longest without an acknowledgement {writers.worst_s:.1f} s, answers {writers.answers}")  # fmt: skip
        assert snapshots

    with_nodes(Nodes(folder), work)


def test_kills_lose_nothing(tmp_path: Path) -> None:
    kills_lose_nothing(tmp_path, 10, 1)


@pytest.mark.slow
def test_two_hundred_kills_lose_nothing(tmp_path: Path) -> None:
    kills_lose_nothing(tmp_path, 200, 2)
