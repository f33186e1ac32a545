"""The kernel of the priority queues' monitor: when each value may go at the earliest.  Dialect text.

Never imported: `priority_queue` compiles this text.

Points of time are numbered in order.  The law: those that a value of higher priority
covers lead, by way of their successors, to the first one from there on that none covers.
"""

from __future__ import annotations

from scrutator.checker.native.words import export, i64, load64, ptr, store64


def first_gap(following: ptr, point: i64) -> i64:
    """The first point from there on that is not covered; shortens the way for the next who asks."""
    found = point
    while load64(following, 8 * found) != found:
        found = load64(following, 8 * found)
    while point != found:
        after = load64(following, 8 * point)
        store64(following, 8 * point, found)
        point = after
    return found


@export
def run(count: i64, following: ptr, earliest: ptr, latest: ptr, covered: ptr, gone: ptr) -> i64:
    """Let values go in order of priority; the first that cannot, or count.

    A value may go from the point ``earliest`` to before the point ``latest``; it covers
    those from the point ``covered`` to before the one at which it goes, which is noted.
    """
    for value in range(count):
        point = first_gap(following, load64(earliest, 8 * value))
        if point >= load64(latest, 8 * value):
            return value
        store64(gone, 8 * value, point)
        at = first_gap(following, load64(covered, 8 * value))
        while at < point:
            store64(following, 8 * at, at + 1)
            at = first_gap(following, at)
    return count
