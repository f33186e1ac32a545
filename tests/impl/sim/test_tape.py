"""The tape: drawn, recorded, replayed, and run out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrutator.impl.sim.tape import Tape


@given(st.integers(0, 2**32), st.lists(st.integers(1, 5000)))
def test_a_recorded_tape_gives_the_same_choices(seed, sizes):
    tape = Tape(seed)
    drawn = [tape.draw(n) for n in sizes]
    assert all(0 <= choice < n for choice, n in zip(drawn, sizes, strict=True))
    again = Tape(recorded=tape.choices)
    assert [again.draw(n) for n in sizes] == drawn == again.choices


@given(st.lists(st.integers(0, 10**9)), st.lists(st.integers(1, 50)))
def test_any_numbers_are_a_tape(numbers, sizes):
    tape = Tape(recorded=numbers)
    drawn = [tape.draw(n) for n in sizes]
    assert all(0 <= choice < n for choice, n in zip(drawn, sizes, strict=True))
    assert drawn[len(numbers) :] == [0] * max(0, len(sizes) - len(numbers))


@pytest.mark.parametrize(("n", "mean"), [(2, 0.5), (10, 4.5)])
def test_choices_are_spread(n, mean):
    tape = Tape(1)
    drawn = [tape.draw(n) for _ in range(4000)]
    assert set(drawn) == set(range(n)) and abs(sum(drawn) / 4000 - mean) < 0.25
