"""What a scenario may expect, in the words in which it is compared.

The law: a fact is text, and looking at it changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from scrutator.impl.raft import Configuration, Raft
from scrutator.impl.sim.host import Host, Status
from scrutator.impl.sim.stage import Stage


def leader(stage: Stage) -> str:
    """Who leads in the latest term in which anybody thinks so: ``a in term 2``, or ``nobody``."""
    leaders = stage.leaders()
    if not leaders or leaders[-1].raft is None:
        return "nobody"
    return f"{leaders[-1].id} in term {leaders[-1].raft.term}"


def leaders(stage: Stage) -> str:
    """All who think they lead, in order of terms."""
    return " ".join(host.id for host in stage.leaders()) or "nobody"


def of_server(name: str, host: Host, argument: str = "") -> str:
    """A fact of one server; ``argument`` is the key of a ``value``."""
    if name == "status":
        return host.status.value
    if name == "value":
        value = host.machine.get(argument.encode())
        return "empty" if value is None else value.decode()
    if host.raft is None:
        return Status.DOWN.value
    return _FACTS[name](host.raft)


def _log(raft: Raft) -> str:
    """Terms by position; ``(3)`` stands for three entries that a snapshot replaced."""
    base = [f"({raft.log.base})"] if raft.log.base else []
    return " ".join([*base, *(str(entry.term) for entry in raft.log.entries)]) or "empty"


def members(configuration: Configuration) -> str:
    """``a b c``, while joint ``a b c to c d e``, and with learners ``a b c, learners d``.

    >>> from scrutator.impl.raft import configuration
    >>> members(configuration("abc", "d"))
    'a b c, learners d'
    """
    new, old = configuration.members, configuration.outgoing
    voters = " ".join(new.voters) if old is None else f"{' '.join(old.voters)} to {' '.join(new.voters)}"
    return voters + (f", learners {' '.join(configuration.learners)}" if configuration.learners else "")


_FACTS: dict[str, Callable[[Raft], str]] = {
    "role": lambda raft: raft.role.value,
    "term": lambda raft: str(raft.term),
    "vote": lambda raft: raft.vote or "nobody",
    "follows": lambda raft: raft.leader or "nobody",
    "log": _log,
    "committed": lambda raft: str(raft.commit),
    "members": lambda raft: members(raft.configuration),
}
OF_SERVERS = (*_FACTS, "status", "value")
