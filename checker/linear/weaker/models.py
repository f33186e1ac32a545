"""The models, what each asks for, and which implies which.

Session order is the order in which one process called its operations.  All models but the sequential one
are decided for registers and key-value stores in which every value is written to a key
once, so that each read tells which write it saw (its source); a compare-and-set that took
place is a read and a write.  They are what Viotti and Vukolić, "Consistency in
non-transactional distributed storage systems" (2016) collect, put as what a history must
not show.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from scrutator.checker.verdict import Verdict


class Model(enum.Enum):
    """A consistency model; strongest first."""

    LINEARIZABLE = "linearizable"
    SEQUENTIAL = "sequential"
    CAUSAL = "causal"
    PRAM = "PRAM"
    READ_YOUR_WRITES = "read your writes"
    MONOTONIC_READS = "monotonic reads"
    MONOTONIC_WRITES = "monotonic writes"
    WRITES_FOLLOW_READS = "writes follow reads"
    EVENTUAL = "eventual"

    @property
    def meaning(self) -> str:
        """What it asks for."""
        return _MEANING[self]

    @property
    def cost(self) -> str:
        """How the time to decide it grows with n operations of p processes."""
        return _COST[self]

    @property
    def implies(self) -> frozenset[Model]:
        """The models that hold wherever it does."""
        direct = _IMPLIES.get(self, ())
        return frozenset(direct).union(*(model.implies for model in direct))


_MEANING = {
    Model.LINEARIZABLE: "one order of all operations, within real time",
    Model.SEQUENTIAL: "one order of all operations, within session order (Lamport 1979)",
    Model.CAUSAL: "for each process an order of all writes and its reads, in which causes come first (Ahamad et al. 1995)",
    Model.PRAM: "for each process an order of all writes and its reads, within session order (Lipton and Sandberg 1988)",
    Model.READ_YOUR_WRITES: "no read sees what its process had overwritten itself (Terry et al. 1994)",
    Model.MONOTONIC_READS: "no value comes back to a process that saw it replaced",
    Model.MONOTONIC_WRITES: "whoever has seen a write sees nothing that its process had overwritten before",
    Model.WRITES_FOLLOW_READS: "whoever has seen a write sees nothing older than what its process had read before it",
    Model.EVENTUAL: "once nothing is written any more, all processes come to read the same (as far as a finite history shows)",
}
_COST = {
    Model.LINEARIZABLE: "near-linear for most histories, exponential in operations under way at the worst",
    Model.SEQUENTIAL: "NP-complete (Gibbons and Korach 1997): a search with limits",
    Model.CAUSAL: "n p for each round of each process, a few rounds as a rule",
    Model.PRAM: "n p for each round of each process, a few rounds as a rule",
    Model.READ_YOUR_WRITES: "n",
    Model.MONOTONIC_READS: "n",
    Model.MONOTONIC_WRITES: "n p",
    Model.WRITES_FOLLOW_READS: "n p",
    Model.EVENTUAL: "n",
}
_IMPLIES = {
    Model.LINEARIZABLE: (Model.SEQUENTIAL, Model.EVENTUAL),
    Model.SEQUENTIAL: (Model.CAUSAL,),
    Model.CAUSAL: (Model.PRAM, Model.WRITES_FOLLOW_READS),
    Model.PRAM: (Model.READ_YOUR_WRITES, Model.MONOTONIC_READS, Model.MONOTONIC_WRITES),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one model; ``conflict`` holds positions in the history of operations that show a violation."""

    model: Model
    verdict: Verdict
    reason: str
    conflict: tuple[int, ...] = ()


class Ambiguous(Exception):
    """The history does not tell which write each read saw, or is not one of registers; the message says why."""
