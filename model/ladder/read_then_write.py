"""Read, then write: a buyer first asks a majority whether the phone is free, and then writes to a majority.

Nobody writes where somebody else is known to be, so votes should not split any more.  But between a
buyer's two phases another one may do the same: both read "free", and the second write covers the first.
With locks, a node that a buyer has asked answers nobody else until that buyer is done or lets go.  That
is safe; and a buyer who crashes with the locks of a majority keeps the phone from everybody.
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
from scrutator.model.quorums import Quorums

NODES = Bound("nodes", 3, "nodes", low=1, high=16)
BUYERS = Bound("buyers", 2, "buyers who all want the one phone", low=1, high=8)
LOCKS = Option("locks", False, "a node that answered a buyer answers nobody else until the buyer lets go")
FAILURES = Bound("failures", 0, "crashes of buyers, who do not come back")
NODE = Index("node", NODES, prefix="n", interchangeable=True)
BUYER = Index("buyer", BUYERS, prefix="b", interchangeable=True)
READ = Quorums("read", NODE, "majority", "nodes that must say that the phone is free")
WRITE = Quorums("write", NODE, "majority", "nodes that must have written the buyer down")


class State(Record):
    sold_to = Array(NODE, Maybe(BUYER))  # on each node's disk
    lock = Array(NODE, Maybe(BUYER))  # whose lock the node holds
    free_at = Array(BUYER, Set(NODE))  # the nodes that told the buyer "free"
    written_at = Array(BUYER, Set(NODE))  # the nodes that wrote the buyer down
    up = Array(BUYER, bool)
    failures = Nat(FAILURES)
    told_yours = Ghost(Set(BUYER))  # who heard "yours"


SPEC = Spec("ladder/read_then_write", State)


@SPEC.initial
def all_up(s: State) -> None:
    for b in BUYER:
        s.up[b] = True


@SPEC.action(b=BUYER, n=NODE)
def read(s: State, b: int, n: int) -> None:
    """Node n tells buyer b that the phone is free; with locks, it is now locked for b."""
    require(s.up[b] and n not in s.free_at[b] and len(s.written_at[b]) == 0 and s.sold_to[n] is None)
    require(not LOCKS or s.lock[n] is None)
    s.free_at[b].add(n)
    if LOCKS:
        s.lock[n] = b


def may_write(s: State, b: int, n: int) -> bool:
    """A majority told buyer b "free"; with locks, node n is still locked for b."""
    return s.free_at[b] in READ and (not LOCKS or s.lock[n] == b)


@SPEC.action(b=BUYER, n=NODE)
def write(s: State, b: int, n: int) -> None:
    """Node n writes buyer b down, in place of whoever was there."""
    require(s.up[b] and n not in s.written_at[b] and may_write(s, b, n))
    s.sold_to[n] = b
    s.written_at[b].add(n)


@SPEC.action(b=BUYER)
def say_yours(s: State, b: int) -> None:
    """A majority has written buyer b down: the phone is theirs."""
    require(s.up[b] and s.written_at[b] in WRITE)
    s.told_yours.add(b)


@SPEC.action(b=BUYER, when=LOCKS)
def let_go(s: State, b: int) -> None:
    """Buyer b cannot get a majority, and gives back its locks before it has written anything."""
    require(s.up[b] and len(s.free_at[b]) > 0 and len(s.written_at[b]) == 0)
    for n in NODE:
        if s.lock[n] == b:
            s.lock[n] = None
    s.free_at[b] = set()


@SPEC.fault(b=BUYER, when=FAILURES)
def crash(s: State, b: int) -> None:
    """Buyer b is gone, and tells nobody."""
    require(s.up[b] and s.failures < FAILURES)
    s.up[b] = False
    s.failures += 1


@SPEC.invariant
def no_phone_sold_twice(s: State) -> bool:
    """At most one buyer was told that the phone is theirs."""
    return len(s.told_yours) <= 1


@SPEC.always_possible
def somebody_gets_the_phone(s: State) -> bool:
    """As long as a buyer is left, the phone is sold or can still be."""
    return len(s.told_yours) > 0 or all(not s.up[b] for b in BUYER)


@SPEC.reachable
def sold(s: State) -> bool:
    """The phone can be sold."""
    return len(s.told_yours) > 0


@SPEC.mutant(replaces=may_write, breaks="no_phone_sold_twice", bounds={"locks": True}, source="a lock that is asked for and not waited for")
def does_not_wait_for_locks(s: State, b: int, n: int) -> bool:
    """A buyer with one lock writes everywhere."""
    return len(s.free_at[b]) > 0


RUNG = Rung(
    order=8, name="read_then_write", title="Read, then write",
    idea="A buyer asks a majority first. Only if the phone is free everywhere there, the buyer writes its name, again to a majority.",
    notice="Between the two phases lies a gap, and another buyer fits into it. A lock closes the gap, and a crashed buyer takes the key along.",
    keeps="with locks: never two buyers", breaks="two buyers race between the phases; with locks, a crashed buyer "
    "blocks the phone for ever",
    next="A lock that the next buyer may break, and that tells what was done under it: a promise with a number.",
    claims=(
        Claim("race", "Both buyers read \"free\" at a majority, and then both write.", "violated", "no_phone_sold_twice", steps=10),
        Claim("locks_are_safe", "With locks the phone is sold once, whoever crashes.",
              "holds", "no_phone_sold_twice", {"locks": True, "failures": 2, "buyers": 3}),
        Claim("locks_let_go", "With locks, and as long as nobody crashes, somebody can always get the phone.",
              "holds", "somebody_gets_the_phone", {"locks": True}),
        Claim("crashed_buyer_blocks", "A buyer crashes with the locks of a majority: nobody else can buy any more.",
              "violated", "somebody_gets_the_phone", {"locks": True, "failures": 1}, steps=3),
        Claim("does_not_wait_for_locks", "A buyer who does not wait for the locks of a majority sells what another one has.",
              "violated", "no_phone_sold_twice", {"locks": True}, mutant="does_not_wait_for_locks", steps=8),
    ),
)  # fmt: skip
