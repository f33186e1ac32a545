"""`scrutator record`: a real cluster under faults, clients that write down what they see, and the verdict on that.

Law: decides nothing itself: what was recorded is judged as `scrutator lin` judges it.  Results go to standard
output, progress and mistakes to standard error.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Group, Parameter

from scrutator.checker.commands.shared import Format, UsageError, emit, fail, require_known, require_place
from scrutator.checker.verdict import ExitStatus

if TYPE_CHECKING:
    from scrutator.checker.report.lin_found import Decided, Refused
    from scrutator.impl.cluster.record.run import Plan, Run
    from scrutator.impl.cluster.target import Target

NODES_MAX, CLIENTS_MAX, SECONDS_MAX, RATE_MAX = 99, 1000, 86_400, 1_000_000

_WHAT = Group("What to record", sort_key=1)
_HOW = Group("How much", sort_key=2)
_OUTPUT = Group("Output", sort_key=3)


def record(
    *,
    target: Annotated[str, Parameter(group=_WHAT)] = "raft",
    nodes: Annotated[int, Parameter(group=_WHAT)] = 5,
    workload: Annotated[Literal["kv", "register", "set", "queue", "counter"], Parameter(group=_WHAT)] = "kv",
    faults: Annotated[str | None, Parameter(group=_WHAT)] = None,
    mutant: Annotated[str | None, Parameter(group=_WHAT)] = None,
    partitions: Annotated[Literal["proxy", "namespaces"] | None, Parameter(group=_WHAT)] = None,
    option: Annotated[tuple[str, ...], Parameter(group=_WHAT, negative=())] = (),
    seed: Annotated[int, Parameter(group=_WHAT)] = 0,
    clients: Annotated[int, Parameter(group=_HOW)] = 10,
    seconds: Annotated[float, Parameter(group=_HOW)] = 30,
    rate: Annotated[float, Parameter(group=_HOW)] = 300,
    limit_s: Annotated[float, Parameter(group=_HOW)] = 2,
    timeout_s: Annotated[float | None, Parameter(group=_HOW)] = None,
    out: Annotated[Path | None, Parameter(group=_OUTPUT)] = None,
    html: Annotated[Path | None, Parameter(group=_OUTPUT)] = None,
    format: Annotated[Format, Parameter(group=_OUTPUT)] = "text",
) -> int:
    """Start a cluster, let clients work while things go wrong, and judge what they saw.

    The folder of a run has history.jsonl, faults.jsonl (which fault, which nodes, when), run.json (everything
    about the run) and what the nodes wrote. Ctrl-C ends a run early, and what there is is judged.

    Parameters
    ----------
    target
        The system: a name that comes with Scrutator (a name that does not exist lists them), or file.py:CLASS for
        one of your own; docs/recording.md shows how.
    nodes
        How many nodes it has.
    workload
        What the clients do.
    faults
        Of kill, pause, partition and clock, with commas between; none; by default all that the target can have.
    mutant
        Run this broken variant of the target; a name that does not exist lists them.
    partitions
        How messages are kept from passing, of raft: proxies between the nodes, or network namespaces (Linux, as root).
    option
        NAME=VALUE, an option of the target's own; may be given several times.
    seed
        Decides what clients do and which faults there are; how they fall in time is the machine's.
    clients
        How many clients, each with one operation at a time.
    seconds
        How long they work; last reads come after it.
    rate
        Operations per second of all clients together.
    limit_s
        Seconds after which a client gives an operation up, not knowing whether it happened.
    timeout_s
        Seconds for the verdict on the history.
    out
        The folder of the run; by default a new one in runs/.
    html
        Draw the timeline, faults included, into this file.
    format
        Text for people, JSON for programs.
    """
    _check_numbers(nodes, clients, seconds, rate, limit_s, seed, timeout_s)
    options = _options(option, mutant, partitions)
    if html is not None:
        require_place(html, "--html")

    from scrutator.impl.cluster.record.find import find
    from scrutator.impl.cluster.record.run import Plan, check
    from scrutator.impl.cluster.target import TargetError

    try:
        found = find(target, options)
        plan = Plan(
            target=target, options=options, workload=workload, nodes=nodes, clients=clients, seconds=seconds,
            faults=_faults(faults, sorted(found.faults)), seed=seed, rate=rate, limit_s=limit_s,
        )  # fmt: skip
        check(plan, found)
    except TargetError as error:
        raise UsageError(str(error)) from error
    folder = _folder(out, target)
    run = _record(plan, found, folder)
    return run if isinstance(run, ExitStatus) else _judge(run, folder, timeout_s, html, format)


def _record(plan: Plan, target: Target, folder: Path) -> Run | ExitStatus:
    """What was recorded; where that is nothing, it was said why, and this is the exit status."""
    import asyncio

    from scrutator.checker.report.elapsed import Elapsed
    from scrutator.impl.cluster.record.run import Interrupted
    from scrutator.impl.cluster.record.run import record as record_into
    from scrutator.impl.cluster.target import TargetError

    try:
        with Elapsed(sys.stderr) as show:
            return asyncio.run(record_into(plan, target, folder, partial(show, goes_on=True)))
    except TargetError as error:
        return fail(f"{error}; what there is lies in {folder}", ExitStatus.UNKNOWN if isinstance(error, Interrupted) else ExitStatus.USAGE)
    except SystemExit:  # an exit status of its making would pass for a verdict
        return fail(f"{plan.target}: its code exits the interpreter; what there is lies in {folder}", ExitStatus.USAGE)


def _judge(run: Run, folder: Path, timeout_s: float | None, html: Path | None, format: Format) -> int:
    """The verdict on the history, printed and put into run.json; the exit status is that of `lin`."""
    from scrutator.checker.commands.lin_decide import Request, decide
    from scrutator.checker.report.elapsed import Elapsed
    from scrutator.checker.report.lin_found import Refused, gravest

    request = Request(
        object=None, engine="auto", format=None, keyed=None, timeout_s=timeout_s, memory_bytes_max=None,
        workers=None, witness=False, explain=True, strongest=False,
    )  # fmt: skip
    answers: list[Decided | Refused] = []
    try:
        with Elapsed(sys.stderr) as show:
            decide(answers, str(folder / "history.jsonl"), request, html, show)
    except KeyboardInterrupt:
        answers.append(Refused(str(folder), f"{folder}: interrupted while it was judged", ExitStatus.UNKNOWN, reason="UNKNOWN"))
    if run.counts.unknown >= run.counts.operations and answers[0].status is ExitStatus.HOLDS:
        answers[0] = Refused(str(folder), f"{folder}: no operation returned, so that nothing was shown", ExitStatus.UNKNOWN, reason="UNKNOWN")
    run.verdict = _verdict(answers[0])
    run.write(folder)
    status = gravest(answers)
    emit(_printing(run, answers[0], folder, status, format))
    for answer in answers:
        if isinstance(answer, Refused):
            fail(answer.message, answer.status)
    return status


def _verdict(answer: Decided | Refused) -> dict[str, str | int | None]:
    from scrutator.checker.report.lin_found import Refused

    if isinstance(answer, Refused):
        return {"verdict": "unknown", "scope": answer.message, "engines": None, "violated_parts": None}
    found = answer.found
    return {
        "verdict": found.verdict.value, "scope": found.scope, "engines": ", ".join(found.engines), "violated_parts": len(found.violated),
    }  # fmt: skip


def _printing(run: Run, answer: Decided | Refused, folder: Path, status: ExitStatus, format: Format) -> Callable[[], None]:
    def show() -> None:
        from scrutator.checker.report.layout import console_for
        from scrutator.checker.report.record_text import print_run

        if format == "json":
            from scrutator.checker.report.json import encode
            from scrutator.checker.report.lin_json import lin_document
            from scrutator.checker.report.record_json import SCHEMA, RecordDocument

            sys.stdout.write(encode(RecordDocument(SCHEMA, int(status), str(folder), run, lin_document([answer], (), status))))
        else:
            print_run(console_for(sys.stdout), run, answer, folder)

    return show


# --- arguments ------------------------------------------------------------------------------


def _check_numbers(
    nodes: int, clients: int, seconds: float, rate: float, limit_s: float, seed: int, timeout_s: float | None
) -> None:
    limits = (
        ("--nodes", nodes, 1, NODES_MAX), ("--clients", clients, 1, CLIENTS_MAX), ("--seconds", seconds, 1, SECONDS_MAX),
        ("--rate", rate, 0.1, RATE_MAX), ("--limit-s", limit_s, 0.01, 3600), ("--seed", seed, 0, 1 << 63),
        ("--timeout-s", 1 if timeout_s is None else timeout_s, 0.001, SECONDS_MAX),
    )  # fmt: skip
    for option, value, least, most in limits:
        if not least <= value <= most:
            raise UsageError(f"{option} {value:g}: from {least:g} to {most:,}")


def _options(option: tuple[str, ...], mutant: str | None, partitions: str | None) -> dict[str, str]:
    options = {} if mutant is None else {"mutant": mutant}
    if partitions is not None:
        options["partitions"] = partitions
    for text in option:
        name, equals, value = text.partition("=")
        if not (equals and name.isidentifier()):
            raise UsageError(f"--option {text}: write NAME=VALUE")
        options[name] = value
    return options


def _faults(asked: str | None, able: list[str]) -> list[str]:
    from scrutator.impl.cluster.record.schedule import KINDS

    if asked is None:
        return able
    if asked in ("none", ""):
        return []
    kinds = list(dict.fromkeys(asked.split(",")))
    require_known("fault", kinds, KINDS, None)
    return kinds


def _folder(out: Path | None, target: str) -> Path:
    """A folder for the run, new or empty."""
    name = "".join(c if c.isalnum() else "-" for c in Path(target).name)
    folder = out or Path("runs", f"{name}-{datetime.now():%Y%m%d-%H%M%S}")
    what = "cannot make the run's folder, see --out:" if out is None else "--out"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise UsageError(f"--out {folder}: it is not empty, and a run is never written over another: choose a new folder")
    except OSError as error:
        raise UsageError(f"{what} {folder}: {error.strerror or error}") from error
    return folder
