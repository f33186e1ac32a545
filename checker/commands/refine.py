"""`scrutator refine`: whether every behaviour of one model, seen through its mapping, is one of another.

Law: decides nothing itself; results go to standard output, progress to standard error.
"""

from __future__ import annotations

import sys
from typing import Annotated, Any, Literal

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

_WHAT = Group("What to check", sort_key=1)
_HOW = Group("How to explore", sort_key=2)
_LIMITS = Group("Limits: the verdict is unknown beyond them", sort_key=3)
_OUTPUT = Group("Output", sort_key=4)


def refine(
    model: Annotated[str, Parameter(group=_WHAT)],
    target: Annotated[str | None, Parameter(group=_WHAT)] = None,
    /,
    *,
    settings: Annotated[tuple[str, ...], Parameter(name="--set", group=_WHAT)] = (),
    mutant: Annotated[str | None, Parameter(group=_WHAT)] = None,
    engine: Annotated[Literal["compiled", "python"] | None, Parameter(group=_HOW)] = None,
    workers: Annotated[int | None, Parameter(group=_HOW)] = None,
    fingerprint_bits: Annotated[Literal[64, 128] | None, Parameter(group=_HOW)] = None,
    depth_max: Annotated[int | None, Parameter(group=_LIMITS)] = None,
    states_max: Annotated[int | None, Parameter(group=_LIMITS)] = None,
    timeout_s: Annotated[float | None, Parameter(group=_LIMITS)] = None,
    memory_max: Annotated[str | None, Parameter(group=_LIMITS)] = None,
    format: Annotated[Format, Parameter(group=_OUTPUT)] = "text",
) -> int:
    """Check that a model refines another: each of its steps is a step of the other, or none.

    What is checked is safety. That something happens at all is not.

    Parameters
    ----------
    model
        The model that refines: a name that `scrutator list` shows, `package.module:SPEC` or `file.py:SPEC`.
    target
        The model it refines, or the mapping, by name; may be left out where there is only one.
    settings
        NAME=VALUE: a bound of the refining model, which the other model's bounds follow; may be repeated.
    mutant
        Check this broken variant of the refining model.
    engine
        Compiled to machine code, or the interpreter that defines what models mean.
    workers
        Threads; the verdict does not depend on them.
    fingerprint_bits
        Bits by which states are told apart; the report states the odds of a collision.
    depth_max
        Explore no deeper; initial states are at depth 1.
    states_max
        Explore no more distinct states.
    timeout_s
        Stop after so many seconds.
    memory_max
        Memory for the search, for instance 512M or 4G, besides Python's own 0.1 G.
    format
        Text for people, JSON for programs.
    """
    from scrutator.checker.explore.options import CheckOptions

    spec = load_spec(model)
    bounds = parse_settings(settings, model, [b.name for b in spec.bounds])
    require_known("mutant", [mutant] if mutant else [], [m.name for m in spec.mutants], model)
    names = [r.spec.name for r in spec.refinements]
    if not names:
        raise UsageError(f"{model} declares no refinement: docs/models.md says how a model maps its states to another's")
    require_known("refinement", [target] if target else [], [*names, *(r.name for r in spec.refinements)], model)
    given: dict[str, Any] = {
        "engine": engine,
        "workers": workers,
        "fingerprint_bits": fingerprint_bits,
        "depth_max": depth_max,
        "states_max": states_max,
        "timeout_s": timeout_s,
        "memory_max_bytes": None if memory_max is None else parse_size(memory_max),
    }
    options = CheckOptions(**{name: value for name, value in given.items() if value is not None})
    return _run(spec, target, bounds, mutant, options, format)


def _run(spec: Any, target: str | None, bounds: dict[str, Any], mutant: str | None, options: Any, format: Format) -> int:
    from scrutator.checker.refine.check import refine as check_refinement
    from scrutator.checker.report.progress import ProgressLine

    with models_code(), ProgressLine(sys.stderr, spec.name) as progress:
        result = check_refinement(spec, target, bounds=bounds, mutant=mutant, options=options, progress=progress)

    def show() -> None:
        if format == "json":
            from scrutator.checker.report.json import encode
            from scrutator.checker.report.refine_json import refine_document

            sys.stdout.write(encode(refine_document(result)))
        else:
            from scrutator.checker.report.layout import console_for
            from scrutator.checker.report.refine_text import print_refinement

            print_refinement(console_for(sys.stdout), result)

    emit(show)
    return int(result.exit_status)
