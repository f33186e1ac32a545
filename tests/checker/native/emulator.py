"""The dialect's meaning, slowly: dialect text runs as Python on a simulated memory.

The law: what a compiled function returns and leaves in memory, its emulated twin does too.
Words are Python integers in signed range, wrapped after every operation.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

BITS = 1 << 64


def signed(x: int) -> int:
    return (x + BITS // 2) % BITS - BITS // 2


def unsigned(x: int) -> int:
    return x % BITS


BINARY: dict[str, Callable[[int, int], int]] = {
    "Add": lambda a, b: a + b,
    "Sub": lambda a, b: a - b,
    "Mult": lambda a, b: a * b,
    "FloorDiv": lambda a, b: a // b if b else 0,
    "Mod": lambda a, b: a % b if b else a,
    "BitAnd": lambda a, b: a & b,
    "BitOr": lambda a, b: a | b,
    "BitXor": lambda a, b: a ^ b,
    "LShift": lambda a, b: a << (b % 64),
    "RShift": lambda a, b: unsigned(a) >> (b % 64),
}


class _Rewrite(ast.NodeTransformer):
    """Every operation becomes a call that wraps its result."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        return self._call(
            "_binary", ast.Constant(type(node.op).__name__), self.visit(node.left), self.visit(node.right)
        )

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        operand = self.visit(node.operand)
        if isinstance(node.op, ast.Not):
            return self._call("int", ast.UnaryOp(node.op, operand))
        return self._call("_signed", ast.UnaryOp(node.op, operand))

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return ast.Constant(signed(node.value)) if isinstance(node.value, int) else node

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        return self._call("int", self.generic_visit(node))

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        return self._call("int", self._call("bool", self.generic_visit(node)))

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.stmt:
        value = ast.BinOp(ast.Name(node.target.id, ast.Load()), node.op, node.value)  # type: ignore[union-attr]
        return ast.Assign([node.target], self.visit(value))

    @staticmethod
    def _call(name: str, *arguments: Any) -> ast.Call:
        return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])


class Emulator:
    """Dialect functions as attributes of ``functions``, over ``memory``."""

    def __init__(
        self, source: str, constants: dict[str, int], tables: dict[str, bytes], size: int = 1 << 16
    ) -> None:
        self.memory = bytearray(size)
        self.top = size // 2  # space for `alloca`; the lower half is the caller's
        tree = ast.fix_missing_locations(_Rewrite().visit(ast.parse(source)))
        same = lambda f: f  # noqa: E731
        self.functions: dict[str, Any] = {
            "i64": int, "ptr": int, "export": same, "noinline": same, "noalias": same,
            "_binary": lambda op, a, b: signed(BINARY[op](a, b)), "_signed": signed,
            **{name: signed(value) for name, value in constants.items()}, **tables, **self._intrinsics(),
        }  # fmt: skip
        exec(compile(tree, "<dialect>", "exec"), self.functions)

    def _load(self, width: int) -> Callable[[int, int], int]:
        return lambda p, offset: signed(
            int.from_bytes(self.memory[p + offset : p + offset + width], "little")
        )

    def _store(self, width: int) -> Callable[[int, int, int], None]:
        def store(p: int, offset: int, value: int) -> None:
            self.memory[p + offset : p + offset + width] = (value % (1 << 8 * width)).to_bytes(
                width, "little"
            )

        return store

    @staticmethod
    def _table(width: int) -> Callable[[bytes, int], int]:
        return lambda data, k: signed(int.from_bytes(data[k * width : (k + 1) * width], "little"))

    def _copy(self, target: int, source: int, nbytes: int) -> None:
        self.memory[target : target + nbytes] = self.memory[source : source + nbytes]

    def _zero(self, p: int, nbytes: int) -> None:
        self.memory[p : p + nbytes] = bytes(nbytes)

    def _alloca(self, nbytes: int) -> int:
        self.top += nbytes
        return self.top - nbytes

    def _atomic_add(self, p: int, offset: int, value: int) -> int:
        before = self._load(8)(p, offset)
        self._store(8)(p, offset, before + value)
        return before

    def _intrinsics(self) -> dict[str, Any]:
        def mum(a: int, b: int) -> int:
            product = unsigned(a) * unsigned(b)
            return signed(product % BITS ^ product // BITS)

        return {
            **{f"load{8 * w}": self._load(w) for w in (1, 2, 4, 8)},
            **{f"store{8 * w}": self._store(w) for w in (1, 2, 4, 8)},
            **{f"table{8 * w}": self._table(w) for w in (1, 2, 4, 8)},
            "load_ptr": self._load(8), "store_ptr": self._store(8),
            "copy": self._copy, "copy_n": self._copy, "zero": self._zero, "alloca": self._alloca,
            "equal_bytes": lambda p, q, n: int(self.memory[p : p + n] == self.memory[q : q + n]),
            "ctz": lambda x: (x & -x).bit_length() - 1 if x else 64,
            "clz": lambda x: 64 - unsigned(x).bit_length(),
            "popcount": lambda x: unsigned(x).bit_count(),
            "smin": min, "smax": max,
            "mulhi": lambda a, b: signed(unsigned(a) * unsigned(b) // BITS),
            "mum": mum,
            "rotl": lambda x, n: signed(unsigned(x) << n % 64 | unsigned(x) >> 64 - n % 64),
            "ult": lambda a, b: int(unsigned(a) < unsigned(b)),
            "ule": lambda a, b: int(unsigned(a) <= unsigned(b)),
            "prefetch": lambda p, offset: None,
            "atomic_add": self._atomic_add,
            "likely": lambda x: int(x != 0), "unlikely": lambda x: int(x != 0),
        }  # fmt: skip
