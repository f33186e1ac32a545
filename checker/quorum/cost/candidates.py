"""Quorum systems to choose from: the structures of the literature, and every expression without repetition.

Law: nodes with equal attributes are interchangeable, so of expressions that differ only in such nodes
one is made.  Each expression without repetition has one form here: no "or" inside an "or", no "and"
inside an "and", members in one order.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from functools import cache
from itertools import product
from typing import TypeAlias

from scrutator.model.quorums import structures
from scrutator.model.quorums.expression import AtLeast, Expression, Node, QuorumError, choose, weighted

Counts = tuple[int, ...]  # how many nodes of each kind
Tree: TypeAlias = "int | tuple[int, tuple[Tree, ...]]"  # a kind of node, or how many are needed of which
HEAVIEST = 10  # the largest weight where weights follow capacities


def kinds(nodes: Sequence[Node], attributes: Callable[[Node], Hashable]) -> list[list[Node]]:
    """The nodes in groups of equal attributes, each in the order given."""
    groups: dict[Hashable, list[Node]] = {}
    for node in nodes:
        groups.setdefault(attributes(node), []).append(node)
    return list(groups.values())


def duplicate_free(groups: Sequence[Sequence[Node]], stop: Callable[[], bool] = lambda: False) -> Iterator[Expression]:
    """Every expression of thresholds that names each of its nodes once, up to exchanging nodes of a group.

    First those of all nodes, then those that leave nodes out.  Ends early when ``stop`` says so.
    Source of the idea, without exchanges and with repetitions: Whittaker et al., 2021, section 5.
    """
    whole = tuple(len(group) for group in groups)
    trees = _Trees(stop)
    try:
        for counts in sorted(_parts_of(whole), key=lambda c: (-sum(c), c)):
            for tree in trees.of(counts):
                yield _named(tree, groups)
    except _Stopped:
        return


class _Stopped(Exception):
    """Time is up inside a list that would have become long."""


class _Trees:
    """Trees over numbers of nodes of each kind; those over few nodes are kept, as they are parts of many."""

    def __init__(self, stop: Callable[[], bool]) -> None:
        self.stop = stop
        self.kept: dict[Counts, list[Tree]] = {}

    def of(self, counts: Counts) -> Iterator[Tree]:
        if sum(counts) == 1:
            yield counts.index(1)
            return
        order = [part for part in _parts_of(counts) if part != counts]
        for members in self._members(counts, order, len(order) - 1, None):
            for needed in range(1, len(members) + 1):
                if not any(_merges(needed, len(members), member) for member in members):
                    yield needed, members

    def _list(self, counts: Counts) -> list[Tree]:
        if counts not in self.kept:
            found: list[Tree] = []
            for tree in self.of(counts):
                found.append(tree)
                if not len(found) % 256 and self.stop():
                    raise _Stopped
            self.kept[counts] = found
        return self.kept[counts]

    def _members(self, counts: Counts, order: list[Counts], last: int, index: int | None) -> Iterator[tuple[Tree, ...]]:
        """Trees that use up ``counts``, none after ``order[last]``, nor of that part any after ``index``."""
        if not any(counts):
            yield ()
            return
        for k in range(last + 1):
            left = tuple(have - used for have, used in zip(counts, order[k], strict=True))
            if min(left) < 0:
                continue
            listed = self._list(order[k])
            for i in range(len(listed) if k < last or index is None else index + 1):
                for rest in self._members(left, order, k, i):
                    yield listed[i], *rest


@cache
def _parts_of(whole: Counts) -> tuple[Counts, ...]:
    """All smaller counts but none at all, those of few nodes first."""
    return tuple(sorted((c for c in product(*(range(n + 1) for n in whole)) if any(c)), key=lambda c: (sum(c), c)))


def _merges(needed: int, count: int, member: Tree) -> bool:
    """Whether the member is an "or" inside an "or", or an "and" inside an "and"."""
    if isinstance(member, int):
        return False
    return (needed == 1 and member[0] == 1) or (needed == count and member[0] == len(member[1]))


def _named(tree: Tree, groups: Sequence[Sequence[Node]]) -> Expression:
    left = [iter(group) for group in groups]

    def name(part: Tree) -> Expression:
        if isinstance(part, int):
            return next(left[part])
        return AtLeast(part[0], tuple((1, name(member)) for member in part[1]))

    return name(tree)


# --- structures ---------------------------------------------------------------------------


def structured(nodes: Sequence[Node]) -> Iterator[Expression]:
    """Thresholds, weights after capacities, and over several orders of the nodes grids, walls, hierarchies, trees, planes.

    Each comes with its dual, as either may be the one to read.  Without repetitions.
    """
    seen: set[Expression] = set()
    for found in _structures(nodes):
        for expression in (found, found.dual()):
            if expression not in seen:
                seen.add(expression)
                yield expression


def _structures(nodes: Sequence[Node]) -> Iterator[Expression]:
    count = len(nodes)
    for k in range(1, count + 1):
        yield choose(k, nodes)
    yield from _weights(nodes)
    for order in _orders(nodes):
        for fewer in range(1, count):  # only the first nodes of an order, such as the fastest
            yield choose(fewer // 2 + 1, order[:fewer])
        for columns in range(2, count // 2 + 1):
            shape = [order[k : k + columns] for k in range(0, count, columns)]
            yield from _of_groups(shape)
        yield from _sized(order)
    regions = kinds(nodes, lambda node: node.region)
    if len(regions) > 1:
        yield from _of_groups(regions)
        yield from _of_regions(regions)


def _orders(nodes: Sequence[Node]) -> list[list[Node]]:
    """The nodes as given, by latency, by capacity, by region, and mixed from the regions."""
    regions = kinds(nodes, lambda node: node.region)
    longest = max(map(len, regions))
    mixed = [region[k] for k in range(longest) for region in regions if k < len(region)]
    by_latency = sorted(nodes, key=lambda node: node.latency_s)
    by_capacity = sorted(nodes, key=lambda node: (-node.write_capacity, -node.read_capacity))
    orders = [list(nodes), by_latency, by_capacity, [node for region in regions for node in region], mixed]
    return [order for k, order in enumerate(orders) if order not in orders[:k]]


def _weights(nodes: Sequence[Node]) -> Iterator[Expression]:
    for capacity in ("read_capacity", "write_capacity"):
        values = [getattr(node, capacity) for node in nodes]
        members = [(max(1, round(HEAVIEST * value / max(values))), node) for value, node in zip(values, nodes, strict=True)]
        total = sum(weight for weight, _ in members)
        if len(members) > 1:
            for needed in sorted({total // 4, total // 3, total // 2, 2 * total // 3}):
                yield weighted(needed + 1, members)


def _of_groups(groups: Sequence[Sequence[Node]]) -> Iterator[Expression]:
    """All of one group, majorities of each, of most; of a full grid also rows with columns; walls."""
    yield structures.rows(groups)
    yield structures.hierarchy(groups)
    yield structures.majority_of_each(groups)
    yield structures.wall(groups)
    if len({len(group) for group in groups}) == 1:
        yield structures.columns(groups)
        yield structures.grid(groups)


def _of_regions(regions: Sequence[Sequence[Node]]) -> Iterator[Expression]:
    """Any number of regions, each with any, most or all of its nodes."""
    for needed in range(1, len(regions) + 1):
        for share in (lambda n: 1, lambda n: n // 2 + 1, lambda n: n):
            yield choose(needed, [choose(share(len(region)), region) for region in regions])


def _sized(order: Sequence[Node]) -> Iterator[Expression]:
    """Structures that exist for some numbers of nodes only."""
    for structure in (structures.tree, structures.plane, structures.wheel):
        try:
            yield structure(order)
        except QuorumError:
            continue
    rows, start, width = [], 0, 1
    while start < len(order):  # a triangle: rows of 1, 2, 3 ... nodes
        rows.append(order[start : start + width])
        start, width = start + width, width + 1
    yield structures.wall(rows)
