"""What is written is read again, and means the same."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scrutator.checker.linear.builder import Builder
from scrutator.checker.linear.formats import lines, read, write
from scrutator.checker.linear.history import History, Operation, Value
from scrutator.checker.linear.values import Values

SCALARS: st.SearchStrategy[Value] = (
    st.none()
    | st.booleans()
    | st.integers(-(1 << 80), 1 << 80)
    | st.integers(0, 2)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=9)
)
VALUES: st.SearchStrategy[Value] = SCALARS | st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3).map(tuple), max_leaves=6
)  # fmt: skip


@st.composite
def histories(draw: st.DrawFn) -> History:
    builder = Builder("drawn", draw(st.booleans()))
    now = draw(st.integers(-5, 1 << 40))
    free, busy, left = 4, list[int](), draw(st.integers(0, 12))
    idle = list(range(free))
    while left or busy:
        now += draw(st.integers(0, 3))
        if left and idle and (not busy or draw(st.booleans())):
            process = idle.pop(draw(st.integers(0, len(idle) - 1)))
            left -= 1
            method = draw(st.sampled_from(["read", "write", 'say "é\n"']))
            builder.call(
                left, process, method, draw(VALUES), now, key=draw(VALUES), keyed=draw(st.booleans())
            )
            busy.append(process)
        else:
            process = busy.pop(draw(st.integers(0, len(busy) - 1)))
            how = draw(st.sampled_from(["returns", "returns", "fails", "pending"]))
            if how == "returns":
                builder.returns(left, process, draw(VALUES), now)
            elif how == "fails":
                builder.fails(left, process)
            else:
                builder.indeterminate(left, process)
            if how == "pending":
                idle.append(free)
                free += 1
            else:
                idle.append(process)
    builder.metadata = draw(st.dictionaries(st.text('abé"', max_size=3), VALUES, max_size=2))
    return builder.history()


def typed(value: Value) -> object:
    return tuple(map(typed, value)) if isinstance(value, tuple) else (type(value), value)


def meaning(operation: Operation) -> object:
    o = operation
    return (o.process, typed(o.key), o.method, typed(o.argument), typed(o.result), o.called, o.returned)


@pytest.fixture(params=[0, lines.SCANNED_BYTES_MIN], ids=["scanned", "decoded"])
def way(request: pytest.FixtureRequest) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "SCANNED_BYTES_MIN", request.param)
        yield


@pytest.mark.usefixtures("way")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(histories())
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, history: History) -> None:
    path = tmp_path_factory.mktemp("round-trip") / "history"
    write(history, path)
    again = read(path)
    assert list(map(meaning, again)) == list(map(meaning, history))
    assert (again.key < 0).tolist() == (history.key < 0).tolist()
    assert (again.has_clock, typed(tuple(again.metadata.items()))) == (
        history.has_clock, typed(tuple(history.metadata.items())),
    )  # fmt: skip
    assert again.line.tolist() == list(range(2, len(history) + 2))


@given(st.lists(VALUES))
def test_numbers_of_many_values_and_of_each(values: list[Value]) -> None:
    many, each = Values(), Values()
    assert [many.all[number] for number in many.numbers(list(values))] == values
    assert [each.number(value) for value in values] == [each.number(value) for value in values]
    assert sorted(map(repr, map(typed, many.all))) == sorted(map(repr, map(typed, each.all)))
    assert len(set(map(typed, values))) == len(each.all)


@pytest.mark.parametrize("value", [math.nan, math.inf, frozenset({1}), b"x", "\ud800"])
def test_no_value_of_json(value: Value, tmp_path: Path) -> None:
    builder = Builder("made", True)
    builder.add(1, 0, "write", value, 1, 2, None)
    with pytest.raises((TypeError, ValueError)):
        write(builder.history(), tmp_path / "history")
    assert not (tmp_path / "history").exists()


def test_metadata_that_the_header_has(tmp_path: Path) -> None:
    builder = Builder("made", True)
    builder.metadata["clock"] = 5
    with pytest.raises(
        ValueError, match="the metadata says 'clock', which the header has for itself: rename it"
    ):
        write(builder.history(), tmp_path / "history")


def test_from_another_format_to_ours(tmp_path: Path) -> None:
    first, second = tmp_path / "history.edn", tmp_path / "history"
    first.write_text(
        "{:process 0, :type :invoke, :f :write, :value 3}\n{:process 0, :type :ok, :f :write, :value 3}"
    )
    history = read(first)
    write(history, second)
    again = read(second)
    assert list(map(meaning, again)) == list(map(meaning, history))
    assert again.metadata == {"source_format": "jepsen-edn", "object": "register"}
    assert not again.has_clock
