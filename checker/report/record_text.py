"""What was recorded, as text: the verdict in a line, what it rests on, and where everything lies.

Law: reads results, decides nothing.  A run whose clients got little done, or whose faults failed, says so: a
verdict that holds because nothing happened is worth nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from scrutator.checker.report.layout import duration, listed, plural, put
from scrutator.checker.report.lin_found import Decided, Refused
from scrutator.checker.report.lin_text import print_history
from scrutator.checker.verdict import Verdict

if TYPE_CHECKING:
    from scrutator.impl.cluster.record.run import Run

_STYLES = {Verdict.HOLDS: "green", Verdict.VIOLATED: "bold red", Verdict.UNKNOWN: "yellow"}
ERRORS_SHOWN_MAX = 3


def print_run(console: Console, run: Run, answer: Decided | Refused, folder: Path) -> None:
    """Everything about one run."""
    verdict = answer.found.verdict if isinstance(answer, Decided) else Verdict.UNKNOWN
    put(console, Text.assemble((verdict.name, _STYLES[verdict]), " ", (_name(run), "bold"), f": {_scope(run)}"))
    put(console, _exercised(run), indent=2)
    for warning in _warnings(run):
        put(console, warning, indent=2, style="yellow")
    if isinstance(answer, Decided) and verdict is Verdict.HOLDS:
        found = answer.found
        put(console, f"Decided in {plural(len(found.parts), 'part')} by {listed(found.engines)} in {duration(found.seconds)}.", indent=2)
        if answer.timeline is not None:
            put(console, f"The timeline is in {answer.timeline}", indent=2)
    elif isinstance(answer, Decided):
        console.print()
        print_history(console, answer)
        console.print()
    put(console, f"The run is in {folder}: history.jsonl, faults.jsonl, run.json, nodes/", indent=2 if verdict is Verdict.HOLDS else 0)


def _name(run: Run) -> str:
    plan = run.plan
    options = ", ".join(value if name == "mutant" else f"{name}={value}" for name, value in plan.options.items())
    return f"{plan.target}{f' ({options})' if options else ''}, {plural(plan.nodes, 'node')}, {plan.workload}"


def _scope(run: Run) -> str:
    counts = run.counts
    injected = ", ".join(f"{count} {kind}" for kind, count in counts.faults.items())
    faults = f"{plural(sum(counts.faults.values()), 'fault')} ({injected})" if injected else "no faults"
    pending = f"{counts.unknown:,} of them pending"
    return f"{plural(counts.operations, 'operation')}, {pending}, under {faults}, seed {run.plan.seed}"


def _exercised(run: Run) -> str:
    counts = run.counts
    methods = ", ".join(f"{count:,} {method}" for method, count in counts.by_method.items()) or "nothing"
    rest = f"{counts.refused:,} more refused; {plural(counts.keys, 'key')}; {plural(run.plan.clients, 'client')} for {duration(run.seconds)}"
    return f"Returned: {methods}; {rest}."


def _warnings(run: Run) -> list[str]:
    counts = run.counts
    found = ["Interrupted: this is what there was until then."] if run.interrupted else []
    if counts.unknown >= counts.operations:
        found.append("No operation returned, which says nothing about the system.")
    if counts.keys_not_read_at_the_end:
        found.append(f"{plural(counts.keys_not_read_at_the_end, 'last read')} got no answer after all faults were healed.")
    if run.plan.faults and not counts.faults:
        found.append("No fault was injected: the run was too short.")
    found += _first(run.node_problems)
    found += _first([f"A fault went wrong: {error}" for error in run.fault_errors])
    if found:
        found += _first([f"Clients met {count:,} times: {error}" for error, count in run.client_errors.items()])
    return found


def _first(said: list[str]) -> list[str]:
    """A few of them, and how many more there are."""
    more = len(said) - ERRORS_SHOWN_MAX
    return said if more <= 0 else [*said[:ERRORS_SHOWN_MAX], f"and {more:,} more; see run.json"]
