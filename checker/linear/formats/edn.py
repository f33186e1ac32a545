"""A reader of EDN, the notation of Clojure's data: values only, nothing is ever evaluated.

`records` gives what a file lists, with lines: the forms at the top, or the elements of the
one vector or list at the top.  nil is None, a keyword or symbol its name without the
colon, a character a string, a vector or list a list, a map a dict, a set a frozenset.
Tags say which type Clojure prints a value of; the value is read and the tag left out.

https://github.com/edn-format/edn
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from scrutator.checker.linear.formats.edn_flat import flat_map
from scrutator.checker.linear.formats.source import Source, shown
from scrutator.checker.linear.values import frozen

DEPTH_MAX = 100  # of nesting
DIGITS_MAX = 1000

_TOKEN = re.compile(
    r"""
    (?: [\s,]++ | ;[^\n]*+ )*+
    (?: (?P<open> \#\{ | [\[({] )
    | (?P<close> [\])}] )
    | (?P<string> "(?:[^"\\]|\\.)*" )
    | (?P<integer> [+-]?(?:0|[1-9][0-9]*)N? (?![^\s,;"()\[\]{}]) )
    | (?P<float> [+-]?(?:0|[1-9][0-9]*)(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?M? (?![^\s,;"()\[\]{}]) )
    | (?P<keyword> :[^\s,;"()\[\]{}:@^`~\\][^\s,;"()\[\]{}@^`~\\]* )
    | (?P<discard> \#_ )
    | (?P<tag> \#[A-Za-z][^\s,;"()\[\]{}]* )
    | (?P<character> \\(?:u[0-9A-Fa-f]{4}|[A-Za-z]+|\S) )
    | (?P<symbol> [A-Za-z*!_?$%&=<>./+-][^\s,;"()\[\]{}@^`~\\]* )
    | (?P<end> \Z )
    | (?P<wrong> . )
    )
    """,
    re.VERBOSE | re.DOTALL,
)
_CLOSING = {"[": "]", "(": ")", "{": "}", "#{": "}"}
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)
_ESCAPED = {"t": "\t", "r": "\r", "n": "\n", "b": "\b", "f": "\f", "\\": "\\", '"': '"'}
_CHARACTERS = {"newline": "\n", "return": "\r", "space": " ", "tab": "\t"}
_WORDS: dict[str, object] = {"nil": None, "true": True, "false": False}


@dataclass(slots=True)
class _Open:
    """A collection that has begun."""

    bracket: str
    start: int
    items: list[object] = field(default_factory=list)
    prefix: str | None = None  # a tag or #_ that waits for its value
    discarded: bool = False  # the collection itself follows #_

    def put(self, value: object) -> None:
        if self.prefix != "#_":
            self.items.append(value)
        self.prefix = None


def records(source: Source) -> Iterator[tuple[int, object]]:
    """The records of a file, each with its line.  Raises `HistoryError`."""
    text = source.text()
    ends = [match.start() for match in re.finditer("\n", text)]

    def line_of(at: int) -> int:
        return bisect.bisect_left(ends, at) + 1

    return _Reader(source, text, line_of).records()


def values(source: Source, line: int, text: str) -> list[object]:
    """The values that a part of a line holds.  Raises `HistoryError`."""
    return [value for _, value in _Reader(source, text, lambda _: line, lists=False).records()]


@dataclass(slots=True)
class _Reader:
    source: Source
    text: str
    line_of: Callable[[int], int]
    lists: bool = True  # a vector at the top lists records
    open: list[_Open] = field(default_factory=list)
    names: dict[str, object] = field(default_factory=dict)  # keywords and symbols met
    count: int = 0  # records so far

    def records(self) -> Iterator[tuple[int, object]]:
        """The law: the lowest of the open is the file; above it, perhaps, the vector that lists records."""
        stack, names = self.open, self.names
        top = _Open("", 0)
        stack.append(top)
        listing: _Open | None = None  # the vector that lists records
        frame, start = top, 0
        at = 0
        while True:
            if frame is (listing or top) and frame.prefix is None and self.lists:
                while (flat := flat_map(self.text, at)) is not None:
                    start, at, record = flat
                    self.count += 1
                    yield self.line_of(start), record
            match = _TOKEN.match(self.text, at)
            assert match is not None and match.lastgroup is not None
            kind, at = match.lastgroup, match.end()
            token, here = match.group(kind), match.start(kind)
            if frame is top:
                start = here
                if listing is not None and kind != "end":
                    raise self.after_list(here, listing, token)
            elif frame is listing:
                start = here
            if kind == "keyword" or kind == "symbol":
                if token not in names:
                    names[token] = token[1:] if kind == "keyword" else _WORDS.get(token, token)
                frame.put(names[token])
            elif kind == "open":
                frame = self.begin(token, here)
                if (
                    self.lists
                    and len(stack) == 2
                    and self.count == 0
                    and token in "[("
                    and not frame.discarded
                ):
                    listing = frame
            elif kind == "close":
                value = self.close(token, here)
                closed, frame = frame, stack[-1]
                start = closed.start
                if closed is not listing and not closed.discarded:
                    frame.items.append(value)
            elif kind == "tag" or kind == "discard":
                if frame.prefix is not None:
                    raise self.expected(here, f"a value after {frame.prefix}", shown(token))
                frame.prefix = token
            elif kind == "end":
                self.check_end(here)
                return
            else:
                frame.put(self.atom(kind, token, here))
            if frame.items and (frame is top or frame is listing):
                self.count += 1
                yield self.line_of(start), frame.items.pop()

    def after_list(self, at: int, listing: _Open, token: str) -> Exception:
        return self.expected(
            at, f"nothing after the list of line {self.line_of(listing.start)}", shown(token)
        )

    def check_end(self, at: int) -> None:
        last = self.open[-1]
        if last.bracket:
            raise self.expected(at, self.closing(last), "the end of the file")
        if last.prefix is not None:
            raise self.expected(at, f"a value after {last.prefix}", "the end of the file")

    def closing(self, of: _Open) -> str:
        return f"{_CLOSING[of.bracket]} for the {of.bracket} of line {self.line_of(of.start)}"

    def begin(self, token: str, at: int) -> _Open:
        """Begin a collection."""
        if len(self.open) > DEPTH_MAX:
            raise self.expected(at, f"values nested at most {DEPTH_MAX} deep", "more")
        frame = self.open[-1]
        self.open.append(_Open(token, at, discarded=frame.prefix == "#_"))
        frame.prefix = None
        return self.open[-1]

    def close(self, token: str, at: int) -> object:
        """End a collection; its value."""
        if len(self.open) == 1:
            raise self.expected(at, "a value", f"{token}, which closes nothing")
        ended = self.open.pop()
        if _CLOSING[ended.bracket] != token:
            raise self.expected(at, self.closing(ended), token)
        if ended.prefix is not None:
            raise self.expected(at, f"a value after {ended.prefix}", token)
        if ended.bracket == "{":
            return self.map_of(ended.items, ended.start)
        if ended.bracket == "#{":
            return frozenset(map(frozen, ended.items))
        return ended.items

    def map_of(self, items: list[object], at: int) -> dict[object, object]:
        if len(items) % 2:
            raise self.expected(at, "a map of keys and values", f"the key {shown(items[-1])} without a value")
        found = dict(zip(map(frozen, items[::2]), items[1::2], strict=True))
        if 2 * len(found) < len(items):
            raise self.expected(at, "a map of different keys", "a key that comes twice")
        return found

    def atom(self, kind: str, token: str, at: int) -> object:
        if kind == "integer":
            if len(token) > DIGITS_MAX:
                raise self.expected(at, f"a number of at most {DIGITS_MAX} digits", f"one of {len(token):,}")
            return int(token.removesuffix("N"))
        if kind == "float":
            return float(token.removesuffix("M"))
        if kind == "string":
            return self.string(token, at)
        if kind == "wrong":
            raise self.expected(at, "an EDN value", shown(self.text[at : at + 20].split("\n")[0]))
        name = token[1:]
        if len(name) > 1 and name not in _CHARACTERS and not name.startswith("u"):
            raise self.expected(at, "a character", token)
        return chr(int(name[1:], 16)) if len(name) == 5 and name[0] == "u" else _CHARACTERS.get(name, name)

    def string(self, token: str, at: int) -> str:
        if "\\" not in token:
            return token[1:-1]

        def unescape(match: re.Match[str]) -> str:
            escape = match.group(1)
            if len(escape) == 5:
                return chr(int(escape[1:], 16))
            if escape not in _ESCAPED:
                raise self.expected(at, "a string", f"the escape \\{escape}")
            return _ESCAPED[escape]

        return _ESCAPE.sub(unescape, token[1:-1])

    def expected(self, at: int, expected: str, found: str) -> Exception:
        return self.source.expected(self.line_of(at), expected, found)
