"""The replica: who asked is answered once and truly, and nothing is promised before it is durable."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from replicas import HASTY, Cluster

from scrutator.impl.node.config import Limits
from scrutator.impl.node.mutants import LocalReads, ReplyBeforeSync, mutants, replica_of
from scrutator.impl.node.replica import Replica


def run(scenario: Callable[[Cluster], Awaitable[None]], nodes: int = 3, kind: type[Replica] = Replica, **config: object) -> None:
    async def main() -> None:
        cluster = Cluster(nodes, kind, **config)
        try:
            await scenario(cluster)
        finally:
            cluster.close()

    asyncio.run(main())


def test_any_node_takes_commands_and_reads_see_finished_writes():
    async def scenario(cluster: Cluster) -> None:
        await cluster.elect()
        for number, node in enumerate(cluster.names):
            written = await cluster.ask(node, "put", b"k", b"%d" % number)
            assert written.reply is not None and not written.unknown
            for reader in cluster.names:
                assert (await cluster.ask(reader, "get", b"k")).reply.result == b"%d" % number

    run(scenario)


@pytest.mark.parametrize("reads", ["index", "lease", "log"])
def test_reads_by_every_way(reads):
    async def scenario(cluster: Cluster) -> None:
        leader = await cluster.elect()
        entries = cluster.replicas[leader].raft.log.last
        for number in range(20):
            await cluster.ask(leader, "put", b"k", b"%d" % number)
            assert (await cluster.ask(leader, "get", b"k")).reply.result == b"%d" % number
        assert cluster.replicas[leader].raft.log.last - entries == (40 if reads == "log" else 20)

    run(scenario, reads=reads)


def test_requests_wait_for_a_leader():
    async def scenario(cluster: Cluster) -> None:
        outcomes = await asyncio.gather(*(cluster.ask(node, "put", node.encode(), b"1") for node in cluster.names))
        assert all(outcome.reply is not None for outcome in outcomes)

    run(scenario)


def test_without_a_leader_what_was_never_sent_did_not_happen():
    async def scenario(cluster: Cluster) -> None:
        cluster.cut = {"n2", "n3"}
        outcome = await cluster.ask("n1", "put", b"k", b"1")
        assert outcome.reply is None and not outcome.unknown and outcome.why == "no leader is known"

    run(scenario, timing=HASTY)


def test_what_a_cut_off_leader_took_is_unknown_or_overwritten_but_never_done():
    async def scenario(cluster: Cluster) -> None:
        old = await cluster.elect()
        cluster.cut = {old}
        lost = asyncio.create_task(cluster.ask(old, "put", b"k", b"old"))
        new = await cluster.elect()
        assert (await cluster.ask(new, "put", b"k", b"new")).reply is not None
        outcome = await lost
        assert outcome.reply is None and outcome.unknown
        cluster.cut = set()
        await cluster.elect()
        assert (await cluster.ask(old, "get", b"k")).reply.result == b"new"

    run(scenario, timing=HASTY)


def test_a_leader_whose_entry_is_overwritten_tries_it_again_elsewhere():
    async def scenario(cluster: Cluster) -> None:
        old = await cluster.elect()
        cluster.cut = {old}
        waiting = asyncio.create_task(cluster.ask(old, "put", b"k", b"old"))
        new = await cluster.elect()
        await cluster.ask(new, "put", b"k", b"new")
        cluster.cut = set()
        outcome = await waiting
        assert outcome.reply is not None, outcome
        assert (await cluster.ask(new, "get", b"k")).reply.result == b"old"

    run(scenario)


def test_reads_under_way_are_asked_again_when_the_leader_changes():
    async def scenario(cluster: Cluster) -> None:
        old = await cluster.elect()
        await cluster.ask(old, "put", b"k", b"1")
        reader = next(name for name in cluster.names if name != old)
        cluster.kill(old)
        assert (await cluster.ask(reader, "get", b"k")).reply.result == b"1"

    run(scenario)


def test_followers_send_leaders_names_if_they_are_not_to_forward():
    async def scenario(cluster: Cluster) -> None:
        leader = await cluster.elect()
        follower = next(name for name in cluster.names if name != leader)
        for command in (("put", b"k", b"1"), ("get", b"k")):
            outcome = await cluster.ask(follower, *command)
            assert outcome.reply is None and outcome.leader == leader and not outcome.unknown

    run(scenario, followers="moved")


def test_nothing_is_answered_to_the_leader_before_it_is_durable():
    async def scenario(cluster: Cluster) -> None:
        leader = await cluster.elect()
        cluster.journal.clear()
        await cluster.ask(leader, "put", b"k", b"1")
        follower = [what for who, what in cluster.journal if who != leader]
        assert follower[0] == "write" and "Appended" in follower
        leading = [what for who, what in cluster.journal if who == leader]
        assert leading.index("AppendEntries") < leading.index("write"), "the leader sends before it syncs"

    run(scenario)


def test_requests_that_come_together_share_a_commit():
    async def scenario(cluster: Cluster) -> None:
        leader = await cluster.elect()
        cluster.journal.clear()
        await asyncio.gather(*(cluster.ask(leader, "put", b"%d" % k, b"1") for k in range(100)))
        assert sum(1 for who, what in cluster.journal if (who, what) == (leader, "write")) < 20

    run(scenario)


def test_a_store_that_fails_ends_the_node_and_nobody_is_answered():
    async def scenario(cluster: Cluster) -> None:
        leader = await cluster.elect()
        cluster.stores[leader].failure = OSError("no space left")
        asked = asyncio.create_task(cluster.ask(leader, "put", b"k", b"1"))
        while not cluster.failures:
            await asyncio.sleep(0.005)
        assert "no space left" in str(cluster.failures[0])
        assert not asked.done()
        cluster.kill(leader)
        assert (await asked).unknown

    run(scenario)


def test_snapshots_replace_the_log_and_a_restarted_node_goes_on_from_one():
    async def scenario(cluster: Cluster) -> None:
        leader = await cluster.elect()
        for number in range(60):
            await cluster.ask(leader, "append", b"k", b"%d," % number)
        assert cluster.replicas[leader].raft.log.base >= 40
        follower = next(name for name in cluster.names if name != leader)
        cluster.kill(follower)
        cluster.start(follower)
        assert cluster.replicas[follower].applied >= 40
        expected = b"".join(b"%d," % number for number in range(60))
        assert (await cluster.ask(follower, "get", b"k")).reply.result == expected

    run(scenario, limits=Limits(snapshot_every=20))


def test_a_torn_end_that_the_store_left_out_is_said():
    async def scenario(cluster: Cluster) -> None:
        events = cluster.replicas["n1"].log.events
        assert "left out a torn end" not in events
        cluster.kill("n1")
        cluster.stores["n1"].dropped = "a last transaction was torn"
        cluster.start("n1")
        assert cluster.replicas["n1"].log.events[0] == "left out a torn end"

    run(scenario)


def test_too_many_requests_are_refused_at_once():
    async def scenario(cluster: Cluster) -> None:
        cluster.cut = {"n2", "n3"}
        waiting = [asyncio.create_task(cluster.ask("n1", "put", b"k", b"1")) for _ in range(10)]
        await asyncio.sleep(0)
        outcome = await cluster.ask("n1", "put", b"k", b"1")
        assert outcome.reply is None and not outcome.unknown and "ask again later" in outcome.why
        await asyncio.gather(*waiting)

    run(scenario, limits=Limits(waiting_max=10), timing=HASTY)


def test_a_clock_that_jumps_makes_a_follower_stand():
    async def scenario(cluster: Cluster) -> None:
        leader = await cluster.elect()
        follower = next(name for name in cluster.names if name != leader)
        before = cluster.replicas[follower].now()
        cluster.replicas[follower].set_clock(100.0, 1.0)
        assert cluster.replicas[follower].now() >= before + 100
        assert (await cluster.ask(leader, "put", b"k", b"1")).reply is not None

    run(scenario)


def test_local_reads_are_stale_where_right_ones_are_refused():
    async def scenario(cluster: Cluster) -> None:
        old = await cluster.elect()
        await cluster.ask(old, "put", b"k", b"1")
        cluster.cut = {old}
        new = await cluster.elect()
        await cluster.ask(new, "put", b"k", b"2")
        read = await cluster.ask(old, "get", b"k")
        if cluster.kind is LocalReads:
            assert read.reply.result == b"1"
        else:
            assert read.reply is None and not read.unknown

    run(scenario, kind=LocalReads, timing=HASTY)
    run(scenario, timing=HASTY)


def test_replies_before_syncs_are_forgotten_when_all_are_killed():
    async def scenario(cluster: Cluster) -> None:
        leader = await cluster.elect()
        assert (await cluster.ask(leader, "put", b"k", b"1")).reply is not None
        for name in list(cluster.names):
            cluster.kill(name)
        for name in cluster.names:
            cluster.start(name)
        leader = await cluster.elect()
        held = (await cluster.ask(leader, "get", b"k")).reply.result
        assert held == (None if cluster.kind is ReplyBeforeSync else b"1")

    run(scenario, kind=ReplyBeforeSync)
    run(scenario)


def test_every_mutant_is_a_replica_with_a_reason():
    assert len(mutants()) > 20 and all(mutants().values())
    for name in mutants():
        assert issubclass(replica_of(name), Replica)
    with pytest.raises(KeyError):
        replica_of("no_such")
