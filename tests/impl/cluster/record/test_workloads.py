"""Workloads: what they need, that no value comes twice, that keys make room; and objects built of compare-and-set."""

from __future__ import annotations

import asyncio
from collections import Counter
from random import Random

import pytest

from scrutator.impl.cluster.record import built
from scrutator.impl.cluster.record.workloads import DOUBTS_MAX, WORKLOADS, Keys
from scrutator.impl.cluster.target import Refused, TargetError, Unknown
from scrutator.model.objects import find

EVERYTHING = frozenset({"get", "put", "append", "cas", "delete", "incr", "sadd", "smembers", "rpush", "lpop"})


@pytest.mark.parametrize("name", WORKLOADS)
def test_calls_are_of_the_object_and_write_nothing_twice(name):
    workload = WORKLOADS[name](EVERYTHING)
    random, of = Random(1), find(workload.object)
    calls = [workload.call(random) for _ in range(2000)]
    written = [
        (c.argument[1] if c.method == "cas" else c.argument)
        for c in calls
        if c.method in ("put", "append", "cas", "write", "add", "enqueue")
    ]
    assert len(set(written)) == len(written)
    for call in calls:
        assert of.find(call.method) is not None and of.find(call.method).mistake(call.argument) is None
    methods = {call.method for call in calls}
    assert len(methods) >= 2 and workload.last("k0").method in methods
    uses = Counter(call.key for call in calls)
    assert set(uses) <= set(workload.keys.every) and max(uses.values()) == workload.keys.share and len(uses) > workload.keys.count


@pytest.mark.parametrize(("name", "has"), [("kv", "put"), ("set", "get"), ("queue", "rpush get"), ("counter", "incr cas")])
def test_what_is_missing_is_named(name, has):
    with pytest.raises(TargetError, match=f"the workload {name} needs .*choose another"):
        WORKLOADS[name](frozenset(has.split()))


def test_a_kv_store_does_only_what_clients_can():
    workload = WORKLOADS["kv"](frozenset({"get", "put"}))
    assert {workload.call(Random(k)).method for k in range(100)} == {"get", "put"}


def test_a_key_of_many_doubts_makes_room():
    keys, random = Keys(2, 1000), Random(0)
    first = keys.pick(random)
    for _ in range(DOUBTS_MAX):
        keys.doubt(first)
    assert first not in {keys.pick(random) for _ in range(100)}
    keys.doubt(first)  # a straggler
    assert len(keys.every) == 3


class Scripted:
    """A client whose swaps end as a script says."""

    def __init__(self, *script: object) -> None:
        self.script, self.held, self.swaps = list(script), None, 0

    async def get(self, key):
        return self.held

    async def cas(self, key, expected, value):
        self.swaps += 1
        then = self.script.pop(0) if self.script else True
        if isinstance(then, Exception):
            raise then
        if then:
            self.held = value
        return then


def changed(client, change):
    return asyncio.run(built.changed(client, "k", change))


def test_a_swap_that_failed_is_tried_again():
    client = Scripted(False, False, True)
    assert changed(client, built.one_more) == 1 and (client.held, client.swaps) == ("1", 3)


def test_a_swap_of_unknown_outcome_is_never_repeated():
    client = Scripted(False, Unknown("lost"), True)
    with pytest.raises(Unknown):
        changed(client, built.one_more)
    assert client.swaps == 2


def test_what_never_got_through_is_refused():
    with pytest.raises(Refused, match="others came in between"):
        changed(Scripted(*[False] * 100), built.with_last("v"))
    with pytest.raises(Refused):
        changed(Scripted(Refused("no leader")), built.with_last("v"))


def test_a_read_of_unknown_outcome_did_nothing():
    class Unreadable(Scripted):
        async def get(self, key):
            raise Unknown("lost")

    with pytest.raises(Refused, match="nothing was changed"):
        changed(Unreadable(), built.one_more)


def test_a_queue_out_of_swaps():
    client = Scripted()
    for value in "ab":
        changed(client, built.with_last(value))
    assert [changed(client, built.without_first) for _ in range(3)] == ["a", "b", None]
    assert client.swaps == 4  # nothing is written where there was nothing
