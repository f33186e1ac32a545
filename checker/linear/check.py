"""Decide whether a history is linearizable, within limits.

>>> from scrutator.checker.linear.formats import read
>>> from scrutator.model.objects.register import REGISTER
>>> check_linearizable(read("run.jsonl"), REGISTER).verdict          # doctest: +SKIP
<Verdict.VIOLATED: 'violated'>
"""

from __future__ import annotations

import itertools
import os
import threading
import time

from scrutator.checker.linear.frontier import Finding, Search
from scrutator.checker.linear.history import History, Value
from scrutator.checker.linear.problem import Problem, parts_of, problem_of
from scrutator.checker.linear.result import Linearizability, Part
from scrutator.checker.verdict import Verdict
from scrutator.model.objects.sequential import Object

POLL_S = 0.05  # how soon a deadline or Ctrl-C is noticed


def check_linearizable(
    history: History,
    object_: Object,
    *,
    engine: str = "auto",
    witness: bool = False,
    explain: bool = True,
    timeout_s: float | None = None,
    memory_bytes_max: int | None = None,
    workers: int | None = None,
) -> Linearizability:
    """Search for a linearization of each part of a history.

    Args:
        history: What was recorded.
        object_: What it should be a history of.
        engine: "search", "monitor", "smt", "all" for each that applies, or "auto".
        witness: Find an order of the operations too, where the verdict is HOLDS.
        explain: Find out why, where the verdict is VIOLATED.
        timeout_s: After so many seconds, what is not decided is UNKNOWN.
        memory_bytes_max: For the configurations of each worker.
        workers: Threads, each with parts of its own; the verdict does not depend on them.

    Raises:
        UnfitHistory: The object lacks a method of the history.
    """
    began = time.perf_counter()
    parts = parts_of(history, object_)
    problem = problem_of(history, object_, parts)
    deadline = None if timeout_s is None else began + timeout_s
    workers = min(workers or os.cpu_count() or 1, max(problem.parts, 1))
    searches = [Search(problem, memory_bytes_max) for _ in range(workers)]
    findings = _search(problem, searches, deadline)
    return Linearizability(
        source=history.source,
        object=object_.name,
        operations=len(history),
        pending=history.pending,
        parts=tuple(
            _part(history, key, finding) for key, finding in zip(problem.keys, findings, strict=True)
        ),
        configurations=sum(f.visited for f in findings if f is not None),
        widest=max((f.widest for f in findings if f is not None), default=0),
        seconds=time.perf_counter() - began,
    )


def _search(problem: Problem, searches: list[Search], deadline: float | None) -> list[Finding | None]:
    """What each part's search found; None where the deadline came first."""
    findings: list[Finding | None] = [None] * problem.parts
    numbers, failures, stop = itertools.count(), [], threading.Event()

    def work(search: Search) -> None:
        try:
            for number in numbers:
                if number >= problem.parts or stop.is_set():
                    return
                findings[number] = search.part(number)
        except Exception as error:
            failures.append(error)
            stop.set()

    threads = [threading.Thread(target=work, args=(search,), daemon=True) for search in searches]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            while thread.is_alive():
                thread.join(POLL_S)
                if stop.is_set() or (deadline is not None and time.perf_counter() >= deadline):
                    stop.set()
                    for search in searches:
                        search.stop()
    finally:  # Ctrl-C: the kernels use memory of this call, so they come back first
        stop.set()
        for search in searches:
            search.stop()
        for thread in threads:
            thread.join()
    if failures:
        raise failures[0]
    return findings


def _part(history: History, key: Value, finding: Finding | None) -> Part:
    why = "it takes any object"
    if finding is None:
        return Part(key, 0, Verdict.UNKNOWN, "search", why, limit="time")
    if finding.operation is not None:
        return Part(key, 0, Verdict.VIOLATED, "search", why, culprit=history[finding.operation])
    return Part(
        key, 0, Verdict.UNKNOWN if finding.limit else Verdict.HOLDS, "search", why, limit=finding.limit
    )
