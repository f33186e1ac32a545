"""`scrutator replay`: a saved counterexample, step by step on its model, or a saved run on its core."""

from __future__ import annotations

import sys
from pathlib import Path

from scrutator.checker.commands.shared import UsageError, emit, models_code
from scrutator.checker.verdict import ExitStatus


def replay(file: Path, /) -> int:
    """Replay a saved counterexample on its model, or a saved run on its core; exits 0 if it still is one.

    Parameters
    ----------
    file
        What `scrutator check --out` or `scrutator simulate --out` saved.
    """
    from scrutator.checker.commands.scenario import is_scenario, replay_scenario

    if is_scenario(file):
        return replay_scenario(file)
    from scrutator.checker.explore.trace import ReplayError
    from scrutator.checker.explore.trace import replay as replay_trace
    from scrutator.checker.report.layout import console_for, put
    from scrutator.checker.report.text import print_trace

    try:
        with models_code():
            replayed = replay_trace(file)
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror or error}") from error
    except ReplayError as error:
        raise UsageError(str(error)) from error

    def show() -> None:
        console = console_for(sys.stdout)
        if replayed.trace is not None:
            print_trace(console, replayed.trace, what="saved trace" if replayed.ok else "part that replays")
        for line in replayed.text:
            put(console, line, indent=2)

    emit(show)
    return ExitStatus.HOLDS if replayed.ok else ExitStatus.VIOLATED
