"""Which quorums a page draws: a few rows for each set of quorums, and how many there are in all.

Law: what is drawn was never chosen by listing what explodes: sizes are looked at first, and what is
cut short says so.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from math import comb, floor, log10
from random import Random

from scrutator.checker.quorum.blocking import smallest_blocking, smallest_quorum
from scrutator.checker.quorum.circuit import Circuit, Shape, compiled, steps
from scrutator.checker.quorum.minimal_sets import LISTED_MAX, MinimalSets, count_minimal_quorums, minimal_sets
from scrutator.checker.quorum.programme import TimedOut
from scrutator.model.quorums.expression import Expression

ROWS_MAX = 200  # of all sets of quorums together
ROWS_MIN = 12  # of one
LISTING_WORK = 4_000_000  # rows times nodes times parts of the expression
MANY = 12  # nodes, or weighted members: of fewer, any choice may be looked at
ONE_BY_ONE_MAX = 3_000_000  # nodes times parts: beyond, only one quorum is shown
TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Listing:
    """Minimal quorums to draw, ``count`` in words; all there are if ``complete``."""

    sets: tuple[frozenset[str], ...]
    count: str
    complete: bool


def listing(expression: Expression, rows: int) -> Listing:
    """Up to so many minimal quorums, fewer where each takes long to find.

    Where there are more, they are drawn by lot, always the same: the first in any order would all look
    alike.
    """
    circuit = compiled(expression)
    if isinstance(circuit, bool):
        return Listing((frozenset(),) if circuit else (), "the empty set alone" if circuit else "none", True)
    each = _work(circuit)
    rows = max(min(rows, ROWS_MIN), min(rows, LISTING_WORK // each))
    few = len(circuit.names) <= MANY or _at_most(circuit) <= LISTED_MAX
    apart = all(step.shape is not Shape.TANGLED for step in steps(circuit, alternatives=True))
    counted = count_minimal_quorums(expression) if few or apart else None
    count = "an unknown number of" if counted is None else in_words(counted.value)
    if counted is not None and not counted.exact:
        count = f"at least {count}"
    if each > ONE_BY_ONE_MAX and not few:
        return Listing(_smallest(expression), count, False)
    found = minimal_sets(expression, rows) if few else MinimalSets((), False)
    if found.complete:
        return Listing(found.sets, count, True)
    small = found.sets[: rows // 2]
    drawn = dict.fromkeys((*_drawn(circuit, rows - len(small)), *small))
    return Listing(tuple(sorted(drawn, key=len)), count, False)


def _smallest(expression: Expression) -> tuple[frozenset[str], ...]:
    try:
        return (smallest_quorum(expression, timeout_s=TIMEOUT_S),)
    except TimedOut:
        return ()


def _at_most(circuit: Circuit) -> int:
    """So many sets at most come up where minimal quorums are listed from those of the members."""
    found: list[int] = []
    for part in circuit.parts:
        if isinstance(part, str):
            found.append(1)
            continue
        each = [found[position] for position in part.positions]
        if part.needed == 1:
            most = sum(each)
        elif all(weight == 1 for weight, _ in part.members):
            choices = comb(len(each), part.needed)
            most = choices if choices > LISTED_MAX else choices * max(each) ** part.needed
        else:
            most = 2 ** len(each) * max(each) ** len(each) if len(each) < MANY else LISTED_MAX + 1
        found.append(min(most, LISTED_MAX + 1))
    return found[-1] if all(most <= LISTED_MAX for most in found) else LISTED_MAX + 1


def _drawn(circuit: Circuit, count: int) -> Iterator[frozenset[str]]:
    """Minimal quorums by lot: of nodes in a random order, what is needed of the fewest that make one."""
    random = Random(0)
    names = sorted(circuit.names)
    for _ in range(count):
        random.shuffle(names)
        fewest = bisect_left(range(len(names) + 1), True, key=lambda k: circuit.is_quorum(frozenset(names[:k])))
        kept = set(names[:fewest])
        for name in names[:fewest]:
            kept.discard(name)
            if not circuit.is_quorum(kept):
                kept.add(name)
        yield frozenset(kept)


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
