"""Sets in expressions: a mask where there are at most 64 possible values, else a place that is searched."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from scrutator.checker.explore.layout import code_bytes, size_of
from scrutator.checker.translate.builder import EMPTY, IntType, Operand, Place, Thing
from scrutator.model.language.types import RecordType, Representation, SetType, Type, is_scalar

if TYPE_CHECKING:
    from scrutator.checker.translate.expressions import Expressions


def bitset_words(declared: SetType) -> int:
    """Words of a set too large for a mask; 0 for a mask."""
    return size_of(declared) // 8 if declared.element.size > 64 else 0


def mask(f: Expressions, thing: Thing, node: ast.AST) -> Operand:
    """A set of at most 64 possible values as a bit mask."""
    if isinstance(thing, Place) and isinstance(thing.type, SetType) and thing.type.is_value:
        return f.loaded(thing, node)
    if isinstance(thing, Operand) and isinstance(thing.type, SetType):
        return thing
    raise f.error("only sets over at most 64 values can be combined", node)


def combined(f: Expressions, left: Thing, node: ast.BinOp) -> Operand:
    """Union, intersection or difference."""
    a, b = mask(f, left, node), mask(f, f.lower(node.right), node)
    kind = a.type if b.type is EMPTY else b.type
    if a.type is not EMPTY and b.type is not EMPTY:
        f.same(b.type, a.type, node)
    match node.op:
        case ast.BitOr():
            return Operand(f"({a.text} | {b.text})", kind)
        case ast.BitAnd():
            return Operand(f"({a.text} & {b.text})", kind)
    return Operand(f"({a.text} & ~{b.text})", kind)


def member(f: Expressions, owner: Operand | Place, item: ast.expr) -> str:
    """Whether the item is in the set, as a condition."""
    declared = owner.type
    assert isinstance(declared, SetType)
    code = f.code_of(f.lower(item), declared.element, item)
    if isinstance(owner, Operand):
        return f"(({owner.text} >> {f.rank(code, declared.element)}) & 1)"
    if declared.representation is Representation.SORTED:
        width = code_bytes(declared.element.bits)
        return f"sorted_find{8 * width}({f.root(owner)} + {owner.at()}, {code})"
    rank = f.rank(code, declared.element)
    if bitset_words(declared):
        held = f.hold(rank)
        return f"((load64({f.root(owner)}, {owner.at()} + ({held} >> 6) * 8) >> ({held} & 63)) & 1)"
    return f"(({f.loaded(owner).text} >> {rank}) & 1)"


def cardinality(f: Expressions, thing: Operand | Place, node: ast.AST) -> Operand:
    """How many elements the set has; a bag counts every copy."""
    declared = thing.type
    assert isinstance(declared, SetType)
    if isinstance(thing, Place) and declared.representation is Representation.SORTED:
        return Operand(f.load(thing, 1), IntType(0, declared.capacity))
    if isinstance(thing, Place) and (words := bitset_words(declared)):
        return Operand("(" + " + ".join(f"popcount({f.load(thing, 8, str(8 * w))})" for w in range(words)) + ")", IntType(0, declared.element.size))
    return Operand(f"popcount({mask(f, thing, node).text})", IntType(0, 64 if declared is EMPTY else declared.element.size))


def display(f: Expressions, node: ast.Set) -> Operand:
    """``{a, b}``."""
    items = [f.as_value(f.before(e, *node.elts[k + 1 :]), e) for k, e in enumerate(node.elts)]
    declared = set_type(f, items[0].type, node)
    return Operand("(" + " | ".join(f"(1 << {f.rank(f.code_of(i, declared.element, node), declared.element)})" for i in items) + ")", declared)


def set_type(f: Expressions, element: Type, node: ast.AST) -> SetType:
    """The type of a set made by an expression."""
    if not is_scalar(element) and not isinstance(element, RecordType):
        raise f.error(f"a set of {element.describe()} cannot be built here", node)
    if element.size > 64:
        raise f.error(f"a set over {element.size} values cannot be built here, at most 64", node)
    return SetType(element)
