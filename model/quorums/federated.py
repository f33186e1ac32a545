"""Federated quorum systems: each node names for itself whom it needs, as in Stellar's consensus.

A set of nodes is a quorum iff it is not empty and what each of its members asks for is met within it.
Law: a value that decides nothing.  The conventions on which tools differ are part of it: what a node
is worth that named no quorum set (`Missing`), that a node counts as present for itself, that a member
listed twice counts twice, and that members nobody describes are nodes without a quorum set.
Source: Mazieres, "The Stellar consensus protocol", 2015, section 3.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

from scrutator.model.quorums.expression import Expression, Node, QuorumError


class Missing(Enum):
    """What a node without a quorum set is taken for."""

    UNSATISFIABLE = "unsatisfiable"  # it is in no quorum
    FREE = "free"  # it may be in any quorum, but makes none by itself

    @property
    def note(self) -> str:
        """The convention as a sentence."""
        if self is Missing.FREE:
            return "a node without a quorum set may be in any quorum, and makes none without nodes that have one"
        return "a node without a quorum set is in no quorum"


@dataclass(frozen=True, slots=True)
class FederatedSystem:
    """Nodes, and for each the sets that convince it; None where it named none.

    ``nodes`` are all there are: whom the slices name besides, is added, without a quorum set.
    ``notes`` say by which conventions a file was read.  Raises `QuorumError` for no nodes at all, a
    node given twice, and a quorum set of a node that is none.

    >>> from scrutator.model.quorums import majority, nodes
    >>> three = majority(nodes("a b c"))
    >>> system = FederatedSystem("example", {"a": three, "b": three, "c": three, "d": None})
    >>> system.is_quorum({"a", "b"}), system.is_quorum({"a", "d"}), sorted(system.greatest_quorum())
    (True, False, ['a', 'b', 'c'])
    """

    name: str
    slices: Mapping[str, Expression | None]
    nodes: tuple[Node, ...] = ()
    notes: tuple[str, ...] = field(default=(), compare=False)
    missing: Missing = Missing.UNSATISFIABLE

    def __post_init__(self) -> None:
        named: dict[str, Node] = {}
        for node in self.nodes:
            if node.name in named:
                raise QuorumError(f"node {node.name} is given twice")
            named[node.name] = node
        for name in self.slices:
            if self.nodes and name not in named:
                raise QuorumError(f"a quorum set of {name}, which is not among the nodes")
            named.setdefault(name, Node(name))
        if not named:
            raise QuorumError(f"{self.name} has no nodes")
        for expression in distinct(self.slices.values()):
            for node in expression.nodes():
                named.setdefault(node.name, node)
        complete = {name: self.slices.get(name) for name in named}
        object.__setattr__(self, "slices", MappingProxyType(complete))
        object.__setattr__(self, "nodes", tuple(named.values()))

    def names(self) -> tuple[str, ...]:
        """The names of all nodes."""
        return tuple(node.name for node in self.nodes)

    def node(self, name: str) -> Node:
        """The node of that name; raises `KeyError`."""
        found = next((node for node in self.nodes if node.name == name), None)
        if found is None:
            raise KeyError(name)
        return found

    def without_set(self) -> tuple[str, ...]:
        """The names of the nodes that named no quorum set."""
        return tuple(name for name, expression in self.slices.items() if expression is None)

    def is_satisfied(self, name: str, present: Collection[str]) -> bool:
        """Whether what the node asks for is met by the nodes that are present, itself among them."""
        expression = self.slices[name]
        if expression is None:
            return self.missing is Missing.FREE
        return expression.is_quorum({*present, name})

    def is_quorum(self, names: Collection[str]) -> bool:
        """Whether the nodes are a quorum: some nodes, each satisfied among them.  Raises `KeyError` for others."""
        given = [self.slices[name] for name in names]
        return any(one is not None for one in given) and all(self.is_satisfied(name, names) for name in names)

    def greatest_quorum(self, within: Iterable[str] | None = None) -> frozenset[str]:
        """The union of all quorums among some nodes, itself one; empty if there is none.

        Found by taking out, again and again, nodes that those left do not satisfy.
        """
        left = set(self.names() if within is None else within)
        while lost := {name for name in left if not self.is_satisfied(name, left)}:
            left -= lost
        return frozenset(left) if self._makes_one(left) else frozenset()

    def without(self, faulty: Collection[str]) -> FederatedSystem:
        """The system of the others if some nodes do and say whatever any of the others would want.

        Each of them counts as present for all (the source's section 4, deletion).  Raises `QuorumError`
        if no nodes are left, and `KeyError` for a node that is none.
        """
        gone = frozenset(faulty)
        for name in gone:
            self.slices[name]
        left = {
            name: None if expression is None else expression.restricted(present=gone)
            for name, expression in self.slices.items()
            if name not in gone
        }
        nodes = tuple(node for node in self.nodes if node.name not in gone)
        return FederatedSystem(self.name, left, nodes, self.notes, self.missing)

    def within(self, names: Collection[str]) -> FederatedSystem:
        """The system of some nodes alone, for whom all others are absent.  Raises `QuorumError` for none."""
        kept = frozenset(names)
        others = frozenset(self.names()) - kept
        left = {
            name: None if expression is None else expression.restricted(absent=others)
            for name, expression in self.slices.items()
            if name in kept
        }
        nodes = tuple(node for node in self.nodes if node.name in kept)
        return FederatedSystem(self.name, left, nodes, self.notes, self.missing)

    def regions(self) -> dict[str, str]:
        """The region of each node that has one."""
        return {node.name: node.region for node in self.nodes if node.region is not None}

    def _makes_one(self, names: Collection[str]) -> bool:
        return any(self.slices[name] is not None for name in names)


def distinct(expressions: Iterable[Expression | None]) -> list[Expression]:
    """The expressions among them, each object once."""
    return list({id(one): one for one in expressions if one is not None}.values())
