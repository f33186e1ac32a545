"""`scrutator check`: explores models, prints what was found, and keeps counterexamples.

Law: decides nothing itself; results go to standard output, progress to standard error.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TextIO

from cyclopts import Group, Parameter

from scrutator.checker.commands.shared import (
    Format,
    UsageError,
    emit,
    load_spec,
    models_code,
    parse_settings,
    parse_size,
    require_known,
)
from scrutator.checker.explore.result import Result
from scrutator.checker.verdict import ExitStatus, Verdict

if TYPE_CHECKING:
    from scrutator.checker.explore.options import CheckOptions

_WHAT = Group("What to check", sort_key=1)
_HOW = Group("How to explore", sort_key=2)
_LIMITS = Group("Limits: the verdict is unknown beyond them", sort_key=3)
_OUTPUT = Group("Output", sort_key=4)


def check(
    model: Annotated[str | None, Parameter(group=_WHAT)] = None,
    /,
    *,
    settings: Annotated[tuple[str, ...], Parameter(name="--set", group=_WHAT)] = (),
    properties: Annotated[tuple[str, ...], Parameter(name="--property", group=_WHAT)] = (),
    mutant: Annotated[str | None, Parameter(group=_WHAT)] = None,
    deadlock: Annotated[bool | None, Parameter(group=_WHAT)] = None,
    engine: Annotated[Literal["compiled", "python"] | None, Parameter(group=_HOW)] = None,
    search: Annotated[Literal["bfs", "dfs", "simulate"] | None, Parameter(group=_HOW)] = None,
    workers: Annotated[int | None, Parameter(group=_HOW)] = None,
    symmetry: Annotated[bool | None, Parameter(negative="--no-symmetry", group=_HOW)] = None,
    walks: Annotated[int | None, Parameter(group=_HOW)] = None,
    seed: Annotated[int | None, Parameter(group=_HOW)] = None,
    fingerprint_bits: Annotated[Literal[64, 128] | None, Parameter(group=_HOW)] = None,
    keep_going: Annotated[bool, Parameter(name="--continue", group=_HOW)] = False,
    depth_max: Annotated[int | None, Parameter(group=_LIMITS)] = None,
    states_max: Annotated[int | None, Parameter(group=_LIMITS)] = None,
    timeout_s: Annotated[float | None, Parameter(group=_LIMITS)] = None,
    memory_max: Annotated[str | None, Parameter(group=_LIMITS)] = None,
    coverage: Annotated[bool, Parameter(group=_OUTPUT)] = False,
    witness: Annotated[bool, Parameter(group=_OUTPUT)] = False,
    format: Annotated[Format, Parameter(group=_OUTPUT)] = "text",
    out: Annotated[Path | None, Parameter(group=_OUTPUT)] = None,
) -> int:
    """Check a model's properties; with no model, check the standard models.

    Parameters
    ----------
    model
        A name that `scrutator list` shows, `package.module:SPEC` or `file.py:SPEC`; `:SPEC` may be left out.
    settings
        NAME=VALUE: a bound of the model; may be repeated.
    properties
        Check only this property; may be repeated.
    mutant
        Check this broken variant of the model.
    deadlock
        Also require that every state has a successor.
    engine
        Compiled to machine code, or the interpreter that defines what models mean.
    search
        Breadth-first finds the shortest counterexample; simulate walks at random.
    workers
        Threads; the verdict does not depend on them.
    symmetry
        Explore one of each set of states that differ only in interchangeable names.
    walks
        Number of random walks of a simulation.
    seed
        Of a simulation's random choices.
    fingerprint_bits
        Bits by which states are told apart; the report states the odds of a collision.
    keep_going
        Do not stop at the first violated property.
    depth_max
        Explore no deeper; initial states are at depth 1.
    states_max
        Explore no more distinct states.
    timeout_s
        Stop after so many seconds.
    memory_max
        Memory for the search, for instance 512M or 4G, besides Python's own 0.1 G. What is not
        needed soon goes to disk; the search stops when the rest does not fit.
    coverage
        Show how often each action fired, and the new states at each depth.
    witness
        Show how each reachable property was reached; with --out, save that too.
    format
        Text for people, JSON for programs.
    out
        Save the counterexample to this file, or each into this folder, for `scrutator replay`.
    """
    from scrutator.checker.explore.options import CheckOptions

    given: dict[str, Any] = {
        "engine": engine,
        "search": search,
        "workers": workers,
        "symmetry": symmetry,
        "walks": walks,
        "seed": seed,
        "deadlock": deadlock,
        "fingerprint_bits": fingerprint_bits,
        "depth_max": depth_max,
        "states_max": states_max,
        "timeout_s": timeout_s,
        "memory_max_bytes": None if memory_max is None else parse_size(memory_max),
        "stop_at_first": False if keep_going else None,
    }
    options = CheckOptions(**{name: value for name, value in given.items() if value is not None})
    jobs: list[tuple[str, Any, dict[str, Any]]]  # what the user called it, what to check, bounds
    if model is None:
        for option, value in (("--set", settings), ("--property", properties), ("--mutant", mutant)):
            if value:
                raise UsageError(f"{option} needs a MODEL to apply to: scrutator check MODEL {option} ...")
        from scrutator.model.catalogue import STANDARD

        jobs = [(name, name, dict(bounds)) for name, bounds in STANDARD]
    else:
        spec = load_spec(model)
        bounds = parse_settings(settings, model, [b.name for b in spec.bounds])
        for name in (r.name for r in spec.refinements if r.name in properties):
            raise UsageError(f"--property {name}: a refinement is checked by scrutator refine {model} {name}")
        require_known("property", properties, [p.name for p in spec.properties], model)
        require_known("mutant", [mutant] if mutant else [], [m.name for m in spec.mutants], model)
        jobs = [(model, spec, bounds)]

    results: list[Result] = []
    try:
        for reference, subject, bounds in jobs:
            results.append(_check_one(reference, subject, bounds, mutant, properties, options))
            if _interrupted(results[-1]):
                break
    finally:  # a later model's mistake must not hide what the earlier ones showed
        if results:
            _print_check(results, format, coverage=coverage, witness=witness)
    for (reference, _, _), result in zip(jobs, results, strict=False):
        _keep_traces(reference, result, out, witness, sys.stdout if format == "text" else sys.stderr)
    return combined_status(results)


# --- checking -----------------------------------------------------------------------------


def _check_one(
    reference: str,
    subject: Any,
    bounds: dict[str, Any],
    mutant: str | None,
    properties: tuple[str, ...],
    options: CheckOptions,
) -> Result:
    from scrutator.checker.explore.check import check as check_model
    from scrutator.checker.report.progress import ProgressLine

    with models_code(), ProgressLine(sys.stderr, reference) as progress:
        return check_model(
            subject, bounds=bounds, mutant=mutant, properties=properties, options=options, progress=progress
        )


def combined_status(results: Sequence[Result]) -> ExitStatus:
    """The gravest of several: violated, then faulty or vacuous, then unknown."""
    statuses = {result.exit_status for result in results}
    order = (ExitStatus.VIOLATED, ExitStatus.FAULTY_MODEL, ExitStatus.UNKNOWN)
    return next((status for status in order if status in statuses), ExitStatus.HOLDS)


def _interrupted(result: Result) -> bool:
    return result.limit is not None and "interrupt" in result.limit


def _print_check(results: Sequence[Result], format: Format, *, coverage: bool, witness: bool) -> None:
    def show() -> None:
        if format == "json":
            from scrutator.checker.report.json import check_document, encode

            sys.stdout.write(encode(check_document(results, combined_status(results))))
        else:
            from scrutator.checker.report.layout import console_for
            from scrutator.checker.report.text import print_results

            print_results(console_for(sys.stdout), results, coverage=coverage, witness=witness)

    emit(show)


def _keep_traces(reference: str, result: Result, out: Path | None, witness: bool, stream: TextIO) -> None:
    """Save each counterexample, and each witness that was asked for, where the user said, else say how."""
    from scrutator.checker.report.clean import clean

    traced = [p for p in result.properties if p.trace is not None]
    for k, found in enumerate(p for p in traced if witness or p.verdict is Verdict.VIOLATED):
        what = "counterexample" if found.verdict is Verdict.VIOLATED else f"witness of {found.name}"
        name = f"{result.model}-{found.name}.json".replace(os.sep, "-")
        if out is None:
            message = f"To keep and replay the {what}: add --out {name}, then scrutator replay {name}"
        else:
            path = out / name if out.is_dir() else out if k == 0 else out.with_name(f"{out.stem}-{name}")
            _save(result, found.name, path, reference)
            message = f"The {what} is in {path}; replay it: scrutator replay {path}"
        emit(partial(print, f"\n{clean(message)}", file=stream))


def _save(result: Result, property_name: str, path: Path, reference: str) -> None:
    from scrutator.checker.explore.trace import save

    try:
        save(result, property_name, path, reference)
    except OSError as error:
        raise UsageError(f"cannot save the counterexample to {path}: {error.strerror or error}") from error
