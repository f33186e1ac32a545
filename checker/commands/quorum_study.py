"""What `scrutator quorum` does with each system: read it, verify it, and answer what else was asked.

Law: knows no output.  A file is read as a file if there is one of that name, or if the text looks like
the name of one; anything else is an expression.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scrutator.checker.commands.shared import UsageError, load_spec, models_code, require_known
from scrutator.checker.quorum.reconfigure import Reconfiguration, reconfigure
from scrutator.checker.quorum.result import Verification
from scrutator.checker.quorum.study import Explored, Study
from scrutator.checker.quorum.verify import verify
from scrutator.model.quorums.files import read
from scrutator.model.quorums.system import QuorumSystem, parse_system

_LIKE_A_FILE = re.compile(r"[^\s(*+=;,]*\.(toml|cfg|conf|json|js|sql|cql|properties|dynamic|txt)|[^\s(*+=;,]*/[^\s(*+=;,]*", re.I)


@dataclass(frozen=True, slots=True)
class Request:
    """The options of the command, read."""

    rules: tuple[str, ...]
    source: str | None
    conventions: Mapping[str, str]
    failures: int | None
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


def study(texts: Sequence[str], request: Request) -> list[Study]:
    """One study a system."""
    from scrutator.checker.report.elapsed import Elapsed

    systems = [load(text, request) for text in texts]
    found = []
    for system in systems:
        with Elapsed(sys.stderr) as show:
            show(f"verifying {system.name}")
            found.append(_study(system, request))
    return found


def load(text: str, request: Request) -> QuorumSystem:
    """The system that a file or an expression states."""
    if _LIKE_A_FILE.fullmatch(text) or Path(text).is_file():
        return read(text, format=request.source, rules=request.rules, **request.conventions)
    if request.source is not None:
        raise UsageError(f"--from {request.source}: there is no file {text}")
    return parse_system(text, rules=request.rules)


def _study(system: QuorumSystem, request: Request) -> Study:
    verification = verify(
        system,
        faulty=request.faulty,
        absent=request.down,
        forgetting=request.forgetting,
        timeout_s=request.timeout_s,
    )
    written = () if request.smtlib is None else _write_questions(verification, request.smtlib)
    return Study(
        system,
        verification,
        change=None if request.to is None else _change(system, request),
        explored=None if request.model is None else _explore(system, request.model, request.settings),
        written=written,
    )


def _change(system: QuorumSystem, request: Request) -> Reconfiguration:
    assert request.to is not None
    return reconfigure(system, load(request.to, request), timeout_s=request.timeout_s)


def _explore(system: QuorumSystem, model: str, settings: Mapping[str, str]) -> Explored:
    from scrutator.checker.explore.check import check
    from scrutator.checker.quorum.handover import handover, quorums_of
    from scrutator.checker.report.progress import ProgressLine

    spec = load_spec(model)
    require_known("bound", settings, [bound.name for bound in spec.bounds], model)
    given = handover(system, spec)
    taken = next((name for name in settings if name in given.bounds), None)
    if taken is not None:
        raise UsageError(f"--set {taken}: the quorum system says that already: {taken}={given.bounds[taken]}")
    with models_code(), ProgressLine(sys.stderr, model) as progress:
        result = check(spec, bounds={**settings, **given.bounds}, progress=progress)
    return Explored(model, result, quorums_of(result, given))


def _write_questions(verification: Verification, folder: Path) -> tuple[Path, ...]:
    from scrutator.checker.quorum.script import script

    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for finding in verification.findings:
            name = re.sub(r"[^A-Za-z0-9]+", "-", str(finding.rule)).strip("-")
            path = folder / f"{name}.smt2"
            path.write_text(script(finding, verification.scope))
            written.append(path)
    except OSError as error:
        raise UsageError(f"cannot write the questions to {folder}: {error.strerror or error}") from error
    return tuple(written)
