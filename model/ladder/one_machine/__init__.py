"""One machine: its model, and what is claimed of it."""

from __future__ import annotations

from scrutator.model.ladder.one_machine.mutants import SPEC
from scrutator.model.ladder.rung import Claim, Rung

__all__ = ["RUNG", "SPEC"]

RUNG = Rung(
    order=1, name="one_machine", title="One machine",
    idea="One machine sells. It writes every sale to its log before it answers, and after a crash it replays the log; snapshots keep the log short.",
    notice="Nothing acknowledged is lost. But a crash closes the shop until the machine is back and has replayed its log.",
    keeps="linearizable while it is up; snapshots bound the time of recovery", breaks="down when it is down",
    next="Keep a second machine that can take over.",
    claims=(
        Claim("never_sold_twice", "Two buyers, two crashes: the phone is never sold to two at a time.", "holds", "no_phone_sold_twice"),
        Claim("durable", "After a crash and a replay the machine knows what it knew before.", "holds", "same_as_before_the_crash"),
        Claim("short_replay", "A start replays no more than the entries between two snapshots.", "holds", "replay_is_short"),
        Claim("opens_again", "If somebody starts the machine again, the shop opens again.", "holds", "shop_is_open"),
        Claim("down_when_down", "If nobody does, a single crash closes the shop for good.",
              "violated", "shop_is_open", {"failures": 1, "repairs": False}, steps=1),
        Claim("never_snapshots", "Without snapshots the replay grows with the log.",
              "violated", "replay_is_short", {"failures": 1}, mutant="never_snapshots", steps=8),
        Claim("answers_before_writing", "A machine that answers before the log is on disk forgets the sale, and sells again.",
              "violated", "no_phone_sold_twice", {"failures": 1}, mutant="answers_before_writing", steps=5),
        Claim("cuts_without_saving", "A log that is cut before the snapshot is on disk takes the sale along.",
              "violated", "same_as_before_the_crash", {"failures": 1}, mutant="cuts_without_saving", steps=5),
    ),
)  # fmt: skip
