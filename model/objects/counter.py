"""Counters: a number that grows, or shrinks."""

from __future__ import annotations

from scrutator.model.objects.register import read, write
from scrutator.model.objects.sequential import Object, Value, number, or_unnoted

COUNTER = Object("counter", 0, doc="A number.")
COUNTER.method("r", "get", reads_only=True)(read)
COUNTER.method("w", "set", overwrites=True, takes=number)(write)


@COUNTER.method(takes=number)
def add(state: float, amount: float) -> tuple[Value, float]:
    """Add a number, which may be negative."""
    return None, state + amount


@COUNTER.method("inc", agrees=or_unnoted)
def increment(state: float, _: Value) -> tuple[Value, float]:
    """Add one; return the new number."""
    return state + 1, state + 1


@COUNTER.method("dec", agrees=or_unnoted)
def decrement(state: float, _: Value) -> tuple[Value, float]:
    """Subtract one; return the new number."""
    return state - 1, state - 1
