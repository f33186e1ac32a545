"""Statements of SQL and CQL, told apart as far as their settings need it: words, quoted texts, signs.

Law: comments and quoted texts are never taken for statements; every word keeps its line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scrutator.model.quorums.files.errors import FileError

_TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*|//[^\n]*|/\*.*?(?:\*/|\Z))"""
    r"""|(?P<text>'(?:[^']|'')*')|(?P<name>"(?:[^"]|"")*")"""
    r"""|(?P<word>[\w.$-]+)|(?P<sign>[^\w\s])""",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A word, quoted name, quoted text or sign; ``value`` without quotes, ``line`` counts from 1."""

    kind: str  # word, name, text, sign
    value: str
    line: int

    def is_word(self, *words: str) -> bool:
        return self.kind == "word" and self.value.upper() in words

    def is_sign(self, signs: str) -> bool:
        return self.kind == "sign" and self.value in signs


def statements(path: Path, text: str) -> Iterator[list[Token]]:
    """The statements, which end with a semicolon or the text; raises `FileError` for a quote left open."""
    found: list[Token] = []
    line = 1
    for match in _TOKEN.finditer(text):
        kind, raw = str(match.lastgroup), match[0]
        if kind == "sign" and raw in "'\"":
            raise FileError(path, line, f"a quote {raw} that is never closed")
        if kind == "sign" and raw == ";":
            yield found
            found = []
        elif kind != "space":
            quote = raw[0] if kind in ("text", "name") else ""
            found.append(Token(kind, raw[1:-1].replace(quote * 2, quote) if quote else raw, line))
        line += raw.count("\n")
    if found:
        yield found


def find(tokens: list[Token], *words: str) -> int | None:
    """Where these words follow one another."""
    for k in range(len(tokens) - len(words) + 1):
        if all(tokens[k + j].is_word(word) for j, word in enumerate(words)):
            return k
    return None
