"""The ladder as documentation: a table of rungs, a page for each, and its pictures beside it as SVG files.

Law: the same rungs give the same files, byte for byte: nothing is in them that depends on time or on the machine.
"""

from __future__ import annotations

from pathlib import Path

from scrutator.checker.ladder import ClaimFound, LadderFound, RungFound
from scrutator.checker.report.clean import clean
from scrutator.checker.report.ladder_words import (
    agreement,
    bounds_of,
    common_bounds,
    everywhere,
    how_it_breaks,
    how_it_was_found,
    model_cell,
    model_diagram,
    played_cell,
    played_diagram,
    seeds_cell,
    steps_cell,
)
from scrutator.checker.report.spacetime import standalone

_NOTE = "<!-- Written by `scrutator ladder --docs`, from what was found: do not edit. -->"


def write_docs(found: LadderFound, folder: Path) -> int:
    """Write the pages into a folder, and say how many files that are.  Raises OSError.

    The table is written only if it has all rungs.
    """
    files = docs(found)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return len(files)


def docs(found: LadderFound) -> dict[str, str]:
    """The texts of all files by name."""
    from scrutator.model.ladder import rungs

    files = {}
    if len(found.rungs) == len(rungs()):
        files["README.md"] = _table_of_rungs(found)
    for rung in found.rungs:
        files |= rung_docs(rung)
    return files


def rung_docs(rung: RungFound) -> dict[str, str]:
    """A rung's page and pictures by file name."""
    from scrutator.model.ladder import rungs

    r = rung.rung
    files: dict[str, str] = {}
    lines = [_NOTE, "", f"# {r.order}. {r.title}", "", r.idea, ""]
    lines += _headline(rung, files)
    lines += ["## What to notice", "", r.notice, "", f"**Keeps**: {r.keeps}.  ", f"**Breaks**: {r.breaks}.", ""]
    lines += ["## What was claimed, and what was found", "", *_claims(rung), ""]
    for k, other in enumerate(rung.others):
        lines += _run(other, files, "###" if k else "## More runs\n\n###")
    following = next((n for n in rungs() if n.order > r.order), None)
    link = f" [{following.title}]({following.name}.md)" if following is not None else ""
    lines += ["## Next", "", f"{r.next}{link}", "", "[All rungs](README.md)"]
    return {f"{r.name}.md": "\n".join(lines) + "\n", **files}


def _headline(rung: RungFound, files: dict[str, str]) -> list[str]:
    head = rung.headline
    if head is None:
        return []
    lines = [f"## {how_it_breaks(head)}", "", head.claim.says, "", *_picture(head, files)]
    played = played_diagram(head) if head.played.settled else None
    if played is not None:
        name = f"{rung.rung.name}-run.svg"
        what = f"The same as it runs, from seed {head.played.seed}, made as short as it gets"
        files[name] = standalone(played, what)
        lines += [f"### {what}", "", "Every message is an arrow; an empty circle is a client's call.", "", f"![{what}]({name})", ""]
    return lines


def _run(found: ClaimFound, files: dict[str, str], mark: str) -> list[str]:
    return [f"{mark} {found.claim.says.rstrip('.')}", "", *_picture(found, files)]


def _picture(found: ClaimFound, files: dict[str, str]) -> list[str]:
    diagram = model_diagram(found)
    if diagram is None:
        return [how_it_was_found(found), ""]
    name = f"{found.rung.name}-{found.claim.name}.svg"
    files[name] = standalone(diagram, found.claim.says)
    return [f"![{clean(found.claim.says)}]({name})", "", f"{how_it_was_found(found)} Within {_cell(bounds_of(found))}.", ""]


def _claims(rung: RungFound) -> list[str]:
    shared = common_bounds(rung)
    lines = [*([_cell(everywhere(rung)), ""] if shared else []), "| claim | with | distinct states | steps | seeds | model | as it runs |", "|---|---|--:|--:|--:|---|---|"]
    for c in rung.claims:
        says = c.claim.says + (f" {c.judged.note}." if c.judged.note else "") + (f" No run can show it: {c.played.why}." if c.played.why else "")
        cells = (says, bounds_of(c, shared), f"{c.model.distinct:,}", steps_cell(c), seeds_cell(c), model_cell(c), played_cell(c))
        lines.append(f"| {' | '.join(map(_cell, cells))} |")
    return lines


def _cell(text: str) -> str:
    """A text that is no markup of a table."""
    return clean(text).replace("|", "\\|").replace("*", "\\*").replace("_", "\\_").replace("<", "&lt;")


def _table_of_rungs(found: LadderFound) -> str:
    lines = [
        _NOTE, "", "# The ladder: how each simpler design breaks", "",
        "A shop has one phone to sell. Buyers have codes. The promise: nobody is told \"yours\" for a phone that is already sold. Each rung is a way to",
        "keep that promise on machines that fail, a little better than the one before. Every claim was checked by exploring a model, and by playing an",
        "implementation in a simulated world; `scrutator ladder` does so again.", "",
        "| | rung | keeps | breaks | distinct states | steps to break it | seeds to break it | model agrees | runs agree |",
        "|--:|---|---|---|--:|--:|--:|--:|--:|",
    ]  # fmt: skip
    for r in found.rungs:
        head = r.headline
        steps, seeds = ("-", "-") if head is None else (steps_cell(head), seeds_cell(head))
        cells = (r.rung.keeps, r.rung.breaks, f"{r.distinct:,}", steps, seeds, *agreement(r))
        lines.append(f"| {r.rung.order} | [{r.rung.title}]({r.rung.name}.md) | {' | '.join(map(_cell, cells))} |")
    lines += [
        "", "Distinct states are those of all claims of a rung. Steps are those of the shortest counterexample of the claim that shows how the design breaks;",
        "seeds are those that were played until the implementation showed it too. Last, how many of the claims were confirmed: by the model, and by runs,",
        "of those that a run can show.", "", "## How to read the pictures", "",
        "Time goes down, and everybody who takes part has a line. An arrow is something that one hears from another; its slope says that this takes time.",
        "A dotted arrow says who counted for a quorum. A cross is a fault, and a line of dots is down. A purple bar joins the nodes of a quorum. The",
        "shaded step is where the promise breaks. Beneath its line stands what each one knows in the end.",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"
