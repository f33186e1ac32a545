"""Python's own functions that a model may call: `len`, `any`, `all`, `sum`, `min`, `max`, ..."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING

from scrutator.checker.translate.builder import BOOL, EMPTY, IntType, Operand, Place, Thing
from scrutator.checker.translate.loops import links_length, nested
from scrutator.checker.translate.sets import cardinality
from scrutator.model.language.types import (
    ArrayType,
    IndexType,
    LinksType,
    NatType,
    RecordType,
    SetType,
    UnionType,
)

if TYPE_CHECKING:
    from scrutator.checker.translate.expressions import Expressions


def _len(f: Expressions, node: ast.Call) -> Thing:
    (argument,) = node.args
    named = f.named(argument)
    if isinstance(named, (IndexType, NatType)):
        return f.constant(named.size, node)
    thing = f.lower(argument)
    if isinstance(thing, (Operand, Place)) and isinstance(thing.type, SetType):
        return cardinality(f, thing, argument)
    if isinstance(thing, Place) and isinstance(thing.type, ArrayType):
        return f.constant(thing.type.index.size, node)
    if isinstance(thing, Place) and isinstance(thing.type, LinksType):
        return Operand(links_length(f, thing), IntType(0, None))
    view = f.view(thing, argument)
    return Operand(view.length, IntType(0, view.capacity))


def _any(f: Expressions, node: ast.Call) -> Thing:
    return _quantified(f, node, "1")


def _all(f: Expressions, node: ast.Call) -> Thing:
    return _quantified(f, node, "0")


def _quantified(f: Expressions, node: ast.Call, decided: str) -> Operand:
    generator = _generator(f, node)
    done = f.fresh("0")

    def body() -> None:
        condition = f.condition(generator.elt)
        with f.block(f"if {condition}:" if decided == "1" else f"if not {condition}:"):
            f.emit(f"{done} = 1")

    nested(f, generator.generators, body, stop=done)
    return Operand(f"({done} != 0)" if decided == "1" else f"({done} == 0)", BOOL)


def _sum(f: Expressions, node: ast.Call) -> Thing:
    if node.args and isinstance(node.args[0], ast.SetComp):
        raise f.error("a sum over a set adds equal numbers once: build the set first, then add up its elements", node)
    generator = _generator(f, node)
    total = f.fresh("0")

    def add() -> None:
        f.emit(f"{total} = {f.arithmetic(ast.Add(), Operand(total, IntType()), f.number(generator.elt)).text}")

    nested(f, generator.generators, add)
    return Operand(total, IntType())


def _min(f: Expressions, node: ast.Call) -> Thing:
    return _extreme(f, node, "<")


def _max(f: Expressions, node: ast.Call) -> Thing:
    return _extreme(f, node, ">")


def _extreme(f: Expressions, node: ast.Call, better: str) -> Operand:
    default = next((k.value for k in node.keywords if k.arg == "default"), None)
    if len(node.args) > 1:
        first, *others = node.args
        best = f.as_number(f.before(first, *others), first)
        for k, argument in enumerate(others):
            other = f.as_number(f.before(argument, *others[k + 1 :]), argument)
            a, b = f.hold(best.text), f.hold(other.text)
            best = Operand(f"({a} if {a} {better} {b} else {b})", f.common_type(best.type, other.type, node))
        return best
    generator = _generator(f, node)
    found = f.fresh("0")
    result = f.fresh(f.number(default).text if default else "0")

    def body() -> None:
        item = f.hold(f.number(generator.elt).text)
        with f.block(f"if not {found} or {item} {better} {result}:"):
            f.emit(f"{result} = {item}")
        f.emit(f"{found} = 1")

    nested(f, generator.generators, body)
    if default is None:
        f.fault_unless(found)
    return Operand(result, IntType())


def _generator(f: Expressions, node: ast.Call) -> ast.GeneratorExp:
    if len(node.args) == 1 and isinstance(node.args[0], (ast.GeneratorExp, ast.ListComp, ast.SetComp)):
        inner = node.args[0]
        return ast.copy_location(ast.GeneratorExp(inner.elt, inner.generators), inner)
    raise f.error("takes a comprehension: (... for x in ...)", node)


def _abs(f: Expressions, node: ast.Call) -> Thing:
    text = f.hold(f.number(node.args[0]).text)
    return Operand(f"({text} if {text} >= 0 else -{text})", IntType())


def _int(f: Expressions, node: ast.Call) -> Thing:
    return f.number(node.args[0])


def _bool(f: Expressions, node: ast.Call) -> Thing:
    return Operand(f.condition(node.args[0]), BOOL)


def _set(f: Expressions, node: ast.Call) -> Thing:
    if node.args:
        raise f.error("write a set as {...} or set()", node)
    return Operand("0", EMPTY)


def _isinstance(f: Expressions, node: ast.Call) -> Thing:
    subject, kind = f.value(node.args[0]), f.named(node.args[1])
    if not isinstance(kind, RecordType):
        raise f.error("isinstance takes a message and a record class", node)
    if isinstance(subject.type, UnionType):
        tag = subject.type.tag(kind)
        return Operand("0" if tag is None else f"(({subject.text} >> {subject.type.payload_bits}) == {tag})", BOOL)
    same = isinstance(subject.type, RecordType) and subject.type.cls is kind.cls
    return Operand(str(int(same)), BOOL)


BUILT_IN: dict[str, Callable[[Expressions, ast.Call], Thing]] = {
    "len": _len, "any": _any, "all": _all, "sum": _sum, "min": _min, "max": _max, "abs": _abs, "int": _int, "bool": _bool, "set": _set, "isinstance": _isinstance,
}  # fmt: skip
