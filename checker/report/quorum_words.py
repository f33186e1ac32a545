"""Sets of nodes and numbers of quorum systems, in words."""

from __future__ import annotations

import re
from collections.abc import Iterable

from scrutator.checker.report.clean import clean

NAMES_SHOWN_MAX = 16
NAME_WIDTH_MAX = 30  # beyond, as public keys are, a name is cut short


def braced(nodes: Iterable[str]) -> str:
    """A set of nodes as ``{a, b}``; a large one, and long names, cut short."""
    names = sorted(nodes, key=natural)
    more = len(names) - NAMES_SHOWN_MAX
    rest = f", ... {more:,} more" if more > 0 else ""
    return "{" + ", ".join(clean(short(name)) for name in names[:NAMES_SHOWN_MAX]) + rest + "}"


def short(name: str) -> str:
    """A name that is not too long to read; its beginning and its end tell it from others."""
    return name if len(name) <= NAME_WIDTH_MAX else f"{name[:8]}..{name[-4:]}"


def natural(name: str) -> tuple[tuple[int, str], ...]:
    """A key that sorts n2 before n10."""
    return tuple((int(digits), "") if digits else (0, text) for digits, text in re.findall(r"(\d{1,9})|(\D+|\d)", name))


def survived(resilience: int) -> str:
    """How many failures are survived, in words."""
    if resilience < 0:
        return "no quorum at all"
    return "no failure" if resilience == 0 else f"any {resilience} failure{'s' if resilience != 1 else ''}"
