"""Verdicts on histories as text: what was found, what it rests on, and why a history is violated.

Law: everything that limits a verdict is printed with it.  Reads results, decides nothing,
and knows no engine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import takewhile

from rich.console import Console
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from scrutator.checker.linear.result import Explanation
from scrutator.checker.report.clean import clean
from scrutator.checker.report.layout import duration, listed, new_table, plural, put
from scrutator.checker.report.lin_found import Decided, Order, Refused, Shown, Violation, Weaker
from scrutator.checker.verdict import Verdict

PARTS_SHOWN_MAX = 3  # violated parts of one history that are explained
HISTORIES_SHOWN_MAX = 5  # violated histories of many that are explained
CONFLICT_SHOWN_MAX = 30  # operations
REASONS_SHOWN_MAX = 8
SKIPPED_SHOWN_MAX = 5
OPERATION_WIDTH_MAX = 60

_STYLES = {Verdict.HOLDS: "green", Verdict.VIOLATED: "bold red", Verdict.UNKNOWN: "yellow"}
_SAYS = {Verdict.HOLDS: "is linearizable", Verdict.VIOLATED: "is not linearizable", Verdict.UNKNOWN: "is linearizable"}
_LAYOUTS: tuple[tuple[str, ...], ...] = ((), ("parts", "engine"), ("parts", "engine", "pending", "object"))


def print_history(console: Console, answer: Decided) -> None:
    """Everything about one history."""
    found = answer.found
    put(console, _headline(answer))
    put(console, found.scope, indent=2)
    _print_basis(console, answer)
    if found.pending == found.operations:
        what = "no operation returned" if found.operations else "it has no operations"
        put(console, f"The history shows nothing: {what}.", indent=2, style="yellow")
    if found.verdict is Verdict.UNKNOWN:
        put(console, _advice(answer), indent=2)
    for violation in answer.violations[:PARTS_SHOWN_MAX]:
        console.print()
        print_violation(console, answer, violation)
    more = answer.violations[PARTS_SHOWN_MAX:]
    if more:
        console.print()
        names = listed(v.title for v in more[:PARTS_SHOWN_MAX])
        rest = ", ..." if len(more) > PARTS_SHOWN_MAX else ""
        put(console, f"and {len(more):,} more violated {'part' if len(more) == 1 else 'parts'}: {names}{rest}", indent=2)
    _print_more(console, answer)
    if answer.timeline is not None:
        console.print()
        put(console, f"The timeline is in {answer.timeline}")


def print_histories(console: Console, answers: Sequence[Decided | Refused]) -> None:
    """A table of many histories, then those that are violated, briefly."""
    _print_table(console, answers)
    console.print()
    put(console, _summary(answers))
    violated = [a for a in answers if isinstance(a, Decided) and a.violations]
    for answer in violated[:HISTORIES_SHOWN_MAX]:
        console.print()
        put(console, _headline(answer))
        print_violation(console, answer, answer.violations[0])
        if len(answer.violations) > 1:
            put(console, f"and {plural(len(answer.violations) - 1, 'more violated part')}", indent=2)
    if len(violated) > HISTORIES_SHOWN_MAX:
        console.print()
        count = len(violated) - HISTORIES_SHOWN_MAX
        put(console, f"and {count:,} more violated; scrutator lin FILE explains one of them")
    for answer in (a for a in answers if isinstance(a, Decided)):
        if answer.orders or answer.strongest:
            console.print()
            put(console, answer.source, style="bold")
            _print_more(console, answer, brief=True)
    drawn = [a.timeline for a in answers if isinstance(a, Decided) and a.timeline is not None]
    if drawn:
        console.print()
        put(console, f"{plural(len(drawn), 'timeline')} in {drawn[0].parent}")


def print_skipped(console: Console, skipped: Sequence[str]) -> None:
    """Name what was found in folders and is no history."""
    if skipped:
        rest = len(skipped) - SKIPPED_SHOWN_MAX
        names = listed(skipped[:SKIPPED_SHOWN_MAX]) + (f" and {rest:,} more" if rest > 0 else "")
        console.print()
        put(console, f"Left out, as no reader recognises {'it' if len(skipped) == 1 else 'them'}: {names}", style="dim")


# --- what the verdict rests on ------------------------------------------------------------


def _headline(answer: Decided) -> Text:
    verdict = answer.found.verdict
    start = f" that starts with {_clipped(answer.start)}" if answer.start else ""
    return Text.assemble(
        (verdict.name, _STYLES[verdict]),
        " whether " if verdict is Verdict.UNKNOWN else " ",
        (clean(answer.source), "bold"),
        f" {_SAYS[verdict]} as {clean(answer.found.object)}{start}",
    )


def _print_basis(console: Console, answer: Decided) -> None:
    found = answer.found
    reasons = Counter((part.engine, part.why) for part in found.parts)
    for (engine, why), count in reasons.most_common():
        where = f" in {plural(count, 'part')}" if len(reasons) > 1 else ""
        put(console, f"{engine}{where}: {why}", indent=2, style="dim")
    cost = [duration(found.seconds)]
    if found.configurations:
        cost.insert(0, f"{plural(found.configurations, 'configuration')}, at most {found.widest:,} at a time")
    put(console, "; ".join(cost), indent=2, style="dim")


def _advice(answer: Decided) -> str:
    parts = answer.found.parts
    limits = {part.limit for part in parts if part.limit}
    count = sum(part.verdict is Verdict.UNKNOWN for part in parts)
    options = [f"--{name}" for limit, name in (("time", "timeout-s"), ("memory", "memory-max")) if limit in limits]
    advice = f": allow more with {' or '.join(options)}" if options else ""
    return f"{count:,} of {plural(len(parts), 'part')} {'was' if count == 1 else 'were'} not decided{advice}."


def _print_more(console: Console, answer: Decided, *, brief: bool = False) -> None:
    """What was asked for besides the verdict."""
    for order in answer.orders:
        if not brief:
            console.print()
        _print_order(console, order)
    if answer.strongest:
        if not brief:
            console.print()
            console.print(_strongest(answer.strongest))
        if answer.holding:
            put(console, _strongest_words(answer), indent=2)
        elif brief:
            put(console, "None of the weaker consistency models is known to hold.", indent=2)


# --- why it is violated -------------------------------------------------------------------


def print_violation(console: Console, answer: Decided, violation: Violation) -> None:
    """One part: the operation that cannot be placed, what it conflicts with, and the reasons."""
    culprit, why = violation.culprit, violation.part.explanation
    if violation.title:
        put(console, violation.title, indent=2, style="bold")
    which = "the first" if why is None or why.shortest else "a"
    says = f" of process {culprit.operation.process} ({_at(culprit)}) is {which} return that no order allows."
    put(console, Text.assemble((_clipped(culprit.text), "bold"), says), indent=2)
    if why is None:
        return
    if violation.conflict:
        _print_conflict(console, answer, violation, why)
    else:
        put(console, why.unfound, indent=2)
    for reason in why.reasons[:REASONS_SHOWN_MAX]:
        put(console, reason, indent=4, label="  -")
    if len(why.reasons) > REASONS_SHOWN_MAX:
        put(console, f"and {plural(len(why.reasons) - REASONS_SHOWN_MAX, 'more reason')}", indent=4)


def _print_conflict(console: Console, answer: Decided, violation: Violation, why: Explanation) -> None:
    put(console, _says(why, len(violation.conflict)), indent=2)
    console.print()
    console.print(Padding(_conflict(answer, violation), (0, 0, 0, 4), expand=False))
    if len(violation.conflict) > CONFLICT_SHOWN_MAX:
        put(console, f"and {len(violation.conflict) - CONFLICT_SHOWN_MAX:,} more", indent=4)
    unit = "ns since the first call of the history" if answer.has_clock else "positions in the recording"
    put(console, f"called and returned are {unit}", indent=4, style="dim")


def _says(why: Explanation, count: int) -> str:
    """What the operations of a conflict have in common, as far as it was proved."""
    before = f"Of the {why.prefix:,} operations called by then, " if why.prefix > count else ""
    these = "this one has" if count == 1 else f"these {count:,} have"
    fewer = ", though any one fewer would" if why.minimal and count > 1 else ""
    says = f"{before}{these} no linearization{fewer}:"
    return says[0].upper() + says[1:]


def _conflict(answer: Decided, violation: Violation) -> Table:
    """The operations in order of call; an arrow marks the culprit."""
    table = new_table()
    table.add_column("", width=2, no_wrap=True)
    table.add_column("process", justify="right", no_wrap=True)
    table.add_column("operation", overflow="fold")
    table.add_column("called", justify="right", no_wrap=True)
    table.add_column("returned", justify="right", no_wrap=True)
    table.add_column("line", justify="right", no_wrap=True)
    begin = answer.begin if answer.has_clock else 0
    for shown in violation.conflict[:CONFLICT_SHOWN_MAX]:
        o, guilty = shown.operation, shown.operation.index == violation.culprit.operation.index
        returned = "pending" if o.pending else f"{o.returned - begin:,}"
        style = "bold" if guilty else ""
        cells = ("->" if guilty else "", str(o.process), _clipped(shown.text), f"{o.called - begin:,}", returned, f"{shown.line:,}")
        table.add_row(*(Text(cell, style=style) for cell in cells))
    return table


def _print_order(console: Console, order: Order) -> None:
    """One line each, written plainly: there may be millions."""
    title = f" of {order.title}" if order.title else ""
    put(console, f"An order in which the operations{title} may have taken effect:", indent=2)
    width = len(f"{len(order):,}")
    for number, shown in enumerate(order, 1):
        line = f"    {number:>{width},}. {clean(shown.text)}  (process {shown.operation.process}, {_at(shown)})\n"
        console.file.write(line)


def _strongest(findings: Sequence[Weaker]) -> Table:
    table = new_table()
    table.add_column("consistency model", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("why", overflow="fold")
    for finding in findings:
        verdict = Text(finding.verdict.name, style=_STYLES[finding.verdict])
        table.add_row(Text(clean(str(finding.model.value))), verdict, Text(clean(finding.reason)))
    return table


def _strongest_words(answer: Decided) -> str:
    open_ = [str(f.model.value) for f in answer.strongest if f.verdict is Verdict.UNKNOWN]
    names = listed(answer.holding)
    text = f"The strongest that holds is {names}" if len(answer.holding) == 1 else f"The strongest that hold are {names}"
    return f"{text}; not decided: {listed(open_)}." if open_ else f"{text}."


def _at(shown: Shown) -> str:
    return f"line {shown.line:,}"


def _clipped(text: str) -> str:
    text = clean(text)
    return text if len(text) <= OPERATION_WIDTH_MAX else text[: OPERATION_WIDTH_MAX - 1] + "…"


# --- many histories -----------------------------------------------------------------------


def _print_table(console: Console, answers: Sequence[Decided | Refused]) -> None:
    """The widest table that fits; what all names begin with stands above it."""
    folder = _common_folder([answer.source for answer in answers])
    if folder:
        put(console, f"in {folder}", style="dim")
    for left_out in _LAYOUTS:
        table = _table(answers, len(folder), left_out)
        if Measurement.get(console, console.options.update(max_width=10_000), table).maximum <= console.width:
            break
    console.print(table)


def _common_folder(names: Sequence[str]) -> str:
    """The folder, with a slash, that all names have in common, or nothing."""
    folders = [name.split("/")[:-1] for name in names]
    common = takewhile(lambda level: len(set(level)) == 1, zip(*folders, strict=False))
    return "".join(f"{level[0]}/" for level in common)


def _table(answers: Sequence[Decided | Refused], begin: int, left_out: tuple[str, ...]) -> Table:
    columns: tuple[tuple[str, bool, Callable[[Decided], str]], ...] = (
        ("object", False, lambda a: clean(a.found.object)),
        ("operations", True, lambda a: f"{a.found.operations:,}"),
        ("pending", True, lambda a: f"{a.found.pending:,}"),
        ("parts", True, lambda a: f"{len(a.found.parts):,}"),
        ("engine", False, lambda a: listed(a.found.engines)),
    )
    columns = tuple(c for c in columns if c[0] not in left_out)
    table = new_table()
    table.add_column("file", overflow="fold")
    for header, right, _ in columns:
        table.add_column(header, justify="right" if right else "left", no_wrap=right)
    table.add_column("verdict", no_wrap=True)
    table.add_column("seconds", justify="right", no_wrap=True)
    for answer in answers:
        name = Text(clean(answer.source[begin:]))
        if isinstance(answer, Refused):
            table.add_row(name, *("" for _ in columns), Text(clean(answer.reason), style="yellow"), "")
        else:
            cells = (Text(cell(answer)) for _, _, cell in columns)
            verdict = answer.found.verdict
            table.add_row(name, *cells, Text(verdict.name, style=_STYLES[verdict]), f"{answer.found.seconds:.2f}")
    return table


def _summary(answers: Sequence[Decided | Refused]) -> str:
    verdicts = Counter(a.found.verdict for a in answers if isinstance(a, Decided))
    refused = sum(isinstance(a, Refused) for a in answers)
    counts = [f"{verdicts[v]:,} {word}" for v, word in (
        (Verdict.HOLDS, "linearizable"), (Verdict.VIOLATED, "violated"), (Verdict.UNKNOWN, "unknown"),
    ) if verdicts[v]]  # fmt: skip
    if refused:
        counts.append(f"{refused:,} not checked")
    histories = "1 history" if len(answers) == 1 else f"{len(answers):,} histories"
    return f"{histories}: {', '.join(counts)}"
