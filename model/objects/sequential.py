"""Sequential objects: what each operation returns and leaves behind when nothing else runs.

An object is a few plain functions from a state and an argument to a result and the next
state.  States, arguments and results are immutable, hashable values; None is "nothing".
The law: a method never refuses.  What a real system may answer (a failed compare-and-set,
an empty queue, a lock that is held) is a result like any other; whether the answer that a
history records was legal is for the checker to say.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType
from typing import TypeVar

Value = Hashable
State = Hashable


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What a method that may do several things returns: each (result, next state) it may have."""

    choices: tuple[tuple[Value, State], ...]


Step = Callable[..., "tuple[Value, State] | Outcomes"]  # of a state and an argument
StepT = TypeVar("StepT", bound=Step)


# --- values -----------------------------------------------------------------------------


def exactly(value: Value) -> Value:
    """A value with its types, all the way down: 1, True and 1.0 are equal to Python, not to a store.

    >>> exactly((1, 2)) == exactly((True, 2))
    False
    """
    if isinstance(value, tuple):
        return tuple, tuple(map(exactly, value))
    if isinstance(value, frozenset):
        return frozenset, frozenset(map(exactly, value))
    return type(value), value


def plainly(found: Value) -> Value:
    """The value that `exactly` made this of.

    >>> plainly(exactly((1, (True, "x"))))
    (1, (True, 'x'))
    """
    assert isinstance(found, tuple)
    kind, value = found
    return kind(map(plainly, value)) if kind in (tuple, frozenset) else value  # type: ignore[no-any-return]


def same(left: Value, right: Value) -> bool:
    """Whether two values are equal and of equal types all the way down."""
    return left == right and exactly(left) == exactly(right)


def in_order(values: Iterable[Value]) -> tuple[Value, ...]:
    """Values in an order that depends on nothing but them: their own, or else that of their texts.

    >>> in_order({3, 1, 2}), in_order(["b", 1])
    ((1, 2, 3), ('b', 1))
    """
    found = list(values)
    try:
        found.sort()  # type: ignore[type-var]
    except TypeError:
        return tuple(sorted(found, key=repr))
    if any(one == other for one, other in itertools.pairwise(found)):  # such as 1 and True, of which neither comes first
        return tuple(sorted(found, key=repr))
    return tuple(found)


# --- when a recorded result is the one returned -----------------------------------------

Agrees = Callable[[Value, Value], bool]  # of the result returned and the one recorded


def or_unnoted(result: Value, recorded: Value) -> bool:
    """The same, or None: the recorder did not note the result, so any will do."""
    return recorded is None or same(result, recorded)


def whatever(result: Value, recorded: Value) -> bool:
    """Anything: the method returns nothing, and a recorder may have put its own word there."""
    return True


def or_done(result: Value, recorded: Value) -> bool:
    """The same, or None for True: the recorder noted no more than that it took place."""
    return same(result, True if recorded is None else recorded)


# --- methods on a state that is one value -----------------------------------------------


class Any_(Enum):
    """What stands for any state, or for none in particular."""

    ANY = "anything"

    def __repr__(self) -> str:
        return self.value


ANY = Any_.ANY


@dataclass(frozen=True, slots=True)
class Effect:
    """What an operation makes of a state that is one value.

    It takes place only in the state ``needs``, and not in the state ``refuses``; it leaves
    ``leaves``, which is the state as it was for ANY.
    """

    needs: State = ANY
    refuses: State = ANY
    leaves: State = ANY


class Effects(Enum):
    """The three kinds of effect that need no table."""

    LOOKS = "returns the state"
    SETS = "leaves the argument"
    SWAPS = "leaves the second of a pair if the state is the first, and says whether"


EffectOf = Callable[[Value, Value], "Effect | None"]  # of argument and recorded result; None if it cannot be


# --- how operations read ----------------------------------------------------------------

Text = Callable[[Value], str]


def given(argument: Value) -> str:
    """An argument, or nothing for None."""
    return "" if argument is None else repr(argument)


def change(argument: Value) -> str:
    """From one value to another: ``1 -> 2``."""
    return " -> ".join(map(repr, argument)) if isinstance(argument, tuple) else repr(argument)


def noted(result: Value) -> str:
    """A result, or nothing for None."""
    return "" if result is None else f" -> {result!r}"


def returned(result: Value) -> str:
    """A result, None included."""
    return f" -> {result!r}"


def removed(result: Value) -> str:
    """A result, where None says that there was nothing."""
    return " -> empty" if result is None else f" -> {result!r}"


def success(result: Value) -> str:
    """Only failure is worth a word."""
    return " failed" if result is False else ""


# --- objects ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Method:
    """One kind of operation.

    ``reads_only`` says that it never changes the state, ``overwrites`` that result and
    next state depend on the argument alone.  Both are promises that engines build upon
    and tests verify.  ``takes`` says which arguments make sense, in its docstring too;
    ``agrees`` whether a recorded result is the one returned.  ``extends`` says that it adds
    its argument, a text, at the end of a state that is a text, and makes it that of nothing.
    """

    name: str
    step: Step
    doc: str
    reads_only: bool = False
    overwrites: bool = False
    takes: Callable[[Value], bool] | None = None
    agrees: Agrees = same
    argument_text: Text = given
    result_text: Text = noted
    effect: Effects | EffectOf | None = None
    extends: bool = False

    def outcomes(self, state: State, argument: Value) -> tuple[tuple[Value, State], ...]:
        """Each (result, next state) that the method may have in a state."""
        found = self.step(state, argument)
        return found.choices if isinstance(found, Outcomes) else (found,)

    def after(self, state: State, argument: Value, recorded: Value) -> tuple[State, ...]:
        """Each next state if the method returns what was recorded; empty if it cannot."""
        return tuple(s for result, s in self.outcomes(state, argument) if self.agrees(result, recorded))

    def mistake(self, argument: Value) -> str | None:
        """What is wrong with an argument, or None.  Steps expect arguments that are right."""
        if self.takes is None or self.takes(argument):
            return None
        return f"{self.name} takes {_one_line(self.takes.__doc__)}, not {argument!r}"

    def describe(self, argument: Value, result: Value = None, *, pending: bool = False) -> str:
        """How an operation reads: ``read() -> 3``, ``cas(1 -> 2) failed``, ``write(2) -> ?``."""
        return f"{self.name}({self.argument_text(argument)}){' -> ?' if pending else self.result_text(result)}"


@dataclass(frozen=True)
class Object:
    """A sequential object.

    ``initial`` is the state that a history starts in; ``starting`` gives the object with
    another.  ``part`` names the part of the object that an operation is about (of a set:
    the element).  Operations on different parts do not affect each other; one that is
    about the whole has the part None, and a history with such an operation is in one part.
    """

    name: str
    initial: State = None
    doc: str = ""
    part: Callable[[str, Value], Value] | None = None
    aliases: tuple[str, ...] = ()
    family: Callable[[Value], Object] | None = None  # where more than the state depends on what it starts with
    _methods: dict[str, Method] = field(default_factory=dict)
    _aliases: dict[str, str] = field(default_factory=dict)

    @property
    def methods(self) -> Mapping[str, Method]:
        """The methods by name."""
        return MappingProxyType(self._methods)

    def method(
        self,
        *aliases: str,
        name: str | None = None,
        reads_only: bool = False,
        overwrites: bool = False,
        takes: Callable[[Value], bool] | None = None,
        agrees: Agrees = same,
        argument_text: Text = given,
        result_text: Text | None = None,
        effect: Effects | EffectOf | None = None,
        extends: bool = False,
    ) -> Callable[[StepT], StepT]:
        """Declare a method, called like the function or ``name``; some histories call it by its aliases."""

        def declare(step: StepT) -> StepT:
            own = name or step.__name__
            for taken in (own, *aliases):
                if self.find(taken) is not None:
                    raise ValueError(f"the object {self.name} has two methods called {taken}")
            text = result_text or (returned if reads_only else noted)
            self._methods[own] = Method(
                own, step, _one_line(step.__doc__), reads_only, overwrites, takes, agrees, argument_text, text, effect, extends
            )
            self._aliases.update(dict.fromkeys(aliases, own))
            return step

        return declare

    def find(self, name: str) -> Method | None:
        """The method of a name or alias."""
        return self._methods.get(self._aliases.get(name, name))

    def starting(self, initial: Value) -> Object:
        """The same object with another beginning: a register's value, a semaphore's permits, ANY if it is not known."""
        if self.family is None or initial is ANY:
            return replace(self, initial=initial)
        return self.family(initial)


# --- arguments --------------------------------------------------------------------------


def nothing(argument: Value) -> bool:
    """nothing"""
    return argument is None


def something(argument: Value) -> bool:
    """a value other than None"""
    return argument is not None


def number(argument: Value) -> bool:
    """a number"""
    return isinstance(argument, int | float) and not isinstance(argument, bool)


def text(argument: Value) -> bool:
    """a text"""
    return isinstance(argument, str)


def pair(argument: Value) -> bool:
    """a pair (expected, new)"""
    return isinstance(argument, tuple) and len(argument) == 2


def _one_line(doc: str | None) -> str:
    return " ".join((doc or "").split())
