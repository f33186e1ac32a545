"""Arrays, sequences and sets: what holds many values of one type."""

from __future__ import annotations

import enum
from typing import Any, Self, cast

from scrutator.model.language.errors import SpecError
from scrutator.model.language.types.base import WORD_BITS, Type, marked_as, value_type
from scrutator.model.language.types.bounds import Env, evaluate
from scrutator.model.language.types.scalars import is_scalar

BITSET_MAX = 1024  # a set over more values than this needs a capacity
CAPACITY_MAX = 255  # a length is stored in a byte


class ArrayType(Type):
    """One ``element`` for each value of a finite type, usually an index type."""

    is_value = False

    def __init__(self, index: Type, element: Type) -> None:
        self.index, self.element = index, element

    def resolve(self, env: Env) -> ArrayType:
        resolved = ArrayType(self.index.resolve(env), marked_as(self.element, self.element.resolve(env)))
        if not is_scalar(resolved.index) or resolved.index.size > 4096:
            raise SpecError("an array is indexed by an index type, an enum or a small range of numbers")
        return resolved

    def parts(self) -> list[object]:
        return [self.index, self.element]

    def describe(self) -> str:
        return f"an array of {self.element.describe()}"


class SeqType(Type):
    """At most ``capacity`` elements in order; an overflow is an error of the model.

    A sequence of values is itself usable as a value (in a message), if it fits a word.
    """

    def __init__(self, element: Type, capacity: object) -> None:
        self.element, self.capacity = element, cast(int, capacity)

    def resolve(self, env: Env) -> SeqType:
        return SeqType(value_type(self.element.resolve(env), "Seq"), capacity_of(self.capacity, env))

    def parts(self) -> list[object]:
        return [self.element, self.capacity]

    @property
    def size(self) -> int:
        return sum(self.element.size**k for k in range(self.capacity + 1))

    @property
    def length_bits(self) -> int:
        return int(self.capacity).bit_length()

    @property
    def bits(self) -> int:
        return self.length_bits + self.capacity * self.element.bits

    def pack(self, value: Any) -> int:
        items = list(value)
        if len(items) > self.capacity:
            raise ValueError(f"{len(items)} elements, but the capacity is {self.capacity}")
        code = len(items)
        for k in range(self.capacity):
            code = code << self.element.bits | (self.element.pack(items[k]) if k < len(items) else 0)
        return code

    def unpack(self, code: int) -> tuple[Any, ...]:
        from scrutator.model.language.values import SeqValue

        width, mask = self.element.bits, (1 << self.element.bits) - 1
        length = code >> (width * self.capacity)
        return SeqValue(self.element.unpack(code >> width * (self.capacity - 1 - k) & mask) for k in range(length))

    def rank(self, value: Any) -> int:
        items = list(value)
        rank: int = sum(self.element.size**k for k in range(len(items)))
        offset: int = 0
        for item in items:
            offset = offset * self.element.size + self.element.rank(item)
        return rank + offset

    def unrank(self, rank: int) -> tuple[Any, ...]:
        from scrutator.model.language.values import SeqValue

        length = 0
        while rank >= self.element.size**length:
            rank -= self.element.size**length
            length += 1
        items = []
        for _ in range(length):
            rank, item = divmod(rank, self.element.size)
            items.append(self.element.unrank(item))
        return SeqValue(reversed(items))

    def show(self, value: Any) -> str:
        return "[" + ", ".join(self.element.show(v) for v in value) + "]"

    def describe(self) -> str:
        return f"at most {self.capacity} of {self.element.describe()}"


class Representation(enum.Enum):
    """How a set or bag is stored: one bit for each possible value, or a sorted array of codes."""

    BITS = "bits"
    SORTED = "sorted"


class SetType(Type):
    """A set (or, with ``bag``, a multiset) of values.

    Without a capacity there is a bit for every possible value.  With one, a sorted
    array of at most ``capacity`` codes; a step that would exceed it is not taken, and
    counted, so that the verdict can say how often the capacity bit.
    """

    def __init__(self, element: Type, capacity: object = None, *, bag: bool = False) -> None:
        self.element, self.capacity, self.bag = element, cast("int | None", capacity), bag

    def resolve(self, env: Env) -> Self:
        element = value_type(self.element.resolve(env), "Set")
        resolved = type(self)(element, None if self.capacity is None else capacity_of(self.capacity, env), bag=self.bag)
        if resolved.capacity is None and self.bag:
            raise SpecError("a bag needs a capacity")
        if resolved.capacity is None and element.size > BITSET_MAX:
            raise SpecError(f"a set over {element.size:,} values ({element.describe()}) needs a capacity")
        return resolved

    def parts(self) -> list[object]:
        return [self.element, self.capacity]

    @property
    def is_value(self) -> bool:
        """A small set is also a value."""
        return self.representation is Representation.BITS and self.element.size <= WORD_BITS

    @property
    def representation(self) -> Representation:
        return Representation.BITS if self.capacity is None else Representation.SORTED

    @property
    def size(self) -> int:
        return 1 << self.element.size

    @property
    def bits(self) -> int:
        return self.element.size

    def pack(self, value: Any) -> int:
        code = 0
        for item in value:
            code |= 1 << self.element.rank(item)
        return code

    def unpack(self, code: int) -> frozenset[Any]:
        return frozenset(self.element.unrank(k) for k in range(self.element.size) if code >> k & 1)

    def sorted(self, items: Any) -> list[Any]:
        """The items in the order in which they are enumerated."""
        return sorted(items, key=self.element.rank if self.element.size <= BITSET_MAX else self.element.pack)

    def show(self, value: Any) -> str:
        return "{" + ", ".join(self.element.show(v) for v in self.sorted(value)) + "}"

    def describe(self) -> str:
        return f"a {'bag' if self.bag else 'set'} of {self.element.describe()}"


def capacity_of(declared: object, env: Env) -> int:
    """A capacity's value, raising `SpecError` where the length would not fit its byte."""
    capacity: int = evaluate(declared, env)
    if not 0 <= capacity <= CAPACITY_MAX:
        raise SpecError(f"a capacity is between 0 and {CAPACITY_MAX}, not {capacity}")
    return capacity
