"""Two-phase commit: a transaction manager asks every resource manager before it decides.

After the TLA+ examples' TwoPhase (Gray and Lamport, "Consensus on transaction commit",
2006).  Messages are never consumed.  It is safe, and blocks if the transaction manager
fails: the weakness that Paxos Commit removes.
"""

from __future__ import annotations

from enum import Enum

from scrutator.model.language import Array, Bound, Index, Network, Record, Set, Spec, require

MANAGERS = Bound("managers", 3, "resource managers", low=1, high=16)
MANAGER = Index("manager", MANAGERS, prefix="rm", interchangeable=True)


class Resource(Enum):
    WORKING = 0
    PREPARED = 1
    COMMITTED = 2
    ABORTED = 3


class Transaction(Enum):
    INIT = 0
    COMMITTED = 1
    ABORTED = 2


class Prepared(Record):
    manager = MANAGER


class Decision(Record):
    commit = bool


class State(Record):
    resource = Array(MANAGER, Resource)
    transaction = Transaction
    prepared = Set(MANAGER)  # those whose Prepared the transaction manager has received
    net = Network(Prepared, Decision, ordering="set")


SPEC = Spec("two-phase-commit", State)


@SPEC.action()
def decide_commit(s: State) -> None:
    """Everyone is prepared: the transaction manager commits."""
    require(s.transaction == Transaction.INIT and len(s.prepared) == MANAGERS)
    s.transaction = Transaction.COMMITTED
    s.net.send(Decision(commit=True))


@SPEC.action()
def decide_abort(s: State) -> None:
    """The transaction manager aborts of its own accord."""
    require(s.transaction == Transaction.INIT)
    s.transaction = Transaction.ABORTED
    s.net.send(Decision(commit=False))


@SPEC.action(i=MANAGER)
def receive_prepared(s: State, i: int) -> None:
    """The transaction manager hears that manager i is prepared."""
    require(s.transaction == Transaction.INIT and Prepared(manager=i) in s.net)
    s.prepared.add(i)


@SPEC.action(i=MANAGER)
def prepare(s: State, i: int) -> None:
    """Manager i prepares, and says so."""
    require(s.resource[i] == Resource.WORKING)
    s.resource[i] = Resource.PREPARED
    s.net.send(Prepared(manager=i))


@SPEC.action(i=MANAGER)
def abort(s: State, i: int) -> None:
    """Manager i aborts before it has prepared."""
    require(s.resource[i] == Resource.WORKING)
    s.resource[i] = Resource.ABORTED


@SPEC.action(i=MANAGER)
def obey_commit(s: State, i: int) -> None:
    """Manager i learns that the transaction committed."""
    require(Decision(commit=True) in s.net)
    s.resource[i] = Resource.COMMITTED


@SPEC.action(i=MANAGER)
def obey_abort(s: State, i: int) -> None:
    """Manager i learns that the transaction aborted."""
    require(Decision(commit=False) in s.net)
    s.resource[i] = Resource.ABORTED


@SPEC.invariant
def consistent(s: State) -> bool:
    """No two resource managers end differently."""
    return not (
        any(s.resource[i] == Resource.COMMITTED for i in MANAGER) and any(s.resource[i] == Resource.ABORTED for i in MANAGER)
    )


@SPEC.reachable
def all_committed(s: State) -> bool:
    """The transaction can commit everywhere."""
    return all(s.resource[i] == Resource.COMMITTED for i in MANAGER)


@SPEC.reachable
def all_aborted(s: State) -> bool:
    """The transaction can abort everywhere."""
    return all(s.resource[i] == Resource.ABORTED for i in MANAGER)


@SPEC.mutant(replaces=decide_commit, breaks="consistent", source="a coordinator that does not wait for all votes")
def commit_without_all(s: State) -> None:
    """The transaction manager commits as soon as anybody is prepared."""
    require(s.transaction == Transaction.INIT and len(s.prepared) > 0)
    s.transaction = Transaction.COMMITTED
    s.net.send(Decision(commit=True))
