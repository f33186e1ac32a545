"""How many minimal quorums there are, and which: all of them, or as many as were asked for.

Members that share no node are counted without being listed.  Law: a count or a list that is cut short
says so, and every set that is given is a quorum of which no part is one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from math import prod

from scrutator.checker.quorum.circuit import Circuit, Gate, Shape, Step, compiled, steps
from scrutator.model.quorums.expression import Expression, Node

LISTED_MAX = 3_000  # sets that are compared with one another
WORK_MAX = 5_000_000  # parts looked at in searching for sets: some seconds
COUNTED_MAX = 1_000  # sets that are listed only to be counted
SUMS_MAX = 5_000_000  # additions in counting the choices of one threshold
LIMBS_MAX = 20_000_000  # numbers held at once in doing so
LIMIT = 100


@dataclass(frozen=True, slots=True)
class Count:
    """A number of sets; not ``exact`` where there may be more."""

    value: int
    exact: bool = True

    def __str__(self) -> str:
        return f"{self.value:,}" if self.exact else f"at least {self.value:,}"


@dataclass(frozen=True, slots=True)
class MinimalSets:
    """Minimal sets, smaller ones first; all there are if ``complete``."""

    sets: tuple[frozenset[str], ...]
    complete: bool


def count_minimal_quorums(expression: Expression, limit: int = COUNTED_MAX) -> Count:
    """How many quorums there are of which no part is one.

    Exact where members share no node; where they do, sets are listed, and beyond ``limit`` it is "at least".

    >>> from scrutator.model.quorums import parse
    >>> str(count_minimal_quorums(parse("majority(n1, ..., n21)")))
    '352,716'
    """
    circuit = compiled(expression)
    if isinstance(circuit, bool):
        return Count(int(circuit))
    counts: dict[int, Count] = {}
    for step in steps(circuit):
        part = circuit.parts[step.position]
        if isinstance(part, str):
            counts[step.position] = Count(1)
        elif step.shape is Shape.APART:
            counts[step.position] = _of_threshold(part, counts)
        else:
            counts[step.position] = _of_tangled(circuit, step, counts, limit)
    return counts[circuit.root]


def minimal_sets(expression: Expression, limit: int = LIMIT) -> MinimalSets:
    """Quorums of which no part is one, as many as there are up to ``limit``.

    The smallest ones where all could be listed; otherwise small ones, as they are met.
    """
    circuit = compiled(expression)
    if isinstance(circuit, bool):
        return MinimalSets((frozenset(),) if circuit else (), True)
    masks = _all(circuit, max(limit, LISTED_MAX))
    complete = masks is not None and len(masks) <= limit
    if masks is None:
        search = _Search(circuit, limit)
        masks, complete = search.found, search.complete
    sets = sorted((_names(circuit, mask) for mask in masks), key=lambda s: (len(s), sorted(s)))
    return MinimalSets(tuple(sets[:limit]), complete)


def minimal_blocking_sets(expression: Expression, limit: int = LIMIT) -> MinimalSets:
    """Sets of nodes without which there is no quorum, and no part of which is one, up to ``limit``."""
    return minimal_sets(expression.dual(), limit)


# --- counting -----------------------------------------------------------------------------


def _of_threshold(gate: Gate, counts: Mapping[int, Count]) -> Count:
    """Heaviest first, a choice of members is minimal iff the one that reaches the threshold ends it.

    ``ways[s - low]`` are the choices so far of weight s that are below it, and can still reach it.
    """
    exact = all(counts[position].exact for position in gate.positions)
    if gate.needed * len(gate.members) > SUMS_MAX and all(counts[k] == Count(1) for k in gate.positions):
        found = _of_nodes(sorted((weight for weight, _ in gate.members), reverse=True), gate.needed)
        if found is not None:
            return Count(found)
    left = sum(weight for weight, _ in gate.members)
    low, ways, total, work = 0, [1], 0, 0
    for weight, position in sorted(gate.members, key=lambda member: -member[0]):
        each = counts[position].value
        left -= weight
        reaching = max(gate.needed - weight - low, 0)  # from there on, this member reaches the threshold
        total += each * sum(ways[reaching:])
        work += len(ways)
        if work > SUMS_MAX:
            return Count(total, False)
        size = min(len(ways) + weight, gate.needed - low)
        if size > SUMS_MAX:  # weights as large as that would fill the memory
            return Count(total, False)
        longer = ways + [0] * (size - len(ways))
        longer[weight:] = [a + each * b for a, b in zip(longer[weight:], ways, strict=False)]
        start = min(max(gate.needed - left - low, 0), size)
        low, ways = low + start, longer[start:]
    return Count(total, exact)


def _of_nodes(weights: list[int], needed: int) -> int | None:
    """The same for single nodes, many sums at a time: counts are rows of digits to the base 2**32.

    Adding doubles a digit at most, so carries can wait.  None if the table would be too large.
    """
    import numpy as np

    digits = len(weights) // 32 + 2
    if digits * needed > LIMBS_MAX:
        return None
    ways = np.zeros((digits, needed), dtype=np.uint64)
    ways[0, 0] = 1
    spare = 63 - 32 - needed.bit_length()
    low, high, left, total, doubled = 0, 1, sum(weights), 0, 0
    for weight in weights:  # ways[:, low:high] are in use
        left -= weight
        reaching = ways[:, max(needed - weight, low) : high].sum(axis=1)
        total += sum(int(digit) << 32 * k for k, digit in enumerate(reaching))
        grown = min(high + weight, needed)
        if grown - weight > low:
            ways[:, low + weight : grown] += ways[:, low : grown - weight]
        low, high, doubled = max(low, min(needed - left, grown)), grown, doubled + 1
        if doubled == spare:
            doubled = 0
            for k in range(digits - 1):
                ways[k + 1, low:high] += ways[k, low:high] >> np.uint64(32)
                ways[k, low:high] &= np.uint64(2**32 - 1)
    return total


def _of_tangled(circuit: Circuit, step: Step, counts: Mapping[int, Count], limit: int) -> Count:
    """Minimal sets of independent parts, each of which stands for as many sets as its parts allow."""
    independent = set(step.sources)
    outline = circuit.expression(step.position, lambda k: Node(str(k)) if k in independent else None)
    listed = minimal_sets(outline, limit)
    value = sum(prod(counts[int(name)].value for name in chosen) for chosen in listed.sets)
    return Count(value, listed.complete and all(counts[k].exact for k in independent))


# --- listing all --------------------------------------------------------------------------


def _all(circuit: Circuit, limit: int) -> list[int] | None:
    """All minimal quorums as masks, from those of the members; None if there are more than that anywhere."""
    sets: list[list[int]] = []
    for position, part in enumerate(circuit.parts):
        if isinstance(part, str):
            sets.append([circuit.below[position]])
            continue
        found: set[int] = set()
        apart = sum(circuit.below[k].bit_count() for k in part.positions) == circuit.below[position].bit_count()
        choices = list(islice(_choices(part), limit + 1))
        if len(choices) > limit:
            return None
        for chosen in choices:
            products = {0}
            for k in chosen:
                if len(products) * len(sets[k]) > 20 * limit:  # even where most turn out to be equal
                    return None
                products = {a | b for a in products for b in sets[k]}
            found |= products
            if len(found) > limit:
                return None
        sets.append(list(found) if apart else _minimal(found))
    return sets[-1]


def _minimal(masks: set[int]) -> list[int]:
    kept: list[int] = []
    for mask in sorted(masks, key=int.bit_count):
        if not any(other & mask == other for other in kept):
            kept.append(mask)
    return kept


def _choices(gate: Gate) -> Iterator[tuple[int, ...]]:
    """The minimal choices of members that reach the threshold."""
    ordered = sorted(gate.members, key=lambda member: -member[0])
    left = [0] * (len(ordered) + 1)
    for k in reversed(range(len(ordered))):
        left[k] = left[k + 1] + ordered[k][0]
    stack: list[tuple[int, int, tuple[int, ...]]] = [(0, gate.needed, ())]
    while stack:  # heaviest first: what reaches the threshold is the lightest so far
        k, needed, chosen = stack.pop()
        if needed <= 0:
            yield chosen
        elif left[k] >= needed:
            stack.append((k + 1, needed, chosen))
            stack.append((k + 1, needed - ordered[k][0], (*chosen, ordered[k][1])))


def _names(circuit: Circuit, mask: int) -> frozenset[str]:
    return frozenset(part for k, part in enumerate(circuit.parts) if isinstance(part, str) and mask >> k & 1)


# --- listing some -------------------------------------------------------------------------


class _Search:
    """Minimal quorums up to a limit: of one that was found, every other one lacks a node.

    A place in the search is what is left of the nodes, and those that must be in: leaving out the k-th
    node of a quorum, those before it stay, so that no quorum is looked for in two places.  Source: Reiter,
    "A theory of diagnosis from first principles", 1987.
    """

    def __init__(self, circuit: Circuit, limit: int) -> None:
        self.circuit = circuit
        self.found: list[int] = []
        self.complete = False
        each = len(circuit.parts) * circuit.below[-1].bit_count()  # parts looked at in a place, roughly
        self._search(limit, min(30 * limit + 1_000, WORK_MAX // max(each, 1)))

    def _search(self, limit: int, places_max: int) -> None:
        known: set[int] = set()
        places = deque([(self.circuit.below[-1], 0)])
        while places:
            left, kept = places.popleft()
            places_max -= 1
            if places_max < 0:
                return
            only = _is_quorum(self.circuit, kept)  # then what must be in is the one candidate
            quorum = small_quorum(self.circuit, kept if only else left)
            if quorum is None or (only and quorum != kept):
                continue
            if quorum not in known:
                if len(known) >= limit:
                    return
                known.add(quorum)
                self.found.append(quorum)
            if not only:
                for bit in _bits(quorum & ~kept):
                    places.append((left & ~bit, kept))
                    kept |= bit
        self.complete = True


def small_quorum(circuit: Circuit, left: int, favoured: int = 0) -> int | None:
    """A minimal quorum of the nodes that are left, as bit masks; with a favoured node, if that is easy to see.

    Members with favoured nodes come first, then small ones; what is not needed goes, favoured ones last.
    """
    masks: list[int | None] = []
    for position, part in enumerate(circuit.parts):
        if isinstance(part, str):
            own = circuit.below[position]
            masks.append(own if own & left else None)
        else:
            masks.append(_light(part, masks, favoured))
    quorum = masks[-1]
    if quorum is None:
        return None
    for bit in (*_bits(quorum & ~favoured), *_bits(quorum & favoured)):
        if _is_quorum(circuit, quorum & ~bit):
            quorum &= ~bit
    return quorum


def _is_quorum(circuit: Circuit, mask: int) -> bool:
    held: list[bool] = []
    for position, part in enumerate(circuit.parts):
        if isinstance(part, str):
            held.append(mask >> position & 1 == 1)
        else:
            held.append(sum(weight for weight, member in part.members if held[member]) >= part.needed)
    return held[-1]


def _light(gate: Gate, masks: Sequence[int | None], favoured: int) -> int | None:
    """The union of members that reach the threshold, those first that bring most weight for a node."""
    sized = [
        (not mask & favoured, mask.bit_count() / weight, weight, mask)
        for weight, k in gate.members
        if (mask := masks[k]) is not None
    ]
    needed, union = gate.needed, 0
    for _, _, weight, mask in sorted(sized):
        union |= mask
        needed -= weight
        if needed <= 0:
            return union
    return None


def _bits(mask: int) -> Iterator[int]:
    while mask:
        bit = mask & -mask
        yield bit
        mask ^= bit
