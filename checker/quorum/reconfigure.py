"""From an old quorum system to a new one: at once if that is safe, else by steps that are.

While a change is under way, some nodes still decide by the old quorums and some already by the new: a
rule that holds within a configuration must also hold across the two.  Law: every step of a proposed
sequence was verified like any other system; no sequence is safe because a paper says so.

A sequence is safe only if a step begins after the one before is committed, and (in Raft) after the
leader has committed an entry of its own term: two changes that overlap are not neighbours any more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product

from scrutator.checker.quorum.intersection import TIMEOUT_S
from scrutator.checker.quorum.result import Finding, Verification
from scrutator.checker.quorum.verify import verify
from scrutator.checker.verdict import Verdict, gravest
from scrutator.model.quorums.expression import (
    NEVER,
    Expression,
    Kind,
    Node,
    QuorumError,
    all_of,
    majority,
)
from scrutator.model.quorums.rules import Rule
from scrutator.model.quorums.system import DATA, QuorumSystem

STEPS_MAX = 64
CAVEAT = (
    "each step begins once the one before is committed, and the leader has committed an entry of its own term: "
    "changes that overlap are not neighbours"
)


@dataclass(frozen=True, slots=True)
class Path:
    """Configurations from the old to the new, and the verdict on each step between neighbours."""

    kind: str  # "at once", "one node at a time", "joint"
    configurations: tuple[QuorumSystem, ...]
    steps: tuple[Verification, ...]

    @property
    def verdict(self) -> Verdict:
        return gravest(step.verdict for step in self.steps)


@dataclass(frozen=True, slots=True)
class Reconfiguration:
    """Whether the change is safe at once, and what else is."""

    at_once: Path
    others: tuple[Path, ...]  # tried where it is not

    @property
    def verdict(self) -> Verdict:
        """Of the change at once."""
        return self.at_once.verdict


@dataclass(frozen=True, slots=True)
class _Assumed:
    """What every step is verified under; see `verify`."""

    faulty: frozenset[str]
    absent: frozenset[str]
    forgetting: int
    timeout_s: float

    def verified(self, step: QuorumSystem) -> Verification:
        known = {node.name for node in step.nodes}
        return verify(
            step, faulty=self.faulty & known, absent=self.absent & known, forgetting=self.forgetting, timeout_s=self.timeout_s
        )


def reconfigure(
    old: QuorumSystem,
    new: QuorumSystem,
    *,
    faulty: Collection[str] = (),
    absent: Collection[str] = (),
    forgetting: int = 0,
    timeout_s: float = TIMEOUT_S,
) -> Reconfiguration:
    """Decide the change in one step, and find safe sequences where it is not safe.

    Nodes that lie, forget or are down are those of `verify`, in every configuration.  Raises `QuorumError`
    where the two have different roles.
    """
    assumed = _Assumed(frozenset(faulty), frozenset(absent), forgetting, timeout_s)
    if set(_own(old)) != set(_own(new)):
        raise QuorumError(
            f"{old.name} has quorums for {', '.join(_own(old))}, and {new.name} for {', '.join(_own(new))}: "
            "a change keeps the roles"
        )
    at_once = _sequence("at once", (old, new), assumed)
    if at_once.verdict is Verdict.HOLDS:
        return Reconfiguration(at_once, ())
    others = []
    single = _one_at_a_time(old, new)
    if single is not None:
        others.append(_sequence("one node at a time", single, assumed))
    others.append(_sequence("joint", (old, _joint(old, new), new), assumed))
    return Reconfiguration(at_once, tuple(others))


def step_between(old: QuorumSystem, new: QuorumSystem) -> QuorumSystem:
    """The quorums of both, under the rules within each and across the two.

    Who holds the data is a matter within each: whoever leads through a change had the log before it.
    """
    roles: dict[str, Expression] = {}
    for tag, system in ((_OLD, old), (_NEW, new)):
        for role, expression in system.roles.items():
            if role != "joint":
                roles[f"{role} {tag}"] = _unmarked(expression)
    rules: dict[tuple[str, ...], dict[int, Rule]] = {}  # by the roles in any order, and the overlap
    for rule in dict.fromkeys((*old.rules, *new.rules)):
        for tags in product((_OLD, _NEW), repeat=len(rule.roles)):
            named = tuple(f"{role} {tag}" for role, tag in zip(rule.roles, tags, strict=True))
            across = len(set(tags)) > 1
            if all(role in roles for role in named) and not (across and DATA in rule.roles):
                alike = rules.setdefault(tuple(sorted(named)), {})
                alike.setdefault(rule.overlap, Rule(named, rule.overlap, rule.why))
    nodes = tuple(Node(name) for name in dict.fromkeys(node.name for node in (*old.nodes, *new.nodes)))
    return QuorumSystem(f"{old.name} -> {new.name}", roles, tuple(rule for alike in rules.values() for rule in alike.values()), nodes)


def _unmarked(expression: Expression) -> Expression:
    """The same over nodes without attributes, which may change with the configuration."""
    return expression.mapped(lambda node: Node(node.name))


_OLD, _NEW = "before", "after"


def _sequence(kind: str, configurations: Sequence[QuorumSystem], assumed: _Assumed) -> Path:
    steps = tuple(assumed.verified(step_between(before, after)) for before, after in pairwise(configurations))
    return Path(kind, tuple(configurations), steps)


def _own(system: QuorumSystem) -> Mapping[str, Expression]:
    """The roles that were stated, without what was derived from them."""
    return {role: expression for role, expression in system.roles.items() if role not in ("joint", DATA)}


def _joint(old: QuorumSystem, new: QuorumSystem) -> QuorumSystem:
    """Quorums of both at once, in every role."""
    roles = {role: _unmarked(expression) * _unmarked(_own(new)[role]) for role, expression in _own(old).items()}
    rules = tuple(rule for rule in old.rules if all(role in roles for role in rule.roles))
    return QuorumSystem(f"{old.name} and {new.name}", roles, rules)


def _one_at_a_time(old: QuorumSystem, new: QuorumSystem) -> list[QuorumSystem] | None:
    """Majorities over sets that differ by one node, additions first; None unless all quorums are majorities."""
    first, last = _majority_of(old), _majority_of(new)
    if first is None or last is None or set(first) == set(last):
        return None
    witnesses = {node.name for node in (*old.nodes, *new.nodes) if node.kind is Kind.WITNESS}
    rules = tuple(dict.fromkeys((*old.rules, *new.rules)))

    def configuration(names: Sequence[str]) -> QuorumSystem:
        roles = dict.fromkeys(_own(old), majority(Node(name) for name in names))
        if DATA in old.roles or DATA in new.roles:
            holders = [Node(name) for name in names if name not in witnesses]
            roles[DATA] = all_of(holders) if holders else NEVER
        kept = tuple(rule for rule in rules if all(role in roles for role in rule.roles))
        return QuorumSystem(f"majority of {', '.join(names)}", roles, kept)

    path = [old, *(configuration(names) for names in _between(first, last)), new]
    return path if len(path) <= STEPS_MAX else None


def _between(first: Sequence[str], last: Sequence[str]) -> Iterator[list[str]]:
    """The sets on the way, without the first and the last; a node leaves as soon as another has come."""
    current = list(first)
    coming = [name for name in last if name not in first]
    going = [name for name in first if name not in last]
    changes: list[tuple[str, bool]] = []
    while coming or going:
        if coming:
            changes.append((coming.pop(0), True))
        if going:
            changes.append((going.pop(0), False))
    for name, joins in changes[:-1]:
        current = [*current, name] if joins else [other for other in current if other != name]
        yield list(current)


def _majority_of(system: QuorumSystem) -> tuple[str, ...] | None:
    """The nodes whose majorities are the quorums of every role; None for other systems."""
    found: tuple[str, ...] | None = None
    for expression in _own(system).values():
        names = expression.names()
        if str(expression) != str(majority([Node(name) for name in names])) or (found is not None and set(names) != set(found)):
            return None
        found = names
    return found


def broken(step: Verification) -> Finding | None:
    """The first rule that a step breaks."""
    return next((finding for finding in step.findings if finding.verdict is Verdict.VIOLATED), None)
