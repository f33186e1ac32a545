"""What the ladder's reports have in common: a claim's run as a diagram, what it comes to, and cells of tables.

Law: every figure is one that was measured, and reads nothing but what was found.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from scrutator.checker.explore.result import PropertyKind
from scrutator.checker.ladder import ClaimFound, LadderFound, RungFound
from scrutator.checker.report.layout import plural
from scrutator.checker.report.spacetime import Diagram, diagram_of_events, diagram_of_trace
from scrutator.checker.verdict import Verdict

EVENTS_MAX, EVENTS_SHOWN = 170, 70  # of a longer run only the beginning is shown


def ending(found: ClaimFound) -> str:
    """What a claim's trace comes to."""
    doc = found.judged.doc.strip().split("\n\n")[0]
    doc = " ".join(doc.split()) or found.judged.name
    if found.judged.verdict is not Verdict.VIOLATED:
        return f"Reached: {doc}"
    lost = "From here it can never be again" if found.judged.kind is PropertyKind.ALWAYS_POSSIBLE else "No longer true"
    return f"{lost}: {doc}"


def model_diagram(found: ClaimFound) -> Diagram | None:
    """The claim's counterexample or witness as a diagram; None where there is neither."""
    from scrutator.model.catalogue import load

    trace = found.judged.trace
    if trace is None:
        return None
    model = load(f"ladder/{found.rung.name}").bind(found.claim.bounds, found.claim.mutant)
    return diagram_of_trace(model, trace, property_name=found.judged.name, ending=ending(found))


def played_diagram(found: ClaimFound) -> Diagram | None:
    """The implementation's run as a diagram; None where no run decided, or it was not kept."""
    events = found.played.events
    if not events:
        return None
    if len(events) > EVENTS_MAX:  # of what can never be again, the whole run is the proof
        return diagram_of_events(events, shown=EVENTS_SHOWN, ending=f"So it goes on for {len(events) - EVENTS_SHOWN:,} more events. {ending(found)}")
    return diagram_of_events(events, ending=ending(found))


# --- cells --------------------------------------------------------------------------------


def model_cell(found: ClaimFound) -> str:
    return found.judged.verdict.value


def played_cell(found: ClaimFound) -> str:
    """What the implementation said; what no run can show is named as such."""
    played = found.played
    if played.missing:
        return "missing"
    return "no run can show it" if played.verdict is None else played.verdict.value


def seeds_cell(found: ClaimFound) -> str:
    """After how many seeds it was decided, or how many did not decide it."""
    if found.played.verdict is None:
        return "-"
    return f"{found.played.seeds:,}" if found.played.seed is not None else f"none of {found.played.seeds:,}"


def steps_cell(found: ClaimFound) -> str:
    return "-" if found.steps is None else f"{found.steps}"


def bounds_of(found: ClaimFound, but: Mapping[str, str] | None = None) -> str:
    """Within which bounds, ``but`` those that were said before, and with what mistake."""
    known = but or {}
    bounds = ", ".join(f"{name}={value}" for name, value in found.model.bounds if known.get(name) != value)
    return "; ".join(filter(None, [bounds, f"mutant {found.claim.mutant}" if found.claim.mutant else ""]))


def common_bounds(rung: RungFound) -> dict[str, str]:
    """Of each bound the value that most claims of a rung have."""
    names = dict.fromkeys(name for c in rung.claims for name, _ in c.model.bounds)
    return {name: Counter(dict(c.model.bounds)[name] for c in rung.claims).most_common(1)[0][0] for name in names}


def everywhere(rung: RungFound) -> str:
    """Those bounds as a sentence; nothing where there are none."""
    shared = ", ".join(f"{name}={value}" for name, value in common_bounds(rung).items())
    return f"Within {shared}, unless a claim says otherwise." if shared else ""


def agreement(rung: RungFound) -> tuple[str, str]:
    """How many claims the model and the implementation confirmed, of how many."""
    total = len(rung.rung.claims)
    model = sum(c.judged.verdict.value == c.claim.expect for c in rung.claims)
    asked = sum(c.played.verdict is not None or bool(c.played.missing) for c in rung.claims)
    played = sum(c.played.verdict is not None and c.played.verdict.value == c.claim.expect for c in rung.claims)
    return f"{model} of {total}", f"{played} of {asked}"


def how_it_breaks(found: ClaimFound) -> str:
    """The title of a rung's headline."""
    return "How it breaks" if found.claim.mutant is None else "How it breaks with a mistake in it"


def how_it_was_found(found: ClaimFound) -> str:
    """The measured figures of a claim as a sentence."""
    steps = "" if found.steps is None else f"; the shortest run to it takes {plural(found.steps, 'step')}"
    note = f" {found.judged.note}." if found.judged.note else ""
    model = f"{plural(found.model.distinct, 'distinct state')} explored{steps}.{note}"
    played = found.played
    if played.missing or played.verdict is None:
        return f"{model} No run can show it: {played.missing or played.why}."
    if played.seed is not None:
        return f"{model} As it runs, seed {played.seed} shows it, the {ordinal(played.seeds)} that was played."
    return f"{model} As it runs, none of {played.seeds:,} seeds shows otherwise."


def ordinal(number: int) -> str:
    """The number in a row.

    >>> [ordinal(n) for n in (1, 2, 3, 11, 22)]
    ['1st', '2nd', '3rd', '11th', '22nd']
    """
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{ending}"


def headline(found: LadderFound) -> str:
    """What came of the whole, in a sentence."""
    total = sum(len(rung.rung.claims) for rung in found.rungs)
    confirmed = sum(c.is_confirmed for c in found.claims)
    what = f"{confirmed} of {plural(total, 'claim')} confirmed, by exploring models and by playing implementations"
    left = "" if found.limit is None else f"; {total - len(found.claims)} not run: {found.limit}"
    return f"{what}{left}."
