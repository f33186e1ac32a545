"""The last step of every reader of other systems' files: roles, rules and notes become a `QuorumSystem`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from scrutator.model.quorums.expression import Expression, Node, QuorumError
from scrutator.model.quorums.files.errors import FileError
from scrutator.model.quorums.rules import FAMILIES
from scrutator.model.quorums.system import QuorumSystem, with_rules


def build(
    path: Path,
    name: str,
    roles: Mapping[str, Expression],
    family: str,
    rules: tuple[str, ...],
    nodes: Iterable[Node],
    notes: Iterable[str],
    line: int = 1,
) -> QuorumSystem:
    """A system under the rules of ``family``, unless ``rules`` were asked for; a note says which.

    Raises `FileError` at ``line`` where what the file describes is no quorum system, and a plain
    `QuorumError` where the rules asked for do not fit it.
    """
    if rules:
        note = f"the rules are those asked for, {'; '.join(rules)}, instead of {family}"
        return with_rules(name, roles, rules, tuple(nodes), (*notes, note))
    note = f"rules of {family}: {FAMILIES[family].doc}"
    try:
        return with_rules(name, roles, (family,), tuple(nodes), (*notes, note))
    except QuorumError as error:
        raise FileError(path, line, str(error)) from None


def listed(things: Iterable[object], most: int = 12) -> str:
    """``a``, ``a and b``, ``a, b and c``; the first few of very many.

    >>> listed("abc")
    'a, b and c'
    """
    texts = [str(thing) for thing in things]
    if len(texts) > most:
        return f"{', '.join(texts[:most])} and {len(texts) - most} more"
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)
