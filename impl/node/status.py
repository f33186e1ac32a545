"""What a node knows about itself and the others, for people and for tools.

Law: a snapshot of values; taking it changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scrutator.impl.raft import Role

if TYPE_CHECKING:
    from scrutator.impl.node.replica import Replica


@dataclass(frozen=True, slots=True)
class Status:
    """Positions are of the log; ``followers`` maps each other server to (stored up to, entries behind), at a leader only."""

    id: str
    cluster: str
    role: str
    term: int
    leader: str | None
    voters: tuple[str, ...]
    learners: tuple[str, ...]
    joint: bool
    commit: int
    applied: int
    last: int
    base: int
    snapshot_bytes: int
    log_bytes: int
    waiting: int
    keys: int
    sessions: int
    followers: dict[str, tuple[int, int]]


def status_of(replica: Replica) -> Status:
    """The status of a replica now."""
    raft, machine = replica.raft, replica.machine
    log, members = raft.log, raft.configuration
    followers = {}
    if raft.role is Role.LEADER:
        followers = {peer: (progress.match, log.last - progress.match) for peer, progress in raft.progress.items()}
    return Status(
        id=replica.id,
        cluster=replica.config.cluster,
        role=raft.role.value,
        term=raft.term,
        leader=raft.id if raft.role is Role.LEADER else raft.leader,
        voters=members.voters,
        learners=members.learners,
        joint=members.joint,
        commit=raft.commit,
        applied=replica.applied,
        last=log.last,
        base=log.base,
        snapshot_bytes=0 if log.snapshot is None else len(log.snapshot.data),
        log_bytes=replica.log_bytes,
        waiting=replica.waiting,
        keys=len(machine.data),
        sessions=len(machine.sessions),
        followers=followers,
    )
