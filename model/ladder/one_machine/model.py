"""One machine: a log on disk, a snapshot now and then, and replay after a crash.

A shop has one phone, which may be sold, given back and sold again.  The machine writes each sale
and return to its log before it answers.  A crash takes the memory and leaves the disk: the machine
starts from the last snapshot and replays the log.  Snapshots keep that short.  While the machine
is down, nobody can buy.
"""

from __future__ import annotations

from enum import Enum

from scrutator.model.language import Bound, Ghost, Index, Maybe, Nat, Option, Record, Seq, Set, Spec, require

BUYERS = Bound("buyers", 2, "buyers who all want the one phone", low=1, high=8)
INTERVAL = Bound("interval", 2, "entries of the log before the next snapshot", low=1)
LOG_MAX = Bound("log_max", 4, "entries that fit the disk", low=1)
FAILURES = Bound("failures", 2, "crashes of the machine")
REPAIRS = Option("repairs", True, "somebody starts the machine again")
BUYER = Index("buyer", BUYERS, prefix="b", interchangeable=True)


class Machine(Enum):
    OPEN = 0
    DOWN = 1
    REPLAYING = 2


class State(Record):
    machine = Machine
    owner = Maybe(BUYER)  # in memory: who has the phone; None: it is free
    log = Seq(Maybe(BUYER), LOG_MAX)  # on disk: the phone's owner after each sale or return
    snapshot = Maybe(BUYER)  # on disk: its owner before the log
    replayed = Nat(LOG_MAX)  # entries that this start has replayed
    failures = Nat(FAILURES)
    told_yours = Ghost(Set(BUYER))  # who heard "yours", and has not given the phone back


SPEC = Spec("ladder/one_machine", State)


def may_write(s: State) -> bool:
    """The log is short enough, or a snapshot comes first."""
    return len(s.log) < INTERVAL


def write_down(s: State, owner: int | None) -> None:
    """To disk, then to memory."""
    s.log.append(owner)
    s.owner = owner


@SPEC.action(b=BUYER)
def sell(s: State, b: int) -> None:
    """The machine writes down that buyer b has the phone, and says "yours"."""
    require(s.machine == Machine.OPEN and s.owner is None and may_write(s) and len(s.log) < LOG_MAX)
    write_down(s, b)
    s.told_yours.add(b)


@SPEC.action(b=BUYER)
def take_back(s: State, b: int) -> None:
    """Buyer b gives the phone back."""
    require(s.machine == Machine.OPEN and s.owner == b and may_write(s) and len(s.log) < LOG_MAX)
    write_down(s, None)
    s.told_yours.discard(b)


def save(s: State) -> None:
    """The snapshot is what the memory holds."""
    s.snapshot = s.owner


@SPEC.action
def take_snapshot(s: State) -> None:
    """The machine saves its memory, and begins a new log."""
    require(s.machine == Machine.OPEN and len(s.log) > 0)
    save(s)
    del s.log[0:]


@SPEC.fault(when=FAILURES)
def crash(s: State) -> None:
    """The machine goes down, or once more while it replays: the memory is lost, the disk survives."""
    require(s.machine != Machine.DOWN and s.failures < FAILURES)
    s.machine = Machine.DOWN
    s.owner = None
    s.replayed = 0
    s.failures += 1


@SPEC.fault(when=REPAIRS)
def start(s: State) -> None:
    """The machine starts, and loads the snapshot."""
    require(s.machine == Machine.DOWN)
    s.machine = Machine.REPLAYING
    s.owner = s.snapshot


@SPEC.action
def replay_entry(s: State) -> None:
    """The machine replays the next entry of its log."""
    require(s.machine == Machine.REPLAYING and s.replayed < len(s.log))
    s.owner = s.log[s.replayed]
    s.replayed += 1


@SPEC.action
def open_again(s: State) -> None:
    """The log is replayed: the machine sells again."""
    require(s.machine == Machine.REPLAYING and s.replayed == len(s.log))
    s.machine = Machine.OPEN


@SPEC.invariant
def no_phone_sold_twice(s: State) -> bool:
    """At most one buyer has been told that the phone is theirs and has it still."""
    return len(s.told_yours) <= 1


@SPEC.invariant
def same_as_before_the_crash(s: State) -> bool:
    """Whenever the shop is open, the machine knows exactly what buyers were told."""
    return s.machine != Machine.OPEN or all(s.owner == b if b in s.told_yours else s.owner != b for b in BUYER)


@SPEC.invariant
def replay_is_short(s: State) -> bool:
    """No start replays more than the entries between two snapshots."""
    return s.replayed <= INTERVAL


@SPEC.always_possible
def shop_is_open(s: State) -> bool:
    """Whatever happened, the shop can open again."""
    return s.machine == Machine.OPEN


@SPEC.reachable
def sold_and_replayed(s: State) -> bool:
    """A sale can survive a crash."""
    return s.machine == Machine.OPEN and s.replayed > 0 and len(s.told_yours) > 0
