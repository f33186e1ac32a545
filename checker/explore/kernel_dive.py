"""The depth-first kernel: one worker, a stack of states not yet expanded.  Dialect text.

Compiled after `kernel`, whose functions it uses.  The law: the state expanded next is the
one found last, and a state's successors are found in reverse, so that the first emitted
is expanded first.
"""

from __future__ import annotations

# ruff: noqa: F403, F405
from scrutator.checker.explore.control import *
from scrutator.checker.explore.kernel import (
    add_word,
    address,
    check,
    fingerprint,
    fingerprint_more,
    home,
    kernel_canonical,
    kernel_step_invariants,
    kernel_successors,
    kernel_within,
    min_word,
    note_fault,
    note_least,
    probe,
    region_of,
    set_parent,
    set_word,
    word,
)
from scrutator.checker.native.words import (
    alloca,
    copy,
    export,
    i64,
    load32,
    load64,
    noinline,
    prefetch,
    ptr,
    store64,
    unlikely,
)


def push(block: ptr, row: ptr, state: i64, depth: i64) -> None:
    top = address(block, DIVE_STACK) + word(block, DIVE_HEIGHT) * STACKED
    copy(top, row, ROW)
    store64(top, ROW, state)
    store64(top, ROW + 8, depth)
    add_word(block, DIVE_HEIGHT, 1)


@noinline
def insert_row(ctl: ptr, me: ptr, block: ptr, row: ptr, meta: i64, action: i64, depth: i64) -> i64:
    """Insert a state if it is new, and stack it; 0 if its region must grow first."""
    lo = fingerprint(row)
    hi = fingerprint_more(row)
    region = region_of(ctl, lo)
    at = probe(home(region, lo), lo, hi)
    if load64(at, 0) != 0:
        return 1
    if unlikely(
        word(region, REGION_COUNT) >= word(region, REGION_LIMIT) or at == address(region, REGION_END)
    ):
        set_word(block, DIVE_REGION, lo >> (64 - REGIONS_BITS))
        return 0
    store64(at, 0, lo)
    if WIDE:
        store64(at, 8, hi)
    add_word(region, REGION_COUNT, 1)
    state = word(block, DIVE_TAIL)
    set_word(block, DIVE_TAIL, state + 1)
    set_parent(ctl, state, meta)
    add_word(address(me, ME_SUMS), SUM_ACTIONS + ACTIONS + action, 1)
    last = word(block, DIVE_LEVELS_MAX)
    add_word(address(block, DIVE_LEVELS), depth if depth < last else last, 1)
    check(me, row, state)
    push(block, row, state, depth)
    return 1


@export
def plant(ctl: ptr, me: ptr, block: ptr, row: ptr, number: i64) -> i64:
    """Insert an initial state; 0 if its region must grow first."""
    return insert_row(ctl, me, block, row, INITIAL | number, ACTIONS, 1)


def expand_top(ctl: ptr, me: ptr, block: ptr) -> None:
    """Take the top state off the stack and compute its successors."""
    ctx = address(me, ME_CTX)
    current = address(block, DIVE_CURRENT)
    out = address(block, DIVE_OUT)
    codes = address(block, DIVE_CODES)
    spare = alloca(ROW)
    add_word(block, DIVE_HEIGHT, -1)
    copy(current, address(block, DIVE_STACK) + word(block, DIVE_HEIGHT) * STACKED, STACKED)
    if load64(current, ROW + 8) >= word(block, DIVE_DEPTH_MAX):
        add_word(block, DIVE_CUT, 1)
        return
    add_word(block, DIVE_EXPANDED, 1)
    if CONSTRAINED and not kernel_within(current, ctx):
        return
    state = load64(current, ROW)
    n = kernel_successors(current, out, codes, ctx)
    if unlikely(load64(ctx, 0) != 0):
        note_fault(me, ctx, state, -1)
        return
    if n == 0:
        min_word(address(me, ME_MINS), MIN_DEADLOCK, state)
    for j in range(n):
        q = out + j * ROW
        add_word(address(me, ME_SUMS), SUM_ACTIONS + load32(codes, 4 * j), 1)
        if STEP_INVARIANTS:
            broken = kernel_step_invariants(current, q, ctx)
            note_least(address(me, ME_MINS), MIN_STEP, broken, state << ORDINAL_BITS | j)
            if unlikely(load64(ctx, 0) != 0):
                note_fault(me, ctx, state, j)
        if SYMMETRIC:
            kernel_canonical(q, spare)
            copy(q, spare, ROW)
        lo = fingerprint(q)
        prefetch(home(region_of(ctl, lo), lo), 0)
    set_word(block, DIVE_PENDING, n)


@export
def dive(ctl: ptr, me: ptr, block: ptr, budget: i64) -> i64:
    """Expand so many states; says why it returns."""
    current = address(block, DIVE_CURRENT)
    while budget > 0 and word(me, ME_FAULT_WHAT) == 0:
        while word(block, DIVE_PENDING) > 0:
            j = word(block, DIVE_PENDING) - 1
            meta = load64(current, ROW) << ORDINAL_BITS | j
            action = load32(address(block, DIVE_CODES), 4 * j)
            depth = load64(current, ROW + 8) + 1
            if not insert_row(ctl, me, block, address(block, DIVE_OUT) + j * ROW, meta, action, depth):
                return DIVE_GROW
            set_word(block, DIVE_PENDING, j)
        if word(block, DIVE_HEIGHT) == 0:
            return DIVE_DONE
        if word(block, DIVE_HEIGHT) + SUCCESSORS_MAX > word(block, DIVE_ROOM):
            return DIVE_ROOM_NEEDED
        if word(block, DIVE_TAIL) + SUCCESSORS_MAX > word(block, DIVE_RESERVED):
            return DIVE_ROOM_NEEDED
        expand_top(ctl, me, block)
        budget -= 1
    return DIVE_PAUSED
