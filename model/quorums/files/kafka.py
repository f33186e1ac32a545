"""Kafka: the controllers of KRaft are a majority system; the replicas of partitions are none.

Law: what no file fixes is refused.  A write with acks=all waits for the in-sync replicas, and that
set shrinks and grows as the cluster runs: ``min.insync.replicas`` only bounds its size.
Source: Kafka, controller.quorum.voters and min.insync.replicas in the broker configuration; KIP-595.
"""

from __future__ import annotations

import re
from pathlib import Path

from scrutator.model.quorums.expression import Node, majority
from scrutator.model.quorums.files.build import build
from scrutator.model.quorums.files.errors import FileError
from scrutator.model.quorums.files.properties import Property, read_properties
from scrutator.model.quorums.files.tables import shown
from scrutator.model.quorums.system import QuorumSystem

VOTERS = "controller.quorum.voters"
BOOTSTRAP = "controller.quorum.bootstrap.servers"
IN_SYNC = ("min.insync.replicas", "default.replication.factor", "replication.factor", "unclean.leader.election.enable", "acks")
VOTERS_MAX = 1_000
_VOTER = re.compile(r"(\d{1,10})@(.+:\d{1,5})")


def recognises(text: str, path: Path) -> bool:
    """Whether it has the keys of a Kafka broker, controller, topic or producer."""
    keys = "|".join(re.escape(key) for key in (VOTERS, BOOTSTRAP, *IN_SYNC, "process.roles", "zookeeper.connect", "broker.id"))
    return re.search(rf"^[ \t]*(?:{keys})[ \t]*[=:]", text, re.MULTILINE) is not None


def read_kafka(path: Path, text: str, *, rules: tuple[str, ...] = ()) -> QuorumSystem:
    """The quorums of the controllers, a majority of the voters.

    Raises `FileError` where the file names no voters, saying why its replicas are no quorum system.
    """
    properties = read_properties(text)
    found = [each for each in properties if each.key == VOTERS]
    if not found:
        raise _refusal(path, properties)
    if len(found) > 1:
        message = f"{VOTERS} is given twice, first in line {found[0].line}: Kafka keeps only the last; take one of them out"
        raise FileError(path, found[1].line, message)
    voters = _voters(path, found[0])
    quorum = majority(voters)
    notes = ["a majority of the controllers (KRaft), the same for elections and for commits; nodes are named by node.id"]
    if any(each.key in IN_SYNC for each in properties):
        notes.append("the replicas of partitions are another matter: which of them are in sync is settled as the cluster runs")
    return build(path, path.stem, {"election": quorum, "commit": quorum}, "raft", rules, voters, notes, found[0].line)


def _voters(path: Path, line: Property) -> list[Node]:
    voters: dict[str, str] = {}
    parts = [part.strip() for part in line.value.split(",")]
    if len(parts) > VOTERS_MAX:
        raise FileError(path, line.line, f"{len(parts):,} voters: more than {VOTERS_MAX:,} are not read")
    for part in parts:
        match = _VOTER.fullmatch(part)
        if match is None:
            raise FileError(path, line.line, f"{shown(part)} is not a voter: write {VOTERS}=1@host1:9093,2@host2:9093,3@host3:9093")
        if match[1] in voters:
            raise FileError(path, line.line, f"voter {match[1]} is given twice; every controller has its own node.id")
        if match[2] in voters.values():
            raise FileError(path, line.line, f"two voters are at {match[2]}: one process would vote twice; correct the address")
        voters[match[1]] = match[2]
    return [Node(number) for number in voters]


def _refusal(path: Path, properties: list[Property]) -> FileError:
    for each in properties:
        if each.key == BOOTSTRAP:
            return FileError(
                path, each.line, f"{BOOTSTRAP} says whom to ask for the voters, not who they are: they change as the cluster runs; "
                f"list them with kafka-metadata-quorum.sh describe --status, and write {VOTERS}=1@host:9093,..."
            )  # fmt: skip
    for each in properties:
        if each.key in IN_SYNC:
            return FileError(
                path, each.line, f"{each.key}: Kafka's replicas are no fixed quorum system. A write waits for all that are in sync, "
                "and the set of those in sync changes with every failure and recovery, so that no file says which sets decide. "
                "Model it instead, with the set in sync as part of the state, and check that; the controllers can be read, "
                f"from a line {VOTERS}=..."
            )  # fmt: skip
    return FileError(path, 1, f"no {VOTERS}: only the controllers of Kafka (KRaft) have quorums that a file can state")
