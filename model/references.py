"""What users name: a catalogue's entry, or what a module or a file of theirs declares.

A reference is a name of a catalogue, ``package.module:NAME`` or ``file.py:NAME``.  The
law: whatever goes wrong, the message names the reference, the cause and what there is
instead.
"""

from __future__ import annotations

import importlib
import importlib.util
import itertools
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from scrutator.model.language.errors import SpecError, instead

T = TypeVar("T")

_serial = itertools.count(1)


def load(reference: str, kind: type[T], known: Mapping[str, T], *, noun: str, default: str | None = None) -> T:
    """What a reference names.

    Args:
        reference: ``name``, ``package.module:NAME`` or ``file.py:NAME``.
        kind: The class of what is looked for.
        known: The catalogue.
        noun: What people call it.
        default: The part after the colon, where left out; None to take what is the only one.

    Raises:
        SpecError: There is nothing of that name, or its file does not load.
    """
    source, _, attribute = reference.partition(":")
    if source.endswith(".py"):
        return _declared(_from_file(Path(source), noun), attribute or default, kind, reference)
    if attribute or "." in source:
        return _declared(_from_module(source, noun), attribute or default, kind, reference)
    if reference not in known:
        raise SpecError(f"there is no {noun} {reference}" + instead(reference, known))
    return known[reference]


def _declared(module: ModuleType, attribute: str | None, kind: type[T], reference: str) -> T:
    names = [name for name, value in vars(module).items() if isinstance(value, kind)]
    if attribute is None and len(names) == 1:
        attribute = names[0]
    if attribute is None:
        some = f"several: {', '.join(names)}" if names else "none"
        raise SpecError(f"{reference}: which {kind.__name__}? {module.__file__} declares {some}; write {reference}:NAME")
    found = getattr(module, attribute, None)
    if isinstance(found, kind):
        return found
    if found is not None:
        other = f"a {type(found).__name__}, not of type {kind.__name__}"
        raise SpecError(f"{reference}: {attribute} is {other}" + instead(attribute, names))
    raise SpecError(f"{reference}: there is no {attribute} in {module.__file__}" + instead(attribute, names))


def _from_module(name: str, noun: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(error.name + ".")):
            raise SpecError(f"there is no module {name}; a {noun} in a file is written file.py:NAME") from None
        raise SpecError(_why(error, name)) from error
    except Exception as error:
        raise SpecError(_why(error, name)) from error


def _from_file(path: Path, noun: str) -> ModuleType:
    """The module in a file, loaded afresh: the file may have changed since the last time."""
    if not path.is_file():
        near = [f"{f}" for f in sorted(path.parent.glob("*.py"))] if path.parent.is_dir() else []
        raise SpecError(f"there is no file {path}" + (instead(str(path), near) if near else ""))
    name = f"_scrutator_{noun}_{next(_serial)}_{path.stem}"
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
    folders = ("/model/language/", "/model/quorums/", "/model/objects/")
    return filename == __file__ or "importlib" in filename or any(folder in filename for folder in folders)
