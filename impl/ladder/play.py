"""Play a design: one seed, or one tape, is one run.

The law: the same design, variant and tape give the same events.  First things may fail; then all heals, and each
client that is left asks once more.
"""

from __future__ import annotations

from collections.abc import Sequence

from scrutator.impl.ladder.client import Client
from scrutator.impl.ladder.design import Design, Run
from scrutator.impl.ladder.faults import draw, heal
from scrutator.impl.ladder.stage import Stage
from scrutator.impl.ladder.variant import Variant
from scrutator.impl.sim.tape import Tape
from scrutator.impl.sim.world import MILLISECOND

FAILING_US = 2_500 * MILLISECOND
SETTLING_US = 300 * MILLISECOND
LOOK_US = 20 * MILLISECOND


def play(design: Design, variant: Variant, seed: int | None = None, *, tape: Sequence[int] = (), until_us: int | None = None) -> Run:
    """One run, from a seed or from a tape; it may end at a time at which things still fail."""
    stage = Stage(variant, Tape(seed, recorded=tape))
    design.cast(stage)
    faults = design.faults(variant)
    draw(stage, faults)
    for actor in stage.actors.values():
        actor.begin()
    asked: dict[str, bool] = {}
    if until_us is not None and until_us <= FAILING_US:
        stage.world.run(until_us)
    else:
        stage.world.run(FAILING_US)
        heal(stage, faults)
        stage.world.run(FAILING_US + SETTLING_US)
        asked = _ask_last(stage)
    drawn = stage.tape
    return Run(
        variant, design.object_name, tuple(drawn.choices), tuple(drawn.sizes), tuple(stage.operations), tuple(stage.events), asked
    )


def _ask_last(stage: Stage) -> dict[str, bool]:
    """Each client asks once more, one after the other; and again, if none was answered."""
    clients = [actor for actor in stage.actors.values() if isinstance(actor, Client) and actor.up]
    for client in clients:
        client.retire()
    answered: dict[str, bool] = {}
    for _ in range(2):
        for client in clients:
            client.call(client.last_wish())
            while not client.is_idle:
                stage.world.run(stage.world.now + LOOK_US)
            answered[client.name] = stage.last_operation_of(client.name).returned_us is not None
        if any(answered.values()):
            break
    return answered
