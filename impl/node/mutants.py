"""Broken nodes, to be recorded and found out: each with one rule broken.

Law: a mutant differs in the named rule and nothing else.  Broken cores are those of `scrutator.impl.raft.mutants`.
"""

from __future__ import annotations

from collections.abc import Sequence

from scrutator.impl.machine import Command, is_read
from scrutator.impl.node.replica import Replica
from scrutator.impl.node.requests import Done, Outcome
from scrutator.impl.raft import Persist
from scrutator.impl.raft.mutants import MUTANTS as CORES

LATE_S = 0.25


class ReplyBeforeSync(Replica):
    """Answers at once, and writes to the disk a quarter of a second later: a crash forgets what was promised."""

    _unsynced: tuple[Persist, ...] = ()

    def persist(self, persists: Sequence[Persist]) -> None:
        if not self._unsynced:
            self._loop.call_later(LATE_S, self._sync_late)
        self._unsynced += tuple(persists)

    def _sync_late(self) -> None:
        unsynced, self._unsynced = self._unsynced, ()
        if not self._stopped:
            super().persist(unsynced)


class LocalReads(Replica):
    """Reads what this node happens to hold, without asking whether others know more."""

    def submit(self, command: Command, done: Done) -> None:
        if is_read(command):
            done(Outcome(self.machine.query(command)))
        else:
            super().submit(command, done)


_NODES: dict[str, type[Replica]] = {"reply_before_sync": ReplyBeforeSync, "local_reads": LocalReads}


def mutants() -> dict[str, str]:
    """The names of all broken nodes, and what is wrong with each."""
    return {
        **{name: (kind.__doc__ or "").strip() for name, kind in _NODES.items()},
        **{name: core.doc for name, core in CORES.items()},
    }


def replica_of(name: str) -> type[Replica]:
    """The class of a node that is broken so, or of a right one for ''; raises KeyError."""
    if not name:
        return Replica
    if name in _NODES:
        return _NODES[name]
    return type(f"Broken_{name}", (Replica,), {"core": CORES[name].raft, "__doc__": CORES[name].doc})
