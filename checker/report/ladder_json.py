"""The ladder as JSON: a documented schema with a version.

Law: a field keeps its name and meaning as long as ``schema`` keeps its number; fields may be added.
"""

from __future__ import annotations

import msgspec

import scrutator
from scrutator.checker.ladder import ClaimFound, LadderFound, RungFound
from scrutator.checker.report.json import ResultDocument, result_document

SCHEMA = "scrutator.ladder/1"


class EventDocument(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened in a run.  A message's sending and receiving share their ``letter``."""

    at_us: int
    kind: str
    actor: str
    text: str
    peer: str | None
    letter: int | None


class PlayedDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What the implementation showed; ``verdict`` is null where no run can show it (``why``) or there is none (``missing``).

    ``seed`` is the first of ``seeds`` that decided; ``events`` is that run, made short, of each rung's headline only.
    """

    verdict: str | None
    seeds: int
    seed: int | None
    seconds: float
    why: str
    missing: str
    events: list[EventDocument]


class ClaimDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A claim: ``expect`` is holds or violated; ``steps`` are those of the counterexample or witness in ``model``."""

    name: str
    says: str
    property: str
    mutant: str | None
    expect: str
    confirmed: bool
    steps: int | None
    model: ResultDocument
    played: PlayedDocument


class RungDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A rung; ``headline`` is the claim that shows how it breaks."""

    order: int
    name: str
    title: str
    idea: str
    notice: str
    keeps: str
    breaks: str
    next: str
    headline: str | None
    distinct: int
    claims: list[ClaimDocument]


class LadderDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What ``scrutator ladder --format json`` prints; ``mistakes`` are sentences, one for each thing that does not agree."""

    schema: str
    scrutator: str
    exit_status: int
    verdict: str
    limit: str | None
    seconds: float
    mistakes: list[str]
    rungs: list[RungDocument]


def document(found: LadderFound) -> LadderDocument:
    """What was found, as the schema has it."""
    return LadderDocument(
        schema=SCHEMA, scrutator=scrutator.__version__, exit_status=int(found.exit_status), verdict=found.verdict.value, limit=found.limit,
        seconds=found.seconds, mistakes=list(found.mistakes), rungs=[_rung(rung) for rung in found.rungs],
    )  # fmt: skip


def _rung(found: RungFound) -> RungDocument:
    r, head = found.rung, found.headline
    return RungDocument(
        order=r.order, name=r.name, title=r.title, idea=r.idea, notice=r.notice, keeps=r.keeps, breaks=r.breaks, next=r.next,
        headline=None if head is None else head.claim.name, distinct=found.distinct, claims=[_claim(claim) for claim in found.claims],
    )  # fmt: skip


def _claim(found: ClaimFound) -> ClaimDocument:
    c, p = found.claim, found.played
    events = [EventDocument(at_us=e.at_us, kind=e.kind, actor=e.actor, text=e.text, peer=e.peer, letter=e.letter) for e in p.events]
    return ClaimDocument(
        name=c.name, says=c.says, property=c.property, mutant=c.mutant, expect=c.expect, confirmed=found.is_confirmed, steps=found.steps,
        model=result_document(found.model),
        played=PlayedDocument(
            verdict=None if p.verdict is None else p.verdict.value, seeds=p.seeds, seed=p.seed, seconds=p.seconds, why=p.why,
            missing=p.missing, events=events,
        ),
    )  # fmt: skip
