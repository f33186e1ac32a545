"""The set of fingerprints: regions of open addressing, each grown on its own.

The law: what was inserted stays found, and no region is ever more than 85 % full.  A
region grows by half, in about the order its entries already have, so that growing is
sequential work and needs the memory of one region besides.  The kernel looks up and
inserts; this file only provides the space.
"""

from __future__ import annotations

from collections.abc import Callable

from scrutator.checker.explore.control import (
    CTL_REGIONS,
    REGION_BASE,
    REGION_CAPACITY,
    REGION_COUNT,
    REGION_END,
    REGION_LIMIT,
    REGION_WORDS,
    REGIONS,
)
from scrutator.checker.explore.memory import HUGE_PAGE, Bytes, Words, address, reserve

LOAD_MAX = 0.85
ENTRIES_FIRST = 2048  # of a region
ENTRIES_SMALL = 1 << 15  # below, a region grows fourfold


NEARLY_FULL = 0.9  # of what a region may hold


def _larger(capacity: int) -> int:
    return capacity * 4 if capacity < ENTRIES_SMALL else capacity * 3 // 2


class MemoryLimit(Exception):
    """The table would outgrow the memory allowed."""


class FingerprintTable:
    """Space for fingerprints, described to the kernel in the control block.

    Args:
        control: The control block.
        entry_bytes: Bytes of an entry.
        rehash: The kernel's function of that name.
        memory_bytes_max: Growing beyond raises `MemoryLimit`.
    """

    def __init__(
        self,
        control: Words,
        entry_bytes: int,
        rehash: Callable[[int, int, int], None],
        memory_bytes_max: int | None,
    ) -> None:
        self._control = control
        self._entry_bytes = entry_bytes
        self._rehash = rehash
        self.memory_bytes_max = memory_bytes_max
        self._memory: list[Bytes] = []
        self._words = control[CTL_REGIONS:].reshape(REGIONS, REGION_WORDS)
        for region in range(REGIONS):
            self._memory.append(self._place(self._words[region], ENTRIES_FIRST))

    @property
    def nbytes(self) -> int:
        """Memory of all regions."""
        return sum(memory.nbytes for memory in self._memory)

    def __len__(self) -> int:
        return int(self._words[:, REGION_COUNT].sum())

    def growth_bytes(self) -> int:
        """Memory that the growing of nearly full regions will soon take."""
        soon = [r for r, w in enumerate(self._words) if w[REGION_COUNT] > NEARLY_FULL * w[REGION_LIMIT]]
        now = [self._memory[region].nbytes for region in soon]
        then = [self._nbytes(_larger(int(self._words[region, REGION_CAPACITY]))) for region in soon]
        return sum(then) - sum(now) + max(now, default=0)

    def grow(self, region: int) -> None:
        """Replace a region by a larger one; other workers may use other regions meanwhile.

        Raises:
            MemoryLimit: The larger region does not fit.
        """
        old, words = self._memory[region], self._words[region]
        larger = _larger(int(words[REGION_CAPACITY]))
        if (
            self.memory_bytes_max is not None
            and self.nbytes + self._nbytes(larger) > self.memory_bytes_max
        ):
            raise MemoryLimit
        grown = words.copy()
        self._memory[region] = self._place(grown, larger)
        end = address(old) + int(words[REGION_END]) - int(words[REGION_BASE])
        self._rehash(address(old), end, address(grown))
        words[:] = grown

    def _nbytes(self, capacity: int) -> int:
        nbytes = (capacity + capacity // 64 + 32) * self._entry_bytes  # room for what would stand past the end
        return -(-nbytes // HUGE_PAGE) * HUGE_PAGE if nbytes >= 2 * HUGE_PAGE else nbytes

    def _place(self, words: Words, capacity: int) -> Bytes:
        """Allocate a region and describe it; its count stays."""
        nbytes = self._nbytes(capacity)
        entries = nbytes // self._entry_bytes
        capacity = max(capacity, (entries - 32) * 64 // 65)  # large pages have room for more
        memory = reserve(nbytes, huge=nbytes >= 2 * HUGE_PAGE)
        words[REGION_BASE] = address(memory)
        words[REGION_CAPACITY] = capacity
        words[REGION_LIMIT] = int(capacity * LOAD_MAX)
        words[REGION_END] = address(memory) + (entries - 1) * self._entry_bytes
        return memory


def collision_odds(states: int, bits: int, exact: bool) -> float:
    """Upper bound on the probability that two states shared a fingerprint, so that one was lost."""
    return 0.0 if exact else min(1.0, states * states * 2.0 ** (-bits - 1))
