"""Quorums that are not majorities: its model, and what is claimed of it."""

from __future__ import annotations

from scrutator.model.ladder.quorums.mutants import SPEC
from scrutator.model.ladder.quorums.systems import CENTRES, COLUMNS, GRID, ONE_OF_EACH, ROWS, WEIGHTS
from scrutator.model.ladder.rung import Claim, Rung

__all__ = ["RUNG", "SPEC"]

RUNG = Rung(
    order=11, name="quorums", title="Quorums that are not majorities",
    idea="All that was ever used of majorities is that two of them share a node. So take whatever meets: weights, one node of each centre against all "
    "nodes of one, rows against columns of a grid, any W and R with W + R > N.",
    notice="It is readers and writers who must meet. Two writers need not: two rows of a grid share nothing.",
    keeps="what intersects: never two buyers", breaks="one node fewer: the two disjoint quorums sell twice",
    next="Choose quorums for what they cost and survive: scrutator quorum.",
    claims=(
        Claim("read_2_write_4", "Of five nodes, W = 4 and R = 2 meet.", "holds", "no_phone_sold_twice", {"nodes": 5, "read": "2", "write": "4"}),
        Claim("weights", "Weights 2, 1, 1, 1: any three of the five votes meet any other three.",
              "holds", "no_phone_sold_twice", {"nodes": 4, "read": WEIGHTS, "write": WEIGHTS}),
        Claim("centres", "One node of each centre meets all nodes of one centre.",
              "holds", "no_phone_sold_twice", {"nodes": 6, "read": ONE_OF_EACH, "write": CENTRES}),
        Claim("rows_and_columns", "Every row of a grid meets every column.",
              "holds", "no_phone_sold_twice", {"nodes": 6, "read": ROWS, "write": COLUMNS}),
        Claim("whole_grid", "A row and a column together meet themselves.", "holds", "no_phone_sold_twice", {"nodes": 4, "read": GRID, "write": GRID}),
        Claim("survives_two", "A majority of five still sells when two nodes are gone.",
              "holds", "somebody_gets_the_phone", {"nodes": 5, "failures": 2}),
        Claim("write_4_waits", "W = 4 of five does not: what writes to many waits for many.",
              "violated", "somebody_gets_the_phone", {"nodes": 5, "read": "2", "write": "4", "failures": 2}, steps=2),
        Claim("one_node_fewer", "W = 3 and R = 2 of five nodes miss each other, and the phone is sold twice.",
              "violated", "no_phone_sold_twice", mutant="one_node_fewer", steps=11),
        Claim("weight_too_small", "With two votes instead of three to read, the phone is sold twice.",
              "violated", "no_phone_sold_twice", mutant="weight_too_small", steps=9),
        Claim("centre_left_out", "A centre that nobody reads from sells the phone on its own.",
              "violated", "no_phone_sold_twice", mutant="centre_left_out", steps=9),
        Claim("grid_without_columns", "Two rows share no node, and the phone is sold twice.",
              "violated", "no_phone_sold_twice", mutant="grid_without_columns", steps=12),
        Claim("reads_without_stopping", "Meeting is not enough: a node that was read must take no older write.",
              "violated", "no_phone_sold_twice", mutant="reads_without_stopping", steps=9),
    ),
)  # fmt: skip
