"""What dialect text is made of, before any of it is lowered: words, operands, signatures."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from scrutator.checker.native.intrinsics import I64, NOTHING, PTR

MARKS = frozenset({"export", "noinline", "noalias"})


class DialectError(Exception):
    """The text is outside of the dialect; the message names the line and what is wrong."""

    def __init__(self, why: str, node: ast.AST | None = None) -> None:
        line = getattr(node, "lineno", None)
        super().__init__(f"line {line}: {why}" if line else why)


def wrap(value: int) -> int:
    """The word that an unbounded integer becomes: signed, 64 bits."""
    return (value + (1 << 63)) % (1 << 64) - (1 << 63)


def divide(a: int, b: int) -> tuple[int, int]:
    """Quotient and remainder by the dialect's law."""
    return (0, a) if b == 0 else (wrap(a // b), a % b)


@dataclass(frozen=True, slots=True)
class Value:
    """An operand: its text in LLVM's language, its kind, and its value where known."""

    text: str
    kind: str
    known: int | None = None


def word(value: int) -> Value:
    """A constant."""
    wrapped = wrap(value)
    return Value(str(wrapped), I64, wrapped)


@dataclass(frozen=True, slots=True)
class Signature:
    """A dialect function as its callers see it."""

    name: str
    parameters: tuple[tuple[str, str], ...]
    result: str
    marks: frozenset[str]

    @property
    def exported(self) -> bool:
        return "export" in self.marks


def _kind(annotation: ast.expr | None, node: ast.AST) -> str:
    match annotation:
        case ast.Name(id="i64"):
            return I64
        case ast.Name(id="ptr"):
            return PTR
        case ast.Constant(value=None):
            return NOTHING
    raise DialectError("annotate every parameter and result: i64, ptr or (result only) None", node)


def signature(node: ast.FunctionDef) -> Signature:
    """Read a function's signature and marks."""
    a = node.args
    if a.posonlyargs or a.kwonlyargs or a.vararg or a.kwarg or a.defaults:
        raise DialectError(f"{node.name}: only plain parameters", node)
    marks = set()
    for decorator in node.decorator_list:
        if not isinstance(decorator, ast.Name) or decorator.id not in MARKS:
            raise DialectError(f"{node.name}: the marks are {', '.join(sorted(MARKS))}", decorator)
        marks.add(decorator.id)
    parameters = tuple((p.arg, _kind(p.annotation, p)) for p in a.args)
    if any(kind == NOTHING for _, kind in parameters):
        raise DialectError(f"{node.name}: a parameter is i64 or ptr", node)
    return Signature(node.name, parameters, _kind(node.returns, node), frozenset(marks))


@dataclass(frozen=True, slots=True)
class Unit:
    """What all functions of one module share."""

    signatures: Mapping[str, Signature]
    constants: Mapping[str, int]
    tables: Mapping[str, bytes]
