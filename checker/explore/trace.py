"""From rows to a trace that explains: which action, with which parameters, changed what.

A path of rows is re-enacted by the interpreter, step by step from a real initial state.
Under symmetry reduction the rows are representatives, so each step looks for a successor
whose representative is the next row: the trace is a real behaviour all the same.
A saved trace is JSON, and `replay` holds every step of it against the model again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from scrutator.checker.explore.findings import Path
from scrutator.checker.explore.layout import encode
from scrutator.checker.explore.result import PropertyKind, PropertyResult, Result, Step, Trace
from scrutator.model.language.errors import SpecError
from scrutator.model.language.interpret import Interpreter, Successor, copy
from scrutator.model.language.show import arguments, changes, shown
from scrutator.model.language.spec import Kind, Model, Property
from scrutator.model.language.values import RecordPlace
from scrutator.model.quorums.table import observed

FORMAT = "scrutator-trace"
VERSION = 1
FILE_BYTES_MAX = 64 << 20

Decided = tuple[tuple[str, tuple[str, ...]], ...]


class ReplayError(Exception):
    """A saved trace cannot be read; the message names the file and what was expected."""


# --- explaining -------------------------------------------------------------------------


def explain(model: Model, path: Path, canonical: Callable[[bytes], bytes], *, shortest: bool, broken: Property | None = None) -> Trace:
    """The behaviour along a path of rows, at whose end a property may be broken."""
    interpreter = Interpreter(model)
    state = next(s for s in interpreter.initial_states() if canonical(encode(s)) == path[0])
    steps = [_first(model, state)]
    for k, row in enumerate(path[1:], 2):
        last = broken if k == len(path) else None
        step = last if last is not None and last.kind is Kind.STEP_INVARIANT else None
        chosen = next(s for s in interpreter.successors(state) if canonical(encode(s.state)) == row and _breaks(interpreter, step, state, s))
        steps.append(_step(model, state, chosen, _decided(interpreter, state, chosen, last)))
        state = chosen.state
    return Trace(tuple(steps), shortest)


def _breaks(interpreter: Interpreter, step: Property | None, before: RecordPlace, successor: Successor) -> bool:
    return step is None or not interpreter.holds(step.function, before, successor.state)


def _decided(interpreter: Interpreter, before: RecordPlace, successor: Successor, broken: Property | None) -> Decided:
    """What the action, and the property that its result breaks, found to be quorums."""
    action = interpreter.model.actions[successor.action]
    with observed() as quorums:
        interpreter.execute(action, copy(before), successor.arguments)
        if broken is not None and broken.kind is Kind.INVARIANT:
            interpreter.holds(broken.function, successor.state)
    return tuple(quorums)


def _first(model: Model, state: RecordPlace) -> Step:
    fields = _fields(model, state)
    return Step("initial state", (), tuple(f"{name} = {value}" for name, value in fields), fields, encode(state).hex())


def _step(model: Model, before: RecordPlace, successor: Successor, decided: Decided) -> Step:
    action = model.actions[successor.action]
    return Step(
        action.name, arguments(action, successor.arguments), tuple(changes(model.state, before, successor.state)),
        _fields(model, successor.state), encode(successor.state).hex(), action.fault, decided,
    )  # fmt: skip


def _fields(model: Model, state: RecordPlace) -> tuple[tuple[str, str], ...]:
    return tuple((name, shown(declared, getattr(state, name))) for name, declared in model.state.fields.items())


# --- saving and replaying -----------------------------------------------------------------


def save(result: Result, property_name: str, path: FilePath | str, model_reference: str) -> None:
    """Write the trace of one property as JSON, with all that `replay` needs."""
    chosen = next((p for p in result.properties if p.name == property_name and p.trace is not None), None)
    if chosen is None or chosen.trace is None:
        raise SpecError(f"there is no trace of {property_name} to save")
    document = {
        "format": FORMAT,
        "version": VERSION,
        "model": model_reference,
        "bounds": dict(result.bounds),
        "mutant": result.mutant,
        "property": chosen.name,
        "kind": chosen.kind.value,
        "verdict": chosen.verdict.value,
        "steps": [
            {
                "action": s.action,
                "parameters": dict(s.parameters),
                "fault": s.fault,
                "changes": list(s.changes),
                "state": dict(s.state),
                "encoded": s.encoded,
            }
            for s in chosen.trace.steps
        ],
    }
    FilePath(path).write_text(json.dumps(document, indent=1) + "\n")


@dataclass(frozen=True)
class Replay:
    """What became of a saved trace: whether each step is still a step, and the property still fails (or is reached)."""

    ok: bool
    text: tuple[str, ...]
    trace: Trace | None
    property: PropertyResult | None


def read(path: FilePath | str) -> dict[str, Any]:
    """A saved trace, checked for its form."""
    file = FilePath(path)
    try:
        if file.stat().st_size > FILE_BYTES_MAX:
            raise ReplayError(f"{file}: larger than {FILE_BYTES_MAX:,} bytes, not a trace")
        document = json.loads(file.read_text())
    except OSError as error:
        raise ReplayError(f"cannot read {file}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise ReplayError(f"{file}: not text: {error}") from None
    except (json.JSONDecodeError, RecursionError) as error:
        where = f":{error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise ReplayError(f"{file}{where}: not JSON: {error}") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ReplayError(f'{file}: expected a trace saved by `scrutator check --out`, with "format": "{FORMAT}"')
    if document.get("version") != VERSION:
        raise ReplayError(f"{file}: version {document.get('version')!r} of the format; this scrutator reads version {VERSION}")
    expected: Mapping[str, type | tuple[type, ...]] = {
        "model": str, "bounds": dict, "mutant": (str, type(None)), "property": str, "kind": str, "steps": list,
    }  # fmt: skip
    for name, kind in expected.items():
        if not isinstance(document.get(name), kind):
            raise ReplayError(f"{file}: {name} is missing or of the wrong type")
    for k, step in enumerate(document["steps"]):
        if not (isinstance(step, dict) and isinstance(step.get("action"), str) and isinstance(step.get("parameters"), dict) and isinstance(step.get("encoded"), str)):
            raise ReplayError(f"{file}: step {k + 1} needs action, parameters and encoded")
    if not document["steps"]:
        raise ReplayError(f"{file}: a trace has at least its initial state")
    return document


def replay(path: FilePath | str) -> Replay:
    """Re-enact a saved trace on the model as it is now."""
    from scrutator.model.catalogue import load

    document = read(path)
    model = load(document["model"]).bind(document["bounds"], document["mutant"])
    chosen = next((p for p in model.properties if p.name == document["property"]), None)
    if chosen is None and document["kind"] != PropertyKind.NO_DEADLOCK.value:
        raise ReplayError(f"{path}: {model.name} no longer has a property {document['property']}")
    interpreter = Interpreter(model)
    first, *rest = document["steps"]
    state = next((s for s in interpreter.initial_states() if encode(s).hex() == first["encoded"]), None)
    if state is None:
        return Replay(False, ("step 0: this is no longer an initial state of the model",), None, None)
    steps, before = [_first(model, state)], state
    for k, wanted in enumerate(rest, 1):
        match = next((s for s in interpreter.successors(state) if _same_step(model, s, wanted)), None)
        if match is None:
            label = f"{wanted['action']}({', '.join(f'{n}={v}' for n, v in wanted['parameters'].items())})"
            return Replay(False, (f"step {k}: {label} is no longer a step of the model, or leads elsewhere",), Trace(tuple(steps), False), None)
        steps.append(_step(model, state, match, _decided(interpreter, state, match, None)))
        before, state = state, match.state
    trace = Trace(tuple(steps), False)
    ok, why = _still(interpreter, chosen, before, state, len(rest))
    return Replay(ok, (f"all {len(rest)} steps are steps of the model", why), trace, None)


def _same_step(model: Model, successor: Successor, wanted: dict[str, Any]) -> bool:
    action = model.actions[successor.action]
    return bool(
        action.name == wanted["action"]
        and encode(successor.state).hex() == wanted["encoded"]
        and dict(arguments(action, successor.arguments)) == wanted["parameters"]
    )


def _still(interpreter: Interpreter, chosen: Property | None, before: RecordPlace, state: RecordPlace, steps: int) -> tuple[bool, str]:
    if chosen is None:
        stuck = next(iter(interpreter.successors(state)), None) is None
        return stuck, "the last state is a deadlock" if stuck else "the last state is no longer a deadlock"
    match chosen.kind:
        case Kind.ALWAYS_POSSIBLE:
            return True, f"{chosen.name} is claimed impossible from the last state; only a check can confirm that"
        case Kind.STEP_INVARIANT:
            value = steps > 0 and interpreter.holds(chosen.function, before, state)
        case _:
            value = interpreter.holds(chosen.function, state)
    wanted = chosen.kind is Kind.REACHABLE
    text = f"{chosen.name} is {'true' if value else 'false'} in the last {'step' if chosen.kind is Kind.STEP_INVARIANT else 'state'}"
    return value is wanted, text
