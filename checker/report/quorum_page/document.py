"""What a page says of the studies of quorum systems, and how it is put.

Law: knows no HTML; each sentence is that of the text report, where there is one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from scrutator.checker.quorum.availability import RoleAvailability
from scrutator.checker.quorum.circuit import Gate, compiled
from scrutator.checker.quorum.reconfigure import CAVEAT, Path, Reconfiguration, broken
from scrutator.checker.quorum.result import Finding, Verification
from scrutator.checker.quorum.study import AnyStudy, Explored, FederatedStudy, Study
from scrutator.checker.report.clean import clean
from scrutator.checker.report.quorum_page.federated import federated_system
from scrutator.checker.report.quorum_page.listing import ROWS_MAX, ROWS_MIN, blocking, listing
from scrutator.checker.report.quorum_page.schema import (
    NO_ZONE,
    Change,
    Document,
    Fact,
    Model,
    Move,
    Node,
    Quorums,
    Role,
    Rows,
    Rule,
    System,
    Way,
    distinct,
    parts_of,
)
from scrutator.checker.report.quorum_page.tradeoff import Candidate, comparison_of
from scrutator.checker.report.quorum_text import named_role, sentence
from scrutator.checker.report.quorum_words import braced, survived
from scrutator.checker.verdict import Verdict
from scrutator.model.quorums.expression import Expression
from scrutator.model.quorums.expression import Node as ModelNode
from scrutator.model.quorums.system import DATA, QuorumSystem

EXPRESSION_MAX = 4_000  # characters of an expression
IDLE = (DATA,)  # roles of which no quorum needs to be up


def document_of(studies: Sequence[AnyStudy], comparison: Sequence[Candidate] | None = None) -> Document:
    """What the page is given."""
    systems = [federated_system(study) if isinstance(study, FederatedStudy) else system_of(study) for study in studies]
    return Document(systems, comparison_of(comparison) if comparison else None)


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
    quorums = [
        _quorums(expression, [role_at[role] for role in roles], rows, k, max(ROWS_MIN, ROWS_MAX // len(groups)))
        for k, (expression, roles) in enumerate(groups)
    ]
    violated = next((rule for rule in rules if rule.rows), None)
    zones = list(system.regions())
    return System(
        name=clean(system.name),
        verdict=study.verdict.value,
        scope=clean(verification.scope),
        notes=[clean(note) for note in system.notes],
        zones=distinct(zones),
        nodes=_nodes(system, verification, zones, _counted(quorums)),
        roles=[
            Role(clean(role), clean(named_role(role)), _cut(str(expression)), rows.group[role], role not in IDLE)
            for role, expression in system.roles.items()
        ],
        quorums=quorums,
        rows=rows.listed,
        rules=rules,
        facts=list(_facts(study, groups, rows)),
        wrong=list(_wrong(study)),
        undone=[f"Not said: {clean(text)}" for text in study.undone],
        lit=violated.rows if violated is not None else model.rows if model is not None else [],
        change=None if study.change is None else _change(study.change),
        model=model,
    )


# --- nodes and quorums --------------------------------------------------------------------


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


def _quorums(expression: Expression, roles: list[int], rows: Rows, group: int, rows_max: int) -> Quorums:
    found = listing(expression, rows_max)
    for quorum in found.sets:
        rows.add(group, quorum)
    circuit = compiled(expression)
    parts = [] if isinstance(circuit, bool) else parts_of(circuit, rows.names)
    return Quorums(roles, parts, circuit is True, found.count, found.complete)


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


# --- what it survives ---------------------------------------------------------------------


def _facts(study: Study, groups: Sequence[tuple[Expression, list[str]]], rows: Rows) -> Iterator[Fact]:
    """For each set of quorums, failures that are too many, to be tried."""
    known = {} if study.availability is None else {role.role: role for role in study.availability.roles}
    for expression, all_roles in groups:
        roles = [role for role in all_roles if role not in IDLE]
        found = next((known[role] for role in roles if role in known), None)
        blocks = found.smallest_blocking if found is not None else blocking(expression)
        if not roles or not blocks:
            continue
        yield Fact(_survives(roles, survived(len(blocks) - 1) if len(blocks) > 1 else "", "the failure of"), rows.positions(blocks))
        if found is not None:
            yield from _regions(study.system, found, roles, rows)


def _regions(system: QuorumSystem, found: RoleAvailability, roles: Sequence[str], rows: Rows) -> Iterator[Fact]:
    regions = found.regions
    if regions is not None and regions.smallest_blocking:
        inside = system.regions()
        nodes = [name for region in regions.smallest_blocking for name in inside[region]]
        count = regions.resilience
        most = f"the loss of any {'zone' if count == 1 else f'{count} zones'}" if count else ""
        yield Fact(f"{_survives(roles, most, 'the loss of')} {braced(regions.smallest_blocking)}:", rows.positions(nodes))


def _survives(roles: Sequence[str], most: str, kind: str) -> str:
    """What roles survive at most, and, to be continued, what they do not."""
    names, one = " and ".join(map(clean, roles)), len(roles) == 1
    if not most:
        return f"{names} do{'es' if one else ''} not survive {kind}"
    return f"{names} survive{'s' if one else ''} {most}, but not that of"


def _wrong(study: Study) -> Iterator[str]:
    """What makes a system violated besides its rules."""
    for role in study.verification.without_quorum:
        yield f"No set of nodes is a quorum of {clean(role)}: it could never decide anything, which is not safety."
    if study.availability is not None:
        for found in study.availability.blocked:
            yield (
                f"{clean(found.role)} has no quorum once {braced(found.smallest_blocking)} failed, "
                f"and {study.availability.failures} failures were to be survived."
            )
    if study.change is not None and study.change.verdict is Verdict.VIOLATED:
        yield f"The change to {clean(study.change.at_once.configurations[-1].name)} is not safe in one step."
    if study.explored is not None and study.explored.result.verdict is Verdict.VIOLATED:
        yield f"The model {clean(study.explored.model)} is violated with these quorums."


# --- what was found -----------------------------------------------------------------------


def _rule(finding: Finding, rows: Rows, role_at: Mapping[str, int]) -> Rule:
    said = size = None
    lit: list[int] = []
    if finding.miss is not None:
        said, size = f"{clean(sentence(finding))}.", _size(finding)
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
        said = None if finding is None or finding.miss is None else f"{clean(sentence(finding))}: {clean(finding.rule.why)}."
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
