"""Expressions of the model language, as flat code.

An expression may need statements (a loop for ``any``, a check for an index), which are
emitted before the line that uses it.  Where Python would not evaluate it at all (the
right side of ``and``, a branch of a conditional expression), those statements go inside
an ``if``.
"""

from __future__ import annotations

import ast
import enum
import functools
import types
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from scrutator.checker.explore.layout import code_bytes, offset_of, size_of
from scrutator.checker.translate.builder import (
    BOOL,
    EMPTY,
    NUMBER_MAX,
    Builder,
    IntType,
    Items,
    NoneType,
    Operand,
    Place,
    Thing,
    View,
    compatible,
    rank_text,
)
from scrutator.model.language.types import (
    ArrayType,
    BoolType,
    EnumType,
    IndexType,
    LinksType,
    MaybeType,
    NatType,
    NetworkType,
    RecordType,
    Representation,
    SeqType,
    SetType,
    Type,
    UnionType,
    is_scalar,
)
from scrutator.model.quorums.system import QuorumSystem

ARITHMETIC: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.FloorDiv: "//", ast.Mod: "%"}
ORDER: dict[type[ast.cmpop], str] = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}


SMALL = 1 << 40


def _is_small(kind: Any) -> bool:
    return kind.low is not None and kind.high is not None and max(abs(kind.low), abs(kind.high)) <= SMALL


def bitset_words(declared: SetType) -> int:
    """Words of a set too large for a mask; 0 for a mask."""
    return size_of(declared) // 8 if declared.element.size > 64 else 0


class Expressions(Builder):
    """Lowers expressions.  ``variables`` maps a model's local names to what they are."""

    def __init__(self, function: Any, program: Any) -> None:
        super().__init__(function)
        self.program = program
        self.variables: dict[str, Thing] = {}
        self.narrowed: dict[str, RecordType] = {}
        self.free = dict(zip(function.__code__.co_freevars, (c.cell_contents for c in function.__closure__ or ()), strict=True))

    # --- entry points -----------------------------------------------------------------

    def lower(self, node: ast.expr) -> Thing:
        """Any expression."""
        method: Callable[[Any], Thing] | None = getattr(self, f"lower_{type(node).__name__}", None)
        if method is None:
            raise self.error(f"{type(node).__name__} is not part of the model language", node)
        return method(node)

    def value(self, node: ast.expr) -> Operand:
        """An expression that is a value."""
        thing = self.lower(node)
        if isinstance(thing, Place):
            return self.loaded(thing, node)
        if isinstance(thing, (View, Items)):
            raise self.error("a sequence cannot be used as a value here", node)
        return thing

    def number(self, node: ast.expr) -> Operand:
        value = self.value(node)
        if isinstance(value.type, MaybeType):
            value = self.unwrapped(value)
        if isinstance(value.type, IndexType):
            if value.type.interchangeable:
                self.program.ordered.setdefault(value.type.name, f"{self.function.__code__.co_filename}:{getattr(node, 'lineno', 0)}")
            return Operand(value.text, IntType(0, value.type.count - 1))
        if isinstance(value.type, BoolType):
            return Operand(f"(1 if {value.text} else 0)", IntType(0, 1))
        if not isinstance(value.type, IntType):
            raise self.error(f"{value.type.describe()} where a number is expected", node)
        return value

    def condition(self, node: ast.expr) -> str:
        value = self.value(node)
        if not isinstance(value.type, BoolType):
            raise self.error(f"a condition is True or False, not {value.type.describe()}", node)
        return value.text

    def resolve(self, name: str, node: ast.AST) -> Any:
        """The object that a global or closure name stands for."""
        if name in self.free:
            return self.free[name]
        if name in self.function.__globals__:
            return self.function.__globals__[name]
        if name in ("any", "all", "len", "sum", "min", "max", "abs", "range", "set", "isinstance", "bool", "int", "sorted"):
            return name
        raise self.error(f"{name} is not defined", node)

    def constant(self, value: Any, node: ast.AST) -> Operand:
        if isinstance(value, bool):
            return Operand(str(int(value)), BOOL)
        if isinstance(value, int):
            if abs(value) > NUMBER_MAX:
                raise self.error(f"{value} is too large: numbers have 62 bits", node)
            return Operand(str(value), IntType(value, value))
        if value is None:
            return Operand("0", NoneType())
        if isinstance(value, enum.Enum):
            declared = EnumType(type(value))
            return Operand(str(declared.pack(value)), declared)
        raise self.error(f"{value!r} cannot be used in a model's function", node)

    # --- names, attributes, subscripts -------------------------------------------------

    def lower_Constant(self, node: ast.Constant) -> Thing:
        return self.constant(node.value, node)

    def lower_Name(self, node: ast.Name) -> Thing:
        if node.id in self.variables:
            return self.variables[node.id]
        return self.constant(self.resolve(node.id, node), node)

    def lower_Attribute(self, node: ast.Attribute) -> Thing:
        if isinstance(node.value, ast.Name) and node.value.id not in self.variables:
            owner = self.resolve(node.value.id, node)
            return self.constant(getattr(owner, node.attr, owner), node)
        owner = self.lower(node.value)
        narrowed = self.narrowed.get(node.value.id) if isinstance(node.value, ast.Name) else None
        return self.field(owner, node.attr, node, narrowed)

    def field(self, owner: Thing, name: str, node: ast.AST, narrowed: RecordType | None = None) -> Thing:
        if isinstance(owner, Operand) and isinstance(owner.type, MaybeType):
            owner = self.unwrapped(owner)
        if isinstance(owner, Place) and isinstance(owner.type, MaybeType):
            owner = self.unwrapped(self.loaded(owner))
        if isinstance(owner, (View, Items)):
            raise self.error("a sequence has no fields", node)
        if isinstance(owner.type, UnionType) and isinstance(owner, Operand):
            return self.union_field(owner, owner.type, name, node, narrowed)
        if not isinstance(owner.type, RecordType) or name not in owner.type.fields:
            raise self.error(f"{owner.type.describe()} has no field {name}", node)
        declared = owner.type.fields[name]
        if isinstance(owner, Place):
            if declared.ghost:
                self.program.note_ghost(self, name, node)
            inner = owner.inside(declared, offset_of(owner.type, name))
            return inner if owner.name else replace(inner, name=name)
        return self.decoded(field_code(owner.text, owner.type, name), declared)

    def union_field(self, owner: Operand, union: UnionType, name: str, node: ast.AST, narrowed: RecordType | None) -> Operand:
        code = self.hold(owner.text)
        members = [(tag, m) for tag, m in enumerate(union.members) if name in m.fields and (narrowed is None or m.cls is narrowed.cls)]
        if not members:
            raise self.error(f"{(narrowed or union).describe()} has no field {name}", node)
        declared = members[0][1].fields[name]
        for _, member in members:
            self.same(member.fields[name], declared, node)
        tag = f"{code} >> {union.payload_bits}"
        if narrowed is None and len(members) < len(union.members):
            self.fault_unless(" or ".join(f"{tag} == {t}" for t, _ in members))
        payload = f"({code} & {(1 << union.payload_bits) - 1})"
        *others, (_, last) = members
        text = field_code(payload, last, name)
        for t, member in others:
            text = f"({field_code(payload, member, name)} if {tag} == {t} else {text})"
        return self.decoded(text, declared)

    def lower_Subscript(self, node: ast.Subscript) -> Thing:
        owner = self.lower(node.value)
        if isinstance(owner, Place) and isinstance(owner.type, ArrayType):
            return self.element(owner, node.slice)
        view = self.view(owner, node)
        if isinstance(node.slice, ast.Slice):
            return self.sliced(view, node.slice)
        position = self.hold(self.number(node.slice).text)
        self.fault_unless(f"0 <= {position} and {position} < {view.length}")
        return self.decoded(view.get(position), view.element)

    def element(self, array: Place, index: ast.expr) -> Place:
        assert isinstance(array.type, ArrayType)
        code = self.code_of(self.lower(index), array.type.index, index)
        step = size_of(array.type.element)
        if code.isdigit():
            return array.inside(array.type.element, int(code) * step)
        return array.inside(array.type.element, 0, f"{self.hold(code)} * {step}" if step > 1 else self.hold(code))

    def sliced(self, view: View, cut: ast.Slice) -> View:
        if cut.step is not None:
            raise self.error("a slice has no step", cut)
        low = self.hold(self.number(cut.lower).text) if cut.lower else "0"
        high = self.hold(self.number(cut.upper).text) if cut.upper else view.length
        self.fault_unless(f"0 <= {low} and {low} <= {view.length} and 0 <= {high} and {high} <= {view.length}")
        length = self.fresh(f"({high} - {low} if {high} > {low} else 0)")
        return View(view.element, length, view.capacity, lambda k: view.get(f"({k}) + {low}"))

    # --- operators --------------------------------------------------------------------

    def lower_BinOp(self, node: ast.BinOp) -> Thing:
        if isinstance(node.op, (ast.BitOr, ast.BitAnd, ast.Sub)):
            left = self.lower(node.left)
            if isinstance(left.type if isinstance(left, (Operand, Place)) else None, SetType):
                return self.set_operation(left, node)
        if type(node.op) not in ARITHMETIC:
            raise self.error(f"{type(node.op).__name__} is not part of the model language", node)
        a, b = self.number(node.left), self.number(node.right)
        if isinstance(node.op, (ast.FloorDiv, ast.Mod)):
            b = Operand(self.hold(b.text), b.type)
            self.fault_unless(f"{b.text} != 0")
            return Operand(f"({a.text} {ARITHMETIC[type(node.op)]} {b.text})", IntType())
        return self.arithmetic(node.op, a, b)

    def arithmetic(self, op: ast.operator, a: Operand, b: Operand) -> Operand:
        """A sum, difference or product; a fault where it might not be a number that fits."""
        known = self.range_of(op, a.type, b.type)
        text = f"({a.text} {ARITHMETIC[type(op)]} {b.text})"
        if known.low is not None or (not isinstance(op, ast.Mult) and (_is_small(a.type) or _is_small(b.type))):
            return Operand(text, known)  # adding small numbers takes longer than anybody waits to become large
        if isinstance(op, ast.Mult):
            left, right = self.hold(a.text), self.hold(b.text)
            size = self.fresh(f"({left} if {left} > 0 else -{left})")
            limit = self.fresh(f"({NUMBER_MAX} // {size} if {size} else {NUMBER_MAX})")
            self.fault_unless(f"-{limit} <= {right} and {right} <= {limit}", self.too_large())
            return Operand(f"({left} * {right})", known)
        result = self.fresh(text)  # cannot wrap: both operands fit
        self.fault_unless(f"{-NUMBER_MAX} <= {result} and {result} <= {NUMBER_MAX}", self.too_large())
        return Operand(result, known)

    def too_large(self) -> int:
        """The fault of a number that does not fit."""
        why = f"a number grows beyond {NUMBER_MAX:,}, the most that compiled code computes with; use --engine python"
        return int(self.program.own_fault(str(self.error(why))))

    @staticmethod
    def range_of(op: ast.operator, a: Any, b: Any) -> IntType:
        """The range of a sum, difference or product, where the operands' are known and it is not large."""
        if None in (a.low, a.high, b.low, b.high):
            return IntType()
        if isinstance(op, ast.Add):
            ends = [a.low + b.low, a.high + b.high]
        elif isinstance(op, ast.Sub):
            ends = [a.low - b.high, a.high - b.low]
        else:
            ends = [x * y for x in (a.low, a.high) for y in (b.low, b.high)]
        return IntType(min(ends), max(ends)) if max(map(abs, ends)) <= SMALL else IntType()

    def set_operation(self, left: Thing, node: ast.BinOp) -> Operand:
        a, b = self.mask(left, node), self.mask(self.lower(node.right), node)
        kind = a.type if b.type is EMPTY else b.type
        if a.type is not EMPTY and b.type is not EMPTY:
            self.same(b.type, a.type, node)
        match node.op:
            case ast.BitOr():
                return Operand(f"({a.text} | {b.text})", kind)
            case ast.BitAnd():
                return Operand(f"({a.text} & {b.text})", kind)
        return Operand(f"({a.text} & ~{b.text})", kind)

    def mask(self, thing: Thing, node: ast.AST) -> Operand:
        """A set of at most 64 possible values as a bit mask."""
        if isinstance(thing, Place) and isinstance(thing.type, SetType) and thing.type.is_value:
            return self.loaded(thing, node)
        if isinstance(thing, Operand) and isinstance(thing.type, SetType):
            return thing
        raise self.error("only sets over at most 64 values can be combined", node)

    def lower_UnaryOp(self, node: ast.UnaryOp) -> Thing:
        if isinstance(node.op, ast.Not):
            return Operand(f"(not {self.condition(node.operand)})", BOOL)
        if isinstance(node.op, ast.USub):
            value = self.number(node.operand)
            known = value.type
            assert isinstance(known, IntType)
            flipped = IntType() if known.low is None or known.high is None else IntType(-known.high, -known.low)
            return Operand(f"(-{value.text})", flipped)
        raise self.error(f"{type(node.op).__name__} is not part of the model language", node)

    def lower_BoolOp(self, node: ast.BoolOp) -> Thing:
        conjunction = isinstance(node.op, ast.And)
        saved = dict(self.narrowed)
        text = self.condition(node.values[0])
        for earlier, operand in zip(node.values, node.values[1:], strict=False):
            if conjunction:
                self.narrow(earlier)
            lines, right = self.captured(functools.partial(self.condition, operand))
            if not lines:
                text = f"({text} {'and' if conjunction else 'or'} {right})"
                continue
            result = self.fresh(f"(1 if {text} else 0)")
            # The right side's statements run only where Python would evaluate it.
            with self.block(f"if {result}:" if conjunction else f"if not {result}:"):
                self.lines += ["    " + line for line in lines]
                self.emit(f"{result} = (1 if {right} else 0)")
            text = result
        self.narrowed = saved
        return Operand(text, BOOL)

    def narrow(self, test: ast.expr) -> None:
        """Where the test holds, a name is known to be one kind of message."""
        if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
            for part in test.values:
                self.narrow(part)
        if isinstance(test, ast.Call) and isinstance(test.func, ast.Name) and test.func.id == "isinstance":
            subject, kind = test.args
            if isinstance(subject, ast.Name) and isinstance(kind, ast.Name):
                self.narrowed[subject.id] = self.resolve(kind.id, kind)

    def lower_IfExp(self, node: ast.IfExp) -> Thing:
        test = self.condition(node.test)
        saved = dict(self.narrowed)
        self.narrow(node.test)
        left_lines, left = self.captured(lambda: self.value(node.body))
        self.narrowed = saved
        right_lines, right = self.captured(lambda: self.value(node.orelse))
        kind = self.common_type(left.type, right.type, node)
        if isinstance(kind, MaybeType):
            left, right = Operand(self.code_of(left, kind), kind), Operand(self.code_of(right, kind), kind)
        if not left_lines and not right_lines:
            return Operand(f"({left.text} if {test} else {right.text})", kind)
        result = self.fresh("0")
        with self.block(f"if {test}:"):
            self.lines += ["    " + line for line in left_lines]
            self.emit(f"{result} = {left.text}")
        with self.block("else:"):
            self.lines += ["    " + line for line in right_lines]
            self.emit(f"{result} = {right.text}")
        return Operand(result, kind)

    def common_type(self, a: Type, b: Type, node: ast.AST) -> Type:
        if isinstance(a, IntType) and isinstance(b, IntType):
            if None in (a.low, a.high, b.low, b.high):
                return IntType()
            return IntType(min(a.low, b.low), max(a.high, b.high))  # type: ignore[type-var]
        if isinstance(a, IndexType) and isinstance(b, IntType):
            return IntType()
        if {type(a), type(b)} == {IntType, NoneType}:
            raise self.error("a number or None: assign each of them in an if statement", node)
        if isinstance(b, MaybeType) and not isinstance(a, MaybeType):
            return b
        if isinstance(b, NoneType) and not isinstance(a, MaybeType):
            return MaybeType(a)
        if isinstance(a, NoneType):
            return b if isinstance(b, MaybeType) else MaybeType(b)
        if not isinstance(a, MaybeType):
            self.same(b, a, node)
        return a

    # --- comparison -------------------------------------------------------------------

    def lower_Compare(self, node: ast.Compare) -> Thing:
        if len(node.ops) == 1:
            return Operand(self.compared(node.left, node.ops[0], node.comparators[0], node), BOOL)
        parts: list[ast.expr] = []
        left = node.left
        for op, right in zip(node.ops, node.comparators, strict=True):
            parts.append(ast.copy_location(ast.Compare(left, [op], [right]), node))
            left = right
        return self.lower(ast.copy_location(ast.BoolOp(ast.And(), parts), node))

    def compared(self, left: ast.expr, op: ast.cmpop, right: ast.expr, node: ast.AST) -> str:
        if isinstance(op, (ast.In, ast.NotIn)):
            text = self.contains(left, right)
            return text if isinstance(op, ast.In) else f"(not {text})"
        if isinstance(op, (ast.Eq, ast.NotEq, ast.Is, ast.IsNot)):
            text = self.equal(self.lower(left), self.lower(right), node)
            return text if isinstance(op, (ast.Eq, ast.Is)) else f"(not {text})"
        a = self.lower(left)
        if isinstance(a, (Operand, Place)) and isinstance(a.type, SetType):
            x, y = self.mask(a, node).text, self.mask(self.lower(right), node).text
            if isinstance(op, ast.GtE):
                x, y = y, x
            elif not isinstance(op, ast.LtE):
                raise self.error("sets compare by <=, >= and ==", node)
            return f"(({x} & ~{y}) == 0)"
        return f"({self.number(left).text} {ORDER[type(op)]} {self.number(right).text})"

    def equal(self, a: Thing, b: Thing, node: ast.AST) -> str:
        if isinstance(a, Items) and not isinstance(b, Items):
            a, b = b, a
        if isinstance(b, Items):
            b = self.typed_items(b, self.view(a, node).element, node)
        if self.is_sequence(a) or self.is_sequence(b):
            return self.equal_sequences(self.view(a, node), self.view(b, node), node)
        for thing in (a, b):
            if isinstance(thing, Place) and isinstance(thing.type, ArrayType):
                return self.equal_bytes(a, b, node)
        a, b = self.comparable(a, node), self.comparable(b, node)
        if isinstance(b.type, (MaybeType, UnionType)) and not isinstance(a.type, (MaybeType, UnionType)):
            a, b = b, a
        if isinstance(a.type, NoneType) or isinstance(b.type, NoneType):
            if isinstance(a.type, NoneType) and isinstance(b.type, NoneType):
                return "1"
            other = b if isinstance(a.type, NoneType) else a
            return f"({other.text} == 0)" if isinstance(other.type, MaybeType) else "0"
        if isinstance(a.type, MaybeType) and not isinstance(b.type, MaybeType):
            declared = a.type
            if isinstance(declared.element, (NatType, IndexType)) and isinstance(b.type, (IntType, IndexType)):
                low = declared.element.low if isinstance(declared.element, NatType) else 0
                held = self.hold(a.text)
                return f"({held} != 0 and {held} == {b.text} + {declared.presence - low})"
            return f"({a.text} == {self.code_of(b, declared, node)})"
        if isinstance(a.type, UnionType):
            return f"({a.text} == {self.code_of(b, a.type, node)})"
        if isinstance(a.type, (IntType, IndexType)) and isinstance(b.type, (IntType, IndexType)):
            if isinstance(a.type, IndexType) and isinstance(b.type, IndexType):
                self.same(b.type, a.type, node)
            return f"({a.text} == {b.text})"
        if not (compatible(a.type, b.type) or compatible(b.type, a.type)):
            raise self.error(f"{a.type.describe()} is never equal to {b.type.describe()}", node)
        return f"({a.text} == {b.text})"

    def comparable(self, thing: Thing, node: ast.AST) -> Operand:
        if isinstance(thing, Place) and isinstance(thing.type, RecordType):
            return Operand(self.packed_record(thing), thing.type)
        if isinstance(thing, (View, Items)):
            raise self.error("a sequence is compared with a sequence", node)
        return self.loaded(thing, node) if isinstance(thing, Place) else thing

    @staticmethod
    def is_sequence(thing: Thing) -> bool:
        return isinstance(thing, View) or (not isinstance(thing, Items) and isinstance(thing.type, SeqType))

    def equal_sequences(self, a: View, b: View, node: ast.AST) -> str:
        self.same(a.element, b.element, node)
        result, k = self.fresh(f"(1 if {a.length} == {b.length} else 0)"), self.fresh("0")
        with self.block(f"while {result} and {k} < {a.length}:"):
            self.emit(f"{result} = (1 if {a.get(k)} == {b.get(k)} else 0)")
            self.emit(f"{k} = {k} + 1")
        return result

    def equal_bytes(self, a: Thing, b: Thing, node: ast.AST) -> str:
        if not (isinstance(a, Place) and isinstance(b, Place) and size_of(a.type) == size_of(b.type)):
            raise self.error("only arrays of the same type can be compared", node)
        result, k = self.fresh("1"), self.fresh("0")
        with self.block(f"while {result} and {k} < {size_of(a.type)}:"):
            self.emit(f"{result} = (1 if {self.load(a, 1, k)} == {self.load(b, 1, k)} else 0)")
            self.emit(f"{k} = {k} + 1")
        return result

    # --- membership -------------------------------------------------------------------

    def contains(self, item: ast.expr, container: ast.expr) -> str:
        if isinstance(container, (ast.Tuple, ast.List, ast.Set)):
            left = self.lower(item)
            return "(" + " or ".join(self.equal(left, self.lower(c), item) for c in container.elts) + ")" if container.elts else "0"
        named = self.named(container)
        if isinstance(named, QuorumSystem):
            votes = self.mask(self.lower(item), item)
            if isinstance(votes.type, SetType) and votes.type.element is not EMPTY.element:
                self.same(votes.type.element, named.index, item)
            return f"(table8({self.program.quorum_table(named)}, {votes.text}) != 0)"
        if isinstance(named, (NatType, IndexType)):
            low, high = (named.low, named.high) if isinstance(named, NatType) else (0, named.count - 1)
            number = self.hold(self.number(item).text)
            return f"({low} <= {number} and {number} <= {high})"
        place = self.lower(container)
        if isinstance(place, (Operand, Place)) and isinstance(place.type, SetType):
            return self.member(place, item)
        if isinstance(place, Place) and isinstance(place.type, LinksType):
            raise self.error("test the messages of a link with any(... for m in ...)", container)
        view = self.view(place, container)
        code = self.hold(self.code_of(self.lower(item), view.element, item))
        result, k = self.fresh("0"), self.fresh("0")
        with self.block(f"while not {result} and {k} < {view.length}:"):
            self.emit(f"{result} = (1 if {view.get(k)} == {code} else 0)")
            self.emit(f"{k} = {k} + 1")
        return result

    def member(self, owner: Operand | Place, item: ast.expr) -> str:
        declared = owner.type
        assert isinstance(declared, SetType)
        code = self.code_of(self.lower(item), declared.element, item)
        if isinstance(owner, Operand):
            return f"(({owner.text} >> {self.rank(code, declared.element)}) & 1)"
        if declared.representation is Representation.SORTED:
            width = code_bytes(declared.element.bits)
            return f"sorted_find{8 * width}({self.root(owner)} + {owner.at()}, {code})"
        rank = self.rank(code, declared.element)
        if words := bitset_words(declared):
            held = self.hold(rank)
            assert words
            return f"((load64({self.root(owner)}, {owner.at()} + ({held} >> 6) * 8) >> ({held} & 63)) & 1)"
        return f"(({self.loaded(owner).text} >> {rank}) & 1)"

    def rank(self, code: str, declared: Type) -> str:
        return rank_text(code, declared, self.hold)

    def named(self, node: ast.expr) -> Any:
        """What a bare name outside of the local variables stands for, else None."""
        if isinstance(node, ast.Name) and node.id not in self.variables:
            return self.resolve(node.id, node)
        return None

    # --- lists, sets, comprehensions -----------------------------------------------------------

    def lower_List(self, node: ast.List) -> Thing:
        items = [self.lower(e) for e in node.elts]
        if not all(isinstance(i, (Operand, Place)) for i in items):
            raise self.error("a list holds values", node)
        return Items(tuple(items))  # type: ignore[arg-type]

    def lower_Set(self, node: ast.Set) -> Thing:
        items = [self.value(e) for e in node.elts]
        declared = self.set_type(items[0].type, node)
        return Operand("(" + " | ".join(f"(1 << {self.rank(self.code_of(i, declared.element, node), declared.element)})" for i in items) + ")", declared)

    def set_type(self, element: Type, node: ast.AST) -> SetType:
        if not is_scalar(element) and not isinstance(element, RecordType):
            raise self.error(f"a set of {element.describe()} cannot be built here", node)
        if element.size > 64:
            raise self.error(f"a set over {element.size} values cannot be built here, at most 64", node)
        return SetType(element)

    def lower_SetComp(self, node: ast.SetComp) -> Thing:
        result = self.fresh("0")
        found: list[SetType] = []

        def body() -> None:
            item = self.value(node.elt)
            found.append(self.set_type(item.type, node))
            code = self.code_of(item, found[0].element, node)
            self.emit(f"{result} = {result} | (1 << {self.rank(code, found[0].element)})")

        self.generate(node.generators, body)
        return Operand(result, found[0])

    def generate(self, generators: list[ast.comprehension], body: Callable[[], None], stop: str = "") -> None:
        """Nested loops of a comprehension; ``stop`` names a flag that ends them all."""
        first, *rest = generators
        saved, narrowed = dict(self.variables), dict(self.narrowed)

        def inside() -> None:
            if stop:  # a loop over links is three loops, and a break leaves only one
                with self.block(f"if {stop}:"):
                    self.emit("break")
            self.filtered(first.ifs, lambda: self.generate(rest, body, stop) if rest else body())
            if stop:
                with self.block(f"if {stop}:"):
                    self.emit("break")

        self.program.loop(self, first.target, first.iter, inside)
        self.variables, self.narrowed = saved, narrowed

    def filtered(self, tests: list[ast.expr], body: Callable[[], None]) -> None:
        if not tests:
            return body()
        condition = self.condition(tests[0])
        saved = dict(self.narrowed)
        self.narrow(tests[0])
        with self.block(f"if {condition}:"):
            self.filtered(tests[1:], body)
        self.narrowed = saved

    # --- calls ------------------------------------------------------------------------

    def lower_Call(self, node: ast.Call) -> Thing:
        if isinstance(node.func, ast.Attribute):
            of_method: Thing = self.program.method(self, node)
            return of_method
        target = self.named(node.func) if isinstance(node.func, ast.Name) else None
        if isinstance(target, RecordType):
            return self.record(target, node)
        if isinstance(target, types.FunctionType) and not target.__module__.startswith("scrutator.model.language"):
            of_helper: Thing = self.program.call(self, target, node)
            return of_helper
        name = target if isinstance(target, str) else getattr(target, "__name__", None)
        method: Callable[[ast.Call], Thing] | None = getattr(self, f"call_{name}", None)
        if method is None:
            raise self.error(f"{ast.unparse(node.func)} cannot be called in a model's function", node)
        return method(node)

    def record(self, declared: RecordType, node: ast.Call) -> Operand:
        given = {k.arg: k.value for k in node.keywords}
        if node.args or set(given) != set(declared.fields):
            raise self.error(f"{declared.name} takes {', '.join(declared.fields)}, each by name", node)
        codes = {name: self.hold(self.code_of(self.lower(value), declared.fields[str(name)], value)) for name, value in given.items()}
        text, shift = "", declared.bits
        for name, field in declared.fields.items():
            shift -= field.bits
            part = f"({codes[name]} << {shift})" if shift else codes[name]
            text = f"{text} | {part}" if text else part
        return Operand(f"({text})", declared)

    def call_len(self, node: ast.Call) -> Thing:
        (argument,) = node.args
        named = self.named(argument)
        if isinstance(named, (IndexType, NatType)):
            return self.constant(named.size, node)
        thing = self.lower(argument)
        if isinstance(thing, (Operand, Place)) and isinstance(thing.type, SetType):
            return self.cardinality(thing, argument)
        if isinstance(thing, Place) and isinstance(thing.type, ArrayType):
            return self.constant(thing.type.index.size, node)
        if isinstance(thing, Place) and isinstance(thing.type, LinksType):
            return Operand(self.program.links_length(self, thing), IntType(0, None))
        view = self.view(thing, argument)
        return Operand(view.length, IntType(0, view.capacity))

    def cardinality(self, thing: Operand | Place, node: ast.AST) -> Operand:
        declared = thing.type
        assert isinstance(declared, SetType)
        if isinstance(thing, Place) and declared.representation is Representation.SORTED:
            return Operand(self.load(thing, 1), IntType(0, declared.capacity))
        if isinstance(thing, Place) and (words := bitset_words(declared)):
            return Operand("(" + " + ".join(f"popcount({self.load(thing, 8, str(8 * w))})" for w in range(words)) + ")", IntType(0, declared.element.size))
        return Operand(f"popcount({self.mask(thing, node).text})", IntType(0, 64 if declared is EMPTY else declared.element.size))

    def call_any(self, node: ast.Call) -> Thing:
        return self.quantified(node, "1")

    def call_all(self, node: ast.Call) -> Thing:
        return self.quantified(node, "0")

    def quantified(self, node: ast.Call, decided: str) -> Operand:
        generator = self.generator(node)
        done = self.fresh("0")

        def body() -> None:
            condition = self.condition(generator.elt)
            with self.block(f"if {condition}:" if decided == "1" else f"if not {condition}:"):
                self.emit(f"{done} = 1")

        self.generate(generator.generators, body, stop=done)
        return Operand(f"({done} != 0)" if decided == "1" else f"({done} == 0)", BOOL)

    def generator(self, node: ast.Call) -> ast.GeneratorExp:
        if len(node.args) == 1 and isinstance(node.args[0], (ast.GeneratorExp, ast.ListComp, ast.SetComp)):
            inner = node.args[0]
            return ast.copy_location(ast.GeneratorExp(inner.elt, inner.generators), inner)
        raise self.error("takes a comprehension: (... for x in ...)", node)

    def call_sum(self, node: ast.Call) -> Thing:
        generator = self.generator(node)
        total = self.fresh("0")

        def add() -> None:
            self.emit(f"{total} = {self.arithmetic(ast.Add(), Operand(total, IntType()), self.number(generator.elt)).text}")

        self.generate(generator.generators, add)
        return Operand(total, IntType())

    def call_min(self, node: ast.Call) -> Thing:
        return self.extreme(node, "<")

    def call_max(self, node: ast.Call) -> Thing:
        return self.extreme(node, ">")

    def extreme(self, node: ast.Call, better: str) -> Operand:
        default = next((k.value for k in node.keywords if k.arg == "default"), None)
        if len(node.args) > 1:
            best = self.number(node.args[0])
            for argument in node.args[1:]:
                other = self.number(argument)
                a, b = self.hold(best.text), self.hold(other.text)
                best = Operand(f"({a} if {a} {better} {b} else {b})", self.common_type(best.type, other.type, node))
            return best
        generator = self.generator(node)
        found = self.fresh("0")
        result = self.fresh(self.number(default).text if default else "0")

        def body() -> None:
            item = self.hold(self.number(generator.elt).text)
            with self.block(f"if not {found} or {item} {better} {result}:"):
                self.emit(f"{result} = {item}")
            self.emit(f"{found} = 1")

        self.generate(generator.generators, body)
        if default is None:
            self.fault_unless(found)
        return Operand(result, IntType())

    def call_abs(self, node: ast.Call) -> Thing:
        text = self.hold(self.number(node.args[0]).text)
        return Operand(f"({text} if {text} >= 0 else -{text})", IntType())

    def call_int(self, node: ast.Call) -> Thing:
        return self.number(node.args[0])

    def call_bool(self, node: ast.Call) -> Thing:
        return Operand(self.condition(node.args[0]), BOOL)

    def call_set(self, node: ast.Call) -> Thing:
        if node.args:
            raise self.error("write a set as {...} or set()", node)
        return Operand("0", EMPTY)

    def call_isinstance(self, node: ast.Call) -> Thing:
        subject, kind = self.value(node.args[0]), self.named(node.args[1])
        if not isinstance(kind, RecordType):
            raise self.error("isinstance takes a message and a record class", node)
        if isinstance(subject.type, UnionType):
            for tag, member in enumerate(subject.type.members):
                if member.cls is kind.cls:
                    return Operand(f"(({subject.text} >> {subject.type.payload_bits}) == {tag})", BOOL)
        same = isinstance(subject.type, RecordType) and subject.type.cls is kind.cls
        return Operand(str(int(same)), BOOL)


def field_code(code: str, declared: RecordType, name: str) -> str:
    """The code of a field inside the code of a record."""
    shift = declared.bits
    for field, kind in declared.fields.items():
        shift -= kind.bits
        if field == name:
            shifted = f"({code} >> {shift})" if shift else code
            return f"({shifted} & {(1 << kind.bits) - 1})"
    raise KeyError(name)


__all__ = ["Expressions", "NetworkType", "bitset_words", "field_code"]
