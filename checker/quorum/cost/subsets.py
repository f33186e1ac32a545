"""Small systems: every set of nodes at once, as a table over bit masks.

Law: by definition and without cleverness, so it is also what the clever ways are compared with.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from scrutator.model.quorums.expression import AtLeast, Expression, Node, fold

NODES_MAX = 12

Table: TypeAlias = NDArray[np.bool_]


def holds(expression: Expression, names: Sequence[str]) -> Table:
    """Whether each set of the named nodes, as a bit mask, is a quorum; 2**len(names) answers."""
    masks = np.arange(1 << len(names))
    columns = {name: (masks >> k & 1).astype(bool) for k, name in enumerate(names)}

    def gate(at_least: AtLeast, members: list[Table]) -> Table:
        total = np.zeros(len(masks), dtype=np.int64 if at_least.total < 1 << 62 else object)
        for weight, member in zip(at_least.weights, members, strict=True):
            total += weight * member.astype(total.dtype)
        found: Table = (total >= at_least.needed).astype(bool)
        return found

    return fold(expression, lambda node: columns[node.name], gate)


def survivors(quorums: Table, spare: int) -> Table:
    """Whether each set contains a quorum after any ``spare`` of its nodes failed."""
    masks = np.arange(len(quorums))
    for _ in range(spare):
        left = quorums.copy()
        for bit in _bits(len(quorums)):
            left &= quorums[masks & ~bit] | (masks & bit == 0)
        quorums = left
    return quorums


def smallest(sets: Table) -> NDArray[np.int64]:
    """The masks of the sets no part of which is one, of sets all supersets of which are."""
    masks = np.arange(len(sets))
    left = sets.copy()
    for bit in _bits(len(sets)):
        left &= ~sets[masks & ~bit] | (masks & bit == 0)
    return np.flatnonzero(left)


def table(expression: Expression, nodes: Sequence[Node], spare: int, latency: bool) -> list[tuple[tuple[int, ...], float]]:
    """The sets worth asking: positions in ``nodes``, and the time until a quorum of them has answered."""
    relevant = set(expression.names())
    positions = [k for k, node in enumerate(nodes) if node.name in relevant]
    quorums = holds(expression, [nodes[k].name for k in positions])
    enough = survivors(quorums, spare)
    times = sorted({nodes[k].latency_s for k in positions})
    answered = np.full(len(quorums), np.inf)
    masks = np.arange(len(quorums))
    chosen: list[NDArray[np.int64]] = []
    for time in reversed(times):
        fast = sum(1 << bit for bit, k in enumerate(positions) if nodes[k].latency_s <= time)
        in_time = quorums[masks & fast]
        answered[in_time] = time
        if latency and spare:
            chosen.append(smallest(enough & in_time))
    answered[quorums[0]] = 0.0
    worth = smallest(enough) if not chosen else np.unique(np.concatenate(chosen))
    members = [tuple(k for bit, k in enumerate(positions) if mask >> bit & 1) for mask in worth.tolist()]
    return [(m, float(answered[mask])) for m, mask in zip(members, worth.tolist(), strict=True)]


def _bits(size: int) -> list[int]:
    return [1 << k for k in range(size.bit_length() - 1)]
