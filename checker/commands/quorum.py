"""`scrutator quorum`: whether quorums that must meet do, what a system survives, and what it costs.

Law: decides nothing itself; results go to standard output, progress and mistakes to standard error.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Group, Parameter

from scrutator.checker.commands.shared import Format, UsageError, emit, refuse_options
from scrutator.checker.verdict import gravest, status_of

if TYPE_CHECKING:
    from scrutator.checker.quorum.study import AnyStudy

_WHAT = Group("What to verify", sort_key=1)
_FAILURES = Group("Failures", sort_key=2)
_MORE = Group("Further questions", sort_key=3)
_OUTPUT = Group("Output and limits", sort_key=4)
TIMEOUT_S_MAX = 1_000_000  # z3 counts milliseconds in 32 bits


def quorum(
    systems: Annotated[tuple[str, ...], Parameter(group=_WHAT, allow_leading_hyphen=True)] = (),
    /,
    *,
    rules: Annotated[tuple[str, ...], Parameter(group=_WHAT)] = (),
    source: Annotated[str | None, Parameter(name="--from", group=_WHAT)] = None,
    conventions: Annotated[tuple[str, ...], Parameter(name="--convention", group=_WHAT)] = (),
    failures: Annotated[int | None, Parameter(group=_FAILURES)] = None,
    zones: Annotated[int | None, Parameter(group=_FAILURES)] = None,
    faulty: Annotated[tuple[str, ...], Parameter(group=_FAILURES)] = (),
    forgetting: Annotated[int, Parameter(group=_FAILURES)] = 0,
    down: Annotated[tuple[str, ...], Parameter(group=_FAILURES)] = (),
    compare: Annotated[bool, Parameter(group=_MORE)] = False,
    search: Annotated[bool, Parameter(group=_MORE)] = False,
    to: Annotated[str | None, Parameter(group=_MORE)] = None,
    model: Annotated[str | None, Parameter(name="--check", group=_MORE)] = None,
    settings: Annotated[tuple[str, ...], Parameter(name="--set", group=_MORE)] = (),
    reads: Annotated[tuple[str, ...], Parameter(group=_MORE)] = (),
    optimise: Annotated[Literal["load", "network", "latency"], Parameter(group=_MORE)] = "load",
    timeout_s: Annotated[float, Parameter(group=_OUTPUT)] = 60.0,
    smtlib: Annotated[Path | None, Parameter(group=_OUTPUT)] = None,
    html: Annotated[Path | None, Parameter(group=_OUTPUT)] = None,
    format: Annotated[Format, Parameter(group=_OUTPUT)] = "text",
) -> int:
    """Prove that quorums which must meet do, or name those that miss each other.

    Examples: scrutator quorum 'majority(a, b, c)'; scrutator quorum 'read = a*b + c*d; write = dual';
    scrutator quorum five.toml --failures 2; scrutator quorum zoo.cfg --check raft.

    Parameters
    ----------
    systems
        A quorum expression, or 'role = EXPRESSION; role = EXPRESSION', or a file: our TOML, zoo.cfg,
        rs.conf(), a keyspace, a zone configuration, Stellar's JSON. Several, with --compare.
    rules
        Instead of those that the roles suggest: a family such as raft, flexible-paxos, fast-paxos,
        byzantine(1), or a rule such as 'phase1 & fast & fast' or 'quorum & quorum >= 2'; may be repeated.
    source
        The format of the file, if it should not be told from its content.
    conventions
        NAME=VALUE: what the file does not say, such as read_level=QUORUM or missing=free; may be repeated.
    failures
        Also require that every role still has a quorum after any so many nodes failed.
    zones
        Also require that every role still has a quorum after any so many whole regions failed.
    faulty
        This node lies or lost what it knew, so that sharing it is not enough; may be repeated.
    forgetting
        Any so many nodes may lie or lose what they knew.
    down
        This node is down for ever; may be repeated.
    compare
        Compare several systems by load, capacity, latency and what they survive.
    search
        Look for better systems over the same nodes, which survive --failures and --zones, and prove them.
    to
        Whether the change to this system is safe in one step, and which sequence is.
    model
        Hand the system to the model checker: raft, paxos or another model with quorums.
    settings
        NAME=VALUE: a bound of that model; may be repeated.
    reads
        The fraction of operations that read, such as 0.9; or several, FRACTION:WEIGHT.
    optimise
        What the strategy that is costed, and the search, make least: load, nodes asked, or latency.
    timeout_s
        Give up a rule, or the model, after so many seconds.
    smtlib
        Write each question as SMT-LIB into this folder, for another solver to repeat.
    html
        Draw the system into this file.
    format
        Text for people, JSON for programs.
    """
    refuse_options(systems)
    if not systems:
        raise UsageError("which quorums? write scrutator quorum FILE, or an expression such as 'majority(a, b, c)'")
    if len(systems) > 1 and not compare:
        raise UsageError("several systems are compared: add --compare (and quote an expression that has spaces)")
    if not 0 < timeout_s <= TIMEOUT_S_MAX:
        raise UsageError(f"--timeout-s {timeout_s}: write a number of seconds above 0, {TIMEOUT_S_MAX:,} at most")
    if settings and model is None:
        raise UsageError("--set needs a model to apply to: add --check MODEL")
    for option, value in (("--failures", failures or 0), ("--zones", zones or 0), ("--forgetting", forgetting)):
        if value < 0:
            raise UsageError(f"{option} {value}: 0 or more")

    from scrutator.checker.commands.quorum_study import Request, study

    request = Request(
        rules=rules,
        source=source,
        conventions=_named(conventions, "--convention", "read_level=QUORUM"),
        failures=failures,
        zones=zones,
        optimise=optimise,
        faulty=frozenset(faulty),
        forgetting=forgetting,
        down=frozenset(down),
        search=search,
        to=to,
        model=model,
        settings=_named(settings, "--set", "max_term=2"),
        reads=reads,
        timeout_s=timeout_s,
        smtlib=smtlib,
        html=html,
    )
    studies = study(systems, request)
    status = status_of(gravest(one.verdict for one in studies))
    if html is not None:
        _draw(studies, html)

    def show() -> None:
        if format == "json":
            from scrutator.checker.report.quorum_json import document, encode

            sys.stdout.write(encode(document(studies, status)))
        else:
            from scrutator.checker.report.layout import console_for
            from scrutator.checker.report.quorum_text import print_studies

            print_studies(console_for(sys.stdout), studies)

    emit(show)
    return status


def _draw(studies: Sequence[AnyStudy], path: Path) -> None:
    from scrutator.checker.commands.quorum_study import candidates
    from scrutator.checker.report.quorum_page import write_page

    try:
        write_page(studies, path, comparison=candidates(studies))
    except OSError as error:
        raise UsageError(f"cannot write the page to {path}: {error.strerror or error}") from error
    emit(lambda: print(f"The page is in {path}", file=sys.stderr))


def _named(texts: tuple[str, ...], option: str, example: str) -> dict[str, str]:
    """NAME=VALUE pairs."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name or not value:
            raise UsageError(f"{option} {text}: write NAME=VALUE, for instance {option} {example}")
        if name in found:
            raise UsageError(f"{option} {text}: {name} is already {found[name]}")
        found[name] = value
    return found
