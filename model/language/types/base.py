"""What every type answers: its sort, its codes, and how its values are shown.

Every type is of one of two sorts.  *Values* (numbers, enums, indices, optional values,
messages) fit into one word: `pack` gives their code, and the order of codes is the
order in which values are enumerated.  *Places* (arrays, sequences, sets, networks,
nested records) live in the state and are changed there.
"""

from __future__ import annotations

import copy
from typing import Any, TypeVar

from scrutator.model.language.errors import SpecError
from scrutator.model.language.types.bounds import Env

WORD_BITS = 64

T = TypeVar("T", bound="Type")


class Type:
    """A state variable's type; one that depends on bounds is made concrete by `resolve`."""

    volatile = False
    ghost = False

    @property
    def is_value(self) -> bool:
        """Whether it is a value, not a place; only values have a code."""
        return True

    def resolve(self, env: Env) -> Type:
        """This type with its bounds replaced by numbers."""
        return self

    def parts(self) -> list[object]:
        """The types and bounds this one is made of."""
        return []

    @property
    def size(self) -> int:
        """How many values the type has."""
        raise NotImplementedError

    @property
    def bits(self) -> int:
        """Width of the code."""
        return (self.size - 1).bit_length()

    def pack(self, value: Any) -> int:
        """The code of a value; raises ValueError with the reason where it does not fit."""
        raise NotImplementedError

    def unpack(self, code: int) -> Any:
        """The value of a code."""
        raise NotImplementedError

    def rank(self, value: Any) -> int:
        """The value's position among all values, in the order of their codes."""
        return self.pack(value)

    def unrank(self, rank: int) -> Any:
        """The value at a position; the inverse of `rank`."""
        return self.unpack(rank)

    def default(self) -> Any:
        return self.unpack(0)

    def show(self, value: Any) -> str:
        return str(value)

    def describe(self) -> str:
        raise NotImplementedError


def value_type(declared: T, container: str) -> T:
    """The type itself, once it is known to fit into an element of a container."""
    if not declared.is_value:
        raise SpecError(f"{declared.describe()} does not fit one word, so it cannot be an element of {container}")
    if declared.bits > WORD_BITS - 1:
        raise SpecError(f"{declared.describe()} needs {declared.bits} bits, but an element of {container} has at most {WORD_BITS - 1}")
    return declared


def marked_as(declared: Type, resolved: T) -> T:
    """The resolved type with the declared one's marks."""
    if (declared.volatile, declared.ghost) != (resolved.volatile, resolved.ghost):
        resolved = copy.copy(resolved)
        resolved.volatile, resolved.ghost = declared.volatile, declared.ghost
    return resolved
