"""Quorum expressions as text, as on a command line or in a file.

``a*b + c*d`` is "a and b, or c and d"; ``choose(2, a, b, c)`` any two of three; ``weighted(4, 3*a,
b, c)`` a weight of four.  ``[...]`` groups nodes for `grid`, `rows`, `hierarchy` and the like, and
``n1, ..., n9`` is what it seems.  Law: text is parsed, never evaluated, and limited in size.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence

from scrutator.model.quorums import structures
from scrutator.model.quorums.expression import (
    RANGES,
    Expression,
    Node,
    QuorumError,
    all_of,
    any_of,
    choose,
    majority,
    weighted,
)

CHARACTERS_MAX = 100_000
NODES_MAX = 10_000
DEPTH_MAX = 60
WEIGHT_MAX = 10**18  # and the most a threshold may need

_OF_MEMBERS: Mapping[str, Callable[[Sequence[Expression]], Expression]] = {
    "majority": majority,
    "half": lambda members: choose((len(members) + 1) // 2, members),
    "all": all_of,
    "any": any_of,
    "joint": all_of,
    "wheel": structures.wheel,
    "tree": structures.tree,
    "plane": structures.plane,
}
_OF_GROUPS: Mapping[str, Callable[[structures.Groups], Expression]] = {
    "grid": structures.grid,
    "rows": structures.rows,
    "columns": structures.columns,
    "one_of_each": structures.one_of_each,
    "hierarchy": structures.hierarchy,
    "majority_of_each": structures.majority_of_each,
    "wall": structures.wall,
}
WORDS = (*_OF_MEMBERS, *_OF_GROUPS, "choose", "weighted", "dual")
_NUMBERED = re.compile(r"(.*?)(\d{1,9})")


def parse(
    text: str,
    *,
    everyone: Sequence[Expression] = (),
    named: Mapping[str, Expression] | None = None,
) -> Expression:
    """The expression that a text states.

    ``everyone`` are the nodes over which a bare ``majority``, ``half``, ``all``, ``any`` or number
    ranges.  ``named`` gives names their meaning and makes every other name unknown; without it, any
    name is a node.  Raises `QuorumError`, naming what cannot be read.

    >>> str(parse("majority(n1, ..., n5)"))
    'majority(n1, n2, n3, n4, n5)'
    >>> str(parse("2", everyone=[Node("a"), Node("b"), Node("c")]))
    'majority(a, b, c)'
    """
    if len(text) > CHARACTERS_MAX:
        raise QuorumError(f"the expression is longer than {CHARACTERS_MAX:,} characters")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (RecursionError, MemoryError):
        raise QuorumError(f"{_short(text)} is too deep or too long to read; write any(a, b, ...) for long sums") from None
    except (SyntaxError, ValueError):
        raise QuorumError(f"{_short(text)} is not a quorum expression{_HINT}") from None
    return _Reader(everyone, named).read(tree, 0)


_HINT = "; write for instance majority(a, b, c), a*b + c*d or choose(2, a, b, c)"


class _Reader:
    def __init__(self, everyone: Sequence[Expression], named: Mapping[str, Expression] | None) -> None:
        self.everyone, self.named = everyone, named
        self.nodes: dict[str, Expression] = {}

    def read(self, tree: ast.expr, depth: int) -> Expression:
        if depth > DEPTH_MAX:
            raise QuorumError(f"the expression is nested more than {DEPTH_MAX} deep")
        match tree:
            case ast.Name(id=word) if word in RANGES:
                return self.of_everyone(word)
            case ast.Name(id=name) | ast.Constant(value=str(name)):
                return self.node(name)
            case ast.BinOp(op=ast.Add() | ast.Mult()):
                return self.operation(tree, depth)
            case ast.Call(func=ast.Name(id=word), keywords=[]):
                return self.call(word, tree.args, depth + 1)
            case ast.Constant(value=bool()):
                pass
            case ast.Constant(value=int(count)):
                return self.any_so_many(count)
        raise QuorumError(f"cannot read {_short(_unparsed(tree))}{_HINT}")

    def operation(self, tree: ast.BinOp, depth: int) -> Expression:
        """A sum or product; long ones lean to the left, so they are gone through in a loop."""
        kind, right = type(tree.op), [tree.right]
        left = tree.left
        while isinstance(left, ast.BinOp) and type(left.op) is kind:
            right.append(left.right)
            left = left.left
        if kind is ast.Mult and any(_is_number(member) for member in (left, *right)):
            raise QuorumError(f"{_short(_unparsed(tree))}: a weight stands within weighted(...), first: weighted(4, 3*a, 2*b, c)")
        members = [self.read(member, depth + 1) for member in (left, *reversed(right))]
        return any_of(members) if kind is ast.Add else all_of(members)

    def call(self, word: str, arguments: list[ast.expr], depth: int) -> Expression:
        if word in _OF_MEMBERS:
            if not arguments:
                return self.of_everyone(word)
            return _within(word, lambda: _OF_MEMBERS[word](self.members(arguments, depth)))
        if word in _OF_GROUPS:
            return _within(word, lambda: _OF_GROUPS[word](self.groups(word, arguments, depth)))
        if word == "choose":
            needed, rest = self.count(word, arguments)
            return _within(word, lambda: choose(needed, self.members(rest, depth)))
        if word == "weighted":
            needed, rest = self.count(word, arguments)
            return _within(word, lambda: weighted(needed, [self.weight(member, depth) for member in rest]))
        if word == "dual":
            if len(arguments) != 1:
                raise QuorumError("dual takes one expression, such as dual(a*b + c*d)")
            return self.read(arguments[0], depth).dual()
        raise QuorumError(f"there is no {word}(...): the words are {', '.join(WORDS)}")

    def count(self, word: str, arguments: list[ast.expr]) -> tuple[int, list[ast.expr]]:
        match arguments:
            case [ast.Constant(value=int(needed)), *rest] if not isinstance(needed, bool):
                return _limited(needed), rest
        raise QuorumError(f"{word} begins with how much is needed, a whole number: {word}(2, a, b, c)")

    def members(self, arguments: list[ast.expr], depth: int) -> list[Expression]:
        """The arguments' meanings, with ``n1, ..., n9`` written out."""
        found: list[Expression] = []
        for k, argument in enumerate(arguments):
            if isinstance(argument, ast.Constant) and argument.value is ...:
                if not 0 < k < len(arguments) - 1:
                    raise QuorumError("... stands between two numbered nodes: n1, ..., n9")
                found.extend(self.between(arguments[k - 1], arguments[k + 1]))
            elif isinstance(argument, ast.List):
                found.extend(self.members(argument.elts, depth + 1))
            else:
                found.append(self.read(argument, depth))
        return found

    def between(self, first: ast.expr, last: ast.expr) -> list[Expression]:
        ends = []
        for end in (first, last):
            name = end.id if isinstance(end, ast.Name) else end.value if isinstance(end, ast.Constant) else None
            match = _NUMBERED.fullmatch(name) if isinstance(name, str) else None
            if match is None:
                raise QuorumError(f"... stands between two numbered nodes, not after {_short(_unparsed(first))}")
            ends.append((match[1], int(match[2])))
        (prefix, low), (other, high) = ends
        if prefix != other or high <= low or high - low > NODES_MAX:
            raise QuorumError(f"... cannot go from {_unparsed(first)} to {_unparsed(last)}: write n1, ..., n9")
        return [self.node(f"{prefix}{k}") for k in range(low + 1, high)]

    def groups(self, word: str, arguments: list[ast.expr], depth: int) -> list[list[Expression]]:
        lists = [argument.elts for argument in arguments if isinstance(argument, ast.List)]
        if not lists or len(lists) < len(arguments):
            raise QuorumError(f"{word} takes groups in brackets: {word}([a, b], [c, d])")
        return [self.members(group, depth + 1) for group in lists]

    def weight(self, tree: ast.expr, depth: int) -> tuple[int, Expression]:
        """``3*a`` and ``3*a*b``, which is 3*(a*b): a weight and the member that has it."""
        factors = [tree]
        while isinstance(factors[0], ast.BinOp) and isinstance(factors[0].op, ast.Mult):
            factors[:1] = [factors[0].left, factors[0].right]
        match factors[0]:
            case ast.Constant(value=int(weight)) if len(factors) > 1 and not isinstance(weight, bool):
                return _limited(weight), all_of(self.read(member, depth) for member in factors[1:])
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(weight))) if len(factors) > 1:
                return -_limited(weight), all_of(self.read(member, depth) for member in factors[1:])
            case ast.Constant(value=float()):
                raise QuorumError(f"{_unparsed(tree)}: weights are whole numbers; multiply them all until they are")
        return 1, self.read(tree, depth)

    def node(self, name: str) -> Expression:
        if self.named is not None:
            if name not in self.named:
                raise QuorumError(unknown("node", name, self.named))
            return self.named[name]
        if len(self.nodes) >= NODES_MAX:
            raise QuorumError(f"the expression names more than {NODES_MAX:,} nodes")
        return self.nodes.setdefault(name, Node(name))

    def of_everyone(self, word: str) -> Expression:
        if not self.everyone:
            raise QuorumError(f"{word} of which nodes? write {word}(a, b, c)")
        return _OF_MEMBERS[word](self.everyone)

    def any_so_many(self, count: int) -> Expression:
        if not self.everyone:
            raise QuorumError(f"{count} of which nodes? write choose({count}, a, b, c)")
        if not 1 <= count <= len(self.everyone):
            raise QuorumError(f"{count}: a quorum has 1 to {len(self.everyone)} nodes")
        return choose(count, self.everyone)


def unknown(what: str, name: str, known: Mapping[str, object]) -> str:
    """A message for a name that does not exist, with those that come close."""
    import difflib

    close = difflib.get_close_matches(name, known, 3)
    listed = list(known)
    some = ", ".join(listed[:12]) + (", ..." if len(listed) > 12 else "")
    return f"there is no {what} {name}: " + (f"did you mean {' or '.join(close)}?" if close else f"the {_plural(what)} are {some}")


def _plural(what: str) -> str:
    head, of, rest = what.partition(" of ")
    return ("families" if head == "family" else f"{head}s") + of + rest


def _within(word: str, build: Callable[[], Expression]) -> Expression:
    try:
        return build()
    except QuorumError as error:
        message = str(error)
        raise QuorumError(message if message.startswith(f"{word}(...)") else f"{word}(...): {message}") from None


def _is_number(tree: ast.expr) -> bool:
    return isinstance(tree, ast.Constant) and isinstance(tree.value, (int, float))


def _limited(number: int) -> int:
    if number > WEIGHT_MAX:
        raise QuorumError(f"a weight or threshold above {WEIGHT_MAX:,}: divide them all by what they have in common")
    return number


def _unparsed(tree: ast.expr) -> str:
    try:
        return ast.unparse(tree)
    except RecursionError:
        return "what is so deeply nested"


def _short(text: str, width: int = 60) -> str:
    flat = " ".join(text.split())
    return repr(flat) if len(flat) <= width else repr(flat[: width - 3] + "...")
