"""Columns of numbers as short texts: seven bits a byte, low bits first, in base64.

Times become differences before they come here, so that most take two or three bytes.
"""

from __future__ import annotations

import base64

import numpy as np

from scrutator.checker.linear.history import Int32s, Int64s


def packed(column: Int64s | Int32s) -> str:
    """Numbers of at least zero as one text.

    >>> base64.b64decode(packed(np.array([1, 127, 128, 300])))
    b'\\x01\\x7f\\x80\\x01\\xac\\x02'
    """
    left = column.astype(np.uint64)
    sizes = np.ones(len(left), np.int64)
    for bits in range(7, 64, 7):
        sizes += left >= np.uint64(1 << bits)
    ends = np.cumsum(sizes)
    out = np.zeros(int(ends[-1]) if len(ends) else 0, np.uint8)
    starts = ends - sizes
    for k in range(int(sizes.max(initial=0))):
        more = sizes > k + 1
        has = sizes > k
        out[starts[has] + k] = (left[has] & np.uint64(127)) | np.where(more[has], 128, 0).astype(np.uint64)
        left = left >> np.uint64(7)
    return base64.b64encode(out.tobytes()).decode()


def differences(column: Int64s | Int32s) -> Int64s:
    """From each number to the next, the first from zero; negative ones folded in: 0, -1, 1, -2 as 0, 1, 2, 3.

    >>> differences(np.array([5, 4, 6])).tolist()
    [10, 1, 4]
    """
    steps = np.diff(column.astype(np.int64), prepend=0)
    return np.where(steps < 0, -2 * steps - 1, 2 * steps)
