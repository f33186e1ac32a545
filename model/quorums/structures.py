"""Quorum systems of the literature, as expressions: grids, hierarchies, trees, walls, wheels, planes.

Groups are sequences of expressions.  Law: each returns a plain expression; nothing else of the
project needs to know the structures.
"""

from __future__ import annotations

from collections.abc import Sequence

from scrutator.model.quorums.expression import (
    Expression,
    QuorumError,
    all_of,
    any_of,
    majority,
)

Groups = Sequence[Sequence[Expression]]
ORDER_MAX = 16  # of a projective plane: 273 nodes


def rows(groups: Groups) -> Expression:
    """All of one group: a full row of a grid, all nodes of one centre."""
    return any_of(all_of(group) for group in _groups(groups, "rows"))


def one_of_each(groups: Groups) -> Expression:
    """One of each group: meets every quorum of `rows`."""
    return all_of(any_of(group) for group in _groups(groups, "one_of_each"))


def columns(groups: Groups) -> Expression:
    """A full column of the grid that is given by its rows."""
    return rows(_transposed(groups, "columns"))


def grid(groups: Groups) -> Expression:
    """A full row and a full column.

    Source: Maekawa, "A sqrt(N) algorithm for mutual exclusion in decentralized systems", 1985.
    """
    return rows(groups) * columns(groups)


def hierarchy(groups: Groups) -> Expression:
    """A majority of the groups, with a majority of each.

    Source: Kumar, "Hierarchical quorum consensus", 1991.
    """
    return majority(majority(group) for group in _groups(groups, "hierarchy"))


def majority_of_each(groups: Groups) -> Expression:
    """A majority of every group, as Cassandra's EACH_QUORUM."""
    return all_of(majority(group) for group in _groups(groups, "majority_of_each"))


def wall(groups: Groups) -> Expression:
    """A full row, and one of each row below it.

    Source: Peleg and Wool, "Crumbling walls", 1997.
    """
    listed = _groups(groups, "wall")
    return any_of(
        all_of([all_of(row), *(any_of(lower) for lower in listed[k + 1 :])]) for k, row in enumerate(listed)
    )


def wheel(members: Sequence[Expression]) -> Expression:
    """The first node with any other, or all others without it."""
    if len(members) < 3:
        raise QuorumError(f"a wheel has a hub and at least 2 more nodes, not {len(members)} in all")
    hub, *rim = members
    return hub * any_of(rim) + all_of(rim)


def tree(members: Sequence[Expression]) -> Expression:
    """Paths from the root of a binary tree, given level by level; an absent node is replaced by both children's.

    Source: Agrawal and El Abbadi, "An efficient and fault-tolerant solution for distributed mutual
    exclusion", 1991.
    """
    count = len(members)
    if count < 1 or count & count + 1:
        raise QuorumError(f"a full binary tree has 1, 3, 7, 15 ... nodes, not {count}")
    below: list[Expression] = list(members)
    for k in reversed(range(count // 2)):
        left, right = below[2 * k + 1], below[2 * k + 2]
        below[k] = majority([members[k], left, right])  # a path through the node, or both subtrees without it
    return below[0]


def plane(members: Sequence[Expression]) -> Expression:
    """The lines of a finite projective plane: any two meet in one node, as few nodes as can be.

    Takes q*q + q + 1 nodes for the order q, a prime power.  Source: Maekawa, 1985; the lines are
    the translates of a perfect difference set (Singer, 1938).
    """
    count = len(members)
    order = next((q for q in range(2, ORDER_MAX + 1) if q * q + q + 1 == count), None)
    differences = None if order is None else _difference_set(order + 1, count)
    if differences is None:
        raise QuorumError(f"no projective plane is known here with {count} nodes: take 7, 13, 21, 31, 57, 73 or 91")
    return any_of(all_of(members[(d + k) % count] for d in differences) for k in range(count))


def _difference_set(size: int, modulus: int) -> tuple[int, ...] | None:
    """The first perfect difference set 0, 1, ...: every other residue is the difference of one pair."""

    def extend(chosen: tuple[int, ...], seen: frozenset[int]) -> tuple[int, ...] | None:
        if len(chosen) == size:
            return chosen
        for candidate in range(chosen[-1] + 1, modulus):
            fresh = [d % modulus for c in chosen for d in (candidate - c, c - candidate)]
            if len(set(fresh)) == len(fresh) and seen.isdisjoint(fresh):
                found = extend((*chosen, candidate), seen | frozenset(fresh))
                if found is not None:
                    return found
        return None

    if size > 10:  # beyond, the search takes long
        return None
    return extend((0, 1), frozenset([1, modulus - 1]))


def _groups(groups: Groups, what: str) -> list[list[Expression]]:
    listed = [list(group) for group in groups]
    if not listed:
        raise QuorumError(f"{what} without groups: nothing could ever be a quorum")
    empty = next((k for k, group in enumerate(listed, 1) if not group), None)
    if empty is not None:
        raise QuorumError(f"group {empty} of {what} is empty: leave it out, or name its nodes")
    return listed


def _transposed(groups: Groups, what: str) -> list[list[Expression]]:
    listed = _groups(groups, what)
    if len({len(row) for row in listed}) > 1:
        sizes = ", ".join(str(len(row)) for row in listed)
        raise QuorumError(f"{what} needs rows of one length, not {sizes}: a shorter row has no full column")
    return [list(column) for column in zip(*listed, strict=True)]


