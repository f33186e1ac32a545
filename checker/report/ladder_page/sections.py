"""The page's parts: the table of rungs, and a section for each with its pictures and claims.

Law: whatever is not markup of this file is escaped.
"""

from __future__ import annotations

import html

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
from scrutator.checker.report.spacetime import Diagram, inline

_RUNG_HEADS = ("rung", "keeps", "breaks", "distinct states", "steps to break it", "seeds to break it", "model agrees", "runs agree")
_CLAIM_HEADS = ("claim", "distinct states", "steps", "seeds", "model", "as it runs")


def _e(text: str) -> str:
    return html.escape(clean(text))


def navigation(found: LadderFound) -> str:
    """Links to all rungs."""
    return "".join(f'<li><a href="#{_e(r.rung.name)}">{r.rung.order}. {_e(r.rung.title)}</a></li>' for r in found.rungs)


def mistakes(found: LadderFound) -> str:
    """Whatever does not agree, as a list; nothing if all does."""
    items = "".join(f"<li>{_e(mistake)}</li>" for mistake in found.mistakes)
    return f'<ul class="mistakes">{items}</ul>' if items else ""


def table_of_rungs(found: LadderFound) -> str:
    """What each rung keeps and breaks, with what was measured."""
    rows = []
    for r in found.rungs:
        head = r.headline
        steps, seeds = ("-", "-") if head is None else (steps_cell(head), seeds_cell(head))
        link = f'<a href="#{_e(r.rung.name)}">{_e(r.rung.title)}</a>'
        numbers = "".join(f'<td class="number">{_e(cell)}</td>' for cell in (f"{r.distinct:,}", steps, seeds, *agreement(r)))
        wrong = ' class="wrong"' if any(c.mistakes for c in r.claims) else ""
        rows.append(f'<tr{wrong}><th scope="row">{link}</th><td>{_e(r.rung.keeps)}</td><td>{_e(r.rung.breaks)}</td>{numbers}</tr>')
    return _table(_RUNG_HEADS, rows, 3)


def _table(heads: tuple[str, ...], rows: list[str], texts: int) -> str:
    """A table whose first so many columns hold texts, the others numbers."""
    numbers = ' class="number"'
    head = "".join(f'<th scope="col"{numbers if k >= texts else ""}>{_e(h)}</th>' for k, h in enumerate(heads))
    return f'<div class="scroll" tabindex="0"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def section(rung: RungFound, found: LadderFound) -> str:
    """A rung: its idea, the picture of how it breaks, what to notice, its claims, and the way to the next rung."""
    r = rung.rung
    is_bare = rung.headline is not None and rung.headline.is_faults_alone
    parts = [
        f'<section id="{_e(r.name)}" aria-labelledby="{_e(r.name)}-title">',
        f'<h2 id="{_e(r.name)}-title"><span class="order">{r.order}</span> {_e(r.title)}</h2>',
        f'<p class="idea">{_e(r.idea)}</p>',
        _headline(rung),
        f'<aside class="notice"><h3>What to notice</h3><p>{_e(r.notice)}</p></aside>',
        f'<dl class="sides"><dt>keeps</dt><dd>{_e(r.keeps)}</dd><dt>breaks</dt><dd>{_e(r.breaks)}</dd></dl>',
        "<h3>What was claimed, and what was found</h3>",
        claims(rung),
        *(_folded(c, is_open=is_bare and k == 0) for k, c in enumerate(rung.others)),
        _next(rung, found),
        "</section>",
    ]
    return "\n".join(part for part in parts if part)


def _headline(rung: RungFound) -> str:
    """The runs that show how it breaks: the model's, and the implementation's folded away."""
    head = rung.headline
    if head is None:
        return '<p class="faint">This rung was not run.</p>'
    played = played_diagram(head)
    parts = [f"<h3>{how_it_breaks(head)}</h3>", f"<p>{_e(head.claim.says)}</p>", _figure(model_diagram(head), head)]
    if played is not None:
        what = f"The same as it runs: seed {head.played.seed}, made as short as it gets. Every message is an arrow; an empty circle is a client's call."
        parts.append(f"<details><summary>The same as it runs</summary>{_picture(played, what)}<p class=\"faint\">{_e(what)}</p></details>")
    return "\n".join(parts)


def _figure(diagram: Diagram | None, found: ClaimFound) -> str:
    if diagram is None:
        return f'<p class="faint">{_e(how_it_was_found(found))}</p>'
    return f'<figure>{_picture(diagram, found.claim.says)}<figcaption>{_e(how_it_was_found(found))} Within {_e(bounds_of(found))}.</figcaption></figure>'


def _picture(diagram: Diagram, title: str) -> str:
    return f'<div class="scroll" tabindex="0">{inline(diagram, title)}</div>'


def _folded(found: ClaimFound, *, is_open: bool) -> str:
    """Another run, to be opened, or open where the first one tells little."""
    diagram = model_diagram(found)
    if diagram is None:
        return ""
    return f"<details{' open' if is_open else ''}><summary>{_e(found.claim.says)}</summary>{_figure(diagram, found)}</details>"


def claims(rung: RungFound) -> str:
    """A table of a rung's claims with what was measured."""
    rows, shared = [], common_bounds(rung)
    for c in rung.claims:
        numbers = "".join(f'<td class="number">{_e(cell)}</td>' for cell in (f"{c.model.distinct:,}", steps_cell(c), seeds_cell(c), model_cell(c), played_cell(c)))
        why = f'<br><span class="faint">No run can show it: {_e(c.played.why)}.</span>' if c.played.why else ""
        why += f'<br><span class="faint">{_e(c.judged.note)}.</span>' if c.judged.note else ""
        wrong = ' class="wrong"' if c.mistakes else ""
        rows.append(f'<tr{wrong}><td>{_e(c.claim.says)}<br><span class="faint">{_e(bounds_of(c, shared))}</span>{why}</td>{numbers}</tr>')
    said = f'<p class="faint">{_e(everywhere(rung))}</p>' if shared else ""
    return said + _table(_CLAIM_HEADS, rows, 1)


def _next(rung: RungFound, found: LadderFound) -> str:
    following = next((r.rung for r in found.rungs if r.rung.order > rung.rung.order), None)
    link = f' <a href="#{_e(following.name)}">{_e(following.title)} ↓</a>' if following is not None else ""
    return f'<p class="next"><b>Next:</b> {_e(rung.rung.next)}{link}</p>'
