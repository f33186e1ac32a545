"""The types of state variables: bounded, finite, and sized by the model's bounds.

A declared type may depend on `Bound`s (``Nat(MAX_TERM)``); `resolve` makes it concrete.
Every type is of one of two sorts.  *Values* (numbers, enums, indices, optional values,
messages) fit into one word: `pack` gives their code, and the order of codes is the
order in which values are enumerated.  *Places* (arrays, sequences, sets, networks,
nested records) live in the state and are changed there.

The functions `Nat`, `Array`, ... return type objects but are annotated with what a
state variable of that type holds, as `dataclasses.field` is: editors and type checkers
then understand ``s.term[i] + 1`` in a model.
"""

from __future__ import annotations

import copy
import enum
import inspect
import itertools
from collections.abc import Iterator, Mapping
from typing import Any, cast

from scrutator.model.language.errors import SpecError

WORD_BITS = 64
BITSET_MAX = 1024  # a set over more values than this needs a capacity
_order = itertools.count()

Env = Mapping[str, Any]


# --- bounds ---------------------------------------------------------------------------


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


# --- types ----------------------------------------------------------------------------


class Type:
    """A state variable's type.  ``is_value`` tells the sort; only values have a code."""

    is_value = True
    volatile = False
    ghost = False

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
        return MaybeType(_value_type(self.element.resolve(env), "Maybe"))

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


class ArrayType(Type):
    """One ``element`` for each value of a finite type, usually an index type."""

    is_value = False

    def __init__(self, index: Type, element: Type) -> None:
        self.index, self.element = index, element

    def resolve(self, env: Env) -> ArrayType:
        resolved = ArrayType(self.index.resolve(env), _marked_as(self.element, self.element.resolve(env)))
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
        return SeqType(_value_type(self.element.resolve(env), "Seq"), evaluate(self.capacity, env))

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
        width, mask = self.element.bits, (1 << self.element.bits) - 1
        length = code >> (width * self.capacity)
        return tuple(self.element.unpack(code >> width * (self.capacity - 1 - k) & mask) for k in range(length))

    def rank(self, value: Any) -> int:
        items = list(value)
        rank: int = sum(self.element.size**k for k in range(len(items)))
        offset: int = 0
        for item in items:
            offset = offset * self.element.size + self.element.rank(item)
        return rank + offset

    def unrank(self, rank: int) -> tuple[Any, ...]:
        length = 0
        while rank >= self.element.size**length:
            rank -= self.element.size**length
            length += 1
        items = []
        for _ in range(length):
            rank, item = divmod(rank, self.element.size)
            items.append(self.element.unrank(item))
        return tuple(reversed(items))

    def show(self, value: Any) -> str:
        return "[" + ", ".join(self.element.show(v) for v in value) + "]"

    def describe(self) -> str:
        return f"at most {self.capacity} of {self.element.describe()}"


class UnionType(Type):
    """A value of one of several record types, told apart by a tag."""

    def __init__(self, members: tuple[RecordType, ...]) -> None:
        self.members = members

    def resolve(self, env: Env) -> UnionType:
        return UnionType(tuple(_value_type(m.resolve(env), "a network") for m in self.members))

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

    def tag_of(self, value: Any) -> int:
        for tag, member in enumerate(self.members):
            if isinstance(value, member):  # type: ignore[arg-type]  # record types answer isinstance themselves
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

    def resolve(self, env: Env) -> SetType:
        element = _value_type(self.element.resolve(env), "Set")
        resolved = type(self)(element, None if self.capacity is None else evaluate(self.capacity, env), bag=self.bag)
        if resolved.capacity is None and self.bag:
            raise SpecError("a bag needs a capacity")
        if resolved.capacity is None and element.size > BITSET_MAX:
            raise SpecError(f"a set over {element.size:,} values ({element.describe()}) needs a capacity")
        if resolved.capacity is not None and not 0 <= resolved.capacity <= 255:
            raise SpecError(f"a capacity is between 0 and 255, not {resolved.capacity}")
        return resolved

    def parts(self) -> list[object]:
        return [self.element, self.capacity]

    @property
    def is_value(self) -> bool:  # type: ignore[override]  # a small set is also a value
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


class NetworkType(SetType):
    """A set or bag of messages in flight; see `Network`."""

    def __init__(self, element: Type, capacity: object = None, *, bag: bool = False, loss: object = False, duplication: object = False) -> None:
        super().__init__(element, capacity, bag=bag)
        self.loss, self.duplication = loss, duplication

    def resolve(self, env: Env) -> NetworkType:
        resolved = cast(NetworkType, super().resolve(env))
        resolved.loss, resolved.duplication = evaluate(self.loss, env), evaluate(self.duplication, env)
        return resolved

    def parts(self) -> list[object]:
        return [*super().parts(), self.loss, self.duplication]


class LinksType(Type):
    """A first-in first-out queue for each ordered pair of an index type; see `Links`."""

    is_value = False

    def __init__(self, index: IndexType, element: Type, capacity: object, *, loss: object = False, duplication: object = False) -> None:
        self.index, self.element, self.capacity = index, element, cast(int, capacity)
        self.loss, self.duplication = loss, duplication

    def resolve(self, env: Env) -> LinksType:
        element = cast(UnionType, self.element.resolve(env))
        for member in element.members:
            for end in ("src", "dst"):
                if end not in member.fields:
                    raise SpecError(f"{member.name} travels on links, so it needs the fields src and dst")
        return LinksType(
            self.index.resolve(env), element, evaluate(self.capacity, env),
            loss=evaluate(self.loss, env), duplication=evaluate(self.duplication, env),
        )  # fmt: skip

    @property
    def queues(self) -> ArrayType:
        """The same as an array (by sender) of arrays (by receiver) of sequences."""
        return ArrayType(self.index, ArrayType(self.index, SeqType(self.element, self.capacity)))

    def parts(self) -> list[object]:
        return [self.index, self.element, self.capacity, self.loss, self.duplication]

    def describe(self) -> str:
        return f"links carrying {self.element.describe()}"


class RecordType(Type):
    """Named fields.  In an array or the state it is a place; in a message or sequence, a value."""

    def __init__(self, cls: type[Record], fields: Mapping[str, Type]) -> None:
        self.cls, self.fields, self.name = cls, dict(fields), cls.__name__

    def resolve(self, env: Env) -> RecordType:
        resolved = {}
        for name, declared in self.fields.items():
            resolved[name] = _marked_as(declared, declared.resolve(env))
        return RecordType(self.cls, resolved)

    def parts(self) -> list[object]:
        return list(self.fields.values())

    @property
    def is_value(self) -> bool:  # type: ignore[override]
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
        return getattr(type(value), "is_record_value", False) and value._type.cls is self.cls  # type: ignore[attr-defined]

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


# --- how types are written ------------------------------------------------------------


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


def is_scalar(declared: Type) -> bool:
    """Whether the type's codes are exactly 0..size-1."""
    return isinstance(declared, (NatType, BoolType, EnumType, IndexType)) or (
        isinstance(declared, MaybeType) and is_scalar(declared.element)
    )


def _value_type(declared: Type, container: str) -> Any:
    if not declared.is_value:
        raise SpecError(f"{declared.describe()} does not fit one word, so it cannot be an element of {container}")
    if declared.bits > WORD_BITS - 1:
        raise SpecError(f"{declared.describe()} needs {declared.bits} bits, but an element of {container} has at most {WORD_BITS - 1}")
    return declared


def Nat(high: int, *, low: int = 0) -> int:
    """A whole number from ``low`` (0) to ``high``, both included."""
    return cast(int, NatType(low, high))


def Index(name: str, count: int, *, prefix: str = "", interchangeable: bool = False) -> Any:
    """An index type of ``count`` things, printed as ``prefix`` and a number from 1."""
    return IndexType(name, count, prefix or name[0], interchangeable)


def Maybe(element: Any) -> Any:
    """None or an ``element``."""
    return MaybeType(as_type(element))


def Array(index: Any, element: Any) -> Any:
    """One ``element`` for each value of ``index``."""
    return ArrayType(as_type(index), as_type(element))


def Seq(element: Any, capacity: int) -> Any:
    """A sequence of at most ``capacity`` elements."""
    return SeqType(as_type(element), capacity)


def Set(element: Any, capacity: int | None = None) -> Any:
    """A set of values."""
    return SetType(as_type(element), capacity)


def _messages(what: str, kinds: tuple[Any, ...]) -> UnionType:
    types = tuple(as_type(kind) for kind in kinds)
    for kind, declared in zip(kinds, types, strict=True):
        if not isinstance(declared, RecordType):
            raise SpecError(f"{what}: a message is a record, not {kind!r}: declare a class that derives from Record")
    return UnionType(tuple(t for t in types if isinstance(t, RecordType)))


def Network(*messages: Any, ordering: str = "bag", capacity: int | None = None, loss: Any = False, duplication: Any = False) -> Any:
    """Messages in flight, of the given record classes.

    ``ordering`` is "set" (a message sent twice is there once), "bag" (it is there
    twice).  ``loss`` and ``duplication`` (constants or `Option`s) add fault actions
    that drop a message or send it once more.
    """
    union = _messages("Network", messages)
    if ordering not in ("set", "bag"):
        raise SpecError(f"ordering={ordering!r}: a network is a 'set' or a 'bag'; for first-in first-out use Links")
    return NetworkType(union, capacity, bag=ordering == "bag", loss=loss, duplication=duplication)


def Links(index: Any, *messages: Any, capacity: int, loss: Any = False, duplication: Any = False) -> Any:
    """A first-in first-out queue from each index to each other; messages have fields src and dst."""
    union = _messages("Links", messages)
    return LinksType(index, union, capacity, loss=loss, duplication=duplication)


def Volatile(element: Any) -> Any:
    """A variable that `lose_volatile` resets: what a crash loses."""
    declared = copy.copy(as_type(element))
    declared.volatile = True
    return declared


def Ghost(element: Any) -> Any:
    """A history variable: actions may record in it, but must not decide by it."""
    declared = copy.copy(as_type(element))
    declared.ghost = True
    return declared


def _marked_as(declared: Type, resolved: Type) -> Type:
    """The resolved type with the declared one's marks."""
    if (declared.volatile, declared.ghost) != (resolved.volatile, resolved.ghost):
        resolved = copy.copy(resolved)
        resolved.volatile, resolved.ghost = declared.volatile, declared.ghost
    return resolved
