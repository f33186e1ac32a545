"""A quorum system handed to the model checker: the bounds under which a model runs with these quorums.

Law: the model gets the expressions that were verified, with nothing changed but the nodes' names.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from scrutator.checker.explore.result import Result
from scrutator.model.language import Spec
from scrutator.model.language.types.bounds import BoundDeclaration
from scrutator.model.quorums.expression import Node, QuorumError
from scrutator.model.quorums.rules import Rule
from scrutator.model.quorums.system import QuorumSystem
from scrutator.model.quorums.table import NODES_MAX, QuorumsDeclaration, node_names

# Roles that play the same part: first the role that a model names, then what may stand in for it.
_ALIKE: Mapping[str, tuple[str, ...]] = {
    "election": ("phase1", "read", "quorum", "classic"),
    "commit": ("phase2", "write", "quorum", "classic"),
    "phase1": ("election", "read", "quorum", "classic"),
    "phase2": ("commit", "write", "quorum", "classic"),
}


@dataclass(frozen=True, slots=True)
class Handover:
    """What a model is given: its bounds, which role each quorum bound stands for, and what its nodes are called."""

    bounds: dict[str, str]
    roles: dict[str, str]  # bound of the model -> role of the system
    names: dict[str, str]  # the model's name of a node -> the system's

    def translated(self, nodes: tuple[str, ...]) -> frozenset[str]:
        """The system's names of a model's nodes."""
        return frozenset(self.names[node] for node in nodes)


def handover(system: QuorumSystem, spec: Spec) -> Handover:
    """The bounds that make a model use the system's quorums.

    Raises `QuorumError` where the model takes no quorums, or other roles than the system has, or fewer nodes.
    """
    declared = [bound for bound in spec.bounds if isinstance(bound, QuorumsDeclaration)]
    if not declared:
        raise QuorumError(f"the model {spec.name} takes no quorum system")
    nodes = tuple(dict.fromkeys(name for expression in system.roles.values() for name in expression.names()))
    if len(nodes) > NODES_MAX:
        raise QuorumError(f"a model has at most {NODES_MAX} nodes, and {system.name} has {len(nodes)}: check a smaller one")
    letters = dict(zip(nodes, node_names(len(nodes)), strict=True))
    bounds: dict[str, str] = {}
    roles: dict[str, str] = {}
    names: dict[str, str] = {}
    for bound in declared:
        candidates = (bound.name, *_ALIKE.get(bound.name, ("quorum",)))
        role = next((role for role in candidates if role in system.roles), None)
        if role is None:
            raise QuorumError(
                f"the model {spec.name} needs quorums for {bound.name}, and {system.name} has them for "
                f"{', '.join(system.roles)}: name one of its roles {bound.name}"
            )
        roles[bound.name] = role
        bounds[bound.name] = str(system.roles[role].mapped(lambda node: Node(letters[node.name])))
        count = bound.index.count
        if isinstance(count, BoundDeclaration):
            bounds[count.name] = str(len(nodes))
        shown = bound.index.resolve({count.name: len(nodes)} if isinstance(count, BoundDeclaration) else {})
        names.update({shown.show(k): name for k, name in enumerate(nodes)})
    return Handover(bounds, roles, names)


@dataclass(frozen=True, slots=True)
class Shown:
    """The quorums on which a counterexample rests, by the system's names, and two that miss each other if any do."""

    quorums: tuple[tuple[str, frozenset[str]], ...]
    apart: tuple[tuple[str, frozenset[str]], tuple[str, frozenset[str]]] | None


def quorums_of(result: Result, given: Handover, rules: Collection[Rule]) -> Shown | None:
    """The quorums that decided something in the first counterexample; None where there is none.

    Of those, two without a common node that a rule says must have one.
    """
    trace = next((p.trace for p in result.properties if p.trace is not None and p.verdict.value == "violated"), None)
    if trace is None:
        return None
    found = dict.fromkeys(
        (given.roles[name], given.translated(nodes)) for step in trace.steps for name, nodes in step.decided
    )
    ruled = {frozenset(rule.roles) for rule in rules}
    pairs = (
        (first, second)
        for first in found
        for second in found
        if not first[1] & second[1] and frozenset((first[0], second[0])) in ruled
    )
    return Shown(tuple(found), next(pairs, None))
