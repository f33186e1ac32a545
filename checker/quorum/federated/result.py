"""What is found out about a federated system, as values."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum

from scrutator.model.quorums.federated import FederatedSystem


class Outcome(Enum):
    """Whether any two quorums have a node in common."""

    INTERSECTS = "intersects"
    SPLIT = "split"
    NO_QUORUM = "no quorum"  # not even the whole is one: nothing can ever be decided
    UNKNOWN = "unknown"  # a limit was reached first


@dataclass(frozen=True, slots=True)
class FederatedResult:
    """The answer, and what it is about.

    Where split, ``left`` and ``right`` are quorums without a common node, once the nodes in ``faulty``
    help both; ``smallest`` if no two such have fewer nodes in total (with ``any_faulty``: if no fewer
    faulty nodes split).  ``scope`` says what was asked, by which conventions.
    """

    outcome: Outcome
    scope: str
    left: frozenset[str] = frozenset()
    right: frozenset[str] = frozenset()
    faulty: frozenset[str] = frozenset()
    smallest: bool = True

    def __bool__(self) -> bool:
        return self.outcome is Outcome.INTERSECTS


@dataclass(frozen=True, slots=True)
class Smallest:
    """A smallest set of nodes of some kind; ``size`` counts nodes, or the ``groups`` it touches.

    ``proved`` is false where time ran out before one fewer was shown to be impossible.
    """

    nodes: frozenset[str]
    size: int
    groups: tuple[str, ...] = ()
    proved: bool = True


@dataclass(frozen=True, slots=True)
class Splitting:
    """Fewest faulty nodes with whose help two quorums of the others have nothing in common."""

    faulty: Smallest
    left: frozenset[str]
    right: frozenset[str]


class Mistaken(AssertionError):
    """Our own bug: an answer that does not hold when looked at again."""


def scope_of(system: FederatedSystem, faulty: int = 0, any_faulty: int = 0) -> str:
    """What a verdict is about, as a sentence."""
    nodes, bare = len(system.nodes), len(system.without_set())
    text = f"quorums of the {nodes} nodes of {system.name}"
    if bare:
        text += f", {bare} of which have no quorum set ({system.missing.note})"
    if faulty:
        text += f", of which {faulty} are faulty and help anyone"
    if any_faulty:
        text += f", whichever {any_faulty} of them are faulty and help anyone"
    return text + "; a node counts as present for itself, a member listed twice counts twice"


def check_split(system: FederatedSystem, faulty: Collection[str], left: frozenset[str], right: frozenset[str]) -> None:
    """Raises `Mistaken` unless these are quorums of the others without a common node."""
    honest = system.without(faulty) if faulty else system
    if left & right or not honest.is_quorum(left) or not honest.is_quorum(right):
        raise Mistaken(f"{sorted(left)} and {sorted(right)} are not disjoint quorums of {system.name}")
