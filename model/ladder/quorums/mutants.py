"""Quorums that are not majorities, with one mistake each: what breaks which property."""

from __future__ import annotations

from scrutator.model.ladder.quorums.model import SPEC, State, may_store
from scrutator.model.ladder.quorums.systems import CENTRES, ROWS, WEIGHTS
from scrutator.model.language import Mutant


@SPEC.mutant(replaces=may_store, breaks="no_phone_sold_twice", source="a reader that does not stop the old writer")
def reads_without_stopping(s: State, n: int) -> bool:
    """A node that the second seller has asked still obeys the first."""
    return True


for _name, _doc, _bounds in (
    ("one_node_fewer", "Any two nodes of five are read where three are written: they may miss each other.", {"nodes": 5, "read": "2", "write": "3"}),
    ("weight_too_small", "Two of five votes suffice: the heavy node alone, or two light ones.",
     {"nodes": 4, "read": "weighted(2, 2*a, b, c, d)", "write": WEIGHTS}),
    ("centre_left_out", "One node of each centre is read, but for one centre.", {"nodes": 6, "read": "one_of_each([a, b], [c, d])", "write": CENTRES}),
    ("grid_without_columns", "A row of the grid is read and a row is written: two rows share no node.", {"nodes": 6, "read": ROWS, "write": ROWS}),
):  # fmt: skip
    SPEC.add_mutant(Mutant(_name, _doc, breaks="no_phone_sold_twice", source="quorums that were not checked before use", bounds=_bounds))
