"""Several keys at once: transactions of reads and writes, or of reads and appends.

A transaction is a tuple of steps (what, key, value), where the value of a read is None
when called; it returns its steps with what they read.  A step sees those before it.
"""

from __future__ import annotations

from scrutator.model.objects.sequential import Object, Value, returned, same

Micro = tuple[str, Value, Value]
Steps = tuple[Micro, ...]
Contents = frozenset[tuple[Value, Value]]  # key and value

READS = ("r", "read")


def multi_register(initial: Value = 0) -> Object:
    """Registers that start with so a value."""
    registers = Object(
        "multi-register", frozenset(), "Registers, read and written together.", _part, ("rw-register",), multi_register
    )

    def writes(argument: Value) -> bool:
        """steps ("read", key, None) and ("write", key, value)"""
        return _are_steps(argument, (*READS, "w", "write"))

    @registers.method("transact", takes=writes, argument_text=_steps_text, result_text=_reads_text)
    def txn(state: Contents, steps: Steps) -> tuple[Value, Contents]:
        """Read and write registers."""
        found, done = dict(state), []
        for what, key, value in steps:
            if what in READS:
                value = found.get(key, initial)
            found[key] = value
            done.append((what, key, value))
        return tuple(done), frozenset((key, value) for key, value in found.items() if not same(value, initial))

    return registers


def appends(argument: Value) -> bool:
    """steps ("r", key, None) and ("append", key, value)"""
    return _are_steps(argument, (*READS, "append"))


def _empty_or_nothing(result: Value, recorded: Value) -> bool:
    """A list without elements is recorded as empty, or as None."""
    return same(result, _with_nothing(recorded))


def _with_nothing(recorded: Value) -> Value:
    if not _are_steps(recorded, (*READS, "append")):
        return recorded
    assert isinstance(recorded, tuple)
    return tuple((what, key, None if what in READS and value == () else value) for what, key, value in recorded)


def _are_steps(argument: Value, known: tuple[str, ...]) -> bool:
    return isinstance(argument, tuple) and all(
        isinstance(step, tuple) and len(step) == 3 and step[0] in known for step in argument
    )


def _part(_: str, steps: Value) -> Value:
    """The key, in a tuple, if there is but one."""
    assert isinstance(steps, tuple)
    keys = tuple({key for _, key, _ in steps})
    return keys if len(keys) == 1 else None


def _steps_text(steps: Value) -> str:
    assert isinstance(steps, tuple)
    return ", ".join(f"{what} {key}" + ("" if what in READS else f" {value!r}") for what, key, value in steps)


def _reads_text(steps: Value) -> str:
    if not isinstance(steps, tuple) or not _are_steps(steps, (*READS, "w", "write", "append")):
        return returned(steps)
    read = [repr(value) for what, _, value in steps if what in READS]
    return " -> " + ", ".join(read) if read else ""


LIST_APPEND = Object("list-append", frozenset(), "Lists, read and appended to together.", _part, ("append",))


@LIST_APPEND.method(
    "transact", takes=appends, agrees=_empty_or_nothing, argument_text=_steps_text, result_text=_reads_text
)
def txn(state: Contents, steps: Steps) -> tuple[Value, Contents]:
    """Read lists and append to lists."""
    found, done = dict(state), []
    for what, key, value in steps:
        if what in READS:
            value = found.get(key)
        else:
            before = found.get(key, ())
            assert isinstance(before, tuple)
            found[key] = (*before, value)
        done.append((what, key, value))
    return tuple(done), frozenset(found.items())


MULTI_REGISTER = multi_register()
