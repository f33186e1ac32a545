"""Results as JSON: a documented schema with a version, for programs that read verdicts.

Law: a field keeps its name and meaning as long as ``schema`` keeps its number; fields may
be added.  Strings are as the model gave them (JSON escapes them), numbers are not rounded.
Reads results and decides nothing.

A document holds:

- ``schema``: ``scrutator.check/1``; ``scrutator``: the version that wrote it;
- ``exit_status``: the command's, see `ExitStatus`;
- ``results``: one per model checked, see `ResultDocument`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

import scrutator
from scrutator.checker.explore.result import PropertyResult, Result, Step, Trace
from scrutator.checker.verdict import ExitStatus

SCHEMA = "scrutator.check/1"


class QuorumDocument(msgspec.Struct, frozen=True, kw_only=True):
    """Nodes that are a quorum of the bound of that name."""

    bound: str
    nodes: list[str]


class StepDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One step: the first is the initial state.  ``state`` maps fields to their printed form.

    ``decided`` names the quorums that the step rests on.
    """

    action: str
    parameters: dict[str, str]
    fault: bool
    changes: list[str]
    state: dict[str, str]
    encoded: str
    decided: list[QuorumDocument]


class TraceDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A behaviour from an initial state; ``length`` counts the steps taken."""

    length: int
    shortest: bool
    steps: list[StepDocument]


class PropertyDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One property: ``trace`` is its counterexample, or the witness of a reachable one that holds."""

    name: str
    kind: str
    verdict: str  # "holds", "violated" or "unknown"
    doc: str
    note: str
    trace: TraceDocument | None


class ActionDocument(msgspec.Struct, frozen=True, kw_only=True):
    """How often an action fired, and how many states it reached first."""

    name: str
    fired: int
    distinct: int


class ResultDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One check.  ``levels`` counts the new states at each depth, from depth 1.

    ``verdict`` must be read with ``scope``, ``vacuous`` (reasons why the model shows little)
    and ``truncations`` (steps that a capacity refused).  Times are in seconds.
    """

    model: str
    bounds: dict[str, str]
    mutant: str | None
    verdict: str
    scope: str
    exit_status: int
    exhaustive: bool
    limit: str | None
    vacuous: list[str]
    truncations: dict[str, int]
    collision_odds: float
    properties: list[PropertyDocument]
    engine: str
    search: str
    workers: int
    symmetry: list[str]
    seed: int | None
    distinct: int
    generated: int
    depth: int
    levels: list[int]
    actions: list[ActionDocument]
    seconds: float
    compile_seconds: float
    memory_bytes_peak: int


class CheckDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What ``scrutator check --format json`` prints."""

    schema: str
    scrutator: str
    exit_status: int
    results: list[ResultDocument]


def check_document(results: Sequence[Result], exit_status: ExitStatus) -> CheckDocument:
    """The document of one run of the command."""
    return CheckDocument(
        schema=SCHEMA,
        scrutator=scrutator.__version__,
        exit_status=int(exit_status),
        results=[result_document(result) for result in results],
    )


def encode(document: msgspec.Struct | dict[str, Any]) -> str:
    """Indented JSON that ends with a newline; ASCII, so that no locale can break it."""
    import json

    return json.dumps(msgspec.to_builtins(document), indent=2) + "\n"


def decode(text: str | bytes) -> CheckDocument:
    """Read a document back; raises `msgspec.ValidationError` where it does not fit the schema."""
    document = msgspec.json.decode(text, type=CheckDocument)
    if document.schema != SCHEMA:
        raise msgspec.ValidationError(f"schema {document.schema!r} is not {SCHEMA!r}")
    return document


def json_schema() -> dict[str, Any]:
    """The JSON Schema of `CheckDocument`."""
    return msgspec.json.schema(CheckDocument)


def result_document(result: Result) -> ResultDocument:
    """One result, without loss."""
    return ResultDocument(
        model=result.model,
        bounds=dict(result.bounds),
        mutant=result.mutant,
        verdict=result.verdict.value,
        scope=result.scope,
        exit_status=int(result.exit_status),
        exhaustive=result.exhaustive,
        limit=result.limit,
        vacuous=list(result.vacuous),
        truncations=dict(result.truncations),
        collision_odds=result.collision_odds,
        properties=[_property(found) for found in result.properties],
        engine=result.engine,
        search=result.search,
        workers=result.workers,
        symmetry=list(result.symmetry),
        seed=result.seed,
        distinct=result.distinct,
        generated=result.generated,
        depth=result.depth,
        levels=list(result.levels),
        actions=[ActionDocument(name=a.name, fired=a.fired, distinct=a.distinct) for a in result.actions],
        seconds=result.seconds,
        compile_seconds=result.compile_seconds,
        memory_bytes_peak=result.memory_bytes_peak,
    )


def _property(found: PropertyResult) -> PropertyDocument:
    return PropertyDocument(
        name=found.name,
        kind=found.kind.value,
        verdict=found.verdict.value,
        doc=found.doc,
        note=found.note,
        trace=None if found.trace is None else _trace(found.trace),
    )


def _trace(trace: Trace) -> TraceDocument:
    return TraceDocument(length=len(trace), shortest=trace.shortest, steps=[step_document(s) for s in trace.steps])


def step_document(step: Step) -> StepDocument:
    """One step of a trace."""
    return StepDocument(
        action=step.action,
        parameters=dict(step.parameters),
        fault=step.fault,
        changes=list(step.changes),
        state=dict(step.state),
        encoded=step.encoded,
        decided=[QuorumDocument(bound=bound, nodes=list(nodes)) for bound, nodes in step.decided],
    )
