"""Bounds: the named parameters of a model, and arithmetic over them.

A bound has no value where a model is declared; it is an expression, and gets its value
when the model is bound.  `Bound` and `Option` are annotated with what they stand for
inside actions and properties.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any, cast

from scrutator.model.language.errors import SpecError

_order = itertools.count()

Env = Mapping[str, Any]


class BoundExpression:
    """An arithmetic expression over bounds, evaluated when the model is bound."""

    def evaluate(self, env: Env) -> Any:
        raise NotImplementedError

    def leaves(self) -> list[BoundDeclaration]:
        raise NotImplementedError

    def __add__(self, other: object) -> BoundExpression:
        return _Arithmetic("+", self, other)

    def __radd__(self, other: object) -> BoundExpression:
        return _Arithmetic("+", other, self)

    def __sub__(self, other: object) -> BoundExpression:
        return _Arithmetic("-", self, other)

    def __rsub__(self, other: object) -> BoundExpression:
        return _Arithmetic("-", other, self)

    def __mul__(self, other: object) -> BoundExpression:
        return _Arithmetic("*", self, other)

    __rmul__ = __mul__

    def __bool__(self) -> bool:
        raise SpecError("a bound has no value before the model is bound: use it inside actions and properties")


class BoundDeclaration(BoundExpression):
    """A named parameter of a model, with its default; see `Bound`, `Option` and `Quorums`."""

    def __init__(self, name: str, default: Any, doc: str, *, low: int = 0, high: int = 1 << 31) -> None:
        self.name, self.default, self.doc, self.low, self.high = name, default, doc, low, high
        self.order = next(_order)

    def parse(self, value: object) -> Any:
        """The bound's value from what a user gave, raising `SpecError` where it does not fit."""
        if isinstance(self.default, bool):
            words = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
            if isinstance(value, bool):
                return value
            if str(value).lower() not in words:
                raise SpecError(f"{self.name}={value}: an option is true or false")
            return words[str(value).lower()]
        try:
            number = int(str(value))
        except ValueError:
            raise SpecError(f"{self.name}={value}: not a whole number") from None
        if not self.low <= number <= self.high:
            raise SpecError(f"{self.name}={number}: must be between {self.low} and {self.high}")
        return number

    def evaluate(self, env: Env) -> Any:
        return env[self.name]

    def leaves(self) -> list[BoundDeclaration]:
        return [self]


class _Arithmetic(BoundExpression):
    def __init__(self, operator: str, left: object, right: object) -> None:
        self.operator, self.left, self.right = operator, left, right

    def evaluate(self, env: Env) -> Any:
        left, right = evaluate(self.left, env), evaluate(self.right, env)
        return {"+": left + right, "-": left - right, "*": left * right}[self.operator]

    def leaves(self) -> list[BoundDeclaration]:
        return [leaf for side in (self.left, self.right) if isinstance(side, BoundExpression) for leaf in side.leaves()]


def evaluate(value: object, env: Env) -> Any:
    """A number from a number or a bound expression."""
    return value.evaluate(env) if isinstance(value, BoundExpression) else value


def Bound(name: str, default: int, doc: str, *, low: int = 0, high: int = 1 << 31) -> int:
    """A whole-number parameter of the model, settable as ``--set name=value``."""
    return cast(int, BoundDeclaration(name, default, doc, low=low, high=high))


def Option(name: str, default: bool, doc: str) -> bool:
    """A parameter of the model that is true or false."""
    return cast(bool, BoundDeclaration(name, default, doc))
