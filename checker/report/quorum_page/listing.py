"""Which quorums a page draws: a few rows for each set of quorums, and how many there are in all.

Law: what is drawn was never chosen by listing what explodes: sizes are looked at first, and what is
cut short says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, log10

from scrutator.checker.quorum.blocking import smallest_blocking, smallest_quorum
from scrutator.checker.quorum.circuit import Circuit, compiled
from scrutator.checker.quorum.minimal_sets import count_minimal_quorums, minimal_sets
from scrutator.checker.quorum.programme import TimedOut
from scrutator.model.quorums.expression import Expression

ROWS_MAX = 200  # of all sets of quorums together
ROWS_MIN = 12  # of one
LISTING_WORK = 4_000_000  # rows times nodes times parts of the expression
ONE_BY_ONE_MAX = 3_000_000  # nodes times parts: beyond, only one quorum is shown
TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Listing:
    """Minimal quorums to draw, ``count`` in words; all there are if ``complete``."""

    sets: tuple[frozenset[str], ...]
    count: str
    complete: bool


def listing(expression: Expression, rows: int) -> Listing:
    """Up to so many minimal quorums, fewer where each takes long to find."""
    circuit = compiled(expression)
    if isinstance(circuit, bool):
        return Listing((frozenset(),) if circuit else (), "the empty set alone" if circuit else "none", True)
    counted = count_minimal_quorums(expression)
    count = in_words(counted.value) if counted.exact else f"at least {in_words(counted.value)}"
    each = _work(circuit)
    if each > ONE_BY_ONE_MAX:
        try:
            return Listing((smallest_quorum(expression, timeout_s=TIMEOUT_S),), count, False)
        except TimedOut:
            return Listing((), count, False)
    found = minimal_sets(expression, max(min(rows, ROWS_MIN), min(rows, LISTING_WORK // each)))
    return Listing(found.sets, count, found.complete)


def _work(circuit: Circuit) -> int:
    return max(1, len(circuit.names) * len(circuit.parts))


def blocking(expression: Expression) -> frozenset[str] | None:
    """A smallest set of nodes without which nothing is a quorum; None where there is none, or no time."""
    if isinstance(compiled(expression), bool):
        return None
    try:
        return smallest_blocking(expression, timeout_s=TIMEOUT_S)
    except TimedOut:
        return None


def in_words(count: int) -> str:
    """A number, to three digits where it has many.

    >>> in_words(352716), in_words(10**40)
    ('352,716', 'about 1.00 × 10^40')
    """
    if count < 10**12:
        return f"{count:,}"
    exponent = floor(log10(count) + 1e-12)
    return f"about {10 ** (log10(count) - exponent):.2f} × 10^{exponent}"
