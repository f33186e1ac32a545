"""The steps of a model's trace, with the values that its printed form has lost: who takes part, what changes, what is sent.

Who takes part is read off the model: whatever indexes an array of the state has a state of its own; whatever is the
first parameter of an action acts; and whoever a variable of the state names may be told something.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from scrutator.checker.explore.layout import decode, encode
from scrutator.checker.explore.result import Step, Trace
from scrutator.model.language.interpret import Interpreter, Successor, copy
from scrutator.model.language.show import arguments
from scrutator.model.language.spec import Action, Each, Model
from scrutator.model.language.types import (
    ArrayType,
    BoolType,
    IndexType,
    LinksType,
    MaybeType,
    NatType,
    NetworkType,
    SetType,
    Type,
)
from scrutator.model.language.values import RecordPlace, RecordValue, plain
from scrutator.model.quorums.table import observed

Kind = tuple[str, int, int]
Who = tuple[Kind, int]  # of which kind, and which of them
Quorum = tuple[str, tuple[str, ...]]


def kind_of(declared: Type) -> Kind | None:
    """What tells a kind of participants from others; None for a type that cannot be one."""
    if isinstance(declared, IndexType):
        return (declared.name, 0, declared.count - 1)
    if isinstance(declared, NatType):
        return ("", declared.low, declared.high)
    return None


@dataclass(frozen=True, slots=True)
class Message:
    """A message: its fields that name somebody, and how it reads in short."""

    value: RecordValue
    names: tuple[Who, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Did:
    """A step.

    ``who`` are its parameters that take part, in order; ``touched`` those whose own variables it changes, ``named``
    those whom it enters into a variable of nobody's, ``told`` into one that only records, with its name; ``common`` says
    that a variable of nobody's changes; ``began`` and ``ended`` are truths of nobody's that it turns true and false;
    ``fell`` and ``rose`` are those whom a fault takes something from, and who has it back; ``in_charge`` is whom a
    variable of nobody's puts in charge.
    """

    step: Step
    sentence: str
    who: tuple[Who, ...]
    touched: tuple[Who, ...]
    named: tuple[Who, ...]
    told: tuple[tuple[Who, str], ...]
    common: bool
    in_charge: Who | None
    heard: tuple[Message, ...]
    sent: tuple[Message, ...]
    decided: tuple[Quorum, ...]
    began: tuple[str, ...]
    ended: tuple[str, ...]
    fell: tuple[Who, ...]
    rose: tuple[Who, ...]


class Reader:
    """Reads the steps of a trace of this model."""

    def __init__(self, model: Model, trace: Trace) -> None:
        self.model, self.trace = model, trace
        self._interpreter = Interpreter(model)
        self.states: list[RecordPlace] = [decode(model.state, bytes.fromhex(step.encoded)) for step in trace.steps]
        self.with_state = tuple(dict.fromkeys(k for _, d in self._arrays() if (k := kind_of(d.index)) is not None))
        first = [kind_of(domain) for action in model.actions for _, domain in action.parameters[:1] if isinstance(domain, Type)]
        named = [kind_of(d) for t in model.state.fields.values() if isinstance(d := _element(t), IndexType)]
        self.kinds = tuple(dict.fromkeys([*self.with_state, *(k for k in [*first, *named] if k is not None)]))

    def _arrays(self) -> Iterator[tuple[str, ArrayType]]:
        for name, declared in self.model.state.fields.items():
            if isinstance(declared, ArrayType) and not declared.ghost:
                yield name, declared

    def steps(self) -> list[Did]:
        """The steps in order, without the initial state."""
        return [self._step(k) for k in range(1, len(self.trace.steps))]

    def initial_messages(self) -> tuple[Message, ...]:
        return self._messages(self.states[0], None)

    def _step(self, k: int) -> Did:
        before, after, step = self.states[k - 1], self.states[k], self.trace.steps[k]
        chosen = next(s for s in self._interpreter.successors(before) if self._is(s, step))
        action = self.model.actions[chosen.action]
        domains = [domain for _, domain in action.parameters]
        who = tuple((kind, v) for d, v in zip(domains, chosen.arguments, strict=True) if isinstance(d, Type) and (kind := kind_of(d)) in self.kinds)
        heard = tuple(self._message(v) for d, v in zip(domains, chosen.arguments, strict=True) if isinstance(d, Each) and isinstance(v, RecordValue))
        with observed() as quorums:
            self._interpreter.execute(action, copy(before), chosen.arguments)
        turned = [(n, getattr(after, n)) for n, t in self.model.state.fields.items() if isinstance(t, BoolType) and getattr(before, n) != getattr(after, n)]
        fell, rose = self._falls(before, after) if step.fault else ((), ())
        return Did(
            step, sentence(action, step), who, tuple(self._touched(before, after)),
            tuple(w for w, _ in self._told(before, after, ghosts=False)), tuple(self._told(before, after, ghosts=True)),
            self._is_common(before, after), self._in_charge(before, after), heard,
            self._messages(after, before), tuple(quorums), tuple(n for n, v in turned if v), tuple(n for n, v in turned if not v), fell, rose,
        )  # fmt: skip

    def _is(self, successor: Successor, step: Step) -> bool:
        action = self.model.actions[successor.action]
        return action.name == step.action and encode(successor.state).hex() == step.encoded and arguments(action, successor.arguments) == step.parameters

    def _touched(self, before: RecordPlace, after: RecordPlace) -> Iterator[Who]:
        for name, declared in self._arrays():
            kind = kind_of(declared.index)
            for k, (x, y) in enumerate(zip(plain(getattr(before, name)), plain(getattr(after, name)), strict=True)):
                if x != y and kind is not None:
                    yield kind, declared.index.unpack(k)

    def _told(self, before: RecordPlace, after: RecordPlace, *, ghosts: bool) -> Iterator[tuple[Who, str]]:
        for name, declared in self.model.state.fields.items():
            element, old, new = _element(declared), plain(getattr(before, name)), plain(getattr(after, name))
            if isinstance(element, IndexType) and old != new and declared.ghost is ghosts and (kind := kind_of(element)) is not None:
                entered = [v for v in new if v not in old] if isinstance(declared, SetType) else [new]
                yield from (((kind, v), name) for v in entered if v is not None)

    def _is_common(self, before: RecordPlace, after: RecordPlace) -> bool:
        """Whether a variable changes that is nobody's and no network."""
        common = [n for n, t in self.model.state.fields.items() if not isinstance(t, (ArrayType, NetworkType)) and not t.ghost]
        return any(plain(getattr(before, name)) != plain(getattr(after, name)) for name in common)

    def _in_charge(self, before: RecordPlace, after: RecordPlace) -> Who | None:
        """Whom the one variable names that always names somebody with a state, unless that changes."""
        names = [n for n, t in self.model.state.fields.items() if isinstance(t, IndexType) and not t.ghost and kind_of(t) in self.with_state]
        if len(names) != 1 or getattr(before, names[0]) != getattr(after, names[0]):
            return None
        kind = kind_of(self.model.state.fields[names[0]])
        return None if kind is None else (kind, getattr(before, names[0]))

    def _falls(self, before: RecordPlace, after: RecordPlace) -> tuple[tuple[Who, ...], tuple[Who, ...]]:
        """Whom a fault takes a truth from, or puts into a set; and who gets it back."""
        fell: list[Who] = []
        rose: list[Who] = []
        for name, declared in self._arrays():
            kind = kind_of(declared.index)
            for k, (x, y) in enumerate(zip(plain(getattr(before, name)), plain(getattr(after, name)), strict=True)):
                if isinstance(declared.element, BoolType) and x != y and kind is not None:
                    (fell if x else rose).append((kind, declared.index.unpack(k)))
        for name, members in self.model.state.fields.items():
            if isinstance(members, SetType) and not members.ghost and (kind := kind_of(members.element)) in self.kinds and kind is not None:
                old, new = plain(getattr(before, name)), plain(getattr(after, name))
                fell += [(kind, v) for v in new if v not in old]
                rose += [(kind, v) for v in old if v not in new]
        return tuple(fell), tuple(rose)

    def _messages(self, state: RecordPlace, before: RecordPlace | None) -> tuple[Message, ...]:
        """What is in the networks of a state and was not before."""
        found = []
        for name, declared in self.model.state.fields.items():
            if isinstance(declared, NetworkType):
                old = [] if before is None else list(plain(getattr(before, name)))
                found += [self._message(m) for m in plain(getattr(state, name)) if m not in old]
        return tuple(found)

    def _message(self, value: RecordValue) -> Message:
        fields = value._type.fields.items()
        names = tuple((kind, getattr(value, n)) for n, t in fields if (kind := kind_of(t)) in self.kinds and kind is not None)
        return Message(value, names, in_short(value._type, value))

    # --- what is known in the end -----------------------------------------------------------

    def known(self, who: Who | None) -> tuple[str, ...]:
        """What somebody's own variables hold in the end, or nobody's for None, if the trace changes them for anybody."""
        lines = []
        for name, declared in self.model.state.fields.items():
            values = [plain(getattr(state, name)) for state in (self.states[0], *self.states)]
            if declared.ghost or isinstance(declared, NetworkType) or all(v == values[0] for v in values):
                continue
            if isinstance(declared, ArrayType):
                if who is not None and kind_of(declared.index) == who[0] and not isinstance(declared.element, BoolType):
                    lines.append(f"{words(name)}: {in_short(declared.element, values[-1][declared.index.pack(who[1])])}")
            elif who is None and not isinstance(declared, (NatType, LinksType)):
                lines.append(f"{words(name)}: {in_short(declared, values[-1])}")
        return tuple(lines)

    def quorums_of(self, property_name: str) -> tuple[Quorum, ...]:
        """What the property finds to be quorums in the last state."""
        function = next((p.function for p in self.model.properties if p.name == property_name), None)
        if function is None or function.__code__.co_argcount != 1:
            return ()
        with observed() as quorums:
            self._interpreter.holds(function, self.states[-1])
        return tuple(quorums)


def _element(declared: Type) -> Type:
    """The type of what a variable names: of a set its elements', of a Maybe the value's."""
    if isinstance(declared, NetworkType):
        return declared
    return declared.element if isinstance(declared, (SetType, MaybeType)) else declared


def in_short(declared: Type, value: Any) -> str:
    """A value without the names of its fields.

    >>> in_short(BoolType(), True)
    'True'
    """
    if isinstance(value, RecordValue):
        return f"{value._type.name}({_fields(value)})"
    if isinstance(declared, SetType):
        return "{" + ", ".join(declared.element.show(v) for v in declared.sorted(value)) + "}"
    return str(declared.show(value))


def _fields(value: RecordValue) -> str:
    shown: Iterable[str] = (
        _fields(v) if isinstance(v := getattr(value, name), RecordValue) else in_short(declared, v) for name, declared in value._type.fields.items()
    )
    return ", ".join(shown)


def words(name: str) -> str:
    """``told_yours`` as ``told yours``."""
    return name.replace("_", " ")


def sentence(action: Action, step: Step) -> str:
    """What a step does: the first paragraph of the action's docstring, with the parameters' values for their names.

    A parameter called ``a`` is only meant where its type's name stands before it.
    """
    text = " ".join(action.doc.strip().split("\n\n")[0].split())
    if not text:
        return step.label
    for (name, domain), (_, value) in zip(action.parameters, step.parameters, strict=True):
        if isinstance(domain, Type):
            before = rf"(?i:(?<=\b{re.escape(domain.name)} ))" if name == "a" and isinstance(domain, IndexType) else r"\b"
            text = re.sub(rf"{before}{re.escape(name)}\b(?!')", value, text)
    return text
