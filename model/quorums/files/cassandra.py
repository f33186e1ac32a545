"""Cassandra: a keyspace's replicas, under the consistency levels of reads and writes.

The nodes are the replicas of one row, dc1-1, dc1-2 and so on: other rows have other machines, and the
same quorums.  Law: a level means what Cassandra waits for.  Where a level is local and nobody says
which data centre is meant, readers and writers may be anywhere.
Source: org.apache.cassandra.db.ConsistencyLevel, blockFor and validateFor.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scrutator.model.quorums.expression import Expression, Node, QuorumError, all_of, any_of, choose, majority
from scrutator.model.quorums.files.build import build, listed
from scrutator.model.quorums.files.errors import FileError
from scrutator.model.quorums.files.sql import Token, find, statements
from scrutator.model.quorums.parse import unknown
from scrutator.model.quorums.system import QuorumSystem

REPLICAS_MAX = 1_000
COUNTED = {"ONE": 1, "TWO": 2, "THREE": 3}
LOCAL = {"LOCAL_ONE": "ONE", "LOCAL_QUORUM": "QUORUM", "LOCAL_SERIAL": "QUORUM"}
LEVELS = (*COUNTED, "QUORUM", "ALL", "EACH_QUORUM", "SERIAL", *LOCAL, "ANY")
_ANY = (
    "ANY is no quorum: a write is finished as soon as some node has kept a hint for the replicas, "
    "and no read can be sure to meet it; take ONE or more"
)


def recognises(text: str, path: Path) -> bool:
    """Whether it creates or alters a keyspace."""
    return re.search(r"\b(?:CREATE|ALTER)\s+KEYSPACE\b", text, re.IGNORECASE) is not None


def read_cassandra(
    path: Path,
    text: str,
    *,
    rules: tuple[str, ...] = (),
    read_level: str | None = None,
    write_level: str | None = None,
    local_dc: str | None = None,
    keyspace: str | None = None,
) -> QuorumSystem:
    """The roles read and write of a keyspace.

    Args:
        path: The file, for messages.
        text: CQL with CREATE or ALTER KEYSPACE, as DESCRIBE KEYSPACE prints it; perhaps ``CONSISTENCY QUORUM;``.
        rules: Instead of read-write.
        read_level: The consistency level of reads, such as LOCAL_QUORUM.
        write_level: That of writes.
        local_dc: The data centre of all clients; without, they may be in any.
        keyspace: Which one, where the file has several.

    Raises:
        FileError: The statement makes no sense, or a level asks for more replicas than there are.
        QuorumError: A level is missing or unknown.
    """
    found, level = _statements(path, text)
    if not found:
        raise FileError(path, 1, "no CREATE KEYSPACE ... WITH replication = {...}")
    replication = _chosen(path, found, keyspace)
    replicas = {
        dc: [Node(f"{dc}-{k + 1}", region=dc if replication.by_centre else None) for k in range(count)]
        for dc, count in replication.counts.items()
    }
    if local_dc is not None and local_dc not in replicas:
        raise QuorumError(f"{path}: {unknown('data centre', local_dc, replicas)}")
    notes = [f"the nodes are the replicas of one row of {replication.name}; other rows have other machines, and the same quorums"]
    roles: dict[str, Expression] = {}
    for role, given in (("read", read_level), ("write", write_level)):
        wanted = (given or level or "").upper().replace("-", "_")
        try:
            roles[role] = _level(role, wanted, replicas, local_dc, replication.by_centre, notes)
        except QuorumError as error:
            raise FileError(path, replication.line, str(error)) from None
    nodes = [node for centre in replicas.values() for node in centre]
    return build(path, replication.name, roles, "read-write", rules, nodes, notes, replication.line)


# --- levels -------------------------------------------------------------------------------


def _level(
    role: str, level: str, replicas: Mapping[str, list[Node]], local_dc: str | None, by_centre: bool, notes: list[str]
) -> Expression:
    """What a level waits for; notes how it was taken."""
    if not level:
        raise QuorumError(
            f"at which consistency level does one {role}? The keyspace does not say: give {role}_level, such as "
            "LOCAL_QUORUM, or write CONSISTENCY QUORUM; into the file"
        )
    if level not in LEVELS:
        raise QuorumError(f"{role}s: {unknown('consistency level', level, dict.fromkeys(LEVELS))}")
    if level == "ANY":
        raise QuorumError(_ANY if role == "write" else "ANY is a level of writes alone; reads take ONE or more")
    everyone = [node for centre in replicas.values() for node in centre]
    notes.append(f"{role}s at {level}" + (", which Paxos takes for a quorum" if "SERIAL" in level else ""))
    if level in LOCAL or level == "EACH_QUORUM":
        if not by_centre:
            notes.append(f"SimpleStrategy knows no data centres: {level} counts all replicas")
            return _of(level, LOCAL.get(level, "QUORUM"), everyone)
        if level == "EACH_QUORUM":
            return all_of(majority(centre) for centre in replicas.values())
        if local_dc is not None:
            notes.append(f"{role}s come from {local_dc} alone")
            return _of(f"{level} in {local_dc}", LOCAL[level], replicas[local_dc])
        if len(replicas) > 1:
            notes.append(f"{level} of {role}s is of some data centre, whichever: clients may be in {listed(replicas)}")
        return any_of(_of(f"{level} in {dc}", LOCAL[level], centre) for dc, centre in replicas.items())
    return _of(level, level, everyone)


def _of(name: str, level: str, replicas: list[Node]) -> Expression:
    if level == "ALL":
        return all_of(replicas)
    if level in ("QUORUM", "SERIAL"):
        return majority(replicas)
    needed = COUNTED[level]
    if needed > len(replicas):
        raise QuorumError(f"{name} needs {needed} replicas, and there are {len(replicas)}: nothing could ever be read or written")
    return choose(needed, replicas)


# --- statements ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Replication:
    name: str
    counts: Mapping[str, int]  # of replicas, by data centre; SimpleStrategy has one, called replica
    by_centre: bool
    line: int


def _statements(path: Path, text: str) -> tuple[list[_Replication], str | None]:
    """The keyspaces, an ALTER in place of what it alters; and the level that CONSISTENCY sets."""
    found: dict[str, _Replication] = {}
    level = None
    for tokens in statements(path, text):
        at = find(tokens, "KEYSPACE")
        if tokens and tokens[0].is_word("CONSISTENCY") and len(tokens) > 1:
            level = tokens[1].value.upper()
        elif at == 1 and tokens[0].is_word("CREATE", "ALTER"):
            one = _keyspace(path, tokens)
            if one is not None:
                found[one.name] = one
    return list(found.values()), level


def _chosen(path: Path, found: list[_Replication], keyspace: str | None) -> _Replication:
    if keyspace is not None:
        named = {each.name: each for each in found}
        if keyspace not in named:
            raise QuorumError(f"{path}: {unknown('keyspace', keyspace, named)}")
        return named[keyspace]
    if len(found) > 1:
        raise FileError(path, found[1].line, f"several keyspaces, {listed(each.name for each in found)}: say which by the option keyspace")
    return found[0]


def _keyspace(path: Path, tokens: list[Token]) -> _Replication | None:
    exists = find(tokens, "EXISTS")
    name = tokens[exists + 1 if exists is not None else 2] if len(tokens) > (exists or 1) + 1 else None
    at = find(tokens, "REPLICATION")
    if name is None or (at is None and tokens[0].is_word("ALTER")):
        return None  # alters something else
    if at is None:
        raise FileError(path, tokens[0].line, f"keyspace {name.value} says nothing of its replicas: add WITH replication = {{...}}")
    pairs = _map(path, tokens[at:])
    kind = pairs.pop("class", None)
    if kind is None:
        raise FileError(path, tokens[at].line, "the replication names no class: 'class': 'NetworkTopologyStrategy', for instance")
    strategy = kind.value.rpartition(".")[2]
    if strategy == "SimpleStrategy":
        return _simple(path, name.value, pairs, kind.line)
    if strategy != "NetworkTopologyStrategy":
        cause = {
            "LocalStrategy": "every node keeps its own data, and nothing is replicated",
            "EverywhereStrategy": "every node of the cluster is a replica, and the file does not say who they are",
        }.get(strategy, "it is not known here how it places replicas")
        raise FileError(path, kind.line, f"{strategy}: {cause}; SimpleStrategy and NetworkTopologyStrategy can be read")
    return _by_centre(path, name.value, pairs, kind.line)


def _simple(path: Path, name: str, pairs: Mapping[str, Token], line: int) -> _Replication:
    stray = next((key for key in pairs if key != "replication_factor"), None)
    if stray is not None:
        raise FileError(path, pairs[stray].line, f"SimpleStrategy knows no {stray}: only replication_factor")
    if "replication_factor" not in pairs:
        raise FileError(path, line, "SimpleStrategy needs a replication_factor, such as 'replication_factor': 3")
    count = _count(path, "replication_factor", pairs["replication_factor"])
    if count < 1:
        raise FileError(path, pairs["replication_factor"].line, "replication_factor is 0: nobody would keep the data; write 1 or more")
    return _Replication(name, {"replica": count}, False, line)


def _by_centre(path: Path, name: str, pairs: Mapping[str, Token], line: int) -> _Replication:
    factor = pairs.get("replication_factor")
    if factor is not None:
        raise FileError(
            path, factor.line, "replication_factor stands for every data centre that the cluster has, and the file does not say which: "
            "write them out, as DESCRIBE KEYSPACE does: 'dc1': 3, 'dc2': 3"
        )  # fmt: skip
    counts = {dc: _count(path, dc, value) for dc, value in pairs.items()}
    if not any(counts.values()):
        raise FileError(path, line, f"keyspace {name} has no replicas: give each data centre a number, such as 'dc1': 3")
    if sum(counts.values()) > REPLICAS_MAX:
        raise FileError(path, line, f"keyspace {name} has {sum(counts.values()):,} replicas: more than {REPLICAS_MAX:,} are not read")
    return _Replication(name, {dc: count for dc, count in counts.items() if count}, True, line)


def _count(path: Path, what: str, value: Token) -> int:
    if re.fullmatch(r"\d+/\d+", value.value):
        raise FileError(
            path, value.line, f"{what} has transient replicas ({value.value}): they take part in some quorums only, as long as the others "
            "are up, so that no fixed quorums follow; write full replicas alone"
        )  # fmt: skip
    if not re.fullmatch(r"\d{1,4}", value.value) or int(value.value) > REPLICAS_MAX:
        raise FileError(path, value.line, f"{what} is {value.value!r}: the number of replicas is a whole number up to {REPLICAS_MAX:,}")
    return int(value.value)


def _map(path: Path, tokens: list[Token]) -> dict[str, Token]:
    """``replication = {'key': 'value', ...}``; values are numbers or texts."""
    if len(tokens) < 3 or not (tokens[1].is_sign("=") and tokens[2].is_sign("{")):
        raise FileError(path, tokens[0].line, "write replication = {'class': 'NetworkTopologyStrategy', 'dc1': 3}")
    found: dict[str, Token] = {}
    k = 3
    while k < len(tokens) and not tokens[k].is_sign("}"):
        parts = tokens[k : k + 3]
        if len(parts) < 3 or parts[0].kind == "sign" or not parts[1].is_sign(":") or parts[2].kind == "sign":
            raise FileError(path, tokens[k].line, f"cannot read the replication at {tokens[k].value!r}; write 'dc1': 3, 'dc2': 3")
        if parts[0].value in found:
            raise FileError(path, parts[0].line, f"{parts[0].value} is given twice; take one of them out")
        found[parts[0].value] = parts[2]
        k += 3
        if k < len(tokens) and tokens[k].is_sign(","):
            k += 1
        elif k < len(tokens) and not tokens[k].is_sign("}"):
            raise FileError(path, tokens[k].line, f"a comma is missing before {tokens[k].value!r}")
    if k >= len(tokens):
        raise FileError(path, tokens[-1].line, "the replication has no closing }")
    return found
