"""Diagrams of runs: messages, losses, crashes, and hostile names."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree import ElementTree

from scrutator.checker.report.spacetime import diagram_of_events, inline, standalone


@dataclass(frozen=True)
class Happened:
    at_us: int
    kind: str
    actor: str
    text: str = ""
    what: object = ()
    peer: str | None = None
    letter: int | None = None


STORY = [
    Happened(0, "call", "b1", "buy b1"),
    Happened(1, "send", "b1", "buy", peer="n1", letter=1),
    Happened(2, "send", "b1", "buy", peer="n2", letter=2),
    Happened(3, "crash", "n2"),
    Happened(4, "receive", "n1", "buy", peer="b1", letter=1),
    Happened(5, "restart", "n2"),
    Happened(6, "return", "b1", "buy b1 b1", ("buy", "b1", "b1")),
]


def test_messages_arrive_or_are_lost() -> None:
    diagram = diagram_of_events(STORY, ending="Sold.")
    assert [lane.name for lane in diagram.lanes] == ["b1", "n1", "n2"]
    assert [(a.kind, a.source, a.target, a.text, a.sent) for a in diagram.arrows] == [("lost", 0, 2, "buy (lost)", 2.5), ("message", 0, 1, "buy", 1.5)]
    assert [(d.lane, d.begin, d.end) for d in diagram.downs] == [(2, 3.5, 5.5)]
    assert diagram.rows[-1].text == "b1 is answered: buy b1 gives b1" and diagram.rows[-1].fatal


def test_what_arrives_later_is_not_lost() -> None:
    diagram = diagram_of_events(STORY, ending="And so on.", shown=3)
    assert [a.text for a in diagram.arrows] == ["buy (lost)"] and not any(row.fatal for row in diagram.rows)


def test_texts_are_no_markup() -> None:
    evil = "</svg><script>alert(1)</script>\x1b[31m\ud800"
    diagram = diagram_of_events([Happened(0, "note", evil, evil)], ending=evil)
    for text in (standalone(diagram, evil), inline(diagram, evil)):
        assert "<script" not in text and "\x1b" not in text
        text.encode()
    ElementTree.fromstring(standalone(diagram, evil))
