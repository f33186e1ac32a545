"""Transaction commit, what two-phase commit and Paxos Commit implement: no messages, only outcomes.

After ``specifications/transaction_commit/TCommit.tla`` of the TLA+ examples (Gray and Lamport,
"Consensus on transaction commit", 2006, section 2).
"""

from __future__ import annotations

from scrutator.model.language import Array, Record, Spec, require
from scrutator.model.two_phase_commit import MANAGER, Resource


class State(Record):
    resource = Array(MANAGER, Resource)


SPEC = Spec("tla-tcommit", State)


@SPEC.action(r=MANAGER)
def prepare(s: State, r: int) -> None:
    """Prepare(rm)."""
    require(s.resource[r] == Resource.WORKING)
    s.resource[r] = Resource.PREPARED


@SPEC.action(r=MANAGER)
def decide_commit(s: State, r: int) -> None:
    """Decide(rm): everybody is prepared, or has committed already."""
    require(s.resource[r] == Resource.PREPARED)
    require(all(s.resource[q] == Resource.PREPARED or s.resource[q] == Resource.COMMITTED for q in MANAGER))
    s.resource[r] = Resource.COMMITTED


@SPEC.action(r=MANAGER)
def decide_abort(s: State, r: int) -> None:
    """Decide(rm): nobody has committed."""
    require(s.resource[r] == Resource.WORKING or s.resource[r] == Resource.PREPARED)
    require(all(s.resource[q] != Resource.COMMITTED for q in MANAGER))
    s.resource[r] = Resource.ABORTED


@SPEC.invariant
def consistent(s: State) -> bool:
    """TCConsistent."""
    return not (
        any(s.resource[q] == Resource.COMMITTED for q in MANAGER) and any(s.resource[q] == Resource.ABORTED for q in MANAGER)
    )


@SPEC.reachable
def all_committed(s: State) -> bool:
    """Everybody may commit."""
    return all(s.resource[q] == Resource.COMMITTED for q in MANAGER)
