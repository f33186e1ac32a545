"""Expressions made ready for computing: numbered parts, each once, and which of them are independent.

A circuit lists its parts with members before what they are members of.  Equal parts are one part, and
thresholds are brought to small weights, so that what only looks shared or tangled is not.  Law: a
circuit has exactly the quorums of its expression.  Decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from math import gcd

from scrutator.model.quorums.expression import AtLeast, Expression, Node, QuorumError, fold


@dataclass(frozen=True, slots=True)
class Gate:
    """A threshold over other parts: (weight, position) each, every position once."""

    needed: int
    members: tuple[tuple[int, int], ...]

    @property
    def positions(self) -> tuple[int, ...]:
        return tuple(position for _, position in self.members)


@dataclass(frozen=True, slots=True)
class Circuit:
    """Parts in order, the last of which is the whole; ``below`` has the nodes of each as a bit mask."""

    parts: tuple[str | Gate, ...]
    below: tuple[int, ...]

    @property
    def root(self) -> int:
        return len(self.parts) - 1

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(part for part in self.parts if isinstance(part, str))

    def gate(self, position: int) -> Gate:
        part = self.parts[position]
        assert isinstance(part, Gate)
        return part

    def parents(self) -> list[list[tuple[int, int]]]:
        """For each part, the gates it is a member of, with its weight there."""
        found: list[list[tuple[int, int]]] = [[] for _ in self.parts]
        for position, part in enumerate(self.parts):
            if isinstance(part, Gate):
                for weight, member in part.members:
                    found[member].append((position, weight))
        return found

    def is_quorum(self, present: Collection[str]) -> bool:
        """Whether the named nodes are a quorum."""
        held: list[bool] = []
        for part in self.parts:
            if isinstance(part, str):
                held.append(part in present)
            else:
                held.append(sum(weight for weight, member in part.members if held[member]) >= part.needed)
        return held[-1]

    def expression(self, position: int, leaf: Callable[[int], Expression | None]) -> Expression:
        """The part as an expression again; where ``leaf`` gives one, it stands for that part."""
        made: dict[int, Expression] = {}
        for k in self.reached(position, lambda k: leaf(k) is not None):
            part, stand_in = self.parts[k], leaf(k)
            if stand_in is not None:
                made[k] = stand_in
            elif isinstance(part, str):
                made[k] = Node(part)
            else:
                made[k] = AtLeast(part.needed, tuple((weight, made[member]) for weight, member in part.members))
        return made[position]

    def reached(self, position: int, is_end: Callable[[int], bool] = lambda k: False) -> list[int]:
        """The parts below one and itself, in order, nothing below an end."""
        found: set[int] = set()
        stack = [position]
        while stack:
            k = stack.pop()
            if k in found:
                continue
            found.add(k)
            part = self.parts[k]
            if isinstance(part, Gate) and not is_end(k):
                stack.extend(part.positions)
        return sorted(found)


def compiled(expression: Expression) -> Circuit | bool:
    """The circuit of an expression; True if even no nodes at all are a quorum, False if nothing is."""
    parts: list[str | Gate] = []
    known: dict[str | Gate, int] = {}

    def place(part: str | Gate) -> int:
        if part not in known:
            known[part] = len(parts)
            parts.append(part)
        return known[part]

    def of_gate(gate: AtLeast, members: list[int | bool]) -> int | bool:
        made = _simplified(gate, members)
        return place(made) if isinstance(made, Gate) else made

    root = fold(expression, lambda node: place(node.name), of_gate)
    if isinstance(root, bool):
        return root
    whole = Circuit(tuple(parts), ()).reached(root)
    renumbered = {old: new for new, old in enumerate(whole)}
    kept: list[str | Gate] = []
    below: list[int] = []
    for old in whole:
        part = parts[old]
        if isinstance(part, Gate):
            part = Gate(part.needed, tuple((weight, renumbered[member]) for weight, member in part.members))
            below.append(0)
            for member in part.positions:
                below[-1] |= below[member]
        else:
            below.append(1 << len(below))
        kept.append(part)
    return Circuit(tuple(kept), tuple(below))


def _simplified(gate: AtLeast, members: Sequence[int | bool]) -> Gate | int | bool:
    """A threshold of equal meaning with the members that are not constant, each once."""
    needed = gate.needed
    merged: dict[int, int] = {}
    for weight, member in zip(gate.weights, members, strict=True):
        if weight < 0:
            raise QuorumError(f"a weight of {weight} in {gate}: more nodes could be less than a quorum; use weights of 1 or more")
        if isinstance(member, bool):
            needed -= weight if member else 0
        elif weight:
            merged[member] = merged.get(member, 0) + weight
    if needed <= 0:
        return True
    total = sum(merged.values())
    if total < needed:
        return False
    if total - min(merged.values()) < needed:  # all are needed
        merged, needed = dict.fromkeys(merged, 1), len(merged)
    capped = {member: min(weight, needed) for member, weight in merged.items()}
    if len(capped) == 1:
        return next(iter(capped))
    unit = gcd(*capped.values())
    ordered = tuple((weight // unit, member) for member, weight in sorted(capped.items()))
    return Gate(-(-needed // unit), ordered)


# --- independence -------------------------------------------------------------------------


class Shape(Enum):
    """How a part hangs on those that it is computed from."""

    NODE = "a node"
    ALTERNATIVES = "any one member is enough"
    APART = "members that have no node in common"
    TANGLED = "nodes are shared between members"


@dataclass(frozen=True, slots=True)
class Step:
    """A part, and the parts from which it is computed: independent of one another, except alternatives."""

    position: int
    shape: Shape
    sources: tuple[int, ...]


def steps(circuit: Circuit, *, alternatives: bool = False) -> Iterator[Step]:
    """How to compute the whole from nodes, sources before what needs them.

    With ``alternatives``, parts of which one member is enough are told, whether or not members share
    nodes: right for what the best member decides, such as the smallest quorum.
    """
    wanted = {circuit.root}
    found: list[Step] = []
    for position in reversed(range(len(circuit.parts))):
        if position in wanted:
            found.append(_step(circuit, position, alternatives))
            wanted.update(found[-1].sources)
    return reversed(found)


def _step(circuit: Circuit, position: int, alternatives: bool) -> Step:
    part = circuit.parts[position]
    if isinstance(part, str):
        return Step(position, Shape.NODE, ())
    if alternatives and part.needed == 1:
        return Step(position, Shape.ALTERNATIVES, part.positions)
    seen = 0
    for member in part.positions:
        if seen & circuit.below[member]:
            return Step(position, Shape.TANGLED, tuple(_modules(circuit, position)))
        seen |= circuit.below[member]
    return Step(position, Shape.APART, part.positions)


def _modules(circuit: Circuit, root: int) -> list[int]:
    """The largest parts strictly below one whose nodes appear nowhere else below it.

    These are the parts that dominate all their nodes; dominators of an acyclic graph take one pass
    (Cooper, Harvey and Kennedy, "A simple, fast dominance algorithm", 2001).
    """
    inside = circuit.reached(root)
    chosen = set(inside)
    parents = circuit.parents()
    dominator: dict[int, int] = {root: root}
    depth: dict[int, int] = {root: 0}
    for k in reversed(inside[:-1]):
        above = [parent for parent, _ in parents[k] if parent in chosen]
        common = above[0]
        for other in above[1:]:
            while common != other:
                if depth[common] >= depth[other]:
                    common = dominator[common]
                else:
                    other = dominator[other]
        dominator[k], depth[k] = common, depth[common] + 1
    dominated = {k: circuit.below[k] if isinstance(circuit.parts[k], str) else 0 for k in inside}
    for k in inside[:-1]:
        dominated[dominator[k]] |= dominated[k]
    modules = {k for k in inside[:-1] if dominated[k] == circuit.below[k]}
    reached = circuit.reached(root, lambda k: k in modules)
    return [k for k in reached if k in modules]
