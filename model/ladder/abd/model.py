"""ABD: a register that is linearizable, because a read finishes the write that it saw.

After Attiya, Bar-Noy and Dolev, "Sharing memory robustly in message-passing systems" (1995), with several
writers.  Every operation has two phases.  It asks a majority for the latest timestamp; then it stores at a
majority: a write its own price under a later timestamp, a read just what it has read.  Writer w of n takes
the timestamps w, w + n, w + 2n, ..., so that no two are alike; 0 is the price at the beginning.

The register is linearizable if timestamps follow real time: an operation that begins once another one is
finished returns no earlier timestamp and, if it is a write, takes a later one.
"""

from __future__ import annotations

from scrutator.model.language import Array, Bound, Ghost, Index, Nat, Record, Set, Spec, require
from scrutator.model.quorums import Quorums

NODES = Bound("nodes", 3, "nodes", low=1, high=16)
WRITES = Bound("writes", 1, "writes, each by a writer of its own", low=1, high=4)
READS = Bound("reads", 2, "reads", low=1, high=4)
FAILURES = Bound("failures", 1, "nodes that fail")
CRASHES = Bound("crashes", 1, "writers and readers that crash half way")
NODE = Index("node", NODES, prefix="n", interchangeable=True)
OPERATION = Index("operation", WRITES + READS, prefix="o")  # first the writes, then the reads
STAMP = Nat(2 * WRITES)
READ_QUORUM = Quorums("read", NODE, "majority", "nodes that must answer in the first phase")
WRITE_QUORUM = Quorums("write", NODE, "majority", "nodes that must store in the second phase")


class State(Record):
    stored = Array(NODE, STAMP)  # the latest write that the node has heard of
    up = Array(NODE, bool)
    asked = Array(OPERATION, Set(NODE))  # in the first phase: the nodes that have answered
    stamp = Array(OPERATION, STAMP)  # of their answers the latest; then what is stored
    storing = Set(OPERATION)  # operations in their second phase, or done
    stored_by = Array(OPERATION, Set(NODE))  # the nodes that have stored it
    done = Set(OPERATION)
    crashed = Set(OPERATION)
    failures = Nat(FAILURES)
    done_before = Ghost(Array(OPERATION, Set(OPERATION)))  # what was done when the operation began


SPEC = Spec("ladder/abd", State)


@SPEC.initial
def all_up(s: State) -> None:
    for n in NODE:
        s.up[n] = True


def is_write(o: int) -> bool:
    """Operation o is a write."""
    return o < WRITES


@SPEC.action(o=OPERATION, n=NODE)
def ask(s: State, o: int, n: int) -> None:
    """Phase 1: node n tells its latest timestamp; the first to be asked begins the operation."""
    require(s.up[n] and o not in s.crashed and o not in s.storing and n not in s.asked[o])
    if len(s.asked[o]) == 0:
        s.done_before[o] = s.done
    s.asked[o].add(n)
    s.stamp[o] = max(s.stamp[o], s.stored[n])


def later_than(o: int, latest: int) -> int:
    """The first timestamp of write o after the latest that it has heard of."""
    stamp = o + 1
    while stamp <= latest:
        stamp += WRITES
    return stamp


def begin_to_store(s: State, o: int) -> None:
    """A majority has answered: on to the second phase."""
    require(o not in s.crashed and o not in s.storing and s.asked[o] in READ_QUORUM)
    s.storing.add(o)
    s.asked[o] = set()  # what they answered is in the timestamp


@SPEC.action(o=OPERATION)
def write_takes_timestamp(s: State, o: int) -> None:
    """A write has heard from a majority, and takes a later timestamp."""
    require(is_write(o))
    begin_to_store(s, o)
    s.stamp[o] = later_than(o, s.stamp[o])


@SPEC.action(o=OPERATION)
def read_writes_back(s: State, o: int) -> None:
    """A read has heard from a majority, and goes on with the latest that it heard of."""
    require(not is_write(o))
    begin_to_store(s, o)


@SPEC.action(o=OPERATION, n=NODE)
def store(s: State, o: int, n: int) -> None:
    """Phase 2: node n stores what the operation sent, unless it has a later one; this may happen long after."""
    require(s.up[n] and o in s.storing and n not in s.stored_by[o])
    s.stored[n] = max(s.stored[n], s.stamp[o])
    s.stored_by[o].add(n)


def is_stored(s: State, o: int) -> bool:
    """A majority has stored what the operation sent."""
    return s.stored_by[o] in WRITE_QUORUM


def finish(s: State, o: int) -> None:
    """The second phase is over."""
    require(o in s.storing and o not in s.crashed and o not in s.done and is_stored(s, o))
    s.done.add(o)


@SPEC.action(o=OPERATION)
def write_is_done(s: State, o: int) -> None:
    """The writer is told "done"."""
    require(is_write(o))
    finish(s, o)


@SPEC.action(o=OPERATION)
def read_returns(s: State, o: int) -> None:
    """The reader gets the price."""
    require(not is_write(o))
    finish(s, o)


@SPEC.fault(o=OPERATION, when=CRASHES)
def client_crashes(s: State, o: int) -> None:
    """Whoever writes or reads crashes half way; what was sent may still arrive."""
    require((len(s.asked[o]) > 0 or o in s.storing) and o not in s.done and o not in s.crashed and len(s.crashed) < CRASHES)
    s.crashed.add(o)


@SPEC.fault(n=NODE, when=FAILURES)
def node_fails(s: State, n: int) -> None:
    """Node n is gone for good."""
    require(s.up[n] and s.failures < FAILURES)
    s.up[n] = False
    s.failures += 1
