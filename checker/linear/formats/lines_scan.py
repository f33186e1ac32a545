"""Lines of our own format to columns, by machine code: several times as fast as `lines_decode`.

What is not written the way that lines mostly are, and all that is malformed, is left to
`lines_decode`, which is the law.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from scrutator.checker.linear.formats import lines_words as w
from scrutator.checker.linear.formats.lines_columns import Columns
from scrutator.checker.linear.formats.source import Source
from scrutator.checker.linear.history import NO_KEY
from scrutator.checker.linear.values import Values
from scrutator.checker.native import NativeModule, compile_dialect

SLOTS_FIRST = 1 << 16  # a power of two

_Scalar = None | bool | int | float | str | tuple[Any, ...]
_TEXTS = msgspec.json.Decoder(list[_Scalar])


def scanned(source: Source, begin: int) -> Columns | None:
    """The columns of all lines from an offset, or None if some line needs more care."""
    data = source.data
    if not data.endswith(b"\n"):
        return None
    rows = data.count(b"\n", begin)
    if rows > source.operations_max:
        return None
    return _Scan(data, begin, rows).columns()


class _Scan:
    """Memory that the scanner works in."""

    def __init__(self, data: bytes, begin: int, rows: int) -> None:
        self.block = np.zeros(w.WORDS, np.int64)
        self._kept: dict[int, npt.NDArray[Any]] = {}
        self._place(w.TEXT, np.frombuffer(data, np.uint8))
        self.block[w.SIZE], self.block[w.AT] = len(data), begin
        for at in (w.PROCESS, w.METHOD, w.KEY, w.ARGUMENT, w.RESULT):
            self._place(at, np.empty(rows, np.int32))
        for at in (w.CALLED, w.RETURNED):
            self._place(at, np.empty(rows, np.int64))
        self._table(w.VALUES, SLOTS_FIRST)
        self._table(w.METHODS, 4 * w.METHODS_MAX)

    def columns(self) -> Columns | None:
        module = _module()
        scan, address = module.function("scan"), self.block.ctypes.data
        while (why := scan(address)) == w.ROOM:
            self._grow(module)
        if why == w.ODD:
            return None
        try:
            values: list[Any] = self._texts(module, w.VALUES)
            methods = [str(name) for name in self._texts(module, w.METHODS)]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        if len(values) != self.block[w.VALUES + w.COUNT]:
            return None
        kept = self._kept
        if tuple in set(map(type, values)):
            values = list(map(_deep, values))
        if self.block[w.LOOSE]:
            values = self._merge(values)
        return Columns(
            methods, values, kept[w.PROCESS], kept[w.METHOD], kept[w.KEY], kept[w.ARGUMENT], kept[w.RESULT],
            kept[w.CALLED], kept[w.RETURNED],
        )  # fmt: skip

    def _merge(self, values: list[Any]) -> list[Any]:
        """Number the values themselves, where until now their texts were numbered."""
        merged = Values()
        numbers = np.array([*merged.numbers(values), NO_KEY], np.int32)  # an absent key stays absent
        for at in (w.KEY, w.ARGUMENT, w.RESULT):
            self._kept[at] = numbers[self._kept[at]]
        return merged.all

    def _texts(self, module: NativeModule, table: int) -> list[_Scalar]:
        count = int(self.block[table + w.COUNT])
        size = int(self._kept[table + w.SIZES][:count].sum()) + count
        target = np.empty(size, np.uint8)
        address = self.block.ctypes.data + 8 * table
        module.function("gather")(address, int(self.block[w.TEXT]), target.ctypes.data)
        return _TEXTS.decode(b"[%b]" % target.tobytes()[:-1])

    def _grow(self, module: NativeModule) -> None:
        slots = self._kept[w.VALUES + w.SLOTS]
        self._table(w.VALUES, 4 * len(slots))
        address = self.block.ctypes.data + 8 * w.VALUES
        module.function("rehash")(address, slots.ctypes.data, len(slots))

    def _table(self, at: int, slots: int) -> None:
        self._place(at + w.SLOTS, np.zeros((slots, 2), np.int64))
        self.block[at + w.MASK] = slots - 1
        for part in (w.BEGINS, w.SIZES):
            old = self._kept.get(at + part, np.zeros(0, np.int64))
            new = np.empty(slots, np.int64)
            new[: len(old)] = old
            self._place(at + part, new)

    def _place(self, at: int, array: npt.NDArray[Any]) -> None:
        """Give the scanner an array, and keep it."""
        self._kept[at] = array
        self.block[at] = array.ctypes.data


def _deep(value: Any) -> Any:
    """An array within an array is decoded as a list."""
    return tuple(map(_deep, value)) if isinstance(value, list | tuple) else value


@functools.cache
def _module() -> NativeModule:
    constants: dict[str, int] = {name: value for name, value in vars(w).items() if name.isupper()}
    return compile_dialect((Path(__file__).parent / "lines_kernel.py").read_text(), constants, {})
