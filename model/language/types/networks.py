"""Messages in flight: networks without order, and links that keep it."""

from __future__ import annotations

from typing import Self, cast

from scrutator.model.language.errors import SpecError
from scrutator.model.language.types.base import Type, value_type
from scrutator.model.language.types.bounds import Env, evaluate
from scrutator.model.language.types.containers import ArrayType, SeqType, SetType, capacity_of
from scrutator.model.language.types.records import UnionType
from scrutator.model.language.types.scalars import IndexType


class NetworkType(SetType):
    """A set or bag of messages in flight; see `Network`."""

    def __init__(self, element: Type, capacity: object = None, *, bag: bool = False, loss: object = False, duplication: object = False) -> None:
        super().__init__(element, capacity, bag=bag)
        self.loss, self.duplication = loss, duplication

    def resolve(self, env: Env) -> Self:
        resolved = super().resolve(env)
        resolved.loss, resolved.duplication = evaluate(self.loss, env), evaluate(self.duplication, env)
        return resolved

    def parts(self) -> list[object]:
        return [*super().parts(), self.loss, self.duplication]


class LinksType(Type):
    """A first-in first-out queue for each ordered pair of an index type; see `Links`."""

    is_value = False

    def __init__(self, index: IndexType, element: UnionType, capacity: object, *, loss: object = False, duplication: object = False) -> None:
        self.index, self.element, self.capacity = index, element, cast(int, capacity)
        self.loss, self.duplication = loss, duplication

    def resolve(self, env: Env) -> LinksType:
        index, element = self.index.resolve(env), value_type(self.element.resolve(env), "Links")
        for member in element.members:
            for end in ("src", "dst"):
                declared = member.fields.get(end)
                if not (isinstance(declared, IndexType) and declared.name == index.name):
                    raise SpecError(f"{member.name} travels on links, so it needs the fields src and dst, each {index.describe()}")
        return LinksType(
            index, element, capacity_of(self.capacity, env),
            loss=evaluate(self.loss, env), duplication=evaluate(self.duplication, env),
        )  # fmt: skip

    @property
    def queue(self) -> SeqType:
        """What one link holds."""
        return SeqType(self.element, self.capacity)

    @property
    def row(self) -> ArrayType:
        """The queues of one sender, by receiver."""
        return ArrayType(self.index, self.queue)

    @property
    def queues(self) -> ArrayType:
        """The whole as an array (by sender) of arrays (by receiver) of sequences."""
        return ArrayType(self.index, self.row)

    def parts(self) -> list[object]:
        return [self.index, self.element, self.capacity, self.loss, self.duplication]

    def describe(self) -> str:
        return f"links carrying {self.element.describe()}"
