"""ABD: its model, and what is claimed of it."""

from __future__ import annotations

from scrutator.model.ladder.abd.mutants import SPEC
from scrutator.model.ladder.rung import Claim, Rung

__all__ = ["RUNG", "SPEC"]

RUNG = Rung(
    order=7, name="abd", title="ABD: reads that finish writes",
    idea="A read stores what it has read at a majority before it returns it. Whoever reads later then sees it too. A writer first asks a majority "
    "for the latest timestamp, and takes a later one.",
    notice="A read that returns a new price has made sure that no later read can return the old one: it has done the writer's work.",
    keeps="linearizable, with any minority of nodes failing", breaks="a register only: nobody can read and write in one step",
    next="To sell one phone one must read and write as one step: registers cannot.",
    claims=(
        Claim("linearizable", "One write, two reads, one node and one client fail: timestamps follow real time.", "holds", "follows_real_time"),
        Claim("two_writers", "So they do with two writers.", "holds", "follows_real_time", {"writes": 2, "reads": 1}),
        Claim("no_read_is_stale", "No read returns a price that was replaced before the read began.",
              "holds", "no_read_is_stale", {"writes": 2, "reads": 1}),
        Claim("timestamps_are_unique", "No two writes have one timestamp.", "holds", "timestamps_are_unique", {"writes": 2, "reads": 1}),
        Claim("everybody_can_finish", "Whoever does not crash can finish, though a node has failed.", "holds", "everybody_can_finish"),
        Claim("majority_fails", "Once two of three nodes have failed, nobody can finish.",
              "violated", "everybody_can_finish", {"failures": 2, "crashes": 0, "reads": 1}, steps=2),
        Claim("finishes_the_crashed", "A read can return, and finish, what a crashed writer left behind.", "holds", "unfinished_write_is_read"),
        Claim("without_write_back", "A read that does not store what it has read lets the next read go back.",
              "violated", "follows_real_time", {"failures": 0, "crashes": 0}, mutant="without_write_back", steps=12),
        Claim("does_not_ask_first", "A writer that does not ask for the latest timestamp first writes a price that nobody sees: the next read returns the one before.",
              "violated", "no_read_is_stale", {"writes": 2, "reads": 1, "failures": 0, "crashes": 0}, mutant="does_not_ask_first", steps=18),
    ),
)  # fmt: skip
