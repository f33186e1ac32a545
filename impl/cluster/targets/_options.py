"""Options of targets, which are texts: what each must be, and what is said of one that is not.

Law: a mistake names the target, the option, what was given and what to write; it raises `TargetError`.
"""

from __future__ import annotations

from scrutator.impl.cluster.target import TargetError


def one_of(target: str, option: str, value: str, *known: str) -> str:
    """One of some words.

    >>> one_of("etcd", "fsync", "no", "yes", "no")
    'no'
    """
    if value not in known:
        raise TargetError(f"{target}: {option}={value}: write {' or '.join(known)}")
    return value


def yes_or_no(target: str, option: str, value: str) -> bool:
    """A truth value."""
    return one_of(target, option, value, "yes", "no") == "yes"


def number(target: str, option: str, text: str, least: float, most: float) -> float:
    """A number within bounds, which are inclusive; neither infinite nor none at all.

    >>> number("maelstrom", "loss", "0.5", 0, 1)
    0.5
    """
    try:
        found = float(text)
    except ValueError:
        found = float("nan")
    if not least <= found <= most:
        raise TargetError(f"{target}: {option}={text}: write a number from {least:g} to {most:g}")
    return found


def whole(target: str, option: str, text: str, least: int, most: int) -> int:
    """A whole number within bounds, which are inclusive.

    >>> whole("etcd", "heartbeat_ms", "100", 1, 50_000)
    100
    """
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(most)) and least <= int(text) <= most):
        raise TargetError(f"{target}: {option}={text}: write a whole number from {least:,} to {most:,}")
    return int(text)
