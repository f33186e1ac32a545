"""Strings made safe to print: what a model or file names cannot steer a terminal.

Law: the cleaned string has no control, formatting or line-breaking character, and shows
each one it had as an escape.  Knows nothing of results.
"""

from __future__ import annotations

import unicodedata

# Control, formatting (which includes text direction), surrogate, and line or paragraph separator.
_UNSAFE = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def clean(text: str) -> str:
    """One line of text, its unsafe characters written as Python escapes such as ``\\x1b``.

    >>> clean("plain"), clean("red \\x1b[31m")
    ('plain', 'red \\\\x1b[31m')
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(c) if unicodedata.category(c) in _UNSAFE else c for c in text)


def clean_lines(text: str) -> list[str]:
    """The lines of a longer text, each cleaned; only the newline itself breaks lines."""
    return [clean(line) for line in text.expandtabs(4).split("\n")]


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
