"""What reports say of a history: the verdict, with the operations that it rests on in words.

Law: keeps what is shown and lets go of the history, unless its order is to be shown, so
that many histories can be told of at once.  Decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

from scrutator.checker.linear.history import NO_KEY, History, Operation, Value
from scrutator.checker.linear.result import Linearizability, Part
from scrutator.checker.verdict import ExitStatus, Verdict
from scrutator.model.objects.sequential import Object


class Weaker(Protocol):
    """What is read of a finding about a weaker consistency model."""

    @property
    def model(self) -> Enum: ...

    @property
    def verdict(self) -> Verdict: ...

    @property
    def reason(self) -> str: ...

    @property
    def conflict(self) -> Sequence[int]: ...


@dataclass(frozen=True, slots=True)
class Shown:
    """An operation, in words and as it was recorded; ``line`` is where the recording calls it."""

    operation: Operation
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Violation:
    """A violated part; ``conflict`` is empty where nobody asked why."""

    part: Part
    title: str  # which part, in words; empty for the whole
    culprit: Shown
    conflict: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """A part's operations in an order in which they may have taken effect; they may be millions."""

    title: str
    history: History
    object: Object
    positions: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.positions)

    def __iter__(self) -> Iterator[Shown]:
        return (shown(self.history, self.object, self.history[position]) for position in self.positions)


@dataclass(frozen=True, slots=True)
class Decided:
    """A history that was checked.

    ``start`` is what the object starts with, in words, or nothing where it starts empty;
    ``begin`` is when the first operation was called.
    """

    source: str
    found: Linearizability
    start: str
    has_clock: bool
    begin: int
    violations: tuple[Violation, ...]
    orders: tuple[Order, ...] = ()
    strongest: tuple[Weaker, ...] = ()  # of consistency models, from strong to weak
    holding: tuple[str, ...] = ()  # those of them that hold and that no other that holds implies
    timeline: Path | None = None  # where it was drawn

    @property
    def status(self) -> ExitStatus:
        return _STATUSES[self.found.verdict]


@dataclass(frozen=True, slots=True)
class Refused:
    """A history that was not checked, or something asked for that was not done, and why."""

    source: str
    message: str  # names the source, and the line where there is one
    status: ExitStatus
    line: int | None = None
    reason: str = "refused"  # in a word or two


_STATUSES = {
    Verdict.HOLDS: ExitStatus.HOLDS,
    Verdict.VIOLATED: ExitStatus.VIOLATED,
    Verdict.UNKNOWN: ExitStatus.UNKNOWN,
}
_GRAVEST = (ExitStatus.VIOLATED, ExitStatus.FAULTY_MODEL, ExitStatus.USAGE, ExitStatus.UNKNOWN)


def gravest(answers: Sequence[Decided | Refused]) -> ExitStatus:
    """The exit status of several: violated, then malformed, then wrong usage, then unknown."""
    statuses = {answer.status for answer in answers}
    return next((status for status in _GRAVEST if status in statuses), ExitStatus.HOLDS)


def decided(source: str, history: History, object_: Object, found: Linearizability) -> Decided:
    """What there is to say of a history and what was found of it."""
    keyed = bool(len(history)) and int(history.key.max()) != NO_KEY

    def show(operation: Operation) -> Shown:
        return shown(history, object_, operation)

    violations = [
        Violation(
            part,
            _title(part.key, keyed),
            show(part.culprit if part.explanation is None else part.explanation.culprit),
            tuple(map(show, part.explanation.conflict)) if part.explanation is not None else (),
        )
        for part in found.violated
        if part.culprit is not None
    ]
    orders = [
        Order(_title(part.key, keyed), history, object_, part.witness)
        for part in found.parts
        if part.witness is not None
    ]
    begin = int(history.called[0]) if len(history) else 0
    start = "" if object_.initial in ((), frozenset()) else repr(object_.initial)
    return Decided(source, found, start, history.has_clock, begin, tuple(violations), tuple(orders))


def shown(history: History, object_: Object, operation: Operation) -> Shown:
    """An operation of a history, in words: ``cas(1 -> 2) failed``."""
    method = object_.find(operation.method)
    assert method is not None, f"{object_.name} has no method {operation.method}"
    text = method.describe(operation.argument, operation.result, pending=operation.pending)
    return Shown(operation, text, int(history.line[operation.index]))


def _title(key: Value, keyed: bool) -> str:
    if key is None:
        return ""
    return f"key {key!r}" if keyed else f"part {key!r}"
