"""Sets: elements added, removed, looked for, and read all at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from scrutator.model.objects.sequential import (
    Effect,
    Object,
    Value,
    exactly,
    in_order,
    or_unnoted,
    plainly,
    same,
)

Elements = frozenset[Value]  # as `exactly` has them: 1 and 1.0 are two elements
NOTHING: Value = frozenset()  # the part of the element None, which no element is


def _all_of_them(result: Value, recorded: Value) -> bool:
    """A recording may have the elements in any order."""
    return isinstance(recorded, tuple) and same(result, in_order(recorded))


def _part(method: str, element: Value) -> Value:
    """Every method but read is about an element."""
    return NOTHING if method != "read" and element is None else element


def _starting(of: Callable[[], Object]) -> Callable[[Value], Object]:
    """The same set with elements to start with."""

    def starting(elements: Value) -> Object:
        assert isinstance(elements, tuple | frozenset), f"a set starts with a set of elements, not {elements!r}"
        return replace(of(), initial=frozenset(map(exactly, elements)))

    return starting


# Within its part, an element is there or not.

NONE: Elements = frozenset()


def _added(element: Value, absent: Value) -> Effect | None:
    one = frozenset({exactly(element)})
    whether = {None: Effect(leaves=one), True: Effect(needs=NONE, leaves=one), False: Effect(needs=one)}
    return whether.get(absent) if absent is None or isinstance(absent, bool) else None


def _removed(element: Value, present: Value) -> Effect | None:
    one = frozenset({exactly(element)})
    whether = {None: Effect(leaves=NONE), True: Effect(needs=one, leaves=NONE), False: Effect(needs=NONE)}
    return whether.get(present) if present is None or isinstance(present, bool) else None


def _seen(element: Value, present: Value) -> Effect | None:
    return Effect(needs=frozenset({exactly(element)}) if present else NONE) if isinstance(present, bool) else None


SET = Object("set", NONE, doc="Elements.  add and remove return whether they changed something.", part=_part, family=_starting(lambda: SET))


@SET.method("insert", agrees=or_unnoted, effect=_added)
def add(state: Elements, element: Value) -> tuple[Value, Elements]:
    """Add an element; return whether it was absent."""
    return exactly(element) not in state, state | {exactly(element)}


@SET.method("delete", agrees=or_unnoted, effect=_removed)
def remove(state: Elements, element: Value) -> tuple[Value, Elements]:
    """Remove an element; return whether it was present."""
    return exactly(element) in state, state - {exactly(element)}


@SET.method("has", reads_only=True, effect=_seen)
def contains(state: Elements, element: Value) -> tuple[Value, Elements]:
    """Return whether an element is present."""
    return exactly(element) in state, state


@SET.method(reads_only=True, agrees=_all_of_them)
def read(state: Elements, _: Value) -> tuple[Value, Elements]:
    """Return all elements, in order."""
    return in_order(map(plainly, state)), state


GROW_ONLY_SET = Object("grow-only-set", NONE, doc="Elements, never removed.", aliases=("g-set",), family=_starting(lambda: GROW_ONLY_SET))
GROW_ONLY_SET.method("insert", agrees=or_unnoted)(add)
GROW_ONLY_SET.method(reads_only=True, agrees=_all_of_them)(read)
