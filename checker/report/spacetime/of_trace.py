"""A model's trace as a space-time diagram, by one rule for all models.

- A message that a step takes as parameter is an arrow from whoever sent it to whoever acts.
- A quorum that a step finds is an arrow from each of its nodes, unless one led there already.
- Else a step in which several take part is an exchange: whoever's variables change has heard from the others, and
  whoever is entered into a record of the model has been told so.
- Variables of nobody's are those of whoever is in charge, if a variable says who that is, or of a lane of their own.

Law: nothing here knows a model by its name.
"""

from __future__ import annotations

from collections.abc import Sequence

from scrutator.checker.explore.result import Trace
from scrutator.checker.report.spacetime.diagram import Arrow, Band, Bar, Diagram, Down, Lane, Mark, Row
from scrutator.checker.report.spacetime.steps import Did, Kind, Message, Quorum, Reader, Who, words
from scrutator.model.language.spec import Model

LANES_MAX = 12


def diagram_of_trace(model: Model, trace: Trace, *, property_name: str = "", ending: str = "") -> Diagram:
    """The diagram of a trace of this model.

    Args:
        model: The model that the trace is of, with its bounds.
        trace: A counterexample or a witness.
        property_name: The property at whose end it stands: what that finds to be quorums is shown.
        ending: What the trace comes to, as a sentence.
    """
    reader = Reader(model, trace)
    return _Drawing(reader, property_name).diagram(ending)


class _Drawing:
    def __init__(self, reader: Reader, property_name: str) -> None:
        self.reader = reader
        self.steps = reader.steps()
        self.last = reader.quorums_of(property_name)
        self.lanes = self._lanes()
        self.names = {self._name(who): lane for who, lane in self.lanes.items()}
        self.rest = len(self.lanes) if self._needs_rest() else None  # the lane of what has no name
        self.marks: list[Mark] = []
        self.arrows: list[Arrow] = []
        self.active: dict[int, float] = {}  # when a lane last did something
        self.sent: list[tuple[Message, int | None, float]] = []

    # --- who takes part ---------------------------------------------------------------------

    def _lanes(self) -> dict[Who, int]:
        """Those who only ask and are told to the left, those who have a state of their own to the right."""
        kinds, reader = self.reader.kinds, self.reader
        used = {w for d in self.steps for w in (*d.who, *d.touched, *d.named, *(w for w, _ in d.told), *d.fell)}
        deciding = {name for quorums in (*(d.decided for d in self.steps), self.last) for _, names in quorums for name in names}
        found = []
        for kind in kinds:
            everybody = [(kind, v) for v in range(kind[1], kind[2] + 1)]
            all_of_them = kind[0] and kind in reader.with_state and len(everybody) <= LANES_MAX
            found.append([w for w in everybody if all_of_them or w in used or (kind[0] and self._name(w) in deciding)])
        acting = {d.who[0][0] for d in self.steps if d.who}
        shown = [who for group in reversed(found) for who in group if self._takes_part(who[0], acting)]
        return {who: k for k, who in enumerate(shown)}

    def _takes_part(self, kind: Kind, acting: set[Kind]) -> bool:
        """Numbers only take part if they act: else they are plain numbers."""
        return bool(kind[0]) or kind in acting

    def _name(self, who: Who) -> str:
        for action in self.reader.model.actions:
            for parameter, domain in action.parameters:
                if hasattr(domain, "show") and _kind(domain) == who[0]:
                    return str(domain.show(who[1])) if who[0][0] else f"{parameter} = {who[1]}"
        return f"{who[0][0]} {who[1] + 1}"

    def _needs_rest(self) -> bool:
        """Whether something that is no fault happens to nobody with a name."""
        return any(not d.step.fault and self._actor(d) is None for d in self.steps) or not any(k in self.reader.with_state for k, _ in self.lanes)

    def _actor(self, did: Did) -> int | None:
        """The lane of whoever acts: the first parameter, else whose variables change, else who is told."""
        for who in (*did.who, *did.touched, *(w for w, _ in did.told), *did.named):
            if who in self.lanes:
                return self.lanes[who]
        return None

    # --- drawing ----------------------------------------------------------------------------

    def diagram(self, ending: str) -> Diagram:
        for message in self.reader.initial_messages():
            self.sent.append((message, self._sender(message), 0.0))
        for row, did in enumerate(self.steps):
            self._draw(row, did)
        rows = [Row(d.sentence, k + 1, d.step.fault, fatal=k + 1 == len(self.steps)) for k, d in enumerate(self.steps)]
        bars = []
        for name, nodes in (q for q in self.last if self._is_at_end(q)):
            bars.append(Bar(len(rows) + 0.5, tuple(self.names[n] for n in nodes if n in self.names)))
            rows.append(Row(f"{words(name)}: {', '.join(nodes)} {'are' if len(nodes) > 1 else 'is'} a quorum", fatal=True))
        end = float(len(rows))
        return Diagram(
            self._all_lanes(), tuple(rows), self.marks, self.arrows, self._downs(end), self._bands(end), bars, ending
        )

    def _is_at_end(self, quorum: Quorum) -> bool:
        return not any(quorum in did.decided for did in self.steps)

    def _all_lanes(self) -> tuple[Lane, ...]:
        lanes = [Lane(self._name(who), who[0][0], self.reader.known(who)) for who in self.lanes]
        if self.rest is not None:
            lanes.append(Lane(words(self.reader.model.name.rpartition("/")[2]), "", self.reader.known(None)))
        return tuple(lanes)

    def _sender(self, message: Message) -> int | None:
        return next((self.lanes[who] for who in message.names if who in self.lanes and who[0] in self.reader.with_state), None)

    def _draw(self, row: int, did: Did) -> None:
        actor, at = self._actor(did), row + 0.5
        keeper = self._keeper(did)
        if actor is None or (keeper is not None and (did.common or did.told) and keeper not in {self.lanes.get(w) for w in did.who}):
            actor = keeper
        if actor is None:  # a fault of the world: a band, or nothing but its sentence
            return
        drawn = len(self.arrows)
        self._hear(did, actor, at)
        self._gather(did, actor, at)
        if not did.heard and not did.sent:
            self._exchange(did, actor, row)
        named = any(arrow.text == words(did.step.action) for arrow in self.arrows[drawn:])
        there = [arrow.target for arrow in self.arrows[drawn:] if arrow.source == actor and arrow.received == at]
        where = there[0] if there else actor  # of a question and its answer, where it is answered
        self.marks.append(Mark(where, at, "fault" if did.step.fault else "act", "" if named else words(did.step.action)))
        for who in did.who:
            self.active[self.lanes.get(who, actor)] = at
        self.active[actor] = at
        for message in did.sent:
            self.sent.append((message, actor, at))

    def _keeper(self, did: Did) -> int | None:
        """The lane whose variables those of nobody's are."""
        if self.rest is not None:
            return self.rest
        return None if did.in_charge is None or did.step.fault else self.lanes.get(did.in_charge)

    def _hear(self, did: Did, actor: int, at: float) -> None:
        """The messages that it takes, from where they were last sent."""
        for message in did.heard:
            origin = next(((lane, when) for m, lane, when in reversed(self.sent) if m.value == message.value), None)
            if origin is not None and origin[0] is not None and origin[0] != actor:
                self.arrows.append(Arrow(origin[0], origin[1], actor, at, message.text, "message", "head"))

    def _gather(self, did: Did, actor: int, at: float) -> None:
        """What nodes of quorums have told: the message that names whoever acts, or what they last did."""
        for _, names in did.decided:
            for lane in (self.names[n] for n in names if n in self.names):
                if lane == actor:
                    continue
                mine = [(m, when) for m, sender, when in self.sent if sender == lane and any(self.lanes.get(w) == actor for w in m.names)]
                known = [a.sent for a in self.arrows if a.source == lane and a.target == actor]
                if mine:
                    if mine[-1][1] > 0 and mine[-1][1] not in known:  # 0: it was there from the beginning
                        self.arrows.append(Arrow(lane, mine[-1][1], actor, at, mine[-1][0].text, "message", "tail"))
                elif lane in self.active and not known:
                    self.arrows.append(Arrow(lane, self.active[lane], actor, at, "", "quorum"))

    def _exchange(self, did: Did, actor: int, row: int) -> None:
        """Who hears from whom, where there are no messages to see it from."""
        touched = {self.lanes[w] for w in did.touched if w in self.lanes}
        others = list(dict.fromkeys(self.lanes[w] for w in did.who if w in self.lanes and self.lanes[w] != actor))
        told = {self.lanes[w]: name for w, name in did.told if w in self.lanes and self.lanes[w] != actor}
        label = words(did.step.action)
        for other in others:
            ways = [(actor, other, label)] if other in touched else []
            if actor in touched or (did.common and actor == self._keeper(did)):
                ways.append((other, actor, "" if ways else label))
            if other in told and other not in touched:
                ways.append((actor, other, words(told[other]) if ways else label))
            self._ways(ways, actor, row)
        keeper = self._keeper(did)
        if not others and not told and actor in touched and keeper not in (None, actor):
            self._ways([(keeper, actor, label)], actor, row)
        for other in (lane for lane in told if lane not in others):
            self._ways([(actor, other, words(told[other]))], actor, row)

    def _ways(self, ways: Sequence[tuple[int, int, str]], actor: int, row: int) -> None:
        """One way, or there and back."""
        times = [(0.1, 0.5), (0.5, 0.9)]
        if len(ways) == 1:
            times = times[:1] if ways[0][1] == actor else times[1:]
        for (source, target, text), (sent, received) in zip(ways, times, strict=False):
            self.arrows.append(Arrow(source, row + sent, target, row + received, text, "message", "middle" if sent < 0.5 or len(ways) == 1 else "below"))

    # --- what lasts -------------------------------------------------------------------------

    def _downs(self, end: float) -> list[Down]:
        begun: dict[Who, float] = {}
        found = []
        for row, did in enumerate(self.steps):
            for who in did.fell:
                begun.setdefault(who, row + 0.5)
            for who in did.rose:
                if who in begun and who in self.lanes:
                    found.append(Down(self.lanes[who], begun.pop(who), row + 0.5))
        return found + [Down(self.lanes[who], at, end) for who, at in begun.items() if who in self.lanes]

    def _bands(self, end: float) -> list[Band]:
        """Truths of nobody's that a fault turns, as long as they last."""
        begun: dict[str, float] = {}
        found = []
        for row, did in enumerate(self.steps):
            for name in did.began if did.step.fault else ():
                begun[name] = row + 0.5
            for name in did.ended:
                if name in begun:
                    found.append(Band(begun.pop(name), row + 0.5, words(name)))
        return found + [Band(at, end, words(name)) for name, at in begun.items()]


def _kind(domain: object) -> Kind | None:
    from scrutator.checker.report.spacetime.steps import kind_of
    from scrutator.model.language.types import Type

    return kind_of(domain) if isinstance(domain, Type) else None
