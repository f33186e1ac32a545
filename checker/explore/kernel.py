"""The breadth-first kernel: expand a part of a batch, insert, settle.  Dialect text.

Never imported: `native_model` compiles this text together with the model's functions.

The law: the order of discovery is that of a sequential search, states in order and their
successors in the order of emission, whatever the number of workers.  `expand` may drop a
successor only if the table already has it or the same worker met it earlier in that
order; `insert` gives each fingerprint to the first candidate in order, because one worker
alone inserts into a region of the table, scanning all candidates in order; `settle`
numbers the new states in order.  Nothing is locked and nothing is atomic.
"""

# ruff: noqa: F403, F405
from __future__ import annotations

from scrutator.checker.explore.control import *
from scrutator.checker.explore.model_stubs import (
    canonical,
    invariants,
    predicates,
    step_invariants,
    successors,
    within,
)
from scrutator.checker.native.words import (
    alloca,
    atomic_add,
    copy,
    ctz,
    export,
    i64,
    load8,
    load32,
    load64,
    load_ptr,
    mulhi,
    mum,
    noalias,
    noinline,
    prefetch,
    ptr,
    store8,
    store32,
    store64,
    store_ptr,
    unlikely,
)

# --- the model's functions, each compiled once ------------------------------------------


@export
@noalias
def kernel_successors(p: ptr, out: ptr, codes: ptr, ctx: ptr) -> i64:
    return successors(p, out, codes, ctx)


@export
@noalias
def kernel_invariants(p: ptr, ctx: ptr) -> i64:
    return invariants(p, ctx)


@export
@noalias
def kernel_predicates(p: ptr, ctx: ptr) -> i64:
    return predicates(p, ctx)


@export
@noalias
def kernel_step_invariants(p: ptr, q: ptr, ctx: ptr) -> i64:
    return step_invariants(p, q, ctx)


@export
@noalias
def kernel_within(p: ptr, ctx: ptr) -> i64:
    return within(p, ctx)


@export
@noalias
def kernel_canonical(p: ptr, out: ptr) -> None:
    canonical(p, out)


# --- words ------------------------------------------------------------------------------


def word(p: ptr, k: i64) -> i64:
    return load64(p, 8 * k)


def address(p: ptr, k: i64) -> ptr:
    return load_ptr(p, 8 * k)


def set_word(p: ptr, k: i64, value: i64) -> None:
    store64(p, 8 * k, value)


def add_word(p: ptr, k: i64, value: i64) -> None:
    store64(p, 8 * k, load64(p, 8 * k) + value)


def min_word(p: ptr, k: i64, value: i64) -> None:
    if value < load64(p, 8 * k):
        store64(p, 8 * k, value)


def note_least(mins: ptr, first: i64, bits: i64, value: i64) -> None:
    """For each bit set: the smallest value so far."""
    while bits:
        min_word(mins, first + ctz(bits), value)
        bits = bits & (bits - 1)


def note_fault(me: ptr, ctx: ptr, state: i64, ordinal: i64) -> None:
    """A worker meets states in order, so its first fault is its least."""
    if word(me, ME_FAULT_WHAT) == 0:
        set_word(me, ME_FAULT_STATE, state)
        set_word(me, ME_FAULT_ORDINAL, ordinal)
        set_word(me, ME_FAULT_WHAT, word(ctx, 0))
    set_word(ctx, 0, 0)


# --- fingerprints -----------------------------------------------------------------------


def mixed(row: ptr, a: i64, b: i64, c: i64) -> i64:
    """Multiply-and-fold over pairs of words, after wyhash (Wang Yi, 2019)."""
    h = c
    for k in range(0, ROW - 8, 16):
        h = mum(load64(row, k) ^ a, load64(row, k + 8) ^ h)
    if ROW % 16:
        h = mum(load64(row, ROW - 8) ^ b, h ^ a)
    return mum(h ^ b, ROW ^ c)


def fingerprint(row: ptr) -> i64:
    """The first word of a row's fingerprint, never 0.  One-word rows map one to one."""
    if ROW == 8:
        x = ~load64(row, 0)
        x = (x ^ (x >> 32)) * 0xD6E8FEB86659FD93
        x = (x ^ (x >> 32)) * 0xD6E8FEB86659FD93
        x = x ^ (x >> 32)
        return x if x else 1
    h = mixed(row, 0xA0761D6478BD642F, 0xE7037ED1A0B428DB, 0x8EBC6AF09C88C6E3)
    return h if h else 1


def fingerprint_more(row: ptr) -> i64:
    """The second word, 0 where fingerprints have one."""
    if WIDE:
        return mixed(row, 0x589965CC75374CC3, 0x1D8E4E27C47D124F, 0xEB44ACCAB455D165)
    return 0


# --- the table --------------------------------------------------------------------------
# A region is an array of entries, 0 where free.  An entry stands at the place that its
# fingerprint is proportional to, or at the first free place after it, so that a larger
# region is filled in the order of the smaller one.  The last place stays free.


def home(region: ptr, lo: i64) -> ptr:
    return address(region, REGION_BASE) + mulhi(lo << REGIONS_BITS, word(region, REGION_CAPACITY)) * ENTRY


def region_of(ctl: ptr, lo: i64) -> ptr:
    return ctl + 8 * (CTL_REGIONS + (lo >> (64 - REGIONS_BITS)) * REGION_WORDS)


def probe(at: ptr, lo: i64, hi: i64) -> ptr:
    """Where the fingerprint is, or the free place where it belongs."""
    here = load64(at, 0)
    while here != 0 and (here != lo or (WIDE and load64(at, 8) != hi)):
        at = at + ENTRY
        here = load64(at, 0)
    return at


@export
def rehash(old: ptr, end: ptr, region: ptr) -> None:
    """Fill an empty region with the entries of an old one."""
    for touched in range(0, word(region, REGION_CAPACITY) * ENTRY, 4096):
        store64(address(region, REGION_BASE) + touched, 0, 0)  # a page first read would be faulted in twice
    at = old
    while at != end:
        lo = load64(at, 0)
        if lo:
            to = home(region, lo)
            while load64(to, 0):
                to = to + ENTRY
            copy(to, at, ENTRY)
        at = at + ENTRY


# --- expand -----------------------------------------------------------------------------


@noinline
def drain(ctl: ptr, group: ptr, pending: i64, part: ptr, kept: i64) -> i64:
    """Keep those pending successors that the table does not have; how many are kept then."""
    for k in range(pending):
        entry = group + (GROUP_PENDING + PENDING_BYTES * k)
        lo = load64(entry, 0)
        hi = load64(entry, 8)
        at = probe(address(entry, 4), lo, hi)
        if load64(at, 0) == 0:
            store64(part, FINGERPRINT * kept, lo)
            if WIDE:
                store64(part, FINGERPRINT * kept + 8, hi)
            store64(part, META + 8 * kept, load64(entry, 16))
            store32(part, ACTION + 4 * kept, load32(entry, 28))
            copy(part + (ROWS + ROW * kept), group + load32(entry, 24) * ROW, ROW)
            kept += 1
    return kept


@export
def expand(ctl: ptr, me: ptr, most: i64) -> i64:
    """Expand parts that no other worker has claimed, so many at most; whether there may be more."""
    for _ in range(most):
        number = atomic_add(ctl, 8 * CTL_CLAIMED, 1)
        if number >= word(ctl, CTL_PARTS):
            return 0
        expand_part(ctl, me, number)
    return 1


def expand_part(ctl: ptr, me: ptr, number: i64) -> None:
    """Compute the successors of one part; keep those not known to be old, in order."""
    ctx = address(me, ME_CTX)
    sums = address(me, ME_SUMS)
    mins = address(me, ME_MINS)
    recent = address(me, ME_RECENT)
    group = address(me, ME_SCRATCH)
    other = group + GROUP_BYTES
    part = address(ctl, CTL_CANDIDATES) + number * PART_BYTES
    edge = address(ctl, CTL_EDGES) + number * EDGE_PART_BYTES
    spare = alloca(ROW)
    filled = 0
    pending = 0
    waiting = 0
    kept = 0
    begin = number * PART
    end = begin + PART
    if end > word(ctl, CTL_COUNT):
        end = word(ctl, CTL_COUNT)
    for k in range(begin, end):
        state = word(ctl, CTL_HEAD) + k
        p = address(ctl, CTL_ROWS) + k * ROW
        if CONSTRAINED and not kernel_within(p, ctx):
            if EDGES:
                store32(address(ctl, CTL_DEGREES), 4 * k, NOT_EXPANDED)
            continue
        n = kernel_successors(p, group + filled * ROW, group + (GROUP_ACTIONS + 4 * filled), ctx)
        if unlikely(load64(ctx, 0) != 0):
            note_fault(me, ctx, state, -1)
            break
        if unlikely(n == 0):
            min_word(mins, MIN_DEADLOCK, state)
        if EDGES:
            store32(address(ctl, CTL_DEGREES), 4 * k, n)
        meta = state << ORDINAL_BITS
        for j in range(filled, filled + n):
            q = group + j * ROW
            action = load32(group, GROUP_ACTIONS + 4 * j)
            add_word(sums, SUM_ACTIONS + action, 1)
            if STEP_INVARIANTS:
                broken = step_invariants(p, q, ctx)
                if unlikely(broken != 0):
                    note_least(mins, MIN_STEP, broken, meta)
                if unlikely(load64(ctx, 0) != 0):
                    note_fault(me, ctx, state, meta & ((1 << ORDINAL_BITS) - 1))
            if SYMMETRIC:
                kernel_canonical(q, spare)
                copy(q, spare, ROW)
            lo = fingerprint(q)
            hi = fingerprint_more(q)
            if EDGES:
                store64(edge, 0, lo)
                if WIDE:
                    store64(edge, 8, hi)
                edge = edge + FINGERPRINT
            last = recent + (lo & (RECENT - 1)) * FINGERPRINT
            if load64(last, 0) != lo or (WIDE and load64(last, 8) != hi):
                store64(last, 0, lo)
                if WIDE:
                    store64(last, 8, hi)
                at = home(region_of(ctl, lo), lo)
                prefetch(at, 0)
                entry = group + (GROUP_PENDING + PENDING_BYTES * pending)
                store64(entry, 0, lo)
                store64(entry, 8, hi)
                store64(entry, 16, meta)
                store32(entry, 24, j)
                store32(entry, 28, action)
                store_ptr(entry, 32, at)
                pending += 1
            meta += 1
        filled += n
        if unlikely(word(me, ME_FAULT_WHAT) != 0):
            break
        if filled >= GROUP:
            kept = drain(ctl, other, waiting, part, kept)
            swap = group
            group = other
            other = swap
            waiting = pending
            pending = 0
            filled = 0
    kept = drain(ctl, other, waiting, part, kept)
    kept = drain(ctl, group, pending, part, kept)
    store64(address(ctl, CTL_KEPT), 8 * number, kept)
    add_word(sums, SUM_CANDIDATES, kept)


@export
def seed(ctl: ptr, rows: ptr, first: i64, n: i64) -> None:
    """Make initial states the candidates of part 0."""
    part = address(ctl, CTL_CANDIDATES)
    for k in range(n):
        row = rows + k * ROW
        store64(part, FINGERPRINT * k, fingerprint(row))
        if WIDE:
            store64(part, FINGERPRINT * k + 8, fingerprint_more(row))
        store64(part, META + 8 * k, INITIAL | (first + k))
        store32(part, ACTION + 4 * k, ACTIONS)
        copy(part + (ROWS + ROW * k), row, ROW)
    store64(address(ctl, CTL_KEPT), 0, n)


# --- insert -----------------------------------------------------------------------------
# Worker w of W owns the regions from REGIONS * w // W up to REGIONS * (w + 1) // W, and
# writes nothing that another reads meanwhile: its regions, and its own bytes of what is new.


def new_bytes(ctl: ptr, worker: i64, number: i64) -> ptr:
    """For each candidate of a part: whether the worker found it new."""
    return address(ctl, CTL_NEW) + (worker * PARTS + number) * PART_CANDIDATES


def owner(ctl: ptr, lo: i64) -> i64:
    return (((lo >> (64 - REGIONS_BITS)) + 1) * word(ctl, CTL_WORKERS) - 1) >> REGIONS_BITS


@export
def insert(ctl: ptr, me: ptr, worker: i64) -> i64:
    """Insert this worker's share of all candidates, in order; mark those that are new.

    Returns -1 when done, else the region that must grow before the work goes on.
    """
    low = word(me, ME_LOW)
    high = word(me, ME_HIGH)
    number = word(me, ME_PART)
    mine = address(me, ME_MINE)
    parts = word(ctl, CTL_PARTS)
    first = word(me, ME_POSITION)
    while number < parts:
        part = address(ctl, CTL_CANDIDATES) + number * PART_BYTES
        new = new_bytes(ctl, worker, number)
        found = load64(address(me, ME_NEW), 8 * number)
        count = 0
        for k in range(first, load64(address(ctl, CTL_KEPT), 8 * number)):
            which = load64(part, FINGERPRINT * k) >> (64 - REGIONS_BITS)
            store32(mine, 4 * count, k)
            count += (low <= which) & (which < high)
        for i in range(count):
            if i + AHEAD < count:
                ahead = load64(part, FINGERPRINT * load32(mine, 4 * (i + AHEAD)))
                prefetch(home(region_of(ctl, ahead), ahead), 0)
            k = load32(mine, 4 * i)
            lo = load64(part, FINGERPRINT * k)
            hi = load64(part, FINGERPRINT * k + 8) if WIDE else 0
            region = region_of(ctl, lo)
            at = probe(home(region, lo), lo, hi)
            fresh = load64(at, 0) == 0
            if fresh:
                if unlikely(
                    word(region, REGION_COUNT) >= word(region, REGION_LIMIT)
                    or at == address(region, REGION_END)
                ):
                    store64(address(me, ME_NEW), 8 * number, found)
                    set_word(me, ME_PART, number)
                    set_word(me, ME_POSITION, k)
                    return lo >> (64 - REGIONS_BITS)
                store64(at, 0, lo)
                if WIDE:
                    store64(at, 8, hi)
                add_word(region, REGION_COUNT, 1)
                found += 1
            store8(new, k, fresh)
        store64(address(me, ME_NEW), 8 * number, found)
        number += 1
        first = 0
    return -1


# --- settle -----------------------------------------------------------------------------


def row_at(ctl: ptr, state: i64) -> ptr:
    chunk = address(address(ctl, CTL_FRONTIER), state >> ROWS_SHIFT)
    return chunk + (state & ((1 << ROWS_SHIFT) - 1)) * ROW


def set_parent(ctl: ptr, state: i64, meta: i64) -> None:
    chunk = address(address(ctl, CTL_PARENTS), state >> PARENTS_SHIFT)
    set_word(chunk, state & ((1 << PARENTS_SHIFT) - 1), meta)


def check(me: ptr, p: ptr, state: i64) -> i64:
    """Check a new state's properties; the predicates that hold of it."""
    ctx = address(me, ME_CTX)
    mins = address(me, ME_MINS)
    if INVARIANTS:
        broken = kernel_invariants(p, ctx)
        if unlikely(broken != 0):
            note_least(mins, MIN_INVARIANT, broken, state)
    holding = 0
    if PREDICATES:
        holding = kernel_predicates(p, ctx)
        note_least(mins, MIN_PREDICATE, holding, state)
    if CONSTRAINED and not kernel_within(p, ctx):
        add_word(address(me, ME_SUMS), SUM_OUTSIDE, 1)
    if unlikely(load64(ctx, 0) != 0):
        note_fault(me, ctx, state, -1)
    return holding


@export
def settle(ctl: ptr, me: ptr, most: i64) -> i64:
    """Settle parts that no other worker has claimed, so many at most; whether there may be more."""
    for _ in range(most):
        number = atomic_add(ctl, 8 * CTL_CLAIMED, 1)
        if number >= word(ctl, CTL_PARTS):
            return 0
        settle_part(ctl, me, number)
    return 1


def settle_part(ctl: ptr, me: ptr, number: i64) -> None:
    """Number one part's new states, in order; store their rows and parents; check them."""
    part = address(ctl, CTL_CANDIDATES) + number * PART_BYTES
    state = load64(address(ctl, CTL_FIRST), 8 * number)
    for k in range(load64(address(ctl, CTL_KEPT), 8 * number)):
        lo = load64(part, FINGERPRINT * k)
        if load8(new_bytes(ctl, owner(ctl, lo), number), k):
            action = load32(part, ACTION + 4 * k)
            p = row_at(ctl, state)
            copy(p, part + (ROWS + ROW * k), ROW)
            set_parent(ctl, state, load64(part, META + 8 * k))
            add_word(address(me, ME_SUMS), SUM_ACTIONS + ACTIONS + action, 1)
            holding = check(me, p, state)
            if EDGES:
                hi = load64(part, FINGERPRINT * k + 8) if WIDE else 0
                store64(probe(home(region_of(ctl, lo), lo), lo, hi), FINGERPRINT, state)
                store64(address(ctl, CTL_MASKS), 8 * (state - word(ctl, CTL_TAIL)), holding)
            state += 1


@export
def link(ctl: ptr, number: i64, count: i64) -> None:
    """Turn one part's edges from fingerprints to indices, once all are numbered."""
    edge = address(ctl, CTL_EDGES) + number * EDGE_PART_BYTES
    target = address(ctl, CTL_TARGETS) + 4 * load64(address(ctl, CTL_FIRST_EDGE), 8 * number)
    for k in range(count):
        if k + AHEAD < count:
            ahead = load64(edge, FINGERPRINT * (k + AHEAD))
            prefetch(home(region_of(ctl, ahead), ahead), 0)
        lo = load64(edge, FINGERPRINT * k)
        hi = load64(edge, FINGERPRINT * k + 8) if WIDE else 0
        at = probe(home(region_of(ctl, lo), lo), lo, hi)
        store32(target, 4 * k, load64(at, FINGERPRINT))
