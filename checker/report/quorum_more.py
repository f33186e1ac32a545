"""What a quorum system survives and costs, several side by side, and federated systems, as text.

Law: reads studies, decides nothing; a number that is not exact or not proved says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.text import Text

from scrutator.checker.quorum.availability import Availability, RoleAvailability
from scrutator.checker.quorum.cost.comparison import Row
from scrutator.checker.quorum.cost.searching import Found
from scrutator.checker.quorum.federated.everything import AllMinimal
from scrutator.checker.quorum.federated.result import Outcome
from scrutator.checker.quorum.probability import Probability
from scrutator.checker.quorum.study import AnyStudy, FederatedStudy, Study
from scrutator.checker.report.clean import clean
from scrutator.checker.report.layout import listed, new_table, plural, put
from scrutator.checker.report.quorum_words import braced, survived
from scrutator.checker.verdict import Verdict

_STYLES = {Verdict.HOLDS: "green", Verdict.VIOLATED: "bold red", Verdict.UNKNOWN: "yellow"}


# --- survival -----------------------------------------------------------------------------


def print_survival(console: Console, study: Study) -> None:
    """A table of what each role survives, and whom everything hangs on."""
    found = study.availability
    if found is None:
        return
    table = new_table()
    for name in ("role", "survives", "blocked by", "smallest quorum", "minimal quorums"):
        table.add_column(name, overflow="fold")
    for role, name in _alike(study, found):
        smallest = "none" if role.smallest_quorum is None else braced(role.smallest_quorum)
        table.add_row(Text(name), survived(role.resilience), Text(braced(role.smallest_blocking)), Text(smallest), str(role.quorums))
    console.print()
    console.print(table)
    for role, name in _alike(study, found):
        _print_influence(console, role, name)
    _print_failures(console, found)
    _print_zones(console, study)
    if study.probability is not None:
        for name, chance in study.probability.roles:
            put(console, f"{name}: no live quorum with probability {_chance(chance)}", indent=2)
        if len(study.probability.roles) > 1:
            put(console, f"not every role has one with probability {_chance(study.probability.any_role)}", indent=2)


def _alike(study: Study, found: Availability) -> list[tuple[RoleAvailability, str]]:
    """Roles with the same quorums are said once, under all their names."""
    names: dict[str, list[RoleAvailability]] = {}
    for role in found.roles:
        names.setdefault(str(study.system.roles[role.role]), []).append(role)
    return [(roles[0], ", ".join(clean(role.role) for role in roles)) for roles in names.values()]


def _print_influence(console: Console, role: RoleAvailability, name: str) -> None:
    if role.dictators and role.nodes > 1:
        put(console, f"{name}: {listed(role.dictators)} decide{_s(role.dictators)} alone, whatever the others say", indent=2, style="yellow")
    if role.vetoes and role.nodes > 1:
        put(console, f"{name}: without {listed(role.vetoes)} there is no quorum", indent=2, style="yellow")
    if role.dummies:
        put(console, f"{name}: {listed(role.dummies)} make{_s(role.dummies)} no difference to any minimal quorum", indent=2, style="yellow")
    regions = role.regions
    if regions is not None:
        said = f"survives the loss of {listed(regions.survived) or 'no region'}"
        if regions.lost:
            said += f"; not of {listed(regions.lost)}"
        if regions.lost_pairs:
            said += "; nor of both " + ", ".join(f"{clean(a)} and {clean(b)}" for a, b in regions.lost_pairs[:6])
        put(console, f"{name}: {said}", indent=2)


def _s(names: Sequence[str]) -> str:
    return "s" if len(names) == 1 else ""


def _print_failures(console: Console, found: Availability) -> None:
    if found.failures is None:
        return
    for role in found.blocked:
        blocking = role.smallest_blocking
        put(console, f"{clean(role.role)}: no quorum is left once {braced(blocking)} failed, and {found.failures} failures were to be survived", indent=2, style="bold red")
    if not found.blocked:
        put(console, f"Every role still has a quorum after {survived(found.failures)}.", indent=2, style="green")


def _print_zones(console: Console, study: Study) -> None:
    if study.zones is None:
        return
    for role in study.lost_zones:
        assert role.regions is not None
        lost = braced(role.regions.smallest_blocking or ())
        put(console, f"{clean(role.role)}: no quorum is left once the regions {lost} failed, and {study.zones} were to be survived", indent=2, style="bold red")
    if not study.lost_zones:
        put(console, f"Every role still has a quorum after any {plural(study.zones, 'region')} failed.", indent=2, style="green")


def _chance(found: Probability) -> str:
    value = f"{found.value:.4g}"
    if found.sample is not None:
        s = found.sample
        return f"{value} (estimated from {s.draws:,} draws: {s.low:.4g} to {s.high:.4g} with {s.confidence:.0%} confidence)"
    return value if found.error <= 1e-9 * max(found.value, 1e-300) or found.exact is not None else f"{value} (between {found.low:.4g} and {found.high:.4g})"


# --- cost ---------------------------------------------------------------------------------


def print_cost(console: Console, study: Study) -> None:
    """What the best strategy costs, and a better system if one was looked for."""
    if study.cost is not None:
        console.print()
        _print_row(console, study.cost)
    for region in dict.fromkeys(wait.region for wait in study.waits):
        said = ", ".join(f"{clean(w.role)} {w.latency_s * 1000:.4g} ms by {braced(w.quorum)}" for w in study.waits if w.region == region)
        put(console, f"From {clean(region)}: {said}", indent=2)
    if study.better is not None:
        print_found(console, study.better, study.cost)


def _print_row(console: Console, row: Row) -> None:
    if row.costs is None or row.optimum is None:
        put(console, f"No strategy: {row.note}", indent=2, style="yellow")
        return
    c, work = row.costs, row.optimum.work
    fractions = ", ".join(f"{fraction:.0%}" + (f" ({weight:.0%} of the time)" if len(work.fractions) > 1 else "") for fraction, weight in work.fractions)
    reads = "" if len(work.roles) < 2 else f", {fractions} of operations being {work.read}"
    put(console, f"Spread over its quorums at best{reads}: load {c.load:.4g}, capacity {c.capacity:.4g}, {c.network:.3g} nodes and {c.latency_s:.3g} s an operation ({row.note}).", indent=2)


def print_found(console: Console, found: Found, before: Row | None) -> None:
    """The system that the search proposes."""
    system, costs = found.system, found.optimum.costs
    if before is not None and before.optimum is not None and found.optimum.value >= before.optimum.value * (1 - 1e-9):
        rest = "" if found.complete else ", as far as they were looked at in time"
        put(console, f"None of {found.considered:,} other systems of these nodes has less {found.optimum.optimise}{rest}.", indent=2)
        return
    put(console, f"The best found of {found.considered:,} candidates, proved safe:", indent=2, style="bold")
    for role, expression in system.roles.items():
        put(console, f"{role} = {expression}", indent=4)
    ratio = "" if before is None or before.costs is None else f", where yours has load {before.costs.load:.4g}"
    put(console, f"load {costs.load:.4g}, capacity {costs.capacity:.4g}, {costs.network:.3g} nodes and {costs.latency_s:.3g} s an operation{ratio}", indent=4)
    complete = "no expression that names each node once is better" if found.complete else "others, not looked at in time, may be better"
    put(console, f"{complete}; {found.pruned:,} were shown to be no better, {found.unproved:,} were not proved safe", indent=4, style="dim")


def print_comparison(console: Console, studies: Sequence[AnyStudy]) -> None:
    """A line a system."""
    table = new_table()
    for name in ("system", "verdict", "load", "capacity", "network", "latency", "survives", "smallest"):
        table.add_column(name, overflow="fold")
    for study in studies:
        cells = [Text(clean(study.system.name)), Text(study.verdict.name, _STYLES[study.verdict])]
        row = study.cost if isinstance(study, Study) else None
        if row is None or row.costs is None:
            cells += [Text("-")] * 4
        else:
            c = row.costs
            cells += [Text(f"{c.load:.4g}"), Text(f"{c.capacity:.4g}"), Text(f"{c.network:.3g}"), Text(f"{c.latency_s:.3g} s")]
        cells += [Text(_of_roles(row.resilience) if row else "-"), Text(_of_roles(row.smallest) if row else "-")]
        table.add_row(*cells)
    console.print(table)


def _of_roles(values: Mapping[str, int]) -> str:
    different = set(values.values())
    return str(different.pop()) if len(different) == 1 else ", ".join(f"{role} {value}" for role, value in values.items())


# --- federated systems --------------------------------------------------------------------


def print_federated(console: Console, study: FederatedStudy) -> None:
    """The verdict on a federated system, its quorums, and what blocks or splits it."""
    result = study.result
    put(console, Text.assemble((study.verdict.name, _STYLES[study.verdict]), " ", (clean(study.system.name), "bold"), f": {_OUTCOMES[result.outcome]}"))
    put(console, f"About {result.scope}.", indent=2)
    for note in study.system.notes:
        put(console, f"Read as: {note}", indent=2, style="dim")
    if result.outcome is Outcome.SPLIT:
        console.print()
        with_help = f", once {braced(result.faulty)} help both" if result.faulty else ""
        put(console, f"The quorums {braced(result.left)} and {braced(result.right)} share no node{with_help}: they could decide differently.", style="bold")
        count = len(result.left) + len(result.right)
        smaller = "no two that do so have fewer" if result.smallest else "that there are no smaller ones was not proved"
        put(console, f"They have {count} nodes together; {smaller}.", indent=2)
    console.print()
    for line in _federated_lines(study):
        put(console, line, indent=2)
    if study.blocked and study.blocking is not None:
        put(console, f"No quorum is left once {braced(study.blocking.nodes)} failed, and {study.failures} failures were to be survived.", indent=2, style="bold red")
    for undone in study.undone:
        put(console, f"Not said: {undone}", indent=2, style="yellow")
    for path in study.written:
        put(console, f"The question as SMT-LIB is in {path}: repeat it with another solver")


_OUTCOMES = {
    Outcome.INTERSECTS: "every two quorums share a node",
    Outcome.SPLIT: "two quorums share no node",
    Outcome.NO_QUORUM: "there is no quorum at all, so nothing is ever decided; that is not safety",
    Outcome.UNKNOWN: "undecided within the time limit; allow more with --timeout-s",
}


def _federated_lines(study: FederatedStudy) -> list[str]:
    lines = []
    if study.smallest is not None:
        lines.append(f"Smallest quorum: {plural(study.smallest.size, 'node')}, {braced(study.smallest.nodes)}{_proof(study.smallest.proved)}")
    if study.blocking is not None and study.blocking.size:
        lines.append(f"Blocked by the failure of {study.blocking.size}: {braced(study.blocking.nodes)}{_proof(study.blocking.proved)}")
    if study.splitting is not None:
        faulty = study.splitting.faulty
        if faulty.size:
            lines.append(f"Split by {plural(faulty.size, 'faulty node')}, of all: {braced(faulty.nodes)}{_proof(faulty.proved)}")
    elif "splitting" not in "".join(study.undone):
        lines.append("No faulty nodes, however many, can split the others.")
    for what, found in (("quorums", study.quorums), ("blocking sets", study.blockings)):
        if found is not None and found.count:
            lines.append(f"Minimal {what}: {_sizes(found)}")
    return lines


def _sizes(found: AllMinimal) -> str:
    parts = [f"{count:,} of {size} nodes" for size, count in sorted(found.sizes.items())]
    return f"{found.count:,}" + (f" ({', '.join(parts)})" if len(parts) > 1 else f", all of {min(found.sizes)} nodes")


def _proof(proved: bool) -> str:
    return "" if proved else " (that fewer do not suffice was not proved)"
