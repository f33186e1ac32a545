"""Loops: over types, ranges, arrays, sets, sequences and links; and comprehensions, which are nested loops."""

from __future__ import annotations

import ast
import enum
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING

from scrutator.checker.explore.layout import code_bytes, size_of
from scrutator.checker.translate.builder import IntType, Operand, Place
from scrutator.checker.translate.sets import bitset_words, mask, set_type
from scrutator.model.language.types import (
    ArrayType,
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

if TYPE_CHECKING:
    from scrutator.checker.translate.expressions import Expressions


Body = Callable[[str, Type], None]  # of a loop, from the text and type of the element it is about


def loop(f: Expressions, target: ast.expr, source: ast.expr, inside: Callable[[], None], *, changes: bool = False) -> None:
    """``for target in source``; ``changes`` says that the body may change the state."""
    if not isinstance(target, ast.Name):
        raise f.error("a loop has one variable", target)
    name = target.id

    def over(text: str, kind: Type) -> None:
        f.variables[name] = Operand(text, kind)
        f.narrowed.pop(name, None)
        inside()

    if not _over_numbers(f, source, over):
        _over_contents(f, name, source, inside, over, changes)


def _over_numbers(f: Expressions, source: ast.expr, over: Body) -> bool:
    """Over a type or a range; False if it is neither."""
    named = f.named(source)
    if inspect.isclass(named) and issubclass(named, enum.Enum):
        named = EnumType(named)
    if isinstance(named, (IndexType, NatType, EnumType)):
        low = named.low if isinstance(named, NatType) else 0
        kind = IntType(named.low, named.high) if isinstance(named, NatType) else named
        variable = f.fresh()
        with f.block(f"for {variable} in range({low}, {low + named.size}):"):
            over(variable, kind)
        return True
    if isinstance(source, ast.Call) and isinstance(source.func, ast.Name) and source.func.id == "range":
        ends = [f.number(a) for a in source.args]
        if not 1 <= len(ends) <= 2:
            raise f.error("range takes one or two numbers", source)
        begin, end = ("0", ends[0].text) if len(ends) == 1 else (ends[0].text, ends[1].text)
        variable = f.fresh()
        with f.block(f"for {variable} in range({begin}, {end}):"):
            over(variable, IntType())
        return True
    return False


def _over_contents(f: Expressions, name: str, source: ast.expr, inside: Callable[[], None], over: Body, changes: bool) -> None:
    """Over what an array, a set, links or a sequence hold."""
    kind_wanted: RecordType | None = None
    if isinstance(source, ast.Call) and isinstance(source.func, ast.Attribute) and source.func.attr == "of":
        kind_wanted = f.named(source.args[0])
        source = source.func.value
        if not isinstance(kind_wanted, RecordType):
            raise f.error("of takes a record class", source)
    in_order = isinstance(source, ast.Call) and isinstance(source.func, ast.Name) and source.func.id == "sorted"
    if isinstance(source, ast.Call) and in_order:
        if len(source.args) != 1 or source.keywords:
            raise f.error("sorted takes a set, and nothing else", source)
        source = source.args[0]
    thing = f.lower(source)
    if in_order and not (isinstance(thing, (Operand, Place)) and isinstance(thing.type, SetType)):
        raise f.error("only sets are gone through in order", source)
    if isinstance(thing, Place) and isinstance(thing.type, ArrayType):
        array = thing.type
        variable = f.fresh()
        with f.block(f"for {variable} in range(0, {array.index.size}):"):
            element = thing.inside(array.element, 0, f"{variable} * {size_of(array.element)}")
            if array.element.is_value and not isinstance(array.element, (SetType, SeqType, RecordType)):
                value = f.loaded(element)
                over(f.fresh(value.text), value.type)
            else:
                f.variables[name] = element
                inside()
        return
    if isinstance(thing, (Operand, Place)) and isinstance(thing.type, SetType):
        if changes and isinstance(thing, Place) and not thing.fixed and not thing.type.is_value:
            raise f.error("the loop changes the state while it goes through a set of it; collect first, then change", source)
        over_set(f, thing, kind_wanted, over)
        return
    if isinstance(thing, Place) and isinstance(thing.type, LinksType):
        if changes and not thing.fixed:
            raise f.error("the loop changes the state while it goes through links of it; collect first, then change", source)
        over_links(f, thing, kind_wanted, over)
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


def over_set(f: Expressions, thing: Operand | Place, kind: RecordType | None, over: Body) -> None:
    """The elements of a set in the order of their codes, perhaps of one kind only."""
    declared = thing.type
    assert isinstance(declared, SetType)
    element = declared.element
    if isinstance(thing, Place) and declared.representation is Representation.SORTED:
        _over_sorted(f, thing, kind, over)
        return
    low, high, member = 0, element.size, element
    if kind is not None and isinstance(element, UnionType):
        tag = _tag(f, element, kind)
        member = element.members[tag]
        low, high = element.base(tag), element.base(tag) + member.size

    def item(rank: str) -> None:
        within = f"({rank} - {low})" if low else rank
        if is_scalar(member) or isinstance(member, IntType):
            decoded = f.decoded(within, member)
            over(decoded.text, decoded.type)
        else:
            over(f.fresh(f"table64({f.program.codes_table(member)}, {within})"), member)

    if isinstance(thing, Place) and bitset_words(declared):
        at = f.fresh(str(low - 1))
        with f.block("while 1:"):
            f.emit(f"{at} = next_bit({f.root(thing)} + {thing.at()}, {at} + 1, {high})")
            with f.block(f"if {at} >= {high}:"):
                f.emit("break")
            item(at)
        return
    members = mask(f, thing, ast.Pass()).text
    if (low, high) != (0, element.size):
        members = f"({members} & {(1 << high) - (1 << low)})"
    rest = f.fresh(members)
    with f.block(f"while {rest}:"):
        rank = f.fresh(f"ctz({rest})")
        f.emit(f"{rest} = {rest} & ({rest} - 1)")
        item(rank)


def _over_sorted(f: Expressions, place: Place, kind: RecordType | None, over: Body) -> None:
    """The distinct elements of a sorted array, perhaps of one kind only."""
    declared = place.type
    assert isinstance(declared, SetType)
    element, width = declared.element, code_bytes(declared.element.bits)
    f.program.widths.add(width)
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
            _of_kind(f, code, element, kind, over)
        else:
            decoded = f.decoded(code, element)
            over(decoded.text, decoded.type)


def over_links(f: Expressions, place: Place, kind: RecordType | None, over: Body, *, heads: bool = False) -> None:
    """The messages on all links, or only the first of each."""
    links = place.type
    assert isinstance(links, LinksType)
    row = links.row
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
                _of_kind(f, code, links.element, kind, over)


def _of_kind(f: Expressions, code: str, union: UnionType, kind: RecordType, over: Body) -> None:
    """Pass over every message of another kind."""
    with f.block(f"if {code} >> {union.payload_bits} != {_tag(f, union, kind)}:"):
        f.emit("continue")
    over(f.fresh(f"{code} & {(1 << union.payload_bits) - 1}"), kind)


def _tag(f: Expressions, union: UnionType, kind: RecordType) -> int:
    tag = union.tag(kind)
    if tag is None:
        raise f.error(f"{kind.name} never travels there, only {union.describe()}")
    return tag


def links_length(f: Expressions, place: Place) -> str:
    """How many messages there are on all links."""
    total = f.fresh("0")
    over_links(f, place, None, lambda code, kind: f.emit(f"{total} = {total} + 1"))
    return total


def nested(f: Expressions, generators: list[ast.comprehension], body: Callable[[], None], stop: str = "") -> None:
    """Nested loops of a comprehension; ``stop`` names a flag that ends them all."""
    first, *rest = generators
    saved, narrowed = dict(f.variables), dict(f.narrowed)

    def inside() -> None:
        if stop:  # a loop over links is three loops, and a break leaves only one
            with f.block(f"if {stop}:"):
                f.emit("break")
        _filtered(f, first.ifs, lambda: nested(f, rest, body, stop) if rest else body())
        if stop:
            with f.block(f"if {stop}:"):
                f.emit("break")

    loop(f, first.target, first.iter, inside)
    f.variables, f.narrowed = saved, narrowed


def _filtered(f: Expressions, tests: list[ast.expr], body: Callable[[], None]) -> None:
    if not tests:
        return body()
    condition = f.condition(tests[0])
    saved = dict(f.narrowed)
    f.narrow(tests[0])
    with f.block(f"if {condition}:"):
        _filtered(f, tests[1:], body)
    f.narrowed = saved


def comprehension(f: Expressions, node: ast.SetComp) -> Operand:
    """``{... for x in ...}``."""
    result = f.fresh("0")
    found: list[SetType] = []

    def body() -> None:
        item = f.value(node.elt)
        found.append(set_type(f, item.type, node))
        code = f.code_of(item, found[0].element, node)
        f.emit(f"{result} = {result} | (1 << {f.rank(code, found[0].element)})")

    nested(f, node.generators, body)
    return Operand(result, found[0])
