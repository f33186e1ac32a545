"""Quorum expressions mean what a reader takes them to mean."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrutator.model.language import Index, SpecError
from scrutator.model.quorums.table import QuorumTable

Oracle = Callable[[frozenset[int]], bool]


def system(expression: str, nodes: int) -> QuorumTable:
    return QuorumTable("q", Index("node", nodes).resolve({}), expression)


def subsets(nodes: int) -> list[frozenset[int]]:
    return [frozenset(c) for k in range(nodes + 1) for c in combinations(range(nodes), k)]


@st.composite
def expressions(draw: st.DrawFn, nodes: int = 4, depth: int = 3) -> tuple[str, Oracle]:
    """An expression, and what it means by the definition of its words."""
    kind = draw(st.sampled_from(["node", "and", "or", "choose", "everyone"] if depth else ["node", "everyone"]))
    if kind == "node":
        k = draw(st.integers(0, nodes - 1))
        return "abcd"[k], lambda chosen: k in chosen
    if kind == "everyone":
        word, least = draw(st.sampled_from([("majority", nodes // 2 + 1), ("half", -(-nodes // 2)), ("all", nodes), ("any", 1)]))
        return word, lambda chosen: len(chosen) >= least
    parts = draw(st.lists(expressions(nodes=nodes, depth=depth - 1), min_size=2, max_size=3))
    texts, tests = [f"({text})" for text, _ in parts], [test for _, test in parts]
    if kind == "and":
        return " * ".join(texts), lambda chosen: all(test(chosen) for test in tests)
    if kind == "or":
        return " + ".join(texts), lambda chosen: any(test(chosen) for test in tests)
    least = draw(st.integers(1, len(parts)))
    return f"choose({least}, {', '.join(texts)})", lambda chosen: sum(test(chosen) for test in tests) >= least


@given(expressions())
def test_expressions_mean_what_their_words_say(case: tuple[str, Oracle]) -> None:
    expression, oracle = case
    quorums = system(expression, 4)
    for chosen in subsets(4):
        assert (chosen in quorums) == oracle(chosen)


@given(expressions())
def test_a_superset_of_a_quorum_is_a_quorum(case: tuple[str, Oracle]) -> None:
    quorums = system(case[0], 4)
    for chosen in subsets(4):
        if chosen in quorums:
            assert all(chosen | {n} in quorums for n in range(4))


@pytest.mark.parametrize("nodes", range(1, 8))
def test_two_majorities_meet_and_two_halves_may_not(nodes: int) -> None:
    def meet(expression: str) -> bool:
        quorums = [c for c in subsets(nodes) if c in system(expression, nodes)]
        return all(a & b for a in quorums for b in quorums)

    assert meet("majority")
    assert meet("half") == (nodes % 2 == 1)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_a_bare_number_is_that_many_nodes(k: int) -> None:
    assert [c in system(str(k), 3) for c in subsets(3)] == [len(c) >= k for c in subsets(3)]


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("a *", "not a quorum expression"),
        ("", "not a quorum expression"),
        ("d", "there is no node d: the nodes are a, b, c"),
        ("0", "a quorum has 1 to 3 nodes"),
        ("4", "a quorum has 1 to 3 nodes"),
        ("True", "cannot read 'True'"),
        ("choose(3, a, b)", "a threshold of 3 is above 2 members"),
        ("choose(0, a, b)", "a threshold of 0: no nodes at all would be a quorum"),
        ("a - b", "cannot read 'a - b'"),
        ("__import__('os')", "there is no __import__(...)"),
        ("minority", "there is no node minority"),
    ],
)
def test_what_is_no_expression_is_refused(expression: str, message: str) -> None:
    with pytest.raises(SpecError) as error:
        system(expression, 3)
    assert message in str(error.value)
    assert f"q={expression}" in str(error.value)
