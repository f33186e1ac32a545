"""What was found of a history: verdicts, what they rest on, and their explanation."""

from __future__ import annotations

from dataclasses import dataclass

from scrutator.checker.linear.history import Operation, Value
from scrutator.checker.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why operations have no linearization.

    ``culprit`` is the operation by whose return there is none any more: ``prefix`` of the
    part's operations had been called by then, and what was known of them is the shortest
    illegal prefix (``shortest``; otherwise no shorter one was proved).

    ``conflict`` is a set of operations, in order of call, that has no linearization,
    whatever the others did and whenever; if any one of them might have happened at any
    time or never, the rest would have one (``minimal``; otherwise that was not proved).
    Where it is empty, ``unfound`` says why.  ``reasons`` say until when the culprit could have
    returned what it did, and of each place of the one to blame what forbids it.
    """

    culprit: Operation
    conflict: tuple[Operation, ...]
    reasons: tuple[str, ...]
    prefix: int
    shortest: bool = True
    minimal: bool = True
    unfound: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """What was found of one key, or of one part of the object.

    ``culprit`` is the first operation whose return no linearization of the operations so
    far allows.  ``engine`` decided, and ``why`` says why that one was asked.  ``witness``
    holds positions in the history: an order in which the operations may have taken effect.
    """

    key: Value
    operations: int
    verdict: Verdict
    engine: str
    why: str
    culprit: Operation | None = None
    limit: str | None = None
    explanation: Explanation | None = None
    witness: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Linearizability:
    """The verdict on a history, and what it rests on.

    ``configurations`` were looked at in all by searches, ``widest`` were kept at most
    after one return.  A violation of one part is one of the whole; HOLDS takes every part.
    """

    source: str
    object: str
    operations: int
    pending: int
    parts: tuple[Part, ...]
    configurations: int
    widest: int
    seconds: float

    @property
    def verdict(self) -> Verdict:
        verdicts = {part.verdict for part in self.parts}
        return next((v for v in (Verdict.VIOLATED, Verdict.UNKNOWN) if v in verdicts), Verdict.HOLDS)

    @property
    def violated(self) -> tuple[Part, ...]:
        """The parts that are violated, the one whose culprit returned first in front."""
        found = [part for part in self.parts if part.culprit is not None]
        return tuple(sorted(found, key=lambda part: part.culprit.returned if part.culprit else 0))

    @property
    def engines(self) -> tuple[str, ...]:
        """Which engines decided, in order of names."""
        return tuple(sorted({part.engine for part in self.parts}))

    @property
    def scope(self) -> str:
        """Of what the verdict speaks, in words."""
        count = len(self.parts)
        text = f"{self.operations:,} operations, {self.pending:,} of them pending, in {count:,} part{'s' if count != 1 else ''}"
        limits = sorted({part.limit for part in self.parts if part.limit})
        return text + (f"; cut by {' and '.join(limits)}" if limits else "")
