"""A design of the ladder as it runs: its actors, what may fail, and what the model's properties look like from outside.

The law: a property of the model is either judged by the linearizability checker on what clients saw, or read off
the run; what only the model can see is named, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from scrutator.impl.ladder.faults import Faults
from scrutator.impl.ladder.happening import Event, Operation
from scrutator.impl.ladder.stage import Stage
from scrutator.impl.ladder.variant import Variant


class Judged(Enum):
    """What is not read off a run."""

    LINEARIZABLE = "the linearizability checker judges what clients saw"


@dataclass(frozen=True, slots=True)
class Run:
    """What came of one seed, or of one tape.

    ``asked_last`` has the clients that were left when all had healed, and whether each was answered then; empty in a run that ended
    before that.
    """

    variant: Variant
    object_name: str  # whose history it is
    tape: tuple[int, ...]
    sizes: tuple[int, ...]  # of how many each choice of the tape was one
    operations: tuple[Operation, ...]  # in order of call
    events: tuple[Event, ...]
    asked_last: Mapping[str, bool]

    @property
    def crashed(self) -> frozenset[str]:
        """Who has ever crashed."""
        return frozenset(event.actor for event in self.events if event.kind == "crash")

    def notes(self, kind: str) -> tuple[tuple[str, tuple[object, ...]], ...]:
        """What actors noted of one kind, in order: who, and the details."""
        return tuple(
            (e.actor, e.what[1:]) for e in self.events if e.kind == "note" and isinstance(e.what, tuple) and e.what[0] == kind
        )

    def history(self) -> str:
        """What clients saw, in our JSON lines."""
        from scrutator.impl.history import History

        lines: list[bytes] = []
        history = History(self.object_name, {}, lines.append)
        for o in self.operations:
            history.add(o.process, o.method, None, o.argument, o.result, o.called_us * 1000, None if o.returned_us is None else o.returned_us * 1000)
        return b"\n".join([*lines, b""]).decode()


Property: TypeAlias = Judged | Callable[[Run], bool]


@dataclass(frozen=True, slots=True)
class Design:
    """A rung as it runs.

    ``cast`` puts the actors on the stage, for any variant; ``properties`` has the model's properties by name,
    ``without`` those that no run can show, and why.  ``object_name`` is what clients use, as `scrutator lin` names it.
    """

    rung: str
    cast: Callable[[Stage], None]
    faults: Callable[[Variant], Faults]
    properties: Mapping[str, Property]
    object_name: str = "phone"
    without: Mapping[str, str] = field(default_factory=dict)
