"""The scanner of our own lines gives what the decoder gives, or leaves them to it."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scrutator.checker.linear.formats.lines_columns import Columns
from scrutator.checker.linear.formats.lines_decode import decoded
from scrutator.checker.linear.formats.lines_scan import scanned
from scrutator.checker.linear.formats.source import Source
from scrutator.checker.linear.history import HistoryError, Value

HEADER = b"{}\n"
INTEGERS = st.integers(-3, 30).map(str) | st.integers(-(1 << 70), 1 << 70).map(str)
SCALARS = (
    st.sampled_from(
        ["null", "true", "false", "0", "-0", "-0.0", "1.0", "1.00", "10e-1", "1E2", "100.0", "1e2", "01", "1.", "-", "nul", '"'],
    )
    | INTEGERS
    | st.text("ab é\\\"\n[]{}:,", max_size=9).map(lambda text: f'"{text}"')
    | st.text("abcdefgh", max_size=20).map(lambda text: f'"{text}"')
)  # fmt: skip
TEXTS = SCALARS | st.recursive(
    SCALARS,
    lambda inner: st.tuples(st.lists(inner, max_size=3), st.sampled_from([",", ", ", " ,", ",,"])).map(
        lambda drawn: f"[{drawn[1].join(drawn[0])}]"
    ),
    max_leaves=6,
)
LINE = '{{"p":{p},"f":{f},{k}"in":{a},"out":{r},"call":{c},"ret":{e}}}'
LINES = st.builds(
    LINE.format,
    p=st.sampled_from(["0", "5", "2147483647", "2147483648", "-1", "-0", "01"]) | st.just("3"),
    f=st.sampled_from(['"read"', '"write"', '"é"', '"compare-and-set"', '"a\\n"', "7"]) | st.just('"read"'),
    k=st.just("") | TEXTS.map(lambda text: f'"k":{text},'),
    a=TEXTS,
    r=TEXTS,
    c=INTEGERS,
    e=INTEGERS | st.just("null"),
)
BROKEN = st.builds(
    lambda line, at: line[: at % len(line)] + line[at % len(line) + 1 :], LINES, st.integers(0, 200)
)
BLANKS = st.builds(
    lambda line, at, blank: line[: at % len(line)] + blank + line[at % len(line) :],
    LINES, st.integers(0, 200), st.sampled_from([" ", "  ", "\t", "\0", "\n"]),
)  # fmt: skip
SPACED = LINES.map(lambda line: line.replace('":', '": ').replace(',"', ', "'))


def typed(value: Value) -> object:
    return tuple(map(typed, value)) if isinstance(value, tuple) else (type(value), value)


def meaning(columns: Columns) -> list[object]:
    values = [typed(value) for value in columns.values] + ["absent"]
    assert len(set(values)) == len(values), "a value has two numbers"
    return [
        (
            columns.process[i], columns.methods[columns.method[i]], values[columns.key[i]], values[columns.argument[i]],
            values[columns.result[i]], columns.called[i], columns.returned[i],
        )
        for i in range(len(columns.process))
    ]  # fmt: skip


def source_of(lines: list[str]) -> Source:
    return Source("drawn", HEADER + "".join(line + "\n" for line in lines).encode())


@given(st.lists(st.one_of(LINES, SPACED, BROKEN, BLANKS), max_size=4))
@example([LINE.format(p=0, f='"w"', k="", a="[1, 2]", r="[1,2]", c=1, e=2)])
@example([LINE.format(p=0, f='"w"', k='"k":-0,', a="0", r="[[1],[true]]", c=1, e="null")])
def test_scanner_and_decoder(lines: list[str]) -> None:
    source = source_of(lines)
    fast = scanned(source, len(HEADER))
    if fast is None:
        return
    assert meaning(fast) == meaning(decoded(source, len(HEADER)))


@given(
    st.lists(
        st.builds(
            LINE.format, p=st.integers(0, 9), f=st.just('"read"'), k=st.just('"k":"a",') | st.just(""),
            a=st.integers(-9, 99) | st.just("[1, [2], null]"), r=st.just("true") | st.just("0.5"), c=st.integers(-9, 99),
            e=st.integers(-9, 99) | st.just("null"),
        )
    )
)  # fmt: skip
def test_what_is_mostly_written_is_scanned(lines: list[str]) -> None:
    source = source_of(lines)
    fast = scanned(source, len(HEADER))
    assert fast is not None
    assert meaning(fast) == meaning(decoded(source, len(HEADER)))


def test_tables_grow() -> None:
    count = 200_000
    lines = [LINE.format(p=0, f='"write"', k="", a=k, r=f'"a text of {k}"', c=k, e=k) for k in range(count)]
    columns = scanned(source_of(lines), len(HEADER))
    assert columns is not None
    assert [columns.values[k] for k in columns.argument.tolist()] == list(range(count))
    assert [columns.values[k] for k in columns.result.tolist()] == [f"a text of {k}" for k in range(count)]


def test_more_methods_than_the_scanner_has_room_for() -> None:
    lines = [LINE.format(p=0, f=f'"m{k}"', k="", a=0, r=0, c=k, e=k) for k in range(300)]
    assert scanned(source_of(lines[:64]), len(HEADER)) is not None
    assert scanned(source_of(lines), len(HEADER)) is None
    assert len(decoded(source_of(lines), len(HEADER)).methods) == 300


def test_no_newline_at_the_end() -> None:
    line = LINE.format(p=0, f='"read"', k="", a=0, r=0, c=0, e=0).encode()
    assert scanned(Source("drawn", HEADER + line), len(HEADER)) is None
    assert len(decoded(Source("drawn", HEADER + line), len(HEADER)).process) == 1


def test_what_only_looks_like_a_line_is_refused_by_both() -> None:
    for broken in ('{" p":0', '{"p":0 1', '{"p":--1'):
        source = source_of([broken + ',"f":"r","in":0,"out":0,"call":0,"ret":0}'])
        assert scanned(source, len(HEADER)) is None
        with pytest.raises(HistoryError):
            decoded(source, len(HEADER))
