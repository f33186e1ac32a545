"""Networks of organisations, made to measure."""

from __future__ import annotations

import random

from scrutator.model.quorums.expression import AtLeast, Expression, Node, choose, majority
from scrutator.model.quorums.federated import FederatedSystem


def organisations(sizes: list[int], percent: int = 67) -> FederatedSystem:
    """Each organisation's nodes name their own singly and a majority of each other, and need so much of all."""
    nodes = [[Node(f"o{k}n{j}") for j in range(size)] for k, size in enumerate(sizes)]
    slices: dict[str, Expression | None] = {}
    for k, own in enumerate(nodes):
        members = [*own, *(majority(other) for j, other in enumerate(nodes) if j != k)]
        asked = choose(1 + (len(members) * percent - 1) // 100, members)
        slices.update(dict.fromkeys((node.name for node in own), asked))
    return FederatedSystem(f"{len(sizes)} organisations", slices)


def scattered(count: int, left_out: int, needed: int, seed: int = 1) -> FederatedSystem:
    """Nodes of which no two ask for the same: each leaves out some of the others."""
    draw = random.Random(seed)
    nodes = [Node(f"n{k}") for k in range(count)]
    slices: dict[str, Expression | None] = {}
    for node in nodes:
        out = draw.sample([other for other in nodes if other is not node], left_out)
        slices[node.name] = AtLeast(needed, tuple((1, other) for other in nodes if other not in out))
    return FederatedSystem("scattered", slices)
