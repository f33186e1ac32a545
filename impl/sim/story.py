"""What happened in a run, in words: who did what when.

Law: telling changes nothing; a run that is told is the same run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from scrutator.impl.raft import Change, Compact, Event, Output, Propose, Raft, Read, Received, Role, Transfer

if TYPE_CHECKING:
    from scrutator.impl.sim.host import Host

Line = tuple[int, str, str]  # microseconds, who, what


def describe(event: Event) -> str:
    """An event in a few words."""
    match event:
        case Received(message=message):
            return f"{type(message).__name__} of term {message.term} from {message.src}"
        case Propose(data=data):
            return f"Propose {data!r}"
        case Read(lease=lease):
            return "Read by lease" if lease else "Read by index"
        case Compact(index=index):
            return f"Compact up to {index}"
        case Change(configuration=configuration, single=single):
            return f"Change to {', '.join(configuration.voters)}{' in one step' if single else ''}"
        case Transfer(to=to):
            return f"Transfer to {to}"
    return type(event).__name__


class Story:
    """The lines of a run, and what was last said of each server."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self._roles: dict[str, tuple[Role, int]] = {}

    def step(self, now: int, host: Host, event: Event, output: Output) -> None:
        """Tell what a step changed; nothing if it changed nothing worth telling."""
        raft = host.raft
        assert raft is not None
        for what in (*self._of_role(host.id, raft), *_of_output(raft, event, output)):
            self.lines.append((now, host.id, what))

    def _of_role(self, id: str, raft: Raft) -> list[str]:
        before, self._roles[id] = self._roles.get(id), (raft.role, raft.term)
        if before == (raft.role, raft.term):
            return []
        if raft.role is Role.FOLLOWER:
            return [f"follows in term {raft.term}" + (f", led by {raft.leader}" if raft.leader else "")]
        if raft.role is Role.LEADER:
            return [f"LEADS in term {raft.term}, with entries up to {raft.log.last}, {raft.commit} committed"]
        return [f"is {raft.role.value} in term {raft.term}"]


def _of_output(raft: Raft, event: Event, output: Output) -> list[str]:
    persist, told = output.persist, []
    if persist.truncate is not None:
        told.append(f"drops entries from {persist.truncate} on")
    if persist.snapshot is not None:
        told.append(f"{'takes' if isinstance(event, Compact) else 'installs'} a snapshot of entry {persist.snapshot.index}")
    if persist.entries:
        entries = persist.entries
        told.append(f"stores {entries[0].index}..{entries[-1].index} of term {entries[-1].term}")
    for entry in persist.entries:
        if entry.configuration is not None:
            c = entry.configuration
            old = f", leaving {','.join(c.outgoing.voters)}" if c.outgoing is not None else ""
            told.append(f"configuration at {entry.index}: {','.join(c.members.voters)}{old}" + (f", learners {','.join(c.learners)}" if c.learners else ""))
    if output.apply:
        told.append(f"commits up to {raft.commit}")
    if isinstance(event, Received) and persist.vote not in (None, raft.id):
        told.append(f"votes for {persist.vote} in term {persist.term}")
    told += [f"refuses: {why}" for _, _, why in output.refused]
    return told


def told(lines: Sequence[Line], around: int | None = None, within_s: float = 5.0) -> str:
    """The story as text; with ``around``, in microseconds, only what happened so shortly before or after."""
    near = lines if around is None else [line for line in lines if abs(line[0] - around) <= within_s * 1e6]
    width = max((len(who) for _, who, _ in near), default=0)
    left_out = len(lines) - len(near)
    head = [f"({left_out} lines before and after are left out)"] if left_out else []
    return "\n".join([*head, *(f"{now / 1e6:10.6f}  {who:<{width}}  {what}" for now, who, what in near)])
