"""The ladder as text: a table of rungs with what was measured, or single rungs told as stories.

Law: whatever does not agree is said first and last: claims that were not confirmed never hide in a table.
"""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from scrutator.checker.ladder import ClaimFound, LadderFound, RungFound
from scrutator.checker.report.clean import clean
from scrutator.checker.report.ladder_words import (
    agreement,
    bounds_of,
    common_bounds,
    ending,
    everywhere,
    how_it_breaks,
    how_it_was_found,
    model_cell,
    model_diagram,
    played_cell,
    seeds_cell,
    steps_cell,
)
from scrutator.checker.report.layout import duration, listed, new_table, plural, put
from scrutator.checker.report.text import STYLES, put_headline, put_quorums
from scrutator.checker.verdict import Verdict


def print_ladder(console: Console, found: LadderFound, *, told: bool) -> None:
    """The table of all rungs, or with ``told`` each as a story; then whether everything agrees."""
    if told:
        for rung in found.rungs:
            _print_story(console, rung)
    else:
        _print_rungs(console, found)
    _print_verdict(console, found)


# --- the table ----------------------------------------------------------------------------


def _print_rungs(console: Console, found: LadderFound) -> None:
    table = new_table()
    wide = console.width >= 130
    for header in ("rung", "keeps", "breaks") if wide else ("rung",):
        table.add_column(header, overflow="fold", ratio=None if header == "rung" and wide else 1)
    for header in ("distinct\nstates", "steps to\nbreak it", "seeds to\nbreak it", "model\nagrees", "runs\nagree"):
        table.add_column(header, justify="right", no_wrap=True)
    for rung in found.rungs:
        head = rung.headline
        steps, seeds = ("-", "-") if head is None else (steps_cell(head), seeds_cell(head))
        texts = [Text(rung.rung.name, "bold"), Text(clean(rung.rung.keeps)), Text(clean(rung.rung.breaks))]
        cells = texts if wide else [_rung_cell(rung)]
        style = "bold red" if any(c.mistakes for c in rung.claims) else ""
        table.add_row(*cells, f"{rung.distinct:,}", steps, seeds, *agreement(rung), style=style, end_section=True)
    console.print(table)
    put(console, "Distinct states of all claims of a rung; the shortest counterexample of the claim that shows how it breaks, and the "
        "seeds played until the implementation showed it; how many claims were confirmed by the model, and by runs of those that runs can show. "
        "A rung's story: scrutator ladder RUNG.", indent=2, style="dim")  # fmt: skip


def _rung_cell(found: RungFound) -> Text:
    """Name, what it keeps and what breaks, beneath each other."""
    rung = found.rung
    return Text.assemble((rung.name, "bold"), ("\nkeeps ", "dim"), clean(rung.keeps), ("\nbreaks ", "dim"), clean(rung.breaks))


def _print_verdict(console: Console, found: LadderFound) -> None:
    console.print()
    claims, total = len(found.claims), sum(len(rung.rung.claims) for rung in found.rungs)
    word = {Verdict.HOLDS: "AGREES", Verdict.VIOLATED: "DISAGREES", Verdict.UNKNOWN: "UNKNOWN"}[found.verdict]
    confirmed = sum(c.is_confirmed for c in found.claims)
    put(console, Text.assemble((word, STYLES[found.verdict]), f" {confirmed} of {plural(total, 'claim')} confirmed in {duration(found.seconds)}"))
    if found.limit is not None:
        put(console, f"Cut short ({clean(found.limit)}): {total - claims} of {plural(total, 'claim')} were not run.", indent=2, style="yellow")
    silent = [c for c in found.claims if c.played.verdict is None and not c.played.missing]
    if silent:
        put(console, f"No run can show {plural(len(silent), 'claim')}: {listed(f'{c.rung.name} {c.claim.name}' for c in silent)}.", indent=2, style="dim")
    for mistake in found.mistakes:
        put(console, mistake, indent=4, label="  -", style="bold red")


# --- a story ------------------------------------------------------------------------------


def _print_story(console: Console, found: RungFound) -> None:
    rung = found.rung
    put(console, Text(clean(f"{rung.order}. {rung.title}"), style="bold"))
    put(console, rung.idea, indent=2)
    for claim in _told(found):
        _print_run(console, claim)
    for title, text in (("What to notice", rung.notice), ("Keeps", rung.keeps), ("Breaks", rung.breaks)):
        console.print()
        put(console, Text(title, style="bold"))
        put(console, text, indent=2)
    _print_claims(console, found)
    console.print()
    put(console, Text("What comes next", style="bold"))
    put(console, rung.next, indent=2)
    console.print()


def _told(found: RungFound) -> list[ClaimFound]:
    """The runs to tell: the headline's, and where faults alone do it, one more that shows the design at work."""
    head = found.headline
    if head is None:
        return []
    return [head, *(found.others[:1] if head.is_faults_alone else [])]


def _print_run(console: Console, found: ClaimFound) -> None:
    console.print()
    put(console, Text(how_it_breaks(found), style="bold"))
    put(console, found.claim.says, indent=2)
    put(console, how_it_was_found(found), indent=2, style="dim")
    diagram, trace = model_diagram(found), found.judged.trace
    if diagram is None or trace is None:
        return
    console.print()
    said: set[tuple[str, tuple[str, ...]]] = set()
    for number, (step, row) in enumerate(zip(trace.steps[1:], diagram.rows, strict=False), 1):
        put_headline(console, number, step, row.text)
        put(console, f"{step.label}: {'; '.join(step.changes) or 'nothing changes'}", indent=12, style="dim")
        put_quorums(console, step, said)
    put(console, ending(found), indent=8, style="bold red")


def _print_claims(console: Console, found: RungFound) -> None:
    shared = common_bounds(found)
    console.print()
    put(console, Text("What was claimed, and what was found", style="bold"))
    if shared:
        put(console, everywhere(found), indent=2, style="dim")
    table = new_table()
    table.add_column("claim", overflow="fold", ratio=1)
    for header in ("distinct\nstates", "steps", "seeds", "model", "runs"):
        table.add_column(header, justify="right" if header not in ("model", "runs") else "left", no_wrap=header != "runs", max_width=12 if header == "runs" else None)
    for c in found.claims:
        says = Text(clean(c.claim.says))
        if c.judged.note:
            says.append(f"\n{clean(c.judged.note)}.")
        if bounds := bounds_of(c, shared):
            says.append(f"\n{clean(bounds)}", style="dim")
        cells = (f"{c.model.distinct:,}", steps_cell(c), seeds_cell(c), model_cell(c), played_cell(c))
        table.add_row(says, *cells, style="bold red" if c.mistakes else "", end_section=True)
    console.print(table)
