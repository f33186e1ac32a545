"""Our states in etcd's words, so that they can be compared as text; and its operations on members in ours."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from scrutator.impl.raft import Configuration, Role
from scrutator.impl.raft.state import Progress, Sending

ROLES = {
    Role.FOLLOWER: "StateFollower",
    Role.PRE_CANDIDATE: "StatePreCandidate",
    Role.CANDIDATE: "StateCandidate",
    Role.LEADER: "StateLeader",
}
SENDING = {Sending.PROBE: "StateProbe", Sending.PIPELINE: "StateReplicate", Sending.SNAPSHOT: "StateSnapshot"}


def described(c: Configuration) -> str:
    """For example ``voters=(2 3)&&(1) learners=(4) learners_next=(1) autoleave``."""
    parts = [f"voters={_list(c.members.voters)}" + ("" if c.outgoing is None else f"&&{_list(c.outgoing.voters)}")]
    learners = set(c.learners) - set(c.learners_next)
    if learners:
        parts.append(f"learners={_list(learners)}")
    if c.learners_next:
        parts.append(f"learners_next={_list(c.learners_next)}")
    if c.joint and c.auto_leave:
        parts.append("autoleave")
    return " ".join(parts)


def progress_line(server: str, progress: Progress, c: Configuration) -> str:
    """For example ``4: StateProbe match=0 next=9 learner``."""
    learner = "" if server in c.voters else " learner"
    return f"{server}: {SENDING[progress.sending]} match={progress.match} next={progress.next}{learner}"


def asked(now: Configuration, operations: Sequence[str]) -> Configuration:
    """What ``v1 l2 r3 u4`` make of a configuration."""
    changes = {"v": Configuration.with_voter, "l": Configuration.with_learner, "r": Configuration.without}
    for op in operations:
        if op[0] != "u":  # an update is about a server, not about who belongs to the cluster
            now = changes[op[0]](now, op[1:])
    return now


def _list(names: Collection[str]) -> str:
    return f"({' '.join(sorted(names))})"
