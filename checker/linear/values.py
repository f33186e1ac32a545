"""Values of a history: made immutable, and numbered.

The law: two values have the same number exactly if they are equal and of equal types all
the way down, although Python holds 1, True and 1.0 for equal.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain, count
from typing import TypeAlias

from scrutator.checker.linear.history import Value
from scrutator.model.objects.sequential import exactly, in_order

Number: TypeAlias = Callable[[object], int]

_SCALARS = (type(None), bool, int, float, str)
_SCALARS_SET = frozenset(_SCALARS)


def frozen(value: object) -> Value:
    """A value as a history holds it: lists as tuples, maps as tuples of sorted pairs, sets as sorted tuples.

    >>> frozen({"b": [1, 2], "a": {3}})
    (('a', (3,)), ('b', (1, 2)))
    """
    if value is None or isinstance(value, _SCALARS):
        return value
    if isinstance(value, list | tuple):
        return tuple(map(frozen, value))
    if isinstance(value, dict):
        return in_order((frozen(key), frozen(of)) for key, of in value.items())
    if isinstance(value, set | frozenset):
        return in_order(map(frozen, value))
    raise TypeError(f"a history holds no {type(value).__name__}: {value!r}")


class Values:
    """Numbers values in the order in which they come.

    >>> values = Values()
    >>> [values.number(value) for value in (7, "x", 7, True, 1)]
    [0, 1, 0, 2, 3]
    """

    def __init__(self) -> None:
        self.all: list[Value] = []
        self._tables: dict[object, _Table] = {}
        self._of_kind: dict[type, Number] = {kind: self._table(kind).__getitem__ for kind in _SCALARS}
        self._of_kind[tuple] = self._number_tuple

    def number(self, value: Value) -> int:
        """A value's number.  Raises TypeError for what is not hashable."""
        of_kind = self._of_kind.get(type(value))
        return self._table(type(value))[value] if of_kind is None else of_kind(value)

    def numbers(self, values: list[object]) -> list[int]:
        """The numbers of many values, none of them mutable but for what tuples hold."""
        kinds = set(map(type, values))
        of_kind = self._of_kind
        if tuple in kinds:
            tuples = [value for value in values if type(value) is tuple]
            inner = set(map(type, chain.from_iterable(tuples)))
            if len(inner) == 1 and inner <= _SCALARS_SET and all(tuples):
                of_kind = of_kind | {tuple: self._table((tuple, *inner)).__getitem__}
        named = kinds - {type(None)}
        if len(named) == 1 and named <= _SCALARS_SET:
            table = self._table(*named)
            if len(kinds) == 2:
                table[None] = self.number(None)  # like none of the others
            return table.numbers(values)
        return [of_kind[type(value)](value) for value in values]

    def _number_tuple(self, value: object) -> int:
        assert isinstance(value, tuple)
        inner = set(map(type, value))
        if len(inner) == 1 and inner <= _SCALARS_SET:
            return self._table((tuple, *inner))[value]
        fixed = frozen(value)
        return self._table(tuple).number(exactly(fixed), fixed)

    def _table(self, kind: object) -> _Table:
        if kind not in self._tables:
            self._tables[kind] = _Table(self.all)
        return self._tables[kind]


class _Table(dict[object, int]):
    """Numbers of values of one kind, given as they are asked for."""

    def __init__(self, all_: list[Value]) -> None:
        super().__init__()
        self._all = all_

    def __missing__(self, value: object) -> int:
        return self.number(value, value)

    def numbers(self, values: list[object]) -> list[int]:
        fresh = [value for value in dict.fromkeys(values) if value not in self]
        self.update(zip(fresh, count(len(self._all))))
        self._all.extend(fresh)
        return list(map(self.__getitem__, values))

    def number(self, key: object, value: object) -> int:
        if key not in self:
            self[key] = len(self._all)
            self._all.append(value)
        return self[key]
