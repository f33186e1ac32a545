"""What a history of a set says of one element: when it was there and when it was not.

Reads return all elements, which makes a set hard to search; of one element they say
whether it was there.  The law: if what is said of one element has no linearization, then
the history has none; the converse does not hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from scrutator.checker.linear.history import NEVER, History, Int32s, Int64s, Value
from scrutator.model.objects.sequential import Effect, Object, exactly, plainly
from scrutator.model.objects.sets import GROW_ONLY_SET, NONE, SET


@dataclass(frozen=True, slots=True)
class Sight:
    """What a read of all elements says of one."""

    element: Value
    there: bool

    def __repr__(self) -> str:
        return f"a set {'with' if self.there else 'without'} {self.element!r}"


def elements_of(part: History, object_: Object, culprit: int) -> Iterator[Value]:
    """The elements about which an operation may be wrong: first those that were never added, then those that it lacks.

    None where the object is no set that starts empty.
    """
    if object_.methods not in (SET.methods, GROW_ONLY_SET.methods) or object_.initial != NONE:
        return
    read = part[culprit]
    if not _is_read(object_, read.method):
        yield read.argument
        return
    seen = set(map(exactly, read.result)) if isinstance(read.result, tuple) else set()
    if not isinstance(read.result, tuple) or len(seen) < len(read.result):  # no set has that, whatever happened
        return
    added = np.array([(m := object_.find(name)) is not None and m.name == "add" for name in part.methods], np.bool_)[part.method]
    before = np.flatnonzero(added & (part.returned < read.called))
    early = {exactly(part.values[k]): None for k in part.argument[before[np.argsort(part.returned[before])]].tolist()}
    ever = {exactly(part.values[k]): None for k in part.argument[added].tolist()}
    missing = [element for element in early if element not in seen]
    never = sorted((element for element in seen if element not in ever), key=repr)
    for element in dict.fromkeys((*never, *missing, *ever)):
        yield plainly(element)


def about(part: History, object_: Object, element: Value) -> tuple[History, Object, Int64s]:
    """What a part says of an element: the history, the object of which it is one, and the operations' positions in the part."""
    reads = np.array([_is_read(object_, name) for name in part.methods], np.bool_)[part.method]
    values = len(part.values)
    own = exactly(element)
    same = np.zeros(values, np.bool_)
    for k in np.unique(part.argument[~reads]).tolist():
        same[k] = exactly(part.values[k]) == own
    lists = np.array([isinstance(value, tuple) for value in part.values], np.bool_)
    which = np.flatnonzero((reads & (part.returned != NEVER) & lists[part.result]) | (~reads & same[part.argument]))
    taken, reads = part.take(which), reads[which]
    has = {k: values + _has(part.values[k], own) for k in np.unique(taken.result[reads]).tolist()}
    result: Int32s = np.where(reads, [has.get(k, 0) for k in taken.result.tolist()], taken.result).astype(np.int32)
    argument = np.where(reads, values + 2, taken.argument).astype(np.int32)
    sights = (Sight(element, False), Sight(element, True))
    history = replace(taken, values=(*part.values, *sights, element), argument=argument, result=result).compact()
    return history, _element(element), which


def _has(result: Value, element: Value) -> bool:
    return isinstance(result, tuple) and any(exactly(value) == element for value in result)


def _is_read(object_: Object, name: str) -> bool:
    method = object_.find(name)
    return method is not None and method.name == "read"


def _element(element: Value) -> Object:
    """A set of which reads say no more than whether it has an element."""

    def read(state: Value, _: Value) -> tuple[Value, Value]:
        assert isinstance(state, frozenset)
        return Sight(element, exactly(element) in state), state

    def seen(_: Value, sight: Value) -> Effect | None:
        assert sight is None or isinstance(sight, Sight)
        return Effect() if sight is None else Effect(needs=frozenset({exactly(element)}) if sight.there else NONE)

    method = replace(
        SET.methods["read"], step=read, agrees=_alike, effect=seen, argument_text=lambda _: "",
        result_text=lambda sight: f" -> {sight!r}",
    )  # fmt: skip
    return replace(SET, _methods={**SET.methods, "read": method})


def _alike(sight: Value, recorded: Value) -> bool:
    return sight == recorded
