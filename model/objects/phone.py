"""One phone for sale: a register that is written once, unless the owner gives the phone back."""

from __future__ import annotations

from scrutator.model.objects.sequential import Object, Value, returned, something, whatever

PHONE = Object("phone", doc="One phone: whoever buys it first has it, until it is given back.", aliases=("write-once-register", "consensus"))


@PHONE.method("propose", takes=something, result_text=returned)
def buy(owner: Value, code: Value) -> tuple[Value, Value]:
    """Buy the phone if it is there; return the code of whoever has it then."""
    return (code, code) if owner is None else (owner, owner)


@PHONE.method("read", "get", reads_only=True)
def look(owner: Value, _: Value) -> tuple[Value, Value]:
    """Return the code of whoever has the phone."""
    return owner, owner


@PHONE.method(takes=something, agrees=whatever)
def give_back(owner: Value, code: Value) -> tuple[Value, Value]:
    """Give the phone back, if it belongs to this code."""
    return None, None if owner == code else owner
