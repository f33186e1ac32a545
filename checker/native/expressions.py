"""Expressions of the dialect: operators, conditions and calls.

What is known when compiling is computed when compiling.  Conditions stay single bits for
as long as they are only tested.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass

from scrutator.checker.native.dialect import DialectError, Unit, Value, divide, word
from scrutator.checker.native.intrinsics import I1, I64, INTRINSICS, NOTHING, PTR
from scrutator.checker.native.writer import Writer

TABLE_LOADS = {"table8": 1, "table16": 2, "table32": 4, "table64": 8}
COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "eq", ast.NotEq: "ne", ast.Lt: "slt", ast.LtE: "sle", ast.Gt: "sgt", ast.GtE: "sge",
}  # fmt: skip
SIMPLE_OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.BitAnd: "and", ast.BitOr: "or", ast.BitXor: "xor",
}  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Expressions(Writer):
    """Lowers expressions; each gives an operand, after the instructions that compute it."""

    unit: Unit

    def expression(self, node: ast.expr) -> Value:
        match node:
            case ast.Constant(value=bool() | int() as value):
                return word(int(value))
            case ast.Name(id=name):
                return self.named(name, node)
            case ast.BinOp(left=left, op=op, right=right):
                return self.binary(op, self.expression(left), self.expression(right), node)
            case ast.UnaryOp(op=op, operand=operand):
                return self.unary(op, self.expression(operand), node)
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return self.comparison(op, self.expression(left), self.expression(right), node)
            case ast.Compare():
                raise DialectError("write a chain of comparisons with `and`", node)
            case ast.BoolOp(op=op, values=values):
                return self.junction(isinstance(op, ast.And), values)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return self.choice(test, body, orelse, node)
            case ast.Call():
                result = self.call(node)
                if result is None:
                    raise DialectError("the call gives no value", node)
                return result
        raise DialectError(f"{type(node).__name__} is no expression of the dialect", node)

    def named(self, name: str, node: ast.AST) -> Value:
        if name in self.variables:
            kind = self.variables[name]
            return Value(self.result(f"load {kind}, ptr %v.{name}"), kind)
        if name in self.unit.constants:
            return word(self.unit.constants[name])
        raise DialectError(f"{name} is neither assigned before nor a constant", node)

    def scalar(self, value: Value) -> Value:
        """The same as a word or pointer: a condition becomes 0 or 1."""
        if value.kind != I1:
            return value
        if value.known is not None:
            return word(value.known)
        return Value(self.result(f"zext i1 {value.text} to i64"), I64)

    def of_kind(self, value: Value, kind: str, node: ast.AST) -> Value:
        if kind == I1:
            return self.truth(value)
        value = self.scalar(value)
        if value.kind != kind:
            raise DialectError(f"{value.kind} where {kind} is needed", node)
        return value

    def truth(self, value: Value) -> Value:
        """The value as a condition."""
        if value.known is not None:
            return Value("true" if value.known else "false", I1, int(value.known != 0))
        if value.kind == I1:
            return value
        return Value(self.result(f"icmp ne {value.kind} {value.text}, {self.nothing(value.kind)}"), I1)

    def binary(self, op: ast.operator, left: Value, right: Value, node: ast.AST) -> Value:
        if left.kind == PTR and isinstance(op, ast.Add):
            offset = self.of_kind(right, I64, node)
            return Value(self.result(f"getelementptr inbounds i8, ptr {left.text}, i64 {offset.text}"), PTR)
        a, b = self.of_kind(left, I64, node), self.of_kind(right, I64, node)
        if a.known is not None and b.known is not None:
            return self.folded(op, a.known, b.known, node)
        if type(op) in SIMPLE_OPERATORS:
            return Value(self.result(f"{SIMPLE_OPERATORS[type(op)]} i64 {a.text}, {b.text}"), I64)
        match op:
            case ast.LShift() | ast.RShift():
                count = (
                    word(b.known & 63).text if b.known is not None else self.result(f"and i64 {b.text}, 63")
                )
                return Value(
                    self.result(f"{'shl' if isinstance(op, ast.LShift) else 'lshr'} i64 {a.text}, {count}"),
                    I64,
                )
            case ast.FloorDiv() | ast.Mod():
                return self.division(a, b, isinstance(op, ast.Mod))
        raise DialectError(f"{type(op).__name__} is no operator of the dialect", node)

    def folded(self, op: ast.operator, a: int, b: int, node: ast.AST) -> Value:
        """The operator on constants."""
        match op:
            case ast.Add():
                return word(a + b)
            case ast.Sub():
                return word(a - b)
            case ast.Mult():
                return word(a * b)
            case ast.BitAnd():
                return word(a & b)
            case ast.BitOr():
                return word(a | b)
            case ast.BitXor():
                return word(a ^ b)
            case ast.LShift():
                return word(a << (b & 63))
            case ast.RShift():
                return word((a % (1 << 64)) >> (b & 63))
            case ast.FloorDiv() | ast.Mod():
                return word(divide(a, b)[isinstance(op, ast.Mod)])
        raise DialectError(f"{type(op).__name__} is no operator of the dialect", node)

    def division(self, a: Value, b: Value, remainder: bool) -> Value:
        """Rounds down; never traps."""
        if b.known == 0:
            return a if remainder else word(0)
        if b.known is not None and b.known > 0:
            if b.known & (b.known - 1) == 0:
                operation = (
                    f"and i64 {a.text}, {b.known - 1}"
                    if remainder
                    else f"ashr i64 {a.text}, {b.known.bit_length() - 1}"
                )
                return Value(self.result(operation), I64)
            rest = self.result(f"srem i64 {a.text}, {b.text}")
            low = self.result(f"icmp slt i64 {rest}, 0")
            if remainder:
                raised = self.result(f"add i64 {rest}, {b.text}")
                return Value(self.result(f"select i1 {low}, i64 {raised}, i64 {rest}"), I64)
            quotient = self.result(f"sdiv i64 {a.text}, {b.text}")
            one = self.result(f"sext i1 {low} to i64")
            return Value(self.result(f"add i64 {quotient}, {one}"), I64)
        return self.general_division(a, b, remainder)

    def general_division(self, a: Value, b: Value, remainder: bool) -> Value:
        zero = self.result(f"icmp eq i64 {b.text}, 0")
        minus = self.result(f"icmp eq i64 {b.text}, -1")
        special = self.result(f"or i1 {zero}, {minus}")
        divisor = self.result(f"select i1 {special}, i64 1, i64 {b.text}")
        rest = self.result(f"srem i64 {a.text}, {divisor}")
        nonzero = self.result(f"icmp ne i64 {rest}, 0")
        mixed = self.result(f"icmp slt i64 {self.result(f'xor i64 {rest}, {divisor}')}, 0")
        low = self.result(f"and i1 {nonzero}, {mixed}")
        if remainder:
            raised = self.result(f"add i64 {rest}, {divisor}")
            floored = self.result(f"select i1 {low}, i64 {raised}, i64 {rest}")
            return Value(self.result(f"select i1 {zero}, i64 {a.text}, i64 {floored}"), I64)
        quotient = self.result(f"sdiv i64 {a.text}, {divisor}")
        floored = self.result(f"add i64 {quotient}, {self.result(f'sext i1 {low} to i64')}")
        negated = self.result(f"sub i64 0, {a.text}")
        either = self.result(f"select i1 {minus}, i64 {negated}, i64 {floored}")
        return Value(self.result(f"select i1 {zero}, i64 0, i64 {either}"), I64)

    def unary(self, op: ast.unaryop, value: Value, node: ast.AST) -> Value:
        if isinstance(op, ast.Not):
            truth = self.truth(value)
            if truth.known is not None:
                return Value("false" if truth.known else "true", I1, 1 - truth.known)
            return Value(self.result(f"xor i1 {truth.text}, true"), I1)
        a = self.of_kind(value, I64, node)
        match op:
            case ast.USub():
                return (
                    word(-a.known) if a.known is not None else Value(self.result(f"sub i64 0, {a.text}"), I64)
                )
            case ast.Invert():
                return (
                    word(~a.known)
                    if a.known is not None
                    else Value(self.result(f"xor i64 {a.text}, -1"), I64)
                )
        return a

    def comparison(self, op: ast.cmpop, left: Value, right: Value, node: ast.AST) -> Value:
        a, b = self.scalar(left), self.scalar(right)
        condition = COMPARISONS.get(type(op))
        if condition is None or a.kind != b.kind:
            raise DialectError("compare two words or two pointers, with == != < <= > >=", node)
        if a.known is not None and b.known is not None:
            holds = {"eq": a.known == b.known, "ne": a.known != b.known, "slt": a.known < b.known,
                     "sle": a.known <= b.known, "sgt": a.known > b.known, "sge": a.known >= b.known}[condition]  # fmt: skip
            return Value("true" if holds else "false", I1, int(holds))
        return Value(self.result(f"icmp {condition} {a.kind} {a.text}, {b.text}"), I1)

    def junction(self, conjunction: bool, nodes: list[ast.expr]) -> Value:
        """`and`, `or`: the first operand that decides ends the evaluation."""
        decided = "false" if conjunction else "true"
        n = self.fresh()
        incoming: list[str] = []
        for k, node in enumerate(nodes[:-1]):
            value = self.truth(self.expression(node))
            incoming.append(f"[ {decided}, %{self.block} ]")
            more = f"more{n}.{k}"
            self.branch(value, *((more, f"done{n}") if conjunction else (f"done{n}", more)))
            self.label(more)
        last = self.truth(self.expression(nodes[-1]))
        incoming.append(f"[ {last.text}, %{self.block} ]")
        self.label(f"done{n}")
        return Value(self.result(f"phi i1 {', '.join(incoming)}"), I1)

    def choice(self, test: ast.expr, body: ast.expr, orelse: ast.expr, node: ast.AST) -> Value:
        condition = self.truth(self.expression(test))
        if condition.known is not None:
            return self.scalar(self.expression(body if condition.known else orelse))
        n = self.fresh()
        self.branch(condition, f"then{n}", f"else{n}")
        self.label(f"then{n}")
        yes = self.scalar(self.expression(body))
        yes_block = self.block
        self.jump(f"end{n}")
        self.label(f"else{n}")
        no = self.of_kind(self.expression(orelse), yes.kind, node)
        no_block = self.block
        self.label(f"end{n}")
        phi = f"phi {yes.kind} [ {yes.text}, %{yes_block} ], [ {no.text}, %{no_block} ]"
        return Value(self.result(phi), yes.kind)

    # --- calls ------------------------------------------------------------------------

    def call(self, node: ast.Call) -> Value | None:
        if not isinstance(node.func, ast.Name) or node.keywords:
            raise DialectError("call a function by its name, without keywords", node)
        name = node.func.id
        if name in TABLE_LOADS:
            return self.table_load(TABLE_LOADS[name], node)
        if name == "alloca":
            return self.space(node)
        if name in INTRINSICS:
            return self.intrinsic(name, node)
        called = self.unit.signatures.get(name)
        if called is None:
            raise DialectError(f"no function {name}", node)
        arguments = self.arguments(name, [kind for _, kind in called.parameters], node)
        text = ", ".join(f"{a.kind} {a.text}" for a in arguments)
        if called.result == NOTHING:
            self.line(f"call void @{name}({text})")
            return None
        return Value(self.result(f"call {called.result} @{name}({text})"), called.result)

    def arguments(self, name: str, kinds: Iterable[str], node: ast.Call) -> list[Value]:
        kinds = list(kinds)
        if len(kinds) != len(node.args):
            raise DialectError(f"{name} takes {len(kinds)} arguments", node)
        return [
            self.of_kind(self.expression(a), kind, node) for a, kind in zip(node.args, kinds, strict=True)
        ]

    def intrinsic(self, name: str, node: ast.Call) -> Value | None:
        known = INTRINSICS[name]
        arguments = self.arguments(name, known.takes, node)
        if any(arguments[k].known is None for k in known.constants):
            raise DialectError(f"{name}: the size must be a constant", node)
        text = known.write(self, *(a.text for a in arguments))
        return None if known.gives == NOTHING else Value(text, known.gives)

    def table_load(self, width: int, node: ast.Call) -> Value:
        match node.args:
            case [ast.Name(id=name), index] if name in self.unit.tables:
                at = self.of_kind(self.expression(index), I64, node)
                address = self.result(
                    f"getelementptr inbounds i{8 * width}, ptr @table.{name}, i64 {at.text}"
                )
                value = self.result(f"load i{8 * width}, ptr {address}, align 1")
                return Value(value if width == 8 else self.result(f"zext i{8 * width} {value} to i64"), I64)
        raise DialectError("a table load takes the name of a table and an index", node)

    def space(self, node: ast.Call) -> Value:
        size = self.arguments("alloca", [I64], node)[0].known
        if size is None or size <= 0:
            raise DialectError("alloca: the size must be a constant above 0", node)
        name = f"%space{self.fresh()}"
        self.entry.append(f"{name} = alloca [{size} x i8], align 16")
        return Value(name, PTR)
