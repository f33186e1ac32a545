"""Basic Paxos: its model, and what is claimed of it."""

from __future__ import annotations

from scrutator.model.ladder.basic_paxos.mutants import SPEC
from scrutator.model.ladder.rung import Claim, Rung

__all__ = ["RUNG", "SPEC"]

RUNG = Rung(
    order=9, name="basic_paxos", title="Basic Paxos",
    idea="Number the proposals. Before a proposer writes, a majority promises it to ignore older numbers, and tells what it has accepted: "
    "if anything, the proposer must go on with the latest of that. So a decision, once possible, is never contradicted, and a stuck vote can be "
    "overtaken by the next number.",
    notice="A promise locks out the old proposer but never the next one: a crashed buyer blocks nobody.",
    keeps="agreement; a decision is always possible", breaks="duelling proposers may run for ever",
    next="Give one proposer the lead, and let the others wait.",
    claims=(
        Claim("agreement", "Three acceptors, two buyers, three numbers, two crashes: never two decisions.",
              "holds", "agreement", {"failures": 2}),
        Claim("five_acceptors", "Five acceptors agree as well.", "holds", "agreement", {"acceptors": 5, "numbers": 1}),
        Claim("always_possible", "From every state a decision can still be reached: nothing is ever stuck.",
              "holds", "decision_possible", {"failures": 2}),
        Claim("duel", "All numbers there are were proposed and overtaken, and nobody has accepted anything: with more numbers, "
              "this goes on as long as one likes.", "holds", "all_overtaken", {"numbers": 3}),
        Claim("keeps_own_value", "A proposer that keeps its own value contradicts what was decided.",
              "violated", "agreement", {"numbers": 1}, mutant="keeps_own_value", steps=9),
        Claim("takes_any_accepted", "A proposer must go on with the latest that was accepted, not with any.",
              "violated", "agreement", {"numbers": 2}, mutant="takes_any_accepted", steps=14),
        Claim("no_promise", "An acceptor that does not keep its promise lets an old proposal be decided beside a new one.",
              "violated", "agreement", {"numbers": 1}, mutant="no_promise", steps=9),
        Claim("quorums_miss", "If those who promise and those who decide need not meet, the proposer hears of nothing.",
              "violated", "agreement", {"numbers": 1}, mutant="quorums_miss", steps=7),
    ),
)  # fmt: skip
