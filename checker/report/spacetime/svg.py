"""A space-time diagram as SVG: for a page of ours, or a file of its own beside a text.

Law: every text is escaped, there is no script, and nothing is said by colour alone: a fault has a cross, what is down is
dashed, a quorum's arrows are dotted.  Colours are those of Okabe and Ito (2008), in light and dark.
"""

from __future__ import annotations

import html
import math

from scrutator.checker.report.clean import clean
from scrutator.checker.report.spacetime.diagram import Arrow, Bar, Diagram, Lane, Mark
from scrutator.checker.report.spacetime.labels import SMALL, Box, Point, label_places, overlap

_LETTER = 6.9  # pixels of a letter of a sentence, on the average and rather more
_LEFT, _TOP, _GAP, _TEXT, _TEXT_DENSE = 36.0, 58.0, 26.0, 330.0, 250.0
_LANES_WIDE = 720.0
_LINE, _ROW_MIN, _DENSE_MIN = 16.0, 62.0, 25.0
_NAME_MAX = 40

STYLE = """
.spacetime { --paper: #ffffff; --ink: #1b2530; --faint: #5b6977; --line: #c3ccd5; --accent: #0072b2; --fault: #c04f00;
  --quorum: #8d5a86; --fatal: #fde8dc; --band: #f4eef6; color-scheme: light dark; background: var(--paper);
  font: 12.5px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
@media (prefers-color-scheme: dark) {
  .spacetime { --paper: #12181f; --ink: #e8edf2; --faint: #9aa8b5; --line: #435160; --accent: #56b4e9; --fault: #ff9147;
    --quorum: #dd8dbb; --fatal: #43261a; --band: #2b2133; }
}
@media print {
  .spacetime { --paper: #ffffff; --ink: #000000; --faint: #333333; --line: #999999; --accent: #00517f; --fault: #a04000;
    --quorum: #6d3a66; --fatal: #fde8dc; --band: #f4eef6; }
}
.spacetime text { fill: var(--ink); }
.spacetime .paper { fill: var(--paper); }
.spacetime .name { font-weight: bold; font-size: 14px; text-anchor: middle; }
.spacetime .kind, .spacetime .foot { fill: var(--faint); font-size: 11.5px; text-anchor: middle; }
.spacetime .number { fill: var(--faint); text-anchor: end; }
.spacetime .life { stroke: var(--line); stroke-width: 2; }
.spacetime .down { stroke: var(--paper); stroke-width: 4; }
.spacetime .dead { stroke: var(--fault); stroke-width: 2; stroke-dasharray: 2 6; }
.spacetime .message { stroke: var(--accent); stroke-width: 1.8; fill: none; }
.spacetime .quorum { stroke: var(--quorum); stroke-width: 1.6; stroke-dasharray: 2 4; fill: none; }
.spacetime .lost { stroke: var(--fault); stroke-width: 1.6; stroke-dasharray: 7 4; fill: none; }
.spacetime .tip { fill: var(--accent); stroke: none; }
.spacetime .tip.quorum { fill: var(--quorum); }
.spacetime .tip.lost { fill: var(--fault); }
.spacetime .label { font-size: 11.5px; paint-order: stroke; stroke: var(--paper); stroke-width: 4px; stroke-linejoin: round; }
.spacetime .at-fatal { stroke: var(--fatal); }
.spacetime .act { fill: var(--accent); }
.spacetime .call { fill: var(--paper); stroke: var(--accent); stroke-width: 2; }
.spacetime .cross { stroke: var(--fault); stroke-width: 2.6; fill: none; }
.spacetime .is-fault { fill: var(--fault); }
.spacetime .fatal { fill: var(--fatal); }
.spacetime .band { fill: var(--band); }
.spacetime .bar { stroke: var(--quorum); stroke-width: 2.4; }
.spacetime .member { fill: var(--quorum); }
.spacetime .ending { fill: var(--fault); font-weight: bold; }
"""


def standalone(diagram: Diagram, title: str) -> str:
    """The diagram as the text of an SVG file, with its looks inside."""
    return _Drawing(diagram, title, f"<style>{STYLE}</style>").text() + "\n"


def inline(diagram: Diagram, title: str) -> str:
    """The diagram as an element of a page that has `STYLE` in its style sheet."""
    return _Drawing(diagram, title, "").text()


def _escaped(text: str) -> str:
    return html.escape(clean(text))


def _wrapped(text: str, letters: int) -> list[str]:
    """Lines of at most so many letters, unless a word has more."""
    lines = [""]
    for word in clean(text).split(" "):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > letters:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return [line for line in lines if line]


class _Drawing:
    """Pixels for a diagram."""

    def __init__(self, diagram: Diagram, title: str, style: str) -> None:
        self.d, self.title, self.style = diagram, title, style
        widest = max((len(a.text) for a in diagram.arrows), default=0) * SMALL
        foots = max((len(line) for lane in diagram.lanes for line in lane.foot), default=0) * SMALL + 14
        self.pitch = min(max(118.0, widest + 50), 190.0, max(100.0, _LANES_WIDE / max(len(diagram.lanes), 1)))
        self.pitch = max(self.pitch, min(foots, 170.0))
        self.says = _TEXT_DENSE if diagram.dense else _TEXT
        self.right = _LEFT + self.pitch * len(diagram.lanes)
        self.texts = [_wrapped(row.text, int(self.says / _LETTER)) for row in diagram.rows]
        least = _DENSE_MIN if diagram.dense else _ROW_MIN
        self.tops = [_TOP]
        for lines in self.texts:
            self.tops.append(self.tops[-1] + max(least, len(lines) * _LINE + 14))
        self.bottom = self.tops[-1]
        self.feet = max((len(lane.foot) for lane in diagram.lanes), default=0)
        self.ending = _wrapped(diagram.ending, int((self.right + self.says - _LEFT) / 6.8))
        self.height = self.bottom + 14 + self.feet * 15 + len(self.ending) * 18 + 12
        self.width = self.right + _GAP + self.says
        self.parts: list[str] = []
        self.taken: list[Box] = []  # where texts are

    def x(self, lane: int) -> float:
        return _LEFT + self.pitch * (lane + 0.5)

    def y(self, at: float) -> float:
        row = min(int(at), len(self.d.rows) - 1) if self.d.rows else 0
        if not self.d.rows:
            return self.bottom
        return self.tops[row] + (at - row) * (self.tops[row + 1] - self.tops[row])

    def text(self) -> str:
        for draw in (self._fatal, self._bands, self._lanes, self._downs, self._bars, self._arrows, self._marks, self._labels, self._rows, self._foot):
            draw()
        label = _escaped(self.title)
        return (
            f'<svg class="spacetime" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width:.0f} {self.height:.0f}" '
            f'width="{self.width:.0f}" height="{self.height:.0f}" role="img" aria-label="{label}">{self.style}<title>{label}</title>'
            f'<rect class="paper" width="{self.width:.0f}" height="{self.height:.0f}"/>' + "".join(self.parts) + "</svg>"
        )

    def put(self, text: str, x: float, y: float, kind: str, more: str = "") -> None:
        self.parts.append(f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}"{more}>{_escaped(text)}</text>')

    def line(self, begin: Point, end: Point, kind: str) -> None:
        self.parts.append(f'<line class="{kind}" x1="{begin.x:.1f}" y1="{begin.y:.1f}" x2="{end.x:.1f}" y2="{end.y:.1f}"/>')

    # --- what lies behind -------------------------------------------------------------------

    def _fatal(self) -> None:
        rows = [k for k, row in enumerate(self.d.rows) if row.fatal]
        if rows:
            top, bottom = self.tops[rows[0]], self.tops[rows[-1] + 1]
            self.parts.append(f'<rect class="fatal" x="6" y="{top:.1f}" width="{self.width - 12:.1f}" height="{bottom - top:.1f}" rx="8"/>')

    def _bands(self) -> None:
        for band in self.d.bands:
            top, bottom = self.y(band.begin), self.y(band.end)
            self.parts.append(f'<rect class="band" x="{_LEFT:.1f}" y="{top:.1f}" width="{self.right - _LEFT:.1f}" height="{bottom - top:.1f}"/>')
            self.line(Point(_LEFT, top), Point(self.right, top), "lost")
            self.put(band.text, _LEFT + 6, top - 5, "label is-fault")
            if band.end < len(self.d.rows):
                self.line(Point(_LEFT, bottom), Point(self.right, bottom), "lost")

    def _lanes(self) -> None:
        for k, lane in enumerate(self.d.lanes):
            self._head(k, lane)
            self.line(Point(self.x(k), _TOP - 6), Point(self.x(k), self.bottom + 4), "life")

    def _head(self, k: int, lane: Lane) -> None:
        self.put(lane.name[:_NAME_MAX], self.x(k), 24, "name")
        if lane.kind:
            self.put(lane.kind[:_NAME_MAX], self.x(k), 40, "kind")

    def _downs(self) -> None:
        for down in self.d.downs:
            begin, end = Point(self.x(down.lane), self.y(down.begin)), Point(self.x(down.lane), self.y(down.end) + (4 if down.end >= len(self.d.rows) else 0))
            self.line(begin, end, "down")
            self.line(begin, end, "dead")

    def _bars(self) -> None:
        for bar in self.d.bars:
            self._bar(bar)

    def _bar(self, bar: Bar) -> None:
        if not bar.lanes:
            return
        y = self.y(bar.at)
        self.line(Point(self.x(min(bar.lanes)), y), Point(self.x(max(bar.lanes)), y), "bar")
        for lane in bar.lanes:
            self.parts.append(f'<circle class="member" cx="{self.x(lane):.1f}" cy="{y:.1f}" r="7"/>')

    # --- what happens -----------------------------------------------------------------------

    def _arrows(self) -> None:
        for arrow in self.d.arrows:
            self._arrow(*self._ends(arrow), arrow.kind)

    def _ends(self, arrow: Arrow) -> tuple[Point, Point]:
        return Point(self.x(arrow.source), self.y(arrow.sent)), Point(self.x(arrow.target), self.y(arrow.received))

    def _labels(self) -> None:
        """Above all lines, and out of each other's way."""
        for arrow in self.d.arrows:
            if arrow.text:
                self._label(arrow, *self._ends(arrow))

    def _arrow(self, begin: Point, end: Point, kind: str) -> None:
        bend = self._bend(begin, end)
        ux, uy = end.x - bend.x, end.y - bend.y
        length = math.hypot(ux, uy) or 1.0
        ux, uy = ux / length, uy / length
        tip = Point(end.x - 5 * ux, end.y - 5 * uy)  # before the lane's mark
        back = Point(tip.x - 9 * ux, tip.y - 9 * uy)
        self.parts.append(f'<path class="{kind}" d="M{begin.x:.1f} {begin.y:.1f}Q{bend.x:.1f} {bend.y:.1f} {back.x:.1f} {back.y:.1f}"/>')
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in ((tip.x, tip.y), (back.x - 4.5 * uy, back.y + 4.5 * ux), (back.x + 4.5 * uy, back.y - 4.5 * ux)))
        self.parts.append(f'<polygon class="tip {kind}" points="{points}"/>')

    def _bend(self, begin: Point, end: Point) -> Point:
        """The middle of an arrow; out of the way of marks that it would hide."""
        low, high = sorted((begin.x, end.x))
        hidden = False
        for x, y in ((self.x(m.lane), self.y(m.at)) for m in self.d.marks):
            if low + 1 < x < high - 1:
                hidden |= abs(begin.y + (end.y - begin.y) * (x - begin.x) / (end.x - begin.x) - y) < 9
        return Point((begin.x + end.x) / 2, (begin.y + end.y) / 2 + (44 if hidden else 0))

    def _label(self, arrow: Arrow, begin: Point, end: Point) -> None:
        kind = "label at-fatal" if self._is_fatal(arrow.received if arrow.end != "tail" else arrow.sent) else "label"
        places = list(label_places(arrow, begin, end))
        label = min(places, key=lambda place: (round(sum(overlap(place.box, taken) for taken in self.taken)), places.index(place)))
        self.taken.append(label.box)
        turn = f' transform="rotate({label.angle:.1f} {label.x:.1f} {label.pivot:.1f})"' if label.angle else ""
        self.put(arrow.text, label.x, label.y, kind, f' text-anchor="{label.anchor}"{turn}')

    def _is_fatal(self, at: float) -> bool:
        row = min(int(at), len(self.d.rows) - 1)
        return self.d.rows[row].fatal

    def _marks(self) -> None:
        for mark in self.d.marks:
            self._mark(mark)

    def _mark(self, mark: Mark) -> None:
        x, y = self.x(mark.lane), self.y(mark.at)
        if mark.how == "fault":
            self.parts.append(f'<path class="cross" d="M{x - 6:.1f} {y - 6:.1f}l12 12m0 -12l-12 12"/>')
        else:
            self.parts.append(f'<circle class="{"call" if mark.how == "call" else "act"}" cx="{x:.1f}" cy="{y:.1f}" r="4.5"/>')
        if not mark.text:
            return
        kind = " ".join(["label", *(["is-fault"] if mark.how == "fault" else []), *(["at-fatal"] if self._is_fatal(mark.at) else [])])
        left = self._goes_left(mark)
        rises, falls = self._beside(mark, left)
        low = y + (14 if rises and not falls else -7 if falls and not rises else 4)
        width = len(mark.text) * SMALL
        self.taken.append((x - 11 - width, low - 10, x - 11, low + 3) if left else (x + 11, low - 10, x + 11 + width, low + 3))
        if left:
            self.put(mark.text, x - 11, low, kind, ' text-anchor="end"')
        else:
            self.put(mark.text, x + 11, low, kind)

    def _beside(self, mark: Mark, left: bool) -> tuple[int, int]:
        """How many arrows come to a mark from one side, and how many leave it there."""
        come = [a.source for a in self.d.arrows if (a.target, a.received) == (mark.lane, mark.at)]
        leave = [a.target for a in self.d.arrows if (a.source, a.sent) == (mark.lane, mark.at)]
        return tuple(sum(lane != mark.lane and (lane < mark.lane) is left for lane in ends) for ends in (come, leave))  # type: ignore[return-value]

    def _goes_left(self, mark: Mark) -> bool:
        """Whether a mark's text stands to the left: where fewer arrows are, and where it fits."""
        width = len(mark.text) * SMALL + 14
        if width > self.right - self.x(mark.lane):
            return True
        return sum(self._beside(mark, False)) > sum(self._beside(mark, True)) and width < self.x(mark.lane) - _LEFT + 8

    # --- what is said of it -----------------------------------------------------------------

    def _rows(self) -> None:
        for k, (row, lines) in enumerate(zip(self.d.rows, self.texts, strict=True)):
            middle = (self.tops[k] + self.tops[k + 1]) / 2
            if row.number is not None:
                self.put(f"{row.number}", _LEFT - 10, middle + 4, "number")
            for j, line in enumerate(lines):
                kind = "says is-fault" if row.fault else "says"
                self.put(line, self.right + _GAP, middle + 4 + (j - (len(lines) - 1) / 2) * _LINE, kind)

    def _foot(self) -> None:
        for k, lane in enumerate(self.d.lanes):
            for j, line in enumerate(lane.foot):
                self.put(line, self.x(k), self.bottom + 20 + 15 * j, "foot")
        for j, line in enumerate(self.ending):
            self.put(line, _LEFT - 20, self.bottom + 14 + self.feet * 15 + 18 * (j + 1), "ending")
