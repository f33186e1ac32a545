"""What each built-in function of the dialect becomes in LLVM's language.

An intrinsic takes words and pointers and gives a word, a pointer, a condition or nothing.
Loads and stores assume no alignment.  No intrinsic traps, whatever its arguments, as long
as the memory it names exists.  Only `lower` calls these.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

I64, PTR, I1, NOTHING = "i64", "ptr", "i1", "void"


class Emitter(Protocol):
    """The part of a function being lowered that intrinsics write to."""

    def result(self, instruction: str) -> str:
        """Append an instruction that has a result; the result's name."""

    def line(self, instruction: str) -> None:
        """Append an instruction without a result."""


@dataclass(frozen=True, slots=True)
class Intrinsic:
    """Kinds of the arguments, kind of the result, and how to write it.

    ``constants`` are the positions of arguments that must be known when compiling.
    """

    takes: tuple[str, ...]
    gives: str
    write: Callable[..., str]
    constants: tuple[int, ...] = ()


def _at(e: Emitter, p: str, offset: str) -> str:
    return p if offset == "0" else e.result(f"getelementptr inbounds i8, ptr {p}, i64 {offset}")


def _load(bits: int) -> Intrinsic:
    def write(e: Emitter, p: str, offset: str) -> str:
        narrow = e.result(f"load i{bits}, ptr {_at(e, p, offset)}, align 1")
        return narrow if bits == 64 else e.result(f"zext i{bits} {narrow} to i64")

    return Intrinsic((PTR, I64), I64, write)


def _store(bits: int) -> Intrinsic:
    def write(e: Emitter, p: str, offset: str, value: str) -> str:
        narrow = value if bits == 64 else e.result(f"trunc i64 {value} to i{bits}")
        e.line(f"store i{bits} {narrow}, ptr {_at(e, p, offset)}, align 1")
        return ""

    return Intrinsic((PTR, I64, I64), NOTHING, write)


def _load_ptr(e: Emitter, p: str, offset: str) -> str:
    return e.result(f"load ptr, ptr {_at(e, p, offset)}, align 1")


def _store_ptr(e: Emitter, p: str, offset: str, value: str) -> str:
    e.line(f"store ptr {value}, ptr {_at(e, p, offset)}, align 1")
    return ""


def _copy(e: Emitter, target: str, source: str, nbytes: str) -> str:
    e.line(f"call void @llvm.memcpy.p0.p0.i64(ptr {target}, ptr {source}, i64 {nbytes}, i1 false)")
    return ""


def _zero(e: Emitter, p: str, nbytes: str) -> str:
    e.line(f"call void @llvm.memset.p0.i64(ptr {p}, i8 0, i64 {nbytes}, i1 false)")
    return ""


def _equal_bytes(e: Emitter, p: str, q: str, nbytes: str) -> str:
    bits = 8 * int(nbytes)
    if bits == 0:
        return "true"
    left = e.result(f"load i{bits}, ptr {p}, align 1")
    right = e.result(f"load i{bits}, ptr {q}, align 1")
    return e.result(f"icmp eq i{bits} {left}, {right}")


def _call(name: str, *extra: str) -> Callable[..., str]:
    """A call of LLVM's function on words, with further arguments that never vary."""

    def write(e: Emitter, *arguments: str) -> str:
        text = ", ".join((*(f"i64 {a}" for a in arguments), *extra))
        return e.result(f"call i64 @llvm.{name}.i64({text})")

    return write


def _product(e: Emitter, a: str, b: str) -> tuple[str, str]:
    """Low and high word of the unsigned product."""
    wide_a = e.result(f"zext i64 {a} to i128")
    wide_b = e.result(f"zext i64 {b} to i128")
    product = e.result(f"mul nuw i128 {wide_a}, {wide_b}")
    high = e.result(f"lshr i128 {product}, 64")
    return e.result(f"trunc i128 {product} to i64"), e.result(f"trunc i128 {high} to i64")


def _mulhi(e: Emitter, a: str, b: str) -> str:
    return _product(e, a, b)[1]


def _mum(e: Emitter, a: str, b: str) -> str:
    low, high = _product(e, a, b)
    return e.result(f"xor i64 {low}, {high}")


def _rotl(e: Emitter, value: str, count: str) -> str:
    return e.result(f"call i64 @llvm.fshl.i64(i64 {value}, i64 {value}, i64 {count})")


def _compare(condition: str) -> Intrinsic:
    def write(e: Emitter, a: str, b: str) -> str:
        return e.result(f"icmp {condition} i64 {a}, {b}")

    return Intrinsic((I64, I64), I1, write)


def _prefetch(e: Emitter, p: str, offset: str) -> str:
    e.line(f"call void @llvm.prefetch.p0(ptr {_at(e, p, offset)}, i32 0, i32 3, i32 1)")
    return ""


def _atomic_add(e: Emitter, p: str, offset: str, value: str) -> str:
    return e.result(f"atomicrmw add ptr {_at(e, p, offset)}, i64 {value} seq_cst")


def _expect(answer: str) -> Intrinsic:
    def write(e: Emitter, condition: str) -> str:
        return e.result(f"call i1 @llvm.expect.i1(i1 {condition}, i1 {answer})")

    return Intrinsic((I1,), I1, write)


INTRINSICS: dict[str, Intrinsic] = {
    **{f"load{bits}": _load(bits) for bits in (8, 16, 32, 64)},
    **{f"store{bits}": _store(bits) for bits in (8, 16, 32, 64)},
    "load_ptr": Intrinsic((PTR, I64), PTR, _load_ptr),
    "store_ptr": Intrinsic((PTR, I64, PTR), NOTHING, _store_ptr),
    "copy": Intrinsic((PTR, PTR, I64), NOTHING, _copy, constants=(2,)),
    "copy_n": Intrinsic((PTR, PTR, I64), NOTHING, _copy),
    "zero": Intrinsic((PTR, I64), NOTHING, _zero),
    "equal_bytes": Intrinsic((PTR, PTR, I64), I1, _equal_bytes, constants=(2,)),
    "ctz": Intrinsic((I64,), I64, _call("cttz", "i1 false")),
    "clz": Intrinsic((I64,), I64, _call("ctlz", "i1 false")),
    "popcount": Intrinsic((I64,), I64, _call("ctpop")),
    "smin": Intrinsic((I64, I64), I64, _call("smin")),
    "smax": Intrinsic((I64, I64), I64, _call("smax")),
    "mulhi": Intrinsic((I64, I64), I64, _mulhi),
    "mum": Intrinsic((I64, I64), I64, _mum),
    "rotl": Intrinsic((I64, I64), I64, _rotl),
    "ult": _compare("ult"),
    "ule": _compare("ule"),
    "prefetch": Intrinsic((PTR, I64), NOTHING, _prefetch),
    "atomic_add": Intrinsic((PTR, I64, I64), I64, _atomic_add),
    "likely": _expect("true"),
    "unlikely": _expect("false"),
}

DECLARATIONS = """\
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
declare i64 @llvm.cttz.i64(i64, i1)
declare i64 @llvm.ctlz.i64(i64, i1)
declare i64 @llvm.ctpop.i64(i64)
declare i64 @llvm.smin.i64(i64, i64)
declare i64 @llvm.smax.i64(i64, i64)
declare i64 @llvm.fshl.i64(i64, i64, i64)
declare void @llvm.prefetch.p0(ptr, i32, i32, i32)
declare i1 @llvm.expect.i1(i1, i1)
"""
