"""Results as text: a table, what was violated and how, and what the verdict rests on.

Law: everything that limits a verdict is printed with it: its scope, truncations,
vacuity, the odds of a collision.  Reads results, decides nothing, and knows no engine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from scrutator.checker.explore.result import PropertyKind, PropertyResult, Result, Step, Trace
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
from scrutator.checker.verdict import Verdict

STYLES = {Verdict.HOLDS: "green", Verdict.VIOLATED: "bold red", Verdict.UNKNOWN: "yellow"}
_SEARCHES = {"bfs": "breadth-first", "dfs": "depth-first", "simulate": "random walks"}
_LEVELS_SHOWN_MAX = 24
_SCOPE_WIDTH_MAX = 60
_LAYOUTS: tuple[tuple[tuple[str, ...], int], ...] = (  # columns left out, width of the bounds
    ((), 60),
    (("scope",), 60),
    (("scope",), 28),
    (("scope", "bounds"), 0),
)


def print_results(
    console: Console, results: Sequence[Result], *, coverage: bool = False, witness: bool = False
) -> None:
    """Print the table of all results, then what needs saying about each."""
    _print_table(console, results)
    _print_basis(console, results)
    for result in results:
        _print_warnings(console, result)
        for found in result.properties:
            _print_property(console, result, found, witness=witness)
        if coverage:
            _print_coverage(console, result)
            _print_levels(console, result)


# --- the table ----------------------------------------------------------------------------


def _print_table(console: Console, results: Sequence[Result]) -> None:
    """The widest table that fits; what a narrower one leaves out follows as lines."""
    for left_out, bounds_width in _LAYOUTS:
        table = _table(results, left_out, bounds_width)
        if Measurement.get(console, console.options.update(max_width=10_000), table).maximum <= console.width:
            break
    console.print(table)
    for result in results if "scope" in left_out else ():
        if result.verdict is not Verdict.VIOLATED:
            put(console, f"{_name(result)}: {result.scope}", indent=2)
        elif "bounds" in left_out and result.bounds:
            put(console, f"{_name(result)}: with {_bounds(result)}", indent=2)


def _table(results: Sequence[Result], left_out: tuple[str, ...], bounds_width: int) -> Table:
    columns: tuple[tuple[str, bool, Callable[[Result], Text]], ...] = (
        ("model", False, _model_cell),
        ("bounds", False, lambda r: _folded(_bounds(r) or "none", bounds_width)),
        ("properties", True, lambda r: Text(str(len(r.properties)))),
        ("distinct states", True, lambda r: Text(f"{r.distinct:,}")),
        ("generated", True, lambda r: Text(f"{r.generated:,}")),
        ("depth", True, lambda r: Text(str(r.depth))),
        ("seconds", True, lambda r: Text(f"{r.seconds:.2f}")),
        ("verdict", False, _verdict_cell),
        ("scope", False, lambda r: _folded(clean(r.scope), _SCOPE_WIDTH_MAX)),
    )
    columns = tuple(c for c in columns if c[0] not in left_out)
    table = new_table()
    for header, right, _ in columns:
        title = header.replace("distinct states", "distinct\nstates") if "scope" in left_out else header
        fixed = right or header == "verdict"  # a folded number is misread; let names fold
        table.add_column(title, justify="right" if right else "left", overflow="fold", no_wrap=fixed)
    for result in results:
        table.add_row(*(cell(result) for _, _, cell in columns))
    return table


def _folded(text: str, width: int) -> Text:
    """Broken between words, so that one long cell does not stretch the table."""
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".lstrip()
    return Text("\n".join(lines))


def _name(result: Result) -> str:
    return clean(f"{result.model}, mutant {result.mutant}" if result.mutant else result.model)


def _model_cell(result: Result) -> Text:
    text = Text(clean(result.model))
    if result.mutant:
        text.append(f"\nmutant {clean(result.mutant)}")
    return text


def _verdict_cell(result: Result) -> Text:
    text = Text(result.verdict.name, style=STYLES[result.verdict])
    if result.vacuous and result.verdict is not Verdict.VIOLATED:
        text.append("\nvacuous", style="bold red")
    return text


def _bounds(result: Result) -> str:
    return listed(f"{name}={value}" for name, value in result.bounds)


# --- what the verdict rests on ------------------------------------------------------------


def _print_basis(console: Console, results: Sequence[Result]) -> None:
    """How it was explored, once where it is the same for all, and the odds that fingerprints deceived."""
    hows = [_how(result) for result in results]
    if len(set(hows)) == 1:
        put(console, "; ".join([hows[0], *(_cost(results[0]) if len(results) == 1 else ())]), indent=2, style="dim")
    if len(results) > 1:
        for how, result in zip(hows, results, strict=True):
            parts = [] if len(set(hows)) == 1 else [how]
            put(console, f"{_name(result)}: {'; '.join([*parts, *_cost(result)])}", indent=2, style="dim")


def _how(result: Result) -> str:
    parts = [f"{clean(result.engine)} engine", _SEARCHES.get(result.search, clean(result.search))]
    parts.append(plural(result.workers, "worker"))
    if result.symmetry:
        parts.append(f"symmetry over {listed(result.symmetry)}")
    if result.seed is not None:
        parts.append(f"seed {result.seed}")
    return "; ".join(parts)


def _cost(result: Result) -> list[str]:
    parts = []
    if result.seconds > 0:
        count, what = (result.generated, "steps") if result.search == "simulate" else (result.distinct, "distinct states")
        parts.append(f"{rate(count / result.seconds)} {what}/s")
    if result.compile_seconds:
        parts.append(f"compiled in {duration(result.compile_seconds)}")
    if result.memory_bytes_peak:
        parts.append(f"peak memory {size(result.memory_bytes_peak)}")
    if result.collision_odds > 0:
        parts.append(f"odds of a missed state {collision_text(result.collision_odds)}")
    return parts


def collision_text(odds: float) -> str:
    """The odds that two states shared a fingerprint and one went unexplored.

    >>> collision_text(4.6e-08)
    '1 in 22 million (4.6e-08)'
    """
    if odds >= 0.5:
        return f"{odds:.0%}: use --fingerprint-bits 128"
    inverse = 1 / odds
    for limit, unit in (
        (1e3, ""),
        (1e6, " thousand"),
        (1e9, " million"),
        (1e12, " billion"),
        (1e15, " trillion"),
    ):
        if inverse < limit:
            text = f"1 in {inverse / (limit / 1e3):.0f}{unit}"
            break
    else:
        return f"below 1 in 10^{len(str(int(inverse))) - 1}"
    advice = ": use --fingerprint-bits 128" if odds > 1e-3 else ""
    return f"{text} ({odds:.1e}){advice}"


def _print_warnings(console: Console, result: Result) -> None:
    """What the reader must know before trusting the verdict."""
    name = _name(result)
    if result.vacuous:
        console.print()
        put(console, f"VACUOUS {name}", style="bold red")
        put(
            console, "Nothing was learnt where nothing happens; widen the bounds or mend the model:", indent=2
        )
        for what in result.vacuous:
            put(console, what, indent=6, label="    -")
    if result.verdict is Verdict.UNKNOWN:
        console.print()
        put(console, f"UNKNOWN {name}", style="yellow")
        cut = "" if result.limit is None else f"Cut by {result.limit}: what lies beyond was never seen. "
        put(console, f"{cut}Not decided: {_undecided(result)}.", indent=2)
    if result.truncations and result.verdict is Verdict.VIOLATED:  # else the scope says so
        console.print()
        put(console, f"TRUNCATED {name}", style="yellow")
        for place, count in result.truncations:
            put(console, f"the capacity of {place} refused {plural(count, 'step')}", indent=2)


def _undecided(result: Result) -> str:
    names = (
        f"{p.name} ({p.note})" if p.note else p.name
        for p in result.properties
        if p.verdict is Verdict.UNKNOWN
    )
    return listed(names) or "what the unexplored states would show"


# --- properties and their traces ----------------------------------------------------------


def _print_property(console: Console, result: Result, found: PropertyResult, *, witness: bool) -> None:
    violated = found.verdict is Verdict.VIOLATED
    if not violated and not (witness and found.trace is not None):
        return
    unreached = violated and found.kind is PropertyKind.REACHABLE
    console.print()
    head = Text("UNREACHED" if unreached else found.verdict.name, style=STYLES[found.verdict])
    head.append(clean(f" {found.kind.value} {found.name}"), style="bold")
    head.append(f" of {_name(result)}")
    put(console, head)
    if found.doc:
        put_paragraphs(console, found.doc, indent=2)
    if found.note:
        put_paragraphs(console, found.note, indent=2)
    if unreached and not found.note:
        put(console, f"No state within the bounds is such ({_bounds(result) or 'none'}).", indent=2)
    if found.trace is not None:
        print_trace(console, found.trace, what="counterexample" if violated else "witness")


def print_trace(console: Console, trace: Trace, *, what: str) -> None:
    """Print a trace as numbered steps, each with its parameters and only what it changed."""
    shortest = ", the shortest there is" if trace.shortest else ""
    put(console, f"The {what} takes {plural(len(trace), 'step')}{shortest}:", indent=2)
    decided: set[tuple[str, tuple[str, ...]]] = set()  # said once, where they first decide
    for number, step in enumerate(trace.steps):
        put_headline(console, number, step, step.label)
        for change in step.changes or (() if number == 0 else ("nothing changes",)):
            put(console, change, indent=12)
        put_quorums(console, step, decided)


def put_headline(console: Console, number: int, step: Step, text: str) -> None:
    """A step's number, and what it is called."""
    said = Text(clean(text), style="bold")
    put(console, Text.assemble(("FAULT ", "bold magenta"), said) if step.fault else said, indent=8, label=f"{number:>6}.")


def put_quorums(console: Console, step: Step, said: set[tuple[str, tuple[str, ...]]]) -> None:
    """The quorums by which the step decides, unless they are among those that were ``said``, where they are now."""
    for name, nodes in (quorum for quorum in step.decided if quorum not in said):
        put(console, f"{name}: {{{', '.join(nodes)}}} is a quorum", indent=12, style="cyan")
    said.update(step.decided)


# --- coverage -----------------------------------------------------------------------------


def _print_coverage(console: Console, result: Result) -> None:
    table = new_table()
    table.add_column("action", overflow="fold")
    table.add_column("fired", justify="right")
    table.add_column("new states", justify="right")
    for action in result.actions:
        fired = f"{action.fired:,}" if action.fired else "never"
        table.add_row(
            Text(clean(action.name)), fired, f"{action.distinct:,}", style="" if action.fired else "yellow"
        )
    console.print()
    put(console, f"Coverage of {_name(result)}", style="bold")
    console.print(table)


def _print_levels(console: Console, result: Result) -> None:
    """A histogram of new states by depth; neighbouring depths share a bar where there are many."""
    if not result.levels:
        return
    per_bar = -(-len(result.levels) // _LEVELS_SHOWN_MAX)
    bars: list[tuple[str, int]] = []
    for start in range(0, len(result.levels), per_bar):
        group = result.levels[start : start + per_bar]
        last = start + len(group)
        bars.append((f"{start + 1}-{last}" if len(group) > 1 else str(last), sum(group)))
    names, counts = max(len(n) for n, _ in bars), max(len(f"{c:,}") for _, c in bars)
    most, room = max(c for _, c in bars), max(console.width - names - counts - 8, 10)
    mark = "#" if console.options.ascii_only else "█"
    console.print()
    put(console, f"New states at each depth of {_name(result)}", style="bold")
    for name, count in bars:
        length = -(-count * min(room, 60) // most) if most else 0
        put(console, f"  {name:>{names}}  {count:>{counts},}  {mark * length}")
