"""A model run as ordinary Python: one step at a time, every mistake located.

This is the reference meaning of a model.  It is slow and obvious; the compiled engine
must agree with it.  It enumerates an action's parameters in order, the first one
slowest, and messages in the order of their codes.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from scrutator.model.language.errors import Disabled, ModelError, Truncated
from scrutator.model.language.spec import Action, Each, Model
from scrutator.model.language.types import LinksType
from scrutator.model.language.values import Fault, LinksPlace, RecordPlace, SetPlace, guards_waived, make


@dataclass(frozen=True)
class Successor:
    """What one action instance made of a state."""

    action: int  # position in ``model.actions``
    arguments: tuple[Any, ...]
    state: RecordPlace


class Interpreter:
    """Runs a model's functions.  ``truncated`` counts, per place, steps that a capacity refused."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.truncated: dict[str, int] = {}

    def blank(self) -> RecordPlace:
        """The state of defaults, from which initial states are made."""
        state = make(self.model.state, None, "")
        assert isinstance(state, RecordPlace)
        return state

    def initial_states(self) -> Iterator[RecordPlace]:
        """Every initial state, in order; the same state may come twice."""
        for action in self.model.initial:
            for successor in self._instances(-1, action, self.blank()):
                yield successor.state

    def successors(self, state: RecordPlace) -> Iterator[Successor]:
        """Every successor, in the order of actions and of their parameters."""
        for k, action in enumerate(self.model.actions):
            yield from self._instances(k, action, state)

    def refused(self, state: RecordPlace) -> Iterator[tuple[Successor, tuple[tuple[str, int], ...]]]:
        """What each action instance that refuses would make of the state if it did not, and where it refuses.

        Those that make no sense of the state without their guard are left out.
        """
        for k, action in enumerate(self.model.actions):
            for arguments in [] if action.built_in else self._arguments(action, state):
                working = copy(state)
                try:
                    with guards_waived() as places:
                        action.function(working, *arguments)
                except Exception:  # its guard kept it from this
                    continue
                if places:
                    yield Successor(k, arguments, working), tuple(places)

    def _instances(self, position: int, action: Action, state: RecordPlace) -> Iterator[Successor]:
        working = copy(state)
        for arguments in self._arguments(action, state):
            if working._dirty:
                working = copy(state)
            if self.execute(action, working, arguments):
                yield Successor(position, arguments, working)
                working = copy(state)

    def _arguments(self, action: Action, state: RecordPlace) -> Iterator[tuple[Any, ...]]:
        choices: list[tuple[Any, ...]] = [()]
        for _, domain in action.parameters:
            values = self._values(domain, state)
            choices = [(*chosen, value) for chosen in choices for value in values]
        return iter(choices)

    def _values(self, domain: Any, state: RecordPlace) -> list[Any]:
        if not isinstance(domain, Each):
            return [domain.unpack(code) for code in range(domain.size)]
        place = getattr(state, domain.field)
        items = place.heads() if isinstance(place, LinksPlace) else list(place)
        return [m for m in items if domain.kind is None or isinstance(m, domain.kind)]  # type: ignore[arg-type]

    def execute(self, action: Action, state: RecordPlace, arguments: tuple[Any, ...]) -> bool:
        """Run one action instance on ``state``; False where it is disabled or a capacity refused it."""
        try:
            if action.built_in:
                _network_fault(action, state, arguments[0])
            else:
                self._call(action.function, (state, *arguments), f"action {action.name}")
        except Disabled:
            if state._dirty:
                raise ModelError(
                    f"action {action.name}({_shown(arguments)}) changes the state and then refuses: put every require before the first change"
                    + _place_of(action.function)
                ) from None
            return False
        except Truncated as full:
            self.truncated[full.site] = self.truncated.get(full.site, 0) + 1
            return False
        return True

    def holds(self, function: Callable[..., Any], *states: RecordPlace) -> bool:
        """The value of a property or constraint, which must be True or False."""
        for state in states:
            state._writable = False
        try:
            value = self._call(function, states, f"property {function.__name__}")
        except Disabled as refusal:
            where = _location(refusal)
            raise ModelError(f"{where}: property {function.__name__}: only actions refuse: a property is True or False") from None
        finally:
            for state in states:
                state._writable = True
        if not isinstance(value, bool):
            raise ModelError(f"property {function.__name__} returned {value!r}, not True or False" + _place_of(function))
        return value

    def fill(self, mapping: Callable[..., Any], state: RecordPlace, target: RecordPlace) -> None:
        """Run a mapping, which reads ``state`` and fills in ``target``; every step it takes must succeed."""
        state._writable = False
        try:
            value = self._call(mapping, (state, target), f"mapping {mapping.__name__}")
        except Disabled as refusal:
            raise ModelError(f"{_location(refusal)}: mapping {mapping.__name__}: only actions refuse: every state is mapped") from None
        except Truncated as full:
            raise ModelError(f"{_location(full)}: mapping {mapping.__name__}: {full}: give the model that it maps to larger bounds") from None
        finally:
            state._writable = True
        if value is not None:
            raise ModelError(f"mapping {mapping.__name__} returned {value!r}; it fills in the other state and returns nothing" + _place_of(mapping))

    def _call(self, function: Callable[..., Any], arguments: tuple[Any, ...], what: str) -> Any:
        try:
            return function(*arguments)
        except (Disabled, Truncated, ModelError):
            raise
        except Exception as error:
            raise ModelError(f"{_location(error)}: {what}: {_reason(error)}") from error


def copy(state: RecordPlace) -> RecordPlace:
    """An independent copy."""
    twin = make(state._type, None, "", state._plain())
    assert isinstance(twin, RecordPlace)
    return twin


def _network_fault(action: Action, state: RecordPlace, message: Any) -> None:
    field = action.parameters[0][1].field
    network = getattr(state, field)
    if action.built_in == "lose":
        network.receive(message) if hasattr(network, "receive") else network.remove(message)
    elif isinstance(network, SetPlace):
        network.add(message)
    else:
        declared = network._type
        assert isinstance(declared, LinksType)
        queue = network._queues[message.src][message.dst]
        if len(queue) >= declared.capacity:
            raise Truncated(field)
        network._changed()
        queue._items.insert(0, message)


def _shown(arguments: tuple[Any, ...]) -> str:
    return ", ".join(repr(a) for a in arguments)


def _place_of(function: Callable[..., Any]) -> str:
    return f" ({function.__code__.co_filename}:{function.__code__.co_firstlineno})"


def _location(error: BaseException) -> str:
    """The innermost line of the model's own source."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "/model/language/" not in f.filename and "/quorums/" not in f.filename]
    if not frames:
        return "the model"
    return f"{frames[-1].filename}:{frames[-1].lineno}: `{frames[-1].line}`"


def _reason(error: BaseException) -> str:
    if isinstance(error, Fault):
        return str(error)
    return f"{type(error).__name__}: {error}"
