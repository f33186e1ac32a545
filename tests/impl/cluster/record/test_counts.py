"""What clients of a run met: errors are told apart up to a number, and every one is counted."""

from scrutator.impl.cluster.record.clients import OTHERS, TROUBLES_MAX, Counts


def test_errors_beyond_those_told_apart_are_counted_together():
    counts = Counts()
    for number in range(TROUBLES_MAX + 7):
        counts.trouble(ValueError(f"number {number}"))
    counts.trouble(ValueError("number 0"))
    assert counts.troubles["ValueError: number 0"] == 2
    assert counts.troubles[OTHERS] == 7
    assert counts.troubles.total() == TROUBLES_MAX + 8
