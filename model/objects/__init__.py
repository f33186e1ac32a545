"""Sequential objects: register, key-value store, set, queue, lock and others, as plain functions.

There is no list to keep: `objects` finds what the modules of this package declare.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re

from scrutator.model.objects.sequential import ANY, Method, Object, Outcomes, State, Value, in_order

__all__ = ["ANY", "Method", "Object", "Outcomes", "State", "Value", "find", "objects"]

_STARTING = re.compile(r"(.+?)\((.*)\)", re.DOTALL)


def objects() -> dict[str, Object]:
    """Every object of the package by name, in order of names."""
    found: dict[str, Object] = {}
    for info in pkgutil.iter_modules(__path__, f"{__name__}."):
        for value in vars(importlib.import_module(info.name)).values():
            if isinstance(value, Object) and found.setdefault(value.name, value) is not value:
                raise ValueError(f"two objects are called {value.name}, the second one in {info.name}")
    return dict(sorted(found.items()))


def find(reference: str) -> Object:
    """The object that a reference names.

    A reference is a name or an alias of the catalogue, ``package.module:OBJECT`` or
    ``file.py:OBJECT``; after it may stand what the object starts with, in parentheses: a
    literal of Python, or ? where nobody knows.
    Raises `SpecError` where there is nothing of that name, or where its file does not load.

    >>> find("cas-register").name
    'register'
    >>> find("semaphore(3)").initial, find("kv('')").initial, find("bank({'a': 5, 'b': 0})").initial
    (3, '', (('a', 5), ('b', 0)))
    """
    from scrutator.model import references

    known = objects()
    aliases = {alias: object_ for object_ in known.values() for alias in object_.aliases}
    match = _STARTING.fullmatch(reference)
    if match is None:
        return references.load(reference, Object, known | aliases, noun="object")
    return references.load(match[1], Object, known | aliases, noun="object").starting(_literal(reference, match[2]))


def _literal(reference: str, text: str) -> Value:
    from scrutator.model.language.errors import SpecError

    if text.strip() == "?":
        return ANY
    try:
        return _frozen(ast.literal_eval(text))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise SpecError(f"{reference}: what the object starts with is a literal of Python or ?, not {text or 'nothing'}") from None


def _frozen(value: object) -> Value:
    """A state as objects hold it: lists as tuples, maps as pairs in order of the keys, sets as frozen ones."""
    if isinstance(value, list | tuple):
        return tuple(map(_frozen, value))
    if isinstance(value, dict):
        return in_order((_frozen(key), _frozen(of)) for key, of in value.items())
    if isinstance(value, set):
        return frozenset(map(_frozen, value))
    assert isinstance(value, str | int | float | bytes | complex | None), value
    return value
