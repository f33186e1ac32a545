"""`scrutator lin`: whether recorded histories are linearizable.

Law: decides nothing itself; results go to standard output, progress and mistakes to
standard error.  A mistake in one history hides nothing of the others.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Group, Parameter

from scrutator.checker.commands.lin_files import Files, files_of
from scrutator.checker.commands.shared import (
    Format,
    UsageError,
    emit,
    fail,
    models_code,
    parse_size,
    refuse_options,
)
from scrutator.checker.verdict import ExitStatus

if TYPE_CHECKING:
    from scrutator.checker.commands.lin_decide import Request
    from scrutator.checker.report.lin_found import Decided, Refused
    from scrutator.model.objects.sequential import Object

Engine = Literal["auto", "search", "monitor", "smt", "all"]
Source = Literal[
    "scrutator-lines", "jepsen-edn", "jepsen-json", "jepsen-log", "call-return", "intervals", "flat-json"
]  # the formats, by name: their readers are not imported for --help

_WHAT = Group("What to check", sort_key=1)
_HOW = Group("How to check", sort_key=2)
_LIMITS = Group("Limits for each history: the verdict is unknown beyond them", sort_key=3)
_OUTPUT = Group("Output", sort_key=4)


def lin(
    *files: Annotated[str, Parameter(group=_WHAT, allow_leading_hyphen=True)],
    object: Annotated[str | None, Parameter(group=_WHAT)] = None,
    by: Annotated[Literal["key", "whole"] | None, Parameter(group=_WHAT)] = None,
    source: Annotated[Source | None, Parameter(name="--from", group=_WHAT)] = None,
    engine: Annotated[Engine, Parameter(group=_HOW)] = "auto",
    workers: Annotated[int | None, Parameter(group=_HOW)] = None,
    online: Annotated[bool, Parameter(group=_HOW)] = False,
    lag_s: Annotated[float, Parameter(group=_HOW)] = 1.0,
    idle_s: Annotated[float | None, Parameter(group=_HOW)] = None,
    timeout_s: Annotated[float | None, Parameter(group=_LIMITS)] = None,
    memory_max: Annotated[str | None, Parameter(group=_LIMITS)] = None,
    witness: Annotated[bool, Parameter(group=_OUTPUT)] = False,
    explain: Annotated[bool, Parameter(negative="--no-explain", group=_OUTPUT)] = True,
    strongest: Annotated[bool, Parameter(group=_OUTPUT)] = False,
    html: Annotated[Path | None, Parameter(group=_OUTPUT)] = None,
    format: Annotated[Format, Parameter(group=_OUTPUT)] = "text",
) -> int:
    """Check whether recorded histories are linearizable.

    Parameters
    ----------
    files
        Histories: files, folders, quoted patterns such as 'runs/*.edn', or - for standard input. Of what is
        in folders, what no reader recognises is left out and named.
    object
        What the histories are of, with what it starts with: register, "kv('')", "semaphore(3)", or
        file.py:NAME for one of your own. Needed where the recording leaves it in doubt.
    by
        In Jepsen's files, whether values are [key value] of independent objects, or whole values of one;
        needed where the values leave it in doubt.
    source
        The format of the files, if it should not be told from their content.
    engine
        Search takes any object; monitors are fast where one applies; smt is slow and independent; all
        compares what each says. Auto chooses.
    workers
        Threads; the verdict does not depend on them.
    online
        Follow one history in our own format while it is being written, and stop at the first violation;
        memory does not grow with it. Ctrl-C ends it.
    lag_s
        With --online: how far what is decided lies back, as an operation that takes longer is written late.
    idle_s
        With --online: take the history for ended when nothing was written for so many seconds.
    timeout_s
        Stop after so many seconds.
    memory_max
        Memory for each worker's search, for instance 512M or 4G.
    witness
        Show an order in which the operations may have taken effect, where there is one.
    explain
        Find out why, where there is none.
    strongest
        Say which weaker consistency models hold.
    html
        Draw the timeline into this file, or into this folder where there are several histories.
    format
        Text for people, JSON for programs.
    """
    refuse_options(files)
    if not files:
        raise UsageError("which histories? write scrutator lin FILE, a folder, or - for standard input")
    if timeout_s is not None and not timeout_s > 0:
        raise UsageError(f"--timeout-s {timeout_s}: write a number of seconds above 0")
    if workers is not None and workers < 1:
        raise UsageError(f"--workers {workers}: at least 1 is needed")
    memory_bytes_max = None if memory_max is None else parse_size(memory_max)
    if online:
        if len(files) != 1:
            raise UsageError("--online follows one history")
        return _watch(files[0], None if object is None else _object(object), lag_s, idle_s, memory_bytes_max, format)
    found = files_of(files, recognised_only=source is None)

    from scrutator.checker.commands.lin_decide import Request

    request = Request(
        object=None if object is None else _object(object),
        engine=engine,
        format=source,
        keyed=None if by is None else by == "key",
        timeout_s=timeout_s,
        memory_bytes_max=memory_bytes_max,
        workers=workers,
        witness=witness,
        explain=explain,
        strongest=strongest,
    )
    return _run(found, request, html, format)


def _object(reference: str) -> Object:
    from scrutator.model.objects import find

    with models_code():
        return find(reference)


def _run(files: Files, request: Request, html: Path | None, format: Format) -> int:
    from scrutator.checker.commands.lin_decide import decide
    from scrutator.checker.report.elapsed import Elapsed
    from scrutator.checker.report.lin_found import Refused, gravest

    answers: list[Decided | Refused] = []
    timelines = _timelines(files.paths, html)
    try:
        with models_code(), Elapsed(sys.stderr) as show:
            for number, (path, timeline) in enumerate(zip(files.paths, timelines, strict=True), 1):
                where = f"[{number:,} of {len(files.paths):,}] " if len(files.paths) > 1 else ""
                try:
                    decide(answers, path, request, timeline, partial(_show, show, where))
                except KeyboardInterrupt:
                    left = len(files.paths) - number
                    after = f"; {left:,} more {'history' if left == 1 else 'histories'} not looked at" if left else ""
                    answers.append(Refused(path, f"{path}: interrupted{after}", ExitStatus.UNKNOWN, reason="UNKNOWN"))
                    break
                if _interrupted(answers):
                    break
    finally:  # a bug that one history shows must not hide what was found of the others
        _print(answers, files, format)
    return gravest(answers)


def _watch(
    path: str, object_: Object | None, lag_s: float, idle_s: float | None, memory_bytes_max: int | None, format: Format
) -> int:
    from scrutator.checker.commands.lin_decide import named
    from scrutator.checker.commands.lin_online import document, report, watch
    from scrutator.checker.linear.history import HistoryError
    from scrutator.checker.report.elapsed import Elapsed
    from scrutator.checker.report.json import encode

    try:
        with models_code(), Elapsed(sys.stderr) as show:
            found, of = watch(path, lambda header: object_ or named(header), lag_s, idle_s, memory_bytes_max, show)
    except HistoryError as error:
        return fail(str(error), ExitStatus.FAULTY_MODEL)
    emit(lambda: sys.stdout.write(encode(document(path, of, found)) if format == "json" else report(path, of, found) + "\n"))
    return ExitStatus[found.verdict.name]


def _show(show: Callable[[str], None], where: str, what: str) -> None:
    show(where + what)


def _interrupted(answers: Sequence[Decided | Refused]) -> bool:
    from scrutator.checker.report.lin_found import Decided

    last = answers[-1]
    return isinstance(last, Decided) and any("interrupt" in (part.limit or "") for part in last.found.parts)


def _print(answers: Sequence[Decided | Refused], files: Files, format: Format) -> None:
    from scrutator.checker.report.lin_found import Decided, Refused, gravest

    def show() -> None:
        if format == "json":
            from scrutator.checker.report.json import encode
            from scrutator.checker.report.lin_json import lin_document

            sys.stdout.write(encode(lin_document(answers, files.skipped, gravest(answers))))
            return
        from scrutator.checker.report.layout import console_for
        from scrutator.checker.report.lin_text import print_histories, print_history, print_skipped

        console = console_for(sys.stdout)
        if len(files.paths) > 1:
            print_histories(console, answers)
        else:
            for answer in answers:
                if isinstance(answer, Decided):
                    print_history(console, answer)
        print_skipped(console, files.skipped)

    emit(show)
    for answer in answers:
        if isinstance(answer, Refused):
            fail(answer.message, answer.status)


def _timelines(paths: Sequence[str], html: Path | None) -> list[Path | None]:
    """Where the timeline of each history goes."""
    if html is None:
        return [None for _ in paths]
    if len(paths) == 1 and not html.is_dir():
        return [html]
    try:
        html.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--html {html}: several histories need a folder: {error.strerror or error}") from error
    names: dict[str, None] = {}
    for path in paths:
        stem = name = path.strip("./").replace("/", "-")
        number = 1
        while name in names:
            number += 1
            name = f"{stem}-{number}"
        names[name] = None
    return [html / f"{name}.html" for name in names]
