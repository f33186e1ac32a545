"""Synchronous replication, as it runs: who is on the stage, what fails, and what a run shows."""

from __future__ import annotations

from scrutator.impl.ladder.design import Design, Judged
from scrutator.impl.ladder.faults import Faults
from scrutator.impl.ladder.shop import add_buyers, shop_is_open
from scrutator.impl.ladder.stage import Stage
from scrutator.impl.ladder.synchronous.nodes import ARBITER, SITES, Arbiter, Customer, Site
from scrutator.impl.ladder.variant import Variant


def cast(stage: Stage) -> None:
    for name in SITES:
        Site(stage, name)
    if stage.variant.flag("arbiter"):
        Arbiter(stage, ARBITER)
    add_buyers(stage, SITES, Customer)


def faults(variant: Variant) -> Faults:
    nodes = (*SITES, ARBITER) if variant.flag("arbiter") else SITES
    return Faults(variant.number("failures"), nodes, repairs=False, cuts=2 if variant.flag("cuts") else 0, lines=(SITES,))


DESIGN = Design(
    "synchronous", cast, faults,
    {"no_phone_sold_twice": Judged.LINEARIZABLE, "acknowledged_sale_never_lost": Judged.LINEARIZABLE, "shop_is_open": shop_is_open},
)  # fmt: skip
