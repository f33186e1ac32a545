"""A quorum system against its rules.

Law: a role without any quorum is never called safe, and a rule counts only the nodes that can be relied on.
"""

from __future__ import annotations

import time
from collections.abc import Collection

from scrutator.checker.quorum.intersection import TIMEOUT_S, decide
from scrutator.checker.quorum.result import Verification
from scrutator.checker.quorum.smtlib import Question
from scrutator.model.quorums.expression import QuorumError
from scrutator.model.quorums.parse import unknown
from scrutator.model.quorums.system import DATA, QuorumSystem


def verify(
    system: QuorumSystem,
    *,
    faulty: Collection[str] = (),
    absent: Collection[str] = (),
    forgetting: int = 0,
    timeout_s: float = TIMEOUT_S,
) -> Verification:
    """Decide every rule of the system.

    ``faulty`` nodes lie or lost what they knew, so that sharing one of them is not enough; ``forgetting``
    is how many further nodes may, whichever they are; ``absent`` nodes are down for ever.  Raises
    `QuorumError` for nodes that do not exist.

    >>> from scrutator.model.quorums import parse_system
    >>> verify(parse_system("majority(a, b, c)")).verdict.value
    'holds'
    """
    start = time.monotonic()
    known = {node.name: node for node in system.nodes}
    for name in (*faulty, *absent):
        if name not in known:
            raise QuorumError(unknown("node", name, known))
    if forgetting < 0:
        raise QuorumError(f"{forgetting} failures: 0 or more")
    gone, liars = frozenset(absent), frozenset(faulty)
    roles = {role: e.restricted(absent=gone) if gone and not _holds_data(role) else e for role, e in system.roles.items()}
    empty = tuple(role for role, expression in roles.items() if not expression.is_quorum(set(known)))
    findings = []
    for rule in system.rules:
        if any(role in empty for role in rule.roles):
            continue
        asked = Question(tuple(roles[role] for role in rule.roles), rule.overlap + forgetting, liars)
        findings.append(decide(rule, asked, timeout_s=timeout_s))
    return Verification(system, tuple(findings), empty, liars, gone, forgetting, time.monotonic() - start)


def _holds_data(role: str) -> bool:
    """Whether the role, here or before or after a change, says who holds the data; not all of those must be up."""
    return role.partition(" ")[0] == DATA
