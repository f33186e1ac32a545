"""Flat functions that translated models call: sets as bits, sets and bags as sorted arrays.

A sorted array is a length byte and then codes in increasing order; unused codes are zero.
"""

from __future__ import annotations

NEXT_BIT = """
def next_bit(words: ptr, start: i64, end: i64) -> i64:
    if start >= end:
        return end
    word = start >> 6
    rest = load64(words, word * 8) & (-1 << (start & 63))
    while rest == 0:
        word = word + 1
        if word * 64 >= end:
            return end
        rest = load64(words, word * 8)
    found = word * 64 + ctz(rest)
    return found if found < end else end
""".strip()

_SORTED = """
def sorted_find{bits}(array: ptr, code: i64) -> i64:
    k = 0
    count = load8(array, 0)
    while k < count:
        if load{bits}(array, k * {width} + 1) == code:
            return 1
        k = k + 1
    return 0

def sorted_count{bits}(array: ptr, code: i64) -> i64:
    k = 0
    found = 0
    count = load8(array, 0)
    while k < count:
        if load{bits}(array, k * {width} + 1) == code:
            found = found + 1
        k = k + 1
    return found

def sorted_add{bits}(array: ptr, code: i64, capacity: i64, bag: i64) -> i64:
    count = load8(array, 0)
    k = count
    while k > 0 and load{bits}(array, (k - 1) * {width} + 1) > code:
        k = k - 1
    if not bag and k > 0 and load{bits}(array, (k - 1) * {width} + 1) == code:
        return 0
    if count >= capacity:
        return 1
    j = count
    while j > k:
        store{bits}(array, j * {width} + 1, load{bits}(array, (j - 1) * {width} + 1))
        j = j - 1
    store{bits}(array, k * {width} + 1, code)
    store8(array, 0, count + 1)
    return 0

def sorted_remove{bits}(array: ptr, code: i64) -> i64:
    count = load8(array, 0)
    k = 0
    while k < count and load{bits}(array, k * {width} + 1) != code:
        k = k + 1
    if k >= count:
        return 0
    while k < count - 1:
        store{bits}(array, k * {width} + 1, load{bits}(array, (k + 1) * {width} + 1))
        k = k + 1
    store{bits}(array, (count - 1) * {width} + 1, 0)
    store8(array, 0, count - 1)
    return 1
""".strip()


def sorted_functions(width: int) -> str:
    """Search, count, add and remove for arrays of codes of ``width`` bytes (codes below 2**63)."""
    return _SORTED.format(bits=8 * width, width=width)
