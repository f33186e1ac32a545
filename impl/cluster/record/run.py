"""One recording: a cluster, clients, faults; then all is healed, and clients ask what is left of what they wrote.

The law: whatever happens, the target is stopped and what was seen is in the folder: history.jsonl,
faults.jsonl, run.json, and below nodes/ whatever the target writes.  It judges nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import msgspec

import scrutator
from scrutator.impl.cluster.record.clients import Counts, Shared, Worker
from scrutator.impl.cluster.record.nemesis import Nemesis
from scrutator.impl.cluster.record.schedule import Fault, schedule
from scrutator.impl.cluster.record.workloads import WORKLOADS, Workload
from scrutator.impl.cluster.target import Target, TargetError
from scrutator.impl.history import History

START_S_MAX = 120.0
STOP_S_MAX = 60.0
FINISH_S_MAX = 30.0  # for the last reads, once all is healed, and this share of a run's length in addition
FINISH_SHARE = 0.2
FINISH_SOON_S = 5.0  # for the same, where somebody waits for the end
ROUNDS = 2  # how many clients ask each key at the end
SHOW_S = 0.25

Show = Callable[[str], None]
Handler = Callable[[int, FrameType | None], object] | int | None


class Interrupted(TargetError):
    """Somebody asked to stop before there was anything to judge."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to record.  ``rate`` is of all clients together, in operations per second."""

    target: str
    options: dict[str, str]
    workload: str
    nodes: int
    clients: int
    seconds: float
    faults: list[str]
    seed: int
    rate: float
    limit_s: float = 2.0  # for one operation


class RunCounts(msgspec.Struct, frozen=True):
    """``operations`` are in the history, ``unknown`` of them pending; ``refused`` ones are not in it."""

    operations: int
    unknown: int
    refused: int
    by_method: dict[str, int]
    faults: dict[str, int]  # by kind
    keys: int
    keys_not_read_at_the_end: int


class Run(msgspec.Struct, kw_only=True):
    """run.json.  ``verdict`` is null until somebody has judged the history; times are of the day, in UTC."""

    schema: str = "scrutator.run/1"
    scrutator: str = scrutator.__version__
    plan: Plan
    object: str
    versions: dict[str, str]
    configuration: dict[str, str | int | float | bool]
    host: dict[str, str | int]
    began: str
    seconds: float  # from the first call to the end of the last reads
    interrupted: bool
    counts: RunCounts
    fault_errors: list[str]
    node_problems: list[str]  # nodes that ended though nobody asked them to, where the target tells
    client_errors: dict[str, int]
    verdict: dict[str, str | int | None] | None = None

    def write(self, folder: Path) -> None:
        """Put it into the folder, in place of what was there."""
        text = msgspec.json.format(msgspec.json.encode(self), indent=2)
        partial = folder / "run.json.partial"
        partial.write_bytes(text + b"\n")
        partial.replace(folder / "run.json")


@dataclass(slots=True)
class _Recording:
    """What goes on while it goes on."""

    plan: Plan
    target: Target
    shared: Shared
    nemesis: Nemesis
    workers: list[Worker]
    missed: int = 0
    problems: dict[str, None] = field(default_factory=dict)  # of nodes, in order

    def look(self) -> None:
        """Ask a target that can tell which nodes are in trouble; one that is restarted tells no more."""
        problems = getattr(self.target, "problems", None)
        if problems is not None:
            self.problems.update(dict.fromkeys(problems()))


def check(plan: Plan, target: Target) -> Workload:
    """The workload of a plan, if the target can do what is planned.  Raises `TargetError`."""
    unable = [kind for kind in plan.faults if kind not in target.faults]
    if unable:
        able = ", ".join(sorted(target.faults)) or "none"
        raise TargetError(f"{plan.target} knows no {', '.join(unable)}: it can be given --faults {able.replace(', ', ',')}")
    return WORKLOADS[plan.workload](frozenset(target.operations))


async def record(plan: Plan, target: Target, folder: Path, show: Show) -> Run:
    """Record into a folder that exists.  Raises `TargetError` where the cluster does not start.

    SIGINT and SIGTERM end it early and cleanly; what was seen until then counts.  Raises `Interrupted` where that is
    nothing, and KeyboardInterrupt for the second of them.
    """
    workload = check(plan, target)
    stop = asyncio.Event()
    with (
        _signals(stop), _lines(folder / "history.jsonl") as lines, _lines(folder / "faults.jsonl") as fault_lines
    ):  # fmt: skip
        try:
            show(f"starting {plan.nodes} nodes of {plan.target}")
            if not await _started(plan, target, folder, stop):
                raise Interrupted(f"interrupted before {plan.target} had started")
            began, zero_ns = datetime.now(UTC), time.monotonic_ns()

            def now_ns() -> int:
                return time.monotonic_ns() - zero_ns

            header = {"target": plan.target, "seed": plan.seed, "began": began.isoformat()}
            history = History(workload.object, header, lines)
            shared = Shared(target, workload, history, plan.clients / plan.rate, plan.limit_s, now_ns, Counts(), stop)
            nemesis = Nemesis(target, now_ns, fault_lines)
            workers = [Worker(number, plan.seed, shared) for number in range(plan.clients)]
            recording = _Recording(plan, target, shared, nemesis, workers)
            await _go_on(recording, show)
            recording.look()
            versions, configuration = dict(target.versions()), dict(target.configuration())
        finally:
            show("stopping the nodes")
            unstopped = await _stopped(target)
    recording.problems.update(unstopped)
    run = _run(recording, versions, configuration, began, now_ns() / 1e9)
    run.write(folder)
    return run


async def _started(plan: Plan, target: Target, folder: Path, stop: asyncio.Event) -> bool:
    """Start the target; whether nobody asked to stop before."""
    nodes = folder / "nodes"
    nodes.mkdir(exist_ok=True)
    starting = asyncio.ensure_future(_start(plan, target, nodes))
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait((starting, stopping), timeout=START_S_MAX, return_when=asyncio.FIRST_COMPLETED)
        if not starting.done() and not stop.is_set():
            raise TargetError(f"{plan.target} did not start within {START_S_MAX:.0f} s: see its logs below {nodes}")
        if starting.done() and (error := starting.exception()) is not None:
            raise error if isinstance(error, TargetError) else TargetError(f"{plan.target} did not start: {type(error).__name__}: {error}") from error
        return starting.done() and not stop.is_set()
    finally:
        for task in (starting, stopping):
            task.cancel()
        await asyncio.gather(starting, stopping, return_exceptions=True)


async def _start(plan: Plan, target: Target, folder: Path) -> None:
    await target.start(folder, plan.nodes, plan.seed)
    if not target.nodes:
        raise TargetError(f"{plan.target} started no nodes: its nodes must be their names, once start has returned")


async def _stopped(target: Target) -> dict[str, None]:
    """Stop the nodes; what went wrong with that, which must not hide what was seen."""
    try:
        async with asyncio.timeout(STOP_S_MAX) as limit:
            await target.stop()
    except TimeoutError as error:
        why = f"after {STOP_S_MAX:g} s they are still being stopped" if limit.expired() else f"TimeoutError: {error}"
        return {f"the nodes could not be stopped: {why}": None}
    except TargetError as error:  # in words meant to be read
        return {str(error): None}
    except Exception as error:
        return {f"the nodes could not be stopped: {type(error).__name__}: {error}": None}
    return {}


async def _go_on(recording: _Recording, show: Show) -> None:
    """Faults and clients side by side, then all healed, then the last reads."""
    plan, shared, nemesis = recording.plan, recording.shared, recording.nemesis
    faults = schedule(plan.seed, plan.faults, plan.seconds)
    showing = asyncio.ensure_future(_tell(recording, faults, show))
    begin_ns = shared.now_ns()
    until_ns = begin_ns + int(plan.seconds * 1e9)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(nemesis.run(faults, begin_ns, shared.stop))
            for worker in recording.workers:
                group.create_task(worker.work(until_ns))
        await nemesis.heal()
        await _last_reads(recording)
    finally:
        showing.cancel()
        await asyncio.gather(showing, return_exceptions=True)
        await asyncio.gather(*(worker.close() for worker in recording.workers), return_exceptions=True)


async def _last_reads(recording: _Recording) -> None:
    """Several clients ask for every key, over new connections; each queue is emptied by one."""
    shared, workers = recording.shared, recording.workers
    keys = list(shared.workload.keys.every)
    rounds = 1 if shared.workload.empties else min(ROUNDS, len(workers))
    most_s = FINISH_SOON_S if shared.stop.is_set() else FINISH_S_MAX + FINISH_SHARE * recording.plan.seconds
    until_ns = shared.now_ns() + int(most_s * 1e9)
    tasks = []
    for place, worker in enumerate(workers):
        await worker.close()
        share = [key for round_ in range(rounds) for key in keys[(place + round_) % len(workers) :: len(workers)]]
        tasks.append(worker.finish(share, until_ns))
    recording.missed = sum(await asyncio.gather(*tasks))


async def _tell(recording: _Recording, faults: Sequence[Fault], show: Show) -> None:
    """A line on how it goes, again and again."""
    shared, plan = recording.shared, recording.plan
    before, rate = (shared.now_ns(), 0), 0.0
    while True:
        await asyncio.sleep(SHOW_S)
        recording.look()
        counts, now = shared.counts, shared.now_ns()
        done = counts.done.total()
        if now - before[0] >= 1e9:
            rate = (done - before[1]) / ((now - before[0]) / 1e9)
            before = (now, done)
        wrong = "; ".join(struck.words() for struck in recording.nemesis.active.values())
        left = plan.seconds - now / 1e9
        rest = "last reads" if left < 0 else f"{left:.0f} s left"
        show(
            f"recording {plan.target}: {done:,} operations, {rate:,.0f}/s, {counts.unknown:,} unknown, {counts.refused:,} refused, "
            f"{recording.nemesis.counts.total()} of {len(faults)} faults{f' ({wrong})' if wrong else ''}, {rest}"
        )


def _run(
    recording: _Recording, versions: dict[str, str], configuration: dict[str, str | int | float | bool], began: datetime, seconds: float
) -> Run:
    counts, nemesis = recording.shared.counts, recording.nemesis
    done = counts.done.total()
    return Run(
        plan=recording.plan,
        object=recording.shared.workload.object,
        versions={"scrutator": scrutator.__version__, **versions},
        configuration=configuration,
        host=host(),
        began=began.isoformat(),
        seconds=round(seconds, 3),
        interrupted=recording.shared.stop.is_set(),
        counts=RunCounts(
            done + counts.unknown, counts.unknown, counts.refused, dict(sorted(counts.done.items())),
            dict(sorted(nemesis.counts.items())), len(recording.shared.workload.keys.every), recording.missed,
        ),
        fault_errors=nemesis.errors,
        node_problems=list(recording.problems),
        client_errors=dict(counts.troubles.most_common()),
    )  # fmt: skip


def host() -> dict[str, str | int]:
    """Where it ran, without the machine's name."""
    return {
        "system": f"{platform.system()} {platform.release()}", "machine": platform.machine(),
        "python": platform.python_version(), "processors": os.cpu_count() or 0,
    }  # fmt: skip


@contextlib.contextmanager
def _lines(path: Path) -> Iterator[Callable[[bytes], object]]:
    """A file of lines; each is with the system as soon as it was written, so that a killed recorder leaves it."""
    with path.open("wb", buffering=0) as file:
        yield lambda line: file.write(line + b"\n")


@contextlib.contextmanager
def _signals(stop: asyncio.Event) -> Iterator[None]:
    """SIGINT and SIGTERM ask to stop, where this thread may say so; before and after, they do what they did.

    The second one is not patient: it also ends a target's code that never lets the event loop go on.
    """
    loop, asked = asyncio.get_running_loop(), False
    before: dict[int, Handler] = {}

    def ask(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            restore()  # now, as the event loop ends before this context does
            raise KeyboardInterrupt
        asked = True
        loop.call_soon_threadsafe(stop.set)

    def restore() -> None:
        while before:
            signal.signal(*before.popitem())

    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(ValueError):  # not the main thread
            before[number] = signal.signal(number, ask)
    try:
        yield
    finally:
        restore()
