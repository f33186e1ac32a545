"""How long a client waits in each region: until the nearest quorum has answered.

Law: exact; a quorum is reached when the last node that it cannot do without has answered.
"""

from __future__ import annotations

from dataclasses import dataclass

from scrutator.model.quorums.system import QuorumSystem


@dataclass(frozen=True, slots=True)
class Wait:
    """From a region, the seconds until a quorum of the role has answered, and which; none if there is none."""

    role: str
    region: str
    latency_s: float
    quorum: frozenset[str]


def waits(system: QuorumSystem) -> list[Wait]:
    """For each role and each region that latencies are given from; nodes without a region are left out."""
    clients = dict.fromkeys(client for client, _ in system.latency_s)
    found = []
    for role, expression in system.roles.items():
        placed = {node.name: node.region for node in expression.nodes() if node.region is not None}
        for client in clients:
            away = {name: system.latency_s[client, region] for name, region in placed.items()}
            near: list[str] = []
            for name in sorted(away, key=lambda name: (away[name], name)):
                near.append(name)
                if expression.is_quorum(near):
                    break
            if not expression.is_quorum(near):
                continue
            for name in sorted(near, key=lambda name: (-away[name], name)):  # the farthest first
                if expression.is_quorum(set(near) - {name}):
                    near.remove(name)
            found.append(Wait(role, client, max(away[name] for name in near), frozenset(near)))
    return found
