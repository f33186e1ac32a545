"""One machine, as it runs: who is on the stage, what fails, and what a run shows."""

from __future__ import annotations

from scrutator.impl.ladder.design import Design, Judged, Run
from scrutator.impl.ladder.faults import Faults
from scrutator.impl.ladder.one_machine.nodes import MACHINE, Customer, Machine
from scrutator.impl.ladder.shop import add_buyers, shop_is_open
from scrutator.impl.ladder.stage import Stage
from scrutator.impl.ladder.variant import Variant


def cast(stage: Stage) -> None:
    Machine(stage, MACHINE)
    add_buyers(stage, (MACHINE,), Customer)


def faults(variant: Variant) -> Faults:
    return Faults(variant.number("failures"), (MACHINE,), repairs=variant.flag("repairs"))


def replay_is_short(run: Run) -> bool:
    """No start replays more than the entries between two snapshots."""
    return all(isinstance(count, int) and count <= run.variant.number("interval") for _, (count,) in run.notes("replayed"))


DESIGN = Design(
    "one_machine", cast, faults,
    {
        "no_phone_sold_twice": Judged.LINEARIZABLE, "same_as_before_the_crash": Judged.LINEARIZABLE,
        "replay_is_short": replay_is_short, "shop_is_open": shop_is_open,
    },
)  # fmt: skip
