"""Semi-synchronous replication, with one mistake each: what breaks which property."""

from __future__ import annotations

from scrutator.model.ladder.semi_synchronous.model import SPEC, State, enough


@SPEC.mutant(replaces=enough, breaks="no_phone_sold_twice", bounds={"failures": 1}, source="asynchronous replication")
def master_suffices(s: State) -> bool:
    """The master does not wait for a replica."""
    return s.sold_to[s.master] == s.order
