"""A small simplex for small programmes: where HiGHS takes longer to be called than to compute.

Law: may fail, never misleads: what it finds is bounded by a certificate like everything else
(`optimise`), and where the bound is not reached, or it gives up, HiGHS is asked.  Textbook dense tableau,
Dantzig's rule; the start is a vertex known beforehand, so there is no first phase but for limits.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
CELLS_MAX = 12_000  # of the tableau, up to which this is faster
EPSILON = 1e-11


class GaveUp(Exception):
    """Too many steps, or numbers that ran away."""


def minimise(costs: Array, upper: Array, bounds: Array, reads: int, writes: int, fractions: int) -> tuple[float, Array, Array] | None:
    """The least of ``costs @ x`` for x >= 0 with ``upper @ x <= bounds``; the value, x, and duals of ``upper``.

    The first ``reads`` variables add up to 1, and so do the next ``writes``.  Then come the loads of
    ``fractions``, each with as many rows as the others, from the first row on, and -1 in them; then
    perhaps one that can make up for every other row.  None if nothing is feasible; raises `GaveUp`.
    """
    rows, columns = upper.shape
    loads = reads + writes
    spare = columns > loads + fractions
    limited = _limits(upper, fractions, loads)
    # Columns: x, a variable that relaxes the limits where there is none, slacks, the right side.
    relaxed = columns if not spare else columns - 1
    width = columns + (not spare)
    tableau = np.zeros((rows + 2, width + rows + 1))
    tableau[:rows, :columns] = upper
    if not spare:
        tableau[rows - limited : rows, columns] = -1.0
    tableau[:rows, width:-1] = np.eye(rows)
    tableau[:rows, -1] = bounds
    tableau[rows, :reads] = tableau[rows + 1, reads:loads] = 1.0
    tableau[rows:, -1] = 1.0
    basis = np.concatenate([np.arange(width, width + rows), [0, reads]])
    _begin(tableau, basis, rows, fractions, loads, limited, relaxed)
    if not spare and limited:
        first = np.zeros(width + rows)
        first[relaxed] = 1.0
        value, _ = _descend(tableau, basis, first, -1)
        if value > EPSILON * 10:
            return None
    full = np.concatenate([costs, np.zeros(width - columns + rows)])
    value, reduced = _descend(tableau, basis, full, -1 if spare else relaxed)
    found = np.zeros(width + rows)
    found[basis] = tableau[:, -1]
    return value, found[:columns], np.maximum(reduced[width:], 0.0)


def _limits(upper: Array, fractions: int, loads: int) -> int:
    """How many rows, the last ones, are limits: no load is in them with -1."""
    return int((upper[:, loads : loads + fractions].min(axis=1) >= 0).sum())


def _begin(tableau: Array, basis: NDArray[np.int64], rows: int, fractions: int, loads: int, limited: int, relaxed: int) -> None:
    """A vertex: the first read, the first write, the loads they cause, and limits relaxed as needed."""
    _pivot(tableau, rows, int(basis[rows]))
    _pivot(tableau, rows + 1, int(basis[rows + 1]))
    nodes = (rows - limited) // fractions
    for i in range(fractions):
        busiest = i * nodes + int(np.argmin(tableau[i * nodes : (i + 1) * nodes, -1]))
        _pivot(tableau, busiest, loads + i)
        basis[busiest] = loads + i
    if limited:
        tail = tableau[rows - limited : rows]
        excess = tail[:, -1] / -tail[:, relaxed]
        worst = rows - limited + int(np.argmax(-tail[:, -1] / -tail[:, relaxed]))
        if excess.min() < 0:
            _pivot(tableau, worst, relaxed)
            basis[worst] = relaxed


def _descend(tableau: Array, basis: NDArray[np.int64], costs: Array, barred: int) -> tuple[float, Array]:
    """Pivots until no reduced cost is negative; the value and the reduced costs."""
    reduced = costs - costs[basis] @ tableau[:, :-1]
    value = float(costs[basis] @ tableau[:, -1])
    for _ in range(50 + 4 * len(basis)):
        if barred >= 0:
            reduced[barred] = max(reduced[barred], 0.0)
        entering = int(reduced.argmin())
        if reduced[entering] >= -EPSILON:
            if not np.isfinite(value):
                break
            return value, reduced
        column = tableau[:, entering]
        able = column > EPSILON
        if not able.any():
            break
        ratios = np.where(able, tableau[:, -1] / np.where(able, column, 1.0), np.inf)
        if barred >= 0:  # what may not come back must leave first
            ratios[(basis == barred) & (np.abs(column) > EPSILON)] = 0.0
        leaving = int(ratios.argmin())
        _pivot(tableau, leaving, entering)
        basis[leaving] = entering
        value += reduced[entering] * tableau[leaving, -1]
        reduced = reduced - reduced[entering] * tableau[leaving, :-1]
    raise GaveUp


def _pivot(tableau: Array, row: int, column: int) -> None:
    tableau[row] /= tableau[row, column]
    factors = tableau[:, column].copy()
    factors[row] = 0.0
    tableau -= factors[:, None] * tableau[row]
