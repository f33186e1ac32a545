"""What `scrutator quorum` does with each system: read it, verify it, and answer what else was asked.

Law: knows no output.  A file is read as a file if there is one of that name, or if the text looks like
the name of one; anything else is an expression.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from scrutator.checker.commands.shared import UsageError, load_spec, models_code, require_known
from scrutator.checker.quorum.availability import Availability, availability
from scrutator.checker.quorum.blocking import resilience
from scrutator.checker.quorum.cost.comparison import Row, compare
from scrutator.checker.quorum.cost.regions import waits
from scrutator.checker.quorum.cost.searching import Found, Progress, search
from scrutator.checker.quorum.cost.strategy import Costs
from scrutator.checker.quorum.cost.workloads import workload_of
from scrutator.checker.quorum.federated import (
    decide,
    disjoint_question,
    minimal_blocking_sets,
    minimal_quorums,
    smallest_blocking_set,
    smallest_quorum,
    smallest_splitting_set,
)
from scrutator.checker.quorum.probability import system_probability
from scrutator.checker.quorum.programme import TimedOut
from scrutator.checker.quorum.reconfigure import Reconfiguration, reconfigure
from scrutator.checker.quorum.result import Verification
from scrutator.checker.quorum.script import script
from scrutator.checker.quorum.study import AnyStudy, Explored, FederatedStudy, Study
from scrutator.checker.quorum.verify import verify
from scrutator.checker.verdict import Verdict
from scrutator.model.quorums.expression import Kind, QuorumError
from scrutator.model.quorums.federated import FederatedSystem
from scrutator.model.quorums.files import read
from scrutator.model.quorums.parse import unknown
from scrutator.model.quorums.system import DATA, QuorumSystem, parse_system

if TYPE_CHECKING:
    from scrutator.checker.report.quorum_page import Candidate

T = TypeVar("T")
ASIDE_S = 20.0  # for each analysis besides the verdict
LISTED = 1000  # minimal sets of a federated system

_LIKE_A_FILE = re.compile(r"[^\s(*+=;,]*\.(toml|cfg|conf|json|js|sql|cql|properties|dynamic|txt)|[^\s(*+=;,]*/[^\s(*+=;,]*", re.I)


@dataclass(frozen=True, slots=True)
class Request:
    """The options of the command, read."""

    rules: tuple[str, ...]
    source: str | None
    conventions: Mapping[str, str]
    failures: int | None
    zones: int | None
    optimise: str
    faulty: frozenset[str]
    forgetting: int
    down: frozenset[str]
    search: bool
    to: str | None
    model: str | None
    settings: Mapping[str, str]
    reads: tuple[str, ...]
    timeout_s: float
    smtlib: Path | None
    html: Path | None


def study(texts: Sequence[str], request: Request) -> list[AnyStudy]:
    """One study a system."""
    from scrutator.checker.report.elapsed import Elapsed

    reads_of(request.reads)  # a mistake there is said before anything takes time
    systems = [load(text, request) for text in texts]
    found: list[AnyStudy] = []
    with Elapsed(sys.stderr) as show:
        for system in systems:
            show(f"verifying {system.name}")
            if isinstance(system, FederatedSystem):
                found.append(_federated(system, request, show))
            else:
                found.append(_study(system, request, show))
    return found


def load(text: str, request: Request) -> QuorumSystem | FederatedSystem:
    """The system that a file or an expression states."""
    if _LIKE_A_FILE.fullmatch(text) or _is_file(text):
        return read(text, format=request.source, rules=request.rules, **request.conventions)
    if request.source is not None:
        raise UsageError(f"--from {request.source}: there is no file {text}")
    return parse_system(text, rules=request.rules)


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except OSError:  # a long expression is no name that a file can have
        return False


def _study(system: QuorumSystem, request: Request, show: Callable[[str], None]) -> Study:
    if request.zones is not None and not system.regions():
        raise UsageError(f"--zones {request.zones}: no node of {system.name} says in which region it is")
    verification = verify(
        system,
        faulty=request.faulty,
        absent=request.down,
        forgetting=request.forgetting,
        timeout_s=request.timeout_s,
    )
    written = () if request.smtlib is None else _write_questions(verification, request.smtlib)
    undone: list[str] = []
    left = _without_down(system, request.down)
    chances = any(node.failure is not None for node in system.nodes)
    show(f"what {system.name} survives and costs")
    return Study(
        system,
        verification,
        availability=_try("what it survives", undone, lambda: _availability(left, request)),
        probability=_try("how probably it is up", undone, lambda: system_probability(left, roles=_working(left))) if chances else None,
        cost=None if verification.without_quorum else _try("what it costs", undone, lambda: _cost(left, request)),
        waits=tuple(wait for wait in waits(system) if wait.role != DATA),
        better=_try("a better system", undone, lambda: _search(system, request, show)) if request.search else None,
        change=None if request.to is None else _change(system, request),
        explored=None if request.model is None else _explore(system, request.model, request),
        written=written,
        failures=request.failures,
        zones=request.zones,
        undone=tuple(undone),
    )


def _try(what: str, undone: list[str], analyse: Callable[[], T]) -> T | None:
    """An analysis besides the verdict: where it takes too long or does not apply, the rest is still worth saying."""
    try:
        return analyse()
    except TimedOut:
        undone.append(f"{what}: not within the time limit, allow more with --timeout-s")
    except QuorumError as error:
        undone.append(f"{what}: {error}")
    return None


def _working(system: QuorumSystem) -> list[str]:
    """The roles that need quorums to be alive; who holds the data is not one."""
    return [role for role in system.roles if role != DATA]


def _without_down(system: QuorumSystem, down: frozenset[str]) -> QuorumSystem:
    """What is left of the quorums once some nodes are down for ever."""
    if not down:
        return system
    return replace(system, roles={role: expression.restricted(absent=down) for role, expression in system.roles.items()})


def _availability(system: QuorumSystem, request: Request) -> Availability:
    return availability(system, request.failures, roles=_working(system), timeout_s=min(request.timeout_s, ASIDE_S))


def _cost(system: QuorumSystem, request: Request) -> Row:
    work = workload_of(system, reads_of(request.reads))
    return compare([system], work, optimise=request.optimise, timeout_s=min(request.timeout_s, ASIDE_S))[0]


def _search(system: QuorumSystem, request: Request, show: Callable[[str], None]) -> Found:
    def told(progress: Progress) -> None:
        show(f"searching: {progress.considered:,} systems considered, {progress.solved:,} optimised")

    def proved(candidate: QuorumSystem) -> bool:
        known = {node.name for node in candidate.nodes}
        proof = verify(candidate, faulty=request.faulty & known, forgetting=request.forgetting, timeout_s=request.timeout_s)
        return proof.verdict is Verdict.HOLDS

    voters = [node for node in system.nodes if node.kind is Kind.VOTER and node.name not in request.down]
    work = workload_of(system, reads_of(request.reads))
    rules = tuple(str(rule) for rule in system.rules if set(rule.roles) <= {work.read, work.write})
    return search(
        voters, work, optimise=request.optimise, resilience=request.failures or 0, zones_survived=request.zones or 0,
        rules=rules, prove=proved,
        timeout_s=request.timeout_s, on_progress=told,
    )  # fmt: skip


def candidates(studies: Sequence[AnyStudy]) -> list[Candidate] | None:
    """What a plot compares: several systems, or one and the better one that was found."""
    found: list[Candidate] = []
    for study in studies:
        if isinstance(study, Study) and study.cost is not None:
            survives = min(study.cost.resilience.values())
            if study.verification.verdict is Verdict.HOLDS:
                found.append(_candidate(study.system.name, study.cost.costs, survives, study.cost.note))
            else:  # what is unsafe is no better for being fast
                found.append(_candidate(study.system.name, None, survives, "not proved safe, so not compared"))
        if isinstance(study, Study) and study.better is not None:
            better = study.better
            text = "; ".join(f"{role} = {expression}" for role, expression in better.system.roles.items())
            survives = min(resilience(expression) for expression in better.system.roles.values())
            found.append(_candidate(text, better.optimum.costs, survives, better.optimum.proof))
    return found if len(found) > 1 else None


def _candidate(name: str, costs: Costs | None, survives: int, note: str) -> Candidate:
    from scrutator.checker.report.quorum_page import Candidate

    if costs is None:
        return Candidate(name, None, None, survives, note=note)
    return Candidate(
        name, costs.load, costs.latency_s, survives, costs.capacity, costs.network, note.startswith("optimal"), note
    )


def reads_of(texts: tuple[str, ...]) -> float | dict[float, float] | None:
    """The fraction of reads: one number, or FRACTION:WEIGHT several times."""
    found: dict[float, float] = {}
    for text in texts:
        fraction, _, weight = text.partition(":")
        try:
            part, times = float(fraction), float(weight or 1)
        except ValueError:
            raise UsageError(f"--reads {text}: write a fraction such as 0.9, or FRACTION:WEIGHT such as 0.9:3") from None
        if not (0 <= part <= 1 and 0 < times < float("inf")):
            raise UsageError(f"--reads {text}: the fraction is between 0 and 1, its weight above 0")
        if part in found:
            raise UsageError(f"--reads {text}: the weight of {part:g} is given already")
        found[part] = times
    return found or None


def _federated(system: FederatedSystem, request: Request, show: Callable[[str], None]) -> FederatedStudy:
    for option, given in (("--rules", request.rules), ("--to", request.to), ("--check", request.model), ("--search", request.search), ("--zones", request.zones)):
        if given:
            raise UsageError(f"{option} is not for federated systems, whose nodes each choose their own quorums")
    known = dict.fromkeys(system.names())
    for name in (*request.down, *request.faulty):
        if name not in known:
            raise UsageError(unknown("node", name, known))
    left = system.within(set(known) - request.down) if request.down else system
    result = decide(left, faulty=request.faulty - request.down, any_faulty=request.forgetting, timeout_s=request.timeout_s)
    show(f"what blocks and splits {system.name}")
    undone: list[str] = []
    limit = min(request.timeout_s, ASIDE_S)
    return FederatedStudy(
        system,
        result,
        smallest=_try("the smallest quorum", undone, lambda: smallest_quorum(left, timeout_s=limit)),
        blocking=_try("the smallest blocking set", undone, lambda: smallest_blocking_set(left, timeout_s=limit)),
        splitting=_try("the smallest splitting set", undone, lambda: smallest_splitting_set(left, timeout_s=limit)),
        quorums=_try("the number of minimal quorums", undone, lambda: minimal_quorums(left, sets_max=LISTED, timeout_s=limit)),
        blockings=_try("the number of minimal blocking sets", undone, lambda: minimal_blocking_sets(left, sets_max=LISTED, timeout_s=limit)),
        failures=request.failures,
        written=() if request.smtlib is None else _write(request.smtlib, {"disjoint quorums": disjoint_question(left, faulty=request.faulty - request.down)}),
        undone=tuple(undone),
    )


def _change(system: QuorumSystem, request: Request) -> Reconfiguration:
    assert request.to is not None
    new = load(request.to, request)
    if isinstance(new, FederatedSystem):
        raise UsageError(f"--to {request.to}: a federated system has no quorums of its own to change to")
    return reconfigure(
        system, new, faulty=request.faulty, absent=request.down, forgetting=request.forgetting, timeout_s=request.timeout_s
    )


def _explore(system: QuorumSystem, model: str, request: Request) -> Explored:
    from scrutator.checker.explore.check import check
    from scrutator.checker.explore.options import CheckOptions
    from scrutator.checker.quorum.handover import handover, quorums_of
    from scrutator.checker.report.progress import ProgressLine

    if request.down or request.faulty or request.forgetting:
        raise UsageError("--check runs the system as it is: leave out --down, --faulty and --forgetting")
    spec = load_spec(model)
    settings = request.settings
    require_known("bound", settings, [bound.name for bound in spec.bounds], model)
    given = handover(system, spec)
    taken = next((name for name in settings if name in given.bounds), None)
    if taken is not None:
        raise UsageError(f"--set {taken}: the quorum system says that already: {taken}={given.bounds[taken]}")
    with models_code(), ProgressLine(sys.stderr, model) as progress:
        options = CheckOptions(timeout_s=request.timeout_s)
        result = check(spec, bounds={**settings, **given.bounds}, options=options, progress=progress)
    return Explored(model, result, quorums_of(result, given, system.rules))


def _write_questions(verification: Verification, folder: Path) -> tuple[Path, ...]:
    return _write(folder, {str(finding.rule): script(finding, verification.scope) for finding in verification.findings})


def _write(folder: Path, questions: Mapping[str, str]) -> tuple[Path, ...]:
    """Write each question into a file of its name."""
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in questions.items():
            path = folder / (re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-") + ".smt2")
            path.write_text(text)
            written.append(path)
    except OSError as error:
        raise UsageError(f"cannot write the questions to {folder}: {error.strerror or error}") from error
    return tuple(written)
