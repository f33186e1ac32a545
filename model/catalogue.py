"""The models by name: every module of this package that declares a ``SPEC``.

There is no list to keep.  Whoever adds a protocol adds its file, and the catalogue, the
command and the standard run find it.  A model outside of the package is named by its
module or its file.
"""

from __future__ import annotations

import importlib
import importlib.util
import itertools
import pkgutil
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import scrutator.model
from scrutator.model.language.errors import SpecError
from scrutator.model.language.spec import Spec, _instead

_serial = itertools.count(1)


def models() -> dict[str, Spec]:
    """Every model of the package, by name, in order of names."""
    found: dict[str, Spec] = {}
    for info in pkgutil.walk_packages(scrutator.model.__path__, "scrutator.model."):
        if info.name == __name__ or info.name.rsplit(".", 1)[-1].startswith("_"):
            continue
        spec = getattr(importlib.import_module(info.name), "SPEC", None)
        if isinstance(spec, Spec):
            if spec.name in found:
                raise SpecError(f"two models are called {spec.name}, the second one in {info.name}")
            found[spec.name] = spec
    return dict(sorted(found.items()))


def load(reference: str) -> Spec:
    """The model that a reference names.

    A reference is a name of the catalogue, ``package.module:SPEC`` or ``file.py:SPEC``;
    the part after the colon is ``SPEC`` where left out.  Raises `SpecError` where there
    is nothing of that name, or where its file does not load.

    >>> load("paxos").name
    'paxos'
    >>> load("scrutator.model.paxos:SPEC") is load("paxos")
    True
    """
    source, _, attribute = reference.partition(":")
    if source.endswith(".py"):
        return _spec_of(_from_file(Path(source)), attribute or "SPEC", reference)
    if attribute or "." in source:
        return _spec_of(_from_module(source), attribute or "SPEC", reference)
    known = models()
    if reference not in known:
        raise SpecError(f"there is no model {reference}" + _instead(reference, list(known)))
    return known[reference]


def _spec_of(module: ModuleType, attribute: str, reference: str) -> Spec:
    found = getattr(module, attribute, None)
    if isinstance(found, Spec):
        return found
    names = [name for name, value in vars(module).items() if isinstance(value, Spec)]
    if found is not None:
        raise SpecError(f"{reference}: {attribute} is a {type(found).__name__}, not a Spec" + _instead(attribute, names))
    raise SpecError(f"{reference}: there is no {attribute} in {module.__file__}" + _instead(attribute, names))


def _from_module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(error.name + ".")):
            raise SpecError(f"there is no module {name}; a model in a file is written file.py:SPEC") from None
        raise SpecError(_why(error, name)) from error
    except Exception as error:
        raise SpecError(_why(error, name)) from error


def _from_file(path: Path) -> ModuleType:
    """The module in a file, loaded afresh: the file may have changed since the last time."""
    if not path.is_file():
        near = [f"{f}" for f in sorted(path.parent.glob("*.py"))] if path.parent.is_dir() else []
        raise SpecError(f"there is no file {path}" + (_instead(str(path), near) if near else ""))
    name = f"_scrutator_model_{next(_serial)}_{path.stem}"
    found = importlib.util.spec_from_file_location(name, path.resolve())
    assert found is not None and found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module  # what the file declares refers to its module by name
    try:
        found.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise SpecError(_why(error, str(path))) from error
    return module


def _why(error: Exception, source: str) -> str:
    """Where loading failed and why, in a line."""
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}: {error.msg}"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not _is_ours(f.filename)]
    where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else source
    reason = str(error) if isinstance(error, SpecError) else f"{type(error).__name__}: {error}"
    return reason if reason.startswith(where) else f"{where}: {reason}"


def _is_ours(filename: str) -> bool:
    """Whether a frame belongs to the machinery: this file, the language, or Python's import system."""
    return filename == __file__ or "importlib" in filename or "/model/language/" in filename or "/model/quorums/" in filename


_LARGER: Mapping[str, tuple[Mapping[str, object], ...]] = {
    "paxos": ({"ballots": 4},),
    "raft": ({}, {"max_term": 3, "max_log": 2, "messages": 1}),
    "two-phase-commit": ({"managers": 7},),
}

# What the command checks if no model is named: all of them, where not stated otherwise with
# the bounds they declare.  Together a few seconds' work.
STANDARD: tuple[tuple[str, Mapping[str, object]], ...] = tuple(
    (name, bounds) for name in models() for bounds in _LARGER.get(name, ({},))
)
