"""What the page says in words: the verdict, what it rests on, and reasons with the operations they name.

It decides nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scrutator.checker.linear.history import NO_KEY, History
from scrutator.checker.linear.result import Linearizability
from scrutator.checker.report.clean import clean
from scrutator.checker.report.layout import duration, listed, plural
from scrutator.checker.verdict import Verdict
from scrutator.model.objects.sequential import Object

SYMBOLS = {Verdict.HOLDS: "✔", Verdict.VIOLATED: "✖", Verdict.UNKNOWN: "?"}

Named = tuple[str, str, int, int]  # an operation's text, its process as a word, its line, its position
Phrase = str | tuple[str, int]  # plain words, or those that name the operation at a position


@dataclass(frozen=True, slots=True)
class Band:
    """A fault while the history was recorded: its kind in a word, what it was, which nodes it hit, and when.

    Times are those of the history's clock, in nanoseconds; ``end`` is None where none was recorded.
    """

    kind: str
    what: str
    nodes: tuple[str, ...]
    begin: int
    end: int | None


def under(bands: Sequence[Band]) -> str:
    """How many faults there were of which kind, as a sentence after others; nothing where there were none.

    >>> under([Band("kill", "kill", ("a",), 0, 1), Band("kill", "kill", ("b",), 2, None)])
    ' Recorded under 2 faults: 2 kill.'
    """
    kinds = Counter(clean(band.kind) for band in bands)
    said = ", ".join(f"{count:,} {kind}" for kind, count in kinds.items())
    return f" Recorded under {plural(len(bands), 'fault')}: {said}." if bands else ""


def headline(verdict: Verdict) -> str:
    """The verdict in two words."""
    return {
        Verdict.HOLDS: "Linearizable",
        Verdict.VIOLATED: "Not linearizable",
        Verdict.UNKNOWN: "Not decided",
    }[verdict]


def name_of(source: str) -> str:
    """The name of the file without its folders."""
    return clean(Path(source).name or source)


def subject(found: Linearizability) -> str:
    """What the verdict is on: ``run.jsonl as a history of register``."""
    return f"{clean(found.source)} as a history of {clean(found.object)}"


def noun_for_parts(history: History, object_: Object) -> str:
    """What one part is called: a key where the history has keys and nothing finer."""
    return "key" if object_.part is None and bool((history.key != NO_KEY).any()) else "part"


def basis(history: History, object_: Object, found: Linearizability) -> str:
    """What the verdict speaks of, and who decided it, in sentences."""
    noun = noun_for_parts(history, object_)
    operations = f"{plural(found.operations, 'operation')}, {found.pending:,} of them pending"
    processes = len(np.unique(history.process))
    scope = f"{operations}, by {processes:,} {'process' if processes == 1 else 'processes'}"
    parts = f" in {len(found.parts):,} {noun}s" if len(found.parts) > 1 else ""
    who = "Tried" if found.verdict is Verdict.UNKNOWN else "Decided"
    work = f"{who} by {listed(found.engines)} in {duration(found.seconds)}." if found.parts else "There is nothing to decide."
    return f"{scope}{parts}.{_counts(found, noun)} {work}"


def _counts(found: Linearizability, noun: str) -> str:
    """How many parts are violated and undecided, where that says more than the verdict."""
    violated = sum(part.verdict is Verdict.VIOLATED for part in found.parts)
    unknown = sum(part.verdict is Verdict.UNKNOWN for part in found.parts)
    limits = sorted({part.limit for part in found.parts if part.limit})
    said = ""
    if violated and len(found.parts) > 1:
        said += f" {violated:,} {noun if violated == 1 else noun + 's'} violated."
    if unknown and (violated or len(found.parts) > 1):
        said += f" {unknown:,} {noun if unknown == 1 else noun + 's'} undecided."
    return said + (f" Cut by the limit on {' and '.join(map(clean, limits))}." if limits else "")


def phrases(reason: str, operations: Sequence[Named]) -> tuple[Phrase, ...]:
    """A reason cut where it names operations.

    Operations of the same text are told apart by the line or process named beside it.
    """
    texts = sorted({text for text, _, _, _ in operations if text}, key=len, reverse=True)
    if not texts:
        return (reason,)
    found: list[Phrase] = []
    pieces = re.split(f"({'|'.join(map(re.escape, texts))})", reason)
    used: dict[str, int] = {}
    for k, piece in enumerate(pieces):
        if k % 2 == 0:
            if piece:
                found.append(piece)
            continue
        alike = [operation for operation in operations if operation[0] == piece]
        nth = used.setdefault(piece, 0)
        used[piece] += 1
        found.append((piece, _meant(alike, pieces[k + 1], pieces[k - 1], nth)))
    return tuple(found)


def _meant(alike: Sequence[Named], after: str, before: str, nth: int) -> int:
    """Which of operations of the same text is meant between these words, where it is the nth to be named."""
    for words in (after[:60], before[-60:]):
        for _, process, line, position in alike:
            if re.search(rf"\b(?:line {line}|process {re.escape(process)})\b", words):
                return position
    return alike[min(nth, len(alike) - 1)][3]
