"""A specification: a state, named actions, and properties; and the model it becomes once bound.

`Spec` collects what a model file declares.  `Spec.bind` fixes the bounds and, if asked,
a mutant, and gives a `Model`: the same functions, with every bound, index type, record
and quorum system they name replaced by its concrete self.  Neither decides anything;
the checkers read models.
"""

from __future__ import annotations

import enum
import inspect
import sys
import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from scrutator.model.language.errors import SpecError, instead
from scrutator.model.language.reach import Reached, is_library, named_by, reached_from
from scrutator.model.language.types import (
    BoundDeclaration,
    BoundExpression,
    IndexType,
    LinksType,
    NetworkType,
    Record,
    RecordType,
    SetType,
    Type,
    as_type,
    is_scalar,
)

F = TypeVar("F", bound=Callable[..., Any])


class Kind(enum.Enum):
    """What a property claims."""

    INVARIANT = "invariant"  # true in every state
    STEP_INVARIANT = "step invariant"  # true of every (state before, state after)
    REACHABLE = "reachable"  # true in some state
    ALWAYS_POSSIBLE = "always possible"  # from every state, some path leads to a state where it is true


@dataclass(frozen=True)
class Each:
    """The domain of an action's parameter: the elements of a set or network of the state."""

    field: str
    kind: RecordType | None = None  # only messages of this record type


def each(field: str) -> Each:
    """A parameter that ranges over the elements of the state's set ``field``."""
    return Each(field)


@dataclass(frozen=True)
class Action:
    """A named action; each combination of its parameters' values may give one successor."""

    name: str
    function: Callable[..., Any]
    parameters: tuple[tuple[str, Any], ...]  # name and domain: a finite type, or `Each`
    fault: bool = False
    when: Any = True
    built_in: str = ""  # "lose" or "duplicate": a network's own fault, with no function to read

    @property
    def doc(self) -> str:
        return inspect.getdoc(self.function) or ""


@dataclass(frozen=True)
class Property:
    """A named claim about the model's behaviours."""

    name: str
    kind: Kind
    function: Callable[..., Any]
    when: Any = True

    @property
    def doc(self) -> str:
        return inspect.getdoc(self.function) or ""


@dataclass(frozen=True)
class Mutant:
    """A broken variant: a function replaced or bounds changed, and the property it breaks."""

    name: str
    doc: str
    breaks: str
    source: str = ""
    replaces: tuple[tuple[Callable[..., Any], Callable[..., Any]], ...] = ()
    bounds: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Refinement:
    """A claim: seen through ``function``, every behaviour of a specification is one of ``spec``.

    ``bounds`` gives bounds of ``spec`` in terms of the refining specification's own.
    """

    name: str
    spec: Spec
    function: Callable[..., Any]
    bounds: Mapping[str, object] = field(default_factory=dict)

    @property
    def doc(self) -> str:
        return inspect.getdoc(self.function) or ""

    @property
    def where(self) -> str:
        """File and line."""
        return _where(self.function)


@dataclass(frozen=True)
class Model:
    """A specification with its bounds fixed.  `state` is the resolved record type."""

    spec: Spec
    bounds: Mapping[str, Any]
    mutant: str | None
    state: RecordType
    initial: tuple[Action, ...]
    actions: tuple[Action, ...]
    properties: tuple[Property, ...]
    constraints: tuple[Callable[..., Any], ...]
    interchangeable: tuple[IndexType, ...]

    @property
    def name(self) -> str:
        return self.spec.name


class Spec:
    """What a model file declares; see ``docs/models.md`` for how to write one."""

    def __init__(self, name: str, state: type[Record], *, doc: str = "") -> None:
        caller = sys._getframe(1)
        self.name, self.state = name, state
        self.doc = doc or inspect.cleandoc(caller.f_globals.get("__doc__") or name)
        self._initial: list[Action] = []
        self._actions: list[Action] = []
        self._properties: list[Property] = []
        self._constraints: list[Callable[..., Any]] = []
        self._mutants: list[Mutant] = []
        self._refinements: list[Refinement] = []

    # --- declaring --------------------------------------------------------------------

    def initial(self, function: F | None = None, /, **parameters: Any) -> Any:
        """An initial state, made by changing the state of defaults; one for each choice of parameters."""
        declare = self._declare(self._initial, fault=False, when=True, parameters=parameters)
        return declare if function is None else declare(function)

    def action(self, function: F | None = None, /, *, when: Any = True, **parameters: Any) -> Any:
        """An action: ``require`` its guard, then change the state.

        Parameters range over finite types (``i=SERVER``), over the messages in flight
        of a record class (``m=RequestVote``), or over a set of the state (``x=each("pending")``).
        With ``when``, the action exists only where that option is true.
        """
        declare = self._declare(self._actions, fault=False, when=when, parameters=parameters)
        return declare if function is None else declare(function)

    def fault(self, function: F | None = None, /, *, when: Any = True, **parameters: Any) -> Any:
        """An action of the environment: a crash, a restart, a loss."""
        declare = self._declare(self._actions, fault=True, when=when, parameters=parameters)
        return declare if function is None else declare(function)

    def _declare(self, actions: list[Action], *, fault: bool, when: Any, parameters: dict[str, Any]) -> Callable[[F], F]:
        def declare(function: F) -> F:
            expected = list(inspect.signature(function).parameters)
            if expected[1:] != list(parameters):
                raise SpecError(
                    f"{_where(function)}: {function.__name__}({', '.join(expected)}) must take the state and then {', '.join(parameters) or 'nothing'}"
                )
            _require_new(function, "action", actions)
            actions.append(Action(function.__name__, function, tuple(parameters.items()), fault, when))
            return function

        return declare

    def _property(self, kind: Kind, function: Any, when: Any) -> Any:
        def declare(function: F) -> F:
            arity = 2 if kind is Kind.STEP_INVARIANT else 1
            if len(inspect.signature(function).parameters) != arity:
                raise SpecError(f"{_where(function)}: a {kind.value} takes {'the states before and after' if arity == 2 else 'the state'}")
            _require_new(function, "property", self._properties)
            self._properties.append(Property(function.__name__, kind, function, when))
            return function

        return declare if function is None else declare(function)

    def invariant(self, function: F | None = None, *, when: Any = True) -> Any:
        """A property of every reachable state."""
        return self._property(Kind.INVARIANT, function, when)

    def step_invariant(self, function: F | None = None, *, when: Any = True) -> Any:
        """A property of every step: ``f(before, after)``."""
        return self._property(Kind.STEP_INVARIANT, function, when)

    def reachable(self, function: F | None = None, *, when: Any = True) -> Any:
        """Something that happens in some reachable state; where it cannot, the model is vacuous."""
        return self._property(Kind.REACHABLE, function, when)

    def always_possible(self, function: F | None = None, *, when: Any = True) -> Any:
        """Something that can still happen from every reachable state."""
        return self._property(Kind.ALWAYS_POSSIBLE, function, when)

    def constraint(self, function: F) -> F:
        """States where it is false are checked, but not explored further."""
        self._constraints.append(function)
        return function

    def mutant(
        self, *, replaces: Callable[..., Any] | None = None, breaks: str, source: str = "",
        name: str = "", doc: str = "", bounds: Mapping[str, object] | None = None,
    ) -> Callable[[F], F]:  # fmt: skip
        """The decorated function takes the place of ``replaces``, an action, property or helper.

        ``breaks`` names the property that must then be violated, ``source`` whoever made the
        mistake first, and ``bounds`` the smallest bounds within which it shows.
        """

        def declare(function: F) -> F:
            swap = ((replaces, function),) if replaces is not None else ()
            self.add_mutant(Mutant(name or function.__name__, doc or inspect.getdoc(function) or "", breaks, source, swap, bounds or {}))
            return function

        return declare

    def add_mutant(self, mutant: Mutant) -> None:
        """A mutant without a function of its own, such as a change of bounds."""
        if mutant.breaks not in {p.name for p in self._properties}:
            raise SpecError(f"mutant {mutant.name}: there is no property {mutant.breaks} for it to break")
        self._mutants.append(mutant)

    def refines(self, spec: Spec, *, bounds: Mapping[str, object] | None = None) -> Callable[[F], F]:
        """The decorated function ``f(state, abstract)`` builds the state of ``spec`` that a state stands for.

        It reads the one and fills in the other, which comes as that model's defaults.  The
        claim: every initial state stands for an initial state, and every step for a step or
        for none.  ``bounds`` gives bounds of ``spec`` as numbers, bounds or sums of bounds of
        this specification; one left out is this specification's bound of that name, if there
        is one, else ``spec``'s default.
        """

        def declare(function: F) -> F:
            if not isinstance(spec, Spec):
                raise SpecError(f"{_where(function)}: {self.name} refines a specification, as in @SPEC.refines(OTHER), not {spec!r}")
            if len(inspect.signature(function).parameters) != 2:
                raise SpecError(f"{_where(function)}: a mapping takes a state of {self.name} and the state of {spec.name} to fill in")
            if any(r.name == function.__name__ for r in self._refinements):
                raise SpecError(f"{_where(function)}: the name {function.__name__} is taken by another mapping")
            self._refinements.append(Refinement(function.__name__, spec, function, dict(bounds or {})))
            return function

        return declare

    # --- reading ----------------------------------------------------------------------

    @property
    def properties(self) -> tuple[Property, ...]:
        return tuple(self._properties)

    @property
    def actions(self) -> tuple[Action, ...]:
        return tuple(self._actions)

    @property
    def mutants(self) -> tuple[Mutant, ...]:
        return tuple(self._mutants)

    @property
    def refinements(self) -> tuple[Refinement, ...]:
        return tuple(self._refinements)

    def reached(self) -> Reached:
        """All that the specification is made of.  Its mappings are made of another's parts too, and left out."""
        todo: list[Any] = [self.state, *(m for mutant in self._mutants for pair in mutant.replaces for m in pair)]
        todo += [x for a in (*self._initial, *self._actions) for x in (a.function, a.when, *(d for _, d in a.parameters))]
        todo += [x for p in self._properties for x in (p.function, p.when)] + list(self._constraints)
        return reached_from(todo)

    @property
    def bounds(self) -> tuple[BoundDeclaration, ...]:
        """Every bound the specification depends on, in order of declaration."""
        declared = sorted(self.reached().bounds, key=lambda b: b.order)
        names = [b.name for b in declared]
        if len(set(names)) < len(names):
            raise SpecError(f"{self.name}: two bounds share a name among {', '.join(names)}")
        return tuple(declared)

    def bind(self, bounds: Mapping[str, object] | None = None, mutant: str | None = None) -> Model:
        """The model for these bounds (defaults for the rest), with a mutant's change if named."""
        chosen: Mutant | None = None
        if mutant is not None:
            chosen = next((m for m in self._mutants if m.name == mutant), None)
            if chosen is None:
                raise SpecError(f"{self.name} has no mutant {mutant}" + instead(mutant, [m.name for m in self._mutants]))
        given = {**(chosen.bounds if chosen else {}), **(bounds or {})}
        declared = {b.name: b for b in self.bounds}
        for name in given:
            if name not in declared:
                raise SpecError(f"{self.name} has no bound {name}" + instead(name, list(declared)))
        env: dict[str, Any] = {name: b.parse(given.get(name, b.default)) for name, b in declared.items()}
        return Binder(self, env, chosen).model()


def _require_new(function: Any, what: str, known: Iterable[Action | Property]) -> None:
    if any(other.name == function.__name__ for other in known):
        raise SpecError(f"{_where(function)}: the name {function.__name__} is taken by another {what}")


def _where(function: Callable[..., Any]) -> str:
    code = function.__code__
    return f"{code.co_filename}:{code.co_firstlineno}"


class Binder:
    """Replaces what depends on bounds, in types and in the names that functions use."""

    def __init__(self, spec: Spec, env: dict[str, Any], mutant: Mutant | None) -> None:
        self.spec, self.env, self.mutant = spec, env, mutant
        self.replaced = dict(mutant.replaces) if mutant else {}
        self.bound: dict[Any, Any] = {}
        self.keep: list[Any] = []  # objects whose id is a key in `bound` must stay alive

    def model(self) -> Model:
        spec = self.spec
        state = self.value(spec.state)
        actions = tuple(self.action(a, state) for a in spec._actions if self.value(a.when)) + _network_faults(state)
        if not actions:
            raise SpecError(f"{spec.name} has no actions")
        initial = tuple(self.action(a, state) for a in spec._initial) or (Action("initial", lambda s: None, ()),)
        properties = tuple(Property(p.name, p.kind, self.value(p.function)) for p in spec._properties if self.value(p.when))
        constraints = tuple(self.value(f) for f in spec._constraints)
        indices = {t.name: t for t in self.bound.values() if isinstance(t, IndexType) and t.interchangeable and t.count > 1}
        return Model(
            spec, self.env, self.mutant.name if self.mutant else None, state, initial, actions, properties, constraints,
            tuple(indices.values()),
        )  # fmt: skip

    def action(self, action: Action, state: RecordType) -> Action:
        function = self.value(action.function)
        parameters = tuple((name, self.domain(action, name, domain, state)) for name, domain in action.parameters)
        return Action(action.name, function, parameters, action.fault)

    def domain(self, action: Action, name: str, domain: Any, state: RecordType) -> Any:
        def wrong(why: str) -> SpecError:
            return SpecError(f"{_where(action.function)}: parameter {name} of {action.name}: {why}")

        if isinstance(domain, Each):
            if not isinstance(state.fields.get(domain.field), (SetType, LinksType)):
                raise wrong(f"the state has no set or network {domain.field}")
            return domain
        if inspect.isclass(domain) and issubclass(domain, Record):
            kind = self.value(domain)
            fields = [n for n, t in state.fields.items() if _carries(t, domain)]
            if len(fields) != 1:
                raise wrong(f"{domain.__name__} travels on {' and '.join(fields) or 'no network of the state'}; it must be one")
            return Each(fields[0], kind)
        resolved = self.value(as_type(domain))
        if not is_scalar(resolved):
            raise wrong(f"{resolved.describe()} cannot be enumerated")
        return resolved

    def value(self, thing: Any) -> Any:
        """The concrete self of anything a model names."""
        if isinstance(thing, types.FunctionType):
            return self.function(thing, {})
        if inspect.isclass(thing) and issubclass(thing, Record) and thing is not Record:
            if thing not in self.bound:
                self.bound[thing] = self.intern(thing.declared().resolve(self.env))
            return self.bound[thing]
        if isinstance(thing, Type):
            if id(thing) not in self.bound:
                self.keep.append(thing)
                self.bound[id(thing)] = self.intern(thing.resolve(self.env))
            return self.bound[id(thing)]
        return thing.evaluate(self.env) if isinstance(thing, BoundExpression) else thing

    def intern(self, resolved: Type) -> Type:
        """Note the index types inside, so that the model knows which are interchangeable."""
        todo: list[Any] = [resolved]
        while todo:
            part = todo.pop()
            if isinstance(part, IndexType):
                self.bound[("index", part.name)] = part
            if isinstance(part, Type):
                todo += part.parts()
        return resolved

    def function(self, original: types.FunctionType, without: dict[Any, Any]) -> Any:
        """The function over concrete globals.  A mutant's function may call what it replaces."""
        key = (original, frozenset(without))
        if key in self.bound:
            return self.bound[key]
        target: Any = original
        inner = dict(without)
        if original in self.replaced and original not in without:
            target, inner = self.replaced[original], {**without, original: None}
        if is_library(target):
            return target
        names = dict(target.__globals__)
        cells = tuple(types.CellType(None) for _ in target.__closure__ or ())
        bound = types.FunctionType(target.__code__, names, target.__name__, target.__defaults__, cells)
        bound.__kwdefaults__, bound.__doc__, bound.__module__ = target.__kwdefaults__, target.__doc__, target.__module__
        self.bound[key] = bound
        for name, value in named_by(target).items():
            concrete = self.function(value, inner) if isinstance(value, types.FunctionType) else self.value(value)
            if name in target.__code__.co_freevars:
                cells[target.__code__.co_freevars.index(name)].cell_contents = concrete
            else:
                names[name] = concrete
        return bound


def _carries(declared: Type, cls: type[Record]) -> bool:
    if not isinstance(declared, (SetType, LinksType)):
        return False
    members = getattr(declared.element, "members", (declared.element,))
    return any(isinstance(m, RecordType) and m.cls is cls for m in members)


def _network_faults(state: RecordType) -> tuple[Action, ...]:
    """Loss and duplication, for the networks that declare them."""

    def drop(s: Any, m: Any) -> None:
        """The network loses a message."""

    def repeat(s: Any, m: Any) -> None:
        """The network delivers a message once more."""

    faults = []
    for name, declared in state.fields.items():
        if isinstance(declared, (NetworkType, LinksType)):
            if declared.duplication and isinstance(declared, NetworkType) and not declared.bag:
                raise SpecError(f"{name}: a set holds no second copy; do not `receive` a message that may come again")
            if declared.loss:
                faults.append(Action(f"lose_from_{name}", drop, (("m", Each(name)),), True, True, "lose"))
            if declared.duplication:
                faults.append(Action(f"duplicate_in_{name}", repeat, (("m", Each(name)),), True, True, "duplicate"))
    return tuple(faults)
