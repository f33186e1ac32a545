"""What a page says of a federated system: its quorums, and whom each node asks for.

Law: the page evaluates what nodes ask for just as they were read; quorums that were not listed are
counted in words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from scrutator.checker.quorum.circuit import Gate, compiled
from scrutator.checker.quorum.federated.result import Outcome
from scrutator.checker.quorum.study import FederatedStudy
from scrutator.checker.report.clean import clean
from scrutator.checker.report.quorum_page.listing import ROWS_MAX, in_words
from scrutator.checker.report.quorum_page.schema import (
    ALWAYS,
    NEVER,
    NO_ZONE,
    Fact,
    Node,
    Part,
    Quorums,
    Role,
    Rows,
    Rule,
    System,
    distinct,
    parts_of,
)
from scrutator.checker.report.quorum_words import braced
from scrutator.checker.verdict import Verdict
from scrutator.model.quorums.federated import FederatedSystem, Missing

ROLE = "quorum"
SETS_MAX = 100  # of those that nodes ask for

_VERDICTS = {Outcome.INTERSECTS: Verdict.HOLDS, Outcome.UNKNOWN: Verdict.UNKNOWN}


def federated_system(study: FederatedStudy) -> System:
    """One study of a federated system."""
    system, result = study.system, study.result
    names = {name: k for k, name in enumerate(system.names())}
    rows = Rows(names, {ROLE: 0})
    apart = [rows.cite(ROLE, side) for side in (result.left, result.right)] if result.outcome is Outcome.SPLIT else []
    facts = list(_facts(study, rows))
    asked, quorums = _asked(system, names), _quorums(study, rows)
    sets = _sets(system, rows, asked)
    zones = list(dict.fromkeys(system.regions().values()))
    return System(
        name=clean(system.name),
        verdict=study.verdict.value,
        scope=clean(result.scope),
        notes=[clean(note) for note in system.notes],
        zones=distinct(zones),
        nodes=_nodes(study, zones),
        roles=[Role(ROLE, ROLE, "each node names its own quorum set", 0)],
        quorums=[quorums, sets],
        rows=rows.listed,
        rules=[_rule(study, apart)],
        facts=facts,
        wrong=list(_wrong(study)),
        undone=[f"Not said: {clean(text)}" for text in study.undone],
        lit=apart,
        change=None,
        model=None,
    )


# --- quorums ------------------------------------------------------------------------------


def _asked(system: FederatedSystem, names: Mapping[str, int]) -> tuple[list[Part], list[int], dict[int, list[str]]]:
    """Parts of what is asked for, the part of each node, and by part the nodes that ask for it."""
    parts: list[Part] = []
    made: dict[tuple[str | Gate, ...], int] = {}
    by_identity: dict[int, int] = {}
    slices: list[int] = []
    askers: dict[int, list[str]] = {}
    for name in names:
        expression = system.slices[name]
        if expression is None:
            slices.append(ALWAYS if system.missing is Missing.FREE else NEVER)
            continue
        if id(expression) not in by_identity:
            circuit = compiled(expression)
            if isinstance(circuit, bool):
                by_identity[id(expression)] = ALWAYS if circuit else NEVER
            else:
                if circuit.parts not in made:
                    made[circuit.parts] = len(parts) + len(circuit.parts) - 1
                    parts += parts_of(circuit, names, len(parts))
                by_identity[id(expression)] = made[circuit.parts]
        root = by_identity[id(expression)]
        slices.append(root)
        askers.setdefault(root, []).append(name)
    return parts, slices, askers


def _quorums(study: FederatedStudy, rows: Rows) -> Quorums:
    listed = 0
    found = study.quorums
    for quorum in () if found is None or found.sets is None else found.sets[:ROWS_MAX]:
        rows.add(0, quorum)
        listed += 1
    if study.smallest is not None and study.smallest.nodes:
        rows.add(0, study.smallest.nodes)
    parts, slices, _ = _asked(study.system, rows.names)
    bare = rows.positions(study.system.without_set())
    count = "an unknown number of" if found is None else in_words(found.count)
    return Quorums([0], parts, False, count, found is not None and listed == found.count, slices, bare)


def _sets(system: FederatedSystem, rows: Rows, asked: tuple[list[Part], list[int], dict[int, list[str]]]) -> Quorums:
    """The nodes that quorum sets name, a row for each set."""
    askers = list(asked[2].values())
    for names in askers[:SETS_MAX]:
        expression = system.slices[names[0]]
        assert expression is not None
        rows.add(1, frozenset(expression.names()), label=f"{braced(names)} ask for {_cut(str(expression))}")
    return Quorums([], [], False, f"{len(askers):,}", len(askers) <= SETS_MAX)


def _cut(text: str, longest: int = 400) -> str:
    return clean(text if len(text) <= longest else text[:longest] + " ...")


def _nodes(study: FederatedStudy, zones: list[str]) -> list[Node]:
    system = study.system
    zone_at = {zone: k for k, zone in enumerate(zones)}
    live = system.greatest_quorum()
    labels = distinct(system.names())
    return [
        Node(labels[k], NO_ZONE if node.region is None else zone_at[node.region], node.kind.value,
             node.name in study.result.faulty, False, node.name not in live)
        for k, node in enumerate(system.nodes)
    ]  # fmt: skip


# --- what was found -----------------------------------------------------------------------


def _rule(study: FederatedStudy, apart: list[int]) -> Rule:
    result = study.result
    said = size = None
    if apart:
        with_help = f", once {braced(result.faulty)} help both" if result.faulty else ""
        said = f"The quorums {braced(result.left)} and {braced(result.right)} share no node{with_help}."
        count = len(result.left) + len(result.right)
        size = f"They have {count} nodes together; {'no two that do so have fewer' if result.smallest else 'that there are no smaller ones was not proved'}."
    verdict = _VERDICTS.get(result.outcome, Verdict.VIOLATED)
    return Rule("quorum & quorum", "they could decide differently", verdict.value, "", [0, 0], 1, said, size, apart)


def _wrong(study: FederatedStudy) -> Iterator[str]:
    if study.result.outcome is Outcome.NO_QUORUM:
        yield "There is no quorum at all, so nothing is ever decided; that is not safety."
    if study.blocked and study.blocking is not None:
        yield f"No quorum is left once {braced(study.blocking.nodes)} failed, and {study.failures} failures were to be survived."


def _facts(study: FederatedStudy, rows: Rows) -> Iterator[Fact]:
    if study.blocking is not None and study.blocking.nodes:
        proof = "" if study.blocking.proved else " (fewer were not excluded)"
        yield Fact(f"Blocked by the failure of {study.blocking.size}{proof}:", rows.positions(study.blocking.nodes))
    if study.splitting is not None and study.splitting.faulty.nodes:
        split = study.splitting
        helped = f"a quorum with the help of {braced(split.faulty.nodes)}"
        sides = [rows.add(0, side, cited=True, label=f"{braced(side)}, {helped}") for side in (split.left, split.right)]
        yield Fact(f"Split by {split.faulty.size} faulty, {braced(split.faulty.nodes)}, who help both:", rows=sides)
