"""The language models are written in: types, specifications, and their meaning as plain Python."""

from scrutator.model.language.errors import ModelError, SpecError
from scrutator.model.language.spec import Each, Model, Mutant, Spec, each
from scrutator.model.language.types import (
    Array,
    Bound,
    Ghost,
    Index,
    Links,
    Maybe,
    Nat,
    Network,
    Option,
    Record,
    Seq,
    Set,
    Volatile,
)
from scrutator.model.language.values import require

__all__ = [
    "Array", "Bound", "Each", "Ghost", "Index", "Links", "Maybe", "Model", "ModelError", "Mutant", "Nat", "Network",
    "Option", "Record", "Seq", "Set", "Spec", "SpecError", "Volatile", "each", "require",
]  # fmt: skip
