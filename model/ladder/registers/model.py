"""Replicated registers: write to W nodes, read from R nodes, the latest timestamp wins, as in Dynamo and Cassandra.

The shop's sign says what the phone costs.  A write has a timestamp, stores the new price at the nodes one
after the other, and is finished once W have it; a read asks R nodes and returns the latest of their
prices.  If W + R > N, whatever is finished is seen.  But a write takes time, and may end half way when its
writer crashes: one read sees it and the next one does not.  Here write k has the timestamp k, and 0 is
the price at the beginning.
"""

from __future__ import annotations

from scrutator.model.language import Array, Bound, Ghost, Index, Nat, Option, Record, Set, Spec, require
from scrutator.model.quorums import Quorums

NODES = Bound("nodes", 3, "nodes (N)", low=1, high=16)
WRITES = Bound("writes", 2, "writes, each with a timestamp of its own")
READS = Bound("reads", 2, "reads", low=1, high=4)
FAILURES = Bound("failures", 2, "writers that crash half way")
CLOCKS = Option("clocks_agree", True, "a write that begins later has the later timestamp")
NODE = Index("node", NODES, prefix="n", interchangeable=True)
READER = Index("read", READS, prefix="r", interchangeable=True)
STAMP = Nat(WRITES)
WRITE_QUORUM = Quorums("write", NODE, "majority", "nodes that must store a write before it is finished (W)")
READ_QUORUM = Quorums("read", NODE, "majority", "nodes that a read must ask (R)")


class State(Record):
    stored = Array(NODE, STAMP)  # the latest write that the node has heard of
    begun = Set(STAMP)  # writes that have begun
    crashed = Set(STAMP)  # writes whose writer crashed half way
    finished = Set(STAMP)  # writes whose writer was told "done"
    stored_by = Array(STAMP, Set(NODE))  # the nodes that said so to the write
    asked = Array(READER, Set(NODE))  # the nodes that answered the read
    latest = Array(READER, STAMP)  # of their answers
    returned = Set(READER)  # reads that have returned ``latest``
    failures = Nat(FAILURES)
    before_write = Ghost(Array(STAMP, Set(STAMP)))  # writes that were finished when the write began
    before_read = Ghost(Array(READER, Set(STAMP)))  # writes that were finished when the read began
    seen = Ghost(Array(READER, STAMP))  # the latest that earlier reads had returned by then


SPEC = Spec("ladder/registers", State)


@SPEC.action(w=STAMP)
def begin_write(s: State, w: int) -> None:
    """A writer begins write w."""
    require(w > 0 and w not in s.begun and (not CLOCKS or w == 1 or w - 1 in s.begun))
    s.begun.add(w)
    s.before_write[w] = s.finished


def keep_latest(old: int, new: int) -> int:
    """What a node keeps of two writes: the one with the later timestamp."""
    return max(old, new)


@SPEC.action(w=STAMP, n=NODE)
def store(s: State, w: int, n: int) -> None:
    """Node n stores write w, unless it has a later one, and says so to the writer."""
    require(w in s.begun and w not in s.crashed and n not in s.stored_by[w])
    s.stored[n] = keep_latest(s.stored[n], w)
    s.stored_by[w].add(n)


@SPEC.action(w=STAMP)
def finish_write(s: State, w: int) -> None:
    """W nodes have stored write w: its writer is told "done"."""
    require(w in s.begun and w not in s.crashed and w not in s.finished and s.stored_by[w] in WRITE_QUORUM)
    s.finished.add(w)


@SPEC.fault(w=STAMP, when=FAILURES)
def writer_crashes(s: State, w: int) -> None:
    """The writer crashes half way: some nodes have write w, and the others will never hear of it."""
    require(w in s.begun and w not in s.finished and w not in s.crashed and s.failures < FAILURES)
    s.crashed.add(w)
    s.failures += 1


@SPEC.action(r=READER, n=NODE)
def ask(s: State, r: int, n: int) -> None:
    """Node n answers read r; the first to ask begins the read."""
    require(r not in s.returned and n not in s.asked[r])
    if len(s.asked[r]) == 0:
        s.before_read[r] = s.finished
        s.seen[r] = max(s.latest[q] if q in s.returned else 0 for q in READER)
    s.asked[r].add(n)
    s.latest[r] = max(s.latest[r], s.stored[n])


@SPEC.action(r=READER)
def return_latest(s: State, r: int) -> None:
    """R nodes have answered: read r returns the latest."""
    require(r not in s.returned and s.asked[r] in READ_QUORUM)
    s.returned.add(r)


@SPEC.invariant
def finished_writes_are_seen(s: State) -> bool:
    """A read does not return a price that a write had replaced, and finished, before the read began."""
    return all(s.latest[r] != 0 and s.latest[r] not in s.before_write[w] for r in READER if r in s.returned for w in s.before_read[r])


@SPEC.invariant
def reads_never_go_back(s: State) -> bool:
    """A read does not return an older price than a read that had returned before it began."""
    return all(s.latest[r] >= s.seen[r] for r in READER if r in s.returned)


@SPEC.invariant
def failed_writes_stay_unseen(s: State) -> bool:
    """What a crashed writer did not finish, no read returns."""
    return all(s.latest[r] not in s.crashed for r in READER if r in s.returned)


@SPEC.invariant
def later_write_wins(s: State) -> bool:
    """A write does not begin with an earlier timestamp than one that was finished before: it would be lost."""
    return all(v < w for w in STAMP for v in s.before_write[w])


@SPEC.reachable
def last_write_is_read(s: State) -> bool:
    """A read can return the last write, finished."""
    return any(r in s.returned and s.latest[r] == WRITES and WRITES in s.finished for r in READER)
