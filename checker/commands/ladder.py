"""`scrutator ladder`: designs from one machine to Naive Raft, each with how it breaks, checked and played.

Law: knows no rung by its name; a new rung is a new file in `model/ladder` and one in `impl/ladder`.  Decides nothing
itself; results go to standard output, progress and mistakes to standard error.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Group, Parameter

from scrutator.checker.commands.shared import Format, UsageError, emit, require_known, require_place

if TYPE_CHECKING:
    from scrutator.checker.ladder import LadderFound

SEEDS = 400  # where nothing should break
SEEDS_MAX = 10_000_000

_WHAT = Group("What to run", sort_key=1)
_HOW = Group("How much", sort_key=2)
_OUTPUT = Group("Output", sort_key=3)


def ladder(
    *names: Annotated[str, Parameter(name="RUNG", group=_WHAT)],
    seeds: Annotated[int, Parameter(group=_HOW)] = SEEDS,
    workers: Annotated[int | None, Parameter(group=_HOW)] = None,
    format: Annotated[Format, Parameter(group=_OUTPUT)] = "text",
    html: Annotated[Path | None, Parameter(group=_OUTPUT)] = None,
    docs: Annotated[Path | None, Parameter(group=_OUTPUT)] = None,
) -> int:
    """Climb the ladder: each design with what it keeps and how it breaks, found by exploring its model and playing its implementation.

    Without a RUNG all are run, and a table says what was found; with one, it is told as a story. Every claim of a rung
    is checked twice: the model is explored, and the implementation is played in a simulated world from seeds, its
    clients' histories judged by the linearizability checker. Exit status 1 if a claim is not confirmed or
    the two disagree, 3 if not all was run.

    Parameters
    ----------
    names
        Rungs, as `scrutator list` shows them without `ladder/`; all by default.
    seeds
        Seeds to play where nothing should break. Where something should, more are tried until it does.
    workers
        Processes; what is found does not depend on them.
    format
        Text for people, JSON for programs.
    html
        Write the rungs as a page, with a picture of each run, to this file.
    docs
        Write the rungs as Markdown with pictures beside it into this folder.
    """
    from scrutator.model.ladder import rungs

    for option, value in (("--seeds", seeds), ("--workers", 1 if workers is None else workers)):
        if value < 1:
            raise UsageError(f"{option} {value}: at least 1")
    if seeds > SEEDS_MAX:
        raise UsageError(f"--seeds {seeds}: at most {SEEDS_MAX:,}")
    names = tuple(name.removeprefix("ladder/") for name in names)
    require_known("rung", names, [rung.name for rung in rungs()], None)
    chosen = [rung for rung in rungs() if not names or rung.name in names]
    if html is not None:
        require_place(html, "cannot write the page to")
    if docs is not None:
        _require_folder(docs)

    from scrutator.checker.commands.ladder_run import run_rungs, workers_by_default

    found = run_rungs(chosen, seeds=seeds, workers=workers or workers_by_default(), shown=bool(names or html or docs or format == "json"))
    written = _write(found, html, docs)

    def show() -> None:
        if format == "json":
            from scrutator.checker.report.json import encode
            from scrutator.checker.report.ladder_json import document

            sys.stdout.write(encode(document(found)))
            return
        from scrutator.checker.report.ladder_text import print_ladder
        from scrutator.checker.report.layout import console_for

        print_ladder(console_for(sys.stdout), found, told=bool(names))
        for line in written:
            print(line)

    emit(show)
    return found.exit_status


def _require_folder(docs: Path) -> None:
    """Say before the run, not after it, that the pages cannot be written there; a folder that is not there yet will be made."""
    there = next(place for place in (docs, *docs.absolute().parents) if place.exists())
    if not there.is_dir():
        raise UsageError(f"cannot write the pages into {docs}: {there} is a file")
    if not os.access(there, os.W_OK):
        raise UsageError(f"cannot write the pages into {docs}: you may not write in {there}")


def _write(found: LadderFound, html: Path | None, docs: Path | None) -> list[str]:
    """Write what was asked for, and say where it is."""
    lines = []
    try:
        if html is not None:
            from scrutator.checker.report.ladder_page import write_page

            write_page(found, html)
            lines.append(f"\nThe page is in {html}.")
        if docs is not None:
            from scrutator.checker.report.ladder_docs import write_docs

            count = write_docs(found, docs)
            lines.append(f"\n{count} files are in {docs}.")
    except OSError as error:
        raise UsageError(f"cannot write {error.filename}: {error.strerror or error}") from error
    return lines
