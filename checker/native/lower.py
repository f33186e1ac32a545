"""The flat dialect, and how it becomes LLVM's language.

Python's syntax, with these laws.  Every value is a 64-bit word (``i64``) or an address
(``ptr``).  Arithmetic wraps; ``//`` and ``%`` round down as Python's do, and by zero give
0 and the dividend; shifts count modulo 64 and ``>>`` fills with zeros; comparisons are
signed; ``and``, ``or``, ``not`` and comparisons give 0 or 1.  A variable has the type of
its first assignment and is zero before.  Functions annotate parameters and result, call
one another freely, and are inlined into their callers unless marked `noinline` or
`export`.  Names of constants and tables come from outside.  Anything else is refused by
line: the compiler guesses nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from scrutator.checker.native.intrinsics import DECLARATIONS, I1, I64, INTRINSICS, NOTHING, PTR

TABLE_LOADS = {"table8": 1, "table16": 2, "table32": 4, "table64": 8}
MARKS = frozenset({"export", "noinline", "noalias"})
COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "eq", ast.NotEq: "ne", ast.Lt: "slt", ast.LtE: "sle", ast.Gt: "sgt", ast.GtE: "sge",
}  # fmt: skip
SIMPLE_OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.BitAnd: "and", ast.BitOr: "or", ast.BitXor: "xor",
}  # fmt: skip


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


def lower(
    source: str, constants: Mapping[str, int], tables: Mapping[str, bytes]
) -> tuple[str, dict[str, Signature]]:
    """Lower a whole module.

    Returns:
        The text in LLVM's language, and the exported functions by name.

    Raises:
        DialectError: Something is not of the dialect.
    """
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise DialectError(f"line {error.lineno}: {error.msg}") from None
    functions: dict[str, ast.FunctionDef] = {}
    for node in tree.body:
        match node:
            case ast.FunctionDef(name=name):
                if name in functions or name in INTRINSICS or name in TABLE_LOADS or name == "alloca":
                    raise DialectError(f"{name} is defined twice", node)
                functions[name] = node
            case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant()):
                pass  # for readers and their tools
            case _:
                raise DialectError("a module consists of functions", node)
    signatures = {name: signature(node) for name, node in functions.items()}
    unit = Unit(signatures, constants, tables)
    parts = [DECLARATIONS]
    parts += [_table(name, data) for name, data in sorted(tables.items())]
    parts += [FunctionLowering(unit, node, signatures[name]).text() for name, node in functions.items()]
    return "\n".join(parts), {name: s for name, s in signatures.items() if s.exported}


def _table(name: str, data: bytes) -> str:
    text = "".join(f"\\{byte:02x}" for byte in data)
    return f'@table.{name} = internal unnamed_addr constant [{len(data)} x i8] c"{text}", align 64\n'


@dataclass(slots=True)
class FunctionLowering:
    """One function on its way; ``line``, ``result`` and ``label`` append to its text."""

    unit: Unit
    node: ast.FunctionDef
    signature: Signature
    entry: list[str] = field(default_factory=list)
    body: list[str] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    loops: list[tuple[str, str]] = field(default_factory=list)  # labels to continue at and to break to
    names: int = 0
    block: str = "start"
    closed: bool = False  # the current block has ended: what follows is unreachable
    reached: set[str] = field(default_factory=set)  # labels that something jumps to

    def text(self) -> str:
        """The whole function in LLVM's language."""
        s = self.signature
        for name, kind in s.parameters:
            self.declare(name, kind)
            self.entry.append(f"store {kind} %p.{name}, ptr %v.{name}")
        self.statements(self.node.body)
        if not self.closed:
            self.line("ret void" if s.result == NOTHING else f"ret {s.result} {self.nothing(s.result)}")
        linkage = "" if s.exported else "internal "
        inlining = "noinline" if s.exported or "noinline" in s.marks else "alwaysinline"
        alias = " noalias" if "noalias" in s.marks else ""
        parameters = ", ".join(f"{k}{alias if k == PTR else ''} %p.{n}" for n, k in s.parameters)
        lines = ["entry:", *self.entry, "br label %start", "start:", *self.body]
        text = "\n".join(lines)
        return f"define {linkage}{s.result} @{s.name}({parameters}) {inlining} nounwind {{\n{text}\n}}\n"

    @staticmethod
    def nothing(kind: str) -> str:
        return "null" if kind == PTR else "0"

    # --- writing ----------------------------------------------------------------------

    def fresh(self) -> int:
        self.names += 1
        return self.names

    def line(self, instruction: str) -> None:
        self.body.append(instruction)

    def result(self, instruction: str) -> str:
        name = f"%t{self.fresh()}"
        self.body.append(f"{name} = {instruction}")
        return name

    def label(self, name: str) -> None:
        """Begin the block of that name; fall into it from an open one."""
        if not self.closed:
            self.line(f"br label %{name}")
        self.body.append(f"{name}:")
        self.block, self.closed = name, False

    def jump(self, name: str) -> None:
        if not self.closed:
            self.line(f"br label %{name}")
            self.reached.add(name)
            self.closed = True

    def branch(self, condition: Value, yes: str, no: str) -> None:
        self.line(f"br i1 {condition.text}, label %{yes}, label %{no}")
        self.reached |= {yes, no}
        self.closed = True

    def declare(self, name: str, kind: str) -> None:
        """A variable, zero until assigned."""
        self.variables[name] = kind
        self.entry.append(f"%v.{name} = alloca {kind}")
        self.entry.append(f"store {kind} {self.nothing(kind)}, ptr %v.{name}")

    # --- statements -------------------------------------------------------------------

    def statements(self, nodes: Iterable[ast.stmt]) -> None:
        for node in nodes:
            if self.closed:
                return
            self.statement(node)

    def statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                self.assign(name, self.scalar(self.expression(value)), node)
            case ast.AugAssign(target=ast.Name(id=name) as target, op=op, value=value):
                left = self.expression(ast.copy_location(ast.Name(name, ast.Load()), target))
                self.assign(name, self.scalar(self.binary(op, left, self.expression(value), node)), node)
            case ast.If(test=test, body=body, orelse=orelse):
                self.conditional(test, body, orelse)
            case ast.While(test=test, body=body, orelse=[]):
                self.loop(test, body)
            case ast.For(
                target=ast.Name(id=name),
                iter=ast.Call(func=ast.Name(id="range"), args=bounds, keywords=[]),
                body=body,
                orelse=[],
            ):
                self.counted_loop(name, bounds, body, node)
            case ast.Break() | ast.Continue():
                if not self.loops:
                    raise DialectError("outside of a loop", node)
                self.jump(self.loops[-1][isinstance(node, ast.Break)])
            case ast.Return(value=value):
                self.give_back(value, node)
            case ast.Expr(value=ast.Call() as call):
                self.call(call)
            case ast.Pass() | ast.Expr(value=ast.Constant()):
                pass
            case _:
                raise DialectError(f"{type(node).__name__} is no statement of the dialect", node)

    def assign(self, name: str, value: Value, node: ast.AST) -> None:
        if name in self.unit.constants or name in self.unit.tables:
            raise DialectError(f"{name} is a constant", node)
        if name not in self.variables:
            self.declare(name, value.kind)
        elif self.variables[name] != value.kind:
            raise DialectError(f"{name} is {self.variables[name]} and cannot become {value.kind}", node)
        self.line(f"store {value.kind} {value.text}, ptr %v.{name}")

    def give_back(self, value: ast.expr | None, node: ast.AST) -> None:
        kind = self.signature.result
        if kind == NOTHING:
            if value is not None:
                raise DialectError(f"{self.signature.name} returns nothing", node)
            self.line("ret void")
        elif value is None:
            raise DialectError(f"{self.signature.name} returns {kind}", node)
        else:
            self.line(f"ret {kind} {self.of_kind(self.expression(value), kind, node).text}")
        self.closed = True

    def conditional(self, test: ast.expr, body: list[ast.stmt], orelse: list[ast.stmt]) -> None:
        condition = self.truth(self.expression(test))
        if condition.known is not None:  # what cannot run is not compiled
            self.statements(body if condition.known else orelse)
            return
        n = self.fresh()
        self.branch(condition, f"then{n}", f"else{n}" if orelse else f"end{n}")
        self.label(f"then{n}")
        self.statements(body)
        self.jump(f"end{n}")
        if orelse:
            self.label(f"else{n}")
            self.statements(orelse)
            self.jump(f"end{n}")
        if f"end{n}" in self.reached:
            self.label(f"end{n}")

    def loop(self, test: ast.expr, body: list[ast.stmt]) -> None:
        n = self.fresh()
        self.label(f"test{n}")
        condition = self.truth(self.expression(test))
        self.branch(condition, f"loop{n}", f"end{n}")
        self.label(f"loop{n}")
        self.loops.append((f"test{n}", f"end{n}"))
        self.statements(body)
        self.loops.pop()
        self.jump(f"test{n}")
        self.label(f"end{n}")

    def counted_loop(self, name: str, bounds: list[ast.expr], body: list[ast.stmt], node: ast.AST) -> None:
        values = [self.of_kind(self.expression(b), I64, b) for b in bounds]
        start, stop, step = {
            1: lambda: (word(0), values[0], word(1)),
            2: lambda: (values[0], values[1], word(1)),
            3: lambda: (values[0], values[1], values[2]),
        }.get(len(values), lambda: (word(0), word(0), word(0)))()
        if not step.known:
            raise DialectError("range takes 1 to 3 numbers, the step a constant other than 0", node)
        n = self.fresh()
        self.entry.append(f"%counter{n} = alloca i64")
        self.line(f"store i64 {start.text}, ptr %counter{n}")
        self.label(f"test{n}")
        counter = self.result(f"load i64, ptr %counter{n}")
        self.branch(
            Value(self.result(f"icmp {'slt' if step.known > 0 else 'sgt'} i64 {counter}, {stop.text}"), I1),
            f"loop{n}",
            f"end{n}",
        )
        self.label(f"loop{n}")
        self.assign(name, Value(counter, I64), node)
        self.loops.append((f"next{n}", f"end{n}"))
        self.statements(body)
        self.loops.pop()
        self.label(f"next{n}")
        again = self.result(f"load i64, ptr %counter{n}")
        self.line(f"store i64 {self.result(f'add i64 {again}, {step.text}')}, ptr %counter{n}")
        self.jump(f"test{n}")
        self.label(f"end{n}")

    # --- expressions ------------------------------------------------------------------

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
