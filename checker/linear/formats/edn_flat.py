"""A map as recordings mostly hold them: keywords to atoms, or to vectors of atoms.

The law: what is taken here is what `edn` reads in the same place, only sooner.
"""

from __future__ import annotations

import re

_NAME = r":[A-Za-z][\w.*+!?/<>=-]*+"
_ATOM = rf"(?:-?(?:0|[1-9][0-9]{{0,17}}+)|{_NAME}|nil|true|false)(?=[\s,\]}}])"
_STRING = r'"[^"\\]*+"'
_VALUE = rf"(?:{_ATOM}|{_STRING}|\[(?:[\s,]*+{_ATOM})*+[\s,]*+\])"
_MAP = re.compile(
    rf"[\s,]*+(?:\#[A-Za-z][\w.]*+[\s,]*+)?(\{{(?:[\s,]*+{_NAME}[\s,]++{_VALUE})*+[\s,]*+\}})", re.ASCII
)
_PAIR = re.compile(rf"({_NAME})[\s,]++({_VALUE})", re.ASCII)
_SEPARATORS = re.compile(r"[\s,]+", re.ASCII)
_WORDS: dict[str, object] = {"nil": None, "true": True, "false": False}
_DIGITS = frozenset("-0123456789")


def flat_map(text: str, at: int) -> tuple[int, int, dict[object, object]] | None:
    """The map at an offset: where it begins and ends, and what it holds.  None if there is no such.

    >>> flat_map(' {:f :cas, :value [3 nil], :x "a"}', 0)
    (1, 34, {'f': 'cas', 'value': [3, None], 'x': 'a'})
    >>> flat_map("{:value [[1]]}", 0)
    """
    match = _MAP.match(text, at)
    if match is None:
        return None
    begin, end = match.span(1)
    found: dict[object, object] = {}
    count = 0
    for key, token in _PAIR.findall(text, begin, end):
        count += 1
        first = token[0]
        if first in _DIGITS:
            found[key[1:]] = int(token)
        elif first == ":":
            found[key[1:]] = token[1:]
        elif first == '"':
            found[key[1:]] = token[1:-1]
        elif first == "[":
            found[key[1:]] = [_atom(part) for part in _SEPARATORS.split(token[1:-1]) if part]
        else:
            found[key[1:]] = _WORDS[token]
    return (begin, end, found) if len(found) == count else None


def _atom(token: str) -> object:
    if token[0] in _DIGITS:
        return int(token)
    return token[1:] if token[0] == ":" else _WORDS[token]
