"""Commands on keys, and those that make them happen once.

Law: each stands for one `Command`, which takes effect as a whole, or it is refused before anything happens.
"""

from __future__ import annotations

from msgspec.structs import replace

from scrutator.impl.machine import INTEGER_MIN, Command
from scrutator.impl.node.clients.commands import (
    Ask,
    Caller,
    Entry,
    Handler,
    Refusal,
    Render,
    as_number,
    as_ok,
    as_ok_or_null,
    called,
    integer,
    subcommands,
)
from scrutator.impl.node.clients.resp import encode

READ, WRITE = ("readonly", "fast"), ("write", "denyoom")
ONE, ALL, PAIRS, NONE = (1, 1, 1), (1, -1, 1), (1, -1, 2), (0, 0, 0)
_EXPIRY = ("EX", "PX", "EXAT", "PXAT", "KEEPTTL")


def _get(caller: Caller, words: list[bytes]) -> Ask:
    return Ask(Command("get", words[1]))


def _set(caller: Caller, words: list[bytes]) -> Ask:
    key, value = words[1], words[2]
    if len(words) == 3:
        return Ask(Command("put", key, value), as_ok)
    condition, old, expected = _options(words[3:])
    if condition == "XX":
        return Ask(Command("getset_present", key, value)) if old else Ask(Command("put_present", key, value), as_ok_or_null)
    if condition:  # NX expects nothing
        return Ask(Command("getset_equal", key, value, expected)) if old else Ask(Command("cas", key, value, expected), as_ok_or_null)
    return Ask(Command("getset", key, value)) if old else Ask(Command("put", key, value), as_ok)


def _options(words: list[bytes]) -> tuple[str, bool, bytes | None]:
    """What follows the value of a SET: a condition or '', whether the old value is asked for, the value expected."""
    condition, old, expected = "", False, None
    rest = iter(words)
    for word in rest:
        option = word[:16].decode(errors="replace").upper()
        if option in _EXPIRY:
            raise Refusal(f"ERR {option} is not supported: keys do not expire here, for servers' clocks may differ")
        if option == "GET":
            old = True
        elif option in ("NX", "XX", "IFEQ") and not condition:
            condition = option
            expected = next(rest, None) if option == "IFEQ" else None
            if option == "IFEQ" and expected is None:
                raise Refusal("ERR syntax error")
        else:
            raise Refusal("ERR syntax error")
    return condition, old, expected


def _setnx(caller: Caller, words: list[bytes]) -> Ask:
    return Ask(Command("cas", words[1], words[2]), as_number)


def _cas(caller: Caller, words: list[bytes]) -> Ask:
    return Ask(Command("cas", words[1], words[3], words[2]), as_number)


def _valued(op: str, render: Render = encode) -> Handler:
    """NAME key value"""
    return lambda caller, words: Ask(Command(op, words[1], words[2]), render)


def _keyed(op: str, render: Render = encode) -> Handler:
    """NAME key"""
    return lambda caller, words: Ask(Command(op, words[1]), render)


def _several(op: str, render: Render = encode) -> Handler:
    """NAME key [key ...]"""
    return lambda caller, words: Ask(Command(op, more=tuple(words[1:])), render)


def _delete(caller: Caller, words: list[bytes]) -> Ask:
    if len(words) == 2:
        return Ask(Command("delete", words[1]), as_number)
    return Ask(Command("delete_all", more=tuple(words[1:])), as_number)


def _mset(caller: Caller, words: list[bytes]) -> Ask:
    if len(words) % 2 == 0:
        raise Refusal("ERR wrong number of arguments for 'mset' command")
    return Ask(Command("mset", more=tuple(words[1:])), as_ok)


def _dbsize(caller: Caller, words: list[bytes]) -> Ask:
    return Ask(Command("size"))


def _incr(caller: Caller, words: list[bytes]) -> Ask:
    return Ask(Command("incr", words[1]))


def _incrby(caller: Caller, words: list[bytes]) -> Ask:
    return Ask(Command("incr", words[1], b"%d" % integer(words[2])))


def _decr(caller: Caller, words: list[bytes]) -> Ask:
    return Ask(Command("incr", words[1], b"-1"))


def _decrby(caller: Caller, words: list[bytes]) -> Ask:
    amount = integer(words[2])
    if amount == INTEGER_MIN:
        raise Refusal("ERR decrement would overflow")
    return Ask(Command("incr", words[1], b"%d" % -amount))


# --- exactly once -----------------------------------------------------------------------------


def _session_new(caller: Caller, words: list[bytes]) -> Ask:
    return Ask(Command("register"))


def _once(caller: Caller, words: list[bytes]) -> Ask:
    session, sequence = integer(words[1], 1), integer(words[2], 1)
    asked = called(caller.server.table, caller, words[3:])
    if not isinstance(asked, Ask) or asked.command.op == "register" or asked.command.session:
        raise Refusal("ERR ONCE carries a command on keys, and no other: nothing was done")
    return Ask(replace(asked.command, session=session, sequence=sequence), asked.render)


ENTRIES = (
    Entry("get", 2, READ, ONE, _get, "Returns what a key holds, or null."),
    Entry("mget", -2, READ, ALL, _several("mget"), "Returns what several keys hold at one time."),
    Entry("exists", -2, READ, ALL, _several("exists", as_number), "Counts which of the keys exist, one named twice twice."),
    Entry("strlen", 2, READ, ONE, _keyed("strlen"), "Returns the length of a value in bytes."),
    Entry("dbsize", 1, READ, NONE, _dbsize, "Counts the keys."),
    Entry("set", -3, WRITE, ONE, _set, "Sets a key; NX, XX, IFEQ value: on condition; GET: returns the old value."),
    Entry("setnx", 3, WRITE, ONE, _setnx, "Sets a key that holds nothing."),
    Entry("getset", 3, WRITE, ONE, _valued("getset"), "Sets a key and returns what it held."),
    Entry("getdel", 2, WRITE, ONE, _keyed("getdel"), "Deletes a key and returns what it held."),
    Entry("cas", 4, WRITE, ONE, _cas, "CAS key expected new: sets a key that holds what was expected."),
    Entry("append", 3, WRITE, ONE, _valued("append_length"), "Appends to a value and returns its length."),
    Entry("mset", -3, WRITE, PAIRS, _mset, "Sets several keys at once."),
    Entry("del", -2, WRITE, ALL, _delete, "Deletes keys and counts those that existed."),
    Entry("unlink", -2, WRITE, ALL, _delete, "Deletes keys and counts those that existed."),
    Entry("incr", 2, WRITE, ONE, _incr, "Adds one to a number of 64 bits."),
    Entry("decr", 2, WRITE, ONE, _decr, "Subtracts one."),
    Entry("incrby", 3, WRITE, ONE, _incrby, "Adds to a number."),
    Entry("decrby", 3, WRITE, ONE, _decrby, "Subtracts from a number."),
    Entry("session", -2, WRITE, NONE, subcommands("session", {"new": (2, _session_new)}), "SESSION NEW: returns the number of a new session."),
    Entry("once", -4, WRITE, NONE, _once, "ONCE session sequence COMMAND...: carries a command out once, however often it is sent."),
)  # fmt: skip
