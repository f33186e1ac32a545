"""Records, the class they are declared by, and values of one of several record types."""

from __future__ import annotations

import enum
import inspect
from collections.abc import Mapping
from typing import Any

from scrutator.model.language.errors import SpecError
from scrutator.model.language.types.base import WORD_BITS, Type, marked_as, value_type
from scrutator.model.language.types.bounds import Env
from scrutator.model.language.types.scalars import BoolType, EnumType


class RecordType(Type):
    """Named fields.  In an array or the state it is a place; in a message or sequence, a value."""

    def __init__(self, cls: type[Record], fields: Mapping[str, Type]) -> None:
        self.cls, self.fields, self.name = cls, dict(fields), cls.__name__

    def resolve(self, env: Env) -> RecordType:
        resolved = {}
        for name, declared in self.fields.items():
            resolved[name] = marked_as(declared, declared.resolve(env))
        return RecordType(self.cls, resolved)

    def parts(self) -> list[object]:
        return list(self.fields.values())

    @property
    def is_value(self) -> bool:
        return all(f.is_value for f in self.fields.values()) and self.bits <= WORD_BITS

    @property
    def size(self) -> int:
        total = 1
        for declared in self.fields.values():
            total *= declared.size
        return total

    @property
    def bits(self) -> int:
        return sum(f.bits for f in self.fields.values())

    def pack(self, value: Any) -> int:
        code = 0
        for name, declared in self.fields.items():
            code = code << declared.bits | declared.pack(getattr(value, name))
        return code

    def unpack(self, code: int) -> Any:
        from scrutator.model.language.values import RecordValue

        values: dict[str, Any] = {}
        for name, declared in reversed(self.fields.items()):
            values[name] = declared.unpack(code & (1 << declared.bits) - 1)
            code >>= declared.bits
        return RecordValue(self, {name: values[name] for name in self.fields})

    def rank(self, value: Any) -> int:
        rank = 0
        for name, declared in self.fields.items():
            rank = rank * declared.size + declared.rank(getattr(value, name))
        return rank

    def unrank(self, rank: int) -> Any:
        from scrutator.model.language.values import RecordValue

        values: dict[str, Any] = {}
        for name, declared in reversed(self.fields.items()):
            rank, part = divmod(rank, declared.size)
            values[name] = declared.unrank(part)
        return RecordValue(self, {name: values[name] for name in self.fields})

    def __call__(self, **fields: Any) -> Any:
        """A record value; every field is given by name."""
        from scrutator.model.language.values import make_record

        return make_record(self, fields)

    def __instancecheck__(self, value: object) -> bool:
        return self.includes(value)

    def includes(self, value: object) -> bool:
        """Whether the value, or the place, is such a record."""
        declared = getattr(value, "_type", None)
        return isinstance(declared, RecordType) and declared.cls is self.cls

    def show(self, value: Any) -> str:
        return f"{self.name}({', '.join(f'{n}={t.show(getattr(value, n))}' for n, t in self.fields.items())})"

    def describe(self) -> str:
        return f"a {self.name}"


class Record:
    """Base of records: messages, log entries, the state itself.  Fields are class attributes."""

    def __init__(self, **fields: Any) -> None:
        raise SpecError(f"{type(self).__name__}: records are made inside actions and properties of a bound model")

    @classmethod
    def declared(cls) -> RecordType:
        """The record's type, fields of base classes first."""
        fields: dict[str, Type] = {}
        for base in reversed(cls.__mro__):
            for name, attribute in vars(base).items():
                if not name.startswith("_") and _is_type(attribute):
                    fields[name] = as_type(attribute)
        if not fields:
            raise SpecError(f"{cls.__name__} has no fields")
        return RecordType(cls, fields)


class UnionType(Type):
    """A value of one of several record types, told apart by a tag."""

    def __init__(self, members: tuple[RecordType, ...]) -> None:
        self.members = members

    def resolve(self, env: Env) -> UnionType:
        return UnionType(tuple(value_type(m.resolve(env), "a network") for m in self.members))

    def parts(self) -> list[object]:
        return list(self.members)

    @property
    def size(self) -> int:
        return sum(m.size for m in self.members)

    @property
    def payload_bits(self) -> int:
        return max(m.bits for m in self.members)

    @property
    def bits(self) -> int:
        return (len(self.members) - 1).bit_length() + self.payload_bits

    def tag(self, kind: RecordType) -> int | None:
        """The tag of a record type, None where it is not a member."""
        return next((tag for tag, member in enumerate(self.members) if member.cls is kind.cls), None)

    def tag_of(self, value: Any) -> int:
        for tag, member in enumerate(self.members):
            if member.includes(value):
                return tag
        names = ", ".join(m.name for m in self.members)
        raise ValueError(f"{value!r} is none of {names}")

    def pack(self, value: Any) -> int:
        tag = self.tag_of(value)
        return tag << self.payload_bits | self.members[tag].pack(value)

    def unpack(self, code: int) -> Any:
        return self.members[code >> self.payload_bits].unpack(code & (1 << self.payload_bits) - 1)

    def base(self, tag: int) -> int:
        """The rank of the first value with that tag."""
        return sum(m.size for m in self.members[:tag])

    def rank(self, value: Any) -> int:
        tag = self.tag_of(value)
        return self.base(tag) + self.members[tag].rank(value)

    def unrank(self, rank: int) -> Any:
        for member in self.members:
            if rank < member.size:
                return member.unrank(rank)
            rank -= member.size
        raise ValueError("rank out of range")

    def show(self, value: Any) -> str:
        return self.members[self.tag_of(value)].show(value)

    def describe(self) -> str:
        return " or ".join(m.name for m in self.members)


def _is_type(value: object) -> bool:
    return isinstance(value, Type) or value is bool or (inspect.isclass(value) and issubclass(value, (enum.Enum, Record)))


def as_type(value: object) -> Type:
    """A type from what may stand for one: a type, ``bool``, an enum or a record class."""
    if isinstance(value, Type):
        return value
    if value is bool:
        return BoolType()
    if inspect.isclass(value) and issubclass(value, enum.Enum):
        return EnumType(value)
    if inspect.isclass(value) and issubclass(value, Record):
        return value.declared()
    raise SpecError(f"{value!r} is not a type: write Nat(...), Maybe(...), an enum, a record, ...")
