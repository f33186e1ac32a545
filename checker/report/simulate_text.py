"""What a simulation found, as text: the verdict with its scope, what was exercised, and a failing run as a story.

Law: reads what was found, decides nothing; what clients and servers are called is cleaned.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from scrutator.checker.report.clean import clean_lines
from scrutator.checker.report.layout import duration, new_table, plural, put
from scrutator.checker.verdict import Verdict

if TYPE_CHECKING:
    from scrutator.checker.commands.simulate_seeds import Found, Judged

_STYLES = {Verdict.HOLDS: "green", Verdict.VIOLATED: "bold red", Verdict.UNKNOWN: "yellow"}
LINES_MAX = 400  # of a story
AROUND_S = 4.0


def print_found(console: Console, found: Found, out: Path | None) -> None:
    """Everything; of a run by itself, its story."""
    name = found.work.protocol + (f", mutant {found.work.mutant}" if found.work.mutant else "")
    broken = "" if found.failing is None or found.failing.violation is None else f": {found.failing.violation.invariant}"
    put(console, Text.assemble((found.verdict.name, _STYLES[found.verdict]), " ", (name, "bold"), broken))
    put(console, found.scope[0].upper() + found.scope[1:] + ".", indent=2)
    if found.limit is not None:
        put(console, f"Not all of {len(found.asked):,} seeds: {found.limit}.", indent=2, style="yellow")
    if found.total.undecided:
        put(console, f"{plural(found.total.undecided, 'history')} not decided in time.", indent=2, style="yellow")
    _print_total(console, found)
    if found.failing is not None:
        console.print()
        print_failing(console, found, out)
    elif found.told is not None:
        print_story(console, found.told)


def _print_total(console: Console, found: Found) -> None:
    total = found.total
    ratio = total.simulated_s / found.elapsed_s if found.elapsed_s else 0.0
    put(
        console,
        f"{total.simulated_s:,.0f} simulated seconds in {duration(found.elapsed_s)}, {ratio:,.0f} times as fast as real time; "
        f"{total.events:,} events, {total.messages:,} messages, {total.operations:,} operations of clients; "
        f"all well again {total.healed_s_max:.1f} s after the faults at the latest.",
        indent=2,
    )
    if found.failing is not None:
        return
    table = new_table()
    table.add_column("what happened")
    table.add_column("times", justify="right")
    for what, count in sorted(total.counts.items(), key=lambda item: (-item[1], item[0])):
        table.add_row(Text(what), f"{count:,}")
    console.print()
    console.print(table)


def print_failing(console: Console, found: Found, out: Path | None) -> None:
    """The first failing run."""
    failing = found.failing
    assert failing is not None and failing.violation is not None
    put(console, f"Seed {found.seed} breaks {failing.violation}", style="bold")
    left = failing.harm
    if left < found.harm_before:
        put(console, f"Made small: of {found.harm_before:,} choices that were not the most benign, {left:,} are left.", indent=2)
    else:
        put(console, f"As it was drawn, with {left:,} choices that are not the most benign.", indent=2)
    print_story(console, failing)
    where = f"The run is in {out}; replay it: scrutator replay {out}" if out else "To keep and replay it: add --out run.json, then scrutator replay run.json"
    console.print()
    put(console, where)


def print_story(console: Console, judged: Judged) -> None:
    """What happened, around the violation if there is one."""
    from scrutator.impl.sim.story import told

    at = None if judged.violation is None or len(judged.run.story) <= LINES_MAX else judged.violation.at_us
    console.print()
    lines = clean_lines(told(judged.run.story, at, AROUND_S))
    if len(lines) > LINES_MAX:
        put(console, f"({len(lines) - LINES_MAX:,} lines before are left out; --format json has all of a failing run)", indent=2, style="dim")
    for line in lines[-LINES_MAX:]:
        put(console, line, indent=2)
