"""CockroachDB: the voters of a range, placed by the constraints of its zone.

A majority of the voters elects and commits.  Law: constraints say where voters are, never how many
decide; what cannot be placed is refused, also where CockroachDB accepts it and the range never gets
its replicas.
Source: zonepb/zone.go (Validate, ValidateTandemFields) in cockroachdb/cockroach.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scrutator.model.quorums.expression import Kind, Node, QuorumError, majority
from scrutator.model.quorums.files.build import build, listed
from scrutator.model.quorums.files.errors import FileError
from scrutator.model.quorums.files.placement import Constraints, place, read_constraints
from scrutator.model.quorums.files.sql import Token, find, statements
from scrutator.model.quorums.parse import unknown
from scrutator.model.quorums.system import QuorumSystem

REPLICAS_MAX = 1_000
DEFAULT_REPLICAS = 3
_OTHERS = ("range_min_bytes", "range_max_bytes", "gc.ttlseconds", "global_reads")  # of no concern to quorums
_KEYS = ("num_replicas", "num_voters", "constraints", "voter_constraints", "lease_preferences", *_OTHERS)


def recognises(text: str, path: Path) -> bool:
    """Whether it configures a zone."""
    return re.search(r"\bCONFIGURE\s+ZONE\b", text, re.IGNORECASE) is not None


def read_cockroach(path: Path, text: str, *, rules: tuple[str, ...] = (), zone: str | None = None) -> QuorumSystem:
    """The quorums of the ranges of a zone: its voters as nodes, in their regions.

    Args:
        path: The file, for messages.
        text: SQL with ALTER ... CONFIGURE ZONE USING ..., as SHOW ZONE CONFIGURATION prints it.
        rules: Instead of raft.
        zone: What is altered, such as ``RANGE default``, where the file has several.

    Raises:
        FileError: The settings contradict one another, or depend on another zone.
        QuorumError: There is no such zone in the file.
    """
    settings = _chosen(path, _statements(path, text), zone)
    replicas = settings.number("num_replicas", DEFAULT_REPLICAS)
    voters = settings.number("num_voters", replicas)
    _check_numbers(settings, replicas, voters)
    where = {key: settings.constraints(key) for key in ("constraints", "voter_constraints")}
    if where["voter_constraints"].parts and "num_voters" not in settings.given:
        raise settings.error("voter_constraints", "voter_constraints without num_voters: CockroachDB refuses it; add num_voters")
    if where["constraints"].counted and "num_replicas" not in settings.given:
        raise settings.error("constraints", "constraints on single replicas without num_replicas: CockroachDB refuses it; add num_replicas")
    notes: list[str] = []
    if "num_replicas" not in settings.given:
        notes.append(f"num_replicas is not given: {DEFAULT_REPLICAS}, as by default, unless a parent zone says otherwise")
    try:
        placed = place(replicas, voters, where["constraints"], where["voter_constraints"], notes)
    except QuorumError as error:
        key = "voter_constraints" if where["voter_constraints"].parts else "constraints"
        raise settings.error(key, str(error)) from None
    nodes = _nodes(placed.voters, "voter", Kind.VOTER) + _nodes(placed.others, "non-voter", Kind.LEARNER)
    quorum = majority(nodes[:voters])
    notes.append(f"nodes are the replicas of one range: {voters} voters, of whom a majority elects and commits")
    if replicas > voters:
        notes.append(f"{replicas - voters} non-voting replicas count for nothing")
    _note_leases(settings, placed.voters, notes)
    return build(path, settings.zone, {"election": quorum, "commit": quorum}, "raft", rules, nodes, notes, settings.line)


def _nodes(regions: list[str | None], word: str, kind: Kind) -> list[Node]:
    """A node for each replica, numbered within its region."""
    count: Counter[str] = Counter()
    found = []
    for region in regions:
        stem = region or word
        count[stem] += 1
        tail = f"-{count[stem]}" if kind is Kind.VOTER or region is None else f"-{word}-{count[stem]}"
        found.append(Node(f"{stem}{tail}", region=region, kind=kind))
    return found


def _check_numbers(settings: _Settings, replicas: int, voters: int) -> None:
    both = "num_voters" in settings.given
    what = "num_voters" if both else "num_replicas"
    if voters == 2 or (replicas == 2 and not both):
        raise settings.error(what, f"{what} is 2: CockroachDB refuses it, as a majority of 2 is both; write 3 or more, or 1")
    if voters > replicas:
        cause = "" if "num_replicas" in settings.given else ", which is 3 where it is not given"
        raise settings.error("num_voters", f"num_voters is {voters}, above num_replicas, {replicas}{cause}: raise num_replicas")


def _note_leases(settings: _Settings, regions: list[str | None], notes: list[str]) -> None:
    value = settings.given.get("lease_preferences")
    if value is None:
        return
    notes.append("lease_preferences say which voter serves reads, and change no quorum")
    if any(region is None for region in regions):
        return
    preferred = re.findall(r"\+\s*region\s*=\s*([^\s,\]\"']+)", value.value)
    absent = [region for region in preferred if region not in regions]
    if absent:
        notes.append(f"lease_preferences name {listed(absent)}, where no voter is placed: CockroachDB passes over it")


# --- statements ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Settings:
    path: Path
    zone: str
    given: Mapping[str, Token]
    line: int

    def error(self, key: str, message: str) -> FileError:
        return FileError(self.path, self.given[key].line if key in self.given else self.line, message)

    def number(self, key: str, default: int) -> int:
        if key not in self.given:
            return default
        value = self.given[key].value
        if not re.fullmatch(r"\d{1,6}", value) or not 1 <= int(value) <= REPLICAS_MAX:
            raise self.error(key, f"{key} is {value!r}: it is a whole number from 1 to {REPLICAS_MAX:,}")
        return int(value)

    def constraints(self, key: str) -> Constraints:
        if key not in self.given:
            return Constraints(())
        try:
            return read_constraints(self.given[key].value)
        except QuorumError as error:
            raise self.error(key, f"{key}: {error}") from None


def _statements(path: Path, text: str) -> list[_Settings]:
    found: dict[str, _Settings] = {}
    printed = re.sub(r"^[ \t]*\(\d+ rows?\)[ \t]*$", "", text, flags=re.MULTILINE)
    for listing in statements(path, printed):
        tokens = [token for token in listing if not token.is_sign("|")]  # the shell's table around what SHOW prints
        at = find(tokens, "CONFIGURE", "ZONE")
        start = next((k for k in reversed(range(at or 0)) if tokens[k].is_word("ALTER")), None)
        if at is None or start is None:
            continue
        tokens, at = tokens[start:], at - start
        zone = " ".join(token.value for token in tokens[1:at])
        rest = tokens[at + 2 :]
        if rest and rest[0].is_word("DISCARD"):
            found.pop(zone, None)
            continue
        if not rest or not rest[0].is_word("USING"):
            raise FileError(path, tokens[at].line, "CONFIGURE ZONE is followed by USING num_replicas = 3, ...")
        found[zone] = _Settings(path, zone, _assignments(path, rest[1:], rest[0].line), tokens[0].line)
    if not found:
        raise FileError(path, 1, "no ALTER ... CONFIGURE ZONE USING ...")
    return list(found.values())


def _chosen(path: Path, found: list[_Settings], zone: str | None) -> _Settings:
    if zone is not None:
        named = {each.zone: each for each in found}
        if zone not in named:
            raise QuorumError(f"{path}: {unknown('zone', zone, named)}")
        return named[zone]
    if len(found) > 1:
        raise FileError(path, found[1].line, f"several zones, {listed(each.zone for each in found)}: say which by the option zone")
    return found[0]


def _assignments(path: Path, tokens: list[Token], line: int) -> dict[str, Token]:
    """``key = value, key = value``."""
    found: dict[str, Token] = {}
    k = 0
    while k < len(tokens):
        key = tokens[k]
        if key.kind == "sign" or k + 2 >= len(tokens):
            raise FileError(path, key.line, f"cannot read the settings at {key.value!r}; write num_replicas = 3, num_voters = 3")
        if key.value not in _KEYS:
            raise FileError(path, key.line, unknown("setting", key.value, dict.fromkeys(_KEYS)))
        if key.value in found:
            raise FileError(path, key.line, f"{key.value} is given twice; take one of them out")
        value = tokens[k + 2]
        if not tokens[k + 1].is_sign("=") or value.kind == "sign":
            raise FileError(path, key.line, f"{key.value} has no value: write {key.value} = ...")
        copied = value.is_word("COPY")  # COPY FROM PARENT
        if copied and key.value not in _OTHERS:
            message = f"{key.value} comes from the parent zone, which is elsewhere; SHOW ZONE CONFIGURATION prints what holds in the end"
            raise FileError(path, key.line, message)
        found[key.value] = value
        k += 5 if copied else 3
        if k < len(tokens) and not tokens[k].is_sign(","):
            raise FileError(path, tokens[k].line, f"a comma is missing before {tokens[k].value!r}")
        k += 1
    if not found:
        raise FileError(path, line, "no settings after USING; write num_replicas = 3")
    return found
