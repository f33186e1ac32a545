"""Who may speak over a link: one proper hello, and then in one's own name alone."""

from __future__ import annotations

import asyncio

import pytest
from links_lab import LIMIT_S, Lab, closed, ended, hello, message
from loops import Run, running, until

from scrutator.impl.node.links.wire import VERSION, Forward, encode

run = running(LIMIT_S)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (hello("a", "b", cluster="other"), "'a' belongs to cluster 'other', not to c"),
        (hello("z", "b"), "'z' is not one of the other nodes: a"),
        (hello("b", "b"), "'b' is not one of the other nodes: a"),
        (hello("a", "c"), "'a' wanted to reach 'c', but this is b"),
        (hello("a", "b", version=VERSION + 1), f"speaks version {VERSION + 1} of the protocol, this node {VERSION}"),
        (hello("x" * 3000, "b"), "x..."),
        (b"*1\r\n$4\r\nPING\r\n", "does something else than a node speak to this port?"),
        (encode([message("a", "b")], 1000), "does not hold a hello"),
    ],
)
def test_a_hello_that_is_wrong(run: Run, said: bytes, why: str) -> None:
    async def test() -> None:
        lab = Lab()
        async with lab.links("b"):
            reader, writer = await lab.dial("b", said + encode([message("a", "b", 66)], 1000))
            assert await closed(reader)
            await ended(writer)
            assert why in lab.why("b", "connection refused")
            assert len(lab.logs["b"].getvalue()) < 1500
            assert lab.got["b"] == []

    run(test())


def test_two_that_do_not_belong_together_stay_apart(run: Run) -> None:
    async def test() -> None:
        lab = Lab()
        async with lab.links("a", cluster="other") as a, lab.links("b") as b:
            await until(lambda: "cluster 'other'" in lab.why("b", "connection refused") and "its log may say why" in lab.why("a", "link lost"))
            a.send("b", [message("a", "b")])
            await asyncio.sleep(0.05)
            assert not b.connected()["a"].back and lab.got["b"] == []

    run(test())


def test_a_link_that_is_refused_again_and_again_does_not_fill_the_log(run: Run) -> None:
    async def test() -> None:
        lab = Lab()
        async with lab.links("a", cluster="other") as a, lab.links("b"):
            await until(lambda: a.connected()["b"].reconnects >= 4)
            assert len(lab.events("a")) <= 5 and len(lab.events("b")) <= 5  # twice up and lost, once refused

    run(test())


def test_a_second_connection_replaces_the_first(run: Run) -> None:
    async def test() -> None:
        lab = Lab()
        async with lab.links("b") as b:
            one_reader, one = await lab.dial("b", hello("a", "b") + encode([message("a", "b", 1)], 1000))
            await until(lambda: len(lab.got["b"]) == 1)
            _, two = await lab.dial("b", hello("a", "b") + encode([message("a", "b", 2)], 1000))
            assert await closed(one_reader)
            await until(lambda: len(lab.got["b"]) == 2)
            assert b.connected()["a"].back
            two.write(encode([message("a", "b", 3)], 1000))
            await until(lambda: len(lab.got["b"]) == 3)
            await ended(one, two)
            await until(lambda: not b.connected()["a"].back)

    run(test())


@pytest.mark.parametrize(
    "lie", [message("c", "b"), message("b", "b"), message("a", "c"), message("a", "a")], ids=lambda lie: lie.src + lie.dst
)
def test_a_message_in_the_name_of_another(run: Run, lie: Forward) -> None:
    async def test() -> None:
        lab = Lab("abc")
        async with lab.links("b"):
            reader, writer = await lab.dial("b", hello("a", "b") + encode([message("a", "b"), lie, message("a", "b", 2)], 1000))
            assert await closed(reader)
            await ended(writer)
            assert lab.got["b"] == [message("a", "b")]
            assert f"a message from '{lie.src}' to '{lie.dst}' came over the connection from a to b" in lab.why("b", "peer cut off")

    run(test())
