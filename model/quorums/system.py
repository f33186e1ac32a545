"""Quorum systems over an index type, given as an expression and used as ``votes in QUORUMS``.

An expression names nodes a, b, c, ... (or their numbers from 1) and combines them:
``a*b + c*d`` is "a and b, or c and d"; ``choose(2, a, b, c)`` any two of three;
``majority``, ``all``, ``half`` (at least half) and ``any`` range over all nodes, and a bare
number k means any k nodes.  A set of nodes is a quorum if it satisfies the expression, so every
system is monotone: a superset of a quorum is one.  Expressions are parsed, never evaluated.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import Any

from scrutator.model.language.errors import SpecError
from scrutator.model.language.types import BoundDeclaration, Env, IndexType
from scrutator.model.language.values import Fault, plain

NODES_MAX = 16
EXPRESSION_CHARACTERS_MAX = 4096


class QuorumSystem:
    """The quorums over ``index``: ``table[m]`` tells whether the set with bit mask ``m`` is one."""

    def __init__(self, name: str, index: IndexType, expression: str) -> None:
        if index.count > NODES_MAX:
            raise SpecError(f"{name}: a quorum system inside a model has at most {NODES_MAX} nodes")
        self.name, self.index, self.expression = name, index, expression
        test = _parse(name, expression, index.count)
        self.table = bytes(test(mask) for mask in range(1 << index.count))

    def __contains__(self, nodes: Iterable[int]) -> bool:
        mask = 0
        for node in plain(nodes):
            try:
                mask |= 1 << self.index.pack(node)
            except ValueError as error:
                raise Fault(f"{self.name}: {error}") from None
        return bool(self.table[mask])

    def __str__(self) -> str:
        return self.expression


class _Declaration(BoundDeclaration):
    def __init__(self, name: str, index: Any, default: str, doc: str) -> None:
        super().__init__(name, default, doc)
        self.index = index

    def parse(self, value: object) -> str:
        return str(value)

    def evaluate(self, env: Env) -> QuorumSystem:
        return QuorumSystem(self.name, self.index.resolve(env), env[self.name])

    def parts(self) -> list[object]:
        return [self.index]


def Quorums(name: str, index: Any, default: str, doc: str) -> Any:
    """A quorum system as a bound of a model: ``--set name=EXPRESSION``; used as ``votes in NAME``."""
    return _Declaration(name, index, default, doc)


Test = Callable[[int], bool]


def _parse(name: str, expression: str, count: int) -> Test:
    def wrong(why: str) -> SpecError:
        return SpecError(f"{name}={expression}: {why}; write for instance majority, 2, a*b + c or choose(2, a, b, c)")

    if len(expression) > EXPRESSION_CHARACTERS_MAX:
        raise SpecError(f"{name}: the expression is longer than {EXPRESSION_CHARACTERS_MAX} characters")
    try:
        tree = ast.parse(expression.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise wrong("not a quorum expression") from None
    everyone = {"majority": count // 2 + 1, "half": (count + 1) // 2, "all": count, "any": 1}

    def at_least(k: int, tests: list[Test]) -> Test:
        return lambda mask: sum(t(mask) for t in tests) >= k

    def node(position: int) -> Test:
        if not 0 <= position < count:
            raise wrong(f"there are only {count} nodes, {chr(97)} to {chr(96 + count)}")
        return lambda mask: bool(mask >> position & 1)

    def build(tree: ast.expr) -> Test:
        if isinstance(tree, ast.Name) and tree.id in everyone:
            return at_least(everyone[tree.id], [node(k) for k in range(count)])
        if isinstance(tree, ast.Name) and len(tree.id) == 1 and tree.id.isascii() and tree.id.islower():
            return node(ord(tree.id) - ord("a"))
        if isinstance(tree, ast.BinOp) and isinstance(tree.op, (ast.Mult, ast.Add)):
            return at_least(2 if isinstance(tree.op, ast.Mult) else 1, [build(tree.left), build(tree.right)])
        if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and tree.func.id == "choose" and not tree.keywords:
            k, *members = tree.args
            if isinstance(k, ast.Constant) and isinstance(k.value, int) and 1 <= k.value <= len(members):
                return at_least(k.value, [build(m) for m in members])
            raise wrong("choose(k, ...) takes k between 1 and the number of members")
        raise wrong(f"cannot read {ast.unparse(tree)}")

    if isinstance(tree, ast.Constant) and isinstance(tree.value, int) and not isinstance(tree.value, bool):
        if not 1 <= tree.value <= count:
            raise wrong(f"a quorum has 1 to {count} nodes")
        return at_least(tree.value, [node(k) for k in range(count)])
    return build(tree)
