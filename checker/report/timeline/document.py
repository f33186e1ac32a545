"""What a page knows of a history and its verdict, as one JSON document.

The law: it grows with the number of operations and of distinct texts, never with the
length of values; what is shortened says by how much.  100,000 operations take about 4 MB.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from scrutator.checker.linear.history import NEVER, UNKNOWN, History, Int64s, Operation, Value
from scrutator.checker.linear.result import Linearizability, Part
from scrutator.checker.report.clean import clean
from scrutator.checker.report.timeline.packing import differences, packed
from scrutator.checker.report.timeline.words import Band, Named, Phrase, name_of, noun_for_parts, phrases
from scrutator.model.objects.sequential import Method, Object, exactly

TEXT_MAX = 2_000  # characters of one operation, where there is room
TEXT_MIN = 60
TEXTS_MAX = 8_000_000  # characters of all operations
NAME_MAX = 200  # characters of the name of a part


class Violation(msgspec.Struct, frozen=True):
    """Why one part is violated.  Operations are positions in the history."""

    part: int
    culprit: int
    conflict: tuple[int, ...]
    reasons: tuple[tuple[Phrase, ...], ...]
    prefix: int | None


class Fault(msgspec.Struct, frozen=True):
    """A band; times in nanoseconds since the first call, ``end`` null where none was recorded."""

    kind: str
    what: str
    nodes: tuple[str, ...]
    begin: int
    end: int | None


class Document(msgspec.Struct, frozen=True, rename="camel"):
    """Columns are those of `History`, packed; text, part and order are the page's own.

    ``called`` holds steps from call to call, ``lasted`` one more than the duration, or
    zero if pending; ``order`` places in the witness of the part from one, or zero;
    ``part`` one more than the position in ``parts``, or zero.  A part is its name and a
    position in ``decisions``, which are verdict, engine, why and limit.
    """

    source: str
    verdict: str
    noun: str
    has_clock: bool
    count: int
    began: str  # the first call as recorded, which JavaScript's numbers may not hold
    methods: tuple[tuple[str, bool], ...]  # name, whether it reads only
    texts: list[str]
    text_methods: str
    text: str
    process: str
    part: str
    called: str
    lasted: str
    line: str
    order: str
    decisions: list[tuple[str, str, str, str | None]]
    parts: list[tuple[str, int]]
    violations: list[Violation]
    faults: list[Fault]


def embedded(document: Document) -> str:
    """The document as text for a script element: no character of it can end the element."""
    text = msgspec.json.encode(document).decode()
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def document_of(history: History, object_: Object, found: Linearizability, bands: Sequence[Band] = ()) -> Document:
    """What the page is given.  Raises ValueError if the object lacks a method of the history."""
    texts = _texts(history, object_)
    decisions: dict[tuple[str, str, str, str | None], int] = {}
    parts = []
    for part in found.parts:
        decision = (part.verdict.value, clean(part.engine), clean(part.why), None if part.limit is None else clean(part.limit))
        parts.append((_part_name(part), decisions.setdefault(decision, len(decisions))))
    pending = history.returned == NEVER
    return Document(
        source=name_of(history.source),
        verdict=found.verdict.value,
        noun=noun_for_parts(history, object_),
        has_clock=history.has_clock,
        count=len(history),
        began=str(history.called[0]) if len(history) else "0",
        methods=tuple((clean(method.name), method.reads_only) for method in texts.methods),
        texts=texts.all,
        text_methods=packed(texts.method),
        text=packed(texts.of),
        process=packed(history.process),
        part=packed(_parts(history, object_, found.parts) + 1),
        called=packed(np.diff(history.called, prepend=history.called[:1])),
        lasted=packed(np.where(pending, 0, history.returned - np.where(pending, 0, history.called) + 1)),
        line=packed(differences(history.line)),
        order=packed(_orders(history, found.parts)),
        decisions=list(decisions),
        parts=parts,
        violations=_violations(history, texts, found),
        faults=_faults(history, bands),
    )


def _faults(history: History, bands: Sequence[Band]) -> list[Fault]:
    """Bands in the time of the page; none where there is no clock to place them by."""
    zero = int(history.called[0]) if len(history) else 0
    return [
        Fault(
            clean(band.kind), _short(band.what, NAME_MAX), tuple(_short(node, NAME_MAX) for node in band.nodes),
            band.begin - zero, None if band.end is None else band.end - zero,
        )
        for band in bands
        if history.has_clock
    ]  # fmt: skip


# --- texts ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Texts:
    """How operations read: ``all[of[i]]`` is operation i's text, its method ``methods[method[of[i]]]``."""

    all: list[str]
    of: Int64s
    methods: tuple[Method, ...]
    method: Int64s


def _texts(history: History, object_: Object) -> _Texts:
    methods = tuple(_method(history, object_, name) for name in history.methods)
    values = len(history.values) + 1
    same = (history.method.astype(np.int64) * values + history.argument) * values + history.result + 1
    _, first, of = np.unique(same, return_index=True, return_inverse=True)
    longest = max(TEXT_MIN, min(TEXT_MAX, TEXTS_MAX // max(len(first), 1)))
    columns = (column[first].tolist() for column in (history.method, history.argument, history.result))
    texts = []
    for number, argument, result in zip(*columns, strict=True):
        pending = result == UNKNOWN
        returned = None if pending else history.values[result]
        text = methods[number].describe(history.values[argument], returned, pending=pending)
        texts.append(_short(text, longest))
    return _Texts(texts, of.astype(np.int64), methods, history.method[first].astype(np.int64))


def _method(history: History, object_: Object, name: str) -> Method:
    method = object_.find(name)
    if method is None:
        raise ValueError(f"{history.source}: the object {object_.name} has no method {name}: it is not what was checked")
    return method


def _short(text: str, longest: int) -> str:
    """A text, cleaned and no longer than that."""
    if len(text) > longest:
        return f"{clean(text[:longest])}… and {len(text) - longest:,} more characters"
    return clean(text)


# --- parts ------------------------------------------------------------------------------


def _part_name(part: Part) -> str:
    return "all operations" if part.key is None else _short(repr(part.key), NAME_MAX)


def _parts(history: History, object_: Object, parts: tuple[Part, ...]) -> Int64s:
    """The part of each operation, or -1."""
    number = {exactly(part.key): k for k, part in enumerate(parts)}
    values = len(history.values) + 1
    alike = history.key.astype(np.int64) + 1
    if object_.part is not None:  # it depends on method and argument too
        alike = (alike * len(history.methods) + history.method) * values + history.argument
    _, first, of = np.unique(alike, return_index=True, return_inverse=True)
    found = [_part(history[i], object_, number) for i in first.tolist()]
    return np.array(found, np.int64)[of]


def _part(operation: Operation, object_: Object, number: dict[Value, int]) -> int:
    """An operation's part: that of its key and place in the object, of its key, or the only one."""
    keys = [operation.key]
    if object_.part is not None:
        place = object_.part(operation.method, operation.argument)
        keys = [(operation.key, place), *([place] if operation.key is None else []), operation.key]
    for key in keys:
        if exactly(key) in number:
            return number[exactly(key)]
    return 0 if len(number) == 1 else -1


def _orders(history: History, parts: tuple[Part, ...]) -> Int64s:
    """The place of each operation in its part's witness from one, or zero."""
    order = np.zeros(len(history), np.int64)
    for part in parts:
        if part.witness:
            order[np.array(part.witness, np.int64)] = np.arange(1, len(part.witness) + 1)
    return order


# --- violations -------------------------------------------------------------------------


def _violations(history: History, texts: _Texts, found: Linearizability) -> list[Violation]:
    """The violated parts, the one whose culprit returned first in front."""
    number = {exactly(part.key): k for k, part in enumerate(found.parts)}
    return [_violation(history, texts, part, number[exactly(part.key)]) for part in found.violated]


def _violation(history: History, texts: _Texts, part: Part, number: int) -> Violation:
    assert part.culprit is not None
    if part.explanation is None:
        return Violation(number, part.culprit.index, (part.culprit.index,), (), None)
    why = part.explanation
    conflict = {operation.index for operation in why.conflict} | {why.culprit.index}
    named: list[Named] = [
        (texts.all[texts.of[i]], str(history.process[i]), int(history.line[i]), i) for i in sorted(conflict)
    ]
    reasons = tuple(phrases(clean(reason), named) for reason in why.reasons)
    return Violation(number, why.culprit.index, tuple(sorted(conflict)), reasons, why.prefix)
