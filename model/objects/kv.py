"""Key-value stores, one key at a time: the key is the history's, the state what the key holds.

Other stores answer differently for a key that holds nothing: None, or, as in Porcupine's
example, an empty text.  `kv` makes the object of a store from that answer.
"""

from __future__ import annotations

from scrutator.model.objects.register import cas, read, write
from scrutator.model.objects.sequential import (
    Effect,
    Effects,
    Object,
    State,
    Value,
    change,
    or_done,
    or_unnoted,
    pair,
    same,
    success,
    text,
    whatever,
)


def kv(absent: Value = None) -> Object:
    """A key-value store that answers so for a key that holds nothing."""
    store = Object("kv", absent, doc="A key's value.  A cas takes (expected, new).", family=kv)

    @store.method("read", "r", reads_only=True, effect=Effects.LOOKS)
    def get(state: State, argument: Value) -> tuple[Value, State]:
        """Return the value."""
        return read(state, argument)

    @store.method("write", "w", "set", overwrites=True, agrees=whatever, effect=Effects.SETS)
    def put(state: State, value: Value) -> tuple[Value, State]:
        """Set the value."""
        return write(state, value)

    @store.method(takes=text, result_text=success, extends=True)
    def append(state: State, suffix: str) -> tuple[Value, State]:
        """Add a text at the end of the value; fail if there is a value that is no text."""
        if same(state, absent) and not isinstance(state, str):
            return None, suffix
        return (None, state + suffix) if isinstance(state, str) else (False, state)

    def emptied(_: Value, held: Value) -> Effect | None:
        whether = {None: Effect(leaves=absent), True: Effect(refuses=absent, leaves=absent), False: Effect(needs=absent)}
        return whether.get(held) if held is None or isinstance(held, bool) else None

    @store.method("del", "remove", agrees=or_unnoted, effect=emptied)
    def delete(state: State, _: Value) -> tuple[Value, State]:
        """Leave the key with nothing; return whether it held something."""
        return not same(state, absent), absent

    store.method(
        "compare-and-set", "compare_and_set", takes=pair, agrees=or_done, argument_text=change, result_text=success,
        effect=Effects.SWAPS,
    )(cas)  # fmt: skip
    return store


KV = kv()
