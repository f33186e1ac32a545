"""Check a refinement: bind both models, follow every step of the one in the other, and say what was found.

>>> from scrutator.checker.refine.check import refine
>>> result = refine("paxos", "voting", bounds={"ballots": 2})
>>> result.verdict.value, [f.abstract for f in result.followed if f.action == "promise"]
('holds', ['promise'])
"""

from __future__ import annotations

from collections.abc import Mapping as Given

from scrutator.checker.explore.options import CheckOptions, ProgressCallback
from scrutator.checker.refine.explain import locate_fault, refute_initial, refute_step
from scrutator.checker.refine.found import Found
from scrutator.checker.refine.images import Images
from scrutator.checker.refine.interpreted import follow_interpreted
from scrutator.checker.refine.result import Followed, RefineResult, Refutation
from scrutator.model.language.errors import SpecError
from scrutator.model.language.refinement import Mapping, bind_refinement, choose
from scrutator.model.language.show import bound_as_text
from scrutator.model.language.spec import Refinement, Spec


def refine(
    spec: Spec | str,
    target: str | Refinement | None = None,
    *,
    bounds: Given[str, object] | None = None,
    mutant: str | None = None,
    options: CheckOptions | None = None,
    progress: ProgressCallback | None = None,
) -> RefineResult:
    """Whether every behaviour of a model, seen through its mapping, is one of the model that it maps to.

    ``spec`` is a `Spec` or a reference to one; ``target`` names the model that it refines,
    or the mapping, and may be left out where there is but one; or it is a `Refinement` that
    the model itself does not declare.  Raises `SpecError` for
    unknown names, unfit bounds and code outside of the model language, `ModelError` where
    a model or the mapping breaks its own declarations.  A limit or an interrupt gives a
    partial result.
    """
    options = options or CheckOptions()
    if options.symmetry or options.search != "bfs":
        raise SpecError("a refinement is checked breadth-first and without symmetry")
    if isinstance(spec, str):
        from scrutator.model.catalogue import load

        spec = load(spec)
    refinement = target if isinstance(target, Refinement) else choose(spec, target)
    mapping = bind_refinement(refinement, spec.bind(bounds, mutant))
    images = Images(mapping)
    stray = next(images.strays(), None)
    if stray is not None:
        return _result(mapping, options, Found(distinct=1, generated=1, levels=(1,)), refute_initial(images, stray))
    found = _follow(mapping, options, progress)
    if found.fault is not None:
        raise locate_fault(images, found.fault, found.fault_why)
    return _result(mapping, options, found, None if found.broken is None else refute_step(images, found.broken))


def _follow(mapping: Mapping, options: CheckOptions, progress: ProgressCallback | None) -> Found:
    if options.engine == "python":
        return follow_interpreted(mapping, options, progress)
    from scrutator.checker.refine.compiled import follow_compiled

    return follow_compiled(mapping, options, progress)


def _result(mapping: Mapping, options: CheckOptions, found: Found, refutation: Refutation | None) -> RefineResult:
    ours, theirs = mapping.concrete, mapping.abstract
    order = sorted(found.followed.items(), key=lambda item: (item[0][0], -1 if item[0][1] is None else item[0][1]))
    taken = {theirs.actions[k].name for _, k in found.followed if k is not None}
    return RefineResult(
        model=ours.name,
        bounds=_shown(ours.bounds),
        mutant=ours.mutant,
        abstract=theirs.name,
        abstract_bounds=_shown(theirs.bounds),
        mapping=mapping.name,
        doc=mapping.refinement.doc,
        engine=options.engine,
        workers=options.workers if options.engine == "compiled" else 1,
        distinct=found.distinct,
        generated=found.generated,
        depth=len(found.levels),
        levels=found.levels,
        followed=tuple(Followed(ours.actions[a].name, None if k is None else theirs.actions[k].name, n) for (a, k), n in order),
        never=tuple(a.name for a in theirs.actions if a.name not in taken),
        refutation=refutation,
        exhaustive=found.limit is None and refutation is None,
        limit=found.limit or ("a step that is none" if refutation else None),
        truncations=found.truncations,
        seconds=found.seconds,
        compile_seconds=found.compile_seconds,
        memory_bytes_peak=found.memory_bytes_peak,
        collision_odds=found.collision_odds,
    )


def _shown(bounds: Given[str, object]) -> tuple[tuple[str, str], ...]:
    return tuple((name, bound_as_text(value)) for name, value in bounds.items())
