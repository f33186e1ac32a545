"""Events of a run as a space-time diagram: who sent what to whom, who crashed, which lines were cut, what clients were told.

Law: knows an event by its form alone, and nothing of who made it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from scrutator.checker.report.spacetime.diagram import Arrow, Diagram, Down, Lane, Mark, Row

_WORDS = {"crash": "crashes", "restart": "is back", "give up": "gives up"}


class Event(Protocol):
    """Something that happened to an actor.

    ``kind`` is send, receive, crash, restart, cut, mend, call, return, give up or note; ``text`` says it in words;
    ``peer`` is the other end of a message or line, ``letter`` the number that a message's sending and receiving share.
    """

    @property
    def at_us(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def actor(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def peer(self) -> str | None: ...
    @property
    def letter(self) -> int | None: ...


def diagram_of_events(events: Sequence[Event], *, lanes: Sequence[str] = (), ending: str = "") -> Diagram:
    """The diagram of what happened, in order; ``lanes`` says who comes first, from left to right."""
    named = [*lanes, *sorted({e.actor for e in events} - set(lanes))]
    place = {name: k for k, name in enumerate(named)}
    sent: dict[int, int] = {}
    received = {e.letter for e in events if e.kind == "receive"}
    rows: list[Row] = []
    marks: list[Mark] = []
    arrows: list[Arrow] = []
    begun: dict[str, float] = {}
    downs: list[Down] = []
    for row, event in enumerate(events):
        lane, at = place[event.actor], row + 0.5
        text = ""
        match event.kind:
            case "send":
                assert event.letter is not None
                sent[event.letter] = row
                if event.letter not in received and event.peer in place:
                    arrows.append(_lost(lane, place[event.peer], at, event.text))
            case "receive":
                if event.letter in sent and event.peer in place:
                    arrows.append(Arrow(place[event.peer], sent[event.letter] + 0.5, lane, at, event.text, "message", "head"))
            case "crash" | "restart":
                marks.append(Mark(lane, at, "fault", _WORDS[event.kind]))
                text = f"{event.actor} {_WORDS[event.kind]}"
                if event.kind == "crash":
                    begun[event.actor] = at
                elif event.actor in begun:
                    downs.append(Down(lane, begun.pop(event.actor), at))
            case "cut" | "mend":
                marks.append(Mark(lane, at, "fault"))
                text = f"the line between {event.actor} and {event.peer} is {'cut' if event.kind == 'cut' else 'mended'}"
            case "call" | "return" | "give up":
                marks.append(Mark(lane, at, "call" if event.kind == "call" else "return"))
                text = _operation(event)
            case _:
                marks.append(Mark(lane, at, "act", event.text))
        rows.append(Row(text, None, event.kind in ("crash", "restart", "cut", "mend")))
    downs += [Down(place[name], at, float(len(rows))) for name, at in begun.items()]
    if rows and ending:
        rows[-1] = Row(rows[-1].text, None, rows[-1].fault, fatal=True)
    return Diagram(tuple(Lane(name) for name in named), tuple(rows), marks, arrows, downs, ending=ending, dense=True)


def _operation(event: Event) -> str:
    if event.kind == "return":
        return f"{event.actor} is answered: {event.text}"
    return f"{event.actor} {'calls' if event.kind == 'call' else _WORDS[event.kind]}: {event.text}"


def _lost(source: int, target: int, at: float, text: str) -> Arrow:
    return Arrow(source, at, target, at + 0.9, f"{text} (lost)", "lost", "tail")
