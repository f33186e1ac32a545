"""The kernel of the stack's monitor: takes values away until none is left, or none can go.  Dialect text.

Never imported: `stack` compiles this text, and says what it decides and why.

Values are numbered in order of the returns of their pushes.  A part is a row of numbers,
from lo up to hi, and holds those of them that were not taken away.  The law: in time,
there is a point between two parts at which no value is certainly on the stack, and none
within a part.

Four trees find what to take away.  A tree holds a number for each value, and in each node
the greatest of those below; a node's own summand counts for all below it.  So each value
costs a few walks from root to leaf, however deep the stack.
"""

# ruff: noqa: F403, F405
from __future__ import annotations

from scrutator.checker.linear.monitors.stack_words import *
from scrutator.checker.native.words import export, i64, load64, load_ptr, noinline, ptr, smax, store64

# --- trees: the greatest of each node, then its summand; node 1 is the root, leaves start at SIZE ------------


def greatest(tree: ptr, node: i64) -> i64:
    return load64(tree, 16 * node)


def summand(tree: ptr, node: i64) -> i64:
    return load64(tree, 16 * node + 8)


def raise_node(tree: ptr, node: i64, by: i64) -> None:
    store64(tree, 16 * node, greatest(tree, node) + by)
    store64(tree, 16 * node + 8, summand(tree, node) + by)


def refresh(tree: ptr, node: i64) -> None:
    store64(tree, 16 * node, smax(greatest(tree, 2 * node), greatest(tree, 2 * node + 1)) + summand(tree, node))


@noinline
def build(tree: ptr, size: i64) -> None:
    node = size - 1
    while node > 0:
        refresh(tree, node)
        node -= 1


@noinline
def change(tree: ptr, size: i64, lo: i64, hi: i64, by: i64) -> None:
    """Add to the numbers from lo up to hi."""
    if lo >= hi:
        return
    left = lo + size
    right = hi + size
    while left < right:
        if left & 1:
            raise_node(tree, left, by)
            left += 1
        if right & 1:
            right -= 1
            raise_node(tree, right, by)
        left = left >> 1
        right = right >> 1
    left = (lo + size) >> 1
    right = (hi - 1 + size) >> 1
    while left > 0:
        refresh(tree, left)
        if right != left:
            refresh(tree, right)
        left = left >> 1
        right = right >> 1


@noinline
def first(tree: ptr, node: i64, begin: i64, width: i64, lo: i64, hi: i64, least: i64) -> i64:
    """The first value from lo up to hi, below a node, whose number is at least so great; or -1."""
    if begin >= hi or begin + width <= lo or greatest(tree, node) < least:
        return -1
    if width == 1:
        return begin
    half = width >> 1
    rest = least - summand(tree, node)
    found = first(tree, 2 * node, begin, half, lo, hi, rest)
    if found >= 0:
        return found
    return first(tree, 2 * node + 1, begin + half, half, lo, hi, rest)


@noinline
def most(tree: ptr, size: i64, lo: i64, hi: i64) -> i64:
    """The greatest number from lo up to hi, in a tree without summands but at the leaves."""
    found = -GONE
    left = lo + size
    right = hi + size
    while left < right:
        if left & 1:
            found = smax(found, greatest(tree, left))
            left += 1
        if right & 1:
            right -= 1
            found = smax(found, greatest(tree, right))
        left = left >> 1
        right = right >> 1
    return found


# --- parts ------------------------------------------------------------------------------


@noinline
def take_away(b: ptr, lo: i64, hi: i64) -> i64:
    """Take away all values of a part that can be at the bottom from its beginning to its end; how many.

    Those pushed early enough are once and for all told from those that are not: parts only shrink.
    """
    size = load64(b, 8 * SIZE)
    unready = load_ptr(b, 8 * UNREADY)
    ready = load_ptr(b, 8 * READY)
    begins = load64(load_ptr(b, 8 * PUSH_RETURNED), 8 * lo)
    i = first(unready, 1, 0, size, lo, hi, -begins)
    while i >= 0:
        change(unready, size, i, i + 1, -GONE)
        change(ready, size, i, i + 1, GONE)
        i = first(unready, 1, 0, size, lo, hi, -begins)
    ends = most(load_ptr(b, 8 * LEFT), size, lo, hi)
    count = 0
    i = first(ready, 1, 0, size, lo, hi, ends)
    while i >= 0:
        change(ready, size, i, i + 1, -GONE)
        change(load_ptr(b, 8 * LEFT), size, i, i + 1, -GONE)
        change(load_ptr(b, 8 * ALONE), size, i, i + 1, -GONE)
        change(load_ptr(b, 8 * ALONE), size, i + 1, load64(load_ptr(b, 8 * COVERS), 8 * i), 1)
        count += 1
        i = first(ready, 1, 0, size, lo, hi, ends)
    return count


def push_part(b: ptr, top: i64, lo: i64, hi: i64) -> i64:
    parts = load_ptr(b, 8 * PARTS)
    store64(parts, 16 * top, lo)
    store64(parts, 16 * top + 8, hi)
    return top + 1


@export
def run(b: ptr) -> i64:
    """Take values away; 1 if all of them went, or 0 and LO, HI for a part of which none can."""
    size = load64(b, 8 * SIZE)
    for tree in range(UNREADY, ALONE + 1):
        build(load_ptr(b, 8 * tree), size)
    alone = load_ptr(b, 8 * ALONE)
    top = push_part(b, 0, 0, load64(b, 8 * COUNT))
    while top > 0:
        top -= 1
        lo = load64(load_ptr(b, 8 * PARTS), 16 * top)
        hi = load64(load_ptr(b, 8 * PARTS), 16 * top + 8)
        lo = first(alone, 1, 0, size, lo, hi, 0)
        if lo >= 0:
            split = first(alone, 1, 0, size, lo + 1, hi, 0)
            if split >= 0:
                top = push_part(b, top, split, hi)
                hi = split
            if take_away(b, lo, hi) == 0:
                store64(b, 8 * LO, lo)
                store64(b, 8 * HI, hi)
                return 0
            top = push_part(b, top, lo, hi)
    return 1
