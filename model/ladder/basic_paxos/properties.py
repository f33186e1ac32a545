"""Basic Paxos: what should hold, and what should be possible."""

from __future__ import annotations

from scrutator.model.ladder.basic_paxos.model import (
    ACCEPTOR,
    BUYER,
    NUMBER,
    NUMBERS,
    PHASE2,
    SPEC,
    Accepted,
    Propose,
    State,
)


def is_decided(s: State, b: int) -> bool:
    """A majority has accepted one proposal for buyer b."""
    return any({m.acceptor for m in s.net.of(Accepted) if m.number == n and m.buyer == b} in PHASE2 for n in NUMBER)


@SPEC.invariant
def agreement(s: State) -> bool:
    """At most one buyer is decided on: the phone is not sold twice."""
    return all(b == c or not (is_decided(s, b) and is_decided(s, c)) for b in BUYER for c in BUYER)


@SPEC.always_possible
def decision_possible(s: State) -> bool:
    """Whatever happened, some buyer is or can still be decided on."""
    return any(is_decided(s, b) for b in BUYER)


@SPEC.reachable
def decided_later(s: State) -> bool:
    """What a later proposal says can be decided."""
    return any(is_decided(s, b) for b in BUYER) and all(m.number > 0 for m in s.net.of(Accepted))


@SPEC.reachable
def all_overtaken(s: State) -> bool:
    """Every proposal but the last was made, and each was overtaken by promises of the next before anybody accepted it."""
    return all(n == NUMBERS or any(m.number == n for m in s.net.of(Propose)) for n in NUMBER) and all(
        s.promised[a] == NUMBERS and s.accepted[a] is None for a in ACCEPTOR
    )
