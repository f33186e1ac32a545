"""What a page is given: one JSON document, of which these are the parts.

Law: nodes, roles and rows are positions, and their names reach the page once, cleaned; quorums are
given as circuits, which the page evaluates itself, and as rows, of which there are never too many.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from scrutator.checker.quorum.circuit import Circuit, Gate
from scrutator.checker.report.clean import clean
from scrutator.checker.report.quorum_page.tradeoff import Comparison

EXACT_MAX = 2**53  # whole numbers that JavaScript tells from their neighbours are below
NO_ZONE = -1
NEVER, ALWAYS = -1, -2  # instead of the part of a quorum set

Number = int | str  # as a text where it would not be exact
Part = int | tuple[Number, list[Number], list[int]]  # a node, or a threshold: needed, weights, earlier parts


class Node(msgspec.Struct, frozen=True, rename="camel"):
    """A node: ``zone`` is a position in the zones, or -1; ``down`` for ever; ``idle`` if it is in no quorum."""

    name: str
    zone: int
    kind: str
    faulty: bool
    down: bool
    idle: bool


class Quorums(msgspec.Struct, frozen=True, rename="camel"):
    """One set of quorums and the roles that have it.

    ``parts`` is its circuit, the last part the whole; without parts, ``always`` says whether any nodes or
    none are a quorum.  ``count`` are its minimal quorums in words; all are rows if ``complete``.

    In a federated system, a set of nodes is a quorum if each of them has what it asks for among them:
    ``slices`` are the parts that say so, `NEVER` or `ALWAYS`, by node; the ``bare`` ones make no quorum.
    Quorums without roles are only drawn: they are whom nodes ask for.
    """

    roles: list[int]
    parts: list[Part]
    always: bool
    count: str
    complete: bool
    slices: list[int] | None = None
    bare: list[int] = []


class Fact(msgspec.Struct, frozen=True, rename="camel"):
    """Something to see: ``nodes`` to let fail, or ``rows`` to light; what they are is said before."""

    text: str
    nodes: list[int] = []
    rows: list[int] = []


class Role(msgspec.Struct, frozen=True, rename="camel"):
    """A role, its name in a sentence, its quorums as text, and where they are among all `Quorums`.

    It ``works`` if a system needs a quorum of it that is up; who holds data does not.
    """

    name: str
    named: str
    text: str
    quorums: int
    works: bool = True


class Row(msgspec.Struct, frozen=True, rename="camel"):
    """A quorum in the matrix; ``cited`` if a verdict rests on it, ``label`` if it is no quorum but named so."""

    quorums: int
    members: list[int]
    cited: bool
    label: str | None = None


class Rule(msgspec.Struct, frozen=True, rename="camel"):
    """The verdict on a rule; ``rows`` are the quorums that miss each other, one for each of its roles."""

    text: str
    why: str
    verdict: str
    basis: str
    roles: list[int]
    overlap: int
    said: str | None
    size: str | None
    rows: list[int]


class Move(msgspec.Struct, frozen=True, rename="camel"):
    """A step of a change: to which configuration, and what it breaks."""

    to: str
    verdict: str
    said: str | None


class Way(msgspec.Struct, frozen=True, rename="camel"):
    """A sequence of steps."""

    kind: str
    verdict: str
    moves: list[Move]


class Change(msgspec.Struct, frozen=True, rename="camel"):
    """Whether a change is safe at once, and how else."""

    old: str
    new: str
    verdict: str
    ways: list[Way]
    caveat: str


class Model(msgspec.Struct, frozen=True, rename="camel"):
    """What the model checker said; ``rows`` are quorums of its counterexample that have no node in common."""

    name: str
    verdict: str
    scope: str
    said: str
    rows: list[int]


class System(msgspec.Struct, frozen=True, rename="camel"):
    """One study.

    ``lit`` are the rows to begin with, ``wrong`` what else makes it violated, ``undone`` what was given up.
    """

    name: str
    verdict: str
    scope: str
    notes: list[str]
    zones: list[str]
    nodes: list[Node]
    roles: list[Role]
    quorums: list[Quorums]
    rows: list[Row]
    rules: list[Rule]
    facts: list[Fact]
    wrong: list[str]
    undone: list[str]
    lit: list[int]
    change: Change | None
    model: Model | None


class Document(msgspec.Struct, frozen=True, rename="camel"):
    """All that a page shows."""

    systems: list[System]
    comparison: Comparison | None


def embedded(document: Document) -> str:
    """The document as text for a script element: no character of it can end the element."""
    text = msgspec.json.encode(document).decode()
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


# --- making them --------------------------------------------------------------------------


def distinct(names: Iterable[str]) -> list[str]:
    """Names cleaned, with a number where cleaning makes them alike.

    >>> distinct(["a", "\\x1b", "\\\\x1b"])
    ['a', '\\\\x1b', '\\\\x1b (2)']
    """
    found: dict[str, None] = {}
    for name in names:
        label, number = clean(name), 1
        while label in found:
            number += 1
            label = f"{clean(name)} ({number})"
        found[label] = None
    return list(found)


class Rows:
    """The rows of the matrix: those that verdicts rest on first, then those listed, each once."""

    def __init__(self, names: Mapping[str, int], group: Mapping[str, int]) -> None:
        self.names, self.group = names, group
        self.listed: list[Row] = []
        self._known: dict[tuple[int, frozenset[str], str | None], int] = {}

    def cite(self, role: str, quorum: frozenset[str]) -> int:
        """The row of a quorum of this role."""
        return self.add(self.group[role], quorum, cited=True)

    def add(self, group: int, quorum: frozenset[str], *, cited: bool = False, label: str | None = None) -> int:
        row = self._known.setdefault((group, quorum, label), len(self.listed))
        if row == len(self.listed):
            self.listed.append(Row(group, self.positions(quorum), cited, label))
        return row

    def positions(self, nodes: Iterable[str]) -> list[int]:
        return sorted(self.names[node] for node in nodes)


def parts_of(circuit: Circuit, names: Mapping[str, int], first: int = 0) -> list[Part]:
    """The parts of a circuit, the first of which is to be number ``first``."""

    def part(each: str | Gate) -> Part:
        if isinstance(each, str):
            return names[each]
        # One inexact number makes all of the threshold texts, so that the page adds like with like.
        exact = sum(weight for weight, _ in each.members) < EXACT_MAX
        weights: list[Number] = [weight if exact else str(weight) for weight, _ in each.members]
        return (each.needed if exact else str(each.needed), weights, [first + position for position in each.positions])

    return [part(each) for each in circuit.parts]
