"""Queues, stacks, priority queues and deques: values are added and removed, and None says that there are none.

Recorders mix their names: any pair of names for adding and removing is known to both
queue and stack.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable

from scrutator.model.objects.sequential import Object, Value, number, removed, something

Items = tuple[Value, ...]
Numbers = tuple[float, ...]

QUEUE = Object("queue", (), doc="First in, first out.", aliases=("fifo", "fifo-queue"))
STACK = Object("stack", (), doc="Last in, first out.", aliases=("lifo",))
DEQUE = Object("deque", (), doc="A queue with two ends.")

# --- what they share ---------------------------------------------------------------------


def add_first(state: Items, value: Value) -> tuple[Value, Items]:
    """Add a value at the front."""
    return None, (value, *state)


def add_last(state: Items, value: Value) -> tuple[Value, Items]:
    """Add a value at the back."""
    return None, (*state, value)


def remove_first(state: Items, _: Value) -> tuple[Value, Items]:
    """Remove the value at the front."""
    return (state[0], state[1:]) if state else (None, state)


def remove_last(state: Items, _: Value) -> tuple[Value, Items]:
    """Remove the value at the back."""
    return (state[-1], state[:-1]) if state else (None, state)


def first(state: Items, _: Value) -> tuple[Value, Items]:
    """Return the value at the front."""
    return (state[0] if state else None), state


def last(state: Items, _: Value) -> tuple[Value, Items]:
    """Return the value at the back."""
    return (state[-1] if state else None), state


def length(state: Items, _: Value) -> tuple[Value, Items]:
    """Return how many values there are."""
    return len(state), state


def drain(state: Items, _: Value) -> tuple[Value, Items]:
    """Remove and return all values, from the front."""
    return state, ()


# --- queue, stack and deque --------------------------------------------------------------

QUEUE.method("enq", "add", "offer", "push", "put", name="enqueue", takes=something)(add_last)
QUEUE.method(
    "deq", "remove", "rem", "remove-first", "poll", "pop", "get", name="dequeue", result_text=removed
)(remove_first)  # fmt: skip
QUEUE.method("front", name="peek", reads_only=True, result_text=removed)(first)
QUEUE.method("size", reads_only=True)(length)
QUEUE.method()(drain)

STACK.method("enq", "enqueue", "add", "put", name="push", takes=something)(add_last)
STACK.method("deq", "dequeue", "remove", "rem", "get", name="pop", result_text=removed)(remove_last)
STACK.method("top", name="peek", reads_only=True, result_text=removed)(last)
STACK.method("size", reads_only=True)(length)

DEQUE.method("add_first", name="push_front", takes=something)(add_first)
DEQUE.method("add_last", name="push_back", takes=something)(add_last)
DEQUE.method("remove_first", name="pop_front", result_text=removed)(remove_first)
DEQUE.method("remove_last", name="pop_back", result_text=removed)(remove_last)
DEQUE.method(name="peek_front", reads_only=True, result_text=removed)(first)
DEQUE.method(name="peek_back", reads_only=True, result_text=removed)(last)
DEQUE.method("size", reads_only=True)(length)

# --- priority queues --------------------------------------------------------------------


def _priority_queue(name: str, first: Callable[[Numbers], int], doc: str, *aliases: str) -> Object:
    """Numbers in order, of which the one at ``first`` goes first."""
    queue = Object(name, (), doc=doc, aliases=aliases)

    @queue.method("add", "enqueue", "enq", "offer", "push", "put", takes=number)
    def insert(state: Numbers, value: float) -> tuple[Value, Numbers]:
        """Add a number."""
        values = list(state)
        insort(values, value)
        return None, tuple(values)

    @queue.method("remove", "dequeue", "deq", "pop", "get", "extract", result_text=removed)
    def poll(state: Numbers, _: Value) -> tuple[Value, Numbers]:
        """Remove the number that goes first."""
        if not state:
            return None, state
        at = first(state)
        return state[at], state[:at] + state[at + 1 :]

    @queue.method(reads_only=True, result_text=removed)
    def peek(state: Numbers, _: Value) -> tuple[Value, Numbers]:
        """Return the number that goes first."""
        return (state[first(state)] if state else None), state

    queue.method("size", reads_only=True)(length)
    return queue


# The largest first, as in PolyLin's histories.
PRIORITY_QUEUE = _priority_queue(
    "priority-queue", lambda state: len(state) - 1, "Numbers, the largest first.", "pqueue", "max-priority-queue"
)
MIN_PRIORITY_QUEUE = _priority_queue(
    "min-priority-queue", lambda state: 0, "Numbers, the smallest first.", "min-pqueue"
)
