"""Semi-synchronous replication, as it runs: who is on the stage, what fails, and what a run shows."""

from __future__ import annotations

from scrutator.impl.ladder.design import Design, Judged
from scrutator.impl.ladder.failover import Customer
from scrutator.impl.ladder.faults import Faults
from scrutator.impl.ladder.semi_synchronous.nodes import MACHINES, Machine
from scrutator.impl.ladder.semi_synchronous.operator import Supervisor
from scrutator.impl.ladder.shop import add_buyers, shop_is_open
from scrutator.impl.ladder.stage import Stage
from scrutator.impl.ladder.variant import Variant


def cast(stage: Stage) -> None:
    Supervisor(stage, "operator")
    for name in MACHINES:
        Machine(stage, name)
    add_buyers(stage, MACHINES, Customer)


def faults(variant: Variant) -> Faults:
    return Faults(crashes=variant.number("failures"), nodes=MACHINES, aim="is master", repairs=variant.flag("repairs"))


DESIGN = Design("semi_synchronous", cast, faults, {"no_phone_sold_twice": Judged.LINEARIZABLE, "shop_is_open": shop_is_open})
