"""Quorum systems side by side: what a plot of load against latency needs, and which of them nobody beats.

Law: a system is on the front iff no other is at least as good in load, latency and resilience, and
better in one of them.  Numbers come from elsewhere; what has none is listed, not drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import msgspec

from scrutator.checker.report.clean import clean

CANDIDATES_MAX = 400


@dataclass(frozen=True, slots=True)
class Candidate:
    """A quorum system with what it costs at its best.

    ``load`` and ``network`` are per operation, ``capacity`` operations a second (or the unit of the
    nodes), ``resilience`` how many nodes may fail, whichever they are.  None for what is not known;
    ``proved`` where the costs are shown to be the best there are; ``note`` what else is to be said.
    """

    name: str
    load: float | None
    latency_s: float | None
    resilience: int
    capacity: float | None = None
    network: float | None = None
    proved: bool = False
    note: str = ""


class Dot(msgspec.Struct, frozen=True, rename="camel"):
    """A candidate on the page."""

    name: str
    load: float | None
    latency: float | None  # seconds
    resilience: int
    capacity: float | None
    network: float | None
    proved: bool
    note: str
    front: bool


class Comparison(msgspec.Struct, frozen=True, rename="camel"):
    """Candidates, those on the front first; ``left_out`` are more that there were."""

    dots: list[Dot]
    left_out: int


def comparison_of(candidates: Sequence[Candidate]) -> Comparison:
    """What the page is given, cut to the candidates that matter most."""
    best = front(candidates)
    dots = [_dot(candidate, k in best) for k, candidate in enumerate(candidates)]
    dots.sort(key=lambda dot: (not dot.front, dot.load is None, dot.load or 0.0))
    return Comparison(dots[:CANDIDATES_MAX], max(0, len(dots) - CANDIDATES_MAX))


def front(candidates: Sequence[Candidate]) -> frozenset[int]:
    """The positions of those that no other beats; of equals, all."""
    known = {k: costs for k, candidate in enumerate(candidates) if (costs := _costs(candidate)) is not None}
    kept: list[tuple[float, float, int]] = []
    for costs in sorted(set(known.values())):  # whoever beats one comes before it
        if not any(all(a <= b for a, b in zip(other, costs, strict=True)) for other in kept):
            kept.append(costs)
    unbeaten = set(kept)
    return frozenset(k for k, costs in known.items() if costs in unbeaten)


def _costs(candidate: Candidate) -> tuple[float, float, int] | None:
    """What is better if it is less; None where it cannot be drawn."""
    load, latency = _finite(candidate.load), _finite(candidate.latency_s)
    return None if load is None or latency is None else (load, latency, -candidate.resilience)


def _dot(candidate: Candidate, on_front: bool) -> Dot:
    return Dot(
        clean(candidate.name), _finite(candidate.load), _finite(candidate.latency_s), candidate.resilience,
        _finite(candidate.capacity), _finite(candidate.network), candidate.proved, clean(candidate.note), on_front,
    )  # fmt: skip


def _finite(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None
