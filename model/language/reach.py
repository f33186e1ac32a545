"""What a part of a model names, directly or not: the bounds that it depends on, and whose part it is.

Follows types, bounds, records and the globals that functions mention, and runs nothing.
"""

from __future__ import annotations

import dis
import inspect
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from scrutator.model.language.types import BoundDeclaration, BoundExpression, Record, Type


@dataclass(frozen=True)
class Reached:
    """Every object that was met, by its identity, and the bounds among them."""

    objects: Mapping[int, Any]
    bounds: tuple[BoundDeclaration, ...]


def reached_from(things: Iterable[Any]) -> Reached:
    """Follow things to all that they name."""
    found: dict[int, BoundDeclaration] = {}
    seen: dict[int, Any] = {}  # by identity; holding the object keeps its identity its own
    todo = list(things)
    while todo:
        thing = todo.pop()
        if id(thing) in seen:
            continue
        seen[id(thing)] = thing
        if isinstance(thing, BoundExpression):
            for leaf in thing.leaves():
                found[id(leaf)] = leaf
                if leaf is not thing:
                    todo.append(leaf)
            todo += getattr(thing, "parts", list)()
        elif isinstance(thing, Type):
            todo += thing.parts()
        elif inspect.isclass(thing) and issubclass(thing, Record) and thing is not Record:
            todo.append(thing.declared())
        elif isinstance(thing, types.FunctionType) and not is_library(thing):
            todo += named_by(thing).values()
    return Reached(seen, tuple(found.values()))


def is_library(function: types.FunctionType) -> bool:
    """Whether it belongs to the language itself, not to a model."""
    return function.__module__.startswith("scrutator.model.language")


def named_by(function: types.FunctionType) -> dict[str, Any]:
    """The globals and closure variables that a function's code mentions."""
    found = {name: function.__globals__[name] for name in _global_names(function.__code__) if name in function.__globals__}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        found[name] = cell.cell_contents
    return found


@cache
def _global_names(code: types.CodeType) -> tuple[str, ...]:
    """The globals that a code object and those inside it read.  A field's name is none, even if some global has it too."""
    names = {str(i.argval): None for i in dis.get_instructions(code) if i.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            names |= dict.fromkeys(_global_names(inner))
    return tuple(names)
