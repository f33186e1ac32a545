"""States as ordinary Python objects: what a model's functions see when interpreted.

Every write is checked against the declared type, and a mistake is reported with the
variable's name and the value.  Reading a place (array, sequence, set, network) gives
the live place, as Python would; values (numbers, messages) never change.  Sets and
networks are enumerated in the order of their codes, so that the interpreted and the
compiled engine meet states in the same order.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from scrutator.model.language.errors import Disabled, Truncated
from scrutator.model.language.types import (
    ArrayType,
    IndexType,
    LinksType,
    NetworkType,
    RecordType,
    SeqType,
    SetType,
    Type,
)


class Fault(Exception):
    """A mistake in a model, before the interpreter has added where in the source it is."""


def require(condition: bool) -> None:
    """In an action: it can only happen in states where the condition holds."""
    if not isinstance(condition, bool):
        raise Fault(f"require({condition!r}): a condition is True or False")
    if not condition:
        waived = _WAIVED.get()
        if waived is None:
            raise Disabled
        caller = sys._getframe(1)
        waived.append((caller.f_code.co_filename, caller.f_lineno))


_WAIVED: ContextVar[list[tuple[str, int]] | None] = ContextVar("waived", default=None)


@contextmanager
def guards_waived() -> Iterator[list[tuple[str, int]]]:
    """Inside, actions go on where `require` would refuse; gives the file and line of each such place."""
    places: list[tuple[str, int]] = []
    token = _WAIVED.set(places)
    try:
        yield places
    finally:
        _WAIVED.reset(token)


class RecordValue:
    """A record as a value: fixed, compared by its fields."""

    __slots__ = ("_fields", "_type")

    _type: RecordType
    _fields: dict[str, Any]

    def __init__(self, declared: RecordType, fields: dict[str, Any]) -> None:
        object.__setattr__(self, "_type", declared)
        object.__setattr__(self, "_fields", fields)

    def __getattr__(self, name: str) -> Any:
        try:
            return self._fields[name]
        except KeyError:
            raise Fault(f"a {self._type.name} has no field {name}, only {', '.join(self._fields)}") from None

    def __setattr__(self, name: str, value: object) -> None:
        raise Fault(f"{name} of a {self._type.name} cannot be changed: values are fixed, make a new one")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RecordValue) and self._type.cls is other._type.cls and self._fields == other._fields

    def __hash__(self) -> int:
        return hash((self._type.cls, tuple(self._fields.values())))

    def __repr__(self) -> str:
        return self._type.show(self)


def make_record(declared: RecordType, fields: dict[str, Any]) -> RecordValue:
    """A checked record value, its fields in the order of declaration."""
    if fields.keys() != declared.fields.keys():
        missing = ", ".join(n for n in declared.fields if n not in fields)
        unknown = ", ".join(n for n in fields if n not in declared.fields)
        raise Fault(f"{declared.name}: " + "; ".join(t for t in (missing and f"missing {missing}", unknown and f"no field {unknown}") if t))
    values = {}
    for name, declared_field in declared.fields.items():
        try:
            values[name] = declared_field.unpack(declared_field.pack(plain(fields[name])))
        except (ValueError, TypeError) as error:
            raise Fault(f"{declared.name}.{name}: {error}") from None
    return RecordValue(declared, values)


class SeqValue(tuple[Any, ...]):
    """A sequence as a value: fixed, equal to a list of the same elements, and read like the sequences of the state."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return tuple(self) == (tuple(other) if isinstance(other, (list, SeqPlace)) else other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = tuple.__hash__

    def __getitem__(self, position: Any) -> Any:
        if isinstance(position, slice):
            return SeqValue(tuple(self)[_cut(self, position, "a sequence")])
        return super().__getitem__(_position(self, position, "a sequence"))


def _position(items: Sized, position: Any, what: str) -> int:
    if not isinstance(position, int) or not 0 <= position < len(items):
        raise Fault(f"{what}[{position!r}]: there are {len(items)} elements, counted from 0")
    return position


def _cut(items: Sized, where: slice, what: str) -> slice:
    for end in (where.start, where.stop):
        if end is not None and (not isinstance(end, int) or not 0 <= end <= len(items)):
            raise Fault(f"{what}[{where.start}:{where.stop}]: there are {len(items)} elements")
    if where.step is not None:
        raise Fault(f"{what}: a slice has no step")
    return where


def plain(value: Any) -> Any:
    """A place's content as a fixed value; values as they are."""
    return value._plain() if isinstance(value, Place) else value


class Place:
    """A part of the state that can be changed.  It knows its name for error messages."""

    _type: Any
    _dirty = False  # of the state as a whole: something was written
    _writable = True

    def __init__(self, declared: Type, parent: Place | None, key: str) -> None:
        self._type, self._parent, self._key = declared, parent, key
        self._root: Place = self if parent is None else parent._root

    def _plain(self) -> Any:
        """The content as a fixed value."""
        raise NotImplementedError

    def _fill(self, value: Any) -> None:
        """Take over a fixed value, every part of it checked."""
        raise NotImplementedError

    def __repr__(self) -> str:
        """As traces show it."""
        return str(self._type.show(self._plain()))

    def _path(self) -> str:
        prefix = self._parent._path() if self._parent is not None else ""
        return prefix + (self._key if prefix or not self._key.startswith(".") else self._key[1:])

    def _field(self) -> str:
        """The state's field that this place belongs to."""
        return self._path().split("[")[0].split(".")[0]

    def _changed(self) -> None:
        root = self._root
        if not root._writable:
            raise Fault(f"{self._path() or 'the state'}: properties must not change the state, nor a mapping the state that it reads")
        root._dirty = True

    def _check(self, declared: Type, value: Any, key: str) -> Any:
        """The value itself, normalised, or a fault that names place and value."""
        value = plain(value)
        try:
            if declared.is_value:
                return declared.unpack(declared.pack(value))
            return value
        except (ValueError, TypeError) as error:
            place = (self._path() + key).removeprefix(".")
            raise Fault(f"{place} = {_shown(value)}: {error}; its type is {declared.describe()}") from None


def _shown(value: Any) -> str:
    return repr(sorted(value)) if isinstance(value, (set, frozenset)) else repr(value)


def make(declared: Type, parent: Place | None, key: str, value: Any = None) -> Any:
    """A place (or plain value) of the type, holding ``value`` or the type's default."""
    if isinstance(declared, RecordType):
        return RecordPlace(declared, parent, key, value)
    if isinstance(declared, ArrayType):
        return ArrayPlace(declared, parent, key, value)
    if isinstance(declared, SeqType):
        return SeqPlace(declared, parent, key, value)
    if isinstance(declared, NetworkType):
        return NetworkPlace(declared, parent, key, value)
    if isinstance(declared, SetType):
        return SetPlace(declared, parent, key, value)
    if isinstance(declared, LinksType):
        return LinksPlace(declared, parent, key, value)
    return declared.default() if value is None else value


class RecordPlace(Place):
    """The state itself, or a record inside an array or record."""

    def __init__(self, declared: RecordType, parent: Place | None, key: str, value: Any = None) -> None:
        super().__init__(declared, parent, key)
        self._fields: dict[str, Any] = {}
        for name, field in declared.fields.items():
            self._fields[name] = make(field, self, f".{name}", None if value is None else plain(getattr(value, name)))

    def __getattr__(self, name: str) -> Any:
        try:
            return self._fields[name]
        except KeyError:
            raise Fault(f"the {self._type.name} has no field {name}, only {', '.join(self._fields)}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_"):  # our own; a model's fields never do
            object.__setattr__(self, name, value)
            return
        if name not in self._fields:
            raise Fault(f"the {self._type.name} has no field {name}, only {', '.join(self._fields)}")
        self._changed()
        declared = self._type.fields[name]
        if self._fields[name] is not value:
            checked = self._check(declared, value, f".{name}")
            self._fields[name] = checked_make(declared, self, f".{name}", checked)

    def _fill(self, value: Any) -> None:
        for name in self._type.fields:
            setattr(self, name, getattr(value, name))

    def _plain(self) -> RecordValue:
        return RecordValue(self._type, {name: plain(value) for name, value in self._fields.items()})

    def __eq__(self, other: object) -> bool:
        return bool(plain(self) == plain(other))

    def lose_volatile(self, *keys: Any) -> None:
        """Reset every `Volatile` variable: of one index (``s.lose_volatile(i)``) or as a whole."""
        self._changed()
        for name, declared in self._type.fields.items():
            if not keys and declared.volatile:
                self._fields[name] = make(declared, self, f".{name}")
            elif keys and isinstance(declared, ArrayType) and (declared.volatile or declared.element.volatile):
                self._fields[name].reset(keys[0])


def checked_make(declared: Type, parent: Place, key: str, value: Any) -> Any:
    """`make` for a value that a model wrote, element by element checked."""
    place = make(declared, parent, key, None)
    if isinstance(place, Place):
        place._fill(value)
        return place
    return value


class ArrayPlace(Place):
    """``a[i]`` for every i of the index type."""

    def __init__(self, declared: ArrayType, parent: Place | None, key: str, value: Any = None) -> None:
        super().__init__(declared, parent, key)
        index, element = declared.index, declared.element
        items = list(value) if value is not None else [None] * index.size
        self._items = [make(element, self, f"[{index.show(index.unpack(k))}]", items[k]) for k in range(index.size)]

    def _fill(self, value: Any) -> None:
        items = list(value)
        if len(items) != len(self._items):
            raise Fault(f"{self._path()}: {len(items)} elements for {len(self._items)} places")
        for k, item in enumerate(items):
            self[self._type.index.unpack(k)] = item

    def _position(self, index: Any) -> int:
        try:
            return int(self._type.index.pack(index))
        except ValueError as error:
            raise Fault(f"{self._path()}[{index!r}]: {error}") from None

    def __getitem__(self, index: Any) -> Any:
        return self._items[self._position(index)]

    def __setitem__(self, index: Any, value: Any) -> None:
        k = self._position(index)
        key = f"[{self._type.index.show(index)}]"
        self._changed()
        if self._items[k] is value and isinstance(value, Place):
            return
        self._items[k] = checked_make(self._type.element, self, key, self._check(self._type.element, value, key))

    def reset(self, index: Any) -> None:
        """The element's initial value again."""
        k = self._position(index)
        self._items[k] = make(self._type.element, self, f"[{self._type.index.show(index)}]")

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def _plain(self) -> tuple[Any, ...]:
        return tuple(plain(v) for v in self._items)

    def __eq__(self, other: object) -> bool:
        return bool(self._plain() == plain(other))


class SeqPlace(Place):
    """A sequence; positions count from 0, negative ones are an error."""

    def __init__(self, declared: SeqType, parent: Place | None, key: str, value: Any = None) -> None:
        super().__init__(declared, parent, key)
        self._items: list[Any] = list(value or ())

    def _fill(self, value: Any) -> None:
        for item in value:
            self.append(item)

    def _position(self, position: Any) -> int:
        return _position(self._items, position, self._path())

    def _cut(self, where: slice) -> slice:
        return _cut(self._items, where, self._path())

    def __getitem__(self, position: Any) -> Any:
        if isinstance(position, slice):
            return SeqValue(self._items[self._cut(position)])
        return self._items[self._position(position)]

    def __setitem__(self, position: Any, value: Any) -> None:
        k = self._position(position)
        self._changed()
        self._items[k] = self._check(self._type.element, value, f"[{k}]")

    def __delitem__(self, where: Any) -> None:
        if not isinstance(where, slice) or where.stop is not None:
            raise Fault(f"{self._path()}: only a tail can be deleted, del sequence[k:]")
        self._changed()
        del self._items[self._cut(where)]

    def append(self, value: Any) -> None:
        if len(self._items) >= self._type.capacity:
            raise Fault(f"{self._path()}.append({value!r}): the sequence is full, its capacity is {self._type.capacity}")
        self._changed()
        self._items.append(self._check(self._type.element, value, f"[{len(self._items)}]"))

    def pop(self, position: int | None = None) -> Any:
        k = self._position(len(self._items) - 1 if position is None else position)
        self._changed()
        return self._items.pop(k)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, value: object) -> bool:
        return value in self._items

    def _plain(self) -> SeqValue:
        return SeqValue(self._items)

    def __eq__(self, other: object) -> bool:
        return bool(self._plain() == plain(other))


class SetPlace(Place):
    """A set of values, enumerated in the order of their codes."""

    def __init__(self, declared: SetType, parent: Place | None, key: str, value: Any = None) -> None:
        super().__init__(declared, parent, key)
        self._counts: dict[Any, int] = {}
        for item in value or ():
            self._counts[item] = self._counts.get(item, 0) + 1

    def _fill(self, value: Any) -> None:
        for item in value:
            self.add(item)

    def _item(self, value: Any, what: str) -> Any:
        element = self._type.element
        try:
            return element.unpack(element.pack(plain(value)))
        except (ValueError, TypeError) as error:
            raise Fault(f"{self._path()}.{what}({value!r}): {error}; its elements are {element.describe()}") from None

    def _full(self) -> bool:
        return self._type.capacity is not None and len(self) >= self._type.capacity

    def add(self, value: Any) -> None:
        item = self._item(value, "add")
        self._changed()
        if item in self._counts and not self._type.bag:
            return
        if self._full():
            raise Truncated(self._field())
        self._counts[item] = self._counts.get(item, 0) + 1

    def discard(self, value: Any) -> None:
        item = self._item(value, "discard")
        self._changed()
        if item in self._counts:
            self._counts[item] -= 1
            if not self._counts[item]:
                del self._counts[item]

    def remove(self, value: Any) -> None:
        if value not in self:
            raise Fault(f"{self._path()}.remove({value!r}): it is not there")
        self.discard(value)

    def clear(self) -> None:
        self._changed()
        self._counts.clear()

    def count(self, value: Any) -> int:
        return self._counts.get(self._item(value, "count"), 0)

    def __contains__(self, value: Any) -> bool:
        return self._item(value, "contains") in self._counts

    def __iter__(self) -> Iterator[Any]:
        return iter(self._type.sorted(self._counts))

    def __len__(self) -> int:
        return sum(self._counts.values())

    def _plain(self) -> Any:
        return tuple(self._type.sorted(v for v, n in self._counts.items() for _ in range(n))) if self._type.bag else frozenset(self._counts)

    def __eq__(self, other: object) -> bool:
        return bool(self._plain() == plain(other))

    def __or__(self, other: Any) -> Any:
        return frozenset(self) | frozenset(other)

    def __and__(self, other: Any) -> Any:
        return frozenset(self) & frozenset(other)

    def __sub__(self, other: Any) -> Any:
        return frozenset(self) - frozenset(other)

    def __le__(self, other: Any) -> bool:
        return frozenset(self) <= frozenset(other)

    def __ge__(self, other: Any) -> bool:
        return frozenset(self) >= frozenset(other)

    __ror__, __rand__ = __or__, __and__

    def __rsub__(self, other: Any) -> Any:
        return frozenset(other) - frozenset(self)


class NetworkPlace(SetPlace):
    """Messages in flight: `send`, `receive`, and `of` one kind."""

    def send(self, message: Any) -> None:
        self.add(message)

    def receive(self, message: Any) -> None:
        """Take one copy of the message out of the network."""
        if message not in self:
            raise Fault(f"{self._path()}.receive({message!r}): it is not in flight")
        self.discard(message)

    def of(self, kind: RecordType) -> Iterable[Any]:
        """The messages of one kind, each once."""
        return [m for m in self if kind.includes(m)]


class LinksPlace(Place):
    """A queue of messages from each index to each other."""

    def __init__(self, declared: LinksType, parent: Place | None, key: str, value: Any = None) -> None:
        super().__init__(declared, parent, key)
        self._queues = ArrayPlace(declared.queues, self, "", value)

    def _fill(self, value: Any) -> None:
        self._queues._fill(value)

    def send(self, message: Any) -> None:
        queue = self._queues[message.src][message.dst]
        if len(queue) >= self._type.capacity:
            raise Truncated(self._field())
        queue.append(message)

    def receive(self, message: Any) -> None:
        """Take the message off the head of its link."""
        queue = self._queues[message.src][message.dst]
        if not len(queue) or queue[0] != message:
            raise Fault(f"{self._path()}.receive({message!r}): it is not the first of its link")
        queue.pop(0)

    def heads(self) -> list[Any]:
        """The first message of each link, by sender and receiver."""
        index: IndexType = self._type.index
        return [self._queues[i][j][0] for i in index for j in index if len(self._queues[i][j])]

    def __iter__(self) -> Iterator[Any]:
        index: IndexType = self._type.index
        return iter([m for i in index for j in index for m in self._queues[i][j]])

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, message: Any) -> bool:
        return message in list(self)

    def of(self, kind: RecordType) -> Iterable[Any]:
        return [m for m in self if kind.includes(m)]

    def _plain(self) -> Any:
        return self._queues._plain()

    def __eq__(self, other: object) -> bool:
        return bool(self._plain() == plain(other))
