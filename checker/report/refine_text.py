"""A refinement as text: the verdict, which steps are which, and the behaviour that refutes it.

Law: everything that limits the verdict is printed with it.  Reads results, decides nothing.
"""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from scrutator.checker.refine.result import AbstractStep, RefineResult, Refutation
from scrutator.checker.report.clean import clean
from scrutator.checker.report.layout import (
    duration,
    listed,
    new_table,
    plural,
    put,
    put_paragraphs,
    rate,
    size,
)
from scrutator.checker.report.text import STYLES, collision_text, put_headline
from scrutator.checker.verdict import Verdict


def print_refinement(console: Console, result: RefineResult) -> None:
    """Print the verdict with its scope, the table of steps, and the refutation."""
    _print_head(console, result)
    _print_table(console, result)
    if result.never and result.verdict is not Verdict.VIOLATED:
        put(console, f"Never taken in {clean(result.abstract)}: {clean(listed(result.never))}.", indent=2, style="yellow")
    if result.vacuous:
        console.print()
        put(console, f"VACUOUS {_name(result)}", style="bold red")
        for what in result.vacuous:
            put(console, f"{what}: a mapping to a state that never changes refines everything.", indent=2)
    if result.refutation is not None:
        _print_refutation(console, result, result.refutation)


def _name(result: RefineResult) -> str:
    return clean(f"{result.model}, mutant {result.mutant}" if result.mutant else result.model)


def _print_head(console: Console, result: RefineResult) -> None:
    verb = {Verdict.HOLDS: "refines", Verdict.VIOLATED: "does not refine", Verdict.UNKNOWN: "may refine"}[result.verdict]
    head = Text(result.verdict.name, style=STYLES[result.verdict])
    head.append(f" {_name(result)} {verb} {clean(result.abstract)}", style="bold")
    put(console, head)
    if result.verdict is not Verdict.VIOLATED:
        put(console, f"{clean(result.scope)}.", indent=2)
    else:
        put(console, f"With {_bounds(result.bounds)}, of {clean(result.abstract)} with {_bounds(result.abstract_bounds)}.", indent=2)
    put_paragraphs(console, f"Mapping {result.mapping}: {result.doc}" if result.doc else f"Mapping {result.mapping}.", indent=2)
    counts = [plural(result.distinct, "distinct state"), f"{plural(result.steps, 'step')} followed", f"depth {result.depth}"]
    how = [f"{result.engine} engine", "breadth-first", plural(result.workers, "worker"), duration(result.seconds)]
    if result.seconds > 0:
        how.append(f"{rate(result.steps / result.seconds)} steps/s")
    if result.memory_bytes_peak:
        how.append(f"peak memory {size(result.memory_bytes_peak)}")
    if result.collision_odds > 0:
        how.append(f"odds of a missed state {collision_text(result.collision_odds)}")
    put(console, "; ".join([*counts, *how]), indent=2, style="dim")


def _bounds(bounds: tuple[tuple[str, str], ...]) -> str:
    return clean(listed(f"{name}={value}" for name, value in bounds)) or "its fixed bounds"


def _print_table(console: Console, result: RefineResult) -> None:
    if not result.followed:
        return
    table = new_table()
    table.add_column(f"action of {clean(result.model)}", overflow="fold")
    table.add_column(f"is, in {clean(result.abstract)}", overflow="fold")
    table.add_column("times", justify="right", no_wrap=True)
    previous = None
    for followed in result.followed:
        name = "" if followed.action == previous else clean(followed.action)
        abstract = Text(clean(followed.abstract)) if followed.abstract else Text("none", style="dim")
        table.add_row(Text(name), abstract, f"{followed.count:,}")
        previous = followed.action
    console.print(table)


# --- the refutation -----------------------------------------------------------------------


def _print_refutation(console: Console, result: RefineResult, found: Refutation) -> None:
    console.print()
    if found.is_initial:
        put(console, f"This initial state of {_name(result)} stands for no initial state of {clean(result.abstract)}:", style="bold")
    else:
        shortest = ", the shortest there is" if found.trace.shortest else ""
        what = f"The behaviour takes {plural(len(found.trace), 'step')}{shortest}; under each, what it is in {clean(result.abstract)}, which stands still where it is none:"
        put(console, what, indent=2)
    for number, step in enumerate(found.trace.steps):
        put_headline(console, number, step, step.label)
        for change in step.changes or (() if number == 0 else ("nothing changes",)):
            put(console, change, indent=12)
        if 0 < number <= len(found.images):
            _print_image(console, found.images[number - 1])
    _print_why(console, result, found)


def _print_image(console: Console, image: AbstractStep | None) -> None:
    if image is None:
        put(console, "= none", indent=12, style="dim")
        return
    put(console, f"= {clean(image.label)}", indent=12, style="cyan")
    for change in image.changes:
        put(console, change, indent=16, style="dim")


def _print_why(console: Console, result: RefineResult, found: Refutation) -> None:
    abstract = clean(result.abstract)
    what = f"stands for no initial state of {abstract}" if found.is_initial else f"is no step of {abstract}"
    put(console, what, indent=12, style="bold red")
    console.print()
    if found.before:
        put(console, f"In {abstract}, the state before stands for:", indent=2)
        _print_state(console, found.before)
    same = dict(found.before)
    put(console, "The state after stands for the same, except for:" if found.before else f"In {abstract}, it stands for:", indent=2)
    _print_state(console, tuple((name, value) for name, value in found.after if same.get(name) != value))
    if found.changes:
        put(console, "What changes is:", indent=2)
    for change in found.changes:
        put(console, change, indent=6, style="bold")
    for refusing in found.refusing:
        put(console, f"{clean(refusing.label)} is that step, but refuses:", indent=2)
        for guard in refusing.guards:
            put(console, clean(guard), indent=6)
    _print_nearest(console, abstract, found)


def _print_state(console: Console, fields: tuple[tuple[str, str], ...]) -> None:
    for name, value in fields:
        put(console, f"{name} = {clean(value)}", indent=6)


def _print_nearest(console: Console, abstract: str, found: Refutation) -> None:
    if not found.nearest:
        put(console, f"There, {abstract} can take no step at all.", indent=2)
        return
    kind = f"has {plural(found.enabled, 'initial state')}" if found.is_initial else f"can take {plural(found.enabled, 'step')} there"
    put(console, f"{abstract} {kind}; nearest:", indent=2)
    for near in found.nearest:
        put(console, f"{clean(near.label)}, and then still", indent=6)
        for change in near.missing:
            put(console, clean(change), indent=10)
