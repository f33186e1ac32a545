"""Decide whether a history is linearizable, within limits.

>>> from scrutator.checker.linear import History
>>> check_linearizable(History.read("run.jsonl"), "register").verdict          # doctest: +SKIP
<Verdict.VIOLATED: 'violated'>
"""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Sequence
from dataclasses import replace

from scrutator.checker.linear.engines import ENGINES, Decider, Decision
from scrutator.checker.linear.explain import Explainer
from scrutator.checker.linear.history import History
from scrutator.checker.linear.problem import Parts, parts_of, problem_of
from scrutator.checker.linear.result import Linearizability, Part
from scrutator.checker.verdict import Verdict
from scrutator.model.objects.sequential import Object

POLL_S = 0.05  # how soon a deadline or Ctrl-C is noticed
EXPLAINED_MAX = 8  # violated parts to explain, those that were violated first
EXPLAINING_S = 10.0  # for all of them, where no timeout leaves less


def check_linearizable(
    history: History,
    object_: Object | str,
    *,
    engine: str = "auto",
    witness: bool = False,
    explain: bool = True,
    timeout_s: float | None = None,
    memory_bytes_max: int | None = None,
    workers: int | None = None,
) -> Linearizability:
    """Decide each part of a history.

    Ctrl-C ends it early too: what is not decided by then is UNKNOWN.

    Args:
        history: What was recorded.
        object_: What it should be a history of, or a reference to it: "kv", "semaphore(3)".
        engine: "search", "monitor", "smt", "all" for each that applies, or "auto".
        witness: Find an order of the operations too, where the verdict is HOLDS.
        explain: Find out why, where the verdict is VIOLATED.
        timeout_s: After so many seconds, what is not decided is UNKNOWN.
        memory_bytes_max: For the configurations of each worker; None for half of the machine's
            memory, shared among them.
        workers: Threads, each with parts of its own; the verdict does not depend on them.

    Raises:
        UnfitHistory: The object lacks a method of the history, or an argument makes no sense to it.
        SpecError: The reference refers to nothing.
        ValueError: There is no such engine.
        Disagreement: Two engines decided differently, a bug in scrutator.
    """
    if engine not in ENGINES:
        raise ValueError(f"there is no engine {engine}; there are {', '.join(ENGINES)}")
    if isinstance(object_, str):
        from scrutator.model.objects import find

        object_ = find(object_)
    began = time.perf_counter()
    deadline = None if timeout_s is None else began + timeout_s
    parts = parts_of(history, object_)
    problem = problem_of(history, object_, parts)
    workers = min(workers or os.cpu_count() or 1, max(problem.parts, 1))
    if memory_bytes_max is None:
        memory_bytes_max = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // (2 * workers)
    deciders = [
        Decider(history, object_, parts, problem, engine, witness, memory_bytes_max, deadline) for _ in range(workers)
    ]
    decisions, interrupted = _decide(problem.parts, deciders, deadline)
    limit = "interruption" if interrupted else "time"
    found = [_part(history, parts, number, decision, limit) for number, decision in enumerate(decisions)]
    if explain and not interrupted:
        until = time.perf_counter() + EXPLAINING_S
        _explain(history, object_, parts, found, decisions, until if deadline is None else min(until, deadline))
    return Linearizability(
        source=history.source,
        object=object_.name,
        operations=len(history),
        pending=history.pending,
        parts=tuple(found),
        configurations=sum(d.visited for d in decisions if d is not None),
        widest=max((d.widest for d in decisions if d is not None), default=0),
        seconds=time.perf_counter() - began,
    )


def _decide(
    parts: int, deciders: list[Decider], deadline: float | None
) -> tuple[list[Decision | None], bool]:
    """What was decided of each part, None where the deadline or Ctrl-C came first; and whether it was Ctrl-C."""
    decisions: list[Decision | None] = [None] * parts
    numbers, failures, stop = itertools.count(), [], threading.Event()

    def work(decider: Decider) -> None:
        try:
            for number in numbers:
                if number >= parts or stop.is_set():
                    return
                decisions[number] = decider.part(number)
        except Exception as error:
            failures.append(error)
            stop.set()

    threads = [threading.Thread(target=work, args=(decider,), daemon=True) for decider in deciders]
    interrupted = False
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            while thread.is_alive():
                thread.join(POLL_S)
                if stop.is_set() or (deadline is not None and time.perf_counter() >= deadline):
                    stop.set()
                    for decider in deciders:
                        decider.search.stop()
    except KeyboardInterrupt:
        interrupted = True
    finally:  # the kernels use memory of this call, so they come back first
        stop.set()
        for decider in deciders:
            decider.search.stop()
        for thread in threads:
            thread.join()
    if failures:
        raise failures[0]
    return decisions, interrupted


def _part(history: History, parts: Parts, number: int, decision: Decision | None, limit: str) -> Part:
    key, size = parts.keys[number], parts.sizes[number]
    if decision is None:
        return Part(key, size, Verdict.UNKNOWN, "none", "its turn did not come", limit=limit)
    culprit = None if decision.culprit is None else history[decision.culprit]
    found = Part(key, size, decision.verdict, decision.engine, decision.why, culprit, witness=decision.witness)
    return found if decision.limit is None else replace(found, limit=limit if decision.limit == "time" else decision.limit)


def _explain(
    history: History,
    object_: Object,
    parts: Parts,
    found: list[Part],
    decisions: Sequence[Decision | None],
    until: float,
) -> None:
    """Add explanations to the parts that were violated first."""
    violated = [k for k, part in enumerate(found) if part.culprit is not None]
    violated.sort(key=lambda k: found[k].culprit.returned)  # type: ignore[union-attr]
    for number in violated[:EXPLAINED_MAX]:
        decision = decisions[number]
        assert decision is not None
        explanation = Explainer(history, object_, parts.operations(number), until).explain(decision)
        if explanation is not None:
            found[number] = replace(found[number], culprit=explanation.culprit, explanation=explanation)
