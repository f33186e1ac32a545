"""A refinement with its bounds fixed: two models, and the function from states of the one to states of the other.

The law: in the mapping each name means what it means in its own model.  What only the
abstract model is made of gets that model's bounds, everything else the concrete one's,
with its mutant if it has one.  The abstract model is never a mutant's: who is a quorum in
it follows the design, not the mistake.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from scrutator.model.language.errors import SpecError, instead
from scrutator.model.language.reach import reached_from
from scrutator.model.language.spec import Binder, Model, Mutant, Refinement, Spec
from scrutator.model.language.types import BoundDeclaration, BoundExpression

Bounds = dict[str, Any]


@dataclass(frozen=True)
class Mapping:
    """A bound refinement: ``function(state, target)`` reads a state of ``concrete`` and fills in one of ``abstract``."""

    refinement: Refinement
    concrete: Model
    abstract: Model
    function: Callable[[Any, Any], None]

    @property
    def name(self) -> str:
        return self.refinement.name


def choose(spec: Spec, target: str | None) -> Refinement:
    """The refinement of that name or to a model of that name, or the only one; raises `SpecError`."""
    known = spec.refinements
    if not known:
        raise SpecError(f"{spec.name} declares no refinement: write @SPEC.refines(OTHER) before a function that maps its states")
    if target is None:
        if len(known) > 1:
            raise SpecError(f"{spec.name} refines {', '.join(r.spec.name for r in known)}: say which")
        return known[0]
    fitting = [r for r in known if target in (r.name, r.spec.name)]
    if not fitting:
        raise SpecError(f"{spec.name} declares no refinement of {target}" + instead(target, [r.spec.name for r in known]))
    if len(fitting) > 1:
        raise SpecError(f"{spec.name} maps to {target} in several ways: name one of {', '.join(r.name for r in fitting)}")
    return fitting[0]


def bind_refinement(refinement: Refinement, concrete: Model) -> Mapping:
    """Fix the abstract model's bounds by the concrete one's; raises `SpecError` where they do not fit."""
    mutant = next((m for m in concrete.spec.mutants if m.name == concrete.mutant), None)
    designed = _as_designed(concrete, mutant)
    abstract = _bind_abstract(refinement, concrete.name, designed)
    _require_shared_alike(refinement, concrete, designed, abstract)
    binder = _MappingBinder(refinement, concrete, mutant, abstract)
    return Mapping(refinement, concrete, abstract, binder.value(refinement.function))


def _as_designed(concrete: Model, mutant: Mutant | None) -> Bounds:
    """The model's bounds; where a mutant changed who is a quorum, those of the design."""
    bounds = dict(concrete.bounds)
    for declared in concrete.spec.bounds if mutant else ():
        name = declared.name
        if mutant and name in mutant.bounds and isinstance(declared.default, str) and bounds[name] == declared.parse(mutant.bounds[name]):
            bounds[name] = declared.default
    return bounds


def _bind_abstract(refinement: Refinement, name_of_concrete: str, ours: Bounds) -> Model:
    spec = refinement.spec
    names = [b.name for b in spec.bounds]
    given: dict[str, object] = {name: ours[name] for name in names if name in ours}
    for name, value in refinement.bounds.items():
        if name not in names:
            raise SpecError(f"{refinement.where}: {spec.name} has no bound {name}" + instead(name, names))
        given[name] = _evaluated(refinement, name, value, ours)
    try:
        return spec.bind(given)
    except SpecError as error:
        raise SpecError(f"{refinement.where}: the bounds of {spec.name} for {name_of_concrete} with {_shown(ours)}: {error}") from None


def _evaluated(refinement: Refinement, name: str, value: object, ours: Bounds) -> object:
    """What the mapping gives as a bound: a plain value, or one computed from the concrete model's bounds."""
    if not isinstance(value, BoundExpression):
        return value
    unknown = [leaf.name for leaf in value.leaves() if leaf.name not in ours]
    if unknown:
        raise SpecError(f"{refinement.where}: {name} depends on {unknown[0]}, which is no bound of the model that is mapped")
    return ours[value.name] if isinstance(value, BoundDeclaration) else value.evaluate(ours)


def _shown(bounds: Bounds) -> str:
    return ", ".join(f"{name}={value}" for name, value in bounds.items()) or "its fixed bounds"


def _require_shared_alike(refinement: Refinement, concrete: Model, bounds: Bounds, abstract: Model) -> None:
    """A bound that both models are declared with has one value."""
    theirs = _by_identity(abstract.spec.bounds)
    for declared in concrete.spec.bounds:
        name = declared.name
        if id(declared) in theirs and bounds[name] != abstract.bounds[name]:
            values = f"{bounds[name]} in {concrete.name} and {abstract.bounds[name]} in {abstract.name}"
            raise SpecError(f"{refinement.where}: both models share the bound {name}, so it cannot be {values}")


class _MappingBinder(Binder):
    """Binds what the mapping names: by the abstract model where it alone has it, else by the concrete one."""

    def __init__(self, refinement: Refinement, concrete: Model, mutant: Mutant | None, abstract: Model) -> None:
        super().__init__(concrete.spec, dict(concrete.bounds), mutant)
        self.refinement = refinement
        self.theirs = Binder(abstract.spec, dict(abstract.bounds), None)
        ours, theirs = concrete.spec.reached(), abstract.spec.reached()
        self.our_bounds, self.their_bounds = _by_identity(ours.bounds), _by_identity(theirs.bounds)
        self.only_theirs = {k: v for k, v in theirs.objects.items() if k not in ours.objects}

    def value(self, thing: Any) -> Any:
        if not isinstance(thing, types.FunctionType) and self._is_theirs(thing):
            return self.theirs.value(thing)
        return super().value(thing)

    def function(self, original: types.FunctionType, without: dict[Any, Any]) -> Any:
        if id(original) in self.only_theirs:
            return self.theirs.function(original, {})
        return super().function(original, without)

    def _is_theirs(self, thing: Any) -> bool:
        if id(thing) in self.only_theirs:
            return True
        depends = _by_identity(reached_from([thing]).bounds)
        unknown = [b.name for k, b in depends.items() if k not in self.our_bounds and k not in self.their_bounds]
        if unknown:
            raise SpecError(f"{self.refinement.where}: the mapping uses the bound {unknown[0]}, which belongs to neither model")
        theirs = [b.name for k, b in depends.items() if k not in self.our_bounds]
        ours = [b.name for k, b in depends.items() if k not in self.their_bounds]
        if theirs and ours:
            raise SpecError(f"{self.refinement.where}: the mapping uses something that depends on {ours[0]} of the one model and {theirs[0]} of the other")
        return bool(theirs)


def _by_identity(bounds: tuple[BoundDeclaration, ...]) -> dict[int, BoundDeclaration]:
    return {id(b): b for b in bounds}


