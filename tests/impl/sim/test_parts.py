"""Virtual time, the network and clocks, each by itself."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from scrutator.impl.sim.clock import LocalClock
from scrutator.impl.sim.network import Network, Quality
from scrutator.impl.sim.tape import Tape
from scrutator.impl.sim.world import MILLISECOND, SECOND, World


@given(st.lists(st.integers(0, 50)))
def test_events_happen_in_order_of_time_then_of_asking(times):
    world, happened = World(), []
    for number, time in enumerate(times):
        world.at(time, happened.append, (time, number))
    world.run(50)
    assert happened == sorted(happened) and len(happened) == len(times) and world.now == 50


def test_what_is_later_has_not_happened():
    world, happened = World(), []
    world.after(10, happened.append, 1)
    world.run(9)
    assert not happened
    world.run(10)
    assert happened == [1]


def deliveries(tape: Tape, quality: Quality, count: int = 200) -> list[tuple[int, int]]:
    world, arrived = World(), []
    network = Network(world, tape)
    network.quality = quality
    for number in range(count):
        network.send("a", "b", lambda n: arrived.append((world.now, n)), number)
    world.run(10 * SECOND)
    return arrived


def test_a_benign_tape_delivers_everything_at_once_and_in_order():
    bad = Quality(lost=100, doubled=100, late=100)
    assert deliveries(Tape(), bad) == [(MILLISECOND, n) for n in range(200)]


def test_a_bad_network_loses_doubles_and_reorders():
    numbers = [n for _, n in deliveries(Tape(3), Quality(lost=300, doubled=200, late=100))]
    assert len(set(numbers)) < 200 and len(numbers) > len(set(numbers))
    assert any(a > b for a, b in pairwise(numbers))


def test_a_good_network_reorders_only():
    numbers = [n for _, n in deliveries(Tape(3), Quality())]
    assert sorted(numbers) == list(range(200)) != numbers


def test_links_are_cut_one_way_and_as_often_as_they_must_be_mended():
    world, arrived = World(), []
    network = Network(world, Tape())
    network.send("a", "b", arrived.append, 0)
    network.cut([("a", "b")])
    network.cut([("a", "b")])
    network.send("a", "b", arrived.append, 1)
    network.send("b", "a", arrived.append, 2)
    world.run(SECOND)
    assert arrived == [2], "what was under way is lost with its link"
    network.mend([("a", "b")])
    network.send("a", "b", arrived.append, 3)
    network.mend([("a", "b")])
    network.send("a", "b", arrived.append, 4)
    world.run(2 * SECOND)
    assert arrived == [2, 4]


def test_a_crash_may_lose_what_was_just_sent():
    world, arrived = World(), []
    network = Network(world, Tape())
    network.send("a", "b", arrived.append, 1)
    network.lose_sent("a")
    world.run(1)
    network.send("a", "b", arrived.append, 2)
    world.run(SECOND)
    assert arrived == [2]


@given(st.integers(500_000, 1_500_000), st.integers(1, 10**8), st.integers(0, 10**8))
def test_a_clock_never_goes_back_and_timers_never_ring_early(rate, wait, since):
    clock = LocalClock()
    clock.run_at(since, rate)
    assert clock.local(since) == since
    lasts = clock.lasts(wait)
    assert clock.local(since + lasts) - since >= wait > clock.local(since + lasts - 1) - since - 1
    shown = clock.shown_s(since)
    clock.jump(5)
    assert clock.shown_s(since) > shown and clock.local(since) == since
