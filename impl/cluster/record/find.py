"""Finds a system under test by its name, or in a file of one's own.

The law: only what a user names is imported, never what a file of results names.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import cast

from scrutator.impl.cluster import targets
from scrutator.impl.cluster.target import Target, TargetError

_METHODS = ("start", "stop", "connect", "leader", "versions", "configuration")


def names() -> list[str]:
    """Targets that come with Scrutator."""
    return sorted(info.name for info in pkgutil.iter_modules(targets.__path__) if not info.name.startswith("_"))


def find(reference: str, options: Mapping[str, str]) -> Target:
    """The target of a name, or of ``file.py:Class``, made with options.  Raises `TargetError`.

    A class in ``targets/NAME.py`` is one if it has a target's methods; options are keyword arguments of it.
    """
    path, colon, name = reference.rpartition(":")
    if colon:
        module = _module_of(Path(path))
        made = getattr(module, name, None)
        if not inspect.isclass(made):
            raise TargetError(f"{path} has no class {name}: write file.py:CLASS")
    elif reference in names():
        module = importlib.import_module(f"{targets.__name__}.{reference}")
        made = next((value for value in vars(module).values() if _is_target(value, module)), None)
        assert made is not None, f"targets/{reference}.py declares no target"
    else:
        raise TargetError(f"no target {reference}: write one of {', '.join(names())}, or file.py:CLASS for your own")
    missing = [method for method in _METHODS if not hasattr(made, method)]
    if missing:
        raise TargetError(f"{reference} is no target: it has no {', '.join(missing)}; see docs/recording.md")
    _check(reference, made, options)
    if not colon:
        return cast(Target, made(**options))
    try:
        target = made(**options)
    except TargetError:
        raise
    except (Exception, SystemExit) as error:  # of somebody else's code
        raise TargetError(f"{reference} cannot be made: {type(error).__name__}: {error}") from error
    missing = [name for name in ("operations", "faults") if not isinstance(getattr(target, name, None), (frozenset, set))]
    if missing:
        raise TargetError(f"{reference} is no target: {' and '.join(missing)} must be sets of names; see docs/recording.md")
    return cast(Target, target)


def _check(reference: str, made: type, options: Mapping[str, str]) -> None:
    parameters = inspect.signature(made).parameters.values()
    accepted = [one.name for one in parameters if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)]
    for option in options:
        if option not in accepted:
            known = f"its options are {', '.join(accepted)}" if accepted else "it has no options"
            raise TargetError(f"the target {reference} knows nothing of {option!r}: {known}")


def _is_target(value: object, module: ModuleType) -> bool:
    return inspect.isclass(value) and value.__module__ == module.__name__ and all(hasattr(value, m) for m in _METHODS)


def _module_of(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"scrutator_target_{path.stem}", path) if path.suffix == ".py" else None
    if spec is None or spec.loader is None:
        raise TargetError(f"{path} is no file of Python: write file.py:CLASS")
    if not path.is_file():
        raise TargetError(f"there is no file {path}: write file.py:CLASS")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise TargetError(f"{path} does not load: {type(error).__name__}: {error}") from error
    return module
