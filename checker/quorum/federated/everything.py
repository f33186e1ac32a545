"""All minimal quorums and all minimal blocking sets: counted, and listed up to a limit.

Choices of units are searched in boxes: at least ``low``, at most ``high`` of each.  A box is left
where nothing minimal can be in it: its most is not enough, or one of its least could never be needed.
Law: sets are counted by classes of alike nodes, and those by orbits, never one by one, so that
millions are counted where only thousands of choices are looked at.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, product

from scrutator.checker.quorum.federated.core import reduced_core
from scrutator.checker.quorum.federated.minimal import minimal_within
from scrutator.checker.quorum.federated.reduce import Counts
from scrutator.checker.quorum.federated.symmetry import copies, exchanged, narrowed
from scrutator.checker.quorum.federated.units import Units, units_of
from scrutator.checker.quorum.programme import TimedOut
from scrutator.model.quorums.federated import FederatedSystem

SETS_MAX = 10_000


@dataclass(frozen=True, slots=True)
class AllMinimal:
    """All minimal sets of a kind: how many of each size, and the sets themselves, smallest first.

    Sets are of nodes, or of groups.  ``sets`` is None where there are more than the limit.
    """

    sizes: Mapping[int, int]
    sets: tuple[frozenset[str], ...] | None
    members: frozenset[str]  # of any of them

    @property
    def count(self) -> int:
        """How many there are."""
        return sum(self.sizes.values())


def minimal_quorums(
    system: FederatedSystem,
    *,
    by: Mapping[str, str] | None = None,
    sets_max: int = SETS_MAX,
    timeout_s: float | None = None,
) -> AllMinimal:
    """Every quorum that holds no other; with ``by``, every minimal set of groups that holds a quorum.

    Raises `TimedOut`.
    """
    until = None if timeout_s is None else time.monotonic() + timeout_s
    found: list[tuple[Units, list[Counts]]] = []
    for part in reduced_core(system, by):
        units = units_of(part, by)
        found.append((units, list(_holding(units, until))))
    return _gathered(found, sets_max)


def minimal_blocking_sets(
    system: FederatedSystem,
    *,
    by: Mapping[str, str] | None = None,
    sets_max: int = SETS_MAX,
    timeout_s: float | None = None,
) -> AllMinimal:
    """Every minimal set of nodes, or of groups, without which no quorum is left.

    The one of a system without quorums is empty.  Raises `TimedOut`.
    """
    until = None if timeout_s is None else time.monotonic() + timeout_s
    whole = AllMinimal({0: 1}, (frozenset(),), frozenset())
    for part in reduced_core(system, by):
        units = units_of(part, by)
        whole = _both(whole, _gathered([(units, list(_blocking(units, until)))], sets_max), sets_max)
    return whole


def _holding(units: Units, until: float | None) -> Iterator[Counts]:
    """The minimal choices that hold a quorum: each box hits one blocking set more."""
    boxes = [((0,) * len(units.most), units.most)]
    while boxes:
        low, high = narrowed(*boxes.pop(), units.orbits)
        _check_time(until)
        reach = units.part.greatest_quorum(units.counts(high))
        if _is_empty(low, high) or not any(reach) or not units.within(low, reach):
            continue
        if units.holds(low):
            if _is_minimal(low, units.holds):
                yield low
            continue
        others = tuple(most - chosen for most, chosen in zip(units.most, low, strict=True))
        boxes.extend(_hitting(units, _shrunk(others, units.blocks), low, high))


def _shrunk(choice: Counts, enough: Callable[[Counts], bool]) -> Counts:
    """A minimal choice within one that is enough."""
    for u in range(len(choice)):
        while choice[u]:
            smaller = (*choice[:u], choice[u] - 1, *choice[u + 1 :])
            if not enough(smaller):
                break
            choice = smaller
    return choice


def _hitting(units: Units, hit: Counts, low: Counts, high: Counts) -> Iterator[tuple[Counts, Counts]]:
    """A box without overlaps for each way to hit a choice, and its copies with other nodes alike."""
    for u, (count, most) in enumerate(zip(hit, units.most, strict=True)):
        enough = most - count + 1
        if count:
            if enough <= high[u]:
                yield (*low[:u], max(low[u], enough), *low[u + 1 :]), high
            high = (*high[:u], min(high[u], enough - 1), *high[u + 1 :])
        if low[u] > high[u]:
            return


def _blocking(units: Units, until: float | None) -> Iterator[Counts]:
    """The minimal choices without which no quorum is left: each box hits one quorum more."""
    boxes = [((0,) * len(units.most), units.most)]
    while boxes:
        low, high = narrowed(*boxes.pop(), units.orbits)
        _check_time(until)
        if _is_empty(low, high) or not units.blocks(high) or not all(_could_matter(units, low, u) for u in range(len(low))):
            continue
        if units.blocks(low):
            if _is_minimal(low, units.blocks):
                yield low
            continue
        quorum = minimal_within(units.part, units.left(low))
        boxes.extend(_hitting(units, units.touched(quorum), low, high))


def _is_empty(low: Counts, high: Counts) -> bool:
    return any(a > b for a, b in zip(low, high, strict=True))


def _could_matter(units: Units, low: Counts, u: int) -> bool:
    """Whether with one of a unit back, there could be a quorum with it that nothing else chosen hits."""
    if not low[u]:
        return True
    left = units.left((*low[:u], low[u] - 1, *low[u + 1 :]))
    quorum = units.part.greatest_quorum(left)
    return any(quorum[c] for c in units.classes[u])


def _is_minimal(choice: Counts, enough: Callable[[Counts], bool]) -> bool:
    return not any(
        chosen and enough((*choice[:u], chosen - 1, *choice[u + 1 :])) for u, chosen in enumerate(choice)
    )


def _check_time(until: float | None) -> None:
    if until is not None and time.monotonic() > until:
        raise TimedOut("the search for all minimal sets")


def _gathered(found: list[tuple[Units, list[Counts]]], sets_max: int) -> AllMinimal:
    sizes: dict[int, int] = {}
    members: set[str] = set()
    for units, choices in found:
        for choice in choices:
            count = units.sets(choice) * copies(choice, units.orbits)
            sizes[sum(choice)] = sizes.get(sum(choice), 0) + count
            anywhere = {u for orbit in units.orbits if any(choice[u] for u in orbit) for u in orbit}
            anywhere.update(u for u, chosen in enumerate(choice) if chosen)
            members.update(*(_members(units, u) for u in anywhere))
    sets = None
    if sum(sizes.values()) <= sets_max:
        listed = {one for units, choices in found for choice in choices for one in _spelled(units, choice)}
        sets = tuple(sorted(listed, key=lambda names: (len(names), sorted(names))))
    return AllMinimal(dict(sorted(sizes.items())), sets, frozenset(members))


def _members(units: Units, u: int) -> tuple[str, ...]:
    return (units.names[u],) if units.names else units.part.classes[u]


def _spelled(units: Units, choice: Counts) -> Iterator[frozenset[str]]:
    """Every set with these counts, also with units exchanged."""
    for copy in exchanged(choice, units.orbits):
        picks = [list(combinations(_members(units, u), chosen)) for u, chosen in enumerate(copy) if chosen]
        for picked in product(*picks):
            yield frozenset(name for names in picked for name in names)


def _both(one: AllMinimal, other: AllMinimal, sets_max: int) -> AllMinimal:
    """The unions of a set of each, which have no members in common."""
    sizes: dict[int, int] = {}
    for a, count in one.sizes.items():
        for b, times in other.sizes.items():
            sizes[a + b] = sizes.get(a + b, 0) + count * times
    sets = None
    if one.sets is not None and other.sets is not None and sum(sizes.values()) <= sets_max:
        sets = tuple(sorted((a | b for a in one.sets for b in other.sets), key=lambda names: (len(names), sorted(names))))
    return AllMinimal(dict(sorted(sizes.items())), sets, one.members | other.members)
