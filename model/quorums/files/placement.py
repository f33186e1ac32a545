"""Where CockroachDB's constraints put the replicas of a range.

Constraints are ``[+region=a, -region=b]``, for every replica, or ``{+region=a: 2, +region=b: 1}``, for so
many each.  Law: a replica has the region that every way of keeping the constraints gives it, or none.
Only regions place; other attributes (zones, stores) restrict further and are noted.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from scrutator.model.quorums.expression import QuorumError
from scrutator.model.quorums.files.build import listed
from scrutator.model.quorums.files.tables import shown

_ENTRY = re.compile(r"""([^:{}\[\]]+):\s*(\d{1,6})\s*(?:,\s*|\Z)""")  # a comma may also join what one replica must have
_ONE = re.compile(r"([+-])\s*(?:([^\s=+,-][^\s=,]*)=)?([^\s=,]+)")
PARTS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Part:
    """What so many replicas must have and must not have; all of them if ``count`` is None."""

    required: tuple[str, ...]  # such as region=a, or ssd
    prohibited: tuple[str, ...]
    count: int | None

    @property
    def region(self) -> str | None:
        return next((each.removeprefix("region=") for each in self.required if each.startswith("region=")), None)

    def __str__(self) -> str:
        return ",".join([*(f"+{each}" for each in self.required), *(f"-{each}" for each in self.prohibited)])


@dataclass(frozen=True, slots=True)
class Constraints:
    """The parts of one setting."""

    parts: tuple[Part, ...]

    @property
    def counted(self) -> int:
        return sum(part.count or 0 for part in self.parts)

    def regions(self, replicas: int) -> Counter[str]:
        """How many of the replicas each region is given at least."""
        found: Counter[str] = Counter()
        for part in self.parts:
            if part.region is not None:
                found[part.region] += replicas if part.count is None else part.count
        return found


@dataclass(frozen=True, slots=True)
class Placed:
    """The regions of the voters and of the other replicas, one each; None where it is left open."""

    voters: list[str | None]
    others: list[str | None]


def read_constraints(text: str) -> Constraints:
    """The constraints of a setting's text.

    >>> [(str(part), part.count) for part in read_constraints('{"+region=a,+ssd": 2, +region=b: 1}').parts]
    [('+region=a,+ssd', 2), ('+region=b', 1)]
    """
    stripped = text.strip()
    brackets = stripped[:1] + stripped[-1:]
    if brackets not in ("[]", "{}"):
        raise QuorumError(f"{shown(text)}: write [+region=a] for all replicas, or {{+region=a: 2, +region=b: 1}}")
    inner = stripped[1:-1].strip()
    if not inner:
        return Constraints(())
    if brackets == "[]":
        return Constraints((_part(re.sub(r"[\"']", "", inner), None),))
    parts: list[Part] = []
    at = 0
    while at < len(inner):
        match = _ENTRY.match(inner, at)
        if match is None or int(match[2]) < 1 or len(parts) == PARTS_MAX:
            raise QuorumError(f"{shown(inner[at:])}: write for how many replicas, 1 or more, as in +region=a: 2, +region=b: 1")
        parts.append(_part(match[1].strip().strip("\"'"), int(match[2])))
        at = match.end()
    return Constraints(tuple(parts))


def _part(text: str, count: int | None) -> Part:
    required: list[str] = []
    prohibited: list[str] = []
    for one in text.split(","):
        match = _ONE.fullmatch(one.strip())
        if match is None:
            raise QuorumError(f"{shown(one)} is not a constraint: write +region=a for required, -region=a for prohibited")
        name = f"{match[2]}={match[3]}" if match[2] else match[3]
        (required if match[1] == "+" else prohibited).append(name)
    if sum(each.startswith("region=") for each in required) > 1:
        raise QuorumError(f"{shown(text)}: no replica is in two regions at once")
    return Part(tuple(required), tuple(prohibited), count)


def place(replicas: int, voters: int, all_: Constraints, of_voters: Constraints, notes: list[str]) -> Placed:
    """The regions that constraints leave for voters and others.

    Raises `QuorumError` for constraints that no placement keeps.
    """
    _check_sum("constraints", all_, replicas, "num_replicas")
    _check_sum("voter_constraints", of_voters, voters, "num_voters")
    _check_prohibited(replicas, all_, of_voters)
    whole, voting = all_.regions(replicas), of_voters.regions(voters)
    together = whole | voting  # the greater of the two, region by region
    if together.total() > replicas:
        raise QuorumError(
            f"constraints and voter_constraints together need {together.total()} replicas ({_counts(together)}), and there are "
            f"{replicas}: CockroachDB accepts it, and can place no range so; make them agree"
        )
    if any(each for part in (*all_.parts, *of_voters.parts) for each in part.required if not each.startswith("region=")):
        notes.append("constraints on zones, stores and the like restrict placement further; here only regions count")
    left_voters = voters - voting.total()
    if replicas == voters:  # whoever is constrained is a voter
        return Placed(_padded(together, voters), [])
    certain = Counter(voting)
    rest = together - voting  # places that voters or others may take
    others: Counter[str] = Counter()
    if left_voters == 0:
        others = rest
    elif len(rest) == 1 and together.total() == replicas:
        (region,) = rest  # every open place is in one region
        certain[region] += left_voters
        others = Counter({region: rest[region] - left_voters})
    elif rest or left_voters:
        notes.append(f"where {left_voters} of the voters are is left open: voter_constraints place {voting.total()} of {voters}")
    return Placed(_padded(certain, voters), _padded(others, replicas - voters))


def _padded(regions: Counter[str], count: int) -> list[str | None]:
    placed: list[str | None] = [region for region, many in regions.items() for _ in range(many)]
    return placed + [None] * (count - len(placed))


def _check_sum(what: str, constraints: Constraints, most: int, setting: str) -> None:
    if constraints.counted > most:
        listing = listed(f"{part}: {part.count}" for part in constraints.parts)
        raise QuorumError(
            f"{what} are for {constraints.counted} replicas ({listing}), and {setting} is {most}: "
            f"no range could ever be placed so; lower them, or raise {setting}"
        )


def _check_prohibited(replicas: int, all_: Constraints, of_voters: Constraints) -> None:
    for part in of_voters.parts:
        if part.prohibited:
            raise QuorumError(f"voter_constraints prohibit {part.prohibited[0]}: CockroachDB allows that in constraints alone")
    for part in all_.parts:
        if part.prohibited and part.count not in (None, replicas):
            raise QuorumError(f"-{part.prohibited[0]} for {part.count} of {replicas} replicas: only what is required may be of some alone")
    everywhere = {each for part in all_.parts for each in part.prohibited}
    for part in (*all_.parts, *of_voters.parts):
        for each in part.required:
            if each in everywhere:
                raise QuorumError(f"{each} is both required and prohibited: take out +{each} or -{each}")


def _counts(regions: Counter[str]) -> str:
    return listed(f"{region}: {count}" for region, count in regions.items())
