"""Basic Paxos, with one mistake each: what breaks which property."""

from __future__ import annotations

from scrutator.model.ladder.basic_paxos.model import (
    NUMBERS,
    Promise,
    State,
    have_promised,
    may_accept,
    may_propose,
)
from scrutator.model.ladder.basic_paxos.properties import SPEC
from scrutator.model.language import Mutant


@SPEC.mutant(replaces=may_propose, breaks="agreement", bounds={"numbers": 1}, source="a proposer that reads promises as permission only")
def keeps_own_value(s: State, n: int, b: int) -> bool:
    """The proposer proposes its own buyer, whatever the promises tell of."""
    return have_promised(s, n, NUMBERS + 1)


@SPEC.mutant(replaces=may_propose, breaks="agreement", bounds={"numbers": 2}, source="a proposer that takes the first answer's value")
def takes_any_accepted(s: State, n: int, b: int) -> bool:
    """The proposer takes over any buyer that a promise tells of, not the latest."""
    told = any(m.number == n and m.accepted is not None and m.accepted.buyer == b for m in s.net.of(Promise))
    return have_promised(s, n, 0) or (told and have_promised(s, n, NUMBERS + 1))


@SPEC.mutant(replaces=may_accept, breaks="agreement", bounds={"numbers": 1}, source="an acceptor that remembers what it accepted and not what it promised")
def no_promise(s: State, a: int, n: int) -> bool:
    """The promise binds the acceptor to nothing."""
    return s.accepted[a] is None or n > s.accepted[a].number


SPEC.add_mutant(
    Mutant(
        "quorums_miss", "Two acceptors promise and one decides: they need not meet.",
        breaks="agreement", source="flexible quorums that were not checked before use", bounds={"numbers": 1, "phase1": "2", "phase2": "1"},
    )
)  # fmt: skip
