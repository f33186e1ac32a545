"""What a space-time diagram is made of.

Law: places are lanes and times, never pixels.  A time is a row and the part of it that is over: 2.5 is the middle of
the third row.  Texts are plain, and any text may stand in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

How = Literal["act", "fault", "call", "return"]
Kind = Literal["message", "quorum", "lost"]


@dataclass(frozen=True, slots=True)
class Lane:
    """Somebody who takes part; ``kind`` is what they are, in a word."""

    name: str
    kind: str = ""
    foot: tuple[str, ...] = ()  # what they know in the end


@dataclass(frozen=True, slots=True)
class Row:
    """A step: what happens, as a sentence; ``number`` if steps are counted."""

    text: str = ""
    number: int | None = None
    fault: bool = False
    fatal: bool = False  # where the property breaks


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happens in one place."""

    lane: int
    at: float
    how: How = "act"
    text: str = ""


@dataclass(frozen=True, slots=True)
class Arrow:
    """Something that one lane hears from another.  The text stands near its ``end``."""

    source: int
    sent: float
    target: int
    received: float
    text: str = ""
    kind: Kind = "message"
    end: Literal["middle", "below", "head", "tail"] = "middle"


@dataclass(frozen=True, slots=True)
class Down:
    """A lane that is down from one time to another."""

    lane: int
    begin: float
    end: float


@dataclass(frozen=True, slots=True)
class Band:
    """A condition of the whole world, such as a line that is cut, and for how long."""

    begin: float
    end: float
    text: str


@dataclass(frozen=True, slots=True)
class Bar:
    """Lanes that count together at one time: a quorum."""

    at: float
    lanes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Diagram:
    """A whole run; ``ending`` says in a sentence what it comes to.  ``dense`` rows are events, of which there are many."""

    lanes: tuple[Lane, ...]
    rows: tuple[Row, ...]
    marks: Sequence[Mark] = ()
    arrows: Sequence[Arrow] = ()
    downs: Sequence[Down] = ()
    bands: Sequence[Band] = ()
    bars: Sequence[Bar] = ()
    ending: str = ""
    dense: bool = field(default=False)
