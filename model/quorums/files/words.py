"""What a file adds to the words of expressions: groups of nodes, and the weight of nodes.

A group's name stands for its nodes in brackets, ``majority(eu)`` for ``majority(['a', 'b'])``;
``weighted_majority`` for a threshold of more than half of the weight.  Law: the result is an ordinary
expression, written out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from scrutator.model.quorums.expression import QuorumError
from scrutator.model.quorums.parse import CHARACTERS_MAX, unknown

Groups = Mapping[str, tuple[str, ...]]
WEIGHTED = "weighted_majority"
_TOKEN = re.compile(
    rf"(?P<weighted>\b{WEIGHTED}\b(?:\s*\((?P<of>[^()]*)\))?)"
    r"""|(?P<quoted>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?P<call>\w+\s*\()|(?P<word>\w+)"""
)


def expanded(text: str, groups: Groups, weights: Mapping[str, int]) -> str:
    """The expression with groups and weights written out.

    ``weights`` are those of the nodes that count.  Raises `QuorumError` for a weighted majority of
    something else than a group, and for a group that stands alone where a list means nothing.

    >>> expanded("majority(eu)*weighted_majority", {"eu": ("a", "b")}, {"a": 3, "b": 1, "c": 1})
    "majority(['a', 'b'])*weighted(3, 3*'a', 1*'b', 1*'c')"
    """
    pieces: list[str] = []
    length = at = depth = 0
    for match in _TOKEN.finditer(text):
        between = text[at : match.start()]
        depth += between.count("(") + between.count("[") - between.count(")") - between.count("]")
        pieces += [between, _meaning(match, groups, weights, depth)]
        depth += 1 if match["call"] else 0
        at = match.end()
        length += len(pieces[-1])
        if length > CHARACTERS_MAX:
            raise QuorumError(f"with its groups written out, the expression is longer than {CHARACTERS_MAX:,} characters")
    return "".join([*pieces, text[at:]])


def _meaning(match: re.Match[str], groups: Groups, weights: Mapping[str, int], depth: int) -> str:
    if match["weighted"]:
        return _weighted(match["of"], groups, weights)
    word = match["word"] or (match["quoted"] or "")[1:-1]
    if word not in groups:
        return match[0]
    if depth == 0:
        raise QuorumError(f"{word} is a group: write majority({word}), all({word}) or any({word})")
    return _list(groups[word])


def _weighted(of: str | None, groups: Groups, weights: Mapping[str, int]) -> str:
    group = (of or "").strip().strip("'\"")
    if of is not None and group not in groups:
        raise QuorumError(f"{WEIGHTED} is of all nodes, or of a group; {unknown('group', group or '()', groups)}")
    members = [name for name in (weights if of is None else groups[group]) if name in weights]
    if not members:
        raise QuorumError(f"{WEIGHTED}: there are only learners, which never count")
    needed = sum(weights[name] for name in members) // 2 + 1
    return f"weighted({needed}, {', '.join(f'{weights[name]}*{name!r}' for name in members)})"


def _list(names: Iterable[str]) -> str:
    return f"[{', '.join(repr(name) for name in names)}]"
