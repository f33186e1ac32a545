"""Nodes that play the same part: equal attributes, at the same places of the same expressions.

Law: a guess, found by refining colours until nothing changes; it never decides anything.  Where a
system is symmetric, weights that are equal for like nodes prove a bound at least as good, as the
bound is concave in the weights; where the guess is wrong, the bound is only worse.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence

from scrutator.model.quorums.expression import AtLeast, Expression, Node, parts


def alike(nodes: Sequence[Node], expressions: Iterable[Expression]) -> list[int]:
    """A number for each node, equal for nodes that play the same part."""
    colours: dict[str, int] = _numbered(
        {node.name: (node.read_capacity, node.write_capacity, node.latency_s) for node in nodes}
    )
    listed = [list(parts(expression)) for expression in expressions]
    while True:
        seen: dict[str, list[Hashable]] = {node.name: [] for node in nodes}
        for order in listed:
            _look(order, colours, seen)
        refined = _numbered({name: (colours[name], _counted(found)) for name, found in seen.items()})
        if len(set(refined.values())) == len(set(colours.values())):
            return [refined[node.name] for node in nodes]
        colours = refined


def _look(order: list[Expression], colours: dict[str, int], seen: dict[str, list[Hashable]]) -> None:
    """Notes for each node what the places look like at which it stands, from below and from above."""
    below: dict[int, Hashable] = {}
    for part in order:
        if isinstance(part, Node):
            below[id(part)] = colours[part.name]
        elif isinstance(part, AtLeast):
            below[id(part)] = hash((part.needed, _counted((weight, below[id(m)]) for weight, m in part.members)))
    above: dict[int, list[Hashable]] = {id(part): [] for part in order}
    above[id(order[-1])].append("root")
    for part in reversed(order):
        if isinstance(part, AtLeast):
            here = hash((below[id(part)], _counted(above[id(part)])))
            for weight, member in part.members:
                above[id(member)].append((weight, here))
        elif isinstance(part, Node):
            seen[part.name].extend(above[id(part)])


def _counted(things: Iterable[Hashable]) -> frozenset[tuple[Hashable, int]]:
    return frozenset(Counter(things).items())


def _numbered(values: dict[str, Hashable]) -> dict[str, int]:
    numbers: dict[Hashable, int] = {}
    return {name: numbers.setdefault(value, len(numbers)) for name, value in values.items()}
