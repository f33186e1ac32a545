"""Which object a recorded history is of, told from the names of its methods.

Only what the names, and the kinds of the results, leave no doubt about is told.
"""

from __future__ import annotations

from scrutator.checker.linear.history import NO_KEY, UNKNOWN, History, Value

# What takes nothing and returns a value, whatever the recording repeats at the call.
READERS = frozenset({
    "read", "r", "get", "dequeue", "deq", "pop", "remove-first", "peek", "poll", "drain", "read-balance",
    "pop_front", "pop_back", "peek_front", "peek_back",
})  # fmt: skip

# What takes a value and returns nothing, whatever the recording repeats at the return.
WRITERS = frozenset({
    "write", "w", "put", "append", "add", "enqueue", "enq", "push", "insert", "acquire", "release", "lock", "unlock",
    "transfer", "push_front", "push_back",
})  # fmt: skip

_BY_METHODS: tuple[tuple[str, frozenset[str], frozenset[str]], ...] = (
    # object, methods that it has, and of these one that it alone has
    ("cas-register", frozenset({"read", "write", "cas"}), frozenset({"cas"})),
    ("kv", frozenset({"get", "put", "append"}), frozenset({"get", "put", "append"})),
    (
        "queue",
        frozenset({"enqueue", "dequeue", "enq", "deq"}),
        frozenset({"enqueue", "dequeue", "enq", "deq"}),
    ),
    ("stack", frozenset({"push", "pop", "peek"}), frozenset({"push", "pop"})),
    (
        "mutex",
        frozenset({"acquire", "release", "lock", "unlock"}),
        frozenset({"acquire", "release", "lock", "unlock"}),
    ),
    ("bank", frozenset({"transfer", "read"}), frozenset({"transfer"})),
    ("account", frozenset({"credit", "debit", "read-balance"}), frozenset({"credit", "debit"})),
    ("register", frozenset({"read", "write"}), frozenset({"write"})),
)
_APPEND = frozenset({"append", "r"})
_READ_WRITE = frozenset({"read", "write", "r", "w"})


def object_of(history: History) -> str | None:
    """The name of the object, or None if the history does not tell."""
    methods = frozenset(history.methods)
    if methods == {"txn"}:
        return _transactional(history)
    if "read" in methods and methods <= {"read", "add"}:
        return _of_reads(history, methods)
    for name, has, own in _BY_METHODS:
        if methods <= has and methods & own:
            return name
    return None


def _transactional(history: History) -> str | None:
    names: set[object] = set()
    for number in set(history.argument.tolist()):
        for step in _tuple(history.values[number]):
            names.update(_tuple(step)[:1])
    if names <= _APPEND and "append" in names:
        return "list-append"
    return "multi-register" if names <= _READ_WRITE and names != {"r"} else None


def _of_reads(history: History, methods: frozenset[str]) -> str | None:
    """A set or counter by what is read: elements or a number; a bank's read is a map of balances."""
    of_read = history.method == history.methods.index("read")
    numbers = set(history.result[of_read].tolist()) - {UNKNOWN}
    found = [history.values[number] for number in numbers if history.values[number] is not None]
    if not found or history.key.max(initial=NO_KEY) != NO_KEY:
        return None
    if all(type(value) is int for value in found):
        return "counter" if "add" in methods else "register"
    if all(isinstance(value, tuple) for value in found):
        if "add" in methods:
            return "set"
        balances = all(_is_balances(value) for value in found)
        return "bank" if balances else None
    return None


def _is_balances(value: Value) -> bool:
    pairs = _tuple(value)
    return bool(pairs) and all(len(_tuple(pair)) == 2 and isinstance(_tuple(pair)[1], int) for pair in pairs)


def _tuple(value: object) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else ()
