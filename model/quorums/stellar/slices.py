"""Quorum sets of a file as expressions, and the conventions by which they were read.

Law: what has a meaning is read, and said in the notes if it is odd, as a threshold that nobody can
reach; what has none is refused.  A member listed twice counts twice; a member that no file describes
is a node like others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from scrutator.model.quorums.expression import AtLeast, Expression, Node
from scrutator.model.quorums.federated import FederatedSystem, Missing
from scrutator.model.quorums.stellar.located import Document, Step, shown

MEMBERS_MAX = 1_000_000
DEPTH_MAX = 20
UNKNOWN = 2**53 - 1  # the threshold that crawlers give a quorum set of which they know nothing


@dataclass(slots=True)
class Slices:
    """Makes expressions of a file's quorum sets, and counts what is odd about them."""

    file: Document
    nodes: dict[str, Node] = field(default_factory=dict)
    odd: Counter[str] = field(default_factory=Counter)
    members: int = 0

    def node(self, name: str) -> Node:
        """The node of that name, new if it is not described."""
        if name not in self.nodes:
            self.nodes[name] = Node(name)
        return self.nodes[name]

    def name(self, value: object, steps: tuple[Step, ...], what: str = "a node's key") -> str:
        """A text that is not empty."""
        if not isinstance(value, str) or not value:
            raise self.file.error(steps, f"{shown(value)} is not {what}: a text in quotes")
        return value

    def record(self, value: object, steps: tuple[Step, ...], what: str) -> Mapping[str, object]:
        """An object."""
        if not isinstance(value, dict):
            raise self.file.error(steps, f"{shown(value)} is not {what}: an object in curly brackets")
        return value

    def items(self, record: Mapping[str, object], key: str, steps: tuple[Step, ...], needed: bool = True) -> list[object]:
        """An array of an object; empty if it is not there and need not be."""
        if key not in record and not needed:
            return []
        if key not in record:
            raise self.file.error(steps, f'no "{key}": add it, an array')
        value = record[key]
        if not isinstance(value, list):
            raise self.file.error((*steps, key), f'"{key}" is {shown(value)}; it is an array, in square brackets')
        return value

    def threshold(self, needed: object, members: list[Expression], steps: tuple[Step, ...]) -> AtLeast:
        """So many of the members."""
        if isinstance(needed, bool) or not isinstance(needed, int):
            raise self.file.error(steps, f"a threshold of {shown(needed)}: it is a whole number, without quotes")
        if needed < 0:
            raise self.file.error(steps, f"a threshold of {needed}: it is 1 or more")
        self.members += len(members)
        if self.members > MEMBERS_MAX:
            raise self.file.error(steps, f"more than {MEMBERS_MAX:,} members of quorum sets: too many to be a network")
        if not members and 0 < needed < UNKNOWN:
            raise self.file.error(
                steps, f"a threshold of {needed} in a quorum set that names nobody: add members, or leave out the quorum set"
            )
        names = [member.name for member in members if isinstance(member, Node)]
        self.odd["zero"] += needed == 0
        self.odd["unknown"] += needed >= UNKNOWN and not members
        self.odd["above"] += bool(members) and needed > len(members)
        self.odd["twice"] += len(set(names)) < len(names)
        return AtLeast(needed, tuple((1, member) for member in members))

    def system(self, name: str, slices: Mapping[str, Expression | None], missing: Missing, notes: tuple[str, ...] = ()) -> FederatedSystem:
        """The system, with notes of all that was taken for granted."""
        described = len(slices)
        bare = sum(expression is None for expression in slices.values())
        others = len(self.nodes) - described
        said = [
            (bare + others, missing.note + f" ({_count(bare + others, 'is', 'are')} such)"),
            (others, f"{_count(others, 'member', 'members')} of quorum sets the file does not describe: nodes without a quorum set"),
            (self.odd["unknown"], f"{_count(self.odd['unknown'], 'quorum set', 'quorum sets')} of no members, threshold {UNKNOWN}: unknown, which nobody satisfies"),
            (self.odd["above"], f"{_count(self.odd['above'], 'threshold', 'thresholds')} above the number of members, which nobody satisfies"),
            (self.odd["zero"], f"{_count(self.odd['zero'], 'threshold', 'thresholds')} of 0, which need nobody"),
            (self.odd["twice"], f"{_count(self.odd['twice'], 'quorum set lists', 'quorum sets list')} a member twice, which counts twice"),
        ]  # fmt: skip
        kept = tuple(text for count, text in said if count)
        return FederatedSystem(name, slices, tuple(self.nodes.values()), (*notes, *kept), missing)


def _count(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"
