"""Where the text of an arrow may stand, best places first; who draws takes the first that is free."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from scrutator.checker.report.spacetime.diagram import Arrow

SMALL = 6.3  # pixels of a letter of a label, on the average and rather more
_STEEP = 0.6

Box = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(frozen=True, slots=True)
class Point:
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Place:
    """A place for a text, turned by an angle in degrees about (x, pivot); ``box`` is roughly what it covers."""

    x: float
    y: float
    anchor: str
    angle: float
    pivot: float
    box: Box


def overlap(a: Box, b: Box) -> float:
    """The area that two boxes share.

    >>> overlap((0, 0, 2, 2), (1, 1, 5, 5))
    1
    """
    return max(min(a[2], b[2]) - max(a[0], b[0]), 0) * max(min(a[3], b[3]) - max(a[1], b[1]), 0)


def label_places(arrow: Arrow, begin: Point, end: Point) -> Iterator[Place]:
    """Along a flat arrow; outside of a steep one, beside the end that the text belongs to."""
    width = len(arrow.text) * SMALL
    slope = (end.y - begin.y) / max(abs(end.x - begin.x), 1)
    if arrow.end in ("middle", "below"):
        for part in (0.5, 0.35, 0.65, 0.2, 0.8):
            at = Point(begin.x + (end.x - begin.x) * part, begin.y + (end.y - begin.y) * part)
            yield _along(at, width, slope if end.x > begin.x else -slope, 13 if arrow.end == "below" else -5)
        return
    at, other = (end, begin) if arrow.end == "head" else (begin, end)
    side, down = (1 if other.x > at.x else -1), (-1 if arrow.end == "head" else 1)
    if slope < _STEEP:
        for more in (18, 50, 90, 140):
            away = min(width / 2 + more, abs(end.x - begin.x) / 2)
            yield _along(Point(at.x + side * away, at.y + down * away * slope), width, slope * side * down, -5)
        return
    for up in (-11, -24, -36, -48, -64) if arrow.end == "head" else (20, 32, 44, 60, 76):
        x, y = at.x + side * (abs(up) / slope + 8), at.y + up
        box = (x, y - 10, x + width, y + 3) if side > 0 else (x - width, y - 10, x, y + 3)
        yield Place(x, y, "start" if side > 0 else "end", 0, y, box)


def _along(at: Point, width: float, slope: float, away: float) -> Place:
    """Along a line that falls by so much from left to right."""
    angle = math.atan(slope)
    half, rise = width / 2 * math.cos(angle), width / 2 * abs(math.sin(angle))
    box = (at.x - half, at.y + away - 10 - rise * 0.8, at.x + half, at.y + away + 3 + rise * 0.8)
    return Place(at.x, at.y + away, "middle", math.degrees(angle), at.y, box)
