"""The random-walk kernel.  Dialect text, compiled after `kernel`.

The law: a walk depends on the seed and its number alone.  Each step is drawn uniformly
from the successors as the model emits them.
"""

from __future__ import annotations

# ruff: noqa: F403, F405
from scrutator.checker.explore.control import *
from scrutator.checker.explore.kernel import (
    add_word,
    address,
    kernel_invariants,
    kernel_predicates,
    kernel_step_invariants,
    kernel_successors,
    kernel_within,
    note_least,
    set_word,
    word,
)
from scrutator.checker.native.words import (
    copy,
    export,
    i64,
    load32,
    load64,
    mulhi,
    noinline,
    ptr,
    store32,
    unlikely,
)


def scrambled(x: i64) -> i64:
    """The output function of splitmix64 (Steele, Lea, Flood, 2014)."""
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB
    return x ^ (x >> 31)


def look(block: ptr, p: ptr, entry: i64) -> i64:
    """Note what holds of a state that a walk has come to; whether an invariant is violated."""
    mins = address(block, WALK_MINS)
    ctx = address(block, WALK_CTX)
    if PREDICATES:
        note_least(mins, MIN_PREDICATE, kernel_predicates(p, ctx), entry)
    if INVARIANTS:
        broken = kernel_invariants(p, ctx)
        if unlikely(broken != 0):
            note_least(mins, MIN_INVARIANT, broken, entry)
            return 1
    return 0


@noinline
def one_walk(block: ptr, number: i64) -> i64:
    """Walk until stuck, violated, failed or at full length; whether something is wrong."""
    ctx = address(block, WALK_CTX)
    mins = address(block, WALK_MINS)
    p = address(block, WALK_CURRENT)
    out = address(block, WALK_OUT)
    codes = address(block, WALK_CODES)
    x = scrambled(word(block, WALK_SEED) + scrambled(number + 1)) + 0x9E3779B97F4A7C15
    start = mulhi(scrambled(x), word(block, WALK_INITIAL))
    set_word(block, WALK_START, start)
    copy(p, address(block, WALK_ROWS) + start * ROW, ROW)
    length = 0
    wrong = look(block, p, number << ORDINAL_BITS)
    while length < word(block, WALK_DEPTH_MAX) and not wrong:
        if CONSTRAINED and not kernel_within(p, ctx):
            break
        n = kernel_successors(p, out, codes, ctx)
        if unlikely(load64(ctx, 0) != 0):
            break
        if n == 0:
            note_least(mins, MIN_DEADLOCK, 1, number << ORDINAL_BITS | length)
            wrong = word(block, WALK_DEADLOCK)
            break
        x += 0x9E3779B97F4A7C15
        j = mulhi(scrambled(x), n)
        q = out + j * ROW
        if word(block, WALK_RECORD):
            store32(address(block, WALK_RECORD), 4 * length, j)
        length += 1
        entry = number << ORDINAL_BITS | length
        add_word(address(block, WALK_SUMS), load32(codes, 4 * j), 1)
        if STEP_INVARIANTS:
            broken = kernel_step_invariants(p, q, ctx)
            if unlikely(broken != 0):
                note_least(mins, MIN_STEP, broken, entry)
                wrong = 1
        copy(p, q, ROW)
        wrong = look(block, p, entry) or wrong
        if unlikely(load64(ctx, 0) != 0):
            break
    set_word(block, WALK_LENGTH, length)
    if unlikely(load64(ctx, 0) != 0):
        if word(block, WALK_FAULT_WHAT) == 0:
            set_word(block, WALK_FAULT_WALK, number << ORDINAL_BITS | length)
            set_word(block, WALK_FAULT_WHAT, load64(ctx, 0))
        set_word(ctx, 0, 0)
        return 1
    return wrong


@export
def walks(block: ptr, first: i64, count: i64) -> i64:
    """Take so many walks; how many were taken, fewer if one ended the work."""
    for k in range(count):
        wrong = one_walk(block, first + k)
        if unlikely(wrong != 0) and (word(block, WALK_HALT) or word(block, WALK_FAULT_WHAT)):
            return k + 1
    return count
