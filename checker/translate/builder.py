"""Writing flat code: operands, temporaries, checks, and the source functions are read from.

A model's function becomes a function of the flat dialect (`checker.native`), where a
state is a pointer to its row and everything else a 64-bit integer.  An `Operand` is an
expression of the dialect with the language's type; a `Place` is a part of a state, as an
offset from a row; a `View` is anything that can be read as a sequence.

Nothing is assumed that the model could get wrong: what could leave its range, index past
an end or unwrap None is checked, and a failed check ends the action with `FAULT`.
"""

from __future__ import annotations

import ast
import linecache
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from scrutator.checker.explore.layout import code_bytes, offset_of
from scrutator.model.language.errors import SpecError
from scrutator.model.language.types import (
    ArrayType,
    BoolType,
    EnumType,
    IndexType,
    LinksType,
    MaybeType,
    NatType,
    RecordType,
    SeqType,
    SetType,
    Type,
    UnionType,
    is_scalar,
)

# What an action's function returns.  TRUNCATED + site; FAULT, where the interpreter makes the same
# mistake, or FAULT + 1 + the number of one that only compiled code has.
FIRED, DISABLED, TRUNCATED, FAULT = 0, 1, 2, 1 << 20
NUMBER_MAX = (1 << 62) - 1
ROUNDS_MAX = 1 << 20  # of a while loop


class IntType(Type):
    """A whole number in an expression, with what is known of its range."""

    def __init__(self, low: int | None = None, high: int | None = None) -> None:
        self.low, self.high = low, high

    def describe(self) -> str:
        return "a number"


class NoneType(Type):
    def describe(self) -> str:
        return "None"


BOOL = BoolType()


@dataclass(frozen=True)
class Operand:
    """A dialect expression without side effects; for enums, records, ... it is the code."""

    text: str
    type: Type


@dataclass(frozen=True)
class Place:
    """A part of a state: bytes from ``offset`` on, after the row that ``root`` names."""

    type: Type
    root: str
    constant: int = 0
    dynamic: str = ""
    name: str = ""  # the state's field that it belongs to
    fixed: bool = False  # of a state that is only read

    def at(self, more: int = 0) -> str:
        """The byte offset as a dialect expression."""
        text = str(self.constant + more)
        return f"{self.dynamic} + {text}" if self.dynamic else text

    def inside(self, declared: Type, constant: int, dynamic: str = "") -> Place:
        """A part of this place."""
        joined = " + ".join(d for d in (self.dynamic, dynamic) if d)
        return Place(declared, self.root, self.constant + constant, joined, self.name, self.fixed)


@dataclass(frozen=True)
class View:
    """A sequence that can be read: its length, and the code of the element at a position."""

    element: Type
    length: str
    capacity: int
    get: Callable[[str], str]


@dataclass(frozen=True)
class Items:
    """A list display, ``[a, b]``, until it is known what type its elements shall have."""

    items: tuple[Operand | Place, ...]


Thing = Operand | Place | View | Items


class Builder:
    """Lines of one dialect function, and the temporaries and checks they need."""

    def __init__(self, function: Any) -> None:
        self.function = function
        self.lines: list[str] = []
        self.indent = 1
        self.names = 0
        self.line = function.__code__.co_firstlineno

    # --- lines ------------------------------------------------------------------------

    def emit(self, text: str) -> None:
        self.lines.append("    " * self.indent + text)

    @contextmanager
    def block(self, header: str) -> Iterator[None]:
        """An indented block; an empty one becomes ``pass``."""
        self.emit(header)
        before = len(self.lines)
        self.indent += 1
        yield
        if len(self.lines) == before:
            self.emit("pass")
        self.indent -= 1

    def fresh(self, text: str | None = None) -> str:
        """A new temporary, holding ``text`` if given."""
        self.names += 1
        name = f"t{self.names}"
        if text is not None:
            self.emit(f"{name} = {text}")
        return name

    def hold(self, text: str) -> str:
        """The expression in a form that may be repeated: a name or number, or a new temporary."""
        return text if text.replace("_", "").isalnum() else self.fresh(text)

    def captured(self, build: Callable[[], Any]) -> tuple[list[str], Any]:
        """The lines that ``build`` emits, apart, and what it returns."""
        saved, self.lines = self.lines, []
        try:
            result = build()
            return self.lines, result
        finally:
            self.lines = saved

    # --- errors -----------------------------------------------------------------------

    def error(self, why: str, node: ast.AST | None = None) -> SpecError:
        line = getattr(node, "lineno", self.line)
        source = linecache.getline(self.function.__code__.co_filename, line).strip()
        return SpecError(f"{self.function.__code__.co_filename}:{line}: `{source}`: {why}")

    def fault_unless(self, condition: str, status: int = FAULT) -> None:
        with self.block(f"if not ({condition}):"):
            self.fault(status)

    def fault(self, status: int = FAULT) -> None:
        """Leave the function: the model made a mistake."""
        self.leave(str(status))

    def leave(self, status: str) -> None:
        """Leave the function without a successor."""
        raise NotImplementedError

    # --- codes ------------------------------------------------------------------------

    def decoded(self, code: str, declared: Type) -> Operand:
        """What a stored code stands for."""
        if isinstance(declared, NatType):
            return Operand(f"({code} + {declared.low})" if declared.low else code, IntType(declared.low, declared.high))
        return Operand(code, BOOL if isinstance(declared, BoolType) else declared)

    def code_of(self, value: Thing, declared: Type, node: ast.AST | None = None) -> str:
        """The code of a value as ``declared``, after whatever checks its range needs."""
        if isinstance(value, Place) and isinstance(value.type, MaybeType):
            value = self.loaded(value, node)
        if isinstance(declared, MaybeType):
            if isinstance(value, Operand) and isinstance(value.type, NoneType):
                return "0"
            if isinstance(value, Operand) and isinstance(value.type, MaybeType):
                self.same(value.type.element, declared.element, node)
                return value.text
            return f"({self.code_of(value, declared.element, node)} + {declared.presence})"
        if isinstance(value, Operand) and isinstance(value.type, MaybeType):
            value = self.unwrapped(value)
        if isinstance(declared, SeqType):
            typed = self.typed_items(value, declared.element, node) if isinstance(value, Items) else value
            return self.packed_sequence(self.view(typed, node), declared)
        if isinstance(value, Items):
            raise self.error(f"a list where {declared.describe()} is expected", node)
        if isinstance(declared, RecordType) and isinstance(value, Place):
            self.same(value.type, declared, node)
            return self.packed_record(value)
        if isinstance(value, Place):
            value = self.loaded(value, node)
        if isinstance(value, View):
            raise self.error(f"a sequence where {declared.describe()} is expected", node)
        if isinstance(declared, (NatType, IndexType)):
            return self.number_code(value, declared, node)
        if isinstance(declared, UnionType):
            if isinstance(value.type, UnionType):
                return value.text
            tag = declared.tag(value.type) if isinstance(value.type, RecordType) else None
            if tag is not None:
                return f"({value.text} | {tag << declared.payload_bits})" if tag else value.text
        if isinstance(declared, SetType) and isinstance(value.type, SetType) and value.type.element is EMPTY.element:
            return value.text
        self.same(value.type, declared, node)
        return value.text

    def number_code(self, value: Operand, declared: NatType | IndexType, node: ast.AST | None) -> str:
        low, high = (declared.low, declared.high) if isinstance(declared, NatType) else (0, declared.count - 1)
        if isinstance(value.type, IndexType):
            if isinstance(declared, IndexType) and value.type.name == declared.name and value.type.count <= declared.count:
                return value.text
            value = Operand(value.text, IntType(0, value.type.count - 1))
        if isinstance(value.type, NatType):
            value = self.decoded(value.text, value.type)
        if not isinstance(value.type, IntType):
            raise self.error(f"{value.type.describe()} where {declared.describe()} is expected", node)
        known = value.type
        if known.low is not None and known.high is not None and low <= known.low and known.high <= high:
            return f"({value.text} - {low})" if low else value.text
        text = self.hold(value.text)
        self.fault_unless(f"{low} <= {text} and {text} <= {high}")
        return f"({text} - {low})" if low else text

    def rank(self, code: str, declared: Type) -> str:
        """The rank of a value among all of its type, from its code."""
        return rank_text(code, declared, self.hold)

    def same(self, given: Type, declared: Type, node: ast.AST | None) -> None:
        if not compatible(given, declared):
            raise self.error(f"{given.describe()} where {declared.describe()} is expected", node)

    def unwrapped(self, value: Operand) -> Operand:
        """The value inside an optional one; None is a fault."""
        assert isinstance(value.type, MaybeType)
        text = self.hold(value.text)
        self.fault_unless(f"{text} != 0")
        return self.decoded(f"({text} - {value.type.presence})", value.type.element)

    # --- memory -----------------------------------------------------------------------

    def root(self, place: Place) -> str:
        return place.root

    def load(self, place: Place, width: int, more: str = "") -> str:
        offset = f"{more} + {place.at()}" if more else place.at()
        return f"load{8 * width}({self.root(place)}, {offset})"

    def loaded(self, place: Place, node: ast.AST | None = None) -> Operand:
        """The content of a place of a value type."""
        if not place.type.is_value or isinstance(place.type, (SeqType, RecordType)):
            raise self.error(f"{place.type.describe()} cannot be used as a value here", node)
        return self.decoded(self.load(place, code_bytes(place.type.bits)), place.type)

    def store_code(self, place: Place, code: str) -> None:
        width = code_bytes(place.type.bits)
        self.emit(f"store{8 * width}({self.root(place)}, {place.at()}, {code})")

    def load_element(self, place: Place, k: str) -> str:
        """The code at a position of a sequence or sorted array."""
        return f"load{self._element(place, k)})"

    def store_element(self, place: Place, k: str, code: str) -> None:
        self.emit(f"store{self._element(place, k)}, {code})")

    def store_length(self, place: Place, length: str) -> None:
        self.emit(f"store8({self.root(place)}, {place.at()}, {length})")

    def _element(self, place: Place, k: str) -> str:
        assert isinstance(place.type, (SeqType, SetType))
        width = code_bytes(place.type.element.bits)
        return f"{8 * width}({self.root(place)}, {k} * {width} + {place.at(1)}"

    def packed_record(self, place: Place) -> str:
        assert isinstance(place.type, RecordType)
        code = "0"
        for name, declared in place.type.fields.items():
            inner = place.inside(declared, offset_of(place.type, name))
            part: Thing = inner if isinstance(declared, (SeqType, RecordType)) else self.loaded(inner)
            code = f"({code} << {declared.bits} | {self.code_of(part, declared)})"
        return self.fresh(code)

    # --- sequences --------------------------------------------------------------------

    def view(self, value: Thing, node: ast.AST | None = None) -> View:
        """Anything sequence-like, to be read."""
        if isinstance(value, View):
            return value
        if isinstance(value, Place) and isinstance(value.type, SeqType):
            place = value
            length = self.fresh(self.load(place, 1))
            return View(value.type.element, length, value.type.capacity, lambda k: self.load_element(place, f"({k})"))
        if isinstance(value, Operand) and isinstance(value.type, SeqType):
            declared, code = value.type, self.hold(value.text)
            width = declared.element.bits
            length = self.fresh(f"{code} >> {width * declared.capacity}")
            last, mask = declared.capacity - 1, (1 << width) - 1
            return View(declared.element, length, declared.capacity, lambda k: f"(({code} >> ({last} - ({k})) * {width}) & {mask})")
        described = value.type.describe() if isinstance(value, (Operand, Place)) else "this"
        raise self.error(f"{described} is not a sequence", node)

    def typed_items(self, display: Items, element: Type, node: ast.AST | None = None) -> Operand:
        """A list display as a sequence of exactly its length."""
        declared = SeqType(element, len(display.items))
        code = str(len(display.items))
        for item in display.items:
            code = f"({code} << {element.bits} | {self.code_of(item, element, node)})"
        return Operand(code, declared)

    def packed_sequence(self, view: View, declared: SeqType) -> str:
        self.same(view.element, declared.element, None) if view.capacity else None
        if view.capacity > declared.capacity:
            self.fault_unless(f"{view.length} <= {declared.capacity}")
        code = self.fresh(view.length)
        for k in range(declared.capacity):
            item = self.fresh("0")
            if k < view.capacity:
                with self.block(f"if {k} < {view.length}:"):
                    self.emit(f"{item} = {view.get(str(k))}")
            self.emit(f"{code} = {code} << {declared.element.bits} | {item}")
        return code


class _Empty(Type):
    def describe(self) -> str:
        return "nothing"


EMPTY = SetType(_Empty())  # the type of set(): it fits every set


def compatible(given: Type, declared: Type) -> bool:
    """Whether the codes of the one are codes of the other."""
    if isinstance(declared, IndexType):
        return isinstance(given, IndexType) and (given.name, given.count) == (declared.name, declared.count)
    if isinstance(declared, EnumType):
        return isinstance(given, EnumType) and given.cls is declared.cls
    if isinstance(declared, BoolType):
        return isinstance(given, BoolType)
    if isinstance(declared, NatType):
        return isinstance(given, NatType) and (given.low, given.high) == (declared.low, declared.high)
    if isinstance(declared, RecordType):
        return isinstance(given, RecordType) and given.cls is declared.cls
    if isinstance(declared, MaybeType):
        return isinstance(given, MaybeType) and compatible(given.element, declared.element)
    if isinstance(declared, SetType):
        return isinstance(given, SetType) and (given.element is EMPTY.element or compatible(given.element, declared.element))
    if isinstance(declared, SeqType):
        return isinstance(given, SeqType) and given.capacity == declared.capacity and compatible(given.element, declared.element)
    return isinstance(declared, UnionType) and isinstance(given, UnionType) and [m.cls for m in given.members] == [m.cls for m in declared.members]


def same_layout(given: Type, declared: Type) -> bool:
    """Whether places of the two types hold the same bytes for the same content."""
    if isinstance(declared, ArrayType):
        return isinstance(given, ArrayType) and compatible(given.index, declared.index) and same_layout(given.element, declared.element)
    if isinstance(declared, LinksType):
        return isinstance(given, LinksType) and same_layout(given.queues, declared.queues)
    if isinstance(declared, SetType):
        shapes = [(t.representation, t.capacity, t.bag) for t in (given, declared) if isinstance(t, SetType)]
        return compatible(given, declared) and shapes[0] == shapes[1]
    return compatible(given, declared)


def rank_text(code: str, declared: Type, hold: Callable[[str], str]) -> str:
    """The rank of a value among all of its type, from its code."""
    if is_scalar(declared):
        return code
    if isinstance(declared, RecordType):
        code, rank, shift = hold(code), "0", declared.bits
        for field in declared.fields.values():
            shift -= field.bits
            part = rank_text(f"(({code} >> {shift}) & {(1 << field.bits) - 1})", field, hold)
            rank = part if rank == "0" else f"({rank} * {field.size} + {part})"
        return rank
    if isinstance(declared, MaybeType):
        code = hold(code)
        inner = rank_text(f"({code} & {declared.presence - 1})", declared.element, hold)
        return f"({inner} + 1 if {code} else 0)"
    if isinstance(declared, UnionType):
        code = hold(code)
        payload = f"({code} & {(1 << declared.payload_bits) - 1})"
        text = ""
        for tag, member in enumerate(declared.members):
            rank = f"({rank_text(payload, member, hold)} + {declared.base(tag)})"
            last = tag == len(declared.members) - 1
            text += rank if last else f"({rank} if {code} >> {declared.payload_bits} == {tag} else "
        return text + ")" * (len(declared.members) - 1)
    if isinstance(declared, SetType):
        return code
    if isinstance(declared, SeqType):
        code, width = hold(code), declared.element.bits
        length = hold(f"({code} >> {width * declared.capacity})")
        text = "0"
        for n in range(declared.capacity, -1, -1):
            rank = str(sum(declared.element.size**k for k in range(n)))
            offset = "0"
            for k in range(n):
                shift = width * (declared.capacity - 1 - k)
                part = rank_text(f"(({code} >> {shift}) & {(1 << width) - 1})", declared.element, hold)
                offset = f"({offset} * {declared.element.size} + {part})"
            text = f"({rank} + {offset} if {length} == {n} else {text})"
        return text
    raise AssertionError(f"no rank for {declared.describe()}")


_parsed: dict[str, dict[int, ast.FunctionDef]] = {}


def syntax_of(function: Any) -> ast.FunctionDef:
    """The syntax tree of a function, with the line numbers of its file."""
    code = function.__code__
    lines = linecache.getlines(code.co_filename)
    if not lines:
        raise SpecError(f"{function.__name__}: its source file {code.co_filename} cannot be read, so it cannot be compiled; use the python engine")
    key = f"{code.co_filename}:{hash(tuple(lines))}"
    if key not in _parsed:
        found: dict[int, ast.FunctionDef] = {}
        for node in ast.walk(ast.parse("".join(lines))):
            if isinstance(node, ast.FunctionDef):
                found[min([node.lineno, *(d.lineno for d in node.decorator_list)])] = node
        _parsed[key] = found
    definition = _parsed[key].get(code.co_firstlineno)
    if definition is None:
        raise SpecError(f"{code.co_filename}:{code.co_firstlineno}: {function.__name__} is not a plain function (def)")
    return definition
