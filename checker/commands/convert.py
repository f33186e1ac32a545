"""`scrutator convert`: a history from any format that is read to one that is written.

Law: a file that exists is kept unless the user says otherwise, and no file is left half
written.  What the target cannot express is refused, never left out.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from scrutator.checker.commands.lin import Source
from scrutator.checker.commands.lin_files import STDIN, STDIN_PATH
from scrutator.checker.commands.shared import UsageError, emit, fail, refuse_options
from scrutator.checker.verdict import ExitStatus

if TYPE_CHECKING:
    from scrutator.checker.linear.history import History


def convert(
    file: Annotated[str, Parameter(allow_leading_hyphen=True)],
    out: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    source: Annotated[Source | None, Parameter(name="--from")] = None,
    target: Annotated[Literal["scrutator-lines"], Parameter(name="--to")] = "scrutator-lines",
    by: Literal["key", "whole"] | None = None,
    force: bool = False,
) -> int:
    """Write a recorded history in another format.

    Parameters
    ----------
    file
        The history, or - for standard input.
    out
        The file to write, or - for standard output.
    source
        The format of the history, if it should not be told from its content.
    target
        The format to write.
    by
        In Jepsen's files, whether values are [key value] of independent objects, or whole values of one.
    force
        Overwrite a file that exists.
    """
    refuse_options((file, out))
    if out != STDIN and os.path.isdir(out):
        raise UsageError(f"{out} is a folder: name the file to write")
    if out != STDIN and os.path.isfile(out) and not force:
        raise UsageError(f"{out} exists; add --force to overwrite it")

    from scrutator.checker.linear.formats import read
    from scrutator.checker.linear.history import HistoryError

    try:
        history = read(STDIN_PATH if file == STDIN else file, source, keyed=None if by is None else by == "key")
    except HistoryError as error:
        message = str(error).replace("keyed=True or keyed=False", "--by key or --by whole")
        return fail(message, ExitStatus.FAULTY_MODEL)
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror or error}") from error
    _write(history, out, target)
    say = sys.stderr if out == STDIN else sys.stdout
    counts = f"{len(history):,} operations, {history.pending:,} of them pending, from {file} to {out} as {target}"
    emit(lambda: print(counts, file=say))
    return ExitStatus.HOLDS


def _write(history: History, out: str, target: str) -> None:
    """Write to a file of its own first: what cannot be written must not cost what is there."""
    from scrutator.checker.linear.formats import write

    plain = out != STDIN and (os.path.isfile(out) or not os.path.exists(out))
    folder = Path(out).absolute().parent if plain else None
    try:
        with tempfile.TemporaryDirectory(prefix=".scrutator-", dir=folder) as scratch:
            written = Path(scratch) / "history"
            try:
                write(history, written)
            except (TypeError, ValueError) as error:
                raise UsageError(f"{history.source} cannot be written as {target}: {error}") from error
            if plain:
                with contextlib.suppress(FileNotFoundError):
                    shutil.copymode(out, written)
                os.replace(written, os.path.realpath(out))
            elif out == STDIN:
                emit(lambda: _copy(written))
            else:  # a pipe or a device
                with open(written, "rb") as source, open(out, "wb") as sink:
                    shutil.copyfileobj(source, sink)
    except OSError as error:
        raise UsageError(f"{out}: {error.strerror or error}") from error


def _copy(written: Path) -> None:
    with open(written, "rb") as source:
        shutil.copyfileobj(source, sys.stdout.buffer)
    sys.stdout.buffer.flush()
