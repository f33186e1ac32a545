"""Verdicts on histories as JSON: a documented schema with a version, for programs.

Law: a field keeps its name and meaning as long as ``schema`` keeps its number; fields may
be added.  Reads results and decides nothing.

A document holds:

- ``schema``: ``scrutator.lin/1``; ``scrutator``: the version that wrote it;
- ``exit_status``: the command's, see `ExitStatus`;
- ``histories``: one for each that was checked, see `HistoryDocument`;
- ``errors``: one for each that was not, see `ErrorDocument`;
- ``skipped``: files found in folders that no reader recognises.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

import scrutator
from scrutator.checker.linear.result import Part
from scrutator.checker.report.lin_found import Decided, Refused, Shown, Violation
from scrutator.checker.verdict import ExitStatus

SCHEMA = "scrutator.lin/1"


class OperationDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One operation.

    ``index`` is its position in order of call, from 0, and ``line`` where the file calls it.
    ``called`` and ``returned`` are as recorded; ``returned`` and ``result`` are null if it
    is pending.  ``text`` is how it reads.
    """

    index: int
    process: int
    key: object
    method: str
    argument: object
    result: object
    pending: bool
    called: int
    returned: int | None
    line: int
    text: str


class PartDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One key, or one part of the object; ``key`` is null for the whole.

    ``culprit`` is the first operation whose return no order of the operations allows,
    ``conflict`` operations that have no linearization whatever the others did, in order of
    call, ``reasons`` what forbids each place of the one to blame, and ``prefix`` how many
    operations of the part were called before the culprit returned: null or empty where the
    part is not violated, or nobody asked why.  ``shortest`` says that no return before was
    the culprit, ``minimal`` that any operation fewer would have a linearization; if false,
    time ran out before that was proved.  ``witness``, if asked for, is an order of the
    operations, by their index.
    """

    key: object
    operations: int
    verdict: str  # "holds", "violated" or "unknown"
    engine: str
    why: str
    limit: str | None
    culprit: OperationDocument | None
    conflict: list[OperationDocument]
    reasons: list[str]
    prefix: int | None
    shortest: bool | None
    minimal: bool | None
    witness: list[int] | None


class WeakerDocument(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a consistency model holds; ``conflict`` holds operations by their index."""

    model: str
    verdict: str
    reason: str
    conflict: list[int]


class HistoryDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One history; ``verdict`` must be read with ``scope``.

    ``start`` is what the object starts with, as Python writes it; empty if it starts empty.
    With ``has_clock`` times are nanoseconds, else positions in the recording.
    ``configurations`` were looked at by searches in all, at most ``widest`` at a time.
    ``strongest`` is empty unless it was asked for.
    """

    source: str
    object: str
    start: str
    verdict: str
    scope: str
    exit_status: int
    operations: int
    pending: int
    has_clock: bool
    engines: list[str]
    parts: list[PartDocument]
    configurations: int
    widest: int
    seconds: float
    strongest: list[WeakerDocument]
    timeline: str | None


class ErrorDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A history that was not checked; ``exit_status`` says what kind of mistake it was."""

    source: str
    line: int | None
    message: str
    exit_status: int


class LinDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What ``scrutator lin --format json`` prints."""

    schema: str
    scrutator: str
    exit_status: int
    histories: list[HistoryDocument]
    errors: list[ErrorDocument]
    skipped: list[str]


def lin_document(
    answers: Sequence[Decided | Refused], skipped: Sequence[str], exit_status: ExitStatus
) -> LinDocument:
    """The document of one run of the command."""
    return LinDocument(
        schema=SCHEMA,
        scrutator=scrutator.__version__,
        exit_status=int(exit_status),
        histories=[_history(answer) for answer in answers if isinstance(answer, Decided)],
        errors=[
            ErrorDocument(source=a.source, line=a.line, message=a.message, exit_status=int(a.status))
            for a in answers
            if isinstance(a, Refused)
        ],
        skipped=list(skipped),
    )


def decode(text: str | bytes) -> LinDocument:
    """Read a document back; raises `msgspec.ValidationError` where it does not fit the schema."""
    document = msgspec.json.decode(text, type=LinDocument)
    if document.schema != SCHEMA:
        raise msgspec.ValidationError(f"schema {document.schema!r} is not {SCHEMA!r}")
    return document


def _history(answer: Decided) -> HistoryDocument:
    found = answer.found
    violations = {id(v.part): v for v in answer.violations}
    return HistoryDocument(
        source=answer.source,
        object=found.object,
        start=answer.start,
        verdict=found.verdict.value,
        scope=found.scope,
        exit_status=int(answer.status),
        operations=found.operations,
        pending=found.pending,
        has_clock=answer.has_clock,
        engines=list(found.engines),
        parts=[_part(part, violations.get(id(part))) for part in found.parts],
        configurations=found.configurations,
        widest=found.widest,
        seconds=found.seconds,
        strongest=[
            WeakerDocument(
                model=str(w.model.value), verdict=w.verdict.value, reason=w.reason, conflict=[int(k) for k in w.conflict]
            )
            for w in answer.strongest
        ],
        timeline=None if answer.timeline is None else str(answer.timeline),
    )


def _part(part: Part, violation: Violation | None) -> PartDocument:
    why = part.explanation
    return PartDocument(
        key=_plain(part.key),
        operations=part.operations,
        verdict=part.verdict.value,
        engine=part.engine,
        why=part.why,
        limit=part.limit,
        culprit=None if violation is None else _operation(violation.culprit),
        conflict=[] if violation is None else [_operation(shown) for shown in violation.conflict],
        reasons=[] if why is None else list(why.reasons),
        prefix=None if why is None else why.prefix,
        shortest=None if why is None else why.shortest,
        minimal=None if why is None else why.minimal,
        witness=None if part.witness is None else list(part.witness),
    )


def _operation(shown: Shown) -> OperationDocument:
    o = shown.operation
    return OperationDocument(
        index=o.index,
        process=o.process,
        key=_plain(o.key),
        method=o.method,
        argument=_plain(o.argument),
        result=_plain(o.result),
        pending=o.pending,
        called=o.called,
        returned=None if o.pending else o.returned,
        line=shown.line,
        text=shown.text,
    )


def _plain(value: object) -> object:
    """A value as JSON: tuples as arrays, and what JSON does not have as Python writes it."""
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, bool | int | str) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return repr(value)
