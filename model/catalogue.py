"""The models by name: every module of this package that declares a ``SPEC``.

There is no list to keep.  Whoever adds a protocol adds its file, and the catalogue, the
command and the standard run find it.  The rungs of the ladder are models too, called
``ladder/<rung>``; each stands for its own claims, and the standard run leaves them out.
A model outside of the package is named by its module or its file.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping

import scrutator.model
from scrutator.model import references
from scrutator.model.language.errors import SpecError
from scrutator.model.language.spec import Spec

# What models are made of: there are none inside, and it is not loaded before it is used.
_MACHINERY = ("scrutator.model.language.", "scrutator.model.quorums.", "scrutator.model.objects.")
_LADDER = "scrutator.model.ladder"


def models() -> dict[str, Spec]:
    """Every model of the package but the ladder's, by name, in order of names."""
    found: dict[str, Spec] = {}
    for info in pkgutil.walk_packages(scrutator.model.__path__, "scrutator.model."):
        if info.name == __name__ or info.name.startswith((*_MACHINERY, _LADDER)) or info.name.rsplit(".", 1)[-1].startswith("_"):
            continue
        spec = getattr(importlib.import_module(info.name), "SPEC", None)
        if isinstance(spec, Spec):
            if spec.name in found:
                raise SpecError(f"two models are called {spec.name}, the second one in {info.name}")
            found[spec.name] = spec
    return dict(sorted(found.items()))


def ladder() -> dict[str, Spec]:
    """The models of the ladder, ``ladder/<rung>``, from the lowest rung to the highest."""
    from scrutator.model.ladder import specs

    return specs()


def load(reference: str) -> Spec:
    """The model that a reference names.

    A reference is a name of the catalogue, ``package.module:SPEC`` or ``file.py:SPEC``;
    the part after the colon is ``SPEC`` where left out.  Raises `SpecError` where there
    is nothing of that name, or where its file does not load.

    >>> load("paxos").name
    'paxos'
    >>> load("scrutator.model.paxos:SPEC") is load("paxos")
    True
    >>> load("ladder/basic_paxos").name
    'ladder/basic_paxos'
    """
    return references.load(reference, Spec, {**models(), **ladder()}, noun="model", default="SPEC")


_LARGER: Mapping[str, tuple[Mapping[str, object], ...]] = {
    "paxos": ({"ballots": 4},),
    "raft": ({}, {"max_term": 3, "max_log": 2, "messages": 1}),
    "two-phase-commit": ({"managers": 7},),
}

# What the command checks if no model is named: all of `models`, where not stated otherwise with
# the bounds they declare.  Together a few seconds' work.
STANDARD: tuple[tuple[str, Mapping[str, object]], ...] = tuple(
    (name, bounds) for name in models() for bounds in _LARGER.get(name, ({},))
)
