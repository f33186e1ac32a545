"""Check a model: bind it, explore it with one of the engines, and say what was found.

>>> from scrutator.checker.explore.check import check
>>> result = check("two-phase-commit", bounds={"managers": 3})
>>> result.verdict.value, result.distinct, result.depth
('holds', 288, 11)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from scrutator.checker.explore.findings import Findings, Path
from scrutator.checker.explore.interpreted import explore_interpreted
from scrutator.checker.explore.layout import decode
from scrutator.checker.explore.options import CheckOptions, Progress, ProgressCallback
from scrutator.checker.explore.result import ActionCoverage, PropertyKind, PropertyResult, Result, Trace
from scrutator.checker.explore.trace import explain
from scrutator.checker.verdict import Verdict
from scrutator.model.language.errors import ModelError, SpecError, instead
from scrutator.model.language.interpret import Interpreter
from scrutator.model.language.show import bound_as_text
from scrutator.model.language.spec import Kind, Model, Property, Spec

__all__ = ["CheckOptions", "Progress", "Result", "check"]

KINDS = {
    Kind.INVARIANT: PropertyKind.INVARIANT,
    Kind.STEP_INVARIANT: PropertyKind.STEP_INVARIANT,
    Kind.REACHABLE: PropertyKind.REACHABLE,
    Kind.ALWAYS_POSSIBLE: PropertyKind.ALWAYS_POSSIBLE,
}
DEADLOCK = "no_deadlock"


def check(
    spec: Spec | str,
    *,
    bounds: Mapping[str, object] | None = None,
    mutant: str | None = None,
    properties: tuple[str, ...] = (),
    options: CheckOptions | None = None,
    progress: ProgressCallback | None = None,
) -> Result:
    """Explore a model's states and judge its properties (all of them by default).

    ``spec`` is a `Spec` or a reference to one: a name from ``scrutator list``,
    ``package.module:SPEC`` or ``file.py:SPEC``.  Raises `SpecError` for unknown names,
    unfit bounds and code outside the model language, `ModelError` where the model
    breaks its own declarations.  An interrupt or a limit gives a partial result.
    """
    options = options or CheckOptions()
    if isinstance(spec, str):
        from scrutator.model.catalogue import load

        spec = load(spec)
    model = spec.bind(bounds, mutant)
    chosen = _choose(model, properties)
    canonical: Callable[[bytes], bytes] = _same
    if options.engine == "python":
        if options.symmetry:
            from scrutator.checker.explore.compiled import canonical_of

            canonical = canonical_of(model)
        found = explore_interpreted(model, chosen, options, canonical, progress)
    else:
        from scrutator.checker.explore.compiled import explore_compiled

        found, canonical = explore_compiled(model, chosen, options, progress)
    if found.fault is not None:
        _locate_fault(model, chosen, found, canonical)
    return _result(model, chosen, options, found, canonical)


def _same(row: bytes) -> bytes:
    return row


def _choose(model: Model, names: tuple[str, ...]) -> tuple[Property, ...]:
    known = {p.name: p for p in model.properties}
    for name in names:
        if name not in known:
            raise SpecError(f"{model.name} has no property {name}" + instead(name, list(known)))
    return tuple(p for p in model.properties if not names or p.name in names)


def _locate_fault(model: Model, chosen: tuple[Property, ...], found: Findings, canonical: Callable[[bytes], bytes]) -> None:
    """Let the interpreter make the model's mistake again, where it can name it."""
    assert found.fault is not None
    trace = explain(model, found.fault, canonical, shortest=found.shortest)
    how = " after ".join(s.label for s in reversed(trace.steps[-3:]))
    where = f"in the state reached by {how} ({len(trace)} steps from the start)"
    if found.fault_why:
        raise ModelError(f"{found.fault_why}\n  {where}")
    interpreter = Interpreter(model)
    try:
        state = decode(model.state, bytes.fromhex(trace.steps[-1].encoded))
        for p in chosen:
            if p.kind is not Kind.STEP_INVARIANT:
                interpreter.holds(p.function, state)
        for constraint in model.constraints:
            interpreter.holds(constraint, state)
        for successor in interpreter.successors(state):
            for p in chosen:
                if p.kind is Kind.STEP_INVARIANT:
                    interpreter.holds(p.function, state, successor.state)
    except ModelError as error:
        raise ModelError(f"{error}\n  {where}") from None
    raise RuntimeError("the compiled engine reports a mistake of the model that the interpreter does not make")


# --- from findings to a result --------------------------------------------------------------


def _result(model: Model, chosen: tuple[Property, ...], options: CheckOptions, found: Findings, canonical: Callable[[bytes], bytes]) -> Result:
    complete = found.exhaustive and options.search != "simulate" and not _stopped_early(found, options)

    def trace_of(path: Path | None, broken: Property | None = None) -> Trace | None:
        return None if path is None else explain(model, path, canonical, shortest=found.shortest, broken=broken)

    results = []
    for p in chosen:
        verdict, note, trace = Verdict.HOLDS if complete else Verdict.UNKNOWN, "", None
        if p.kind is Kind.REACHABLE:
            trace = trace_of(found.reached.get(p.name))
            verdict = Verdict.HOLDS if trace else (Verdict.VIOLATED if complete else Verdict.UNKNOWN)
            note = "" if trace else ("never happens" if complete else "has not happened so far")
        elif p.name in found.violated:
            trace = trace_of(found.violated[p.name], p)
            verdict = Verdict.VIOLATED
            note = "impossible from the last state on" if p.kind is Kind.ALWAYS_POSSIBLE else ""
        elif p.kind is Kind.ALWAYS_POSSIBLE and found.possible.get(p.name) is not True:
            verdict, note = Verdict.UNKNOWN, "some states were not explored, so what is possible from them is unknown"
        results.append(PropertyResult(p.name, KINDS[p.kind], verdict, p.doc, trace, note))
    if options.deadlock:
        stuck = trace_of(found.deadlock)
        verdict = Verdict.VIOLATED if stuck else (Verdict.HOLDS if complete else Verdict.UNKNOWN)
        results.append(PropertyResult(DEADLOCK, PropertyKind.NO_DEADLOCK, verdict, "Some action is always enabled.", stuck))
    actions = tuple(
        ActionCoverage(a.name, fired, new) for a, fired, new in zip(model.actions, found.fired, found.discovered, strict=True)
    )
    return Result(
        model=model.name,
        bounds=tuple((name, bound_as_text(value)) for name, value in model.bounds.items()),
        mutant=model.mutant,
        engine=options.engine,
        search=options.search,
        workers=options.workers if options.engine == "compiled" else 1,
        symmetry=tuple(i.name for i in model.interchangeable) if options.symmetry else (),
        seed=options.seed if options.search == "simulate" else None,
        properties=tuple(results),
        distinct=found.distinct,
        generated=found.generated,
        depth=len(found.levels),
        levels=found.levels,
        actions=actions,
        seconds=found.seconds,
        compile_seconds=found.compile_seconds,
        memory_bytes_peak=found.memory_bytes_peak,
        collision_odds=found.collision_odds,
        exhaustive=complete,
        limit=found.limit or ("a violation" if _stopped_early(found, options) else None),
        truncations=found.truncations,
        vacuous=_vacuous(model, results, actions) if complete else (),
        index_bytes=found.index_bytes,
        walks=found.walks,
    )


def _stopped_early(found: Findings, options: CheckOptions) -> bool:
    return options.stop_at_first and bool(found.violated or found.deadlock)


def _vacuous(model: Model, results: list[PropertyResult], actions: tuple[ActionCoverage, ...]) -> tuple[str, ...]:
    """What never happened although every state was seen: the model may be saying nothing."""
    never = [f"{p.name} is never reached" for p in results if p.kind is PropertyKind.REACHABLE and p.trace is None]
    return (*never, *(f"action {a.name} never fires" for a in actions if a.fired == 0))
