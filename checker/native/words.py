"""The dialect's vocabulary, as names that editors and type checkers can resolve.

A dialect file imports these names to be readable by tools; the compiler skips the import
and gives each name the meaning that `intrinsics` defines.  Calling one here is an error:
dialect text runs compiled, or under the emulator of the tests.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn, TypeVar

F = TypeVar("F", bound=Callable[..., object])

i64 = int  # a 64-bit word: arithmetic wraps, comparisons are signed


class ptr:
    """An address; adding a number of bytes gives another."""

    def __add__(self, offset: i64) -> ptr:
        _only_compiled()


def _only_compiled() -> NoReturn:
    raise NotImplementedError("dialect text runs compiled, not imported")


def export(function: F) -> F:
    """The function can be called from outside, with the C calling convention."""
    return function


def noinline(function: F) -> F:
    """The function stays a function: worth it for long code with several callers."""
    return function


def noalias(function: F) -> F:
    """What is reached through one pointer parameter is not reached through another."""
    return function


def load8(p: ptr, offset: i64) -> i64:
    """The byte there, zero-extended."""
    _only_compiled()


def load16(p: ptr, offset: i64) -> i64:
    """The 2 bytes there, zero-extended, little-endian."""
    _only_compiled()


def load32(p: ptr, offset: i64) -> i64:
    """The 4 bytes there, zero-extended, little-endian."""
    _only_compiled()


def load64(p: ptr, offset: i64) -> i64:
    """The 8 bytes there, little-endian."""
    _only_compiled()


def load_ptr(p: ptr, offset: i64) -> ptr:
    """The address stored there."""
    _only_compiled()


def store8(p: ptr, offset: i64, value: i64) -> None:
    """Store the value's low byte."""


def store16(p: ptr, offset: i64, value: i64) -> None:
    """Store the value's low 2 bytes."""


def store32(p: ptr, offset: i64, value: i64) -> None:
    """Store the value's low 4 bytes."""


def store64(p: ptr, offset: i64, value: i64) -> None:
    """Store the word."""


def store_ptr(p: ptr, offset: i64, value: ptr) -> None:
    """Store an address."""


def copy(target: ptr, source: ptr, nbytes: i64) -> None:
    """Copy a constant number of bytes between places that do not overlap."""


def copy_n(target: ptr, source: ptr, nbytes: i64) -> None:
    """Copy between places that do not overlap."""


def zero(p: ptr, nbytes: i64) -> None:
    """Set bytes to zero."""


def equal_bytes(p: ptr, q: ptr, nbytes: i64) -> i64:
    """Whether a constant number of bytes are the same."""
    _only_compiled()


def alloca(nbytes: i64) -> ptr:
    """Constant space for the duration of the call, not initialised, the same at each evaluation."""
    _only_compiled()


def ctz(value: i64) -> i64:
    """Trailing zero bits; 64 for 0."""
    _only_compiled()


def clz(value: i64) -> i64:
    """Leading zero bits; 64 for 0."""
    _only_compiled()


def popcount(value: i64) -> i64:
    """Bits set."""
    _only_compiled()


def mulhi(a: i64, b: i64) -> i64:
    """High word of the unsigned 128-bit product."""
    _only_compiled()


def mum(a: i64, b: i64) -> i64:
    """High word xor low word of the unsigned 128-bit product."""
    _only_compiled()


def rotl(value: i64, count: i64) -> i64:
    """Rotate to the left."""
    _only_compiled()


def ult(a: i64, b: i64) -> i64:
    """Less than, unsigned."""
    _only_compiled()


def ule(a: i64, b: i64) -> i64:
    """At most, unsigned."""
    _only_compiled()


def smin(a: i64, b: i64) -> i64:
    """The smaller, signed."""
    _only_compiled()


def smax(a: i64, b: i64) -> i64:
    """The larger, signed."""
    _only_compiled()


def prefetch(p: ptr, offset: i64) -> None:
    """The address will soon be read."""


def atomic_add(p: ptr, offset: i64, value: i64) -> i64:
    """Add to the word there, in one step for all threads; what it was before."""
    _only_compiled()


def likely(condition: i64) -> i64:
    """The condition, which is mostly true."""
    _only_compiled()


def unlikely(condition: i64) -> i64:
    """The condition, which is mostly false."""
    _only_compiled()
