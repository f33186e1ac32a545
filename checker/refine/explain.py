"""Why a model does not refine another: the behaviour, what it is in the other model, and what comes nearest.

Everything is re-enacted by the interpreter from a real initial state, nothing is taken
from compiled code.
"""

from __future__ import annotations

import itertools
import linecache

from scrutator.checker.explore.findings import Path
from scrutator.checker.explore.layout import decode, encode
from scrutator.checker.explore.result import Trace
from scrutator.checker.explore.trace import explain
from scrutator.checker.refine.images import Images
from scrutator.checker.refine.result import AbstractStep, Near, Refusing, Refutation
from scrutator.model.language.errors import ModelError
from scrutator.model.language.interpret import Successor
from scrutator.model.language.show import arguments, changes, shown
from scrutator.model.language.values import RecordPlace

NEAREST_MAX = 3


def refute_step(images: Images, path: Path) -> Refutation:
    """The refutation by a path whose last step is no abstract step."""
    rows = [images.of_row(row) for row in path]
    steps = tuple(_image_of_step(images, u, w) for u, w in itertools.pairwise(rows[:-1]))
    before, after = (decode(images.mapping.abstract.state, row) for row in rows[-2:])
    possible = list(images.steps(rows[-2]))
    return Refutation(
        trace=_trace(images, path),
        images=steps,
        before=_fields(images, before),
        after=_fields(images, after),
        changes=tuple(changes(images.mapping.abstract.state, before, after)),
        enabled=len(possible),
        nearest=_nearest(images, [(_label(images, s), s.state) for s in possible], after),
        refusing=_refusing(images, before, rows[-1]),
    )


def refute_initial(images: Images, state: RecordPlace) -> Refutation:
    """The refutation by an initial state that stands for no initial state."""
    image = images.of(state)
    possible = [("an initial state", s) for s in images.abstract.initial_states()]
    return Refutation(
        trace=_trace(images, (encode(state),)), images=(), before=(), after=_fields(images, image), changes=(),
        enabled=len(possible), nearest=_nearest(images, possible, image),
    )  # fmt: skip


def _refusing(images: Images, before: RecordPlace, after: bytes) -> tuple[Refusing, ...]:
    """Abstract steps that would be the one looked for, if their guards did not refuse."""
    found = []
    for step, places in images.abstract.refused(before):
        if encode(step.state) == after:
            guards = tuple(f"{file}:{line}: {linecache.getline(file, line).strip()}" for file, line in places)
            found.append(Refusing(_label(images, step), guards))
    return tuple(found[:NEAREST_MAX])


def _image_of_step(images: Images, before: bytes, after: bytes) -> AbstractStep | None:
    if before == after:
        return None
    step = images.step(before, after)
    if step is None:
        raise RuntimeError("compiled code follows a step that the interpreter does not")
    start = decode(images.mapping.abstract.state, before)
    return AbstractStep(_label(images, step), tuple(changes(images.mapping.abstract.state, start, step.state)))


def _nearest(images: Images, possible: list[tuple[str, RecordPlace]], wanted: RecordPlace) -> tuple[Near, ...]:
    """Those that leave the least to change, the first of each kind of rest."""
    found: dict[tuple[str, ...], Near] = {}
    for label, state in possible:
        missing = tuple(changes(images.mapping.abstract.state, state, wanted))
        found.setdefault(missing, Near(label, missing))
    return tuple(sorted(found.values(), key=lambda near: len(near.missing))[:NEAREST_MAX])


def _trace(images: Images, path: Path) -> Trace:
    return explain(images.mapping.concrete, path, lambda row: row, shortest=True)


def _label(images: Images, step: Successor) -> str:
    action = images.mapping.abstract.actions[step.action]
    given = ", ".join(f"{name}={value}" for name, value in arguments(action, step.arguments))
    return f"{action.name}({given})" if given else action.name


def _fields(images: Images, state: RecordPlace) -> tuple[tuple[str, str], ...]:
    declared = images.mapping.abstract.state.fields
    return tuple((name, shown(kind, getattr(state, name))) for name, kind in declared.items())


def locate_fault(images: Images, path: Path, why: str) -> ModelError:
    """The mistake at the end of a path, made again by the interpreter, where it can be named."""
    trace = _trace(images, path)
    how = " after ".join(s.label for s in reversed(trace.steps[-3:]))
    where = f"in the state reached by {how} ({len(trace)} steps from the start)"
    if why:
        return ModelError(f"{why}\n  {where}")
    try:
        _make_again(images, path[-1])
    except ModelError as error:
        return ModelError(f"{error}\n  {where}")
    large = f"mapping {images.mapping.name} or {images.mapping.abstract.name} computes what compiled code cannot"
    return ModelError(f"{large}: use --engine python\n  {where}")


def _make_again(images: Images, row: bytes) -> None:
    state = decode(images.mapping.concrete.state, row)
    for constraint in images.mapping.concrete.constraints:
        images.concrete.holds(constraint, state)
    before = encode(images.of(state))
    for successor in images.concrete.successors(state):
        if encode(images.of(successor.state)) != before:
            for _ in images.steps(before):
                pass
