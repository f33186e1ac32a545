"""One history of `scrutator lin`: read, checked, drawn; or the reason why not.

Law: a mistake in one history is an answer like any other, so that the others are still
checked; a bug of ours is not.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from scrutator.checker.commands.faults_beside import bands_beside
from scrutator.checker.commands.shared import UsageError
from scrutator.checker.linear.check import check_linearizable
from scrutator.checker.linear.formats import Format, read
from scrutator.checker.linear.history import UNKNOWN, History, HistoryError, Value
from scrutator.checker.linear.problem import UnfitHistory
from scrutator.checker.report.lin_found import Decided, Refused, Weaker, decided
from scrutator.checker.verdict import ExitStatus
from scrutator.model.language import SpecError
from scrutator.model.objects import find, objects

if TYPE_CHECKING:
    from scrutator.checker.linear.result import Linearizability
    from scrutator.checker.report.timeline import Band
    from scrutator.model.objects.sequential import Object


@dataclass(frozen=True, slots=True)
class Request:
    """What to do with each history, as the options say."""

    object: Object | None
    engine: str
    format: str | None
    keyed: bool | None
    timeout_s: float | None
    memory_bytes_max: int | None
    workers: int | None
    witness: bool
    explain: bool
    strongest: bool


class UnknownObject(Exception):
    """Nobody says which object the history is of."""


def decide(
    answers: list[Decided | Refused], path: str, request: Request, timeline: Path | None, show: Callable[[str], None]
) -> None:  # fmt: skip
    """Add the answer on the history in a file, and perhaps what could not be done with it.

    What was found is added at once: nothing that goes wrong later loses it.  Faults beside
    the history are drawn with it.
    """
    object_ = request.object
    try:
        show(f"reading {path}")
        history = read(path, request.format, keyed=request.keyed)
        object_ = object_ or object_of(history)
        show(f"checking {path}, {len(history):,} operations")
        found = check_linearizable(
            history,
            object_,
            engine=request.engine,
            witness=request.witness,
            explain=request.explain,
            timeout_s=request.timeout_s,
            memory_bytes_max=request.memory_bytes_max,
            workers=request.workers,
        )
        answer = decided(path, history, object_, found)
        answers.append(answer)
        if request.strongest:
            show(f"looking for the strongest consistency model of {path}")
            findings, names = _strongest(history, object_, request.timeout_s)
            answers[-1] = answer = replace(answer, strongest=findings, holding=names)
        if timeline is not None:
            show(f"drawing {path}")
            _draw(timeline, history, object_, found, bands_beside(path))
            answers[-1] = replace(answer, timeline=timeline)
    except Exception as error:
        refused = _refused(path, error, object_)
        if refused is None:
            raise
        answers.append(refused)


def object_of(history: History) -> Object:
    """The object that the recording names or leaves no doubt about.  Raises `UnknownObject`.

    Only objects of the catalogue: a history may come from anywhere, and must not name code
    to be run.
    """
    known = objects()
    names = [*known, *(alias for object_ in known.values() for alias in object_.aliases)]
    name = history.metadata.get("object")
    if isinstance(name, str) and name.partition("(")[0] in names:
        doubt = _doubt(history, name) if "source_format" in history.metadata else None
        if doubt is not None:
            raise UnknownObject(doubt)
        return find(name)
    why = f"the object {name!r}, which it names, is not known" if name else "it does not tell which object it is of"
    message = f"{why}: add --object with one of {', '.join(known)}; or with file.py:NAME"
    raise UnknownObject(message)


def named(header: Mapping[str, object]) -> Object:
    """The object of the catalogue that a header of our own format names.  Raises `UsageError`."""
    name = _GENERATED.get(header.get("type"), header.get("type")) if "type" in header else header.get("object")
    known = objects()
    names = [*known, *(alias for object_ in known.values() for alias in object_.aliases)]
    if isinstance(name, str) and name.partition("(")[0] in names:
        return find(name)
    raise UsageError(f"its header does not name an object: add --object with one of {', '.join(known)}; or with file.py:NAME")


_GENERATED: dict[object, object] = {"cas": "cas-register"}


def _doubt(history: History, name: str) -> str | None:
    """What is not known of an object that was told from its methods, and would change the verdict."""
    if history.metadata["source_format"] == Format.FLAT_JSON:  # recorded of stores that ran before
        return f"it does not tell whether keys held something before: add --object {name} if they held nothing, or --object '{name}(?)'"
    if name == "bank":
        return "it is of a bank, and does not tell what the accounts start with: add --object \"bank({0: 100, 1: 0})\" or so"
    if name == "multi-register" and any(("r", None) == step[::2] or ("read", None) == step[::2] for step in _read(history)):
        return (
            "registers were read that held nothing, and it does not tell what registers start with: "
            'add --object "multi-register(None)", or multi-register where they start with 0'
        )
    return None


def _read(history: History) -> Iterator[tuple[Value, ...]]:
    """The steps of transactions, with what they read."""
    for number in set(history.result.tolist()) - {UNKNOWN}:
        steps = history.values[number]
        if isinstance(steps, tuple):
            yield from (step for step in steps if isinstance(step, tuple) and len(step) == 3)


def _strongest(history: History, object_: Object, timeout_s: float | None) -> tuple[tuple[Weaker, ...], tuple[str, ...]]:
    """What was found of each model, and the names of the strongest that hold."""
    from scrutator.checker.linear.weaker import holding, strongest

    found = strongest(history, object_) if timeout_s is None else strongest(history, object_, timeout_s=timeout_s)
    return found, tuple(str(model.value) for model in holding(found))


def _draw(path: Path, history: History, object_: Object, found: Linearizability, bands: Sequence[Band]) -> None:
    from scrutator.checker.report import timeline

    timeline.write(path, history, object_, found, bands)


# --- mistakes -----------------------------------------------------------------------------


def _refused(path: str, error: Exception, object_: Object | None) -> Refused | None:
    """A mistake as an answer; None for a bug of ours."""
    if isinstance(error, HistoryError):
        message = str(error).replace("keyed=True or keyed=False", "--by key or --by whole")
        return Refused(path, message, ExitStatus.FAULTY_MODEL, error.line, "malformed")
    if isinstance(error, UnfitHistory):
        return Refused(path, str(error), ExitStatus.FAULTY_MODEL, reason="unfit")
    if isinstance(error, UnknownObject | SpecError):
        return Refused(path, f"{path}: {error}", ExitStatus.USAGE, reason="no object")
    if isinstance(error, MemoryError):
        return Refused(path, f"{path}: there is not enough memory for it", ExitStatus.UNKNOWN, reason="memory")
    if isinstance(error, OSError):
        message = f"{error.filename or path}: {error.strerror or error}"
        return Refused(path, message, ExitStatus.USAGE, reason="unreadable")
    where = None if object_ is None else _place_in(object_, error)
    if where is not None:
        assert object_ is not None
        message = f"the object {object_.name} is faulty: {where}: {type(error).__name__}: {error}; a method never refuses"
        return Refused(path, message, ExitStatus.FAULTY_MODEL, reason="faulty object")
    return None


def _place_in(object_: Object, error: Exception) -> str | None:
    """The innermost line of a user's object that an error came from, or None."""
    own = {method.step.__code__.co_filename for method in object_.methods.values() if hasattr(method.step, "__code__")}
    catalogue = {known.name: known for known in objects().values()}
    if catalogue.get(object_.name) is not None and catalogue[object_.name].methods == object_.methods:
        return None
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename in own]
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else None
