"""Memory that costs nothing until touched, in large pages where that pays.

Page faults and address translation would otherwise take more time than the search.
"""

from __future__ import annotations

import contextlib
import mmap
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Bytes: TypeAlias = npt.NDArray[np.uint8]
Words: TypeAlias = npt.NDArray[np.int64]

HUGE_PAGE = 1 << 21
_FLAGS = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | getattr(mmap, "MAP_NORESERVE", 0)


def reserve(nbytes: int, huge: bool = False) -> Bytes:
    """Zeroed memory, given back when the array goes.

    Args:
        nbytes: Size; with ``huge``, best a multiple of `HUGE_PAGE`.
        huge: Ask for large pages: for what will be touched all over.
    """
    if not huge or not hasattr(mmap, "MADV_HUGEPAGE"):
        return np.frombuffer(mmap.mmap(-1, max(nbytes, 1), flags=_FLAGS), np.uint8)
    area = mmap.mmap(-1, nbytes + HUGE_PAGE, flags=_FLAGS)
    with contextlib.suppress(OSError):  # a kernel without them: the same memory, more slowly
        area.madvise(mmap.MADV_HUGEPAGE)
    memory = np.frombuffer(area, np.uint8)
    start = -memory.ctypes.data % HUGE_PAGE
    return memory[start : start + nbytes]


def address(array: npt.NDArray[np.generic]) -> int:
    """Where an array's first element is."""
    return int(array.ctypes.data)
