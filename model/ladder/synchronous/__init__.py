"""Synchronous replication: its model, and what is claimed of it."""

from __future__ import annotations

from scrutator.model.ladder.rung import Claim, Rung
from scrutator.model.ladder.synchronous.mutants import SPEC

__all__ = ["RUNG", "SPEC"]

RUNG = Rung(
    order=3, name="synchronous", title="Synchronous replication",
    idea="The buyer hears \"yours\" only once both machines have the sale. If one machine falls silent, somebody switches the other to go on alone.",
    notice="A machine that is down and a line that is cut look the same from the other side. Whoever switches on silence alone will one day "
    "make two masters.",
    keeps="no acknowledged sale is lost by a crash", breaks="the operator fails with the master; with one a side, a cut line makes two masters; "
    "an arbiter is the next single point",
    next="Use three machines, and let any two of them do.",
    claims=(
        Claim("operator_fails_with_master", "One operator, at the master's site: if that site is gone, nobody can switch.",
              "violated", "shop_is_open", steps=1),
        Claim("one_operator_is_safe", "One operator never makes two masters.", "holds", "no_phone_sold_twice"),
        Claim("two_operators_survive", "With an operator on each side, the shop survives the loss of either.",
              "holds", "shop_is_open", {"operators": 2, "cuts": False}),
        Claim("two_operators_lose_nothing", "As long as silence means a crash, no acknowledged sale is lost.",
              "holds", "acknowledged_sale_never_lost", {"operators": 2, "cuts": False}),
        Claim("two_masters", "The line is cut, each operator believes that the other site is gone, and both machines sell the phone.",
              "violated", "no_phone_sold_twice", {"operators": 2, "failures": 0}, steps=7),
        Claim("arbiter_is_safe", "An arbiter lets only one of them go on: a cut line and a crash do not sell the phone twice.",
              "holds", "no_phone_sold_twice", {"operators": 0, "arbiter": True, "failures": 2}),
        Claim("arbiter_survives", "With an arbiter, the shop survives the loss of any one of the three sites.",
              "holds", "shop_is_open", {"operators": 0, "arbiter": True, "cuts": False}),
        Claim("arbiter_fails", "The arbiter is the next single point: once it is gone, unnoticed, the next crash closes the shop.",
              "violated", "shop_is_open", {"operators": 0, "arbiter": True, "cuts": False, "failures": 2}, steps=2),
        Claim("answers_too_soon", "A master that does not wait for the copy is asynchronous replication again.",
              "violated", "acknowledged_sale_never_lost", {"operators": 2, "cuts": False}, mutant="answers_too_soon", steps=4),
        Claim("arbiter_forgets", "An arbiter that does not write down whom it chose makes two masters.",
              "violated", "no_phone_sold_twice", {"operators": 0, "arbiter": True, "failures": 0}, mutant="arbiter_forgets", steps=7),
    ),
)  # fmt: skip
