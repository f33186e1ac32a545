"""The quorum systems of the literature have the quorums that the literature says."""

from __future__ import annotations

from itertools import combinations
from math import comb

import pytest

from scrutator.model.quorums import Expression, QuorumError, minimal_quorums, parse


def sizes(text: str) -> list[int]:
    return [len(q) for q in minimal_quorums(parse(text))]


def meet(expression: Expression) -> bool:
    return all(a & b for a, b in combinations(minimal_quorums(expression), 2))


@pytest.mark.parametrize("count", [3, 4, 5, 7, 9])
def test_majorities(count: int) -> None:
    assert sizes(f"majority(n1, ..., n{count})") == [count // 2 + 1] * comb(count, count // 2 + 1)


@pytest.mark.parametrize(("order", "count"), [(2, 7), (3, 13), (4, 21), (5, 31), (7, 57), (8, 73), (9, 91)])
def test_lines_of_a_projective_plane_meet_in_one_point(order: int, count: int) -> None:
    lines = minimal_quorums(parse(f"plane(n1, ..., n{count})"))
    assert len(lines) == count and {len(line) for line in lines} == {order + 1}
    assert {len(a & b) for a, b in combinations(lines, 2)} == {1}


@pytest.mark.parametrize("count", [4, 5, 6, 10])
def test_a_wheel_is_the_hub_with_one_or_the_rim(count: int) -> None:
    assert sizes(f"wheel(n1, ..., n{count})") == sorted([2] * (count - 1) + [count - 1])


@pytest.mark.parametrize(("side", "count"), [(2, 4), (3, 9), (4, 16)])
def test_a_grid_is_a_row_and_a_column(side: int, count: int) -> None:
    rows = ", ".join("[" + ", ".join(f"n{r}_{c}" for c in range(side)) + "]" for r in range(side))
    found = sizes(f"grid({rows})")
    # A 2 by 2 grid has quorums that contain others: any three nodes are a row and a column.
    assert len(found) == count and set(found) == {2 * side - 1}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("wall([a], [b, c], [d, e, f])", {3: 10}),
        ("wall([a], [b, c], [d, e, f], [g, h, i, j])", {4: 41}),
        ("wall([a], [b, c], [d, e], [f, g])", None),
        ("wall([a, b], [c, d, e], [f, g, h, i])", None),
        ("tree(a, b, c)", {2: 3}),
        ("tree(a, b, c, d, e, f, g)", None),
        ("hierarchy([a, b, c], [d, e, f], [g, h, i])", {4: 27}),
    ],
)
def test_counts_of_minimal_quorums(text: str, expected: dict[int, int] | None) -> None:
    counts = {"wall([a], [b, c], [d, e], [f, g])": 15, "wall([a, b], [c, d, e], [f, g, h, i])": 17, "tree(a, b, c, d, e, f, g)": 15}
    found = sizes(text)
    if expected is None:
        assert len(found) == counts[text]
    else:
        assert {size: found.count(size) for size in set(found)} == expected
    assert meet(parse(text))


def test_rows_meet_one_of_each() -> None:
    rows, one = parse("rows([a, b], [c, d])"), parse("one_of_each([a, b], [c, d])")
    assert str(rows) == "a*b + c*d"
    assert all(p & q for p in minimal_quorums(rows) for q in minimal_quorums(one))
    assert str(rows.dual()) == str(one)


def test_majority_of_each() -> None:
    assert sizes("majority_of_each([a, b, c], [d, e, f])") == [4] * 9


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("grid([a, b], [c])", "rows of one length, not 2, 1"),
        ("grid([], [c])", "group 1 of rows is empty"),
        ("grid(a, b)", "grid takes groups in brackets"),
        ("tree(a, b)", "1, 3, 7, 15 ... nodes, not 2"),
        ("plane(a, b, c)", "no projective plane"),
        ("plane(n1, ..., n43)", "no projective plane"),
        ("wheel(a, b)", "a hub and at least 2 more nodes"),
        ("majority()", "of which nodes?"),
        ("3", "3 of which nodes?"),
        ("quorumish(a)", "there is no quorumish"),
        ("choose(a, b)", "begins with how much is needed"),
        ("weighted(2, 1.5*a, b)", "weights are whole numbers"),
        ("weighted(1, -1*a, 2*b)", "the weight of a is -1"),
        ("majority(a, ..., n3)", "... stands between two numbered nodes"),
        ("majority(n9, ..., n3)", "... cannot go from n9 to n3"),
        ("majority(..., n3)", "... stands between two numbered nodes"),
        ("n1, n2", "cannot read"),
        ("majority(*x)", "cannot read"),
        ("a if b else c", "cannot read"),
        ("(" * 300 + "a" + ")" * 300, "is not a quorum expression"),
        ("majority(" * 80 + "a" + ")" * 80, "nested more than"),
        ("a" * 200_000, "longer than 100,000 characters"),
        ("majority(n1, ..., n999999999)", "... cannot go from"),
    ],
)
def test_mistakes_are_named(text: str, message: str) -> None:
    with pytest.raises(QuorumError) as error:
        parse(text)
    assert message in str(error.value)
