"""The smallest model in which quorums matter: nodes either promise not to vote, or vote.

If a phase-2 quorum votes, and a phase-1 quorum promises without having voted, the value that was
chosen is lost.  Every order of promises and votes is explored.
"""

from __future__ import annotations

from enum import Enum

from scrutator.model.language import Array, Bound, Index, Record, Spec, require
from scrutator.model.quorums import Quorums

NODES = Bound("nodes", 3, "nodes", low=1, high=16)
NODE = Index("node", NODES)
PHASE1 = Quorums("phase1", NODE, "majority", "nodes whose promises begin the second ballot")
PHASE2 = Quorums("phase2", NODE, "majority", "nodes whose votes choose in the first ballot")


class Did(Enum):
    NOTHING = 0
    PROMISED = 1
    VOTED = 2


class State(Record):
    did = Array(NODE, Did)


SPEC = Spec("meeting", State)


@SPEC.action(n=NODE)
def promise(s: State, n: int) -> None:
    """Node n promises the second ballot not to vote in the first."""
    require(s.did[n] == Did.NOTHING)
    s.did[n] = Did.PROMISED


@SPEC.action(n=NODE)
def vote(s: State, n: int) -> None:
    """Node n votes in the first ballot."""
    require(s.did[n] == Did.NOTHING)
    s.did[n] = Did.VOTED


@SPEC.invariant
def nothing_chosen_is_lost(s: State) -> bool:
    """No phase-1 quorum knows nothing of what a phase-2 quorum chose."""
    return not ({n for n in NODE if s.did[n] == Did.PROMISED} in PHASE1 and {n for n in NODE if s.did[n] == Did.VOTED} in PHASE2)
