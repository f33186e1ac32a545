"""What is decided about federated systems: whether quorums meet, and what it takes to split or to stop them.

- `reduce` puts alike nodes together, `symmetry` alike organisations; `core` finds where the quorums are,
  `encode` asks z3.
- `intersection`, `minimal`, `blocking`, `splitting` answer; `everything` lists and counts.
- `smtlib` writes the question down for other solvers.
"""

from scrutator.checker.quorum.federated.blocking import smallest_blocking_set
from scrutator.checker.quorum.federated.core import Core, core_of
from scrutator.checker.quorum.federated.everything import AllMinimal, minimal_blocking_sets, minimal_quorums
from scrutator.checker.quorum.federated.intersection import decide
from scrutator.checker.quorum.federated.minimal import smallest_quorum
from scrutator.checker.quorum.federated.result import FederatedResult, Mistaken, Outcome, Smallest, Splitting
from scrutator.checker.quorum.federated.smtlib import disjoint_question
from scrutator.checker.quorum.federated.splitting import smallest_splitting_set

__all__ = [
    "AllMinimal",
    "Core",
    "FederatedResult",
    "Mistaken",
    "Outcome",
    "Smallest",
    "Splitting",
    "core_of",
    "decide",
    "disjoint_question",
    "minimal_blocking_sets",
    "minimal_quorums",
    "smallest_blocking_set",
    "smallest_quorum",
    "smallest_splitting_set",
]
