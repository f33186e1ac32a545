"""The types of state variables: bounded, finite, and sized by the model's bounds.

A declared type may depend on `Bound`s (``Nat(MAX_TERM)``); `resolve` makes it concrete.
A type knows its values' codes and order, not where in memory they lie nor what a model's
functions may do with them.
"""

from scrutator.model.language.types.base import Type
from scrutator.model.language.types.bounds import Bound, BoundDeclaration, BoundExpression, Env, Option
from scrutator.model.language.types.containers import ArrayType, Representation, SeqType, SetType
from scrutator.model.language.types.declare import (
    Array,
    Ghost,
    Index,
    Links,
    Maybe,
    Nat,
    Network,
    Seq,
    Set,
    Volatile,
)
from scrutator.model.language.types.networks import LinksType, NetworkType
from scrutator.model.language.types.records import Record, RecordType, UnionType, as_type
from scrutator.model.language.types.scalars import (
    BoolType,
    EnumType,
    IndexType,
    MaybeType,
    NatType,
    is_scalar,
)

__all__ = [
    "Array", "ArrayType", "BoolType", "Bound", "BoundDeclaration", "BoundExpression", "EnumType", "Env", "Ghost", "Index",
    "IndexType", "Links", "LinksType", "Maybe", "MaybeType", "Nat", "NatType", "Network", "NetworkType", "Option", "Record",
    "RecordType", "Representation", "Seq", "SeqType", "Set", "SetType", "Type", "UnionType", "Volatile", "as_type", "is_scalar",
]  # fmt: skip
