"""Histories small and large, each with a verdict made by hand, for pages to show."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scrutator.checker.linear.builder import Builder
from scrutator.checker.linear.history import NEVER, NO_KEY, UNKNOWN, History, Value
from scrutator.checker.linear.result import Explanation, Linearizability, Part
from scrutator.checker.report.timeline import page
from scrutator.checker.verdict import Verdict
from scrutator.model.objects.kv import KV
from scrutator.model.objects.queues import QUEUE
from scrutator.model.objects.register import REGISTER
from scrutator.model.objects.sequential import Object

WHY = "it takes any object"
EPOCH = 1_700_000_000_000_000_000  # nanoseconds, more than JavaScript's numbers hold exactly


@dataclass(frozen=True)
class Case:
    """What a page is made of."""

    history: History
    object: Object
    found: Linearizability

    @property
    def html(self) -> str:
        return page(self.history, self.object, self.found)

    def write(self, folder: Path) -> Path:
        path = folder / "report.html"
        path.write_text(self.html, encoding="utf-8", newline="\n")
        return path


def found_of(history: History, object_: Object, *parts: Part) -> Linearizability:
    return Linearizability(history.source, object_.name, len(history), history.pending, parts, 10, 3, 0.25)


def part(key: Value, operations: int, verdict: Verdict, **more: object) -> Part:
    return Part(key, operations, verdict, "search", WHY, **more)  # type: ignore[arg-type]


def stale() -> Case:
    """A register whose last read but one returns what was overwritten, twice written; one write is pending."""
    builder = Builder("runs/stale.jsonl", has_clock=True)
    rows: list[tuple[int, str, Value, int, int, Value]] = [
        (0, "write", 1, 0, 900, None),
        (1, "write", 2, 1_000, 2_000, None),
        (2, "read", None, 1_500, 2_500, 1),
        (0, "write", 2, 2_100, 2_900, None),
        (3, "write", 9, 2_200, NEVER, None),
        (1, "read", None, 3_000, 4_500, 1),
        (2, "read", None, 9_000, 9_500, 2),
    ]
    for line, (process, method, argument, called, returned, result) in enumerate(rows, 2):
        end = NEVER if returned == NEVER else EPOCH + returned * 1_000
        builder.add(
            line, process, method, argument, EPOCH + called * 1_000, end, result, pending=returned == NEVER
        )
    history = builder.history()
    first, overwrites, culprit = history[0], history[3], history[5]
    explanation = Explanation(
        culprit,
        (first, overwrites, culprit),
        (
            "read() -> 1 needs write(1) before it",
            "write(2) (line 5) stands between them",
        ),
        6,
    )
    violated = part(None, 7, Verdict.VIOLATED, culprit=culprit, explanation=explanation)
    return Case(history, REGISTER, found_of(history, REGISTER, violated))


def witnessed() -> Case:
    """A queue without a clock, with an order that explains it."""
    builder = Builder("queue.log", has_clock=False)
    builder.add(1, 0, "enqueue", "a", 1, 4, None)
    builder.add(2, 1, "enqueue", "b", 2, 3, None)
    builder.add(5, 2, "dequeue", None, 5, 6, "b")
    builder.add(7, 2, "dequeue", None, 7, 8, "a")
    history = builder.history()
    holds = part(None, 4, Verdict.HOLDS, witness=(1, 0, 2, 3))
    return Case(history, QUEUE, found_of(history, QUEUE, holds))


def crashed(processes: int = 60) -> Case:
    """Each process calls once and crashes; another takes over.  Nothing was decided in time."""
    builder = Builder("crashed.jsonl", has_clock=True)
    for process in range(processes):
        builder.add(process + 2, process, "write", process, process * 100, NEVER, None, pending=True)
    history = builder.history()
    return Case(history, REGISTER, found_of(history, REGISTER, part(None, processes, Verdict.UNKNOWN, limit="time")))


def keyed() -> Case:
    """Five keys of a store, the third violated without an explanation, the fifth undecided."""
    builder = Builder("store.jsonl", has_clock=True)
    for k in range(50):
        key = ("x", "y", 'z"', 1, True)[k % 5]
        result = "unheard of" if k == 42 else None
        builder.add(k + 2, k % 4, "get", None, k * 1_000, k * 1_000 + 900, result, key=key, keyed=True)
    history = builder.history()
    return Case(
        history,
        KV,
        found_of(
            history, KV, part("x", 10, Verdict.HOLDS), part("y", 10, Verdict.HOLDS),
            part('z"', 10, Verdict.VIOLATED, culprit=history[42]), part(1, 10, Verdict.HOLDS),
            part(True, 10, Verdict.UNKNOWN, limit="memory"),
        ),
    )  # fmt: skip


HOSTILE = "</script><img src=x onerror=document.body.dataset.owned=1>{{script}}\u2028<!--"


def hostile() -> Case:
    """Markup wherever a file can put it."""
    builder = Builder(f"{HOSTILE}.jsonl", has_clock=True)
    builder.add(2, 0, "put", HOSTILE, 0, 10, None, key=HOSTILE, keyed=True)
    builder.add(3, 1, "get", None, 20, 30, HOSTILE * 2, key=HOSTILE, keyed=True)
    builder.add(4, 1, "get", None, 40, 50, None, key="plain", keyed=True)
    history = builder.history()
    explanation = Explanation(history[1], (history[0], history[1]), (f"{HOSTILE} is why",), 2)
    violated = part(HOSTILE, 2, Verdict.VIOLATED, culprit=history[1], explanation=explanation)
    found = found_of(history, KV, violated, part("plain", 1, Verdict.UNKNOWN, limit=HOSTILE))
    return Case(history, KV, found)


def empty() -> Case:
    history = Builder("empty.jsonl", has_clock=True).history()
    return Case(history, REGISTER, found_of(history, REGISTER))


def large(count: int = 100_000, processes: int = 10, keys: int = 100) -> Case:
    """Writes of distinct values by processes that are busy most of the time; one in a hundred is pending."""
    number = np.arange(count)
    called = number * 200_000
    returned = called + 200_000 * (processes - 1)
    crashes = number % 100 == 99
    process = np.where(crashes, processes + number, number % processes)
    history = History(
        "large.jsonl", ("put",), (None, *range(count), *(f"key {k}" for k in range(keys))),
        process.astype(np.int32), (1 + count + number % keys).astype(np.int32), np.zeros(count, np.int32),
        (1 + number).astype(np.int32), np.where(crashes, UNKNOWN, 0).astype(np.int32), called,
        np.where(crashes, NEVER, returned), (number + 2).astype(np.int32),
    )  # fmt: skip
    assert NO_KEY not in history.key
    parts = [part(f"key {k}", count // keys, Verdict.HOLDS) for k in range(keys)]
    return Case(history, KV, found_of(history, KV, *parts))
