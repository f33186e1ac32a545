"""Runs that were kept: what `scrutator simulate --out` wrote, read and run again.

Law: a file is data: nothing in it is evaluated, every field is checked, and it is limited in size.
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from scrutator.checker.commands.shared import UsageError, emit
from scrutator.checker.verdict import ExitStatus

FORMAT, VERSION = "scrutator-scenario", 1
BYTES_MAX = 64 << 20
SECONDS_MAX = 1_000_000  # simulated


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """A run: its setup, its tape, and what it broke when it was kept."""

    format: str
    version: int
    protocol: str
    nodes: int
    faults: str
    mutant: str | None
    seconds: int
    seed: int | None
    breaks: str
    how: str
    tape: list[int]


def is_scenario(path: Path) -> bool:
    """Whether a file seems to be one; what cannot be read is not."""
    try:
        with path.open("rb") as file:
            return FORMAT.encode() in file.read(200)
    except OSError:
        return False


def read_scenario(path: Path) -> Scenario:
    """The run that a file holds; raises `UsageError`, saying what is wrong with it."""
    try:
        if path.stat().st_size > BYTES_MAX:
            raise UsageError(f"{path}: larger than {BYTES_MAX:,} bytes, not a run")
        found = msgspec.json.decode(path.read_bytes(), type=Scenario)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise UsageError(f"{path}: not a run that `scrutator simulate --out` kept: {error}") from None
    if found.format != FORMAT or found.version != VERSION:
        raise UsageError(f"{path}: version {found.version} of {found.format}; this scrutator reads version {VERSION} of {FORMAT}")
    if found.protocol != "raft":
        raise UsageError(f"{path}: there is no protocol {found.protocol!r}: only raft is simulated")
    if any(choice < 0 for choice in found.tape) or not 1 <= found.nodes <= 9 or not 1 <= found.seconds <= SECONDS_MAX:
        raise UsageError(f"{path}: choices are 0 or more, nodes 1 to 9, seconds 1 to {SECONDS_MAX:,}")
    return found


def replay_scenario(path: Path) -> ExitStatus:
    """Run it again and tell what happens; HOLDS if it breaks what it broke."""
    from scrutator.checker.commands.shared import require_known
    from scrutator.checker.commands.simulate_seeds import Work, replayed
    from scrutator.checker.report.layout import console_for, put
    from scrutator.checker.report.simulate_text import print_story
    from scrutator.impl.sim.mutants import MUTANTS

    kept = read_scenario(path)
    require_known("mutant", [] if kept.mutant is None else [kept.mutant], list(MUTANTS), kept.protocol)
    work = Work(kept.protocol, kept.nodes, kept.faults, kept.mutant, kept.seconds)
    try:
        work.setup()
    except ValueError as error:
        raise UsageError(f"{path}: {error}") from None
    judged = replayed(work, kept.tape, tell=True)
    same = judged.violation is not None and judged.violation.invariant == kept.breaks

    def show() -> None:
        console = console_for(sys.stdout)
        print_story(console, judged)
        console.print()
        if judged.violation is None:
            put(console, f"Nothing is broken any more; it broke {kept.how}")
        else:
            put(console, f"It {'still breaks' if same else f'no longer breaks {kept.breaks}, but'} {judged.violation}")

    emit(show)
    return ExitStatus.HOLDS if same else ExitStatus.VIOLATED
