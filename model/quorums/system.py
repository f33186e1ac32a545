"""A quorum system: nodes, which sets of them are quorums in which role, and the rules between roles.

Law: a value, complete in itself: what was proved of it is what models explore and clusters run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from scrutator.model.quorums.expression import Expression, Kind, Node, QuorumError
from scrutator.model.quorums.parse import parse
from scrutator.model.quorums.rules import Family, Rule, parse_rules, suggested

DATA = "data"  # the role of those who hold the data, where witnesses do not: no quorum that must be up
DUALS = {"read": "write", "write": "read", "phase1": "phase2", "phase2": "phase1", "election": "commit", "commit": "election"}


@dataclass(frozen=True, slots=True)
class QuorumSystem:
    """Roles and their quorums, and the rules that they must keep.

    ``nodes`` are all there are, also those in no quorum; ``notes`` say by which conventions a file was
    read, and are part of every verdict.  ``latency_s`` gives, for a client's region and a node's, how long
    an answer takes.  Raises `QuorumError` for a rule over unknown roles, a quorum
    over unknown nodes, a learner in a quorum, and no roles at all.
    """

    name: str
    roles: Mapping[str, Expression]
    rules: tuple[Rule, ...] = ()
    nodes: tuple[Node, ...] = ()
    notes: tuple[str, ...] = field(default=(), compare=False)
    latency_s: Mapping[tuple[str, str], float] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        if not self.roles:
            raise QuorumError(f"{self.name} says of no role which nodes are its quorums")
        named: dict[str, Node] = {node.name: node for node in self.nodes}
        declared = bool(named)
        for role, expression in self.roles.items():
            for node in expression.nodes():
                if node.name not in named and declared:
                    raise QuorumError(f"{role} names the node {node.name}, which is not among the nodes")
                first = named.setdefault(node.name, node)
                if first.attributes != node.attributes:
                    raise QuorumError(f"node {node.name} is given twice, with different attributes")
                if node.kind is Kind.LEARNER:
                    raise QuorumError(f"{role} counts {node.name}, a learner: learners are in no quorum")
        for rule in self.rules:
            for role in rule.roles:
                if role not in self.roles:
                    raise QuorumError(f"rule {rule} is about {role}; the roles are {', '.join(self.roles)}")
        object.__setattr__(self, "roles", MappingProxyType(dict(self.roles)))
        object.__setattr__(self, "nodes", tuple(named.values()))

    def node(self, name: str) -> Node:
        """The node of that name; raises `KeyError`."""
        return next(node for node in self.nodes if node.name == name)

    def regions(self) -> dict[str, tuple[str, ...]]:
        """The names of the nodes of each region, of nodes that have one."""
        found: dict[str, list[str]] = {}
        for node in self.nodes:
            if node.region is not None:
                found.setdefault(node.region, []).append(node.name)
        return {region: tuple(names) for region, names in found.items()}


def with_rules(
    name: str,
    roles: Mapping[str, Expression],
    rules: tuple[str, ...] = (),
    nodes: tuple[Node, ...] = (),
    notes: tuple[str, ...] = (),
) -> QuorumSystem:
    """A quorum system whose rules are given as text, or suggested by the names of its roles.

    What the rules need besides is added: ``joint`` (old and new together), ``data`` (the nodes that
    hold data, where some do not).
    """
    complete = dict(roles)
    if "old" in roles and "new" in roles:
        complete.setdefault("joint", roles["old"] * roles["new"])
    if "commit" in roles and any(node.kind is Kind.WITNESS for node in roles["commit"].nodes()):
        complete.setdefault(DATA, _holders(nodes or roles["commit"].nodes()))
    if rules:
        found = tuple(dict.fromkeys(rule for text in rules for rule in parse_rules(text, complete)))
        return QuorumSystem(name, complete, found, nodes, (*notes, *_unruled(roles, found)))
    family = suggested(complete)
    if family is None:
        raise QuorumError(
            f"which of the roles {', '.join(complete)} must meet? Name a family of rules, or rules such as "
            + " & ".join([*complete, *complete][:2])
        )
    note = f"rules of {family.name}, as the roles are {_listed(family, complete)}: {family.doc}"
    found = family.rules_for(complete)
    return QuorumSystem(name, complete, found, nodes, (*notes, note, *_unruled(roles, found)))


def _unruled(roles: Mapping[str, Expression], rules: tuple[Rule, ...]) -> tuple[str, ...]:
    """A note of roles that the verdict says nothing of, as they stand in no rule."""
    ruled = {role for rule in rules for role in rule.roles}
    left = [role for role in roles if role not in ruled]
    return (f"no rule is about {' or '.join(left)}: whether these quorums meet any others was not asked",) if left else ()


def _listed(family: Family, roles: Mapping[str, Expression]) -> str:
    return " and ".join(role for role in (*family.roles, *family.optional) if role in roles)


def _holders(nodes: tuple[Node, ...]) -> Expression:
    from scrutator.model.quorums.expression import all_of

    holders = [node for node in nodes if node.kind is Kind.VOTER]
    if not holders:
        raise QuorumError("all nodes are witnesses: nobody would hold the data")
    return all_of(holders)


def parse_system(text: str, *, name: str = "", rules: tuple[str, ...] = ()) -> QuorumSystem:
    """A quorum system as text: one expression, or ``role = EXPRESSION; role = EXPRESSION``.

    One of a pair of roles (read and write, phase1 and phase2, election and commit) may be ``dual``:
    the fewest nodes that meet every quorum of the other.

    >>> system = parse_system("read = a*b + c*d; write = dual")
    >>> str(system.roles["write"]), [str(rule) for rule in system.rules]
    ('(a + b)*(c + d)', ['read & write', 'write & write'])
    """
    texts: dict[str, str] = {}
    for part in _unquoted(text, ";"):
        role, *rest = _unquoted(part, "=")
        equals, expression = bool(rest), "=".join(rest)
        if not equals:
            role, expression = "quorum", part
        if not part.strip():
            continue
        if role.strip() in texts:
            raise QuorumError(f"the quorums of {role.strip()} are given twice")
        if not role.strip().replace("-", "_").isidentifier():
            raise QuorumError(f"{role.strip()!r} is not the name of a role; write for instance read = a*b; write = a + b")
        texts[role.strip()] = expression
    if not texts:
        raise QuorumError("no quorums: write for instance majority(a, b, c), or read = a*b; write = a + b")
    return with_rules(name or text.strip(), read_roles(texts), rules)


def _unquoted(text: str, separator: str) -> list[str]:
    """The text between separators that stand outside quotes."""
    parts, quote, escaped = [""], "", False
    for character in text:
        if character == separator and not quote:
            parts.append("")
            continue
        if quote:
            quote = "" if character == quote and not escaped else quote
            escaped = character == "\\" and not escaped
        elif character in "'\"":
            quote = character
        parts[-1] += character
    return parts


def read_roles(texts: Mapping[str, str], nodes: Mapping[str, Node] | None = None) -> dict[str, Expression]:
    """The expressions of roles from their texts; a text ``dual`` is resolved from the other role of its pair.

    ``nodes``, if given, are all that may be named, and what a bare ``majority`` ranges over: those that
    are not learners; without, a bare ``majority`` is refused.
    """
    found: dict[str, Expression] = {}
    everyone = () if nodes is None else tuple(n for n in nodes.values() if n.kind is not Kind.LEARNER)
    for role, text in texts.items():
        if text.strip() != "dual":
            found[role] = _named(role, lambda text=text: parse(text, everyone=everyone, named=nodes))  # type: ignore[misc]
    for role, text in texts.items():
        if text.strip() == "dual":
            other = DUALS.get(role)
            if other not in found:
                pair = other or "another role"
                raise QuorumError(f"{role}: dual of what? Give the quorums of {pair}, or write dual(EXPRESSION)")
            found[role] = found[other].dual()
    return {role: found[role] for role in texts}


def _named(role: str, read: Callable[[], Expression]) -> Expression:
    try:
        return read()
    except QuorumError as error:
        raise QuorumError(f"{role}: {error}") from None
