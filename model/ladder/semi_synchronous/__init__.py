"""Semi-synchronous replication: its model, and what is claimed of it."""

from __future__ import annotations

from itertools import product

from scrutator.model.ladder.rung import Claim, Rung
from scrutator.model.ladder.semi_synchronous.mutants import SPEC

__all__ = ["RUNG", "SPEC"]


def _rules(replica_first: bool) -> tuple[Claim, ...]:
    """Each of the eight rules, refuted."""
    return tuple(
        Claim(
            f"{'replica_first_' if replica_first else ''}trusts_{'_'.join(f'm{m}' for m in trusted_ones)}",
            f"Of machines 1 and 2, 1 and 3, 2 and 3 the rule trusts machines {', '.join(map(str, trusted_ones))}: it drops a sale that a buyer was told of.",
            "violated", "no_phone_sold_twice",
            {"replica_first": replica_first, "m1_over_m2": trusted_ones[0] == 1, "m1_over_m3": trusted_ones[1] == 1, "m2_over_m3": trusted_ones[2] == 2},
            steps=11 if replica_first else 12,
        )
        for trusted_ones in product((1, 2), (1, 3), (2, 3))
    )  # fmt: skip


RUNG = Rung(
    order=4, name="semi_synchronous", title="Semi-synchronous replication",
    idea="Three machines: the master and any one replica must have a sale before the buyer hears \"yours\". If a machine dies, two are left, and one "
    "of them knows.",
    notice="After the second failure two disks show two buyers. Two different histories lead to this one picture, and in each another buyer was told "
    "\"yours\": no rule can tell which.",
    keeps="no sale is lost in one failure", breaks="two failures in a row leave two values and no way to choose; writing the replica first does not help",
    next="Do without a master: let the machines vote.",
    claims=(
        Claim("one_failure", "With one failure, the phone is not sold twice.", "holds", "no_phone_sold_twice", {"failures": 1}),
        Claim("one_failure_replica_first", "The same if a replica writes first.",
              "holds", "no_phone_sold_twice", {"failures": 1, "replica_first": True}),
        Claim("open_after_one", "After one failure the shop can open again, without any repair.",
              "holds", "shop_is_open", {"failures": 1, "repairs": False}),
        *_rules(replica_first=False),
        *_rules(replica_first=True),
        Claim("master_suffices", "A master that does not wait for a replica loses the sale in one failure.",
              "violated", "no_phone_sold_twice", {"failures": 1}, mutant="master_suffices", steps=8),
    ),
)  # fmt: skip
