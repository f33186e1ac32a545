"""What a page knows of quorum systems, as one JSON document.

Law: nodes, roles and rows are positions, and their names reach the page once, cleaned; quorums are
given as circuits, which the page evaluates itself, and as rows, of which there are never too many.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from scrutator.checker.quorum.circuit import Circuit, Gate, compiled
from scrutator.checker.quorum.reconfigure import CAVEAT, Path, Reconfiguration, broken
from scrutator.checker.quorum.result import Finding, Verification
from scrutator.checker.quorum.study import Explored, Study
from scrutator.checker.report.clean import clean
from scrutator.checker.report.quorum_page.listing import ROWS_MAX, ROWS_MIN, blocking, listing
from scrutator.checker.report.quorum_page.tradeoff import Candidate, Comparison, comparison_of
from scrutator.checker.report.quorum_text import named_role, sentence
from scrutator.checker.verdict import Verdict
from scrutator.model.quorums.expression import Expression
from scrutator.model.quorums.expression import Node as ModelNode
from scrutator.model.quorums.system import QuorumSystem

EXPRESSION_MAX = 4_000  # characters of an expression
EXACT_MAX = 2**53  # whole numbers that JavaScript tells from their neighbours are below
NO_ZONE = -1

Number = int | str  # as a text where it would not be exact
Part = int | tuple[Number, list[Number], list[int]]  # a node, or a threshold: needed, weights, earlier parts


class Node(msgspec.Struct, frozen=True, rename="camel"):
    """A node: ``zone`` is a position in the zones, or -1; ``down`` for ever; ``idle`` if it is in no quorum."""

    name: str
    zone: int
    kind: str
    faulty: bool
    down: bool
    idle: bool


class Quorums(msgspec.Struct, frozen=True, rename="camel"):
    """One set of quorums and the roles that have it.

    ``parts`` is its circuit, the last part the whole; without parts, ``always`` says whether any nodes or
    none are a quorum.  ``count`` are its minimal quorums in words; all are rows if ``complete``.
    ``blocking`` is a smallest set without which nothing is a quorum, or nothing if that is not known.
    """

    roles: list[int]
    parts: list[Part]
    always: bool
    count: str
    complete: bool
    blocking: list[int] | None


class Role(msgspec.Struct, frozen=True, rename="camel"):
    """A role, its name in a sentence, its quorums as text, and where they are among all `Quorums`."""

    name: str
    named: str
    text: str
    quorums: int


class Row(msgspec.Struct, frozen=True, rename="camel"):
    """A quorum in the matrix; ``cited`` if a verdict rests on it."""

    quorums: int
    members: list[int]
    cited: bool


class Rule(msgspec.Struct, frozen=True, rename="camel"):
    """The verdict on a rule; ``rows`` are the quorums that miss each other, one for each of its roles."""

    text: str
    why: str
    verdict: str
    basis: str
    roles: list[int]
    overlap: int
    said: str | None
    size: str | None
    rows: list[int]


class Move(msgspec.Struct, frozen=True, rename="camel"):
    """A step of a change: to which configuration, and what it breaks."""

    to: str
    verdict: str
    said: str | None


class Way(msgspec.Struct, frozen=True, rename="camel"):
    """A sequence of steps."""

    kind: str
    verdict: str
    moves: list[Move]


class Change(msgspec.Struct, frozen=True, rename="camel"):
    """Whether a change is safe at once, and how else."""

    old: str
    new: str
    verdict: str
    ways: list[Way]
    caveat: str


class Model(msgspec.Struct, frozen=True, rename="camel"):
    """What the model checker said; ``rows`` are quorums of its counterexample that have no node in common."""

    name: str
    verdict: str
    scope: str
    said: str
    rows: list[int]


class System(msgspec.Struct, frozen=True, rename="camel"):
    """One study.  ``lit`` are the rows to begin with, ``without`` the roles that have no quorum at all."""

    name: str
    verdict: str
    scope: str
    notes: list[str]
    zones: list[str]
    nodes: list[Node]
    roles: list[Role]
    quorums: list[Quorums]
    rows: list[Row]
    rules: list[Rule]
    without: list[int]
    lit: list[int]
    change: Change | None
    model: Model | None


class Document(msgspec.Struct, frozen=True, rename="camel"):
    """All that a page shows."""

    systems: list[System]
    comparison: Comparison | None


def embedded(document: Document) -> str:
    """The document as text for a script element: no character of it can end the element."""
    text = msgspec.json.encode(document).decode()
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def document_of(studies: Sequence[Study], comparison: Sequence[Candidate] | None = None) -> Document:
    """What the page is given."""
    return Document([system_of(study) for study in studies], comparison_of(comparison) if comparison else None)


def system_of(study: Study) -> System:
    """One study."""
    system, verification = study.system, study.verification
    names = {node.name: k for k, node in enumerate(system.nodes)}
    live = {role: _live(expression, verification.absent) for role, expression in system.roles.items()}
    groups = _groups(live)
    rows = Rows(names, {role: k for k, (_, roles) in enumerate(groups) for role in roles})
    role_at = {role: k for k, role in enumerate(system.roles)}
    rules = [_rule(finding, rows, role_at) for finding in verification.findings]
    model = None if study.explored is None else _model(study.explored, verification, rows)
    quorums = [_quorums(expression, [role_at[r] for r in roles], names, rows, k, len(groups)) for k, (expression, roles) in enumerate(groups)]
    violated = next((rule for rule in rules if rule.rows), None)
    zones = list(system.regions())
    return System(
        name=clean(system.name),
        verdict=verification.verdict.value,
        scope=clean(verification.scope),
        notes=[clean(note) for note in system.notes],
        zones=distinct(zones),
        nodes=_nodes(system, verification, zones, _counted(quorums)),
        roles=[Role(clean(role), clean(named_role(role)), _cut(str(e)), rows.group[role]) for role, e in system.roles.items()],
        quorums=quorums,
        rows=rows.listed,
        rules=rules,
        without=[role_at[role] for role in verification.without_quorum],
        lit=violated.rows if violated is not None else model.rows if model is not None else [],
        change=None if study.change is None else _change(study.change),
        model=model,
    )


def distinct(names: Iterable[str]) -> list[str]:
    """Names cleaned, with a number where cleaning makes them alike.

    >>> distinct(["a", "\\x1b", "\\\\x1b"])
    ['a', '\\\\x1b', '\\\\x1b (2)']
    """
    found: dict[str, None] = {}
    for name in names:
        label, number = clean(name), 1
        while label in found:
            number += 1
            label = f"{clean(name)} ({number})"
        found[label] = None
    return list(found)


# --- nodes and quorums --------------------------------------------------------------------


class Rows:
    """The rows of the matrix: those that verdicts rest on first, then those listed, each once."""

    def __init__(self, names: Mapping[str, int], group: Mapping[str, int]) -> None:
        self.names, self.group = names, group
        self.listed: list[Row] = []
        self._known: dict[tuple[int, frozenset[str]], int] = {}

    def cite(self, role: str, quorum: frozenset[str]) -> int:
        """The row of a quorum of this role."""
        return self.add(self.group[role], quorum, cited=True)

    def add(self, group: int, quorum: frozenset[str], *, cited: bool = False) -> int:
        row = self._known.setdefault((group, quorum), len(self.listed))
        if row == len(self.listed):
            self.listed.append(Row(group, self.positions(quorum), cited))
        return row

    def positions(self, nodes: Iterable[str]) -> list[int]:
        return sorted(self.names[node] for node in nodes)


def _live(expression: Expression, absent: Collection[str]) -> Expression:
    """The quorums of the nodes that are not down for ever."""
    return expression.restricted(absent=absent) if absent else expression


def _groups(roles: Mapping[str, Expression]) -> list[tuple[Expression, list[str]]]:
    """Each set of quorums once, with the roles that have it."""
    found: dict[bool | tuple[str | Gate, ...], tuple[Expression, list[str]]] = {}
    for role, expression in roles.items():
        circuit = compiled(expression)
        key = circuit if isinstance(circuit, bool) else circuit.parts
        found.setdefault(key, (expression, []))[1].append(role)
    return list(found.values())


def _quorums(
    expression: Expression, roles: list[int], names: Mapping[str, int], rows: Rows, group: int, groups: int
) -> Quorums:
    found = listing(expression, max(ROWS_MIN, ROWS_MAX // groups))
    for quorum in found.sets:
        rows.add(group, quorum)
    blocks = blocking(expression)
    circuit = compiled(expression)
    return Quorums(
        roles=roles,
        parts=[] if isinstance(circuit, bool) else _parts(circuit, names),
        always=circuit is True,
        count=found.count,
        complete=found.complete,
        blocking=None if blocks is None else rows.positions(blocks),
    )


def _parts(circuit: Circuit, names: Mapping[str, int]) -> list[Part]:
    def part(each: str | Gate) -> Part:
        if isinstance(each, str):
            return names[each]
        # One inexact number makes all of the threshold texts, so that the page adds like with like.
        exact = sum(weight for weight, _ in each.members) < EXACT_MAX
        weights: list[Number] = [weight if exact else str(weight) for weight, _ in each.members]
        return (each.needed if exact else str(each.needed), weights, list(each.positions))

    return [part(each) for each in circuit.parts]


def _counted(quorums: Iterable[Quorums]) -> frozenset[int]:
    """The nodes that some quorum needs."""
    return frozenset(part for each in quorums for part in each.parts if isinstance(part, int))


def _nodes(system: QuorumSystem, verification: Verification, zones: Sequence[str], counted: frozenset[int]) -> list[Node]:
    zone_at = {zone: k for k, zone in enumerate(zones)}
    labels = distinct(node.name for node in system.nodes)

    def of(k: int, node: ModelNode) -> Node:
        down = node.name in verification.absent
        zone = NO_ZONE if node.region is None else zone_at[node.region]
        return Node(labels[k], zone, node.kind.value, node.name in verification.faulty, down, not down and k not in counted)

    return [of(k, node) for k, node in enumerate(system.nodes)]


# --- what was found -----------------------------------------------------------------------


def _rule(finding: Finding, rows: Rows, role_at: Mapping[str, int]) -> Rule:
    said = size = None
    lit: list[int] = []
    if finding.miss is not None:
        said, size = f"{sentence(finding)}.", _size(finding)
        lit = [rows.cite(role, quorum) for role, quorum in zip(finding.rule.roles, finding.miss.quorums, strict=True)]
    return Rule(
        text=clean(str(finding.rule)),
        why=clean(finding.rule.why),
        verdict=finding.verdict.value,
        basis=clean(finding.basis),
        roles=[role_at[role] for role in finding.rule.roles],
        overlap=finding.asked.overlap,
        said=said,
        size=size,
        rows=lit,
    )


def _size(finding: Finding) -> str:
    assert finding.miss is not None
    count = sum(map(len, finding.miss.quorums))
    if finding.miss.smallest:
        return f"The smallest that do: {count} nodes together."
    return f"They have {count} nodes together; that there are no smaller ones was not proved."


def _change(change: Reconfiguration) -> Change:
    old, new = change.at_once.configurations
    ways = [_way(path) for path in (change.at_once, *change.others)]
    return Change(clean(old.name), clean(new.name), change.verdict.value, ways, f"A sequence is safe only if {CAVEAT}.")


def _way(path: Path) -> Way:
    moves = []
    for configuration, step in zip(path.configurations[1:], path.steps, strict=True):
        finding = broken(step)
        said = None if finding is None or finding.miss is None else f"{sentence(finding)}: {clean(finding.rule.why)}."
        moves.append(Move(clean(configuration.name), step.verdict.value, said))
    return Way(path.kind, path.verdict.value, moves)


def _model(explored: Explored, verification: Verification, rows: Rows) -> Model:
    apart = None if explored.shown is None else explored.shown.apart
    verdict = explored.result.verdict
    if verdict is verification.verdict:
        said = "The model and the verifier agree."
    elif verdict is Verdict.HOLDS:
        said = "The model shows no violation within its bounds; the verifier's verdict is about all of them."
    elif verdict is Verdict.VIOLATED:
        said = "The rules hold, yet the model is violated: it needs rules that were not asked for."
    else:
        said = "The model was not explored to its end."
    lit = [] if apart is None else [rows.cite(role, quorum) for role, quorum in apart]
    return Model(clean(explored.model), verdict.value, clean(explored.result.scope), said, lit)


def _cut(text: str) -> str:
    if len(text) <= EXPRESSION_MAX:
        return clean(text)
    return f"{clean(text[:EXPRESSION_MAX])} … and {len(text) - EXPRESSION_MAX:,} more characters"
