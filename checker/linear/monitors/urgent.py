"""Of all that comes after one in a row and is there late enough, which is the most urgent: for many at once.

The law: halves of ever longer stretches of the row answer each other, so that everyone
hears of all that come after, each once.
"""

from __future__ import annotations

import numpy as np

from scrutator.checker.linear.history import Int64s
from scrutator.checker.linear.monitors.collection import NOBODY, Bools


def most_urgent(asks: Bools, tells: Bools, since: Int64s, until: Int64s, due: Int64s) -> Int64s:
    """For each place that asks, the one that is due first of those after it that tell, with until > since; or NOBODY.

    All columns are as long as the row; ``since`` counts where one asks, the others where one tells.
    """
    count = len(asks)
    times = np.sort(until)
    last = np.searchsorted(times, until, side="left")
    first = np.searchsorted(times, since, side="right")  # that place among the times, or a later one
    by_due = np.argsort(due, kind="stable")
    urgency = np.empty(count, np.int64)
    urgency[by_due] = np.arange(count)
    best = np.full(count, count)
    ask, tell, places = np.flatnonzero(asks), np.flatnonzero(tells), np.arange(count)
    width = 1
    while width < count:
        block = places // width
        some, others = ask[block[ask] % 2 == 0], tell[block[tell] % 2 == 1]
        width *= 2
        if not len(some) or not len(others):
            continue
        base = block * (count + 1)  # tells blocks apart, in sorting and in taking least numbers
        others = others[np.argsort((base + last)[others])]
        least = np.minimum.accumulate((base + urgency)[others][::-1])[::-1]
        at = np.searchsorted((base + last)[others], (base + first)[some] + count + 1, side="left")
        at = np.minimum(at, len(others) - 1)
        answers = (block[others[at]] == block[some] + 1) & (last[others[at]] >= first[some])
        some, at = some[answers], at[answers]
        best[some] = np.minimum(best[some], least[at] - base[others[at]])
    found: Int64s = np.append(by_due, NOBODY)[best]
    return found
