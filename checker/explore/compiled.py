"""The compiled engine, in the model's own terms: names in, findings out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from scrutator.checker.explore.depth_first import explore_depth_first
from scrutator.checker.explore.exploration import Exploration, Options
from scrutator.checker.explore.findings import Findings, Path
from scrutator.checker.explore.layout import encode
from scrutator.checker.explore.native_model import NativeModel, Rows
from scrutator.checker.explore.options import CheckOptions, ProgressCallback
from scrutator.checker.explore.search import explore
from scrutator.checker.explore.symmetric import Renaming, assert_symmetric
from scrutator.checker.explore.walk import Walk, WalkOptions, simulate
from scrutator.checker.translate.builder import FAULT
from scrutator.checker.translate.program import Translation, translate
from scrutator.model.language.errors import SpecError
from scrutator.model.language.interpret import Interpreter
from scrutator.model.language.spec import Kind, Model, Property

LIMITS = {"states": "--states-max", "depth": "--depth-max", "time": "--timeout-s", "memory": "--memory-max", "interrupted": "an interrupt"}

WALKS, STEPS = 10_000, 100  # of a simulation that was given no bound

Canonical = Callable[[bytes], bytes]


def canonical_of(model: Model) -> Canonical:
    """The function from a row to its orbit's representative, once the model has passed as symmetric."""
    renaming = Renaming(model)
    assert_symmetric(model, renaming)
    return renaming.canonical


def _same(row: bytes) -> bytes:
    return row


def explore_compiled(
    model: Model, properties: tuple[Property, ...], options: CheckOptions, progress: ProgressCallback | None
) -> tuple[Findings, Canonical]:
    """Explore with native code; the findings, and the renaming that its rows went through."""
    model = dataclasses.replace(model, properties=properties)
    translation = translate(model, symmetry=options.symmetry)
    canonical: Canonical = _same
    if options.symmetry:
        for name, where in translation.ordered.items():
            if name in {i.name for i in model.interchangeable}:
                raise SpecError(f"{where}: symmetry: a {name} is used as a number, so the {name}s are not interchangeable")
        canonical = canonical_of(model)
    native = _native(model, translation, options, canonical)
    if options.search == "simulate":
        return _walked(model, translation, native, options, progress), _same
    search = explore if options.search == "bfs" else explore_depth_first
    exploration = search(native, _search_options(properties, options), progress)
    try:
        return _findings(properties, translation, exploration, options), canonical
    finally:
        exploration.paths.close()


def _search_options(properties: tuple[Property, ...], options: CheckOptions) -> Options:
    return Options(
        workers=options.workers,
        fingerprint_bits=options.fingerprint_bits,
        stop_at_first=options.stop_at_first,
        deadlock=options.deadlock,
        edges=options.search == "bfs" and any(p.kind is Kind.ALWAYS_POSSIBLE for p in properties),
        depth_max=options.depth_max,
        states_max=options.states_max,
        timeout_s=options.timeout_s,
        memory_bytes_max=options.memory_max_bytes,
    )


def _native(model: Model, translation: Translation, options: CheckOptions, canonical: Canonical) -> NativeModel:
    return NativeModel(
        source=translation.source,
        constants={name: value for name, value in translation.constants.items() if name != "ROW"},  # the kernel knows it
        tables=translation.tables,
        row_bytes=translation.row_bytes,
        successors_max=translation.successors_max,
        actions=tuple(a.name for a in model.actions),
        initial=initial_rows(model, canonical),
        invariants=len(translation.invariants),
        step_invariants=len(translation.step_invariants),
        predicates=len(translation.predicates),
        has_constraint=bool(model.constraints),
        symmetric=options.symmetry,
        truncation_sites=len(translation.sites) + 1,  # one more word: the status of a call
    )


def initial_rows(model: Model, canonical: Canonical = _same) -> Rows:
    """The initial states, each once.  Raises `SpecError` if there is none."""
    rows = dict.fromkeys(canonical(encode(s)) for s in Interpreter(model).initial_states())
    if not rows:
        raise SpecError(f"{model.name} has no initial state: every one is refused")
    return np.frombuffer(b"".join(rows), np.uint8).reshape(len(rows), -1).copy()


def _findings(properties: tuple[Property, ...], translation: Translation, e: Exploration, options: CheckOptions) -> Findings:
    path = e.paths.encoded
    found = Findings(
        distinct=e.distinct, generated=e.generated, levels=e.levels, fired=e.fired, discovered=e.reached,
        truncations=truncations_of(translation, e.truncations), outside=e.outside > 0,
        limit=LIMITS[e.limit] if e.limit else None, seconds=e.seconds, compile_seconds=e.compile_seconds,
        memory_bytes_peak=e.memory_bytes_peak, index_bytes=e.table_bytes + e.parents_bytes,
        collision_odds=e.collision_odds, shortest=e.shortest,
    )  # fmt: skip
    _name(found, translation, e, path, lambda step: path(step.state, step.ordinal))
    always = {p.name for p in properties if p.kind is Kind.ALWAYS_POSSIBLE}
    for k, name in enumerate(translation.predicates):
        if name in always and e.graph is not None:
            possibility = e.graph.can_reach(k)
            found.possible[name] = False if possibility.stuck is not None else (True if possibility.certain else None)
            if possibility.stuck is not None:
                found.violated[name] = path(possibility.stuck)
    if e.deadlock is not None and options.deadlock:
        found.deadlock = path(e.deadlock)
    if e.fault is not None:
        found.fault, found.fault_why = path(e.fault.state), why(translation, e.fault.what)
    return found


def _walked(
    model: Model, translation: Translation, native: NativeModel, options: CheckOptions, progress: ProgressCallback | None
) -> Findings:
    """Random walks, whose rows are real states and not representatives."""
    forever = options.walks is None and options.timeout_s is not None
    asked = WalkOptions(
        walks=None if forever else options.walks or WALKS,
        depth_max=options.depth_max or STEPS,
        timeout_s=options.timeout_s,
        seed=options.seed,
        workers=options.workers,
        stop_at_first=options.stop_at_first,
        deadlock=options.deadlock,
    )
    w = simulate(native, asked, progress)

    def path(found: Walk) -> Path:
        return tuple(r.tobytes() for r in w.stepper.walk(w.path(found), canonical=False).rows)

    found = Findings(
        generated=w.steps, fired=w.fired, discovered=(0,) * len(model.actions), truncations=truncations_of(translation, w.truncations),
        limit=LIMITS[w.limit] if w.limit and not (w.limit == "time" and forever) else None,
        seconds=w.seconds, compile_seconds=w.compile_seconds, shortest=False, walks=w.walks,
    )  # fmt: skip
    _name(found, translation, w, path, path)
    if w.deadlock is not None and options.deadlock:
        found.deadlock = path(w.deadlock)
    if w.fault is not None:
        found.fault, found.fault_why = path(w.fault), why(translation, w.fault_what)
    return found


def _name(found: Findings, translation: Translation, e: Any, state: Callable[[Any], Path], step: Callable[[Any], Path]) -> None:
    """Give what was found by position the properties' names."""
    for name, where in zip(translation.invariants, e.invariants, strict=True):
        if where is not None:
            found.violated[name] = state(where)
    for name, where in zip(translation.step_invariants, e.step_invariants, strict=True):
        if where is not None:
            found.violated[name] = step(where)
    for name, where in zip(translation.predicates, e.predicates, strict=True):
        if where is not None:
            found.reached[name] = state(where)


def why(translation: Translation, status: int) -> str:
    """The mistake, if only compiled code finds it."""
    return translation.faults[status - FAULT - 1] if status > FAULT else ""


def truncations_of(translation: Translation, counts: tuple[int, ...]) -> tuple[tuple[str, int], ...]:
    return tuple((name, n) for name, n in zip(translation.sites, counts, strict=False) if n)
