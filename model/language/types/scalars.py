"""Numbers, truth values, enums, indices, and any of them or None."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import Any, cast

from scrutator.model.language.errors import SpecError
from scrutator.model.language.types.base import WORD_BITS, Type, value_type
from scrutator.model.language.types.bounds import Env, evaluate


class NatType(Type):
    """Whole numbers from ``low`` to ``high``, both included."""

    def __init__(self, low: object, high: object) -> None:
        self.low, self.high = cast(int, low), cast(int, high)

    def resolve(self, env: Env) -> NatType:
        low, high = evaluate(self.low, env), evaluate(self.high, env)
        if not 0 <= low <= high < 1 << 31:
            raise SpecError(f"Nat({low}, {high}): needs 0 <= low <= high < 2**31")
        return NatType(low, high)

    def parts(self) -> list[object]:
        return [self.low, self.high]

    @property
    def size(self) -> int:
        return self.high - self.low + 1

    def pack(self, value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise ValueError(f"{value!r} is not a number")
        if not self.low <= value <= self.high:
            raise ValueError(f"{value} is outside of {self.low}..{self.high}")
        return value - self.low

    def unpack(self, code: int) -> int:
        return code + self.low

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.low, self.high + 1))

    def __contains__(self, value: object) -> bool:
        return isinstance(value, int) and self.low <= value <= self.high

    def __len__(self) -> int:
        return self.size

    def describe(self) -> str:
        return f"{self.low}..{self.high}"


class BoolType(Type):
    size = 2

    def pack(self, value: Any) -> int:
        if not isinstance(value, bool):
            raise ValueError(f"{value!r} is not True or False")
        return int(value)

    def unpack(self, code: int) -> bool:
        return bool(code)

    def describe(self) -> str:
        return "True or False"


class EnumType(Type):
    """The members of a Python enum, in order of definition."""

    def __init__(self, cls: type[enum.Enum]) -> None:
        self.cls, self.members = cls, list(cls)
        self.codes = {member: k for k, member in enumerate(self.members)}

    @property
    def size(self) -> int:
        return len(self.members)

    def pack(self, value: Any) -> int:
        if value not in self.codes:
            raise ValueError(f"{value!r} is not a {self.cls.__name__}")
        return self.codes[value]

    def unpack(self, code: int) -> enum.Enum:
        return self.members[code]

    def show(self, value: Any) -> str:
        return str(value.name).lower()

    def describe(self) -> str:
        return "one of " + ", ".join(m.name for m in self.members)


class IndexType(Type):
    """Names of ``count`` alike things: servers, values, ...; at run time the numbers 0..count-1.

    ``interchangeable`` declares that no action or property tells them apart, so that
    states which differ only by a renaming may be identified (symmetry reduction).
    """

    def __init__(self, name: str, count: object, prefix: str, interchangeable: bool) -> None:
        self.name, self.count, self.prefix, self.interchangeable = name, cast(int, count), prefix, interchangeable

    def resolve(self, env: Env) -> IndexType:
        count = evaluate(self.count, env)
        if not 1 <= count <= WORD_BITS:
            raise SpecError(f"{self.name}: {count} of them; an index type has 1 to {WORD_BITS}")
        return IndexType(self.name, count, self.prefix, self.interchangeable)

    def parts(self) -> list[object]:
        return [self.count]

    @property
    def size(self) -> int:
        return self.count

    def pack(self, value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise ValueError(f"{value!r} is not a {self.name}")
        if not 0 <= value < self.count:
            raise ValueError(f"there is no {self.name} number {value}, only 0..{self.count - 1}")
        return value

    def unpack(self, code: int) -> int:
        return code

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.count))

    def __contains__(self, value: object) -> bool:
        return isinstance(value, int) and 0 <= value < self.count

    def __len__(self) -> int:
        return self.count

    def show(self, value: Any) -> str:
        return f"{self.prefix}{value + 1}"

    def describe(self) -> str:
        return f"a {self.name} ({self.show(0)}..{self.show(self.count - 1)})"


class MaybeType(Type):
    """None, or a value of ``element``."""

    def __init__(self, element: Type) -> None:
        self.element = element

    def resolve(self, env: Env) -> MaybeType:
        return MaybeType(value_type(self.element.resolve(env), "Maybe"))

    def parts(self) -> list[object]:
        return [self.element]

    @property
    def presence(self) -> int:
        """Added to the element's code where there is one."""
        return 1 if is_scalar(self.element) else 1 << self.element.bits

    @property
    def size(self) -> int:
        return self.element.size + 1

    @property
    def bits(self) -> int:
        return (self.size - 1).bit_length() if is_scalar(self.element) else self.element.bits + 1

    def pack(self, value: Any) -> int:
        return 0 if value is None else self.presence + self.element.pack(value)

    def unpack(self, code: int) -> Any:
        return None if code == 0 else self.element.unpack(code - self.presence)

    def rank(self, value: Any) -> int:
        return 0 if value is None else 1 + self.element.rank(value)

    def unrank(self, rank: int) -> Any:
        return None if rank == 0 else self.element.unrank(rank - 1)

    def show(self, value: Any) -> str:
        return "-" if value is None else self.element.show(value)

    def describe(self) -> str:
        return f"None or {self.element.describe()}"


def is_scalar(declared: Type) -> bool:
    """Whether the type's codes are exactly 0..size-1."""
    return isinstance(declared, (NatType, BoolType, EnumType, IndexType)) or (
        isinstance(declared, MaybeType) and is_scalar(declared.element)
    )
