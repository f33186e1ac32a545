"""Registers: one value, written and read, and compared before it is set."""

from __future__ import annotations

from scrutator.model.objects.sequential import (
    Effects,
    Object,
    State,
    Value,
    change,
    or_done,
    pair,
    same,
    success,
    whatever,
)

REGISTER = Object(
    "register",
    doc="One value.  A cas takes (expected, new) and says whether it took place.",
    aliases=("cas-register",),
)


@REGISTER.method("r", "get", reads_only=True, effect=Effects.LOOKS)
def read(state: State, _: Value) -> tuple[Value, State]:
    """Return the value."""
    return state, state


@REGISTER.method("w", "put", "set", overwrites=True, agrees=whatever, effect=Effects.SETS)
def write(_: State, value: Value) -> tuple[Value, State]:
    """Set the value."""
    return None, value


@REGISTER.method(
    "compare-and-set", "compare_and_set", takes=pair, agrees=or_done, argument_text=change, result_text=success,
    effect=Effects.SWAPS,
)  # fmt: skip
def cas(state: State, change: tuple[Value, Value]) -> tuple[Value, State]:
    """Set the value if it is the expected one."""
    expected, new = change
    return (True, new) if same(state, expected) else (False, state)
