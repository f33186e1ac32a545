"""Quorum systems as values: which sets of nodes may decide."""

from scrutator.model.quorums.expression import (
    AtLeast,
    Expression,
    Kind,
    Node,
    QuorumError,
    all_of,
    any_of,
    choose,
    majority,
    minimal_quorums,
    nodes,
    weighted,
)
from scrutator.model.quorums.parse import parse
from scrutator.model.quorums.rules import FAMILIES, Rule
from scrutator.model.quorums.system import QuorumSystem, parse_system, with_rules
from scrutator.model.quorums.table import Quorums, QuorumTable

__all__ = [
    "FAMILIES",
    "AtLeast",
    "Expression",
    "Kind",
    "Node",
    "QuorumError",
    "QuorumSystem",
    "QuorumTable",
    "Quorums",
    "Rule",
    "all_of",
    "any_of",
    "choose",
    "majority",
    "minimal_quorums",
    "nodes",
    "parse",
    "parse_system",
    "weighted",
    "with_rules",
]
