"""Asynchronous replication: the master sells, answers at once, and the replica hears of it later.

A shop has one phone.  The master writes down who bought it and tells the buyer "yours"; its
replica copies that when it can.  If the master is down, an operator makes the replica master.
What the old master had not passed on is then unknown, and the new one sells the phone again.
A machine that comes back follows the new master, and gives up what only it knew.
"""

from __future__ import annotations

from scrutator.model.ladder.rung import Claim, Rung
from scrutator.model.language import (
    Array,
    Bound,
    Ghost,
    Index,
    Maybe,
    Nat,
    Option,
    Record,
    Set,
    Spec,
    require,
)

BUYERS = Bound("buyers", 2, "buyers who all want the one phone", low=1, high=8)
FAILURES = Bound("failures", 2, "crashes of machines")
REPAIRS = Option("repairs", True, "machines that crashed come back")
MACHINE = Index("machine", 2, prefix="m")
BUYER = Index("buyer", BUYERS, prefix="b", interchangeable=True)


class State(Record):
    sold_to = Array(MACHINE, Maybe(BUYER))  # on each machine's disk; None: the phone is free
    up = Array(MACHINE, bool)
    master = MACHINE
    failures = Nat(FAILURES)
    told_yours = Ghost(Set(BUYER))  # who heard "yours"


SPEC = Spec("ladder/asynchronous", State)


@SPEC.initial
def both_up(s: State) -> None:
    for m in MACHINE:
        s.up[m] = True


def is_free(s: State, m: int) -> bool:
    """As far as machine m knows, nobody has the phone."""
    return s.sold_to[m] is None


@SPEC.action(m=MACHINE, b=BUYER)
def sell(s: State, m: int, b: int) -> None:
    """The master m sells the phone to buyer b, and says "yours" at once."""
    require(s.master == m and s.up[m] and is_free(s, m))
    s.sold_to[m] = b
    s.told_yours.add(b)


@SPEC.action(m=MACHINE)
def copy(s: State, m: int) -> None:
    """The replica m copies what the master has written down."""
    require(m != s.master and s.up[m] and s.up[s.master] and s.sold_to[m] != s.sold_to[s.master])
    s.sold_to[m] = s.sold_to[s.master]


@SPEC.action(m=MACHINE, when=FAILURES)
def switch_to(s: State, m: int) -> None:
    """The master is down: an operator makes the replica m master."""
    require(m != s.master and s.up[m] and not s.up[s.master])
    s.master = m


@SPEC.fault(m=MACHINE, when=FAILURES)
def crash(s: State, m: int) -> None:
    """Machine m goes down; its disk survives."""
    require(s.up[m] and s.failures < FAILURES)
    s.up[m] = False
    s.failures += 1


@SPEC.fault(m=MACHINE, when=REPAIRS)
def come_back(s: State, m: int) -> None:
    """Machine m is up again, with its disk."""
    require(not s.up[m])
    s.up[m] = True


@SPEC.invariant
def no_phone_sold_twice(s: State) -> bool:
    """At most one buyer was told that the phone is theirs."""
    return len(s.told_yours) <= 1


@SPEC.invariant
def acknowledged_sale_never_lost(s: State) -> bool:
    """The master knows of every sale that a buyer was told of."""
    return not s.up[s.master] or all(s.sold_to[s.master] == b for b in s.told_yours)


@SPEC.always_possible
def shop_is_open(s: State) -> bool:
    """Whatever happened, there can be a master again that answers buyers."""
    return s.up[s.master]


@SPEC.reachable
def sale_is_copied(s: State) -> bool:
    """Both machines can know who has the phone."""
    return all(s.sold_to[m] is not None for m in MACHINE)


@SPEC.mutant(replaces=is_free, breaks="no_phone_sold_twice", bounds={"failures": 0}, source="a check that was left out")
def sells_without_looking(s: State, m: int) -> bool:
    """The master does not look whether the phone is still there."""
    return True


RUNG = Rung(
    order=2, name="asynchronous", title="Asynchronous replication",
    idea="A second machine copies the first one's sales, a little later. Buyers need not wait for it. If the master dies, "
    "an operator makes the copy master.",
    notice="The crash falls between the answer to the buyer and the copy. From then on nobody who could still speak knows of the sale.",
    keeps="available: one machine may die", breaks="an acknowledged sale is lost at failover, and the phone is sold twice",
    next="Do not answer before the copy is made.",
    claims=(
        Claim("sold_twice", "The master sells, crashes before the replica hears of it, and the replica sells again.",
              "violated", "no_phone_sold_twice", steps=4),
        Claim("sale_lost", "After the failover, the new master does not know of a sale that its buyer was told of.",
              "violated", "acknowledged_sale_never_lost", steps=3),
        Claim("one_crash_suffices", "One crash is enough.", "violated", "no_phone_sold_twice", {"failures": 1}, steps=4),
        Claim("safe_without_failures", "As long as nothing fails, the phone is sold once.",
              "holds", "no_phone_sold_twice", {"failures": 0, "repairs": False}),
        Claim("survives_one_crash", "After one crash, even one that nobody repairs, the shop can open again.",
              "holds", "shop_is_open", {"failures": 1, "repairs": False}),
        Claim("sells_without_looking", "A master that does not look sells twice without any failure.",
              "violated", "no_phone_sold_twice", {"failures": 0, "repairs": False}, mutant="sells_without_looking", steps=2),
    ),
)  # fmt: skip
