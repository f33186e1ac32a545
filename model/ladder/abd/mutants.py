"""ABD, with one mistake each: what breaks which property."""

from __future__ import annotations

from scrutator.model.ladder.abd.model import WRITE_QUORUM, State, is_stored, is_write, later_than
from scrutator.model.ladder.abd.properties import SPEC


@SPEC.mutant(replaces=is_stored, breaks="follows_real_time", source="W + R > N taken for enough")
def without_write_back(s: State, o: int) -> bool:
    """A read returns without storing what it has read."""
    return not is_write(o) or s.stored_by[o] in WRITE_QUORUM


@SPEC.mutant(replaces=later_than, breaks="no_read_is_stale", bounds={"writes": 2, "reads": 1}, source="ABD for one writer, used by two")
def does_not_ask_first(o: int, latest: int) -> int:
    """A writer takes a timestamp of its own, whatever is stored."""
    return o + 1
