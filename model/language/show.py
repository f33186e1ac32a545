"""States and steps in words: what a variable holds, and what a step changed."""

from __future__ import annotations

from typing import Any

from scrutator.model.language.spec import Action, Each
from scrutator.model.language.types import ArrayType, LinksType, RecordType, SeqType, SetType, Type
from scrutator.model.language.values import plain


def shown(declared: Type, value: Any) -> str:
    """A variable's content, as a person would write it."""
    match declared:
        case ArrayType():
            keys = [declared.index.show(declared.index.unpack(k)) for k in range(declared.index.size)]
            return "[" + ", ".join(f"{k}: {shown(declared.element, v)}" for k, v in zip(keys, plain(value), strict=True)) + "]"
        case LinksType():
            return "{" + ", ".join(_queues(declared, value)) + "}"
        case SetType():
            counts = plain(value)
            return "{" + ", ".join(shown(declared.element, v) for v in declared.sorted(counts)) + "}"
        case SeqType():
            return "[" + ", ".join(shown(declared.element, v) for v in plain(value)) + "]"
        case RecordType() if not declared.is_value:
            return "(" + ", ".join(f"{n}={shown(t, getattr(value, n))}" for n, t in declared.fields.items()) + ")"
    return declared.show(plain(value))


def changes(declared: Type, before: Any, after: Any, name: str = "") -> list[str]:
    """One line for each variable that differs, down to array elements and set members."""
    if plain(before) == plain(after):
        return []
    match declared:
        case RecordType() if not name or not declared.is_value:
            prefix = f"{name}." if name else ""
            return [line for n, t in declared.fields.items() for line in changes(t, getattr(before, n), getattr(after, n), prefix + n)]
        case ArrayType():
            return [
                line
                for k, (x, y) in enumerate(zip(plain(before), plain(after), strict=True))
                for line in changes(declared.element, x, y, f"{name}[{declared.index.show(declared.index.unpack(k))}]")
            ]
        case LinksType():
            row = declared.queues.element
            assert isinstance(row, ArrayType)
            show = declared.index.show
            lines = []
            for i, (b, a) in enumerate(zip(plain(before), plain(after), strict=True)):
                for j, (x, y) in enumerate(zip(b, a, strict=True)):
                    lines += changes(row.element, x, y, f"{name}[{show(i)} to {show(j)}]")
            return lines
        case SetType():
            old, new = list(plain(before)), list(plain(after))
            lines = [f"{name} - {declared.element.show(v)}" for v in declared.sorted(_without(old, new))]
            return lines + [f"{name} + {declared.element.show(v)}" for v in declared.sorted(_without(new, old))]
    return [f"{name}: {shown(declared, before)} -> {shown(declared, after)}"]


def bound_as_text(value: object) -> str:
    """A bound's value as ``--set`` takes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def arguments(action: Action, values: tuple[Any, ...]) -> tuple[tuple[str, str], ...]:
    """An action's parameters by name, each as a person would write it."""
    shown_arguments = []
    for (name, domain), value in zip(action.parameters, values, strict=True):
        text = repr(value) if isinstance(domain, Each) and hasattr(value, "_type") else str(value) if isinstance(domain, Each) else domain.show(value)
        shown_arguments.append((name, text))
    return tuple(shown_arguments)


def _without(items: list[Any], others: list[Any]) -> list[Any]:
    rest, missing = list(others), []
    for item in items:
        if item in rest:
            rest.remove(item)
        else:
            missing.append(item)
    return missing


def _queues(declared: LinksType, value: Any) -> list[str]:
    show = declared.index.show
    return [
        f"{show(i)} to {show(j)}: [{', '.join(declared.element.show(m) for m in queue)}]"
        for i, row in enumerate(plain(value))
        for j, queue in enumerate(row)
        if queue
    ]
