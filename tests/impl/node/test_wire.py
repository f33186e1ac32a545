"""Frames: what goes in comes out however it is cut, and what was changed on the way never does."""

from __future__ import annotations

import zlib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrutator.impl.machine import REPLY_BYTES_MAX, Reply
from scrutator.impl.node.config import Limits, NodeConfig, Place
from scrutator.impl.node.links.wire import (
    HEADER,
    HELLO_BYTES_MAX,
    VERSION,
    Decoder,
    Forward,
    Forwarded,
    Hello,
    NodeMessage,
    WireError,
    command_bytes_max,
    encode,
    encode_hello,
    frame_bytes_max,
)
from scrutator.impl.raft import messages as raft
from scrutator.impl.raft.configuration import configuration
from scrutator.impl.raft.messages import AppendEntries, Entry, InstallSnapshot, Kind, TimeoutNow

LIMIT = 1 << 16
HELLO = Hello(VERSION, "cluster", "a", "b")

names = st.sampled_from(["a", "b", "çédille", ""])
numbers = st.integers(0, 2**63)
members = st.sampled_from([configuration("abc"), configuration("abc", election="a*b + c"), configuration("ab").entering(configuration("cd").members)])
data = st.binary(max_size=40)
entries = st.builds(Entry, numbers, numbers, st.sampled_from(Kind), data, st.none() | members)
pieces = st.builds(InstallSnapshot, names, names, numbers, numbers, numbers, members, numbers, data, numbers, numbers)
replies = st.builds(Reply, st.none() | st.booleans() | st.integers(-(2**63), 2**63) | data, st.sampled_from(["", "type"]))
messages: st.SearchStrategy[NodeMessage] = st.one_of(
    st.builds(raft.RequestVote, names, names, numbers, numbers, numbers, st.booleans(), st.booleans()),
    st.builds(raft.Vote, names, names, numbers, st.booleans(), st.booleans()),
    st.builds(AppendEntries, names, names, numbers, numbers, numbers, st.lists(entries, max_size=4).map(tuple), numbers, numbers),
    st.builds(raft.Appended, names, names, numbers, numbers, numbers, st.none() | numbers, numbers, numbers),
    pieces,
    st.builds(raft.Installing, names, names, numbers, numbers, numbers, numbers),
    st.builds(TimeoutNow, names, names, numbers),
    st.builds(raft.ReadRequest, names, names, numbers, numbers),
    st.builds(raft.ReadReply, names, names, numbers, numbers, st.none() | numbers),
    st.builds(Forward, names, names, numbers, data),
    st.builds(Forwarded, names, names, numbers, st.none() | replies, st.text(max_size=9), st.none() | names, st.booleans()),
)
frames = st.lists(st.lists(messages, min_size=1, max_size=3), min_size=1, max_size=4)


def greeted(limit: int = LIMIT) -> Decoder:
    decoder = Decoder(limit)
    assert decoder.feed(encode_hello(HELLO)) == []
    assert decoder.hello == HELLO
    return decoder


def framed(payload: bytes) -> bytes:
    return HEADER.pack(len(payload), zlib.crc32(payload)) + payload


def test_the_strategies_know_every_message_of_raft() -> None:
    """Otherwise a new message would go untested."""
    known = set(raft.AnyMessage.__args__)
    assert known == {kind for kind in vars(raft).values() if isinstance(kind, type) and issubclass(kind, raft.Message)} - {raft.Message}
    assert len(known) + 2 == 11


@given(frames, st.data())
def test_any_cutting_gives_the_same_messages(sent: list[list[NodeMessage]], cuts: st.DataObject) -> None:
    stream = encode_hello(HELLO) + b"".join(encode(frame, LIMIT) for frame in sent)
    places = sorted(cuts.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    decoder, got = Decoder(LIMIT), []
    for begin, end in zip([0, *places], [*places, len(stream)], strict=True):
        got += decoder.feed(stream[begin:end])
    assert got == [message for frame in sent for message in frame]


@given(frames)
def test_one_byte_at_a_time(sent: list[list[NodeMessage]]) -> None:
    decoder, got = greeted(), []
    for byte in b"".join(encode(frame, LIMIT) for frame in sent):
        got += decoder.feed(bytes([byte]))
    assert got == [message for frame in sent for message in frame]


@given(st.lists(messages, min_size=1, max_size=3), st.data())
def test_a_changed_byte_is_noticed(sent: list[NodeMessage], choice: st.DataObject) -> None:
    """Refused; or, where the length grew, waited for in vain and refused with what comes next."""
    frame = bytearray(encode(sent, LIMIT))
    at = choice.draw(st.integers(0, len(frame) - 1))
    frame[at] ^= choice.draw(st.integers(1, 255))
    decoder = greeted()
    with pytest.raises(WireError):
        assert decoder.feed(bytes(frame)) == []
        assert at < 4, "only a length can make it wait"
        decoder.feed(bytes(LIMIT))


@given(st.binary(min_size=1, max_size=300))
def test_garbage_is_no_frame(garbage: bytes) -> None:
    for decoder in (Decoder(LIMIT), greeted()):
        try:
            assert decoder.feed(garbage) == []  # it waits
        except WireError:
            continue


@given(st.binary(min_size=1, max_size=60))
def test_garbage_with_a_good_checksum_raises_nothing_else(payload: bytes) -> None:
    for decoder in (Decoder(LIMIT), greeted()):
        try:
            decoder.feed(framed(payload))
        except WireError:
            continue


@pytest.mark.parametrize(
    "payload",
    [
        b"\xdd\xff\xff\xff\xff",  # four billion messages, allegedly
        b"\x91" * 60_000,  # depth
        b"\x91\x82\xa4type\xa4Vote\xa1x" + b"\x91" * 60_000 + b"\x01",  # depth in a field that is skipped
        b"\x91\x82\xa4type\xaaTimeoutNow\xa3src\xa1\xff",  # no UTF-8
        msgspec.msgpack.encode([{"type": "Nonsense"}]),
        msgspec.msgpack.encode([{"type": "TimeoutNow", "src": "a", "dst": "b", "term": "1"}]),
        msgspec.msgpack.encode(TimeoutNow("a", "b", 1)),  # not in a list
        msgspec.msgpack.encode([TimeoutNow("a", "b", 1)]) + b"\x00",
        encode_hello(HELLO)[8:],  # a second hello
    ],
)
def test_payloads_that_hold_no_messages(payload: bytes) -> None:
    with pytest.raises(WireError, match="does not hold messages"):
        greeted().feed(framed(payload))


def test_lengths_are_limited_before_anything_is_kept() -> None:
    with pytest.raises(WireError, match=r"claims 707,923,250 bytes instead of a hello"):
        Decoder(LIMIT).feed(b"*2\r2\n$3\r\nGET")  # a client at the wrong port
    with pytest.raises(WireError, match="claims 4,097 bytes instead"):
        Decoder(LIMIT).feed(HEADER.pack(HELLO_BYTES_MAX + 1, 0))
    with pytest.raises(WireError, match="65,537 bytes, but has from 1 to 65,536"):
        greeted().feed(HEADER.pack(LIMIT + 1, 0))
    with pytest.raises(WireError, match="claims 0 bytes"):
        greeted().feed(HEADER.pack(0, 0))


def test_messages_before_the_hello_are_refused() -> None:
    with pytest.raises(WireError, match="does not hold a hello"):
        Decoder(LIMIT).feed(encode([TimeoutNow("a", "b", 1)], LIMIT))


def test_a_long_hello_is_an_error_at_the_sender() -> None:
    with pytest.raises(WireError, match="choose shorter"):
        encode_hello(Hello(VERSION, "c" * HELLO_BYTES_MAX, "a", "b"))


def test_too_much_for_a_frame_goes_in_several() -> None:
    sent = [Forward("a", "b", number, bytes(100)) for number in range(50)]
    limit = 1000
    stream, decoder = encode(sent, limit), greeted(limit)
    assert len(stream) > limit
    assert decoder.feed(stream) == sent


def test_a_message_too_large_is_an_error_at_the_sender() -> None:
    with pytest.raises(WireError, match=r"Forward has 2,0.. bytes, more than the 1,000"):
        encode([Forward("a", "b", 1, b"x"), Forward("a", "b", 2, bytes(2000))], 1000)


def test_pieces_of_a_snapshot_that_lies_in_a_file(tmp_path: Path) -> None:
    import mmap

    path = tmp_path / "image"
    path.write_bytes(bytes(range(256)) * 64)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        for piece in (whole[100:9000], whole, bytearray(whole)):
            message = InstallSnapshot("a", "b", 1, 2, 3, configuration("abc"), 4, piece, 5, 6)  # type: ignore[arg-type]
            [got] = greeted().feed(encode([message], LIMIT))
            assert isinstance(got, InstallSnapshot) and type(got.data) is bytes and got.data == bytes(piece)
        with memoryview(whole) as view, view[7:99] as piece:
            message = InstallSnapshot("a", "b", 1, 2, 3, configuration("abc"), 4, piece, 5, 6)  # type: ignore[arg-type]
            [got] = greeted().feed(encode([message], LIMIT))
            assert isinstance(got, InstallSnapshot) and got.data == bytes(range(7, 99))


def test_what_has_no_place_in_a_message_is_told() -> None:
    with pytest.raises(NotImplementedError, match="object has no place"):
        encode([Forward("a", "b", 1, object())], LIMIT)  # type: ignore[arg-type]


def test_the_largest_that_the_limits_allow_fits_a_frame() -> None:
    limits = Limits(key_bytes_max=1000, value_bytes_max=1 << 21)
    config = NodeConfig("a", "c", "d", {name: Place("127.0.0.1:1", "127.0.0.1:2") for name in "ab"}, limits=limits)
    entry = Entry(2**63, 2**63, Kind.COMMAND, bytes(command_bytes_max(limits)))
    largest = AppendEntries("a", "b", 2**63, 2**63, 2**63, (entry,), 2**63, 2**63)
    stream = encode([largest], frame_bytes_max(config))
    assert greeted(frame_bytes_max(config)).feed(stream) == [largest]


def test_a_large_frame_in_many_pieces_is_kept_once() -> None:
    """Copying all that is there for every piece would take minutes here."""
    limit = 16 << 20
    sent = [Forward("a", "b", 1, bytes(limit - 1000))]
    stream, decoder, got = encode(sent, limit), greeted(limit), []
    for at in range(0, len(stream), 100):
        got += decoder.feed(stream[at : at + 100])
    assert got == sent


def test_the_largest_reply_goes_through_however_small_commands_must_be():
    config = NodeConfig("a", "c", "", {"a": Place("127.0.0.1:1", "127.0.0.1:2")}, limits=Limits(value_bytes_max=1000))
    largest = Forwarded("a", "b", 1, Reply(b"x" * REPLY_BYTES_MAX))
    frames = encode([largest], frame_bytes_max(config))
    assert greeted(frame_bytes_max(config)).feed(frames) == [largest]
