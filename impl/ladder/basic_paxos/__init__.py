"""Basic Paxos, as it runs: who is on the stage, what fails, and what a run shows."""

from __future__ import annotations

from itertools import product

from scrutator.impl.ladder.basic_paxos.nodes import Acceptor, Proposer
from scrutator.impl.ladder.design import Design, Judged, Run
from scrutator.impl.ladder.faults import Faults
from scrutator.impl.ladder.shop import add_buyers, names, somebody_gets_the_phone
from scrutator.impl.ladder.stage import Stage
from scrutator.impl.ladder.variant import Variant


def cast(stage: Stage) -> None:
    acceptors = names("a", stage.variant.number("acceptors"))
    for name in acceptors:
        Acceptor(stage, name)
    add_buyers(stage, acceptors, Proposer)


def faults(variant: Variant) -> Faults:
    acceptors = names("a", variant.number("acceptors"))
    lines = tuple(product(names("b", variant.number("buyers")), acceptors))
    return Faults(variant.number("failures"), acceptors, cuts=3, lines=lines, clients=1, lossy=True, late_ms=150)


def all_overtaken(run: Run) -> bool:
    """So many proposals came after a promise to a later one, and nobody had accepted anything by then."""
    overtaken: set[object] = set()
    for event in run.events:
        if event.kind == "note" and isinstance(event.what, tuple):
            if event.what[0] == "accepts":
                return False
            if event.what[0] == "overtaken":
                overtaken.add(event.what[1])
            if len(overtaken) == run.variant.number("numbers"):
                return True
    return False


DESIGN = Design(
    "basic_paxos", cast, faults,
    {"agreement": Judged.LINEARIZABLE, "decision_possible": somebody_gets_the_phone, "all_overtaken": all_overtaken},
)  # fmt: skip
