"""A whole model as one program of flat code: its functions, and the tables they read.

`translate` gives the source text, the tables it reads and what the engine must know of
it.  Helpers become functions of their own, one for each combination of argument types.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from scrutator.checker.explore.layout import code_bytes, row_bytes, size_of
from scrutator.checker.translate.builder import (
    FAULT,
    IntType,
    Items,
    NoneType,
    Operand,
    Place,
    Thing,
    View,
    syntax_of,
)
from scrutator.checker.translate.changes import history_names, may_change
from scrutator.checker.translate.drivers import action_function, driver_of, fire, instances, mask_function
from scrutator.checker.translate.expressions import Expressions
from scrutator.checker.translate.prelude import NEXT_BIT, sorted_functions
from scrutator.checker.translate.statements import Statements
from scrutator.checker.translate.symmetry import symmetry_source
from scrutator.model.language.spec import Kind, Model
from scrutator.model.language.types import (
    EnumType,
    NatType,
    RecordType,
    Representation,
    SeqType,
    SetType,
    Type,
)
from scrutator.model.quorums.table import QuorumTable


@dataclass(frozen=True)
class Translation:
    """Flat source and what belongs to it.

    ``sites`` are the capacities that may refuse a step, ``faults`` the mistakes that only
    compiled code finds: number k is reported as status `FAULT` + 1 + k.
    """

    source: str
    constants: dict[str, int]
    tables: dict[str, bytes]
    row_bytes: int
    successors_max: int
    sites: tuple[str, ...]
    faults: tuple[str, ...]
    ordered: dict[str, str]  # interchangeable index types whose values are compared or computed with, and where
    invariants: tuple[str, ...]
    step_invariants: tuple[str, ...]
    predicates: tuple[str, ...]


def translate(model: Model, *, symmetry: bool = False, more: Callable[[Program], str] | None = None) -> Translation:
    """The flat program of a model; raises `SpecError` for what cannot be compiled.

    With ``symmetry`` it includes ``canonical`` over the model's interchangeable indices.
    ``more`` adds a function of its own, with what it needs of the same program.
    """
    program = Program(model)
    drivers = ["def successors(p: ptr, out: ptr, codes: ptr, ctx: ptr) -> i64:", "    n = 0", "    t = out"]
    bound = 0
    for k, action in enumerate(model.actions):
        program.functions.append(action_function(program, k, action))
        drivers += driver_of(program, k, action, fire)
        bound += instances(model, action)
    drivers.append("    return n")
    by_kind = {kind: [p for p in model.properties if p.kind is kind] for kind in Kind}
    predicates = by_kind[Kind.REACHABLE] + by_kind[Kind.ALWAYS_POSSIBLE]
    rest = [
        mask_function(program, "invariants", [p.function for p in by_kind[Kind.INVARIANT]], violated=True),
        mask_function(program, "step_invariants", [p.function for p in by_kind[Kind.STEP_INVARIANT]], violated=True, states=2),
        mask_function(program, "predicates", [p.function for p in predicates], violated=False),
    ]
    if model.constraints:
        rest.append(mask_function(program, "outside", list(model.constraints), violated=True))
        rest.append("def within(p: ptr, ctx: ptr) -> i64:\n    return 1 if outside(p, ctx) == 0 else 0")
    if symmetry:
        rest.append(symmetry_source(model.state, model.interchangeable, program.codes_table))
    if more is not None:
        rest.append(more(program))
    return replace(
        assembled(program, ["\n".join(drivers), *(r for r in rest if r)]),
        successors_max=max(1, bound),
        invariants=tuple(p.name for p in by_kind[Kind.INVARIANT]),
        step_invariants=tuple(p.name for p in by_kind[Kind.STEP_INVARIANT]),
        predicates=tuple(p.name for p in predicates),
    )


def assembled(program: Program, drivers: list[str]) -> Translation:
    """The program with the functions that the engine calls, which name all others; it checks no property yet."""
    model = program.model
    prelude = [NEXT_BIT, *(sorted_functions(w) for w in sorted(program.widths | _sorted_widths(model)))]
    source = "\n\n".join([*prelude, *program.functions, *drivers]) + "\n"
    constants = {"ROW": row_bytes(model.state), "STATUS": 8 * (1 + len(program.sites))}
    return Translation(
        source, constants, program.tables, row_bytes(model.state), 1, tuple(program.sites), tuple(program.faults), program.ordered, (), (), (),
    )  # fmt: skip


def translate_symmetry(model: Model) -> tuple[str, dict[str, int], dict[str, bytes]]:
    """Only ``permute`` and ``canonical``: source, constants and tables."""
    program = Program(model)
    symmetry = symmetry_source(model.state, model.interchangeable, program.codes_table)
    prelude = [NEXT_BIT, *(sorted_functions(w) for w in sorted(_sorted_widths(model)))]
    return "\n\n".join([*prelude, symmetry]) + "\n", {"ROW": row_bytes(model.state)}, program.tables


def _sorted_widths(model: Model) -> set[int]:
    """Widths of the sorted arrays in the state: reading one needs its search function."""
    widths: set[int] = set()
    todo: list[Type] = [model.state]
    while todo:
        declared: Any = todo.pop()
        if isinstance(declared, SetType) and declared.representation is Representation.SORTED:
            widths.add(code_bytes(declared.element.bits))
        todo += [p for p in declared.parts() if isinstance(p, Type)]
    return widths


@dataclass(frozen=True)
class Helper:
    """The flat function that a helper became, for one combination of argument types."""

    name: str
    returns: Type
    uses_status: bool


@dataclass
class Program:
    """What the functions of one model share while they are translated."""

    model: Model
    functions: list[str] = field(default_factory=list)
    tables: dict[str, bytes] = field(default_factory=dict)
    helpers: dict[Any, Helper] = field(default_factory=dict)
    sites: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    ordered: dict[str, str] = field(default_factory=dict)
    widths: set[int] = field(default_factory=set)
    in_progress: list[Any] = field(default_factory=list)
    serial: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @cached_property
    def history(self) -> frozenset[str]:
        """Names of history variables."""
        return history_names(self.model.state)

    # --- what lowering asks for ---------------------------------------------------------

    def quorum_table(self, system: QuorumTable) -> str:
        """The name of the table that tells which sets are quorums."""
        return self._table("QUORUMS", system.table)

    def codes_table(self, declared: Type) -> str:
        """The name of a table from ranks to codes."""
        return self._table("CODES", b"".join(declared.pack(declared.unrank(k)).to_bytes(8, "little") for k in range(declared.size)))

    def _table(self, prefix: str, content: bytes) -> str:
        for name, known in self.tables.items():
            if known == content:
                return name
        name = f"{prefix}{len(self.tables)}"
        self.tables[name] = content
        return name

    def site(self, name: str) -> int:
        """The number of a place whose capacity may refuse a step."""
        if name not in self.sites:
            self.sites.append(name)
        return self.sites.index(name)

    def own_fault(self, message: str) -> int:
        """The status of a mistake that only compiled code finds."""
        if message not in self.faults:
            self.faults.append(message)
        return FAULT + 1 + self.faults.index(message)

    # --- helpers ------------------------------------------------------------------------

    def call(self, f: Expressions, function: Any, node: ast.Call) -> Operand:
        """A call of a model's helper function."""
        assert isinstance(f, Statements)
        syntax = syntax_of(function)
        names = [a.arg for a in syntax.args.args]
        by_name = {k.arg: k.value for k in node.keywords}
        if syntax.args.vararg or syntax.args.kwonlyargs or syntax.args.defaults or len(node.args) + len(by_name) != len(names):
            raise f.error(f"{function.__name__} takes {', '.join(names)}; defaults and * are not part of the model language", node)
        given = [*node.args, *(by_name[n] for n in names[len(node.args) :])]
        things = [self.argument(f, f.before(a, *given[k + 1 :]), a) for k, a in enumerate(given)]
        helper = self.helper(function, names, things, f, node)
        texts = []
        for thing in things:
            if isinstance(thing, Place):
                texts.append(f"{f.root(thing)} + {thing.at()}" if thing.at() != "0" else f.root(thing))
            else:
                texts.append(thing.text)
        result = f.fresh(f"{helper.name}({', '.join(['ctx', *texts])})")
        if helper.uses_status:
            f.propagate()
        if may_change(function, syntax):
            f.note_change()
        return f.decoded(result, helper.returns) if isinstance(helper.returns, NatType) else Operand(result, helper.returns)

    def argument(self, f: Statements, thing: Thing, node: ast.AST) -> Operand | Place:
        """What a helper is given: the code of a value, or where a place lies."""
        if isinstance(thing, View):
            return f.snapshot(thing, node)
        if isinstance(thing, Items):
            raise f.error("a list display has no type of its own: give the function a sequence", node)
        if isinstance(thing, Operand) and isinstance(thing.type, IntType):
            return Operand(thing.text, IntType())
        if isinstance(thing, Place) and thing.type.is_value and not isinstance(thing.type, (SetType, SeqType, RecordType)):
            return f.loaded(thing, node)
        return thing

    def helper(self, function: Any, names: list[str], things: list[Operand | Place], caller: Statements, node: ast.AST) -> Helper:
        """The flat function for arguments of these types."""
        key = (function, tuple(_signature(t) for t in things))
        if key in self.helpers:
            return self.helpers[key]
        if function in self.in_progress:
            raise caller.error(f"{function.__name__} calls itself; recursion is not part of the model language", node)
        self.in_progress.append(function)
        f = Statements(function, self, is_action=False)
        parameters = ["ctx: ptr"]
        for name, thing in zip(names, things, strict=True):
            if isinstance(thing, Place):
                f.variables[name] = Place(thing.type, f"a_{name}", 0, "", thing.name, thing.fixed)
                parameters.append(f"a_{name}: ptr")
            else:
                f.variables[name] = Operand(f"a_{name}", thing.type)
                parameters.append(f"a_{name}: i64")
        f.body(syntax_of(function).body)
        returns = f.settle_returns()
        name = f"{function.__name__.lower()}_{next(self.serial)}"
        self.functions.append("\n".join([f"def {name}({', '.join(parameters)}) -> i64:", *f.lines]))
        self.in_progress.pop()
        kind = IntType() if isinstance(returns, IntType) else returns
        self.helpers[key] = Helper(name, kind, f.uses_status)
        return self.helpers[key]


def _signature(thing: Operand | Place) -> tuple[Any, ...]:
    """What two arguments have in common if one function serves both."""
    where = (thing.name, thing.fixed) if isinstance(thing, Place) else ()
    return (type(thing).__name__, where, "IntType" if isinstance(thing.type, IntType) else _type_key(thing.type))


def _type_key(kind: Type) -> Any:
    if isinstance(kind, (RecordType, EnumType)):
        return kind.cls
    return (type(kind).__name__, kind.describe(), size_of(kind) if not isinstance(kind, (IntType, NoneType)) and kind.describe() != "a set of nothing" else 0)
