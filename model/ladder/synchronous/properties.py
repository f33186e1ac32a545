"""Synchronous replication: what should hold, and what should be possible."""

from __future__ import annotations

from scrutator.model.ladder.synchronous.model import SITE, SPEC, State, hears, is_master


def is_open(s: State, i: int) -> bool:
    """Site i has a master that can answer buyers."""
    return s.up[i] and is_master(s, i) and (s.alone[i] or all(hears(s, i, j) for j in SITE))


@SPEC.invariant
def no_phone_sold_twice(s: State) -> bool:
    """At most one buyer was told that the phone is theirs."""
    return len(s.told_yours) <= 1


@SPEC.invariant
def acknowledged_sale_never_lost(s: State) -> bool:
    """A master that can answer buyers knows of every sale that a buyer was told of."""
    return all(not is_open(s, i) or s.sold_to[i] == b for i in SITE for b in s.told_yours)


@SPEC.always_possible
def shop_is_open(s: State) -> bool:
    """Whatever happened, there can be a master again that answers buyers."""
    return any(is_open(s, i) for i in SITE)


@SPEC.reachable
def sold(s: State) -> bool:
    """The phone can be sold, and both machines know it."""
    return len(s.told_yours) > 0 and all(s.sold_to[i] is not None for i in SITE)


@SPEC.reachable
def sold_alone(s: State) -> bool:
    """The phone can be sold by the one machine that is left."""
    return len(s.told_yours) > 0 and any(s.alone[i] for i in SITE)
