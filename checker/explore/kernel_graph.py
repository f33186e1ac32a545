"""Backward over the graph of states: which states lead to given ones.  Dialect text.

Knows nothing of models; `possible` compiles it.  The graph comes as each state's number
of successors and all successors' indices one after the other.
"""

from __future__ import annotations

from scrutator.checker.native.words import export, i64, load8, load32, load64, ptr, store8, store32, store64


@export
def count_predecessors(targets: ptr, edges: i64, first: ptr) -> None:
    """Add to ``first[t + 1]`` the number of edges to state ``t``."""
    for k in range(edges):
        t = load32(targets, 4 * k)
        store64(first, 8 * (t + 1), load64(first, 8 * (t + 1)) + 1)


@export
def list_predecessors(degrees: ptr, states: i64, targets: ptr, next_free: ptr, predecessors: ptr) -> None:
    """Write each state into the lists of its successors; ``next_free`` starts as ``first``."""
    k = 0
    for s in range(states):
        for _ in range(load32(degrees, 4 * s)):
            t = load32(targets, 4 * k)
            free = load64(next_free, 8 * t)
            store32(predecessors, 4 * free, s)
            store64(next_free, 8 * t, free + 1)
            k += 1


@export
def flood(first: ptr, predecessors: ptr, marked: ptr, queue: ptr, waiting: i64) -> None:
    """Mark whatever leads to the states waiting in the queue, which are marked already."""
    done = 0
    while done < waiting:
        t = load32(queue, 4 * done)
        done += 1
        for k in range(load64(first, 8 * t), load64(first, 8 * t + 8)):
            s = load32(predecessors, 4 * k)
            if not load8(marked, s):
                store8(marked, s, 1)
                store32(queue, 4 * waiting, s)
                waiting += 1
