"""Events of a run as a space-time diagram: who sent what to whom, who crashed, which lines were cut, what clients were told.

Law: knows an event by its form alone, and nothing of who made it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from scrutator.checker.report.spacetime.diagram import Arrow, Diagram, Down, Lane, Mark, Row

_WORDS = {"crash": "crashes", "restart": "is back", "give up": "gives up"}


class Event(Protocol):
    """Something that happened to an actor.

    ``kind`` is send, receive, crash, restart, cut, mend, call, return, give up or note; ``text`` says it in words,
    ``what`` in parts: of an operation its method, its argument and, once it returns, its result; ``peer`` is the
    other end of a message or line, ``letter`` the number that a message's sending and receiving share.
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
    def what(self) -> object: ...
    @property
    def peer(self) -> str | None: ...
    @property
    def letter(self) -> int | None: ...


def diagram_of_events(events: Sequence[Event], *, ending: str = "", shown: int | None = None) -> Diagram:
    """The diagram of what happened, in order, or of the first events ``shown``; who calls operations stands to the left."""
    drawing = _Drawing(events)
    for event in events[:shown]:
        drawing.add(event)
    return drawing.diagram(ending, is_whole=shown is None)


class _Drawing:
    """Events become rows one by one."""

    def __init__(self, events: Sequence[Event]) -> None:
        callers = {e.actor for e in events if e.kind == "call"}
        self.names = sorted({e.actor for e in events}, key=lambda name: (name not in callers, name))
        self.place = {name: k for k, name in enumerate(self.names)}
        self.received = {e.letter for e in events if e.kind == "receive"}
        self.sent: dict[int, float] = {}  # letters, and when
        self.begun: dict[str, float] = {}  # who is down, and since when
        self.rows: list[Row] = []
        self.marks: list[Mark] = []
        self.arrows: list[Arrow] = []
        self.downs: list[Down] = []

    def add(self, event: Event) -> None:
        at, text = len(self.rows) + 0.5, ""
        if event.kind in ("send", "receive"):
            self._message(event, at)
        elif event.kind in ("crash", "restart", "cut", "mend"):
            text = self._fault(event, at)
        elif event.kind in ("call", "return", "give up"):
            self.marks.append(Mark(self.place[event.actor], at, "call" if event.kind == "call" else "return"))
            text = _operation(event)
        else:
            self.marks.append(Mark(self.place[event.actor], at, "act", event.text))
        self.rows.append(Row(text, None, event.kind in ("crash", "restart", "cut", "mend")))

    def diagram(self, ending: str, *, is_whole: bool) -> Diagram:
        if self.rows and ending and is_whole:
            self.rows[-1] = replace(self.rows[-1], fatal=True)
        end = float(len(self.rows))
        downs = [*self.downs, *(Down(self.place[name], at, end) for name, at in self.begun.items())]
        return Diagram(tuple(Lane(name) for name in self.names), tuple(self.rows), self.marks, self.arrows, downs, ending=ending, dense=True)

    def _message(self, event: Event, at: float) -> None:
        if event.letter is None or event.peer not in self.place:
            return
        here, there = self.place[event.actor], self.place[event.peer]
        if event.kind == "send":
            self.sent[event.letter] = at
            if event.letter not in self.received:
                self.arrows.append(Arrow(here, at, there, at + 0.9, f"{event.text} (lost)", "lost", "tail"))
        elif event.letter in self.sent:
            self.arrows.append(Arrow(there, self.sent[event.letter], here, at, event.text, "message", "head"))

    def _fault(self, event: Event, at: float) -> str:
        """A crash, a restart, or a line that is cut or mended; and how to say it."""
        lane = self.place[event.actor]
        if event.kind in ("cut", "mend"):
            self.marks += [Mark(end, at, "fault") for end in sorted({lane, self.place.get(event.peer or "", lane)})]
            return f"the line between {event.actor} and {event.peer} is {'cut' if event.kind == 'cut' else 'mended'}"
        self.marks.append(Mark(lane, at, "fault", _WORDS[event.kind]))
        if event.kind == "crash":
            self.begun[event.actor] = at
        elif event.actor in self.begun:
            self.downs.append(Down(lane, self.begun.pop(event.actor), at))
        return f"{event.actor} {_WORDS[event.kind]}"


def _operation(event: Event) -> str:
    if event.kind == "return" and isinstance(event.what, tuple) and event.what:
        called = " ".join(str(part) for part in event.what[:-1] if part is not None)
        return f"{event.actor} is answered: {called} gives {'nothing' if event.what[-1] is None else event.what[-1]}"
    return f"{event.actor} {'calls' if event.kind == 'call' else _WORDS[event.kind]}: {event.text}"
