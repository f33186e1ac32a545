"""Comparison and membership: whether two things are the same, in order, or one in the other."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from scrutator.checker.explore.layout import size_of
from scrutator.checker.translate.builder import (
    EMPTY,
    IntType,
    Items,
    NoneType,
    Operand,
    Place,
    Thing,
    View,
    compatible,
    same_layout,
)
from scrutator.checker.translate.sets import mask, member
from scrutator.model.language.types import (
    ArrayType,
    IndexType,
    LinksType,
    MaybeType,
    NatType,
    RecordType,
    SeqType,
    SetType,
    UnionType,
)
from scrutator.model.quorums.table import QuorumTable

if TYPE_CHECKING:
    from scrutator.checker.translate.expressions import Expressions

ORDER: dict[type[ast.cmpop], str] = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}


def compared(f: Expressions, left: ast.expr, op: ast.cmpop, right: ast.expr, node: ast.AST) -> str:
    """One comparison, as a condition."""
    if isinstance(op, (ast.In, ast.NotIn)):
        text = contains(f, left, right)
        return text if isinstance(op, ast.In) else f"(not {text})"
    if isinstance(op, (ast.Eq, ast.NotEq, ast.Is, ast.IsNot)):
        text = equal(f, f.before(left, right), f.lower(right), node)
        return text if isinstance(op, (ast.Eq, ast.Is)) else f"(not {text})"
    a = f.before(left, right)
    if isinstance(a, (Operand, Place)) and isinstance(a.type, SetType):
        x, y = mask(f, a, node).text, mask(f, f.lower(right), node).text
        if isinstance(op, ast.GtE):
            x, y = y, x
        elif not isinstance(op, ast.LtE):
            raise f.error("sets compare by <=, >= and ==", node)
        return f"(({x} & ~{y}) == 0)"
    return f"({f.as_number(a, left).text} {ORDER[type(op)]} {f.number(right).text})"


def equal(f: Expressions, a: Thing, b: Thing, node: ast.AST) -> str:
    """Whether two things are equal, as a condition."""
    if isinstance(a, Items) and not isinstance(b, Items):
        a, b = b, a
    if isinstance(b, Items):
        b = f.typed_items(b, f.view(a, node).element, node)
    if _is_sequence(a) or _is_sequence(b):
        return _equal_sequences(f, f.view(a, node), f.view(b, node), node)
    for thing in (a, b):
        if isinstance(thing, Place) and isinstance(thing.type, ArrayType):
            return _equal_bytes(f, a, b, node)
    return _equal_values(f, _comparable(f, a, node), _comparable(f, b, node), node)


def contains(f: Expressions, item: ast.expr, container: ast.expr) -> str:
    """``item in container``, as a condition."""
    if isinstance(container, (ast.Tuple, ast.List, ast.Set)):
        left = f.before(item, *container.elts)
        return "(" + " or ".join(equal(f, left, f.lower(c), item) for c in container.elts) + ")" if container.elts else "0"
    if f.changes(container):
        raise f.error("this may change the state while it is searched: assign it to a variable first", container)
    named = f.named(container)
    if isinstance(named, QuorumTable):
        votes = mask(f, f.lower(item), item)
        if isinstance(votes.type, SetType) and votes.type.element is not EMPTY.element:
            f.same(votes.type.element, named.index, item)
        return f"(table8({f.program.quorum_table(named)}, {votes.text}) != 0)"
    if isinstance(named, (NatType, IndexType)):
        low, high = (named.low, named.high) if isinstance(named, NatType) else (0, named.count - 1)
        number = f.hold(f.number(item).text)
        return f"({low} <= {number} and {number} <= {high})"
    place = f.lower(container)
    if isinstance(place, (Operand, Place)) and isinstance(place.type, SetType):
        return member(f, place, item)
    if isinstance(place, Place) and isinstance(place.type, LinksType):
        raise f.error("test the messages of a link with any(... for m in ...)", container)
    view = f.view(place, container)
    code = f.hold(f.code_of(f.lower(item), view.element, item))
    result, k = f.fresh("0"), f.fresh("0")
    with f.block(f"while not {result} and {k} < {view.length}:"):
        f.emit(f"{result} = (1 if {view.get(k)} == {code} else 0)")
        f.emit(f"{k} = {k} + 1")
    return result


def _equal_values(f: Expressions, a: Operand, b: Operand, node: ast.AST) -> str:
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
            held = f.hold(a.text)
            return f"({held} != 0 and {held} == {b.text} + {declared.presence - low})"
        return f"({a.text} == {f.code_of(b, declared, node)})"
    if isinstance(a.type, UnionType):
        return f"({a.text} == {f.code_of(b, a.type, node)})"
    if isinstance(a.type, (IntType, IndexType)) and isinstance(b.type, (IntType, IndexType)):
        if isinstance(a.type, IndexType) and isinstance(b.type, IndexType):
            f.same(b.type, a.type, node)
        return f"({a.text} == {b.text})"
    if not (compatible(a.type, b.type) or compatible(b.type, a.type)):
        raise f.error(f"{a.type.describe()} is never equal to {b.type.describe()}", node)
    return f"({a.text} == {b.text})"


def _comparable(f: Expressions, thing: Thing, node: ast.AST) -> Operand:
    if isinstance(thing, Place) and isinstance(thing.type, RecordType):
        return Operand(f.packed_record(thing), thing.type)
    if isinstance(thing, (View, Items)):
        raise f.error("a sequence is compared with a sequence", node)
    return f.loaded(thing, node) if isinstance(thing, Place) else thing


def _is_sequence(thing: Thing) -> bool:
    return isinstance(thing, View) or (not isinstance(thing, Items) and isinstance(thing.type, SeqType))


def _equal_sequences(f: Expressions, a: View, b: View, node: ast.AST) -> str:
    f.same(a.element, b.element, node)
    result, k = f.fresh(f"(1 if {a.length} == {b.length} else 0)"), f.fresh("0")
    with f.block(f"while {result} and {k} < {a.length}:"):
        f.emit(f"{result} = (1 if {a.get(k)} == {b.get(k)} else 0)")
        f.emit(f"{k} = {k} + 1")
    return result


def _equal_bytes(f: Expressions, a: Thing, b: Thing, node: ast.AST) -> str:
    if not (isinstance(a, Place) and isinstance(b, Place) and same_layout(a.type, b.type)):
        raise f.error("only arrays of the same type can be compared", node)
    result, k = f.fresh("1"), f.fresh("0")
    with f.block(f"while {result} and {k} < {size_of(a.type)}:"):
        f.emit(f"{result} = (1 if {f.load(a, 1, k)} == {f.load(b, 1, k)} else 0)")
        f.emit(f"{k} = {k} + 1")
    return result
