"""Helpers for tests of the model language: small models, and their states by hand."""

from __future__ import annotations

from typing import Any

import pytest

from scrutator.model.language import Model, Spec
from scrutator.model.language.interpret import Interpreter


class Stepper:
    """A state that a test takes through actions, one by one."""

    def __init__(self, spec: Spec, mutant: str | None = None, **bounds: object) -> None:
        self.model: Model = spec.bind(bounds, mutant)
        self.interpreter = Interpreter(self.model)
        self.state: Any = next(self.interpreter.initial_states())

    def enabled(self, action: str) -> list[tuple[Any, ...]]:
        """The arguments with which the action can happen now."""
        names = [a.name for a in self.model.actions]
        return [s.arguments for s in self.interpreter.successors(self.state) if names[s.action] == action]

    def can(self, action: str, *arguments: Any) -> bool:
        return tuple(arguments) in self.enabled(action)

    def step(self, action: str, *arguments: Any) -> None:
        """Take an action that must be enabled; with no arguments given, the only instance there is."""
        names = [a.name for a in self.model.actions]
        found = [s for s in self.interpreter.successors(self.state) if names[s.action] == action]
        chosen = [s for s in found if s.arguments == tuple(arguments)] if arguments else found
        assert len(chosen) == 1, f"{action}{arguments} in {self.state!r}: enabled are {[s.arguments for s in found]}"
        for p in self.model.properties:
            if p.kind.value == "step invariant":
                assert self.interpreter.holds(p.function, self.state, chosen[0].state), p.name
        self.state = chosen[0].state

    def holds(self, name: str) -> bool:
        """The value of a property of states."""
        function = next(p.function for p in self.model.properties if p.name == name)
        return self.interpreter.holds(function, self.state)

    def violated(self) -> list[str]:
        """The invariants that do not hold now."""
        return [p.name for p in self.model.properties if p.kind.value == "invariant" and not self.holds(p.name)]


@pytest.fixture
def stepper() -> type[Stepper]:
    """``stepper(SPEC, servers=3)`` starts in the initial state."""
    return Stepper
