"""Semi-synchronous replication: a sale counts once the master and any one of two replicas have it.

Any one machine may fail now: of the two that are left, at least one knows of every acknowledged
sale, and an operator makes one of them master with what they know.  After two failures in a row the
two that are there may have written down different buyers.  One of them may have been told "yours", and
nothing on the disks says which one.  Whoever is to choose needs a rule: a rule looks at which machine
has which buyer, so for each pair of machines it trusts one.  There are eight rules, and each is wrong.
"""

from __future__ import annotations

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
REPLICA_FIRST = Option("replica_first", False, "a replica writes a sale down before the master does")
M1_OVER_M2 = Option("m1_over_m2", True, "if machines 1 and 2 have different buyers, machine 1 is trusted")
M1_OVER_M3 = Option("m1_over_m3", True, "if machines 1 and 3 have different buyers, machine 1 is trusted")
M2_OVER_M3 = Option("m2_over_m3", True, "if machines 2 and 3 have different buyers, machine 2 is trusted")
MACHINE = Index("machine", 3, prefix="m")
BUYER = Index("buyer", BUYERS, prefix="b", interchangeable=True)


class State(Record):
    sold_to = Array(MACHINE, Maybe(BUYER))  # on each machine's disk; None: the phone is free
    up = Array(MACHINE, bool)
    master = MACHINE
    order = Maybe(BUYER)  # in the master's memory: the buyer it is selling to
    failures = Nat(FAILURES)
    told_yours = Ghost(Set(BUYER))  # who heard "yours"


SPEC = Spec("ladder/semi_synchronous", State)


@SPEC.initial(m=MACHINE)
def machine_m_is_master(s: State, m: int) -> None:
    s.master = m
    for i in MACHINE:
        s.up[i] = True


@SPEC.action(b=BUYER)
def take_order(s: State, b: int) -> None:
    """Buyer b asks the master, which has sold to nobody."""
    require(s.up[s.master] and s.order is None)
    s.order = b


@SPEC.action
def master_writes(s: State) -> None:
    """The master writes the order down."""
    require(s.up[s.master] and s.order is not None and s.sold_to[s.master] != s.order)
    require(not REPLICA_FIRST or any(s.up[m] and m != s.master and s.sold_to[m] == s.order for m in MACHINE))
    s.sold_to[s.master] = s.order


@SPEC.action(m=MACHINE)
def replica_writes(s: State, m: int) -> None:
    """The replica m writes the master's order down, in place of what it had."""
    require(m != s.master and s.up[m] and s.up[s.master] and s.order is not None and s.sold_to[m] != s.order)
    require(REPLICA_FIRST or s.sold_to[s.master] == s.order)
    s.sold_to[m] = s.order


def enough(s: State) -> bool:
    """The master and a replica have written the order down."""
    return s.sold_to[s.master] == s.order and any(m != s.master and s.up[m] and s.sold_to[m] == s.order for m in MACHINE)


@SPEC.action(b=BUYER)
def say_yours(s: State, b: int) -> None:
    """The master tells the buyer that the phone is theirs."""
    require(s.up[s.master] and s.order == b and enough(s))
    s.told_yours.add(b)


def trusts_lower(i: int, j: int) -> bool:
    """Of machines i and j, the rule trusts the one with the lower number."""
    if i + j == 1:
        return M1_OVER_M2
    return M1_OVER_M3 if i + j == 2 else M2_OVER_M3


def known(s: State, i: int, j: int) -> int | None:
    """What machines i and j know: what one of them has, or by the rule, if both have something."""
    if s.sold_to[j] is None or (s.sold_to[i] is not None and trusts_lower(i, j) == (i < j)):
        return s.sold_to[i]
    return s.sold_to[j]


@SPEC.action(i=MACHINE, j=MACHINE, when=FAILURES)
def switch_to(s: State, i: int, j: int) -> None:
    """The master is down, and machines i and j are left: i becomes master, and goes on with what they know."""
    require(i != j and s.up[i] and s.up[j] and not s.up[s.master])
    s.master = i
    s.order = known(s, i, j)
    s.sold_to[i] = s.order


@SPEC.fault(m=MACHINE, when=FAILURES)
def crash(s: State, m: int) -> None:
    """Machine m goes down; its disk survives."""
    require(s.up[m] and s.failures < FAILURES)
    s.up[m] = False
    s.failures += 1
    if m == s.master:
        s.order = None


@SPEC.fault(m=MACHINE, when=REPAIRS)
def come_back(s: State, m: int) -> None:
    """Machine m is up again, with its disk."""
    require(not s.up[m])
    s.up[m] = True
    if m == s.master:
        s.order = s.sold_to[m]


@SPEC.invariant
def no_phone_sold_twice(s: State) -> bool:
    """At most one buyer was told that the phone is theirs."""
    return len(s.told_yours) <= 1


@SPEC.always_possible
def shop_is_open(s: State) -> bool:
    """Whatever happened, there can be a master and a replica again."""
    return s.up[s.master] and any(m != s.master and s.up[m] for m in MACHINE)


@SPEC.reachable
def sold_after_failover(s: State) -> bool:
    """What one master began, the next one can finish."""
    return len(s.told_yours) > 0 and not s.up[0] and s.master != 0 and s.sold_to[0] == s.order
