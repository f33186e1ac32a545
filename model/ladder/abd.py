"""ABD: a register that is linearizable, because a read finishes the write that it saw.

After Attiya, Bar-Noy and Dolev, "Sharing memory robustly in message-passing systems" (1995), with several
writers.  Every operation has two phases.  It asks a majority for the latest timestamp; then it stores at a
majority: a write its own price under a later timestamp, a read just what it has read.  Writer w of n takes
the timestamps w, w + n, w + 2n, ..., so that no two are alike; 0 is the price at the beginning.

The register is linearizable if timestamps follow real time: an operation that begins once another one is
finished returns no earlier timestamp and, if it is a write, takes a later one.
"""

from __future__ import annotations

from scrutator.model.ladder.rung import Claim, Rung
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


@SPEC.invariant
def follows_real_time(s: State) -> bool:
    """What begins after something is done returns nothing earlier, and writes something later."""
    return all(s.stamp[o] > s.stamp[p] if is_write(o) else s.stamp[o] >= s.stamp[p] for o in OPERATION if o in s.done for p in s.done_before[o])


def was_replaced(s: State, w: int, stamp: int) -> bool:
    """Write w began when somebody was done with this timestamp, or it is the one at the beginning."""
    return stamp == 0 or any(s.stamp[p] == stamp for p in s.done_before[w])


@SPEC.invariant
def no_read_is_stale(s: State) -> bool:
    """A read does not return a price that a write had replaced, and finished, before the read began."""
    return all(not (is_write(w) and was_replaced(s, w, s.stamp[r])) for r in OPERATION if r in s.done and not is_write(r) for w in s.done_before[r])


@SPEC.invariant
def timestamps_are_unique(s: State) -> bool:
    """No two writes have the same timestamp."""
    return all(o == p or s.stamp[o] != s.stamp[p] for o in OPERATION for p in OPERATION if is_write(o) and is_write(p) and o in s.storing and p in s.storing)


@SPEC.always_possible
def everybody_can_finish(s: State) -> bool:
    """Whoever has not crashed can still finish."""
    return all(o in s.done or o in s.crashed for o in OPERATION)


@SPEC.reachable
def unfinished_write_is_read(s: State) -> bool:
    """A read can return what a crashed writer left behind, and so finish it."""
    return any(is_write(o) and o in s.crashed and r in s.done and s.stamp[r] == s.stamp[o] for o in OPERATION for r in OPERATION if o in s.storing and not is_write(r))


@SPEC.mutant(replaces=is_stored, breaks="follows_real_time", source="W + R > N taken for enough")
def without_write_back(s: State, o: int) -> bool:
    """A read returns without storing what it has read."""
    return not is_write(o) or s.stored_by[o] in WRITE_QUORUM


@SPEC.mutant(replaces=later_than, breaks="no_read_is_stale", bounds={"writes": 2, "reads": 1}, source="ABD for one writer, used by two")
def does_not_ask_first(o: int, latest: int) -> int:
    """A writer takes a timestamp of its own, whatever is stored."""
    return o + 1


RUNG = Rung(
    order=7, name="abd", title="ABD: reads that finish writes",
    idea="A read stores what it has read at a majority before it returns it. Whoever reads later then sees it too. A writer first asks a majority "
    "for the latest timestamp, and takes a later one.",
    notice="A read that returns a new price has made sure that no later read can return the old one: it has done the writer's work.",
    keeps="linearizable, with any minority of nodes failing", breaks="a register only: nobody can read and write in one step",
    next="To sell one phone one must read and write as one step: registers cannot.",
    claims=(
        Claim("linearizable", "One write, two reads, one node and one client fail: timestamps follow real time.", "holds", "follows_real_time"),
        Claim("two_writers", "So they do with two writers.", "holds", "follows_real_time", {"writes": 2, "reads": 1}),
        Claim("no_read_is_stale", "No read returns a price that was replaced before the read began.",
              "holds", "no_read_is_stale", {"writes": 2, "reads": 1}),
        Claim("timestamps_are_unique", "No two writes have one timestamp.", "holds", "timestamps_are_unique", {"writes": 2, "reads": 1}),
        Claim("everybody_can_finish", "Whoever does not crash can finish, though a node has failed.", "holds", "everybody_can_finish"),
        Claim("majority_fails", "Once two of three nodes have failed, nobody can finish.",
              "violated", "everybody_can_finish", {"failures": 2, "crashes": 0, "reads": 1}, steps=2),
        Claim("finishes_the_crashed", "A read can return, and finish, what a crashed writer left behind.", "holds", "unfinished_write_is_read"),
        Claim("without_write_back", "A read that does not store what it has read lets the next read go back.",
              "violated", "follows_real_time", {"failures": 0, "crashes": 0}, mutant="without_write_back", steps=12),
        Claim("does_not_ask_first", "A writer that does not ask for the latest timestamp first writes a price that nobody sees: the next read returns the one before.",
              "violated", "no_read_is_stale", {"writes": 2, "reads": 1, "failures": 0, "crashes": 0}, mutant="does_not_ask_first", steps=18),
    ),
)  # fmt: skip
