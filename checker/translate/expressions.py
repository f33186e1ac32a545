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
from typing import TYPE_CHECKING, Any

from scrutator.checker.explore.layout import offset_of, size_of
from scrutator.checker.translate.builder import (
    BOOL,
    NUMBER_MAX,
    Builder,
    IntType,
    Items,
    NoneType,
    Operand,
    Place,
    Thing,
    View,
)
from scrutator.checker.translate.calls import BUILT_IN
from scrutator.checker.translate.changes import may_change
from scrutator.checker.translate.comparisons import compared
from scrutator.checker.translate.loops import comprehension
from scrutator.checker.translate.methods import method
from scrutator.checker.translate.sets import combined, display
from scrutator.model.language.types import (
    ArrayType,
    BoolType,
    EnumType,
    IndexType,
    MaybeType,
    RecordType,
    SeqType,
    SetType,
    Type,
    UnionType,
)

if TYPE_CHECKING:
    from scrutator.checker.translate.program import Program

ARITHMETIC: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.FloorDiv: "//", ast.Mod: "%"}
SMALL = 1 << 40


class Expressions(Builder):
    """Lowers expressions.  ``variables`` maps a model's local names to what they are."""

    def __init__(self, function: Any, program: Program) -> None:
        super().__init__(function)
        self.program = program
        self.variables: dict[str, Thing] = {}
        self.narrowed: dict[str, RecordType] = {}
        self.free = dict(zip(function.__code__.co_freevars, (c.cell_contents for c in function.__closure__ or ()), strict=True))

    def note_change(self, place: Place | None = None, node: ast.AST | None = None) -> None:
        """From here on the state may have changed, at that place if it is known."""
        raise NotImplementedError

    def read_history(self, name: str, node: ast.AST) -> None:
        """A history variable is read; actions refuse where they would decide by it."""

    # --- entry points -----------------------------------------------------------------

    def lower(self, node: ast.expr) -> Thing:
        """Any expression."""
        method: Callable[[Any], Thing] | None = getattr(self, f"lower_{type(node).__name__}", None)
        if method is None:
            raise self.error(f"{type(node).__name__} is not part of the model language", node)
        return method(node)

    def value(self, node: ast.expr) -> Operand:
        """An expression that is a value."""
        return self.as_value(self.lower(node), node)

    def as_value(self, thing: Thing, node: ast.AST) -> Operand:
        if isinstance(thing, Place):
            return self.loaded(thing, node)
        if isinstance(thing, (View, Items)):
            raise self.error("a sequence cannot be used as a value here", node)
        return thing

    def number(self, node: ast.expr) -> Operand:
        """An expression that is a number, or may stand for one."""
        return self.as_number(self.lower(node), node)

    def as_number(self, thing: Thing, node: ast.AST) -> Operand:
        value = self.as_value(thing, node)
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

    def before(self, node: ast.expr, *later: ast.expr) -> Thing:
        """An expression as it is now, even if the later ones change the state."""
        thing = self.lower(node)
        if not self.changes(*later):
            return thing
        if isinstance(thing, (View, Items)):
            raise self.error("what follows in this line may change the state: assign this to a variable first", node)
        if isinstance(thing, Place) and thing.type.is_value and not isinstance(thing.type, (SetType, SeqType, RecordType)):
            thing = self.loaded(thing, node)  # other places are the state itself, in Python too
        return Operand(self.hold(thing.text), thing.type) if isinstance(thing, Operand) else thing

    def changes(self, *nodes: ast.AST) -> bool:
        """Whether evaluating any of these may change the state."""
        return any(may_change(self.function, node) for node in nodes)

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
        if name in BUILT_IN or name in ("range", "sorted"):
            return name
        raise self.error(f"{name} is not defined", node)

    def named(self, node: ast.expr) -> Any:
        """What a bare name outside of the local variables stands for, else None."""
        if isinstance(node, ast.Name) and node.id not in self.variables:
            return self.resolve(node.id, node)
        return None

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
                self.read_history(name, node)
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
        left = self.before(node.left, node.right)
        if isinstance(node.op, (ast.BitOr, ast.BitAnd, ast.Sub)):
            if isinstance(left, (Operand, Place)) and isinstance(left.type, SetType):
                return combined(self, left, node)
        if type(node.op) not in ARITHMETIC:
            raise self.error(f"{type(node.op).__name__} is not part of the model language", node)
        a, b = self.as_number(left, node.left), self.number(node.right)
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
        return self.program.own_fault(str(self.error(why)))

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
            if a.low is None or a.high is None or b.low is None or b.high is None:
                return IntType()
            return IntType(min(a.low, b.low), max(a.high, b.high))
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

    def lower_Compare(self, node: ast.Compare) -> Thing:
        if len(node.ops) == 1:
            return Operand(compared(self, node.left, node.ops[0], node.comparators[0], node), BOOL)
        if self.changes(*node.comparators[:-1]):
            raise self.error("what stands in the middle is compared twice, and may change the state: assign it to a variable first", node)
        parts: list[ast.expr] = []
        left = node.left
        for op, right in zip(node.ops, node.comparators, strict=True):
            parts.append(ast.copy_location(ast.Compare(left, [op], [right]), node))
            left = right
        return self.lower(ast.copy_location(ast.BoolOp(ast.And(), parts), node))

    # --- lists and sets ---------------------------------------------------------------

    def lower_List(self, node: ast.List) -> Thing:
        items: list[Operand | Place] = []
        for k, element in enumerate(node.elts):
            item = self.before(element, *node.elts[k + 1 :])
            if isinstance(item, (View, Items)):
                raise self.error("a list holds values", node)
            items.append(item)
        return Items(tuple(items))

    def lower_Set(self, node: ast.Set) -> Thing:
        return display(self, node)

    def lower_SetComp(self, node: ast.SetComp) -> Thing:
        return comprehension(self, node)

    # --- calls ------------------------------------------------------------------------

    def lower_Call(self, node: ast.Call) -> Thing:
        if isinstance(node.func, ast.Attribute):
            return method(self, node)
        target = self.named(node.func) if isinstance(node.func, ast.Name) else None
        if isinstance(target, RecordType):
            return self.record(target, node)
        if isinstance(target, types.FunctionType) and not target.__module__.startswith("scrutator.model.language"):
            return self.program.call(self, target, node)
        name = target if isinstance(target, str) else getattr(target, "__name__", None)
        built_in = BUILT_IN.get(str(name))
        if built_in is None:
            raise self.error(f"{ast.unparse(node.func)} cannot be called in a model's function", node)
        unknown = [str(k.arg) for k in node.keywords if k.arg != "default" or name not in ("min", "max")]
        if unknown:
            raise self.error(f"{name} with {', '.join(unknown)} is not part of the model language", node)
        return built_in(self, node)

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


def field_code(code: str, declared: RecordType, name: str) -> str:
    """The code of a field inside the code of a record."""
    shift = declared.bits
    for field, kind in declared.fields.items():
        shift -= kind.bits
        if field == name:
            shifted = f"({code} >> {shift})" if shift else code
            return f"({shifted} & {(1 << kind.bits) - 1})"
    raise KeyError(name)


def _is_small(kind: Any) -> bool:
    return kind.low is not None and kind.high is not None and max(abs(kind.low), abs(kind.high)) <= SMALL
