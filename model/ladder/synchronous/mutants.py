"""Synchronous replication, with one mistake each: what breaks which property."""

from __future__ import annotations

from scrutator.model.ladder.synchronous.model import State, is_chosen, is_safe
from scrutator.model.ladder.synchronous.properties import SPEC


@SPEC.mutant(replaces=is_safe, breaks="acknowledged_sale_never_lost", bounds={"operators": 2, "cuts": False}, source="asynchronous replication")
def answers_too_soon(s: State, i: int, b: int) -> bool:
    """The master answers before the replica has the sale."""
    return True


@SPEC.mutant(replaces=is_chosen, breaks="no_phone_sold_twice", bounds={"operators": 0, "arbiter": True}, source="an arbiter that does not write down whom it chose")
def arbiter_forgets(s: State, i: int) -> bool:
    """The arbiter lets everybody go on alone who asks."""
    return True
