"""How types are written in a model: ``Nat(5)``, ``Array(SERVER, bool)``, ``Network(Vote)``, ...

The functions return type objects but are annotated with what a state variable of that
type holds, as `dataclasses.field` is: editors and type checkers then understand
``s.term[i] + 1`` in a model.
"""

from __future__ import annotations

import copy
from typing import Any, cast

from scrutator.model.language.errors import SpecError
from scrutator.model.language.types.containers import ArrayType, SeqType, SetType
from scrutator.model.language.types.networks import LinksType, NetworkType
from scrutator.model.language.types.records import RecordType, UnionType, as_type
from scrutator.model.language.types.scalars import IndexType, MaybeType, NatType


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
    if not isinstance(index, IndexType):
        raise SpecError(f"Links: {index!r} is not an index type: write Links(SERVER, ...), where SERVER = Index(...)")
    return LinksType(index, _messages("Links", messages), capacity, loss=loss, duplication=duplication)


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


def _messages(what: str, kinds: tuple[Any, ...]) -> UnionType:
    if not kinds:
        raise SpecError(f"{what}: name the record classes of its messages")
    members = []
    for kind in kinds:
        declared = as_type(kind)
        if not isinstance(declared, RecordType):
            raise SpecError(f"{what}: a message is a record, not {kind!r}: declare a class that derives from Record")
        members.append(declared)
    return UnionType(tuple(members))
