"""Requests in any pieces, and answers that a client's library understands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrutator.impl.node.clients.resp import (
    INLINE_BYTES_MAX,
    Bounds,
    Parser,
    Text,
    encode,
    encode_error,
    words_of,
)

SMALL = Bounds(arguments_max=5, bulk_bytes_max=12, command_bytes_max=30)
HELD_MAX = 30 + 64 * 5 + INLINE_BYTES_MAX


def request(*words: bytes) -> bytes:
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)


def fed(data: bytes, cuts: list[int], bounds: Bounds = SMALL) -> tuple[list[list[bytes]], str]:
    parser, commands, begin = Parser(bounds), [], 0
    for end in [*sorted(cut % (len(data) + 1) for cut in cuts), len(data)]:
        commands += parser.feed(data[begin:end])
        assert parser.held <= HELD_MAX + len(data)
        begin = end
    return commands, parser.error


WORDS = st.binary(max_size=12) | st.sampled_from([b"\r\n", b"$3\r\nabc\r\n", b"*1\r\n", b"a" * 12])
COMMAND = st.lists(WORDS, min_size=1, max_size=5).filter(lambda words: sum(map(len, words)) <= 30)
FRAGMENTS = st.sampled_from(
    [b"*1", b"*2", b"*6", b"*-1", b"*0", b"*01", b"$3", b"$0", b"$-1", b"$13", b"$12", b"\r\n", b"\r", b"\n", b"abc", b"*", b"$", b"'", b'"a', b'"', b" ", b"\\x41"],
)  # fmt: skip
NOISE = st.lists(FRAGMENTS | COMMAND.map(lambda words: request(*words)) | st.binary(max_size=5), max_size=20).map(b"".join)
CUTS = st.lists(st.integers(0, 400), max_size=12)


@given(st.lists(COMMAND, max_size=8), CUTS)
def test_any_cutting_gives_the_commands(commands, cuts):
    assert fed(b"".join(request(*words) for words in commands), cuts) == (commands, "")


@given(NOISE, CUTS)
def test_the_meaning_of_any_bytes_does_not_depend_on_their_cutting(data, cuts):
    bytewise = fed(data, list(range(len(data))))
    assert fed(data, cuts) == bytewise
    assert fed(data, []) == bytewise
    for words in bytewise[0]:
        assert 0 < len(words) <= 5 and all(len(word) <= 12 for word in words)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"*6\r\n", "invalid multibulk length"), (b"*x\r\n", "invalid multibulk length"), (b"*01\r\n", "invalid multibulk length"),
        (b"*99999999999999999999999999\r\n", "invalid multibulk length"), (b"*" + b"1" * 40, "too big mbulk count string"),
        (b"*1\r\n:1\r\n", "expected '$', got ':'"), (b"*1\r\n\x00", "expected '$', got '?'"), (b"*1\r\n$-1\r\n", "invalid bulk length"),
        (b"*1\r\n$13\r\n", "invalid bulk length"), (b"*1\r\n$" + b"1" * 40, "too big bulk count string"), (b"*1\r\n$1\r\nabc", "invalid bulk length"),
        (b"*3\r\n$12\r\n" + b"a" * 12 + b"\r\n$12\r\n" + b"a" * 12 + b"\r\n$12\r\n", "a command of more than 30 bytes"),
        (b"get 'x\r\n", "unbalanced quotes in request"), (b"a" * (INLINE_BYTES_MAX + 1), "too big inline request"),
        (b"a b c d e f\r\n", "invalid multibulk length"), (b"get aaaaaaaaaaaaa\r\n", "invalid bulk length"),
    ],
)  # fmt: skip
def test_errors_are_worded_as_redis_does_and_end_it(data, error):
    parser = Parser(SMALL)
    assert parser.feed(request(b"PING") + data) == [[b"PING"]]
    assert parser.error == f"Protocol error: {error}" and parser.held == 0
    assert parser.feed(request(b"PING")) == [] and parser.held == 0


def test_what_was_typed():
    assert fed(b"\r\nPING\r\n  set  k 'a b'\nget \"k\\\"\\x41\\n\"\r\n", [])[0] == [[b"PING"], [b"set", b"k", b"a b"], [b"get", b'k"A\n']]
    assert words_of(b"a'b") is None and words_of(b"'a'b") is None and words_of(b"\"\" ''") == [b"", b""]


def test_a_large_value_arrives_in_time_that_grows_with_its_size_only():
    value, parser, commands = b"x\r\n" * 300_000, Parser(Bounds(4096, 1 << 20, 8 << 20)), []
    data = request(b"SET", b"k", value)
    for begin in range(0, len(data), 1000):
        commands += parser.feed(data[begin : begin + 1000])
        assert parser.held < 3 * len(data)
    assert commands == [[b"SET", b"k", value]] and parser.held == 0


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 63) - 1) | st.binary(max_size=9) | st.text("ab\r\n", max_size=5) | st.text("aé\n", max_size=5).map(Text),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


def plain(value, resp3):
    """What a client should read."""
    if isinstance(value, Text):
        return value.encode()
    if isinstance(value, str):
        return value.replace("\r", " ").replace("\n", " ").encode()
    if isinstance(value, bool) and not resp3:
        return int(value)
    if isinstance(value, dict):
        pairs = {key.encode(): plain(held, resp3) for key, held in value.items()}
        return pairs if resp3 else [item for pair in pairs.items() for item in pair]
    return [plain(item, resp3) for item in value] if isinstance(value, list) else value


def decoded(data):
    """(value, rest): a reader of our own, of what the protocol's specification says."""
    line, _, rest = data.partition(b"\r\n")
    kind, text = line[:1], line[1:]
    if kind == b"+":
        return text, rest
    if kind == b":":
        return int(text), rest
    if kind == b"#":
        return text == b"t", rest
    if line in (b"$-1", b"_"):
        return None, rest
    if kind in b"$=":
        length = int(text)
        assert rest[length : length + 2] == b"\r\n"
        return rest[4 * (kind == b"=") : length], rest[length + 2 :]
    assert kind in (b"*", b"%"), line
    items = []
    for _ in range(int(text) * (2 if kind == b"%" else 1)):
        item, rest = decoded(rest)
        items.append(item)
    return (dict(zip(items[::2], items[1::2], strict=True)) if kind == b"%" else items), rest


@given(VALUES, st.booleans())
def test_answers_are_read_as_they_were_meant(value, resp3):
    assert decoded(encode(value, resp3)) == (plain(value, resp3), b"")


def test_an_error_is_one_line():
    assert encode_error("ERR a\r\n+OK") == b"-ERR a  +OK\r\n"
