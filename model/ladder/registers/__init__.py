"""Replicated registers: its model, and what is claimed of it."""

from __future__ import annotations

from scrutator.model.ladder.registers.mutants import SPEC
from scrutator.model.ladder.rung import Claim, Rung

__all__ = ["RUNG", "SPEC"]

RUNG = Rung(
    order=6, name="registers", title="Registers: W + R > N",
    idea="Write to W nodes, read from R nodes, and of different answers the latest timestamp is right. If W + R > N, every read asks a node that has "
    "the last finished write.",
    notice="A write is not one moment: it reaches node after node. While it is under way, or when it was given up half way, each read may see "
    "it or not.",
    keeps="a finished write is seen", breaks="reads during a write flicker, unfinished writes surface: not linearizable; with W + R <= N, or clocks "
    "that disagree, finished writes are lost",
    next="Let a read finish the write that it saw.",
    claims=(
        Claim("finished_writes_are_seen", "With W = R = 2 of N = 3, every read sees every finished write, even if both writers crash.",
              "holds", "finished_writes_are_seen"),
        Claim("flicker", "While a write is under way, a read returns the new price, and a later read the old one.",
              "violated", "reads_never_go_back", steps=8),
        Claim("flicker_all_nodes", "Writing to all nodes before a write is finished does not help, if a read asks any two.",
              "violated", "reads_never_go_back", {"write": "all"}, steps=8),
        Claim("unfinished_surfaces", "A writer crashes half way and never hears \"done\", and yet its price is read: nobody may rely on a write that failed to have failed.",
              "violated", "failed_writes_stay_unseen", steps=6),
        Claim("too_few", "With W = 1 and R = 2, W + R is not more than N: a read misses a finished write altogether.",
              "violated", "finished_writes_are_seen", {"write": "1"}, steps=6),
        Claim("clocks_disagree", "If clocks disagree, a write may begin with an older timestamp than one that is finished: it is lost when it is made.",
              "violated", "later_write_wins", {"clocks_agree": False}, steps=5),
        Claim("clock_loses_write", "Its writer is told \"done\", and the next read returns the price before.",
              "violated", "finished_writes_are_seen", {"clocks_agree": False}, steps=11),
        Claim("keeps_last_to_arrive", "A node that keeps what arrives last lets an old write cover a finished one.",
              "violated", "finished_writes_are_seen", mutant="keeps_last_to_arrive", steps=12),
    ),
)  # fmt: skip
