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

from scrutator.checker.native.dialect import DialectError, Signature, Unit, Value, signature, word
from scrutator.checker.native.expressions import TABLE_LOADS, Expressions
from scrutator.checker.native.intrinsics import DECLARATIONS, I1, I64, INTRINSICS, NOTHING, PTR


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
    parts += [
        FunctionLowering(unit=unit, node=node, signature=signatures[name]).text()
        for name, node in functions.items()
    ]
    return "\n".join(parts), {name: s for name, s in signatures.items() if s.exported}


def _table(name: str, data: bytes) -> str:
    text = "".join(f"\\{byte:02x}" for byte in data)
    return f'@table.{name} = internal unnamed_addr constant [{len(data)} x i8] c"{text}", align 64\n'


@dataclass(slots=True, kw_only=True)
class FunctionLowering(Expressions):
    """One function on its way; what is left to say here are its statements."""

    node: ast.FunctionDef
    signature: Signature
    loops: list[tuple[str, str]] = field(default_factory=list)  # labels to continue at and to break to

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
