"""Studies of quorum systems as text: verdicts with what they rest on, and which quorums miss each other.

Law: everything that limits a verdict is printed with it.  Reads studies, decides nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from scrutator.checker.quorum.reconfigure import CAVEAT, Path, Reconfiguration, broken
from scrutator.checker.quorum.result import Finding, Miss, Verification
from scrutator.checker.quorum.study import AnyStudy, Explored, FederatedStudy, Study
from scrutator.checker.report.clean import clean
from scrutator.checker.report.layout import new_table, plural, put
from scrutator.checker.report.quorum_more import print_comparison, print_cost, print_federated, print_survival
from scrutator.checker.report.quorum_words import braced
from scrutator.checker.verdict import Verdict

EXPRESSION_WIDTH_MAX = 300

_STYLES = {Verdict.HOLDS: "green", Verdict.VIOLATED: "bold red", Verdict.UNKNOWN: "yellow"}


def print_studies(console: Console, studies: Sequence[AnyStudy]) -> None:
    """Each study in turn, and a table of several."""
    if len(studies) > 1:
        print_comparison(console, studies)
    for k, study in enumerate(studies):
        if k or len(studies) > 1:
            console.print()
        if isinstance(study, FederatedStudy):
            print_federated(console, study)
        else:
            print_study(console, study, brief=len(studies) > 1)


def print_study(console: Console, study: Study, *, brief: bool = False) -> None:
    """Everything about one system; ``brief`` leaves out what a table of several says."""
    verification = study.verification
    put(console, headline(study.own_verdict, study.system.name))
    if brief and study.verdict is Verdict.HOLDS and study.explored is None:
        return
    put(console, f"Over {verification.scope}.", indent=2)
    for note in study.system.notes:
        put(console, f"Read as: {note}", indent=2, style="dim")
    _print_roles(console, study)
    _print_findings(console, verification)
    for finding in verification.findings:
        if finding.miss is not None:
            console.print()
            print_miss(console, finding)
    if not brief:
        print_survival(console, study)
        print_cost(console, study)
    if study.change is not None:
        console.print()
        print_change(console, study.change)
    if study.explored is not None:
        console.print()
        print_explored(console, study.explored, verification)
    for undone in study.undone:
        put(console, f"Not said: {undone}", indent=2, style="yellow")
    if study.written:
        console.print()
        put(console, f"{plural(len(study.written), 'question')} as SMT-LIB in {study.written[0].parent}: repeat them with another solver")


def headline(verdict: Verdict, name: str) -> Text:
    """The verdict on a system."""
    return Text.assemble((verdict.name, _STYLES[verdict]), " ", (clean(name), "bold"))


def print_miss(console: Console, finding: Finding) -> None:
    """The quorums that share too few nodes, and what follows."""
    assert finding.miss is not None
    put(console, f"{sentence(finding)}: {finding.rule.why}.", style="bold")
    put(console, _how_small(finding.miss), indent=2)


def sentence(finding: Finding) -> str:
    """Which quorums share too few nodes, as a sentence without its end."""
    miss = finding.miss
    assert miss is not None
    quorums = [f"{named_role(role)} {braced(nodes)}" for role, nodes in zip(finding.rule.roles, miss.quorums, strict=True)]
    named = " and ".join(quorums) if len(quorums) < 3 else f"{', '.join(quorums[:-1])} and {quorums[-1]}"
    needed = finding.asked.overlap
    correct = miss.shared - finding.asked.faulty
    if not miss.shared:
        return f"{named} share no node" + (f" where {needed} are needed" if needed > 1 else "")
    if not correct:
        return f"{named} share only {braced(miss.shared)}, which may lie"
    return f"{named} share only {braced(correct)}, {plural(len(correct), 'node')} where {needed} are needed"


def named_role(role: str) -> str:
    """A quorum of a role, in words: ``election quorum``, and ``quorum`` for the role of that name."""
    return role if "quorum" in role.split() else f"{role} quorum"


def _how_small(miss: Miss) -> str:
    count = sum(map(len, miss.quorums))
    if miss.smallest:
        return f"No quorums that do so are smaller: they have {count} nodes together."
    return f"They have {count} nodes together; that there are no smaller ones was not proved."


def _print_roles(console: Console, study: Study) -> None:
    alike: dict[str, list[str]] = {}  # roles by the expression that they share
    for role, expression in study.system.roles.items():
        alike.setdefault(str(expression), []).append(role)
    for text, roles in alike.items():
        shown = text if len(text) <= EXPRESSION_WIDTH_MAX else text[: EXPRESSION_WIDTH_MAX - 4] + " ..."
        put(console, f"{' = '.join(roles)} = {shown}", indent=2)
    for role in study.verification.without_quorum:
        put(console, f"No set of nodes is a quorum of {role}: it could never decide anything, which is not safety.", indent=2, style="bold red")


def _print_findings(console: Console, verification: Verification) -> None:
    table = new_table()
    table.add_column("rule", overflow="fold")
    table.add_column("verdict")
    table.add_column("basis", overflow="fold")
    for finding in verification.findings:
        table.add_row(Text(clean(str(finding.rule))), Text(finding.verdict.name, _STYLES[finding.verdict]), Text(finding.basis))
    if verification.findings:
        console.print()
        console.print(table)


# --- further questions --------------------------------------------------------------------


def print_change(console: Console, change: Reconfiguration) -> None:
    """Whether a change is safe in one step, and which sequences are."""
    old, new = change.at_once.configurations
    head = Text.assemble((change.verdict.name, _STYLES[change.verdict]), f" from {clean(old.name)} to {clean(new.name)} in one step")
    put(console, head)
    finding = broken(change.at_once.steps[0])
    if finding is not None:
        put(console, f"{sentence(finding)}: {finding.rule.why}.", indent=2)
    elif change.at_once.steps[0].without_quorum:
        put(console, f"{_undecided(change.at_once.steps[0])}.", indent=2)
    for path in change.others:
        _print_path(console, path)
    if change.verdict is Verdict.HOLDS or any(path.verdict is Verdict.HOLDS for path in change.others):
        put(console, f"A sequence is safe only if {CAVEAT}.", indent=2, style="dim")


def _print_path(console: Console, path: Path) -> None:
    put(console, Text.assemble((path.verdict.name, _STYLES[path.verdict]), f" {path.kind}, in {plural(len(path.steps), 'step')}:"), indent=2)
    for configuration, step in zip(path.configurations[1:], path.steps, strict=True):
        finding = broken(step)
        wrong = sentence(finding) if finding is not None else _undecided(step) if step.without_quorum else ""
        put(console, clean(configuration.name) + (f": {wrong}" if wrong else ""), indent=7, label="    ->")


def _undecided(step: Verification) -> str:
    return f"no set of nodes is a quorum of {' or '.join(map(clean, step.without_quorum))}"


def print_explored(console: Console, explored: Explored, verification: Verification) -> None:
    """What the model checker said, beside what the verifier says."""
    from scrutator.checker.report.text import print_results

    print_results(console, [explored.result], coverage=False, witness=False)
    console.print()
    shown, verdict = explored.shown, explored.result.verdict
    if shown is not None and shown.apart is not None:
        (first, a), (second, b) = shown.apart
        put(console, f"In this counterexample {named_role(first)} {braced(a)} and {named_role(second)} {braced(b)} decided without a common node.", style="bold")
    if verdict is verification.verdict:
        put(console, f"The model {explored.model} and the verifier agree.")
    elif verdict is Verdict.HOLDS:
        put(console, f"The model {explored.model} shows no violation within its bounds ({explored.result.scope}); the verifier's verdict is about all of them.", style="yellow")
    elif verdict is Verdict.VIOLATED:
        put(console, f"The rules hold, yet the model {explored.model} is violated: it needs rules that were not asked for.", style="bold red")
