"""The compiled and the interpreted meaning of a model are the same, in every part of the language."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest
from agreement import Native, assert_agreement
from feature_models import ALL, BAGS, LINKS, SEQUENCES, SETS

from scrutator.checker.explore.layout import decode, encode
from scrutator.model.language.interpret import Interpreter
from scrutator.model.language.spec import Model, Spec
from scrutator.model.language.types import (
    ArrayType,
    IndexType,
    LinksType,
    MaybeType,
    RecordType,
    SeqType,
    SetType,
    Type,
    UnionType,
)  # fmt: skip
from scrutator.model.language.values import RecordValue, make


@pytest.mark.parametrize("spec", ALL, ids=lambda s: s.name)
@pytest.mark.parametrize("nodes", [1, 2, 3])
def test_successors_and_properties_agree(spec: Spec, nodes: int) -> None:
    compared = assert_agreement(spec.bind({"nodes": nodes}), states_max=250)
    assert compared > 1 or nodes == 1


@pytest.mark.parametrize("bounds", [{"quorum": "a*b + c"}, {"quorum": "1"}, {"quorum": "all"}])
def test_quorum_systems_agree(bounds: dict[str, str]) -> None:
    assert assert_agreement(SETS.bind(bounds), states_max=200) > 1


def test_shipped_model_agrees(two_phase_commit: Spec) -> None:
    assert assert_agreement(two_phase_commit.bind({"managers": 3})) == 288


@pytest.fixture
def two_phase_commit() -> Spec:
    from scrutator.model.two_phase_commit import SPEC

    return SPEC


# --- symmetry ------------------------------------------------------------------------------


def renamed(declared: Type, value: Any, name: str, order: tuple[int, ...]) -> Any:
    """The value with every index of type ``name`` replaced: the obvious renaming, to hold the fast one against."""
    match declared:
        case IndexType():
            return order[value] if declared.name == name else value
        case MaybeType():
            return None if value is None else renamed(declared.element, value, name, order)
        case RecordType():
            return RecordValue(declared, {n: renamed(t, getattr(value, n), name, order) for n, t in declared.fields.items()})
        case UnionType():
            return renamed(declared.members[declared.tag_of(value)], value, name, order)
        case LinksType():
            return renamed(declared.queues, value, name, order)
        case ArrayType():
            items = [renamed(declared.element, v, name, order) for v in value]
            if isinstance(declared.index, IndexType) and declared.index.name == name:
                moved = list(items)
                for old, new in enumerate(order):
                    moved[new] = items[old]
                return tuple(moved)
            return tuple(items)
        case SeqType():
            return tuple(renamed(declared.element, v, name, order) for v in value)
        case SetType():
            items = [renamed(declared.element, v, name, order) for v in value]
            return tuple(declared.sorted(items)) if declared.bag else frozenset(items)
    return value


def orbit(model: Model, row: bytes) -> set[bytes]:
    """Every renaming of a row."""
    rows = {row}
    for index in model.interchangeable:
        for known in list(rows):
            value = decode(model.state, known)._plain()
            for order in itertools.permutations(range(index.count)):
                rows.add(encode(make(model.state, None, "", renamed(model.state, value, index.name, order))))
    return rows


def sample(model: Model, count: int, seed: int) -> list[bytes]:
    """States along random walks."""
    chance, interpreter = random.Random(seed), Interpreter(model)
    rows = []
    while len(rows) < count:
        state = chance.choice(list(interpreter.initial_states()))
        for _ in range(chance.randrange(1, 25)):
            rows.append(encode(state))
            choices = list(interpreter.successors(state))
            if not choices:
                break
            state = chance.choice(choices).state
    return rows[:count]


@pytest.mark.parametrize(("spec", "nodes"), [(SEQUENCES, 3), (SETS, 3), (SETS, 4), (BAGS, 3), (BAGS, 4), (LINKS, 3)], ids=lambda x: getattr(x, "name", x))
def test_canonical_is_one_row_of_each_orbit(spec: Spec, nodes: int) -> None:
    model = spec.bind({"nodes": nodes})
    native = Native(model, symmetry=True)
    for row in sample(model, 60, seed=nodes):
        rows = orbit(model, row)
        assert {native.canonical(r) for r in rows} == {native.canonical(row)}
        assert native.canonical(row) in rows
