"""Studies of quorum systems, small and large, for pages to show."""

from __future__ import annotations

from scrutator.checker.quorum.availability import availability
from scrutator.checker.quorum.federated.everything import minimal_quorums
from scrutator.checker.quorum.federated.intersection import decide
from scrutator.checker.quorum.reconfigure import reconfigure
from scrutator.checker.quorum.study import FederatedStudy, Study
from scrutator.checker.quorum.verify import verify
from scrutator.model.quorums import (
    Kind,
    Node,
    QuorumSystem,
    Rule,
    all_of,
    choose,
    majority,
    nodes,
    parse_system,
    weighted,
    with_rules,
)
from scrutator.model.quorums.expression import NEVER
from scrutator.model.quorums.federated import FederatedSystem

HOSTILE = "</script><img src=x onerror=document.body.dataset.owned=1>{{script}}\u2028<!--&,=#'\"\x1b"


def study(system: QuorumSystem, **given: object) -> Study:
    return Study(system, verify(system, **given))  # type: ignore[arg-type]


def raft() -> QuorumSystem:
    """Five nodes in three zones."""
    zones = {"east": "n1 n2", "west": "n3 n4", "tie": "n5"}
    members = [Node(name, region=zone) for zone, names in zones.items() for name in names.split()]
    roles = {"election": majority(members), "commit": majority(members)}
    return with_rules("five nodes", roles, nodes=tuple(members))


def surviving() -> Study:
    system = raft()
    return Study(system, verify(system), availability=availability(system, 3))


def grid() -> Study:
    """Two writes that miss each other."""
    return study(parse_system("read = a*b + c*d; write = dual", name="grid"))


def fast() -> Study:
    """Three quorums without a common node, any two of which share some."""
    five = "majority(a, b, c, d, e)"
    return study(parse_system(f"classic = {five}; fast = {five}", name="fast"))


def kinds() -> Study:
    """A node of each kind: one lies, one is down for ever."""
    members = (Node("a"), Node("b"), Node("c"), Node("w", kind=Kind.WITNESS), Node("l", kind=Kind.LEARNER), Node("x"))
    quorum = choose(2, members[:4])
    system = QuorumSystem("kinds", {"quorum": quorum}, (Rule(("quorum", "quorum"), 1, "two could decide"),), members)
    return study(system, faulty=["a"], absent=["b"])


def hostile() -> Study:
    """Markup wherever a file can put it."""
    members = tuple(Node(f"{HOSTILE}{k}", region=f"{HOSTILE}z{k % 2}") for k in range(4))
    role = f"{HOSTILE}role"
    rule = Rule((role, role), 1, f"{HOSTILE}why")
    return study(QuorumSystem(HOSTILE, {role: choose(2, members)}, (rule,), members, (f"{HOSTILE}note",)))


def thousand() -> Study:
    members = tuple(Node(f"node-{k:04}", region=f"zone {k % 7}") for k in range(1000))
    return study(QuorumSystem("thousand", {"quorum": majority(members)}, (Rule(("quorum", "quorum")),), members))


def never() -> Study:
    """A role without quorums, which is not safety."""
    a, b = nodes("a b")
    return study(QuorumSystem("never", {"quorum": a * b, "fast": NEVER}, (Rule(("quorum", "quorum")),), (a, b)))


def heavy() -> Study:
    """Weights that JavaScript's numbers cannot tell apart: a and b together are one short."""
    big = 2**60 - 1
    a, b, c, d = nodes("a b c d")
    quorum = weighted(2 * big, [(big, a), (big - 1, b), (big - 2, c), (big - 2, d)])
    return study(QuorumSystem("heavy", {"quorum": quorum}, (Rule(("quorum", "quorum")),)))


def moved() -> Study:
    """A change that is not safe at once."""
    old = parse_system("majority(a, b, c)", name="old")
    return Study(old, verify(old), change=reconfigure(old, parse_system("majority(c, d, e)", name="new")))


def federated() -> FederatedStudy:
    """Two halves of two nodes, and one node that named nobody."""
    a, b, c, d = nodes("a b c d")
    system = FederatedSystem("halves", {"a": all_of([a, b]), "b": all_of([a, b]), "c": c * d, "d": c * d, "e": None})
    return FederatedStudy(system, decide(system), quorums=minimal_quorums(system))
