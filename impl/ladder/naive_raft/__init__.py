"""Naive Raft, as it runs: who is on the stage, what fails, and what a run shows."""

from __future__ import annotations

from itertools import combinations
from typing import ClassVar

from scrutator.impl.ladder.design import Design, Judged, Run
from scrutator.impl.ladder.faults import Faults
from scrutator.impl.ladder.naive_raft.nodes import Server
from scrutator.impl.ladder.shop import Visitor, add_buyers, names
from scrutator.impl.ladder.stage import Stage
from scrutator.impl.ladder.variant import Variant


class Customer(Visitor):
    attempts_max: ClassVar[int] = 20


def cast(stage: Stage) -> None:
    servers = names("s", stage.variant.number("servers"))
    for name in servers:
        Server(stage, name).servers = servers
    add_buyers(stage, servers, Customer)


def faults(variant: Variant) -> Faults:
    servers = names("s", variant.number("servers"))
    return Faults(variant.number("failures"), servers, cuts=3, lines=tuple(combinations(servers, 2)), lossy=True, late_ms=150)


# --- what a run shows -----------------------------------------------------------------------


def one_leader_a_term(run: Run) -> bool:
    """No two servers replicate in one term."""
    leaders: dict[object, str] = {}
    return all(leaders.setdefault(term, actor) == actor for actor, (term, _) in run.notes("replicates"))


def entry_taken_over(run: Run) -> bool:
    """A later leader goes on with what its votes carried."""
    return bool(run.notes("takes over"))


def nobody_elected(run: Run) -> bool:
    """All vote in term 1, each for itself."""
    return {actor for actor, (term, candidate) in run.notes("votes") if term == 1 and candidate == actor} == set(names("s", run.variant.number("servers")))


DESIGN = Design(
    "naive_raft", cast, faults,
    {
        "agreement": Judged.LINEARIZABLE, "one_leader_a_term": one_leader_a_term,
        "entry_taken_over": entry_taken_over, "nobody_elected": nobody_elected,
    },
    without={"as_proposals": "a mapping of states is nothing that runs can show"},
)  # fmt: skip
