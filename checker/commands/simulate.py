"""`scrutator simulate`: a real core in a simulated world, from seeds, under every fault there is.

Law: decides nothing itself; results go to standard output, progress and mistakes to standard error.  The
verdict does not depend on the number of workers: the first failing seed is the lowest.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Group, Parameter

from scrutator.checker.commands.shared import Format, UsageError, emit, require_known, require_place

SEEDS_MAX = 10_000_000
SECONDS_MAX = 1_000_000

_WHAT = Group("What to run", sort_key=1)
_HOW = Group("How much", sort_key=2)
_OUTPUT = Group("Output", sort_key=3)


def simulate(
    *,
    protocol: Annotated[Literal["raft"], Parameter(group=_WHAT)] = "raft",
    nodes: Annotated[int, Parameter(group=_WHAT)] = 5,
    faults: Annotated[str, Parameter(group=_WHAT)] = "swarm",
    mutant: Annotated[str | None, Parameter(group=_WHAT)] = None,
    seeds: Annotated[int, Parameter(group=_HOW)] = 1000,
    first_seed: Annotated[int, Parameter(group=_HOW)] = 0,
    seed: Annotated[int | None, Parameter(group=_HOW)] = None,
    seconds: Annotated[int, Parameter(name="--seconds-simulated", group=_HOW)] = 30,
    workers: Annotated[int | None, Parameter(group=_HOW)] = None,
    timeout_s: Annotated[float | None, Parameter(group=_HOW)] = None,
    shrink: Annotated[bool, Parameter(negative="--no-shrink", group=_OUTPUT)] = True,
    out: Annotated[Path | None, Parameter(group=_OUTPUT)] = None,
    format: Annotated[Format, Parameter(group=_OUTPUT)] = "text",
) -> int:
    """Run a protocol's core in a simulated world of faults, and judge what its clients saw.

    Each seed is a cluster with clients: first under faults drawn from the seed, then healed, whereupon all must
    be well again. After every step the protocol's invariants are checked; the history of the clients must be
    linearizable. The first failing seed is made as small as it gets, told, and kept for `scrutator replay`.

    Parameters
    ----------
    protocol
        Whose core.
    nodes
        Servers at the beginning; some seeds take 3 or 4 of them instead.
    faults
        Swarm draws from the seed which there are; none; or of kill, pause, partition, isolate, network, disk,
        clock, membership and transfer, with commas between.
    mutant
        Run this broken variant; a name that does not exist lists them.
    seeds
        How many seeds to run.
    first_seed
        The first of them.
    seed
        Run only this one, and tell what happened.
    seconds
        Simulated seconds under faults.
    workers
        Processes; the verdict does not depend on them.
    timeout_s
        Start no more seeds after so many seconds.
    shrink
        Make a failing run small.
    out
        Keep the failing run in this file, for `scrutator replay`.
    format
        Text for people, JSON for programs.
    """
    for option, value, least in (("--nodes", nodes, 1), ("--seeds", seeds, 1), ("--first-seed", first_seed, 0), ("--seconds-simulated", seconds, 1), ("--workers", 1 if workers is None else workers, 1), ("--seed", seed or 0, 0)):
        if value < least:
            raise UsageError(f"{option} {value}: at least {least}")
    if timeout_s is not None and not timeout_s > 0:
        raise UsageError(f"--timeout-s {timeout_s:g}: more than 0")
    for option, value, most in (("--seeds", seeds, SEEDS_MAX), ("--seconds-simulated", seconds, SECONDS_MAX)):
        if value > most:
            raise UsageError(f"{option} {value}: at most {most:,}")
    if out is not None:
        require_place(out, "cannot keep the run in")
    if nodes > 9:
        raise UsageError(f"--nodes {nodes}: at most 9 are simulated")

    from scrutator.checker.commands.simulate_seeds import Work, run_seeds
    from scrutator.impl.sim.mutants import MUTANTS

    require_known("mutant", [] if mutant is None else [mutant], list(MUTANTS), protocol)
    work = Work(protocol, nodes, faults, mutant, seconds)
    try:
        work.setup()
    except ValueError as error:
        raise UsageError(f"--faults {faults}: {error}") from None
    chosen = range(first_seed, first_seed + seeds) if seed is None else range(seed, seed + 1)
    found = run_seeds(work, chosen, workers=workers, timeout_s=timeout_s, shrink=shrink)
    if out is not None and found.failing is not None:
        _keep(out, found.scenario())

    def show() -> None:
        if format == "json":
            from scrutator.checker.report.json import encode
            from scrutator.checker.report.simulate_json import document

            sys.stdout.write(encode(document(found, out)))
        else:
            from scrutator.checker.report.layout import console_for
            from scrutator.checker.report.simulate_text import print_found

            print_found(console_for(sys.stdout), found, out)

    emit(show)
    return found.exit_status


def _keep(path: Path, text: str) -> None:
    try:
        path.write_text(text)
    except OSError as error:
        raise UsageError(f"cannot keep the run in {path}: {error.strerror or error}") from error


