"""Expressions are values: they mean what their definition says, whatever is done to them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_systems import expressions, quorums, subsets

from scrutator.model.quorums import (
    AtLeast,
    Expression,
    Node,
    QuorumError,
    all_of,
    any_of,
    choose,
    majority,
    minimal_quorums,
    nodes,
    parse,
    parse_system,
    weighted,
)
from scrutator.model.quorums.expression import is_read_once


def holds(expression: Expression, present: frozenset[str]) -> bool:
    """By the definition of thresholds."""
    if isinstance(expression, Node):
        return expression.name in present
    assert isinstance(expression, AtLeast)
    return sum(weight for weight, member in expression.members if holds(member, present)) >= expression.needed


@given(expressions())
def test_is_quorum_is_the_definition(expression: Expression) -> None:
    for chosen in subsets(expression.names()):
        assert expression.is_quorum(chosen) == holds(expression, chosen)


@given(expressions())
def test_the_dual_has_what_meets_every_quorum(expression: Expression) -> None:
    names = frozenset(expression.names())
    dual = expression.dual()
    for chosen in subsets(sorted(names)):
        assert dual.is_quorum(chosen) == (not expression.is_quorum(names - chosen))
        assert dual.dual().is_quorum(chosen) == expression.is_quorum(chosen)


@given(expressions())
def test_a_superset_of_a_quorum_is_a_quorum(expression: Expression) -> None:
    for quorum in quorums(expression):
        assert all(expression.is_quorum(quorum | {name}) for name in expression.names())


@given(expressions())
def test_minimal_quorums_are_those_with_nothing_to_spare(expression: Expression) -> None:
    expected = [q for q in quorums(expression) if not any(expression.is_quorum(q - {name}) for name in q)]
    found = minimal_quorums(expression)
    assert len(found) == len(set(found))
    assert set(found) == set(expected)
    assert [len(q) for q in found] == sorted(len(q) for q in found)


@given(expressions(), st.data())
def test_what_is_left_once_some_nodes_are_known(expression: Expression, data: st.DataObject) -> None:
    names = sorted(expression.names())
    present = data.draw(st.sets(st.sampled_from(names)))
    absent = data.draw(st.sets(st.sampled_from(names))) - present
    left = expression.restricted(present, absent)
    assert not set(left.names()) & (present | absent)
    for chosen in subsets(sorted(set(names) - present - absent)):
        assert left.is_quorum(chosen) == expression.is_quorum(chosen | present)


@given(expressions())
def test_an_expression_reads_back_from_its_text(expression: Expression) -> None:
    again = parse(str(expression))
    for chosen in subsets(expression.names()):
        assert again.is_quorum(chosen) == expression.is_quorum(chosen)


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=4), min_size=4, max_size=4, unique=True))
def test_any_name_survives_its_text(names: list[str]) -> None:
    a, b, c, d = nodes(names)
    expression = weighted(3, [(2, a + b), (1, c), (1, (a + c) * d)])
    again = parse(str(expression))
    for chosen in subsets(names):
        assert again.is_quorum(chosen) == expression.is_quorum(chosen)


def test_sums_and_products_are_flat() -> None:
    a, b, c, d = nodes("a b c d")
    assert str(a + b + c) == "a + b + c"
    assert str(a * (b + c) * d) == "a*(b + c)*d"
    assert a * b * c == all_of([a, b, c])
    assert a + b + c == any_of([a, b, c])


def test_nodes_are_the_same_by_name_wherever_they_were_made() -> None:
    assert minimal_quorums(Node("a") * Node("a")) == [frozenset("a")]
    assert Node("a", region="eu") == Node("a")
    with pytest.raises(QuorumError, match="node a is given twice, with different attributes"):
        (Node("a", region="eu") + Node("a", region="us")).nodes()


def test_a_long_sum_is_neither_slow_nor_too_deep() -> None:
    names = [f"n{k}" for k in range(3000)]
    assert parse(" + ".join(names[:100])).names() == tuple(names[:100])
    assert parse(str(any_of(nodes(names)))).names() == tuple(names)
    with pytest.raises(QuorumError, match="too deep or too long to read"):
        parse(" + ".join(names))
    assert len(parse("majority(n1, ..., n3000)").names()) == 3000


@given(expressions())
def test_read_once_is_each_node_once(expression: Expression) -> None:
    leaves = str(expression).replace("(", " ").replace(")", " ").replace("*", " ").replace(",", " ").split()
    named = [leaf for leaf in leaves if leaf in expression.names()]
    assert is_read_once(expression) == (len(named) == len(set(named)))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: choose(3, nodes("a b")), "a threshold of 3 is above 2 members: nothing could ever be a quorum"),
        (lambda: choose(0, nodes("a b")), "a threshold of 0: no nodes at all would be a quorum"),
        (lambda: majority([]), "a threshold over no members"),
        (lambda: weighted(2, [(0, Node("a")), (2, Node("b"))]), "the weight of a is 0: weights are 1 or more"),
        (lambda: weighted(2, [(-1, Node("a")), (2, Node("b"))]), "the weight of a is -1"),
        (lambda: weighted(9, [(4, Node("a")), (4, Node("b"))]), "a threshold of 9 is above the total weight 8"),
        (lambda: Node(""), "a node needs a name"),
        (lambda: Node("a", failure=1.5), "a probability of failure is between 0 and 1, not 1.5"),
        (lambda: Node("a", read_capacity=0), "a capacity is above 0, not 0"),
        (lambda: Node("a", latency_s=float("nan")), "a latency is above 0, not nan"),
    ],
)
def test_what_makes_no_sense_is_refused(build: object, message: str) -> None:
    with pytest.raises(QuorumError) as error:
        build()  # type: ignore[operator]
    assert message in str(error.value)


def test_separators_may_stand_in_names() -> None:
    system = parse_system("read = 'a;b' * 'c=d'; write = 'a;b' + \"e'f=\"")
    assert system.roles["read"].names() == ("a;b", "c=d")
    assert system.roles["write"].names() == ("a;b", "e'f=")
