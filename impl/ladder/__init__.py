"""The ladder as it runs: each design as small actors on a simulated stage, whose clients' histories are judged.

There is no list to keep: a design is a module of this folder that declares ``DESIGN``, of the rung of that name.  A
longer one is a folder, whose nodes have a file of their own.
"""

from __future__ import annotations

import importlib
import pkgutil

from scrutator.impl.ladder.design import Design, Judged, Property, Run
from scrutator.impl.ladder.play import play
from scrutator.impl.ladder.variant import Variant

__all__ = ["Design", "Judged", "Property", "Run", "Variant", "designs", "play"]


def designs() -> dict[str, Design]:
    """Every design by the name of its rung.

    >>> designs()["asynchronous"].object_name
    'phone'
    """
    modules = [importlib.import_module(info.name) for info in pkgutil.iter_modules(__path__, f"{__name__}.")]
    found = [m.DESIGN for m in modules if isinstance(getattr(m, "DESIGN", None), Design)]
    return {design.rung: design for design in found}
