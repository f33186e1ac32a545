"""What MongoDB's shells print: JSON with bare keys, single quotes, and values such as NumberLong(3).

Law: translated to JSON word by word, in the same lines, and never evaluated; of a call the first
argument remains.  Extended JSON, {"$numberLong": "3"}, becomes the number too.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from scrutator.model.quorums.files.errors import FileError, line_at

_TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*|/\*.*?(?:\*/|\Z))|(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')"""
    r"""|(?P<number>[-+]?\d[\w.+-]*)|(?P<word>[A-Za-z_$][\w$.]*)|(?P<sign>.)""",
    re.DOTALL,
)
_NUMBERS = ("NumberLong", "NumberInt", "NumberDecimal", "Long", "Int32", "Double", "Decimal128")
_WRAPPED = ("$numberInt", "$numberLong", "$numberDouble", "$numberDecimal")
_LITERALS = ("true", "false", "null")


def read_shell(path: Path, text: str) -> object:
    """The value printed; raises `FileError` with the line where it cannot be read."""
    body = _without_assignment(text)
    try:
        return _loaded(path, body)
    except json.JSONDecodeError:
        pass
    try:
        return _loaded(path, _translated(path, body))
    except json.JSONDecodeError as error:
        raise FileError(path, error.lineno, f"neither JSON nor what the shell prints: {error.msg}") from None


def _loaded(path: Path, text: str) -> object:
    """The value; raises `JSONDecodeError` for what is not JSON, `FileError` for JSON that means nothing here."""
    try:
        return json.loads(text, object_pairs_hook=_unwrapped, parse_constant=_refused)
    except json.JSONDecodeError:
        raise
    except RecursionError:
        raise FileError(path, 1, "nested too deep to be a configuration") from None
    except ValueError as error:
        raise FileError(path, 1, f"cannot be read: {error}") from None


def _without_assignment(text: str) -> str:
    """Without the prompt, or ``config =`` before it and a semicolon after, as scripts have them; lines stay."""
    match = re.match(r"[^\n{]*>\s*rs\.conf\(\)\s*(?=\{)|\s*(?:(?:var|let|const)\s+)?[\w.]+\s*=(?=\s*\{)|\s*rs\.(?:initiate|reconfig)\s*\((?=\s*\{)", text)
    if match is None:
        return text
    rest = text[match.end() :].rstrip().rstrip(";").rstrip()
    return "\n" * match[0].count("\n") + (rest.removesuffix(")") if match[0].rstrip().endswith("(") else rest)


def _translated(path: Path, text: str) -> str:
    tokens = [(str(m.lastgroup), m[0], m.start()) for m in _TOKEN.finditer(text)]
    pieces: list[str] = []
    k = 0
    while k < len(tokens):
        kind, raw, start = tokens[k]
        if kind == "space":
            pieces.append("\n" * raw.count("\n") + " ")
        elif kind == "text":
            pieces.append(_quoted(raw))
        elif kind == "word" and raw == "new":
            pass
        elif kind == "word" and k + 1 < len(tokens) and tokens[k + 1][1] == "(":
            k, piece = _call(path, text, tokens, k)
            pieces.append(piece)
        elif kind == "word" and raw not in _LITERALS:
            pieces.append(json.dumps(raw))
        elif kind == "sign" and raw in "}]":
            _drop_comma(pieces)
            pieces.append(raw)
        elif kind == "sign" and raw not in "{[:,":
            raise FileError(path, line_at(text, start), f"unexpected {raw!r}; save what rs.conf() or EJSON.stringify(rs.conf()) prints")
        else:
            pieces.append(raw)
        k += 1
    return "".join(pieces)


def _call(path: Path, text: str, tokens: list[tuple[str, str, int]], k: int) -> tuple[int, str]:
    """``Name(first, ...)``: where it ends, and what it stands for; the rest is skipped."""
    name, depth, first = tokens[k][1], 0, ""
    for end in range(k + 1, len(tokens)):
        kind, raw, _ = tokens[end]
        depth += {"(": 1, ")": -1}.get(raw, 0) if kind == "sign" else 0
        if depth == 0:
            break
        if not first and kind in ("text", "number"):
            first = raw
    else:
        raise FileError(path, line_at(text, tokens[k][2]), f"{name}( is never closed")
    value = _quoted(first) if first[:1] in ("'", '"') else first or "null"
    return end, value.strip('"') if name in _NUMBERS else value


def _drop_comma(pieces: list[str]) -> None:
    for k in range(len(pieces) - 1, -1, -1):
        if pieces[k].strip():
            if pieces[k] == ",":
                del pieces[k]
            return


def _quoted(raw: str) -> str:
    inner = re.sub(r"\\(['\n])", r"\1", raw[1:-1])
    return raw if raw[0] == '"' else '"' + re.sub(r'(?<!\\)"', r"\"", inner) + '"'


def _unwrapped(pairs: list[tuple[str, object]]) -> object:
    entries = dict(pairs)
    if len(entries) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for k, name in enumerate(names) if name in names[:k])
        raise ValueError(f"{twice} is given twice in one place; take one of them out")
    if len(entries) == 1:
        ((key, value),) = entries.items()
        if key in _WRAPPED and isinstance(value, str) and re.fullmatch(r"-?\d{1,18}(\.\d*)?", value):
            return float(value) if "." in value else int(value)
    return entries


def _refused(word: str) -> object:
    raise ValueError(f"{word} is no value here")
