"""The command ``scrutator``: puts the subcommands together, runs one, and exits.

Law: results go to standard output, progress and errors to standard error, and the exit
status always tells which of six things happened (see `ExitStatus`).  Decides nothing
itself.  Nothing heavy is imported before it is used: ``--help`` must stay instant.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from cyclopts import App, CycloptsError, Parameter

import scrutator
from scrutator.checker.commands.check import check
from scrutator.checker.commands.cluster import cluster
from scrutator.checker.commands.convert import convert
from scrutator.checker.commands.ladder import ladder
from scrutator.checker.commands.lin import lin
from scrutator.checker.commands.models import list_models
from scrutator.checker.commands.quorum import quorum
from scrutator.checker.commands.record import record
from scrutator.checker.commands.refine import refine
from scrutator.checker.commands.replay import replay
from scrutator.checker.commands.shared import UsageError, emit, fail, silence
from scrutator.checker.commands.simulate import simulate
from scrutator.checker.verdict import ExitStatus

EPILOGUE = (
    "Exit status: 0 every property, history or rule holds, 1 one is violated, 2 wrong usage, "
    "3 unknown (a limit was reached), 4 the model is faulty or vacuous, or the file malformed, "
    "70 a bug in scrutator."
)

app = App(
    name="scrutator",
    help="Scrutinise consensus: check models of replicated protocols, histories recorded of real ones, quorums, and cores in a simulated world.",
    help_epilogue=EPILOGUE,
    help_format="plaintext",
    version=scrutator.__version__,
    suppress_keyboard_interrupt=False,
    default_parameter=Parameter(negative=(), show_default=False),
)
app.command(check)
app.command(refine)
app.command(lin)
app.command(quorum)
app.command(convert)
app.command(list_models, name="list")
app.command(ladder)
app.command(simulate)
app.command(replay)
app.command(cluster)
app.command(record)


@app.command
def version() -> int:
    """Print the version."""
    emit(lambda: print(scrutator.__version__))
    return ExitStatus.HOLDS


def main() -> NoReturn:
    """The entry point."""
    # Closed by whoever called (``>&-``): Python has none then, and the next file that is opened would take its number.
    nowhere = open(os.devnull, "w") if None in (sys.stdout, sys.stderr) else None  # noqa: SIM115
    sys.stdout, sys.stderr = sys.stdout or nowhere, sys.stderr or nowhere
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    sys.exit(int(run(sys.argv[1:])))


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit status; every failure becomes a message and a status."""
    try:
        status = app(list(arguments), exit_on_error=False, print_error=True, result_action="return_value")
        emit(sys.stdout.flush)
        return int(status or 0)
    except CycloptsError:  # already printed
        return ExitStatus.USAGE
    except UsageError as error:
        return fail(str(error), ExitStatus.USAGE)
    except KeyboardInterrupt:
        return fail("interrupted", ExitStatus.UNKNOWN)
    except BrokenPipeError:
        silence(sys.stdout)
        return ExitStatus.UNKNOWN
    except Exception as error:
        return _explain(error)


def _explain(error: Exception) -> int:
    from scrutator.model.language import ModelError, SpecError
    from scrutator.model.quorums import QuorumError
    from scrutator.model.quorums.files.errors import FileError

    if isinstance(error, FileError):
        return fail(str(error), ExitStatus.FAULTY_MODEL)
    if isinstance(error, (SpecError, QuorumError)):
        return fail(str(error), ExitStatus.USAGE)
    if isinstance(error, ModelError):
        return fail(f"the model is faulty: {error}", ExitStatus.FAULTY_MODEL)
    import traceback

    traceback.print_exception(error)
    message = (
        "this is a bug in scrutator, not in what it was given: please report it with the lines above and the command"
    )
    return fail(message, ExitStatus.INTERNAL_ERROR)
