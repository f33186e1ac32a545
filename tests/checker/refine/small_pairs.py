"""Small models and mappings between them with known answers."""

from __future__ import annotations

from enum import Enum

from scrutator.model import paxos, two_phase_commit, voting
from scrutator.model.language import (
    Array,
    Bound,
    Ghost,
    Index,
    Maybe,
    Nat,
    Network,
    Option,
    Record,
    Set,
    Spec,
    require,
)
from scrutator.model.language.spec import Refinement

# --- clocks ---------------------------------------------------------------------------------

HOURS = Bound("hours", 12, "hours of a day", low=2)
MINUTES = Bound("minutes", 4, "minutes of an hour", low=1)
MANAGERS = Bound("managers", 3, "resource managers", low=1, high=16)
LATE = Option("late", False, "the clock with minutes starts at its last hour")


class Hour(Record):
    hour = Nat(HOURS - 1)


HOUR_CLOCK = Spec("hours", Hour, doc="a clock with hours only")


@HOUR_CLOCK.action()
def strike(h: Hour) -> None:
    """The next hour."""
    h.hour = h.hour + 1 if h.hour + 1 < HOURS else 0


@HOUR_CLOCK.action()
def stop(h: Hour) -> None:
    """A clock may be set back to the first hour from the last but one; nothing below does it."""
    require(h.hour + 2 == HOURS)
    h.hour = 0


@HOUR_CLOCK.invariant
def is_hour(h: Hour) -> bool:
    """The hour is one of the day."""
    return h.hour < HOURS


FINE_HOURS = Bound("day", 12, "hours of a day", low=2)


class HourMinute(Record):
    hour = Nat(FINE_HOURS - 1)
    minute = Nat(MINUTES - 1)


CLOCK = Spec("clock", HourMinute, doc="a clock with hours and minutes")


@CLOCK.initial()
def midnight(c: HourMinute) -> None:
    c.minute = MINUTES - 1
    if LATE:
        c.hour = FINE_HOURS - 1


def next_hour(c: HourMinute) -> int:
    return c.hour + 1 if c.hour + 1 < FINE_HOURS else 0


@CLOCK.action()
def tick(c: HourMinute) -> None:
    """A minute passes."""
    if c.minute + 1 < MINUTES:
        c.minute += 1
    else:
        c.minute = 0
        c.hour = next_hour(c)


@CLOCK.invariant
def in_day(c: HourMinute) -> bool:
    """The hour is one of the day."""
    return c.hour < FINE_HOURS


@CLOCK.mutant(replaces=next_hour, breaks="in_day", source="a wheel that slips")
def slips(c: HourMinute) -> int:
    """The third hour is followed by the sixth."""
    return 5 if c.hour == 2 else (c.hour + 1 if c.hour + 1 < FINE_HOURS else 0)


@CLOCK.refines(HOUR_CLOCK, bounds={"hours": FINE_HOURS})
def hour_hand(c: HourMinute, h: Hour) -> None:
    """Minutes do not show."""
    h.hour = c.hour


def broken_hand(c: HourMinute, h: Hour) -> None:
    """Goes two hours ahead of the clock, and so beyond the last hour."""
    h.hour = c.hour + 2


def stuck_hand(c: HourMinute, h: Hour) -> None:
    """Shows midnight for ever."""


def refusing_hand(c: HourMinute, h: Hour) -> None:
    require(c.hour < 3)
    h.hour = c.hour


def moving_hand(c: HourMinute, h: Hour) -> None:
    h.hour = c.hour
    c.minute = 0


def pushed(c: HourMinute) -> None:
    c.minute = 0


def pushing_hand(c: HourMinute, h: Hour) -> None:
    h.hour = c.hour
    pushed(c)


def telling_hand(c: HourMinute, h: Hour) -> int:
    h.hour = c.hour
    return c.hour


def late_hand(c: HourMinute, h: Hour) -> None:
    h.hour = c.hour == 2  # type: ignore[assignment]


def far_hand(c: HourMinute, h: Hour) -> None:
    h.hour = c.hour if c.hour < 11 else 12


def moving_later(c: HourMinute, h: Hour) -> None:
    h.hour = c.hour
    if c.hour == 3:
        c.minute = 0


def pushing_later(c: HourMinute, h: Hour) -> None:
    h.hour = c.hour
    if c.hour == 3:
        pushed(c)


def foreign_hand(c: HourMinute, h: Hour) -> None:
    h.hour = divmod(c.hour, 12)[1]


def strange_hand(c: HourMinute, h: Hour) -> None:
    h.hour = c.hour + MANAGERS


def bounded_hand(c: HourMinute, h: Hour) -> None:
    """Each bound means what it means in its own model."""
    h.hour = HOURS - FINE_HOURS


# --- two-phase commit and what it is for: Gray and Lamport's TCommit ---------------------------

MANAGER = Index("manager", MANAGERS, prefix="rm")


class Phase(Enum):
    WORKING = 0
    PREPARED = 1
    COMMITTED = 2
    ABORTED = 3


class Commit(Record):
    phase = Array(MANAGER, Phase)


TCOMMIT = Spec("transaction-commit", Commit, doc="transaction commit without anybody who decides it")


@TCOMMIT.action(i=MANAGER)
def prepare(s: Commit, i: int) -> None:
    """Manager i is ready to commit."""
    require(s.phase[i] == Phase.WORKING)
    s.phase[i] = Phase.PREPARED


@TCOMMIT.action(i=MANAGER)
def commit(s: Commit, i: int) -> None:
    """Manager i commits, all being prepared or committed."""
    require(s.phase[i] == Phase.PREPARED and all(s.phase[j] in (Phase.PREPARED, Phase.COMMITTED) for j in MANAGER))
    s.phase[i] = Phase.COMMITTED


@TCOMMIT.action(i=MANAGER)
def abort(s: Commit, i: int) -> None:
    """Manager i aborts, nobody having committed."""
    require(s.phase[i] in (Phase.WORKING, Phase.PREPARED) and all(s.phase[j] != Phase.COMMITTED for j in MANAGER))
    s.phase[i] = Phase.ABORTED


Resource, TwoPhase, TWO_PHASE_MANAGER = two_phase_commit.Resource, two_phase_commit.State, two_phase_commit.MANAGER


def of_resources(s: TwoPhase, c: Commit) -> None:
    """What the resource managers are; the transaction manager and the messages do not show."""
    for i in TWO_PHASE_MANAGER:
        if s.resource[i] == Resource.PREPARED:
            c.phase[i] = Phase.PREPARED
        elif s.resource[i] == Resource.COMMITTED:
            c.phase[i] = Phase.COMMITTED
        elif s.resource[i] == Resource.ABORTED:
            c.phase[i] = Phase.ABORTED


TWO_PHASE_TO_TCOMMIT = Refinement("of_resources", TCOMMIT, of_resources)

# --- voting and what it is for: Lamport's Consensus ------------------------------------------------

VALUES = Bound("values", 2, "values to choose from", low=1, high=16)
VALUE = Index("value", VALUES)


class Choice(Record):
    chosen = Maybe(VALUE)


CONSENSUS = Spec("consensus", Choice, doc="a value is chosen, once")


@CONSENSUS.action(v=VALUE)
def choose(c: Choice, v: int) -> None:
    """Value v is chosen."""
    require(c.chosen is None)
    c.chosen = v


Vote, VOTING_VALUE, voting_is_chosen = voting.State, voting.VALUE, voting.is_chosen


def chosen(s: Vote, c: Choice) -> None:
    """The last value that is chosen, if any is."""
    for v in VOTING_VALUE:
        if voting_is_chosen(s, v):
            c.chosen = v


VOTING_TO_CONSENSUS = Refinement("chosen", CONSENSUS, chosen)

# --- a network that is too small ---------------------------------------------------------------------


class Note(Record):
    hour = Nat(FINE_HOURS - 1)


ROOM = Bound("room", 2, "notes that the board has room for", low=1, high=50)


class Far(Record):
    hour = Nat(HOURS - 1)


class Board(Record):
    notes = Network(Far, ordering="set", capacity=ROOM)


BOARD = Spec("board", Board, doc="notes of hours on a board")


@BOARD.action(h=Nat(HOURS - 1))
def write(b: Board, h: int) -> None:
    """A note of any hour is added."""
    require(Far(hour=h) not in b.notes)
    b.notes.send(Far(hour=h))


class Tower(Record):
    told = Network(Note, ordering="set")
    hour = Nat(FINE_HOURS - 1)


TOWER = Spec("tower", Tower, doc="a clock that notes the hours it has struck")


@TOWER.action()
def toll(t: Tower) -> None:
    """The hour is told and the next one begins."""
    require(t.hour + 1 < FINE_HOURS)
    t.told.send(Note(hour=t.hour))
    t.hour += 1


def notes(t: Tower, b: Board) -> None:
    """Each hour told is a note, gone through while the other state changes."""
    for n in t.told.of(Note):
        b.notes.send(Far(hour=n.hour))


TOWER_TO_BOARD = Refinement("notes", BOARD, notes, {"hours": FINE_HOURS, "room": FINE_HOURS})
TOWER_TO_SMALL_BOARD = Refinement("notes", BOARD, notes, {"hours": FINE_HOURS})


class Bell(Record):
    told = Ghost(Set(Nat(FINE_HOURS - 1)))
    hour = Nat(FINE_HOURS)
    rung = Nat(FINE_HOURS)


BELL = Spec("bell", Bell, doc="a bell of which only history knows what it rang")


@BELL.action()
def ring(t: Bell) -> None:
    """It rings, and nothing but history knows of it."""
    require(t.hour < FINE_HOURS and t.rung == t.hour)
    t.told.add(t.hour)
    t.hour += 1


@BELL.action()
def forget(t: Bell) -> None:
    """The ringer counts on."""
    require(t.rung < t.hour)
    t.rung += 1


def note_all(t: Bell, b: Board) -> None:
    for h in t.told:
        b.notes.send(Far(hour=h))


def rings(t: Bell, b: Board) -> None:
    """A helper goes through the one state and fills in the other."""
    note_all(t, b)


BELL_TO_BOARD = Refinement("rings", BOARD, rings, {"hours": FINE_HOURS, "room": FINE_HOURS})

# --- a model and itself ----------------------------------------------------------------------------------

Paxos = paxos.State


def itself(s: Paxos, t: Paxos) -> None:
    t.promised = s.promised
    t.voted_ballot = s.voted_ballot
    t.voted_value = s.voted_value
    t.net = s.net


PAXOS_TO_ITSELF = Refinement("itself", paxos.SPEC, itself)

# --- counters, one of which makes a mistake ----------------------------------------------------------


class Count(Record):
    n = Nat(3)


ROUND = Spec("round", Count, doc="counts round and round")


@ROUND.action()
def count_round(c: Count) -> None:
    c.n = c.n + 1 if c.n < 3 else 0


UP = Spec("up", Count, doc="counts beyond its range")


@UP.action()
def count_up(c: Count) -> None:
    c.n += 1


def same(c: Count, d: Count) -> None:
    d.n = c.n


ROUND_TO_UP, UP_TO_ROUND = Refinement("same", UP, same), Refinement("same", ROUND, same)


# --- a model that cannot begin --------------------------------------------------------------

NEVER = Spec("never", Hour, doc="a clock without a first hour")


@NEVER.initial
def at_no_hour(h: Hour) -> None:
    require(h.hour > 0)


@NEVER.action()
def begin(h: Hour) -> None:
    h.hour = 1


@NEVER.refines(HOUR_CLOCK)
def as_hours(h: Hour, hours: Hour) -> None:
    hours.hour = h.hour
