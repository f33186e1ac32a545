"""Sequential objects: what each operation returns and leaves behind when nothing else runs.

An object is a few plain functions from a state and an argument to a result and the next
state.  States, arguments and results are immutable, hashable values; None is "nothing".
The law: a method never refuses.  What a real system may answer (a failed compare-and-set,
an empty queue) is a result like any other; whether the answer that a history records was
legal is for the checker to say.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

Value = Hashable
State = Hashable


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What a method that may do several things returns: each (result, next state) it may have."""

    choices: tuple[tuple[Value, State], ...]


Step = Callable[[State, Value], "tuple[Value, State] | Outcomes"]


@dataclass(frozen=True, slots=True)
class Method:
    """One kind of operation.

    ``reads_only`` says that it never changes the state, ``overwrites`` that result and
    next state depend on the argument alone.  Both are promises that engines build upon
    and tests verify.
    """

    name: str
    step: Step
    doc: str
    reads_only: bool = False
    overwrites: bool = False

    def outcomes(self, state: State, argument: Value) -> tuple[tuple[Value, State], ...]:
        """Each (result, next state) that the method may have in a state."""
        found = self.step(state, argument)
        return found.choices if isinstance(found, Outcomes) else (found,)


@dataclass(frozen=True)
class Object:
    """A sequential object.

    ``initial`` is the state that a history starts in.  ``part`` gives the part of the
    object that an operation is about (of a set: the element), or None where it is about
    the whole; operations on different parts must not affect each other.
    """

    name: str
    initial: State = None
    doc: str = ""
    part: Callable[[str, Value], Value] | None = None
    _methods: dict[str, Method] = field(default_factory=dict)
    _aliases: dict[str, str] = field(default_factory=dict)

    @property
    def methods(self) -> Mapping[str, Method]:
        """The methods by name."""
        return MappingProxyType(self._methods)

    def method(self, *aliases: str, reads_only: bool = False, overwrites: bool = False) -> Callable[[Step], Step]:
        """Declare a method, called like the function and, in some histories, by its aliases."""

        def declare(step: Step) -> Step:
            name = step.__name__
            self._methods[name] = Method(name, step, " ".join((step.__doc__ or "").split()), reads_only, overwrites)
            self._aliases.update(dict.fromkeys(aliases, name))
            return step

        return declare

    def find(self, name: str) -> Method | None:
        """The method of a name or alias."""
        return self._methods.get(self._aliases.get(name, name))
