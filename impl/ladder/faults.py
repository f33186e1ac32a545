"""What may go wrong while a design is played, and the draw of what does.

The law: all is drawn before anything happens, 0 draws nothing, and at a given time everything that can heal is
healed: lines are mended, messages arrive, and who may come back is back.
"""

from __future__ import annotations

from dataclasses import dataclass

from scrutator.impl.ladder.actor import Actor
from scrutator.impl.ladder.client import Client
from scrutator.impl.ladder.stage import Stage
from scrutator.impl.sim.network import Quality
from scrutator.impl.sim.world import MILLISECOND

Line = tuple[str, str]

ACTS_MAX = 8  # how often an actor has acted before it crashes
DELAY_MS = (0, 1, 2, 3, 4, 6, 8, 12)  # how much later
AWAY_MS = (40, 120, 400, 1200)  # for how long
CUT_MS = (100, 400, 1200)
LOST = (0, 0, 60, 200)  # of 1024 messages
LATE = (0, 0, 100, 300)


@dataclass(frozen=True, slots=True)
class Faults:
    """The most that may go wrong; the seed draws how much of it does.

    ``crashes`` strike actors of ``nodes``, or whoever notes ``aim`` next, such as to be master; with ``repairs`` they come back.
    Clients who crash do not.  Partitions cut some of
    ``lines``, in both directions.  With ``lossy``, messages are lost, doubled and late by up to ``late_ms``.
    """

    crashes: int = 0
    nodes: tuple[str, ...] = ()
    aim: str | None = None
    repairs: bool = True
    clients: int = 0
    cuts: int = 0
    lines: tuple[Line, ...] = ()
    lossy: bool = False
    late_ms: int = 0


def draw(stage: Stage, faults: Faults) -> None:
    """Decide what will go wrong."""
    tape = stage.tape
    for _ in range(min(tape.draw(2 * faults.crashes + 1), faults.crashes) if faults.nodes else 0):
        victim = None if faults.aim is not None and tape.draw(4) else tape.pick(faults.nodes)
        _doom(stage, victim, tape.pick(AWAY_MS) if faults.repairs else None)
    stage.aim = faults.aim
    clients = [actor.name for actor in stage.actors.values() if isinstance(actor, Client)]
    for _ in range(tape.draw(faults.clients + 1)):
        _doom(stage, tape.pick(clients), None)
    for _ in range(tape.draw(faults.cuts + 1) if faults.lines else 0):
        a, b = tape.pick(faults.lines)
        stage.world.after(tape.draw(30) * 10 * MILLISECOND, _cut, (stage, (a, b), tape.pick(CUT_MS)))
    lost, doubled = (tape.pick(LOST), tape.pick(LOST)) if faults.lossy else (0, 0)
    late = tape.pick(LATE) if faults.late_ms else 0
    stage.network.quality = Quality(lost=lost, doubled=doubled, late=late, late_ms=max(faults.late_ms, 1))


def heal(stage: Stage, faults: Faults) -> None:
    """From now on nothing fails."""
    stage.doom.clear()
    stage.aimed.clear()
    stage.network.mend_all()
    stage.network.quality = Quality()
    for actor in stage.actors.values():
        if not actor.up and faults.repairs and actor.name in faults.nodes:
            actor.restart()


def _doom(stage: Stage, name: str | None, away_ms: int | None) -> None:
    """Have an actor crash a little after it has acted so often; a second crash counts from the first one.

    Without a name, it is whoever notes next what is aimed at, and acts are counted from then.
    """
    acts, delay_ms, forgets = stage.tape.draw(ACTS_MAX), stage.tape.pick(DELAY_MS), bool(stage.tape.draw(2))

    def strike(actor: Actor) -> None:
        stage.world.after(delay_ms * MILLISECOND, crash, actor)

    def crash(actor: Actor) -> None:
        if not actor.up:
            return
        if forgets:
            stage.network.lose_sent(actor.name)
        actor.crash()
        if away_ms is not None:
            stage.world.after(away_ms * MILLISECOND, come_back, actor)

    def come_back(actor: Actor) -> None:
        if not actor.up:
            actor.restart()

    if name is None:
        stage.aimed.append((acts, strike))
        return
    dooms = stage.doom.setdefault(name, [])
    dooms.append((acts + (dooms[-1][0] if dooms else 0), strike))


def _cut(cut: tuple[Stage, Line, int]) -> None:
    stage, (a, b), ms = cut
    links = [(a, b), (b, a)]
    stage.network.cut(links)
    stage.record("cut", a, (), b)

    def mend(_: None) -> None:
        stage.network.mend(links)
        stage.record("mend", a, (), b)

    stage.world.after(ms * MILLISECOND, mend, None)
