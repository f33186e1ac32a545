"""Studies of quorum systems as JSON: a documented schema with a version, for programs.

Law: a field keeps its name and meaning as long as ``schema`` keeps its number; fields may be added.  Sets
of nodes are sorted lists, numbers are not rounded, and what was not found out is null.

- ``schema``: ``scrutator.quorum/1``; ``scrutator``: the version that wrote it;
- ``exit_status``: the command's, see `ExitStatus`;
- ``systems``: one per system, with ``kind`` ``system`` (see `SystemDocument`) or ``federated``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

import scrutator
from scrutator.checker.quorum.availability import RoleAvailability
from scrutator.checker.quorum.cost.comparison import Row
from scrutator.checker.quorum.cost.searching import Found
from scrutator.checker.quorum.cost.strategy import Costs
from scrutator.checker.quorum.federated.result import Smallest
from scrutator.checker.quorum.reconfigure import Path, Reconfiguration
from scrutator.checker.quorum.result import Finding
from scrutator.checker.quorum.study import AnyStudy, Explored, FederatedStudy, Study
from scrutator.checker.report.json import ResultDocument, encode, result_document
from scrutator.checker.verdict import ExitStatus

__all__ = ["QuorumDocument", "document", "encode"]

SCHEMA = "scrutator.quorum/1"


class MissDocument(msgspec.Struct, frozen=True, kw_only=True):
    """Quorums, in the order of the rule's roles, that share only ``shared``; ``smallest`` if proved so."""

    quorums: list[list[str]]
    shared: list[str]
    smallest: bool


class RuleDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One rule: quorums of these roles share at least ``overlap`` nodes."""

    roles: list[str]
    overlap: int
    why: str
    verdict: str
    basis: str
    miss: MissDocument | None
    seconds: float


class RoleDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A role's quorums and what they survive; ``minimal_quorums`` is a lower bound unless ``counted``.

    ``resilience`` is how many nodes may fail, whichever they are; -1 if there is no quorum at all.
    """

    role: str
    expression: str
    resilience: int | None
    smallest_quorum: list[str] | None
    smallest_blocking: list[str] | None
    minimal_quorums: int | None
    counted: bool | None
    dictators: list[str]
    vetoes: list[str]
    dummies: list[str]
    regions_survived: list[str] | None
    regions_not_survived: list[str] | None
    unavailable: float | None  # probability that no quorum is alive


class CostDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What the best strategy costs; ``note`` says how near to the optimum it is proved to be."""

    load: float | None
    capacity: float | None
    network: float | None
    latency_seconds: float | None
    note: str


class WaitDocument(msgspec.Struct, frozen=True, kw_only=True):
    """How long a client in a region waits until a quorum of the role has answered, and which."""

    role: str
    region: str
    latency_seconds: float
    quorum: list[str]


class BetterDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The best system found; ``complete`` if no expression that names each node once is better."""

    roles: dict[str, str]
    cost: CostDocument
    considered: int
    complete: bool


class StepDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A step to the configuration ``to``; ``miss`` where it is unsafe."""

    to: str
    verdict: str
    roles: list[str] | None
    miss: MissDocument | None


class SequenceDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A way from the old configuration to the new."""

    kind: str
    verdict: str
    steps: list[StepDocument]


class ChangeDocument(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the change is safe in one step, and what else was tried if not."""

    verdict: str
    sequences: list[SequenceDocument]


class ModelDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What the model checker said, and the quorums without a common node in its counterexample."""

    model: str
    result: ResultDocument
    apart: list[list[str]] | None


class SystemDocument(msgspec.Struct, frozen=True, kw_only=True, tag="system", tag_field="kind"):
    """One quorum system."""

    name: str
    verdict: str
    scope: str
    notes: list[str]
    nodes: list[str]
    rules: list[RuleDocument]
    roles: list[RoleDocument]
    without_quorum: list[str]
    failures: int | None
    zones: int | None
    cost: CostDocument | None
    waits: list[WaitDocument]
    better: BetterDocument | None
    change: ChangeDocument | None
    model: ModelDocument | None
    questions: list[str]  # files of SMT-LIB
    undone: list[str]


class SmallestDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A smallest set of nodes of some kind; ``proved`` if no smaller one is."""

    nodes: list[str]
    proved: bool


class FederatedDocument(msgspec.Struct, frozen=True, kw_only=True, tag="federated", tag_field="kind"):
    """One federated system; ``outcome`` is intersects, split, no quorum or unknown."""

    name: str
    verdict: str
    outcome: str
    scope: str
    notes: list[str]
    nodes: int
    disjoint: list[list[str]] | None
    disjoint_smallest: bool | None
    smallest_quorum: SmallestDocument | None
    smallest_blocking: SmallestDocument | None
    smallest_splitting: SmallestDocument | None
    minimal_quorums: dict[str, int] | None  # how many of each size
    minimal_blocking_sets: dict[str, int] | None
    failures: int | None
    questions: list[str]  # files of SMT-LIB
    undone: list[str]


class QuorumDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What ``scrutator quorum --format json`` prints."""

    schema: str
    scrutator: str
    exit_status: int
    systems: list[SystemDocument | FederatedDocument]


def document(studies: Sequence[AnyStudy], exit_status: ExitStatus) -> QuorumDocument:
    """The document of one run of the command."""
    return QuorumDocument(
        schema=SCHEMA,
        scrutator=scrutator.__version__,
        exit_status=int(exit_status),
        systems=[_federated(s) if isinstance(s, FederatedStudy) else _system(s) for s in studies],
    )


def _system(study: Study) -> SystemDocument:
    verification = study.verification
    return SystemDocument(
        name=study.system.name,
        verdict=study.verdict.value,
        scope=verification.scope,
        notes=list(study.system.notes),
        nodes=[node.name for node in study.system.nodes],
        rules=[_rule(finding) for finding in verification.findings],
        roles=[_role(study, role) for role in study.system.roles],
        without_quorum=list(verification.without_quorum),
        failures=study.failures,
        zones=study.zones,
        cost=None if study.cost is None else _cost(study.cost),
        waits=[
            WaitDocument(role=w.role, region=w.region, latency_seconds=w.latency_s, quorum=sorted(w.quorum)) for w in study.waits
        ],
        better=None if study.better is None else _better(study.better),
        change=None if study.change is None else _change(study.change),
        model=None if study.explored is None else _model(study.explored),
        questions=[str(path) for path in study.written],
        undone=list(study.undone),
    )


def _rule(finding: Finding) -> RuleDocument:
    return RuleDocument(
        roles=list(finding.rule.roles),
        overlap=finding.asked.overlap,
        why=finding.rule.why,
        verdict=finding.verdict.value,
        basis=finding.basis,
        miss=_miss(finding),
        seconds=finding.elapsed_s,
    )


def _miss(finding: Finding | None) -> MissDocument | None:
    if finding is None or finding.miss is None:
        return None
    miss = finding.miss
    return MissDocument(quorums=[sorted(q) for q in miss.quorums], shared=sorted(miss.shared), smallest=miss.smallest)


def _role(study: Study, role: str) -> RoleDocument:
    found = None if study.availability is None else next((r for r in study.availability.roles if r.role == role), None)
    chance = None if study.probability is None else dict(study.probability.roles).get(role)
    regions = None if found is None else found.regions
    return RoleDocument(
        role=role,
        expression=str(study.system.roles[role]),
        resilience=None if found is None else found.resilience,
        smallest_quorum=_smallest(found),
        smallest_blocking=None if found is None else sorted(found.smallest_blocking),
        minimal_quorums=None if found is None else found.quorums.value,
        counted=None if found is None else found.quorums.exact,
        dictators=[] if found is None else list(found.dictators),
        vetoes=[] if found is None else list(found.vetoes),
        dummies=[] if found is None else list(found.dummies),
        regions_survived=None if regions is None else list(regions.survived),
        regions_not_survived=None if regions is None else list(regions.lost),
        unavailable=None if chance is None else chance.value,
    )


def _smallest(found: RoleAvailability | None) -> list[str] | None:
    return None if found is None or found.smallest_quorum is None else sorted(found.smallest_quorum)


def _cost(row: Row) -> CostDocument:
    return _costs(row.costs, row.note)


def _costs(costs: Costs | None, note: str) -> CostDocument:
    if costs is None:
        return CostDocument(load=None, capacity=None, network=None, latency_seconds=None, note=note)
    return CostDocument(
        load=float(costs.load), capacity=float(costs.capacity), network=float(costs.network),
        latency_seconds=float(costs.latency_s), note=note,
    )  # fmt: skip


def _better(found: Found) -> BetterDocument:
    return BetterDocument(
        roles={role: str(expression) for role, expression in found.system.roles.items()},
        cost=_costs(found.optimum.costs, found.optimum.proof),
        considered=found.considered,
        complete=found.complete,
    )


def _change(change: Reconfiguration) -> ChangeDocument:
    return ChangeDocument(verdict=change.verdict.value, sequences=[_sequence(path) for path in (change.at_once, *change.others)])


def _sequence(path: Path) -> SequenceDocument:
    from scrutator.checker.quorum.reconfigure import broken

    steps = []
    for configuration, step in zip(path.configurations[1:], path.steps, strict=True):
        finding = broken(step)
        roles = None if finding is None else list(finding.rule.roles)
        steps.append(StepDocument(to=configuration.name, verdict=step.verdict.value, roles=roles, miss=_miss(finding)))
    return SequenceDocument(kind=path.kind, verdict=path.verdict.value, steps=steps)


def _model(explored: Explored) -> ModelDocument:
    apart = None if explored.shown is None else explored.shown.apart
    return ModelDocument(
        model=explored.model,
        result=result_document(explored.result),
        apart=None if apart is None else [sorted(nodes) for _, nodes in apart],
    )


def _federated(study: FederatedStudy) -> FederatedDocument:
    result = study.result
    split = bool(result.left)
    return FederatedDocument(
        name=study.system.name,
        verdict=study.verdict.value,
        outcome=result.outcome.value,
        scope=result.scope,
        notes=list(study.system.notes),
        nodes=len(study.system.nodes),
        disjoint=[sorted(result.left), sorted(result.right)] if split else None,
        disjoint_smallest=result.smallest if split else None,
        smallest_quorum=_set(study.smallest),
        smallest_blocking=_set(study.blocking),
        smallest_splitting=_set(None if study.splitting is None else study.splitting.faulty),
        minimal_quorums=None if study.quorums is None else _counts(study.quorums.sizes.items()),
        minimal_blocking_sets=None if study.blockings is None else _counts(study.blockings.sizes.items()),
        failures=study.failures,
        questions=[str(path) for path in study.written],
        undone=list(study.undone),
    )


def _set(found: Smallest | None) -> SmallestDocument | None:
    return None if found is None else SmallestDocument(nodes=sorted(found.nodes), proved=found.proved)


def _counts(sizes: Collection[tuple[int, int]]) -> dict[str, int]:
    return {str(size): count for size, count in sorted(sizes)}
