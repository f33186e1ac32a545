"""Classes of a reduced system that may be exchanged: organisations that all others treat the same.

Classes are in one orbit if exchanging any two of them, nodes and all, leaves the system as it is.  Law:
of choices that differ by such exchanges only the one whose counts fall along each orbit is looked at.
A choice hits all exchanged copies of another set iff it hits the one that has most where it has least.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise, product
from math import factorial, prod

from scrutator.checker.quorum.federated.reduce import Counts, Gate, Reduced

Orbits = tuple[tuple[int, ...], ...]


def orbits(system: Reduced) -> Orbits:
    """The orbits of more than one class, each in order of its classes."""
    colours = _colours(system)
    found: list[list[int]] = []
    for c in range(len(system.classes)):
        home = next((one for one in found if colours[one[0]] == colours[c] and exchangeable(system, one[0], c)), None)
        if home is None:
            found.append([c])
        else:
            home.append(c)
    return tuple(tuple(one) for one in found if len(one) > 1)


def exchangeable(system: Reduced, one: int, other: int) -> bool:
    """Whether the system is the same with the two classes exchanged."""
    if system.sizes[one] != system.sizes[other] or system.makers[one] != system.makers[other]:
        return False
    swap = {one: other, other: one}
    numbers = {_key(gate): k for k, gate in enumerate(system.gates)}
    image: list[int] = []
    for gate in system.gates:
        moved = Gate(
            gate.needed,
            tuple((swap.get(c, c), weight) for c, weight in gate.classes),
            tuple((image[g], weight) for g, weight in gate.gates),
        )
        number = numbers.get(_key(moved))
        if number is None:
            return False
        image.append(number)
    return all(system.slices[swap.get(c, c)] == image[gate] for c, gate in enumerate(system.slices))


def _key(gate: Gate) -> tuple[object, ...]:
    return gate.needed, frozenset(gate.classes), frozenset(gate.gates)


def _colours(system: Reduced) -> list[object]:
    """What classes that can be exchanged have in common, cheap to compare."""
    shapes: list[int] = []
    for gate in system.gates:
        sizes = sorted((system.sizes[c], weight) for c, weight in gate.classes)
        shapes.append(hash((gate.needed, tuple(sizes), tuple(sorted((shapes[g], weight) for g, weight in gate.gates)))))
    around: list[list[int]] = [[] for _ in system.classes]
    for shape, gate in zip(shapes, system.gates, strict=True):
        for c, _ in gate.classes:
            around[c].append(shape)
    return [
        (size, maker, shapes[gate], tuple(sorted(near)))
        for size, maker, gate, near in zip(system.sizes, system.makers, system.slices, around, strict=True)
    ]


def opposite(choice: Counts, all_orbits: Orbits) -> Counts:
    """The exchanged copy whose counts rise along each orbit: the one that falling counts hit last."""
    found = list(choice)
    for orbit in all_orbits:
        for c, count in zip(orbit, sorted(choice[c] for c in orbit), strict=True):
            found[c] = count
    return tuple(found)


def narrowed(low: Counts, high: Counts, all_orbits: Orbits) -> tuple[Counts, Counts]:
    """The bounds of those choices in a box whose counts fall along each orbit."""
    lows, highs = list(low), list(high)
    for orbit in all_orbits:
        for before, after in pairwise(orbit):
            highs[after] = min(highs[after], highs[before])
        for before, after in ((a, b) for b, a in pairwise(reversed(orbit))):
            lows[before] = max(lows[before], lows[after])
    return tuple(lows), tuple(highs)


def copies(choice: Counts, all_orbits: Orbits) -> int:
    """How many choices there are that differ from it by exchanges, itself among them."""
    return prod(
        factorial(len(orbit)) // prod(factorial(times) for times in Counter(choice[c] for c in orbit).values())
        for orbit in all_orbits
    )


def exchanged(choice: Counts, all_orbits: Orbits) -> Iterator[Counts]:
    """Each choice that differs from it by exchanges, itself among them."""
    for arranged in product(*(_arrangements(Counter(choice[c] for c in orbit)) for orbit in all_orbits)):
        found = list(choice)
        for orbit, counts in zip(all_orbits, arranged, strict=True):
            for c, count in zip(orbit, counts, strict=True):
                found[c] = count
        yield tuple(found)


def _arrangements(left: Counter[int]) -> Iterator[tuple[int, ...]]:
    """The distinct orders of numbers, each so many times."""
    if not left.total():
        yield ()
    for count in sorted(left):
        if left[count]:
            left[count] -= 1
            yield from ((count, *rest) for rest in _arrangements(left))
            left[count] += 1
