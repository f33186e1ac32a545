"""The ladder: designs from one machine to Naive Raft, each weaker than the next, and where each one breaks.

There is no list to keep: a rung is a module of this folder that declares ``SPEC``, its model,
and ``RUNG``, what is claimed about it.  A longer one is a folder: ``model`` has states and actions (and
properties, unless they stand beside it), ``mutants`` the mistakes, ``refinement`` what it refines.
"""

from __future__ import annotations

import importlib
import pkgutil

from scrutator.model.ladder.rung import Claim, Rung
from scrutator.model.language import Spec

__all__ = ["Claim", "Rung", "rungs", "specs"]


def _modules() -> list[object]:
    names = [info.name for info in pkgutil.iter_modules(__path__, f"{__name__}.")]
    modules: list[object] = [importlib.import_module(name) for name in names]
    found = [m for m in modules if isinstance(getattr(m, "RUNG", None), Rung)]
    return sorted(found, key=lambda m: m.RUNG.order)  # type: ignore[attr-defined]


def rungs() -> tuple[Rung, ...]:
    """Every rung, from the lowest to the highest.

    >>> [rung.name for rung in rungs()][0]
    'one_machine'
    """
    return tuple(m.RUNG for m in _modules())  # type: ignore[attr-defined]


def specs() -> dict[str, Spec]:
    """The models of the rungs by their names in the catalogue, ``ladder/<rung>``, in the same order."""
    return {m.SPEC.name: m.SPEC for m in _modules()}  # type: ignore[attr-defined]
