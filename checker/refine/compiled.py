"""The compiled engine of refinement: the search of `explore`, over actions that are pairs.

Both models become one program.  To whom the search asks for a state's successors, they
come with their steps already followed: a successor's action is the number of the
concrete action and what it is in the abstract model, together.  So the counts of actions
are the table of a refinement, and a step that is neither a step nor none is a step
invariant violated; order, limits and shortest counterexamples are the search's own.
"""

from __future__ import annotations

import dataclasses

from scrutator.checker.explore.compiled import LIMITS, initial_rows, truncations_of, why
from scrutator.checker.explore.exploration import Exploration, Options
from scrutator.checker.explore.native_model import NativeModel
from scrutator.checker.explore.options import CheckOptions, ProgressCallback
from scrutator.checker.explore.search import explore
from scrutator.checker.refine.found import Found, Pair
from scrutator.checker.translate.builder import FAULT
from scrutator.checker.translate.program import Translation, translate
from scrutator.checker.translate.refining import mapping_function, translate_steps
from scrutator.model.language.refinement import Mapping

ABSTRACT = "abstract_"  # the prefix of all that belongs to the abstract model's program

# A mistake is found again by the interpreter, unless only compiled code makes it: then its number tells.
SOURCE = """
def image(p: ptr, t: ptr, ctx: ptr) -> i64:
    zero(t, IMAGE)
    store64(ctx, STATUS, 0)
    mapped(p, t, ctx)
    status = load64(ctx, STATUS)
    if status != 0:
        store64(ctx, 0, status if status > FAULTY else FAULTY)
        return 0
    return 1

@noinline
def followed(u: ptr, w: ptr, t: ptr, theirs: ptr, ctx: ptr) -> i64:
    zero(theirs, THEIRS)
    step = abstract_step_to(u, w, t, theirs)
    if load64(theirs, 0) != 0:
        store64(ctx, 0, FAULTY)
    return step if step else BROKEN

def successors(p: ptr, out: ptr, codes: ptr, ctx: ptr) -> i64:
    u = alloca(IMAGE)
    w = alloca(IMAGE)
    last = alloca(IMAGE)
    t = alloca(IMAGE)
    theirs = alloca(THEIRS)
    n = own_successors(p, out, codes, ctx)
    if n == 0 or load64(ctx, 0) != 0:
        return n
    if image(p, u, ctx) == 0:
        return n
    copy(last, u, IMAGE)
    step = 0
    for j in range(n):
        if image(out + j * ROW, w, ctx) == 0:
            return n
        if equal_bytes(w, last, IMAGE) == 0:
            copy(last, w, IMAGE)
            step = 0 if equal_bytes(u, w, IMAGE) else followed(u, w, t, theirs, ctx)
        if step == BROKEN:
            store64(ctx, SEEN, 1)
        store32(codes, j * 4, load32(codes, j * 4) * KINDS + step)
    return n

def step_invariants(p: ptr, q: ptr, ctx: ptr) -> i64:
    if load64(ctx, SEEN) == 0:
        return 0
    return is_broken(p, q, ctx)

@noinline
def is_broken(p: ptr, q: ptr, ctx: ptr) -> i64:
    u = alloca(IMAGE)
    w = alloca(IMAGE)
    t = alloca(IMAGE)
    theirs = alloca(THEIRS)
    if image(p, u, ctx) == 0 or image(q, w, ctx) == 0 or equal_bytes(u, w, IMAGE):
        return 0
    return followed(u, w, t, theirs, ctx) == BROKEN
"""


def follow_compiled(mapping: Mapping, options: CheckOptions, progress: ProgressCallback | None) -> Found:
    """Explore with native code."""
    concrete = dataclasses.replace(mapping.concrete, properties=())
    ours = translate(concrete, more=mapping_function(mapping))
    theirs = translate_steps(mapping.abstract, ABSTRACT)
    native = _native(mapping, ours, theirs)
    exploration = explore(native, _search_options(options), progress)
    try:
        return _found(mapping, ours, exploration)
    finally:
        exploration.paths.close()


def _search_options(options: CheckOptions) -> Options:
    return Options(
        workers=options.workers,
        fingerprint_bits=options.fingerprint_bits,
        depth_max=options.depth_max,
        states_max=options.states_max,
        timeout_s=options.timeout_s,
        memory_bytes_max=options.memory_max_bytes,
    )


def _kinds(mapping: Mapping) -> int:
    """What a concrete step can be: none, one of the abstract actions, or neither."""
    return len(mapping.abstract.actions) + 2


def _native(mapping: Mapping, ours: Translation, theirs: Translation) -> NativeModel:
    kinds, sites = _kinds(mapping), len(ours.sites)
    constants = {name: value for name, value in ours.constants.items() if name != "ROW"}  # the kernel knows it
    constants |= theirs.constants | {
        "IMAGE": theirs.row_bytes,
        "THEIRS": 8 * (2 + len(theirs.sites)),
        "KINDS": kinds,
        "BROKEN": kinds - 1,
        "FAULTY": FAULT,
        "SEEN": 8 * (2 + sites),  # after the counts of refused steps and the status of a call
    }
    return NativeModel(
        source="\n".join([ours.source.replace("def successors(", "def own_successors(", 1), theirs.source, SOURCE]),
        constants=constants,
        tables=ours.tables | theirs.tables,
        row_bytes=ours.row_bytes,
        successors_max=ours.successors_max,
        actions=tuple(f"{a.name}/{kind}" for a in mapping.concrete.actions for kind in range(kinds)),
        initial=initial_rows(mapping.concrete),
        step_invariants=1,
        has_constraint=bool(mapping.concrete.constraints),
        truncation_sites=sites + 2,
    )


def _found(mapping: Mapping, translation: Translation, e: Exploration) -> Found:
    followed: dict[Pair, int] = {}
    kinds = _kinds(mapping)
    for code, count in enumerate(e.fired):
        action, kind = divmod(code, kinds)
        if count and kind < kinds - 1:
            followed[action, kind - 1 if kind else None] = count
    found = Found(
        distinct=e.distinct, generated=e.generated, levels=e.levels, followed=followed,
        truncations=truncations_of(translation, e.truncations),
        limit=LIMITS[e.limit] if e.limit else None, seconds=e.seconds, compile_seconds=e.compile_seconds,
        memory_bytes_peak=e.memory_bytes_peak, collision_odds=e.collision_odds,
    )  # fmt: skip
    (broken,) = e.step_invariants
    if broken is not None:
        found.broken = e.paths.encoded(broken.state, broken.ordinal)
    if e.fault is not None and (broken is None or e.fault.state < broken.state):  # else the search would have ended before
        found.fault = e.paths.encoded(e.fault.state)
        found.fault_why = why(translation, e.fault.what)
    return found
