"""The frontier kernel: which configurations a history may be in after each return.  Dialect text.

Never imported: `frontier` compiles this text.

A configuration is what a linearization of the past leaves for the future: the object's
state, which of the operations under way have taken effect, and how many pending ones of
each class have.  The law: after each return, the frontier holds a configuration for
every way in which the operations so far may have taken effect, those left out that
another one covers.  It is empty exactly if there is no way.  A beam keeps only so many:
then a configuration left at the end still proves that there is a way, and an empty
frontier proves nothing if something was cut.

Operations take effect as late as possible: only when one returns that has not (Lowe,
"Testing for linearizability", 2017, calls it just-in-time linearization).  Three rules
keep the frontier small.  An operation that changes nothing takes effect as soon as it
can: whatever was possible still is.  A pending operation takes effect only right before
one that depends on the state it leaves: otherwise it need not at all.  Of operations under
way that do the same, the one that returns first goes first.  One configuration covers
another if it has used no more pending operations and is the same otherwise.
"""

# ruff: noqa: F403, F405
from __future__ import annotations

from scrutator.checker.linear.frontier_words import *
from scrutator.checker.native.words import (
    alloca,
    copy,
    ctz,
    equal_bytes,
    export,
    i64,
    load8,
    load32,
    load64,
    load_ptr,
    mum,
    noinline,
    ptr,
    smax,
    store32,
    store64,
    store_ptr,
    unlikely,
    zero,
)


def word(p: ptr, k: i64) -> i64:
    return load64(p, 8 * k)


def address(p: ptr, k: i64) -> ptr:
    return load_ptr(p, 8 * k)


def set_word(p: ptr, k: i64, value: i64) -> None:
    store64(p, 8 * k, value)


def row_at(rows: ptr, index: i64) -> ptr:
    return rows + index * ROW


# --- steps of the object ----------------------------------------------------------------


def step(b: ptr, state: i64, of: i64) -> i64:
    """The state that an operation of a class leaves, -1 where it cannot be.  What is not known is asked for, and -1 for now."""
    if EFFECTS:
        pre = load32(address(b, PRE), 4 * of)
        if pre != 0 and pre != state + 1:
            return -1
        if load32(address(b, NOT_PRE), 4 * of) == state + 1:
            return -1
        post = load32(address(b, POST), 4 * of)
        return post - 1 if post else state
    key = state << 32 | of
    mask = word(b, STEPS_MASK)
    k = mum(key ^ 0xA0761D6478BD642F, 0xE7037ED1A0B428DB) & mask
    steps = address(b, STEPS)
    here = load64(steps, 16 * k)
    while here != key and here != EMPTY_STEP:
        k = (k + 1) & mask
        here = load64(steps, 16 * k)
    if unlikely(here == EMPTY_STEP):
        asked = word(b, ASKED)
        if asked < ASKS_MAX:
            store64(address(b, ASKS), 8 * asked, key)
            set_word(b, ASKED, asked + 1)
        return -1
    return load64(steps, 16 * k + 8)


def depends(b: ptr, of: i64) -> i64:
    """Whether operations of the class look at the state."""
    if EFFECTS:
        return load32(address(b, PRE), 4 * of) != 0 or load32(address(b, NOT_PRE), 4 * of) != 0
    return 1


# --- configurations ---------------------------------------------------------------------


def used(row: ptr, slot: i64) -> i64:
    shift = (slot % USED_PER_WORD) * USED_BITS
    return load64(row, 8 * (1 + MASK_WORDS + slot // USED_PER_WORD)) >> shift & (2 * USED_MAX + 1)


def hash_of(row: ptr) -> i64:
    """Of state and slots, not of what was used."""
    h = 0x8EBC6AF09C88C6E3
    for k in range(1 + MASK_WORDS):
        h = mum(load64(row, 8 * k) ^ 0xA0761D6478BD642F, h ^ 0xE7037ED1A0B428DB)
    return mum(h ^ 0x589965CC75374CC3, 0x1D8E4E27C47D124F)


def covers(b: ptr, p: ptr, q: ptr) -> i64:
    """Whether p has left at least what q has left of pending operations.

    A write can stand in for any compare-and-set of the same new value: it can do more.
    """
    less = 0
    for k in range(1 + MASK_WORDS, 1 + MASK_WORDS + USED_WORDS):
        difference = (load64(q, 8 * k) | USED_HIGH) - load64(p, 8 * k)  # count by count: the high bit stays where q's is not less
        less = less | (~difference & USED_HIGH)
    if less == 0:
        return 1
    for slot in range(word(b, PENDING_SLOTS)):
        if used(p, slot) > used(q, slot):
            if not EFFECTS:
                return 0
            of = load64(address(b, PENDING_CLASS), 8 * slot)
            post = load32(address(b, POST), 4 * of)
            missing = 0
            for other in range(word(b, PENDING_SLOTS)):
                kind = load64(address(b, PENDING_CLASS), 8 * other)
                if load32(address(b, POST), 4 * kind) == post:
                    more = used(p, other) - used(q, other)
                    if load32(address(b, PRE), 4 * kind) == 0 or more > 0:
                        missing += more
            if missing > 0 or load32(address(b, PRE), 4 * of) == 0:
                return 0
    return 1


def note(b: ptr, row: ptr, what: i64) -> None:
    """In the trace: what a configuration did last."""
    if TRACED:
        count = word(b, TRACE_COUNT)
        store64(address(b, TRACE), 16 * count, load64(row, ROW - 8))
        store64(address(b, TRACE), 16 * count + 8, what)
        store64(row, ROW - 8, count)
        set_word(b, TRACE_COUNT, count + 1)


def room_in_trace(b: ptr) -> i64:
    return word(b, TRACE_CAPACITY) - word(b, TRACE_COUNT)


def insert(b: ptr, rows: ptr, index: i64) -> i64:
    """Whether no earlier configuration of the event covers this one."""
    row = row_at(rows, index)
    mask = word(b, TABLE_MASK)
    table = address(b, TABLE)
    chain = address(b, CHAIN)
    stamp = word(b, GENERATION) << 32
    k = hash_of(row) & mask
    entry = load64(table, 8 * k)
    while entry >> 32 << 32 == stamp and not equal_bytes(row_at(rows, entry & 0xFFFFFFFF), row, 8 * (1 + MASK_WORDS)):
        k = (k + 1) & mask
        entry = load64(table, 8 * k)
    head = 0
    if entry >> 32 << 32 == stamp:
        head = (entry & 0xFFFFFFFF) + 1
    other = head
    length = 0
    while other:
        if covers(b, row_at(rows, other - 1), row):
            return 0
        other = load32(chain, 4 * (other - 1))
        length += 1
    if unlikely(length >= word(b, CHAIN_MAX)):
        set_word(b, CUT, word(b, CUT) + 1)
        return 0
    store32(chain, 4 * index, head)
    store64(table, 8 * k, stamp | index)
    return 1


def take_effect_early(b: ptr, row: ptr) -> None:
    """Operations under way that change nothing take effect if they can."""
    state = load64(row, 0) & (FRESH - 1)
    for w in range(MASK_WORDS):
        done = load64(row, 8 * (1 + w))
        left = load64(address(b, EAGER_MASK), 8 * w) & ~done
        while left:
            bit = left & -left
            slot = 64 * w + ctz(left)
            of = load64(address(b, OPEN), 8 * slot)
            left = left ^ bit
            after = step(b, state, of)
            if after >= 0:
                done = done | bit
                note(b, row, load64(address(b, OPEN_OPERATION), 8 * slot))
                if depends(b, of):
                    store64(row, 0, state)  # no longer fresh
        store64(row, 8 * (1 + w), done)


# --- events -----------------------------------------------------------------------------


def order_in_class(b: ptr, slot: i64, of: i64, returns: i64) -> None:
    """Note which of the operations under way of the same class return before the one in a slot, and which after."""
    before = address(b, BEFORE)
    for w in range(MASK_WORDS):
        store64(before, 8 * (MASK_WORDS * slot + w), 0)
        left = load64(address(b, OPEN_MASK), 8 * w)
        while left:
            bit = left & -left
            other = 64 * w + ctz(left)
            left = left ^ bit
            mine = 8 * (MASK_WORDS * other + (slot >> 6))
            store64(before, mine, load64(before, mine) & ~(1 << (slot & 63)))
            if load64(address(b, OPEN), 8 * other) == of:
                if load64(address(b, OPEN_RETURNS), 8 * other) < returns:
                    at = 8 * (MASK_WORDS * slot + w)
                    store64(before, at, load64(before, at) | bit)
                else:
                    store64(before, mine, load64(before, mine) | 1 << (slot & 63))


def is_first_of_class(b: ptr, row: ptr, slot: i64) -> i64:
    """Whether no operation under way of the same class is left that returns earlier: that one could stand in."""
    before = address(b, BEFORE)
    for w in range(MASK_WORDS):
        if load64(before, 8 * (MASK_WORDS * slot + w)) & load64(address(b, OPEN_MASK), 8 * w) & ~load64(row, 8 * (1 + w)):
            return 0
    return 1


def called(b: ptr, operation: i64) -> None:
    w = 0
    while ~load64(address(b, OPEN_MASK), 8 * w) == 0:
        w += 1
    free = ctz(~load64(address(b, OPEN_MASK), 8 * w))
    of = load32(address(b, CLASS), 4 * operation)
    store32(address(b, SLOT), 4 * operation, 64 * w + free)
    slot = 64 * w + free
    store64(address(b, OPEN), 8 * slot, of)
    store64(address(b, OPEN_OPERATION), 8 * slot, operation)
    returns = load64(address(b, RETURNS), 8 * operation)
    store64(address(b, OPEN_RETURNS), 8 * slot, returns)
    bit = 1 << free
    order_in_class(b, slot, of, returns)
    store64(address(b, OPEN_MASK), 8 * w, load64(address(b, OPEN_MASK), 8 * w) | bit)
    if load8(address(b, READS_ONLY), of):
        store64(address(b, EAGER_MASK), 8 * w, load64(address(b, EAGER_MASK), 8 * w) | bit)


def available(b: ptr, operation: i64) -> None:
    slot = load32(address(b, SLOT), 4 * operation)
    counts = address(b, PENDING_COUNT)
    store64(address(b, PENDING_CLASS), 8 * slot, load32(address(b, CLASS), 4 * operation))
    if word(b, RELAXED):
        store64(counts, 8 * slot, UNLIMITED)
    elif load64(counts, 8 * slot) < USED_MAX:
        store64(counts, 8 * slot, load64(counts, 8 * slot) + 1)


def free(b: ptr, operation: i64) -> None:
    available(b, operation)
    store64(address(b, PENDING_COUNT), 8 * load32(address(b, SLOT), 4 * operation), UNLIMITED)


@noinline
def expand(b: ptr, rows: ptr, index: i64, end: i64) -> i64:
    """Append what one more of the operations under way makes of a configuration; the new end, or minus a reason."""
    row = row_at(rows, index)
    state = load64(row, 0) & (FRESH - 1)
    fresh = load64(row, 0) & FRESH
    for w in range(MASK_WORDS):
        left = load64(address(b, OPEN_MASK), 8 * w) & ~load64(row, 8 * (1 + w))
        while left:
            bit = left & -left
            slot = 64 * w + ctz(left)
            of = load64(address(b, OPEN), 8 * slot)
            left = left ^ bit
            if fresh and not depends(b, of):
                continue
            if not is_first_of_class(b, row, slot):
                continue
            after = step(b, state, of)
            if after >= 0:
                if unlikely(end == word(b, CAPACITY)):
                    return -ROOM
                new = row_at(rows, end)
                copy(new, row, ROW)
                store64(new, 0, after)
                store64(new, 8 * (1 + w), load64(new, 8 * (1 + w)) | bit)
                note(b, new, load64(address(b, OPEN_OPERATION), 8 * slot))
                take_effect_early(b, new)
                end += insert(b, rows, end)
    return end


@noinline
def expand_pending(b: ptr, rows: ptr, index: i64, end: i64) -> i64:
    """Append what one more pending operation makes of a configuration; the new end, or minus a reason."""
    row = row_at(rows, index)
    state = load64(row, 0) & (FRESH - 1)
    fresh = load64(row, 0) & FRESH
    for slot in range(word(b, PENDING_SLOTS)):
        count = used(row, slot)
        if count < load64(address(b, PENDING_COUNT), 8 * slot):
            of = load64(address(b, PENDING_CLASS), 8 * slot)
            if fresh and not depends(b, of):
                continue
            after = step(b, state, of)
            if after >= 0 and after != state:
                if unlikely(end == word(b, CAPACITY)):
                    return -ROOM
                new = row_at(rows, end)
                copy(new, row, ROW)
                store64(new, 0, after | FRESH if EFFECTS else after)
                if load64(address(b, PENDING_COUNT), 8 * slot) < UNLIMITED:
                    at = 8 * (1 + MASK_WORDS + slot // USED_PER_WORD)
                    store64(new, at, load64(new, at) + (1 << (slot % USED_PER_WORD) * USED_BITS))
                note(b, new, PENDING_FLAG | slot)
                take_effect_early(b, new)
                end += insert(b, rows, end)
    return end


def used_in_all(row: ptr) -> i64:
    total = 0
    for slot in range(USED_WORDS * USED_PER_WORD):
        total += used(row, slot)
    return total if total < TOTALS else TOTALS - 1


@noinline
def least(b: ptr, found_rows: ptr, count: i64, rows: ptr) -> i64:
    """Copy the configurations that no other covers, those first that have used the fewest; how many, up to the beam."""
    starts = alloca(8 * (TOTALS + 1))
    zero(starts, 8 * (TOTALS + 1))
    for i in range(count):
        total = used_in_all(row_at(found_rows, i))
        store64(starts, 8 * (total + 1), load64(starts, 8 * (total + 1)) + 1)
    for total in range(TOTALS):
        store64(starts, 8 * (total + 1), load64(starts, 8 * (total + 1)) + load64(starts, 8 * total))
    order = address(b, ORDER)
    for i in range(count):
        total = used_in_all(row_at(found_rows, i))
        store32(order, 4 * load64(starts, 8 * total), i)
        store64(starts, 8 * total, load64(starts, 8 * total) + 1)
    set_word(b, GENERATION, word(b, GENERATION) + 1)
    kept = 0
    i = 0
    while i < count and kept < word(b, BEAM):
        copy(row_at(rows, kept), row_at(found_rows, load32(order, 4 * i)), ROW)
        kept += insert(b, rows, kept)
        i += 1
    if i < count:
        set_word(b, CUT, word(b, CUT) + 1)
    return kept


@noinline
def explore(b: ptr, w: i64, bit: i64) -> i64:
    """Find what the frontier leads to in which the operation of a slot has taken effect; how many, or minus a reason.

    Configurations are looked at in order of the pending operations that the event has
    used: a beam so keeps those that left most for later.
    """
    rows = address(b, ROWS)
    next_rows = address(b, NEXT)
    beam = word(b, BEAM)
    first = word(b, COUNT)
    end = first
    level = 0
    i = 0
    found = 0
    cut = 0
    while level < end and not cut:
        while i < end and not cut:
            row = row_at(rows, i)
            if i < first and not insert(b, rows, i):
                store64(row, 0, load64(row, 0) | COVERED)
            elif load64(row, 8 * (1 + w)) & bit and not load64(row, 0) & FRESH:
                new = row_at(next_rows, found)
                copy(new, row, ROW)
                store64(new, 8 * (1 + w), load64(new, 8 * (1 + w)) ^ bit)
                found += 1
            else:
                if unlikely(word(b, STOP) != 0):
                    return -STOPPED
                if unlikely(word(b, ASKED) == ASKS_MAX):
                    return -ASK
                if TRACED and room_in_trace(b) < 64 * MASK_WORDS * (64 * MASK_WORDS + 1):
                    return -TRACE_ROOM
                end = expand(b, rows, i, end)
                if unlikely(end < 0):
                    return end
            i += 1
            cut = found == (FOUND_PER_BEAM if USED_WORDS else 1) * beam or (found > 0 and i - first > EXPANDED_PER_BEAM * beam)
        if USED_WORDS and not cut:
            for k in range(level, i):
                row = row_at(rows, k)
                done = load64(row, 8 * (1 + w)) & bit and not load64(row, 0) & FRESH
                if not done and not load64(row, 0) & COVERED:
                    if TRACED and room_in_trace(b) < word(b, PENDING_SLOTS) * (64 * MASK_WORDS + 1):
                        return -TRACE_ROOM
                    end = expand_pending(b, rows, k, end)
                    if unlikely(end < 0):
                        return end
        level = i
    if not EFFECTS and unlikely(word(b, ASKED) != 0):
        return -ASK
    set_word(b, CUT, word(b, CUT) + cut)
    set_word(b, VISITED, word(b, VISITED) + end)
    return found


@noinline
def returned(b: ptr, operation: i64) -> i64:
    """Move the frontier past a return; 0, or a reason to come back.  Nothing is changed in that case."""
    slot = load32(address(b, SLOT), 4 * operation)
    w = slot >> 6
    bit = 1 << (slot & 63)
    rows = address(b, ROWS)
    first = word(b, COUNT)
    if TRACED and room_in_trace(b) < first * 64 * MASK_WORDS:
        return TRACE_ROOM
    set_word(b, GENERATION, word(b, GENERATION) + 1)
    for i in range(first):
        row = row_at(rows, i)
        store64(row, 0, load64(row, 0) & ~COVERED)
        take_effect_early(b, row)
    noted = word(b, TRACE_COUNT)
    cuts = word(b, CUT)
    found = explore(b, w, bit)
    if unlikely(found <= 0):
        set_word(b, TRACE_COUNT, noted)
        if found == 0:
            return VIOLATED
        set_word(b, CUT, cuts)
        return -found
    if USED_WORDS:
        found = least(b, address(b, NEXT), found, rows)
    else:
        store_ptr(b, 8 * ROWS, address(b, NEXT))
        store_ptr(b, 8 * NEXT, rows)
    set_word(b, WIDEST, smax(word(b, WIDEST), found))
    set_word(b, COUNT, found)
    store64(address(b, OPEN_MASK), 8 * w, load64(address(b, OPEN_MASK), 8 * w) & ~bit)
    store64(address(b, EAGER_MASK), 8 * w, load64(address(b, EAGER_MASK), 8 * w) & ~bit)
    return 0


@export
def run(b: ptr, most: i64) -> i64:
    """Take up to so many events; why it came back."""
    cursor = word(b, CURSOR)
    total = word(b, EVENTS_COUNT)
    end = cursor + most
    if end > total:
        end = total
    while cursor < end:
        event = load64(address(b, EVENTS), 8 * cursor)
        kind = event >> 32
        which = event & 0xFFFFFFFF
        if kind == RETURN:
            reason = returned(b, which)
            if unlikely(reason != 0):
                set_word(b, CURSOR, cursor)
                return reason
        elif kind == CALL:
            called(b, which)
        elif kind == AVAILABLE:
            available(b, which)
        else:
            free(b, which)
        cursor += 1
    set_word(b, CURSOR, cursor)
    return DONE if cursor == total else PAUSED
