"""What the kernel of the stack's monitor and its driver share: offsets of the block's words."""

from __future__ import annotations

SIZE = 0  # leaves of each tree, a power of two
COUNT = 1  # values
PUSH_RETURNED = 2  # address
COVERS = 3  # address: up to which number each value is certainly there when those after it are pushed
PARTS = 4  # address: parts to look at, room for one more than there are values
UNREADY = 5  # tree: minus the call of its push, of values that no part so far began after
READY = 6  # tree: the return of its pop, of the others
LEFT = 7  # tree: the call of its pop, of all that are not taken away
ALONE = 8  # tree: minus how many values are certainly there when one's push returns, of all that are not taken away
LO, HI = 9, 10  # a part of which no value can be at the bottom
WORDS = 11

GONE = 1 << 62  # less than any number that counts, when taken off
