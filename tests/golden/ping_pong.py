"""Stateright's ping-pong actors, over networks that duplicate or not, and lose or not.

After ``src/actor/actor_test_util.rs`` and the tests of ``src/actor/model.rs`` of Stateright
0.31 (Jonathan Nadal).  Each actor counts the messages that it answered, and ignores all
but the next one.  A duplicating network keeps what it delivers and remembers, as part of
the state, what it delivered last.
"""

from __future__ import annotations

from scrutator.model.language import Bound, Maybe, Nat, Network, Option, Record, Spec, require

MAX = Bound("max", 5, "how far the actors count")
DUPLICATION = Option("duplication", True, "a delivered message may be delivered again")
LOSS = Option("loss", True, "messages may be lost")
COUNT = Nat(MAX)


class Ping(Record):
    number = COUNT


class Pong(Record):
    number = COUNT


class Delivery(Record):
    ping = bool
    number = COUNT


class State(Record):
    pings = COUNT  # answered by the second actor
    pongs = COUNT  # answered by the first
    net = Network(Ping, Pong, ordering="set", loss=LOSS)
    last = Maybe(Delivery)


SPEC = Spec("ping-pong", State)


@SPEC.initial
def serve(s: State) -> None:
    """The first actor begins."""
    s.net.send(Ping(number=0))


@SPEC.action(m=Ping)
def answer_ping(s: State, m: Ping) -> None:
    """The second actor answers; states in which it has counted too far are outside the boundary."""
    require(m.number == s.pings and s.pings < MAX)
    if DUPLICATION:
        s.last = Delivery(ping=True, number=m.number)
    else:
        s.net.receive(m)
    s.pings += 1
    s.net.send(Pong(number=m.number))


@SPEC.action(m=Pong)
def answer_pong(s: State, m: Pong) -> None:
    """The first actor serves again."""
    require(m.number == s.pongs and s.pongs < MAX)
    if DUPLICATION:
        s.last = Delivery(ping=False, number=m.number)
    else:
        s.net.receive(m)
    s.pongs += 1
    s.net.send(Ping(number=m.number + 1))


@SPEC.invariant
def delta_within_1(s: State) -> bool:
    """Neither actor runs ahead."""
    return s.pongs <= s.pings and s.pings <= s.pongs + 1


@SPEC.reachable
def max_reached(s: State) -> bool:
    """An actor counts as far as it may."""
    return s.pings == MAX
