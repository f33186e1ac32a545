"""Random pairs of models: both engines against sets of pairs computed by hand."""

from __future__ import annotations

from collections import Counter

import random_pairs as pairs
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scrutator.checker.explore.options import CheckOptions
from scrutator.checker.refine.check import refine
from scrutator.checker.verdict import Verdict

BELOW, ABOVE = pairs.BELOW, pairs.ABOVE
Low = tuple[int, int]


def _bits(width: int, most: int):
    """Numbers of so many bits, of which only some are set."""
    return st.sets(st.integers(0, width - 1), max_size=most).map(lambda bits: sum(1 << k for k in bits))


@st.composite
def bounds(draw) -> dict[str, int]:
    """Half of the time, the abstract model has just the steps that the concrete one needs, but perhaps one."""
    given_bounds = {
        "steps": draw(_bits(2 * BELOW * BELOW, 10)) % (1 << 31), "starts": draw(st.integers(1, 15)), "images": draw(st.integers(0, ABOVE**BELOW - 1)),
        "law": draw(_bits(2 * ABOVE * ABOVE, 9)), "origin": draw(st.integers(0, ABOVE - 1)),
    }  # fmt: skip
    if draw(st.booleans()):
        image = _images(given_bounds)
        used = {image(x) * ABOVE + image(y) for a in range(2) for x in range(BELOW) for y in range(BELOW) if _bit(given_bounds["steps"], (a * BELOW + x) * BELOW + y)}
        lost = draw(st.sampled_from(sorted(used) or [0])) if draw(st.booleans()) else -1
        given_bounds["law"] = sum(1 << (k + draw(st.integers(0, 1)) * ABOVE * ABOVE) for k in used if k != lost)
        given_bounds["starts"] = sum(1 << k for k in range(BELOW) if image(k) == image(0))
        given_bounds["origin"] = image(0)
    return given_bounds


def _bit(number: int, k: int) -> bool:
    return bool(number >> k & 1)


def _images(b: dict[str, int]):
    return lambda x: b["images"] // ABOVE**x % ABOVE


def successors(b: dict[str, int], state: Low):
    x, n = state
    for a, name in enumerate(("walk", "count")):
        for y in range(BELOW):
            if _bit(b["steps"], (a * BELOW + x) * BELOW + y) and (a == 0 or n < 2):
                yield name, (y, n + a)


def obvious(b: dict[str, int]):
    """Whether every step is a step or none; the length of the shortest behaviour that refutes it; the table if none does."""
    image = _images(b)
    initial = [(k, 0) for k in range(BELOW) if _bit(b["starts"], k)]
    if any(image(x) != b["origin"] for x, _ in initial):
        return False, 0, None
    table: Counter[tuple[str, str | None]] = Counter()
    level, seen, depth = initial, set(initial), 0
    while level:
        depth += 1
        following = []
        for state in level:
            for name, after in successors(b, state):
                u, w = image(state[0]), image(after[0])
                kinds = [abstract for a, abstract in enumerate(("go", "jump")) if _bit(b["law"], (a * ABOVE + u) * ABOVE + w)]
                if u != w and not kinds:
                    return False, depth, None
                table[name, None if u == w else kinds[0]] += 1
                if after not in seen:
                    seen.add(after)
                    following.append(after)
        level = following
    return True, None, (len(seen), dict(table))


def agrees(b: dict[str, int], engine: str) -> None:
    holds, depth, rest = obvious(b)
    result = refine(pairs.CONCRETE, bounds=b, options=CheckOptions(engine=engine, workers=1))
    assert result.verdict is (Verdict.HOLDS if holds else Verdict.VIOLATED)
    if rest is not None:
        assert (result.distinct, {(f.action, f.abstract): f.count for f in result.followed}) == rest
    else:
        assert result.refutation is not None and len(result.refutation.trace) == depth


@given(bounds())
@example({"steps": 2, "starts": 1, "images": 3, "law": 2, "origin": 0})
@settings(max_examples=150, deadline=None)
def test_the_interpreted_engine_is_right(b):
    agrees(b, "python")


@given(bounds())
@settings(max_examples=10, deadline=None)
def test_the_compiled_engine_is_right(b):
    agrees(b, "compiled")


def test_random_pairs_are_of_both_kinds():
    """The strategy makes pairs that refine and pairs that do not, so that the tests above say something."""
    kinds = Counter()

    @given(bounds())
    @settings(max_examples=100, deadline=None, database=None, derandomize=True)
    def collect(b):
        holds, depth, rest = obvious(b)
        moved = rest is not None and any(abstract for _, abstract in rest[1])
        kinds["moves" if moved else "still" if holds else "start" if depth == 0 else "step"] += 1

    collect()
    assert all(kinds[kind] >= 5 for kind in ("moves", "start", "step")), kinds
