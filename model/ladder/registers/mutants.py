"""Replicated registers, with one mistake each: what breaks which property."""

from __future__ import annotations

from scrutator.model.ladder.registers.model import SPEC, keep_latest


@SPEC.mutant(replaces=keep_latest, breaks="finished_writes_are_seen", source="a node that takes the order of arrival for the order of writes")
def keeps_last_to_arrive(old: int, new: int) -> int:
    """A node keeps what arrived last, whatever its timestamp."""
    return new
