"""Rules: which quorums must have nodes in common, and what breaks where they have not.

A rule names roles; one quorum of each, whichever they are, must share ``overlap`` nodes.  Families
are the rules of known protocols, ready.  Law: states what is needed, decides nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from scrutator.model.quorums.expression import QuorumError
from scrutator.model.quorums.parse import unknown

OVERLAP_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Rule:
    """Any quorums of these roles, one of each, share at least ``overlap`` nodes.

    A role that is named twice stands for any two of its quorums, also twice the same.
    """

    roles: tuple[str, ...]
    overlap: int = 1
    why: str = ""  # what breaks otherwise

    def __str__(self) -> str:
        text = " & ".join(self.roles)
        return text if self.overlap == 1 else f"{text} >= {self.overlap}"


@dataclass(frozen=True, slots=True)
class Family:
    """The rules of a kind of protocol."""

    name: str
    roles: tuple[str, ...]
    rules: Callable[[int], tuple[Rule, ...]]  # of f, the number of faulty nodes; most do not use it
    doc: str
    optional: tuple[str, ...] = ()  # roles it has rules for, which a system may leave out

    def rules_for(self, roles: Mapping[str, object], faulty: int = 0) -> tuple[Rule, ...]:
        """The rules between the roles that a system has; raises `QuorumError` for one that is missing."""
        missing = [role for role in self.roles if role not in roles]
        if missing:
            raise QuorumError(
                f"the rules of {self.name} are about {', '.join(self.roles)}: say which quorums {' and '.join(missing)} "
                f"needs (the roles given are {', '.join(roles)})"
            )
        return tuple(rule for rule in self.rules(faulty) if all(role in roles for role in rule.roles))


_TWO_LEADERS = "two leaders could be elected in one term"
_LOST = "a leader could be elected that does not know what was committed"

RAFT = Family(
    "raft",
    ("election", "commit"),
    lambda f: (
        Rule(("election", "election"), why=_TWO_LEADERS),
        Rule(("election", "commit"), why=_LOST),
        Rule(("election", "lease"), why="a new leader could commit while the old one still answers reads under its lease"),
        Rule(("commit", "data"), why="an entry could be committed by witnesses alone, which hold no data"),
    ),
    "Raft with its own quorums for elections and for replication; majorities meet both rules",
    optional=("lease", "data"),
)
LEASE = Family(
    "lease",
    ("write", "lease"),
    lambda f: (Rule(("write", "lease"), why="a lease holder could answer with a value that a write has replaced"),),
    "read leases: every write must reach someone of every set of lease holders",
)
FLEXIBLE = Family(
    "flexible-paxos",
    ("phase1", "phase2"),
    lambda f: (Rule(("phase1", "phase2"), why="a later ballot could choose another value without learning of the first"),),
    "Flexible Paxos: only phase 1 and phase 2 need to meet (Howard, Malkhi and Spiegelman, 2016)",
)
FAST = Family(
    "fast-paxos",
    ("classic", "fast"),
    lambda f: tuple(
        Rule(roles, why=why)
        for roles, why in (
            (("classic", "classic"), "two classic ballots could choose different values"),
            (("classic", "fast"), "a classic and a fast ballot could choose different values"),
            (("fast", "fast"), "two fast ballots could choose different values"),
            (("classic", "fast", "fast"), "a coordinator could see two values that may both have been chosen"),
            (("fast", "fast", "fast"), "a coordinator could see two values that may both have been chosen"),
        )
    ),
    "Fast Paxos: any two quorums meet, and any quorum with any two fast ones (Lamport, 2006)",
)
FAST_FLEXIBLE = Family(
    "fast-flexible-paxos",
    ("phase1", "phase2", "fast"),
    lambda f: (
        Rule(("phase1", "phase2"), why="a later ballot could choose another value without learning of the first"),
        Rule(("phase1", "fast", "fast"), why="a coordinator could see two values that may both have been chosen"),
    ),
    "the relaxed condition of Fast Paxos (Howard, Charapko and Mortier, 2020)",
)
EPAXOS = Family(
    "epaxos",
    ("slow", "fast"),
    lambda f: (
        Rule(("slow", "slow"), why="two recoveries could decide differently"),
        Rule(("slow", "fast"), why="recovery could miss what was committed on the fast path"),
        Rule(("fast", "fast"), why="two commands that interfere could be committed without either knowing of the other"),
    ),
    "EPaxos: quorums meet, which it needs but which is not all that its recovery needs: fast quorums of "
    "F + (F + 1) // 2 of 2F + 1 nodes; not the rule of Fast Paxos, as the command's leader is left out (Moraru, 2013)",
)
REGISTER = Family(
    "register",
    ("read", "write"),
    lambda f: (
        Rule(("read", "write"), why="a read could miss a finished write"),
        Rule(("write", "write"), why="two writes could be finished without either knowing of the other"),
    ),
    "W + R > N and W + W > N: reads see writes, and writes are ordered (Gifford, 1979)",
)
READ_WRITE = Family(
    "read-write",
    ("read", "write"),
    lambda f: (Rule(("read", "write"), why="a read could miss a finished write"),),
    "W + R > N alone: reads see finished writes; writes must be ordered by other means",
)
JOINT = Family(
    "joint",
    ("old", "new"),
    lambda f: (
        Rule(("old", "old"), why=_TWO_LEADERS),
        Rule(("old", "joint"), why="during the change, the old members alone could decide something else"),
        Rule(("joint", "joint"), why=_TWO_LEADERS),
        Rule(("joint", "new"), why="at the end of the change, the new members alone could decide something else"),
        Rule(("new", "new"), why=_TWO_LEADERS),
    ),
    "joint consensus through every step: old, old and new, new (Ongaro and Ousterhout, 2014)",
)
ONE_STEP = Family(
    "one-step",
    ("old", "new"),
    lambda f: (
        Rule(("old", "old"), why=_TWO_LEADERS),
        Rule(("old", "new"), why="members that still know the old configuration could decide something else"),
        Rule(("new", "new"), why=_TWO_LEADERS),
    ),
    "from the old configuration to the new one at once, as single-server changes do",
)
BYZANTINE = Family(
    "byzantine",
    ("quorum",),
    lambda f: (Rule(("quorum", "quorum"), f + 1, f"the nodes in common could be the {f} faulty ones"),),
    "f nodes lie, data is signed: quorums share f + 1 nodes (dissemination; Malkhi and Reiter, 1998)",
)
MASKING = Family(
    "masking",
    ("quorum",),
    lambda f: (Rule(("quorum", "quorum"), 2 * f + 1, f"correct nodes would not outnumber the {f} faulty ones"),),
    "f nodes lie, data is not signed: quorums share 2f + 1 nodes (masking; Malkhi and Reiter, 1998)",
)
COTERIE = Family(
    "coterie",
    ("quorum",),
    lambda f: (Rule(("quorum", "quorum"), why="two sets of nodes could decide differently"),),
    "any two quorums meet (Garcia-Molina and Barbara, 1985)",
)

FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        COTERIE, RAFT, LEASE, FLEXIBLE, FAST, FAST_FLEXIBLE, EPAXOS, REGISTER, READ_WRITE, JOINT, ONE_STEP, BYZANTINE, MASKING,
    )
}  # fmt: skip
TAKES_FAULTY = ("byzantine", "masking")
# What a system's roles suggest where it states no rules; the first whose roles are all there.
_SUGGESTED = (COTERIE, RAFT, FAST_FLEXIBLE, FAST, FLEXIBLE, EPAXOS, REGISTER, JOINT, LEASE)
_FAMILY = re.compile(r"([a-z][a-z0-9-]*)(?:\((\d{1,4})\))?")
_RULE = re.compile(r"([\w. -]+(?:&[\w. -]+)+?)(?:>=\s*(\d{1,5})\s*)?")


def suggested(roles: Mapping[str, object]) -> Family | None:
    """The family that roles of these names belong to."""
    return next((family for family in _SUGGESTED if all(role in roles for role in family.roles)), None)


def parse_rules(text: str, roles: Mapping[str, object]) -> tuple[Rule, ...]:
    """The rules that a text names: a family, ``byzantine(1)``, or ``phase1 & phase2``, ``a & b & b >= 2``.

    >>> [str(rule) for rule in parse_rules("read & write", {"read": 0, "write": 0})]
    ['read & write']
    """
    text = text.strip()
    if "&" in text:
        return (_parse_rule(text, roles),)
    match = _FAMILY.fullmatch(text)
    if match is None or match[1] not in FAMILIES:
        raise QuorumError(f"{unknown('family of rules', text, FAMILIES)}; or write a rule such as read & write")
    if (match[2] is not None) != (match[1] in TAKES_FAULTY):
        which = f"{match[1]}(1)" if match[1] in TAKES_FAULTY else match[1]
        raise QuorumError(f"{text}: write {which}" + (", with the number of faulty nodes" if match[1] in TAKES_FAULTY else ""))
    return FAMILIES[match[1]].rules_for(roles, int(match[2] or 0))


def _parse_rule(text: str, roles: Mapping[str, object]) -> Rule:
    match = _RULE.fullmatch(text)
    named = tuple(part.strip() for part in match[1].split("&")) if match else ()
    overlap = int(match[2] or 1) if match else 0
    if not named or not all(named) or not 1 <= overlap <= OVERLAP_MAX:
        raise QuorumError(f"{text!r} is not a rule; write for instance read & write, or fast & fast & classic >= 2")
    for role in named:
        if role not in roles:
            raise QuorumError(f"rule {text}: {unknown('role', role, roles)}")
    return Rule(named, overlap, "the configuration demands it")
