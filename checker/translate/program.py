"""A whole model as one program of flat code: its functions, loops, methods and tables.

`translate` gives the source text, the tables it reads and what the engine must know of
it.  Helpers become functions of their own, one for each combination of argument types.
"""

from __future__ import annotations

import ast
import enum
import inspect
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from scrutator.checker.explore.layout import code_bytes, row_bytes, size_of
from scrutator.checker.translate.builder import (
    DISABLED,
    FAULT,
    TRUNCATED,
    Builder,
    IntType,
    NoneType,
    Operand,
    Place,
    Thing,
    View,
    syntax_of,
)
from scrutator.checker.translate.expressions import Expressions, bitset_words
from scrutator.checker.translate.prelude import NEXT_BIT, sorted_functions
from scrutator.checker.translate.statements import CHANGES, STATE, Statements, may_change
from scrutator.checker.translate.symmetry import symmetry_source
from scrutator.model.language.spec import Action, Each, Kind, Model
from scrutator.model.language.types import (
    ArrayType,
    BoolType,
    EnumType,
    IndexType,
    LinksType,
    NatType,
    RecordType,
    Representation,
    SeqType,
    SetType,
    Type,
    UnionType,
    is_scalar,
)
from scrutator.model.quorums.system import QuorumSystem


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


@dataclass
class Helper:
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
    quorums: dict[int, str] = field(default_factory=dict)
    sites: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    ordered: dict[str, str] = field(default_factory=dict)
    widths: set[int] = field(default_factory=set)
    in_progress: list[Any] = field(default_factory=list)
    serial: Any = field(default_factory=lambda: itertools.count(1))

    # --- what lowering asks for ---------------------------------------------------------

    def syntax(self, function: Any) -> ast.FunctionDef:
        return syntax_of(function)

    def changes(self, function: Any, node: ast.AST) -> bool:
        return may_change(function, node, {function})

    def quorum_table(self, system: QuorumSystem) -> str:
        """The name of the table that tells which sets are quorums."""
        for name, table in self.tables.items():
            if table == system.table:
                return name
        name = f"QUORUMS{len(self.tables)}"
        self.tables[name] = system.table
        return name

    def codes_table(self, declared: Type) -> str:
        """The name of a table from ranks to codes."""
        name = f"CODES{len(self.tables)}"
        table = b"".join(declared.pack(declared.unrank(k)).to_bytes(8, "little") for k in range(declared.size))
        for known, content in self.tables.items():
            if content == table:
                return known
        self.tables[name] = table
        return name

    def site(self, name: str) -> int:
        if name not in self.sites:
            self.sites.append(name)
        return self.sites.index(name)

    def own_fault(self, message: str) -> int:
        """The status of a mistake that only compiled code finds."""
        if message not in self.faults:
            self.faults.append(message)
        return FAULT + 1 + self.faults.index(message)

    def note_ghost(self, f: Expressions, name: str, node: ast.AST) -> None:
        if isinstance(f, Statements) and f.is_action and not f.ghost_target:
            raise f.error(f"{name} is a history variable: an action may record in it, not decide by it", node)

    def writes_ghost(self, f: Statements, node: ast.stmt) -> bool:
        """Whether a statement only records in history variables."""
        ghosts = _history_names(self.model.state)
        if not ghosts or not f.is_action:
            return False
        targets: list[ast.AST] = []
        if isinstance(node, (ast.Assign, ast.Delete)):
            targets = list(node.targets)
        elif isinstance(node, ast.AugAssign):
            targets = [node.target]
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            if isinstance(node.value.func, ast.Name) and node.value.func.id == "require":
                return False
            # A helper that is given the state may record; what it reads is its own business.
            targets = [node.value.func.value] if isinstance(node.value.func, ast.Attribute) else [node.value]
        elif isinstance(node, (ast.If, ast.For)):
            return all(self.writes_ghost(f, s) for s in (*node.body, *node.orelse))
        return bool(targets) and all(any(isinstance(p, ast.Attribute) and p.attr in ghosts for p in ast.walk(t)) for t in targets)

    # --- helpers ------------------------------------------------------------------------

    def call(self, f: Expressions, function: Any, node: ast.Call) -> Operand:
        """A call of a model's helper function."""
        syntax = syntax_of(function)
        names = [a.arg for a in syntax.args.args]
        by_name = {k.arg: k.value for k in node.keywords}
        if syntax.args.vararg or syntax.args.kwonlyargs or syntax.args.defaults or len(node.args) + len(by_name) != len(names):
            raise f.error(f"{function.__name__} takes {', '.join(names)}; defaults and * are not part of the model language", node)
        given = [*node.args, *(by_name[n] for n in names[len(node.args) :])]
        things = [self.argument(f, f.lower(a), a) for a in given]
        helper = self.helper(function, names, things, f, node)
        texts = []
        for thing in things:
            if isinstance(thing, Place):
                texts.append(f"{f.root(thing)} + {thing.at()}" if thing.at() != "0" else f.root(thing))
            else:
                assert isinstance(thing, Operand)
                texts.append(thing.text)
        result = f.fresh(f"{helper.name}({', '.join(['ctx', *texts])})")
        if helper.uses_status:
            assert isinstance(f, Statements)
            f.propagate()
        if isinstance(f, Statements) and may_change(function, syntax, {function}):
            f.note_change()
        return f.decoded(result, helper.returns) if isinstance(helper.returns, NatType) else Operand(result, helper.returns)

    def argument(self, f: Expressions, thing: Thing, node: ast.AST) -> Thing:
        if isinstance(thing, View):
            assert isinstance(f, Statements)
            return f.snapshot(thing, node)
        if isinstance(thing, Operand) and isinstance(thing.type, IntType):
            return Operand(thing.text, IntType())
        if isinstance(thing, Place) and thing.type.is_value and not isinstance(thing.type, (SetType, SeqType, RecordType)):
            return f.loaded(thing, node)
        return thing

    def helper(self, function: Any, names: list[str], things: list[Thing], caller: Expressions, node: ast.AST) -> Helper:
        def signature(thing: Thing) -> Any:
            kind = thing.type  # type: ignore[union-attr]
            return (type(thing).__name__, getattr(thing, "name", ""), type(kind).__name__ if isinstance(kind, IntType) else _type_key(kind))

        ghost = isinstance(caller, Statements) and caller.is_action
        key = (function, tuple(signature(t) for t in things), ghost)
        if key in self.helpers:
            return self.helpers[key]
        if function in self.in_progress:
            raise caller.error(f"{function.__name__} calls itself; recursion is not part of the model language", node)
        self.in_progress.append(function)
        f = Statements(function, self, is_action=False)
        parameters = ["ctx: ptr"]
        for name, thing in zip(names, things, strict=True):
            if isinstance(thing, Place):
                f.variables[name] = Place(thing.type, f"a_{name}", 0, "", thing.name)
                parameters.append(f"a_{name}: ptr")
            else:
                assert isinstance(thing, Operand)
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

    # --- loops --------------------------------------------------------------------------

    def loop(self, f: Expressions, target: ast.expr, source: ast.expr, inside: Callable[[], None], *, changes: bool = False) -> None:
        """``for target in source``; ``changes`` says that the body may change the state."""
        if not isinstance(target, ast.Name):
            raise f.error("a loop has one variable", target)
        name = target.id

        def over(text: str, kind: Type) -> None:
            f.variables[name] = Operand(text, kind)
            inside()

        named = f.named(source)
        if inspect.isclass(named) and issubclass(named, enum.Enum):
            named = EnumType(named)
        if isinstance(named, (IndexType, NatType, EnumType)):
            low = named.low if isinstance(named, NatType) else 0
            kind = IntType(named.low, named.high) if isinstance(named, NatType) else named
            variable = f.fresh()
            with f.block(f"for {variable} in range({low}, {low + named.size}):"):
                over(variable, kind)
            return
        if isinstance(source, ast.Call) and isinstance(source.func, ast.Name) and source.func.id == "range":
            ends = [f.number(a) for a in source.args]
            if not 1 <= len(ends) <= 2:
                raise f.error("range takes one or two numbers", source)
            begin, end = ("0", ends[0].text) if len(ends) == 1 else (ends[0].text, ends[1].text)
            variable = f.fresh()
            with f.block(f"for {variable} in range({begin}, {end}):"):
                over(variable, IntType())
            return
        kind_wanted: RecordType | None = None
        if isinstance(source, ast.Call) and isinstance(source.func, ast.Attribute) and source.func.attr == "of":
            kind_wanted = f.named(source.args[0])
            source = source.func.value
        if isinstance(source, ast.Call) and isinstance(source.func, ast.Name) and source.func.id == "sorted":
            source = source.args[0]
        thing = f.lower(source)
        if isinstance(thing, Place) and isinstance(thing.type, ArrayType):
            array = thing.type
            variable = f.fresh()
            with f.block(f"for {variable} in range(0, {array.index.size}):"):
                element = thing.inside(array.element, 0, f"{variable} * {size_of(array.element)}")
                f.variables[name] = element if not array.element.is_value or isinstance(array.element, (SetType, SeqType, RecordType)) else f.loaded(element)
                inside()
            return
        if isinstance(thing, (Operand, Place)) and isinstance(thing.type, SetType):
            if changes and isinstance(thing, Place) and not thing.type.is_value:
                raise f.error("the loop changes the state while it goes through a set of it; collect first, then change", source)
            self.loop_set(f, thing, kind_wanted, over)
            return
        if isinstance(thing, Place) and isinstance(thing.type, LinksType):
            self.loop_links(f, thing, kind_wanted, over)
            return
        view = f.view(thing, source)
        position = f.fresh("-1")
        with f.block("while 1:"):
            f.emit(f"{position} = {position} + 1")
            # Like a Python list, a sequence that the body changes is read as it is by then.
            length = f.load(thing, 1) if changes and isinstance(thing, Place) else view.length
            with f.block(f"if {position} >= {length}:"):
                f.emit("break")
            item = f.decoded(f.fresh(view.get(position)), view.element)
            over(item.text, item.type)

    def loop_set(self, f: Expressions, thing: Operand | Place, kind: RecordType | None, over: Callable[[str, Type], None]) -> None:
        declared = thing.type
        assert isinstance(declared, SetType)
        element = declared.element
        if isinstance(thing, Place) and declared.representation is Representation.SORTED:
            self.loop_sorted(f, thing, kind, over)
            return
        low, high, member = 0, element.size, element
        if kind is not None and isinstance(element, UnionType):
            tag = next((t for t, m in enumerate(element.members) if m.cls is kind.cls), None)
            if tag is None:
                return
            member = element.members[tag]
            low, high = element.base(tag), element.base(tag) + member.size

        def item(rank: str) -> None:
            within = f"({rank} - {low})" if low else rank
            if is_scalar(member) or isinstance(member, IntType):
                decoded = f.decoded(within, member)
                over(decoded.text, decoded.type)
            else:
                over(f.fresh(f"table64({self.codes_table(member)}, {within})"), member)

        if isinstance(thing, Place) and bitset_words(declared):
            at = f.fresh(str(low - 1))
            with f.block("while 1:"):
                f.emit(f"{at} = next_bit({f.root(thing)} + {thing.at()}, {at} + 1, {high})")
                with f.block(f"if {at} >= {high}:"):
                    f.emit("break")
                item(at)
            return
        mask = f.mask(thing, ast.Pass()).text
        if (low, high) != (0, element.size):
            mask = f"({mask} & {(1 << high) - (1 << low)})"
        rest = f.fresh(mask)
        with f.block(f"while {rest}:"):
            rank = f.fresh(f"ctz({rest})")
            f.emit(f"{rest} = {rest} & ({rest} - 1)")
            item(rank)

    def loop_sorted(self, f: Expressions, place: Place, kind: RecordType | None, over: Callable[[str, Type], None]) -> None:
        """The distinct elements of a sorted array, perhaps of one kind only."""
        declared = place.type
        assert isinstance(declared, SetType)
        element, width = declared.element, code_bytes(declared.element.bits)
        self.widths.add(width)
        k, count = f.fresh("-1"), f.fresh(f.load(place, 1))
        with f.block("while 1:"):
            f.emit(f"{k} = {k} + 1")
            with f.block(f"if {k} >= {count}:"):
                f.emit("break")
            code = f.fresh(f"load{8 * width}({f.root(place)}, {k} * {width} + {place.at(1)})")
            if declared.bag:
                with f.block(f"if {k} > 0 and {code} == load{8 * width}({f.root(place)}, ({k} - 1) * {width} + {place.at(1)}):"):
                    f.emit("continue")
            if kind is not None and isinstance(element, UnionType):
                tag = next((t for t, m in enumerate(element.members) if m.cls is kind.cls), -1)
                with f.block(f"if {code} >> {element.payload_bits} != {tag}:"):
                    f.emit("continue")
                over(f.fresh(f"{code} & {(1 << element.payload_bits) - 1}"), kind)
            else:
                decoded = f.decoded(code, element)
                over(decoded.text, decoded.type)

    def loop_links(self, f: Expressions, place: Place, kind: RecordType | None, over: Callable[[str, Type], None], *, heads: bool = False) -> None:
        """The messages on all links, or only the first of each."""
        links = place.type
        assert isinstance(links, LinksType)
        row = links.queues.element
        assert isinstance(row, ArrayType)
        i, j = f.fresh(), f.fresh()
        with f.block(f"for {i} in range(0, {links.index.size}):"), f.block(f"for {j} in range(0, {links.index.size}):"):
            queue = place.inside(row.element, 0, f"{i} * {size_of(row)} + {j} * {size_of(row.element)}")
            view = f.view(queue)
            k = f.fresh()
            with f.block(f"for {k} in range(0, {f'(1 if {view.length} else 0)' if heads else view.length}):"):
                code = f.fresh(view.get(k))
                if kind is None:
                    over(code, links.element)
                else:
                    union = links.element
                    assert isinstance(union, UnionType)
                    tag = next((t for t, m in enumerate(union.members) if m.cls is kind.cls), -1)
                    with f.block(f"if {code} >> {union.payload_bits} != {tag}:"):
                        f.emit("continue")
                    over(f.fresh(f"{code} & {(1 << union.payload_bits) - 1}"), kind)

    def links_length(self, f: Expressions, place: Place) -> str:
        total = f.fresh("0")
        self.loop_links(f, place, None, lambda code, kind: f.emit(f"{total} = {total} + 1"))
        return total

    # --- methods ------------------------------------------------------------------------

    def method(self, f: Expressions, node: ast.Call) -> Operand:
        """``place.method(...)``."""
        assert isinstance(node.func, ast.Attribute)
        name, owner = node.func.attr, f.lower(node.func.value)
        nothing = Operand("0", NoneType())
        if name in CHANGES:
            if not (isinstance(owner, Place) and isinstance(f, Statements)):
                raise f.error("values cannot be changed, only the state", node)
            f.note_change()
        if isinstance(owner, Place) and isinstance(owner.type, SetType) and name in ("add", "send", "discard", "remove", "receive"):
            assert isinstance(f, Statements)
            self.change_set(f, owner, name, f.code_of(f.lower(node.args[0]), owner.type.element, node))
            return nothing
        if isinstance(owner, Place) and isinstance(owner.type, SetType) and name == "clear":
            f.emit(f"zero({f.root(owner)} + {owner.at()}, {size_of(owner.type)})")
            return nothing
        if isinstance(owner, Place) and isinstance(owner.type, SetType) and name == "count":
            return self.count(f, owner, node)
        if isinstance(owner, Place) and isinstance(owner.type, SeqType) and name in ("append", "pop"):
            assert isinstance(f, Statements)
            return self.append(f, owner, f.lower(node.args[0]), node) if name == "append" else self.pop(f, owner, node)
        if isinstance(owner, Place) and isinstance(owner.type, LinksType) and name in ("send", "receive"):
            assert isinstance(f, Statements)
            self.change_links(f, owner, name, f.value(node.args[0]), node)
            return nothing
        if isinstance(owner, Place) and isinstance(owner.type, RecordType) and name == "lose_volatile":
            self.lose_volatile(f, owner, node)
            return nothing
        described = owner.type.describe() if isinstance(owner, (Operand, Place)) else "a sequence"
        raise f.error(f"{described} has no method {name}", node)

    def change_set(self, f: Statements, owner: Place, name: str, code: str) -> None:
        declared = owner.type
        assert isinstance(declared, SetType)
        adding = name in ("add", "send")
        where = f"{f.root(owner)} + {owner.at()}"
        if declared.representation is Representation.SORTED:
            width = code_bytes(declared.element.bits)
            self.widths.add(width)
            if adding:
                full = f.fresh(f"sorted_add{8 * width}({where}, {code}, {declared.capacity}, {int(declared.bag)})")
                with f.block(f"if {full}:"):
                    f.leave(str(TRUNCATED + self.site(owner.name)))
            else:
                removed = f.fresh(f"sorted_remove{8 * width}({where}, {code})")
                if name != "discard":
                    f.fault_unless(removed)
            return
        rank = f.hold(f.rank(code, declared.element))
        if bitset_words(declared):
            at, bit = f.fresh(f"{owner.at()} + ({rank} >> 6) * 8"), f.fresh(f"1 << ({rank} & 63)")
            load, store = f"load64({f.root(owner)}, {at})", f"store64({f.root(owner)}, {at}, "
        else:
            width = code_bytes(declared.bits)
            bit = f.fresh(f"1 << {rank}")
            load, store = f"load{8 * width}({f.root(owner)}, {owner.at()})", f"store{8 * width}({f.root(owner)}, {owner.at()}, "
        if name in ("remove", "receive"):
            f.fault_unless(f"{load} & {bit}")
        f.emit(f"{store}{load} | {bit})" if adding else f"{store}{load} & ~{bit})")

    def count(self, f: Expressions, owner: Place, node: ast.Call) -> Operand:
        declared = owner.type
        assert isinstance(declared, SetType)
        if declared.representation is not Representation.SORTED:
            return Operand(f"(1 if {f.member(owner, node.args[0])} else 0)", IntType(0, 1))
        width = code_bytes(declared.element.bits)
        self.widths.add(width)
        code = f.code_of(f.lower(node.args[0]), declared.element, node)
        return Operand(f"sorted_count{8 * width}({f.root(owner)} + {owner.at()}, {code})", IntType(0, declared.capacity))

    def append(self, f: Statements, owner: Place, value: Thing, node: ast.AST) -> Operand:
        declared = owner.type
        assert isinstance(declared, SeqType)
        width = code_bytes(declared.element.bits)
        length = f.fresh(f.load(owner, 1))
        f.fault_unless(f"{length} < {declared.capacity}")
        code = f.code_of(value, declared.element, node)
        f.emit(f"store{8 * width}({f.root(owner)}, {length} * {width} + {owner.at(1)}, {code})")
        f.emit(f"store8({f.root(owner)}, {owner.at()}, {length} + 1)")
        return Operand("0", NoneType())

    def pop(self, f: Statements, owner: Place, node: ast.Call) -> Operand:
        declared = owner.type
        assert isinstance(declared, SeqType)
        width, root = code_bytes(declared.element.bits), f.root(owner)
        length = f.fresh(f.load(owner, 1))
        last = f.fresh(f"{length} - 1")
        at = f.hold(f.number(node.args[0]).text) if node.args else last
        f.fault_unless(f"0 <= {at} and {at} < {length}")
        item = f.fresh(f"load{8 * width}({root}, {at} * {width} + {owner.at(1)})")
        k = f.fresh(at)
        with f.block(f"while {k} < {last}:"):
            f.emit(f"store{8 * width}({root}, {k} * {width} + {owner.at(1)}, load{8 * width}({root}, ({k} + 1) * {width} + {owner.at(1)}))")
            f.emit(f"{k} = {k} + 1")
        f.emit(f"store{8 * width}({root}, {last} * {width} + {owner.at(1)}, 0)")
        f.emit(f"store8({root}, {owner.at()}, {last})")
        return f.decoded(item, declared.element)

    def change_links(self, f: Statements, owner: Place, name: str, message: Operand, node: ast.Call) -> None:
        links = owner.type
        assert isinstance(links, LinksType)
        code = f.hold(f.code_of(message, links.element, node))
        union = Operand(code, links.element)
        src, dst = f.field(union, "src", node), f.field(union, "dst", node)
        assert isinstance(src, Operand) and isinstance(dst, Operand)
        row = links.queues.element
        assert isinstance(row, ArrayType)
        where = f.fresh(f"{src.text} * {size_of(row)} + {dst.text} * {size_of(row.element)}")
        queue = owner.inside(row.element, 0, where)
        if name == "send":
            with f.block(f"if {f.load(queue, 1)} >= {links.capacity}:"):
                f.leave(str(TRUNCATED + self.site(owner.name)))
            self.append(f, queue, union, node)
        else:
            width = code_bytes(links.element.bits)
            f.fault_unless(f"{f.load(queue, 1)} > 0 and load{8 * width}({f.root(queue)}, {queue.at(1)}) == {code}")
            self.pop(f, queue, ast.Call(node.func, [ast.Constant(0)], []))

    def lose_volatile(self, f: Expressions, owner: Place, node: ast.Call) -> None:
        """Volatile variables become what they were at first: all zero, in every type's code."""
        from scrutator.checker.explore.layout import offset_of

        assert isinstance(owner.type, RecordType)
        index = f.lower(node.args[0]) if node.args else None
        for name, declared in owner.type.fields.items():
            place = owner.inside(declared, offset_of(owner.type, name))
            if index is None and declared.volatile:
                f.emit(f"zero({f.root(place)} + {place.at()}, {size_of(declared)})")
            elif index is not None and isinstance(declared, ArrayType) and (declared.volatile or declared.element.volatile):
                code = f.hold(f.code_of(index, declared.index, node))
                step = size_of(declared.element)
                f.emit(f"zero({f.root(place)} + {place.at()} + {code} * {step}, {step})")


def _type_key(kind: Type) -> Any:
    if isinstance(kind, RecordType):
        return kind.cls
    return (type(kind).__name__, kind.describe(), size_of(kind) if not isinstance(kind, (IntType, NoneType)) and kind.describe() != "a set of nothing" else 0)


# --- whole models -----------------------------------------------------------------------


def translate(model: Model, *, symmetry: bool = False) -> Translation:
    """The flat program of a model; raises `SpecError` for what cannot be compiled.

    With ``symmetry`` it includes ``canonical`` over the model's interchangeable indices.
    """
    program = Program(model)
    drivers = ["def successors(p: ptr, out: ptr, codes: ptr, ctx: ptr) -> i64:", "    n = 0", "    t = out"]
    bound = 0
    for k, action in enumerate(model.actions):
        drivers += _action(program, k, action)
        bound += _instances(model, action)
    drivers.append("    return n")
    by_kind = {kind: [p for p in model.properties if p.kind is kind] for kind in Kind}
    predicates = by_kind[Kind.REACHABLE] + by_kind[Kind.ALWAYS_POSSIBLE]
    rest = [
        _mask_of(program, "invariants", [p.function for p in by_kind[Kind.INVARIANT]], violated=True),
        _mask_of(program, "step_invariants", [p.function for p in by_kind[Kind.STEP_INVARIANT]], violated=True, states=2),
        _mask_of(program, "predicates", [p.function for p in predicates], violated=False),
    ]
    if model.constraints:
        rest.append(_mask_of(program, "outside", list(model.constraints), violated=True))
        rest.append("def within(p: ptr, ctx: ptr) -> i64:\n    return 1 if outside(p, ctx) == 0 else 0")
    if symmetry:
        rest.append(symmetry_source(model.state, model.interchangeable, program.codes_table))
    prelude = [NEXT_BIT, *(sorted_functions(w) for w in sorted(program.widths | _sorted_widths(model)))]
    source = "\n\n".join([*prelude, *program.functions, "\n".join(drivers), *(r for r in rest if r)]) + "\n"
    constants = {"ROW": row_bytes(model.state), "STATUS": 8 * (1 + len(program.sites))}
    return Translation(
        source, constants, program.tables, row_bytes(model.state), max(1, bound), tuple(program.sites), tuple(program.faults), program.ordered,
        tuple(p.name for p in by_kind[Kind.INVARIANT]), tuple(p.name for p in by_kind[Kind.STEP_INVARIANT]),
        tuple(p.name for p in predicates),
    )  # fmt: skip


def translate_symmetry(model: Model) -> tuple[str, dict[str, int], dict[str, bytes]]:
    """Only ``permute`` and ``canonical``: source, constants and tables."""
    program = Program(model)
    symmetry = symmetry_source(model.state, model.interchangeable, program.codes_table)
    prelude = [NEXT_BIT, *(sorted_functions(w) for w in sorted(_sorted_widths(model)))]
    return "\n\n".join([*prelude, symmetry]) + "\n", {"ROW": row_bytes(model.state)}, program.tables


def _history_names(state: RecordType) -> frozenset[str]:
    """The fields, of the state or of records in it, that are history variables wherever they occur."""
    fields: list[tuple[str, bool]] = []
    todo: list[Type] = [state]
    while todo:
        declared = todo.pop()
        if isinstance(declared, RecordType):
            fields += [(name, field.ghost) for name, field in declared.fields.items()]
        todo += [p for p in declared.parts() if isinstance(p, Type)]
    return frozenset(n for n, ghost in fields if ghost) - frozenset(n for n, ghost in fields if not ghost)


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


def _instances(model: Model, action: Action) -> int:
    total = 1
    for _, domain in action.parameters:
        if isinstance(domain, Each):
            declared = model.state.fields[domain.field]
            if isinstance(declared, LinksType):
                total *= declared.index.size**2
            else:
                assert isinstance(declared, SetType)
                kind = domain.kind or declared.element
                total *= kind.size if declared.representation is Representation.BITS else int(declared.capacity or 0)
        else:
            total *= domain.size
    return total


def _action(program: Program, k: int, action: Action) -> list[str]:
    """The action's function, added to the program, and the loops that call it."""
    f = Statements(action.function, program, is_action=True)
    driver = Builder(action.function)
    state = Place(program.model.state, STATE)
    driver_state = Place(program.model.state, "p")
    d = Expressions(action.function, program)
    d.lines, d.indent = driver.lines, 1
    names: list[str] = []
    arguments: list[str] = []

    def nest(position: int) -> None:
        if position == len(action.parameters):
            _fire(d, k, arguments)
            return
        name, domain = action.parameters[position]
        names.append(name)

        def over(text: str, kind: Type) -> None:
            if isinstance(kind, IntType):
                kind = IntType(kind.low, kind.high)
            f.variables[name] = Operand(f"a_{name}", kind)
            arguments.append(text)
            nest(position + 1)
            arguments.pop()

        if isinstance(domain, Each):
            place = d.field(driver_state, domain.field, ast.Pass())
            assert isinstance(place, Place)
            if isinstance(place.type, LinksType):
                program.loop_links(d, place, domain.kind, over, heads=True)
            else:
                program.loop_set(d, place, domain.kind, over)
        else:
            variable = d.fresh()
            with d.block(f"for {variable} in range({domain.size}):"):
                decoded = d.decoded(variable, domain)
                over(decoded.text, decoded.type)

    def fire_then_lower() -> None:
        nest(0)

    fire_then_lower()
    if action.built_in:
        _network_fault(f, program, action, state)
    else:
        syntax = syntax_of(action.function)
        f.variables[syntax.args.args[0].arg] = state
        before = len(program.functions)
        f.body(syntax.body)
        assert len(program.functions) >= before
    header = ", ".join(["p: ptr", "t: ptr", "ctx: ptr", *(f"a_{n}: i64" for n in names)])
    lines = f.lines
    if any("STATUS" in line for line in lines):
        lines = ["    store64(ctx, STATUS, 0)", *lines]
    program.functions.append("\n".join([f"@noalias\ndef action_{k}({header}) -> i64:", *lines]))
    return d.lines


def _fire(d: Expressions, k: int, arguments: list[str]) -> None:
    result = d.fresh(f"action_{k}({', '.join(['p', 't', 'ctx', *arguments])})")
    with d.block(f"if {result} == 0:"):
        d.emit(f"store32(codes, n * 4, {k})")
        d.emit("n = n + 1")
        d.emit("t = t + ROW")
    with d.block(f"elif {result} != {DISABLED}:"):
        with d.block(f"if {result} >= {FAULT}:"):
            d.emit(f"store64(ctx, 0, {result})")
            d.emit("return n")
        at = d.fresh(f"({result} - {TRUNCATED - 1}) * 8")
        d.emit(f"store64(ctx, {at}, load64(ctx, {at}) + 1)")


def _network_fault(f: Statements, program: Program, action: Action, state: Place) -> None:
    """Loss takes a message out, duplication puts in another copy."""
    name, domain = action.parameters[0]
    place = f.field(state, domain.field, ast.Pass())
    message = f.variables[name]
    assert isinstance(place, Place) and isinstance(message, Operand)
    f.emit("dirty = 0")
    f.emit("copy(t, p, ROW)")
    f.copied = True
    node = ast.Call(ast.Name("m"), [], [])
    if isinstance(place.type, LinksType):
        if action.built_in == "lose":
            program.change_links(f, place, "receive", message, node)
        else:
            _repeat_head(f, program, place, message, node)
    else:
        assert isinstance(place.type, SetType)
        program.change_set(f, place, "remove" if action.built_in == "lose" else "add", f.code_of(message, place.type.element))
    f.finish()


def _repeat_head(f: Statements, program: Program, owner: Place, message: Operand, node: ast.Call) -> None:
    links = owner.type
    assert isinstance(links, LinksType)
    row = links.queues.element
    assert isinstance(row, ArrayType)
    src, dst = f.field(message, "src", node), f.field(message, "dst", node)
    assert isinstance(src, Operand) and isinstance(dst, Operand)
    where = f.fresh(f"{src.text} * {size_of(row)} + {dst.text} * {size_of(row.element)}")
    queue = owner.inside(row.element, 0, where)
    width, root = code_bytes(links.element.bits), f.root(queue)
    length = f.fresh(f.load(queue, 1))
    with f.block(f"if {length} >= {links.capacity}:"):
        f.leave(str(TRUNCATED + program.site(owner.name)))
    k = f.fresh(length)
    with f.block(f"while {k} > 0:"):
        f.emit(f"store{8 * width}({root}, {k} * {width} + {queue.at(1)}, load{8 * width}({root}, ({k} - 1) * {width} + {queue.at(1)}))")
        f.emit(f"{k} = {k} - 1")
    f.emit(f"store8({root}, {queue.at()}, {length} + 1)")


def _mask_of(program: Program, name: str, functions: list[Any], *, violated: bool, states: int = 1) -> str:
    """A function that evaluates properties into a bit mask."""
    if not functions:
        return ""
    parameters = ["p: ptr", "q: ptr"][:states]
    lines = [f"def {name}({', '.join([*parameters, 'ctx: ptr'])}) -> i64:", "    found = 0", "    store64(ctx, STATUS, 0)"]
    for k, function in enumerate(functions):
        f = Statements(function, program, is_action=False)
        for argument, root in zip(syntax_of(function).args.args, ("p", "q"), strict=False):
            f.variables[argument.arg] = Place(program.model.state, root)
        if program.changes(function, syntax_of(function)):
            raise f.error("properties must not change the state", syntax_of(function))
        f.body(syntax_of(function).body)
        kind = f.settle_returns()
        if not isinstance(kind, BoolType):
            raise f.error(f"a property is True or False, not {kind.describe()}", syntax_of(function))
        own = f"{name}_{k}"
        program.functions.append("\n".join([f"def {own}({', '.join([*parameters, 'ctx: ptr'])}) -> i64:", *f.lines]))
        call = f"{own}({', '.join([*(x[0] for x in parameters), 'ctx'])})"
        lines.append(f"    if {'not ' if violated else ''}{call}:")
        lines.append(f"        found = found | {1 << k}")
        if f.uses_status:
            lines += ["    if load64(ctx, STATUS) != 0:", "        store64(ctx, 0, load64(ctx, STATUS))", "        return 0"]
    return "\n".join([*lines, "    return found"])
