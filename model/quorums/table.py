"""Quorums inside a model: a bound that is given as an expression and used as ``votes in QUORUMS``.

The nodes are named a, b, c, ...; ``majority``, ``all``, ``half`` (at least half) and ``any`` range
over all of them, and a bare number k means any k nodes.  Law: the model sees a table over sets of
nodes, made of the same expressions that the quorum verifier decides about.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from operator import mul
from typing import Any

from scrutator.model.language.errors import SpecError
from scrutator.model.language.types import BoundDeclaration, Env, IndexType
from scrutator.model.language.values import Fault, plain
from scrutator.model.quorums.expression import AtLeast, Expression, Node, QuorumError, fold, nodes
from scrutator.model.quorums.parse import parse

NODES_MAX = 16


class QuorumTable:
    """The quorums over ``index``: ``table[m]`` tells whether the set with bit mask ``m`` is one."""

    def __init__(self, name: str, index: IndexType, expression: str) -> None:
        if index.count > NODES_MAX:
            raise SpecError(f"{name}: a quorum system inside a model has at most {NODES_MAX} nodes")
        self.name, self.index, self.expression = name, index, expression
        self.table = _table(_parse(name, expression, index.count), index.count)

    def __contains__(self, nodes: Iterable[int]) -> bool:
        mask = 0
        for node in plain(nodes):
            try:
                mask |= 1 << self.index.pack(node)
            except ValueError as error:
                raise Fault(f"{self.name}: {error}") from None
        decides = bool(self.table[mask])
        seen = _OBSERVED.get()
        if seen is not None and decides:
            members = tuple(self.index.show(self.index.unpack(k)) for k in range(self.index.count) if mask >> k & 1)
            seen[self.name, members] = None
        return decides

    def __str__(self) -> str:
        return self.expression


_OBSERVED: ContextVar[dict[tuple[str, tuple[str, ...]], None] | None] = ContextVar("observed", default=None)


@contextmanager
def observed() -> Iterator[dict[tuple[str, tuple[str, ...]], None]]:
    """What models that are interpreted inside find to be quorums: (name of the bound, nodes), in order."""
    seen: dict[tuple[str, tuple[str, ...]], None] = {}
    token = _OBSERVED.set(seen)
    try:
        yield seen
    finally:
        _OBSERVED.reset(token)


class QuorumsDeclaration(BoundDeclaration):
    """A quorum system as a bound; made by `Quorums`."""

    def __init__(self, name: str, index: Any, default: str, doc: str) -> None:
        super().__init__(name, default, doc)
        self.index = index

    def parse(self, value: object) -> str:
        return str(value)

    def evaluate(self, env: Env) -> QuorumTable:
        return QuorumTable(self.name, self.index.resolve(env), env[self.name])

    def parts(self) -> list[object]:
        return [self.index]


def Quorums(name: str, index: Any, default: str, doc: str) -> Any:
    """A quorum system as a bound of a model: ``--set name=EXPRESSION``; used as ``votes in NAME``."""
    return QuorumsDeclaration(name, index, default, doc)


def _parse(name: str, text: str, count: int) -> Expression:
    everyone = nodes(node_names(count))
    try:
        return parse(text, everyone=everyone, named={node.name: node for node in everyone})
    except QuorumError as error:
        raise SpecError(f"{name}={text}: {error}") from None


def node_names(count: int) -> list[str]:
    """The names of a model's nodes, in order: a, b, c, ..."""
    return [chr(ord("a") + k) for k in range(count)]


def _table(expression: Expression, count: int) -> bytes:
    """For every set of nodes, as a bit mask, whether it is a quorum."""
    masks = range(1 << count)

    def node(leaf: Node) -> list[int]:
        position = ord(leaf.name) - ord("a")
        return [mask >> position & 1 for mask in masks]

    def gate(at_least: AtLeast, members: list[list[int]]) -> list[int]:
        weights = at_least.weights
        return [sum(map(mul, weights, held)) >= at_least.needed for held in zip(*members, strict=True)]

    return bytes(fold(expression, node, gate))
