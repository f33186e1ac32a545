"""The Redis protocol, seen by a server: requests in any pieces, answers in RESP2 or RESP3.

Law: the commands and the error that bytes stand for do not depend on how they were cut, and what is kept of an
unfinished command is bounded.  Source: https://redis.io/docs/latest/develop/reference/protocol-spec/ ;
errors are worded as Redis does.  Two parsers share the work: one splits a whole piece at its line ends, which
finds commands of short arguments without line ends; the other knows everything, and goes on where that one stops.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

HEADER_BYTES_MAX = 32  # '*' or '$' and a number
INLINE_BYTES_MAX = 1 << 16
_QUICK_COUNT_MAX = 16
_QUICK_BYTES_MAX = 1024
_STAR, _DOLLAR = b"*$"
_QUOTED = re.compile(rb"""\s+|"((?:[^"\\]|\\.)*)"(?=\s|$)|'((?:[^'\\]|\\.)*)'(?=\s|$)|([^\s"']+)""", re.DOTALL)
_ESCAPE = re.compile(rb"\\(x[0-9a-fA-F]{2}|.)", re.DOTALL)
_ESCAPED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"a": b"\a"}


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a command may hold: so many arguments, of so many bytes each and together."""

    arguments_max: int
    bulk_bytes_max: int
    command_bytes_max: int


class Parser:
    """Requests of one connection.  After an ``error``, what follows cannot be understood and is ignored."""

    __slots__ = ("_arguments", "_bounds", "_buffer", "_bulk", "_bytes", "_counts", "_left", "_lengths", "error")

    def __init__(self, bounds: Bounds) -> None:
        self.error = ""
        self._bounds = bounds
        self._counts, self._lengths = _tables(min(bounds.arguments_max, _QUICK_COUNT_MAX), min(bounds.bulk_bytes_max, _QUICK_BYTES_MAX))
        self._buffer = bytearray()  # what is not yet understood
        self._arguments: list[bytes] = []  # of the command that is being read,
        self._left = 0  # which lacks so many,
        self._bulk = -1  # the next of which has so many bytes, -1 if that is not known yet
        self._bytes = 0  # of all that were announced

    @property
    def held(self) -> int:
        """Bytes kept of a command that is not complete."""
        return len(self._buffer) + self._bytes - max(0, self._bulk) + 64 * len(self._arguments)

    def feed(self, data: bytes) -> list[list[bytes]]:
        """The commands that these bytes complete, each a list of at least one argument."""
        commands: list[list[bytes]] = []
        if self.error:
            return commands
        if self._buffer or self._left:
            self._buffer += data
            if not self._step(commands):
                return commands
            data = bytes(self._buffer)
            self._buffer.clear()
        position = self._quick(data, commands)
        if position < len(data):
            self._buffer += memoryview(data)[position:]
            while self._step(commands):
                pass
        return commands

    def _quick(self, data: bytes, commands: list[list[bytes]]) -> int:
        """Add the commands that splitting finds; how many bytes those were."""
        tokens = data.split(b"\r\n")
        last = len(tokens) - 1  # is not followed by a line end
        counts, length = self._counts, self._lengths.get
        at = 0
        while at < last:
            count = counts.get(tokens[at])
            if count is None:
                break
            end = at + 1 + 2 * count
            if end > last:
                break
            arguments = tokens[at + 2 : end : 2]
            if list(map(length, tokens[at + 1 : end : 2])) != list(map(len, arguments)):
                break
            commands.append(arguments)
            at = end
        return len(data) if at == last and not tokens[last] else sum(map(len, tokens[:at])) + 2 * at

    def _step(self, commands: list[list[bytes]]) -> bool:
        """Go on until one command is complete, or an empty one was skipped; False where more bytes are needed."""
        if not self._left:
            if not self._buffer:
                return False
            if self._buffer[0] != _STAR:
                return self._inline(commands)
            count = self._header("invalid multibulk length", "too big mbulk count string")
            if count is None:
                return False
            if count > self._bounds.arguments_max:
                return self._fail("invalid multibulk length")
            if count <= 0:
                return True
            self._left = count
        while self._left:
            if not self._argument():
                return False
        commands.append(self._arguments)
        self._arguments, self._bytes = [], 0
        return True

    def _argument(self) -> bool:
        """Take one argument of the buffer; False where it is not all there."""
        buffer, bounds = self._buffer, self._bounds
        if self._bulk < 0:
            if buffer and buffer[0] != _DOLLAR:
                return self._fail(f"expected '$', got '{chr(buffer[0]) if 32 <= buffer[0] < 127 else '?'}'")
            length = self._header("invalid bulk length", "too big bulk count string")
            if length is None:
                return False
            if not 0 <= length <= bounds.bulk_bytes_max:
                return self._fail("invalid bulk length")
            self._bytes += length
            if self._bytes > bounds.command_bytes_max:
                return self._fail(f"a command of more than {bounds.command_bytes_max} bytes")
            self._bulk = length
        end = self._bulk
        if len(buffer) < end + 2:
            return False
        if buffer[end : end + 2] != b"\r\n":
            return self._fail("invalid bulk length")  # it does not end where it should
        with memoryview(buffer) as view:
            self._arguments.append(bytes(view[:end]))
        del buffer[: end + 2]
        self._bulk = -1
        self._left -= 1
        return True

    def _header(self, wrong: str, long: str) -> int | None:
        """The number of a line, behind its first character; None where there is none, or not yet."""
        buffer = self._buffer
        end = buffer.find(b"\r\n", 0, HEADER_BYTES_MAX)
        if end < 0:
            if len(buffer) >= HEADER_BYTES_MAX:
                self._fail(long)
            return None
        text = bytes(buffer[1:end])
        if not text.removeprefix(b"-").isdigit() or b"%d" % int(text) != text:
            self._fail(wrong)
            return None
        del buffer[: end + 2]
        return int(text)

    def _inline(self, commands: list[list[bytes]]) -> bool:
        """Take a line that somebody typed."""
        buffer = self._buffer
        end = buffer.find(b"\n", 0, INLINE_BYTES_MAX)
        if end < 0:
            return self._fail("too big inline request") if len(buffer) >= INLINE_BYTES_MAX else False
        words = words_of(bytes(buffer[:end]))
        if words is None:
            return self._fail("unbalanced quotes in request")
        if len(words) > self._bounds.arguments_max:
            return self._fail("invalid multibulk length")
        if words and max(map(len, words)) > self._bounds.bulk_bytes_max:
            return self._fail("invalid bulk length")
        del buffer[: end + 1]
        if words:
            commands.append(words)
        return True

    def _fail(self, why: str) -> bool:
        self.error = f"Protocol error: {why}"
        self._buffer.clear()
        self._arguments, self._left, self._bulk, self._bytes = [], 0, -1, 0
        return False


@lru_cache(maxsize=16)
def _tables(count_max: int, bytes_max: int) -> tuple[dict[bytes, int], dict[bytes, int]]:
    """Lines that begin short commands and short arguments."""
    return {b"*%d" % n: n for n in range(1, count_max + 1)}, {b"$%d" % n: n for n in range(bytes_max + 1)}


def words_of(line: bytes) -> list[bytes] | None:
    r"""The words of a typed line, quoted as in redis-cli; None where a quote is not closed.

    >>> words_of(rb'set k "a b\x21\n"'), words_of(b"get 'it\\'s'"), words_of(b"get 'k")
    ([b'set', b'k', b'a b!\n'], [b'get', b"it's"], None)
    """
    if b'"' not in line and b"'" not in line:
        return line.split()
    words: list[bytes] = []
    position, open_word = 0, False
    while position < len(line):
        match = _QUOTED.match(line, position)
        if match is None:
            return None
        position = match.end()
        double, single, plain = match.groups()
        if match.lastindex is None:
            open_word = False
            continue
        word = plain if plain is not None else _ESCAPE.sub(_unescaped, double) if double is not None else single.replace(b"\\'", b"'")
        if open_word:
            words[-1] += word
        else:
            words.append(word)
        open_word = True
    return words


def _unescaped(match: re.Match[bytes]) -> bytes:
    what: bytes = match[1]
    return bytes((int(what[1:], 16),)) if len(what) == 3 else _ESCAPED.get(what, what)


# --- answers --------------------------------------------------------------------------------


class Text(str):
    """Lines for people: a verbatim string in RESP3, a bulk string before."""

    __slots__ = ()


Value = bytes | str | int | bool | None | Sequence["Value"] | Mapping[str, "Value"]

OK = b"+OK\r\n"
NULL2, NULL3 = b"$-1\r\n", b"_\r\n"


def encode(value: Value, resp3: bool) -> bytes:
    r"""An answer: bytes are a bulk string, a text is a simple one.

    >>> encode([b"x", None, True, {"a": 1}], False)
    b'*4\r\n$1\r\nx\r\n$-1\r\n:1\r\n*2\r\n$1\r\na\r\n:1\r\n'
    >>> encode([None, True, {"a": 1}], True), encode("OK", True)
    (b'*3\r\n_\r\n#t\r\n%1\r\n$1\r\na\r\n:1\r\n', b'+OK\r\n')
    """
    if isinstance(value, bytes):
        return b"$%d\r\n%b\r\n" % (len(value), value)
    if value is None:
        return NULL3 if resp3 else NULL2
    if isinstance(value, bool):
        return (b"#t\r\n" if value else b"#f\r\n") if resp3 else (b":1\r\n" if value else b":0\r\n")
    if isinstance(value, int):
        return b":%d\r\n" % value
    if isinstance(value, Text):
        text = value.encode()
        return b"=%d\r\ntxt:%b\r\n" % (len(text) + 4, text) if resp3 else b"$%d\r\n%b\r\n" % (len(text), text)
    if isinstance(value, str):
        return b"+%b\r\n" % _line(value)
    if isinstance(value, Mapping):
        parts = [b"%%%d\r\n" % len(value) if resp3 else b"*%d\r\n" % (2 * len(value))]
        for key, held in value.items():
            parts += (encode(key.encode(), resp3), encode(held, resp3))
        return b"".join(parts)
    return b"*%d\r\n%b" % (len(value), b"".join([encode(item, resp3) for item in value]))


def encode_error(text: str) -> bytes:
    """An error; its first word is for programs."""
    return b"-%b\r\n" % _line(text)


def _line(text: str) -> bytes:
    return text.replace("\r", " ").replace("\n", " ").encode("utf-8", "backslashreplace")
