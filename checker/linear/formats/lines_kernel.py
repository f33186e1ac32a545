"""The scanner of lines of our own format, as they are mostly written.  Dialect text.

Never imported: `lines_scan` compiles this text.

The law: a line that is scanned means what JSON means by it.  Values are numbered by their
texts; LOOSE says that some value may have several texts.  Whatever needs more care is left
alone: escapes in strings, maps, other orders of the keys.  The data end with a newline,
which no part of a line can hold, so nothing is read beyond the end byte by byte.
"""

# ruff: noqa: F403, F405, SIM109
from __future__ import annotations

from scrutator.checker.linear.formats.lines_words import *
from scrutator.checker.native.words import (
    copy_n,
    export,
    i64,
    load8,
    load64,
    load_ptr,
    mum,
    noinline,
    ptr,
    store8,
    store32,
    store64,
    unlikely,
)


def word(p: ptr, k: i64) -> i64:
    return load64(p, 8 * k)


def address(p: ptr, k: i64) -> ptr:
    return load_ptr(p, 8 * k)


def set_word(p: ptr, k: i64, value: i64) -> None:
    store64(p, 8 * k, value)


def low_bytes(value: i64, count: i64) -> i64:
    """The first so many bytes of a word, 1 to 7."""
    return value & ((1 << (8 * count)) - 1)


# --- texts and their numbers ------------------------------------------------------------


def key_of(text: ptr, begin: i64, size: i64) -> i64:
    """A short text's key is the text itself; a long one's is its hash, with the top bit set."""
    if size < 8:
        return low_bytes(load64(text, begin), size) | size << 56
    h = size
    at = begin
    end = begin + size
    while at + 8 <= end:
        h = mum(load64(text, at) ^ 0xA0761D6478BD642F, h ^ 0xE7037ED1A0B428DB)
        at = at + 8
    if at < end:
        h = mum(low_bytes(load64(text, at), end - at) ^ 0x8EBC6AF09C88C6E3, h ^ 0x589965CC75374CC3)
    return h | MIN


def same(text: ptr, a: i64, b: i64, size: i64) -> i64:
    k = 0
    while k < size and load8(text, a + k) == load8(text, b + k):
        k = k + 1
    return k == size


def place(slots: ptr, mask: i64, key: i64) -> i64:
    return mum(key ^ 0xA0761D6478BD642F, 0xE7037ED1A0B428DB) & mask


@noinline
def number_of(t: ptr, text: ptr, begin: i64, size: i64) -> i64:
    """A text's number in a table, given now if need be."""
    key = key_of(text, begin, size)
    mask = word(t, MASK)
    slots = address(t, SLOTS)
    begins = address(t, BEGINS)
    sizes = address(t, SIZES)
    k = place(slots, mask, key)
    found = load64(slots, 16 * k + 8)
    while found:
        if load64(slots, 16 * k) == key:
            if size < 8:
                return found - 1
            if word(sizes, found - 1) == size and same(text, begin, word(begins, found - 1), size):
                return found - 1
        k = (k + 1) & mask
        found = load64(slots, 16 * k + 8)
    number = word(t, COUNT)
    store64(slots, 16 * k, key)
    store64(slots, 16 * k + 8, number + 1)
    set_word(begins, number, begin)
    set_word(sizes, number, size)
    set_word(t, COUNT, number + 1)
    return number


@export
def rehash(t: ptr, old: ptr, count: i64) -> None:
    """Fill a table's new slots from old ones."""
    mask = word(t, MASK)
    slots = address(t, SLOTS)
    for n in range(count):
        if load64(old, 16 * n + 8):
            key = load64(old, 16 * n)
            k = place(slots, mask, key)
            while load64(slots, 16 * k + 8):
                k = (k + 1) & mask
            store64(slots, 16 * k, key)
            store64(slots, 16 * k + 8, load64(old, 16 * n + 8))


@export
def gather(t: ptr, text: ptr, target: ptr) -> None:
    """All texts of a table, a comma after each."""
    begins = address(t, BEGINS)
    sizes = address(t, SIZES)
    at = 0
    for n in range(word(t, COUNT)):
        size = word(sizes, n)
        copy_n(target + at, text + word(begins, n), size)
        store8(target, at + size, COMMA)
        at = at + size + 1


# --- parts of a line: each gives the offset after it, or -1 ------------------------------


def exactly(text: ptr, at: i64, expected: i64, size: i64) -> i64:
    k = 0
    while k < size:
        if load8(text, at + k) != (expected >> (8 * k)) & 255:
            return -1
        k = k + 1
    return at + size


def skip(text: ptr, at: i64) -> i64:
    while load8(text, at) == BLANK:
        at = at + 1
    return at


def literal(text: ptr, at: i64, expected: i64, size: i64) -> i64:
    """A bracket or comma and the key after it, perhaps with blanks around each."""
    at = skip(text, at)
    if load8(text, at) != expected & 255:
        return -1
    at = exactly(text, skip(text, at + 1), expected >> 8, size - 1)
    return skip(text, at) if at >= 0 else 0 - 1


def is_digit(c: i64) -> i64:
    return c >= ZERO and c <= NINE


def is_letter(c: i64) -> i64:
    return c >= LOWER_A and c <= LOWER_Z


def integer(b: ptr, text: ptr, at: i64) -> i64:
    """An integer of at most 18 digits, left in NUMBER."""
    negative = load8(text, at) == MINUS
    start = at + negative
    at = start
    n = 0
    c = load8(text, at)
    while is_digit(c):
        n = 10 * n + c - ZERO
        at = at + 1
        c = load8(text, at)
    if at == start or at > start + 18 or (load8(text, start) == ZERO and (at > start + 1 or negative)):
        return -1
    set_word(b, NUMBER, 0 - n if negative else n)
    return at


def string(text: ptr, at: i64) -> i64:
    """A string without escapes, the first quote at ``at``."""
    at = at + 1
    c = load8(text, at)
    while c != QUOTE:
        if c < BLANK or c == BACKSLASH:
            return -1
        at = at + 1
        c = load8(text, at)
    return at + 1


def atom(b: ptr, text: ptr, at: i64) -> i64:
    """A string, a number or a word; that the latter two are well-formed is for JSON's decoder to see."""
    c = load8(text, at)
    if c == QUOTE:
        return string(text, at)
    start = at
    negative = c == MINUS
    while is_digit(c) or is_letter(c) or c == MINUS or c == PLUS or c == DOT or c == UPPER_E:
        if (
            c == DOT
            or c == PLUS
            or c == UPPER_E
            or (c == LOWER_E and is_digit(load8(text, start + negative)))
        ):
            set_word(b, LOOSE, 1)  # 1.0 is 1.00 and 10e-1
        at = at + 1
        c = load8(text, at)
    if negative and load8(text, start + 1) == ZERO:
        set_word(b, LOOSE, 1)  # -0 is 0
    return at if at > start else 0 - 1


@noinline
def array(b: ptr, text: ptr, at: i64) -> i64:
    """An array; that its commas are right is for JSON's decoder to see."""
    depth = 0
    c = load8(text, at)
    while 1:
        if c == OPEN:
            depth = depth + 1
            at = at + 1
        elif c == CLOSE:
            depth = depth - 1
            at = at + 1
            if depth == 0:
                return at
        elif c == COMMA:
            at = at + 1
        elif c == BLANK:
            set_word(b, LOOSE, 1)
            at = at + 1
        else:
            at = atom(b, text, at)
            if at < 0:
                return -1
        c = load8(text, at)
    return -1


def value(b: ptr, text: ptr, at: i64) -> i64:
    """A value, its number left in NUMBER."""
    if load8(text, at) == OPEN:
        end = array(b, text, at)
    else:
        end = atom(b, text, at)
    if end < 0 or end + 8 > word(b, SIZE):
        return -1
    set_word(b, NUMBER, number_of(b + 8 * VALUES, text, at, end - at))
    return end


# --- lines ------------------------------------------------------------------------------


def valued(b: ptr, text: ptr, at: i64, row: i64, column: i64, key: i64, size: i64) -> i64:
    """A key and its value, which goes to a column."""
    at = literal(text, at, key, size)
    if at >= 0:
        at = value(b, text, at)
        store32(address(b, column), 4 * row, word(b, NUMBER))
    return at


def timed(b: ptr, text: ptr, at: i64, row: i64, column: i64, key: i64, size: i64) -> i64:
    """A key and its time or null, which goes to a column."""
    at = literal(text, at, key, size)
    if at >= 0:
        if column == RETURNED and load8(text, at) == LOWER_N:
            at = exactly(text, at, NULL_IS, 4)
            set_word(b, NUMBER, MAX)
        else:
            at = integer(b, text, at)
        store64(address(b, column), 8 * row, word(b, NUMBER))
    return at


def method(b: ptr, text: ptr, at: i64, row: i64) -> i64:
    at = literal(text, at, F_IS, 5)
    if at < 0 or load8(text, at) != QUOTE:
        return -1
    end = string(text, at)
    if end < 0 or end + 8 > word(b, SIZE):
        return -1
    number = number_of(b + 8 * METHODS, text, at, end - at)
    store32(address(b, METHOD), 4 * row, number)
    return end if number < METHODS_MAX else 0 - 1


def process(b: ptr, text: ptr, at: i64, row: i64) -> i64:
    at = literal(text, at, P_IS, 5)
    if at >= 0:
        at = integer(b, text, at)
        store32(address(b, PROCESS), 4 * row, word(b, NUMBER))
    return at if word(b, NUMBER) >= 0 and word(b, NUMBER) <= PROCESS_MAX else 0 - 1


def line(b: ptr, text: ptr, at: i64, row: i64) -> i64:
    """Scan a line; the offset of the next, or -1."""
    at = process(b, text, at, row)
    if at >= 0:
        at = method(b, text, at, row)
    if at < 0:
        return -1
    store32(address(b, KEY), 4 * row, 0 - 1)
    if literal(text, at, K_IS, 5) >= 0:
        at = valued(b, text, at, row, KEY, K_IS, 5)
    if at >= 0:
        at = valued(b, text, at, row, ARGUMENT, IN_IS, 6)
    if at >= 0:
        at = valued(b, text, at, row, RESULT, OUT_IS, 7)
    if at >= 0:
        at = timed(b, text, at, row, CALLED, CALL_IS, 8)
    if at >= 0:
        at = timed(b, text, at, row, RETURNED, RET_IS, 7)
    return literal(text, at, END_IS, 2) if at >= 0 else 0 - 1


@export
def scan(b: ptr) -> i64:
    """Scan lines until all are, a table is full or a line is not as they mostly are; which of these."""
    text = address(b, TEXT)
    size = word(b, SIZE)
    at = word(b, AT)
    row = word(b, ROW)
    mask = word(b, VALUES + MASK)
    why = DONE
    while at < size:
        if unlikely(2 * (word(b, VALUES + COUNT) + 3) > mask):
            why = ROOM
            break
        after = line(b, text, at, row)
        if unlikely(after < 0):
            why = ODD
            break
        at = after
        row = row + 1
    set_word(b, AT, at)
    set_word(b, ROW, row)
    return why
