"""A refinement as JSON, with a schema that has a version; see `json` for the law.

A document holds ``schema`` (``scrutator.refine/1``), ``scrutator`` (the version that wrote
it), ``exit_status``, and ``result``.
"""

from __future__ import annotations

import msgspec

import scrutator
from scrutator.checker.refine.result import AbstractStep, RefineResult, Refutation
from scrutator.checker.report.json import StepDocument, step_document

SCHEMA = "scrutator.refine/1"


class FollowedDocument(msgspec.Struct, frozen=True, kw_only=True):
    """So many steps of an action are steps of that abstract action; null: no step."""

    action: str
    abstract: str | None
    count: int


class ImageDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A step of the abstract model."""

    step: str
    changes: list[str]


class NearDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A step (or initial state) that comes near, and what would still have to change after it."""

    step: str
    missing: list[str]


class RefusingDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A step that its guards refuse: file, line and text of each."""

    step: str
    guards: list[str]


class RefutationDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A behaviour whose last step is no abstract step.

    ``images`` has what each step but the last is; ``before`` and ``after`` are the abstract
    states around the last, ``before`` empty where an initial state is at fault.
    """

    length: int
    shortest: bool
    steps: list[StepDocument]
    images: list[ImageDocument | None]
    before: dict[str, str]
    after: dict[str, str]
    changes: list[str]
    enabled: int
    nearest: list[NearDocument]
    refusing: list[RefusingDocument]


class RefineResultDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One check of a refinement; the verdict must be read with ``scope``, ``vacuous`` and ``truncations``."""

    model: str
    bounds: dict[str, str]
    mutant: str | None
    abstract: str
    abstract_bounds: dict[str, str]
    mapping: str
    verdict: str  # "holds", "violated" or "unknown"
    scope: str
    exhaustive: bool
    limit: str | None
    vacuous: list[str]
    never: list[str]
    truncations: dict[str, int]
    collision_odds: float
    followed: list[FollowedDocument]
    refutation: RefutationDocument | None
    engine: str
    workers: int
    distinct: int
    generated: int
    steps: int
    depth: int
    levels: list[int]
    seconds: float
    compile_seconds: float
    memory_bytes_peak: int


class RefineDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What ``scrutator refine --format json`` prints."""

    schema: str
    scrutator: str
    exit_status: int
    result: RefineResultDocument


def refine_document(result: RefineResult) -> RefineDocument:
    """The document of one run of the command, without loss."""
    return RefineDocument(
        schema=SCHEMA,
        scrutator=scrutator.__version__,
        exit_status=int(result.exit_status),
        result=_result(result),
    )


def _result(result: RefineResult) -> RefineResultDocument:
    return RefineResultDocument(
        model=result.model,
        bounds=dict(result.bounds),
        mutant=result.mutant,
        abstract=result.abstract,
        abstract_bounds=dict(result.abstract_bounds),
        mapping=result.mapping,
        verdict=result.verdict.value,
        scope=result.scope,
        exhaustive=result.exhaustive,
        limit=result.limit,
        vacuous=list(result.vacuous),
        never=list(result.never),
        truncations=dict(result.truncations),
        collision_odds=result.collision_odds,
        followed=[FollowedDocument(action=f.action, abstract=f.abstract, count=f.count) for f in result.followed],
        refutation=None if result.refutation is None else _refutation(result.refutation),
        engine=result.engine,
        workers=result.workers,
        distinct=result.distinct,
        generated=result.generated,
        steps=result.steps,
        depth=result.depth,
        levels=list(result.levels),
        seconds=result.seconds,
        compile_seconds=result.compile_seconds,
        memory_bytes_peak=result.memory_bytes_peak,
    )


def _refutation(found: Refutation) -> RefutationDocument:
    return RefutationDocument(
        length=len(found.trace),
        shortest=found.trace.shortest,
        steps=[step_document(step) for step in found.trace.steps],
        images=[_image(image) for image in found.images],
        before=dict(found.before),
        after=dict(found.after),
        changes=list(found.changes),
        enabled=found.enabled,
        nearest=[NearDocument(step=n.label, missing=list(n.missing)) for n in found.nearest],
        refusing=[RefusingDocument(step=r.label, guards=list(r.guards)) for r in found.refusing],
    )


def _image(image: AbstractStep | None) -> ImageDocument | None:
    return None if image is None else ImageDocument(step=image.label, changes=list(image.changes))
