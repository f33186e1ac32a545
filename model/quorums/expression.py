"""Quorum expressions: values that say which sets of nodes are quorums.

An expression is a node, or a weighted threshold over expressions: ``a*b`` needs both, ``a + b``
either, `choose` any k, `weighted` enough weight.  Law: every expression is monotone (a superset of
a quorum is a quorum), and a value: nodes are the same node if they have the same name, wherever they
were made.  Decides nothing: whether quorums meet is the checker's to say.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from itertools import combinations
from keyword import iskeyword
from typing import TypeVar

T = TypeVar("T")
RANGES = ("majority", "half", "all", "any")  # words that, alone, range over all nodes
OPERANDS_MAX = 20  # of a sum or a product, before it is written as any(...) or all(...)


class QuorumError(ValueError):
    """A quorum system that is wrongly stated: says what, and how to put it right."""


class Kind(Enum):
    """What a node does."""

    VOTER = "voter"
    WITNESS = "witness"  # votes and acknowledges, but holds no data
    LEARNER = "learner"  # receives, never counts


class Expression:
    """A monotone condition on sets of nodes; either a `Node` or an `AtLeast`.

    >>> a, b, c, d = nodes("a b c d")
    >>> grid = a*b + c*d
    >>> grid.is_quorum({"a", "b", "d"}), grid.is_quorum({"a", "c"})
    (True, False)
    >>> str(grid.dual())
    '(a + b)*(c + d)'
    """

    __slots__ = ()

    def __add__(self, other: Expression) -> Expression:
        if not isinstance(other, Expression):
            return NotImplemented
        return any_of([*_alternatives(self), *_alternatives(other)])

    def __mul__(self, other: Expression) -> Expression:
        if not isinstance(other, Expression):
            return NotImplemented
        return all_of([*_factors(self), *_factors(other)])

    def nodes(self) -> tuple[Node, ...]:
        """The nodes named, in the order of their first appearance.

        Raises `QuorumError` where one name stands for nodes with different attributes.
        """
        found: dict[str, Node] = {}
        for part in parts(self):
            if isinstance(part, Node):
                first = found.setdefault(part.name, part)
                if first is not part and first.attributes != part.attributes:
                    raise QuorumError(f"node {part.name} is given twice, with different attributes")
        return tuple(found.values())

    def names(self) -> tuple[str, ...]:
        """The names of `nodes`."""
        return tuple(node.name for node in self.nodes())

    def is_quorum(self, present: Collection[str]) -> bool:
        """Whether the named nodes are a quorum; names that do not appear count for nothing."""
        names = present if isinstance(present, (set, frozenset)) else frozenset(present)
        return fold(
            self,
            lambda node: node.name in names,
            lambda gate, held: sum(weight for weight, yes in zip(gate.weights, held, strict=True) if yes) >= gate.needed,
        )

    def mapped(self, put: Callable[[Node], Expression]) -> Expression:
        """The same thresholds, with something else in place of each node."""
        return fold(self, put, lambda gate, members: AtLeast(gate.needed, tuple(zip(gate.weights, members, strict=True))))

    def dual(self) -> Expression:
        """The sets that meet every quorum: the quorums of the dual are this one's blocking sets.

        Source: Ibaraki and Kameda, "A theory of coteries", 1993.
        """
        return fold(
            self,
            lambda node: node,
            lambda gate, members: AtLeast(gate.total - gate.needed + 1, tuple(zip(gate.weights, members, strict=True))),
        )

    def restricted(self, present: Collection[str] = (), absent: Collection[str] = ()) -> Expression:
        """What is still needed once some nodes are known to be present, others absent; simplified."""
        known = {**dict.fromkeys(absent, NEVER), **dict.fromkeys(present, ALWAYS)}
        return fold(self, lambda node: known.get(node.name, node), _simplified)

    def __str__(self) -> str:
        return fold(self, lambda node: node.label, lambda gate, texts: _text(gate, texts))


@dataclass(frozen=True, slots=True)
class Node(Expression):
    """A node, known by its name.

    ``read_capacity`` and ``write_capacity`` are operations a second (or any unit, the same for all),
    ``latency_s`` the time a client waits for its answer, ``failure`` the probability that it is down.
    """

    name: str
    region: str | None = field(default=None, compare=False)
    read_capacity: float = field(default=1.0, compare=False)
    write_capacity: float = field(default=1.0, compare=False)
    latency_s: float = field(default=1.0, compare=False)
    failure: float | None = field(default=None, compare=False)
    kind: Kind = field(default=Kind.VOTER, compare=False)

    def __post_init__(self) -> None:
        if not self.name:
            raise QuorumError("a node needs a name")
        for what, value in (("capacity", self.read_capacity), ("capacity", self.write_capacity), ("latency", self.latency_s)):
            if not 0 < value < float("inf"):
                raise QuorumError(f"node {self.name}: a {what} is above 0, not {value}")
        if self.failure is not None and not 0 <= self.failure <= 1:
            raise QuorumError(f"node {self.name}: a probability of failure is between 0 and 1, not {self.failure}")

    @property
    def attributes(self) -> tuple[object, ...]:
        return (self.region, self.read_capacity, self.write_capacity, self.latency_s, self.failure, self.kind)

    @property
    def label(self) -> str:
        """The name as it is written in an expression: quoted where it would be read as something else."""
        plain = self.name.isidentifier() and self.name.isascii() and not iskeyword(self.name)
        return self.name if plain and self.name not in RANGES else repr(self.name)


@dataclass(frozen=True, slots=True)
class AtLeast(Expression):
    """Members of total weight ``needed`` or more; each member is a (weight, expression).

    `any_of`, `all_of`, `choose`, `majority` and `weighted` make them and refuse what makes no sense;
    nothing is refused here, as ``AtLeast(1, ())`` (never) and ``AtLeast(0, ())`` (always) have their uses.
    """

    needed: int
    members: tuple[tuple[int, Expression], ...]

    @property
    def weights(self) -> tuple[int, ...]:
        return tuple(weight for weight, _ in self.members)

    @property
    def total(self) -> int:
        return sum(weight for weight, _ in self.members)

    @property
    def unweighted(self) -> bool:
        return all(weight == 1 for weight, _ in self.members)


ALWAYS = AtLeast(0, ())  # even of no nodes
NEVER = AtLeast(1, ())


# --- building -----------------------------------------------------------------------------


def nodes(names: str | Iterable[str]) -> tuple[Node, ...]:
    """Nodes without attributes, from names or one text of names between spaces."""
    return tuple(Node(name) for name in (names.split() if isinstance(names, str) else names))


def any_of(members: Iterable[Expression]) -> Expression:
    """At least one member."""
    return choose(1, members)


def all_of(members: Iterable[Expression]) -> Expression:
    """Every member."""
    listed = tuple(members)
    return choose(len(listed), listed)


def majority(members: Iterable[Expression]) -> Expression:
    """More than half of the members."""
    listed = tuple(members)
    return choose(len(listed) // 2 + 1, listed)


def choose(needed: int, members: Iterable[Expression]) -> Expression:
    """Any ``needed`` of the members."""
    return weighted(needed, [(1, member) for member in members])


def weighted(needed: int, members: Iterable[tuple[int, Expression]]) -> Expression:
    """Members of total weight ``needed`` or more.

    Raises `QuorumError` for no members, weights below 1, and a threshold that the empty set reaches
    or that all together do not.
    """
    listed = tuple(members)
    if not listed:
        raise QuorumError("a threshold over no members: nothing could ever be a quorum")
    light = next(((w, m) for w, m in listed if w < 1), None)
    if light is not None:
        raise QuorumError(
            f"the weight of {light[1]} is {light[0]}: weights are 1 or more; leave out a member that should not count"
        )
    gate = AtLeast(needed, listed)
    if needed < 1:
        raise QuorumError(f"a threshold of {needed}: no nodes at all would be a quorum; it is 1 or more")
    if needed > gate.total:
        what = f"{len(listed)} members" if gate.unweighted else f"the total weight {gate.total}"
        raise QuorumError(f"a threshold of {needed} is above {what}: nothing could ever be a quorum; lower it")
    return listed[0][1] if len(listed) == 1 else gate


def _alternatives(expression: Expression) -> tuple[Expression, ...]:
    """The members of an unweighted 'or'; anything else is one alternative."""
    if isinstance(expression, AtLeast) and expression.needed == 1 and expression.members and expression.unweighted:
        return tuple(member for _, member in expression.members)
    return (expression,)


def _factors(expression: Expression) -> tuple[Expression, ...]:
    """The members of an unweighted 'and'; anything else is one factor."""
    if isinstance(expression, AtLeast) and expression.needed == len(expression.members) > 0 and expression.unweighted:
        return tuple(member for _, member in expression.members)
    return (expression,)


# --- walking ------------------------------------------------------------------------------


def parts(expression: Expression) -> Iterator[Expression]:
    """The expression and all its parts, members before what they are members of; a shared part once."""
    done: set[int] = set()
    stack: list[tuple[Expression, bool]] = [(expression, False)]
    while stack:
        part, ready = stack.pop()
        if id(part) in done:
            continue
        if ready or not isinstance(part, AtLeast):
            done.add(id(part))
            yield part
        else:
            stack.append((part, True))
            stack.extend((member, False) for _, member in reversed(part.members))


def fold(expression: Expression, node: Callable[[Node], T], gate: Callable[[AtLeast, list[T]], T]) -> T:
    """A value for each part from those of its members, each part once; the value of the whole."""
    values: dict[int, T] = {}
    for part in parts(expression):
        if isinstance(part, AtLeast):
            values[id(part)] = gate(part, [values[id(member)] for _, member in part.members])
        else:
            assert isinstance(part, Node)
            values[id(part)] = node(part)
    return values[id(expression)]


def _simplified(gate: AtLeast, members: list[Expression]) -> Expression:
    needed, left = gate.needed, []
    for weight, member in zip(gate.weights, members, strict=True):
        if isinstance(member, AtLeast) and not member.members:
            needed -= weight if member.needed <= 0 else 0
        else:
            left.append((weight, member))
    if needed <= 0:
        return ALWAYS
    if sum(weight for weight, _ in left) < needed:
        return NEVER
    return left[0][1] if len(left) == 1 else AtLeast(needed, tuple(left))


# --- minimal quorums ----------------------------------------------------------------------


def is_read_once(expression: Expression) -> bool:
    """Whether no node is named twice: then parts are independent of one another."""
    seen: set[str] = set()
    stack = [expression]
    while stack:
        part = stack.pop()
        if isinstance(part, AtLeast):
            stack.extend(member for _, member in part.members)
        elif isinstance(part, Node):
            if part.name in seen:
                return False
            seen.add(part.name)
    return True


def minimal(sets: Iterable[frozenset[str]]) -> list[frozenset[str]]:
    """The sets that contain no other, smallest first, equal sizes in order of names."""
    kept: list[frozenset[str]] = []
    for candidate in sorted(set(sets), key=lambda s: (len(s), sorted(s))):
        if not any(other <= candidate for other in kept):
            kept.append(candidate)
    return kept


def minimal_quorums(expression: Expression) -> list[frozenset[str]]:
    """Every quorum of which no part is one, smallest first.

    There may be exponentially many: for systems of a few thousand at most.

    >>> [sorted(q) for q in minimal_quorums(majority(nodes("a b c")))]
    [['a', 'b'], ['a', 'c'], ['b', 'c']]
    """

    def of_gate(gate: AtLeast, members: list[list[frozenset[str]]]) -> list[frozenset[str]]:
        found: set[frozenset[str]] = set()
        for chosen in _minimal_choices(gate):
            sets = {frozenset[str]()}
            for k in chosen:
                sets = {a | b for a in sets for b in members[k]}
            found |= sets
        return minimal(found)

    return fold(expression, lambda node: [frozenset([node.name])], of_gate)


def _minimal_choices(gate: AtLeast) -> Iterator[tuple[int, ...]]:
    """Positions of members whose weight suffices, but not without the lightest of them."""
    count = len(gate.members)
    if gate.unweighted:
        if gate.needed <= count:
            yield from combinations(range(count), max(gate.needed, 0))
        return
    order = sorted(range(count), key=lambda k: -gate.weights[k])
    left = [0] * (count + 1)  # the weight of order[k:]
    for k in reversed(range(count)):
        left[k] = left[k + 1] + gate.weights[order[k]]
    stack: list[tuple[int, int, tuple[int, ...]]] = [(0, gate.needed, ())]
    while stack:  # heaviest first, so what reaches the threshold last is the lightest: none is superfluous
        k, needed, chosen = stack.pop()
        if needed <= 0:
            yield chosen
        elif left[k] >= needed:
            stack.append((k + 1, needed, chosen))
            stack.append((k + 1, needed - gate.weights[order[k]], (*chosen, order[k])))


# --- text ---------------------------------------------------------------------------------


def _text(gate: AtLeast, texts: list[str]) -> str:
    count = len(texts)
    if not count:
        return "always" if gate.needed <= 0 else "never"
    if not gate.unweighted:
        members = [t if w == 1 else f"{w}*{_bracketed(t, '+*')}" for w, t in zip(gate.weights, texts, strict=True)]
        return f"weighted({gate.needed}, {', '.join(members)})"
    if gate.needed in (1, count) and count > OPERANDS_MAX:
        return f"{'any' if gate.needed == 1 else 'all'}({', '.join(texts)})"
    if gate.needed == 1 and count > 1:
        return " + ".join(texts)
    if gate.needed == count:
        return "*".join(_bracketed(text, "+") for text in texts)
    if gate.needed == count // 2 + 1:
        return f"majority({', '.join(texts)})"
    return f"choose({gate.needed}, {', '.join(texts)})"


def _bracketed(text: str, operators: str) -> str:
    """The text, in brackets if one of the operators stands in it outside brackets and quotes."""
    depth, quote, escaped = 0, "", False
    for character in text:
        if quote:
            quote = "" if character == quote and not escaped else quote
            escaped = character == "\\" and not escaped
        elif character in "'\"":
            quote = character
        elif character in "([":
            depth += 1
        elif character in ")]":
            depth -= 1
        elif character in operators and not depth:
            return f"({text})"
    return text
