"""Broken surroundings of a correct core: hosts, state machines and clients, each with one method replaced.

Law: a mutant differs in the named rule and nothing else.  A simulator that cannot tell it from the original
tests nothing.  Broken cores are in `impl/raft/mutants.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from scrutator.impl.machine import Command, KeyValue, Reply, Session
from scrutator.impl.raft import Output
from scrutator.impl.raft.mutants import MUTANTS as CORES
from scrutator.impl.sim.disk import Corrupt, Image
from scrutator.impl.sim.host import Host
from scrutator.impl.sim.setup import Setup
from scrutator.impl.sim.workload import Client, Operation

LINEARIZABILITY = "linearizability"


@dataclass(frozen=True, slots=True)
class Mutant:
    """What is broken, what breaks of it, and where it was seen; ``setup`` puts it in place."""

    name: str
    doc: str
    breaks: str
    source: str
    setup: Callable[[Setup], Setup]


T = TypeVar("T", bound=type)
MUTANTS: dict[str, Mutant] = {}


def _mutant(name: str, breaks: str, source: str, setup: Callable[[T, Setup], Setup]) -> Callable[[T], T]:
    def declare(broken: T) -> T:
        MUTANTS[name] = Mutant(name, (broken.__doc__ or "").strip(), breaks, source, lambda s: setup(broken, s))
        return broken

    return declare


def _host(name: str, breaks: str, source: str) -> Callable[[type[Host]], type[Host]]:
    return _mutant(name, breaks, source, lambda host, setup: replace(setup, host=host))


def _machine(name: str, breaks: str, source: str) -> Callable[[type[KeyValue]], type[KeyValue]]:
    return _mutant(name, breaks, source, lambda machine, setup: replace(setup, machine=machine))


# --- hosts ------------------------------------------------------------------------------------


@_host("reply_before_sync", "leader completeness", "etcd-io/etcd/issues/14143")
class ReplyBeforeSync(Host):
    """Messages that must wait for the disk go out at once."""

    def waits_for_disk(self, output: Output) -> bool:
        return False


@_host("vote_before_sync", "election safety", "specula-case-studies, sofa-jraft PB-1")
class VoteBeforeSync(Host):
    """Only entries are waited for: votes and requests for them go out before the term is durable."""

    def waits_for_disk(self, output: Output) -> bool:
        return bool(output.persist.entries or output.persist.snapshot)


@_host("sync_error_retried", "liveness once faults have healed", "fsyncgate; rostamlabs/rostam/issues/94")
class SyncErrorRetried(Host):
    """After a failed sync the next one is believed, although what was to be synced is gone."""

    def on_sync_failed(self, count: int) -> None:
        self.disk.forget(count)
        self.on_synced(count)


@_host("rot_taken_for_torn", "leader completeness", "Alagappan et al., FAST 2018")
class RotTakenForTorn(Host):
    """A record whose sum is wrong ends the file, wherever it is."""

    def recover(self) -> tuple[Image, int]:
        try:
            return super().recover()
        except Corrupt:
            return self.disk.recover_up_to_rot()


@_host("rotten_disk_wiped", "leader completeness", "Chandra et al., Paxos Made Live, 5.1")
class RottenDiskWiped(Host):
    """A server whose disk is rotten starts anew under its old name, without what it had promised."""

    def recover(self) -> tuple[Image, int]:
        try:
            return super().recover()
        except Corrupt:
            self.disk.wipe()
            return super().recover()


@_host("torn_refused", "liveness once faults have healed", "etcd-io/etcd/issues/5230")
class TornRefused(Host):
    """A record that a crash cut short is taken for rot: the server never starts again."""

    def recover(self) -> tuple[Image, int]:
        before = bytes(self.disk.durable)
        image, torn = super().recover()
        if torn:
            self.disk.durable[:] = before
            raise Corrupt(f"{torn} bytes at the end")
        return image, torn


@_host("reads_before_applied", LINEARIZABILITY, "deventlab/d-engine/issues/381")
class ReadsBeforeApplied(Host):
    """A read is answered once its index is known, whatever has been applied."""

    def may_answer(self, index: int) -> bool:
        return True


# --- state machines ---------------------------------------------------------------------------


@_machine("sessions_outside_snapshot", "exactly once", "Ongaro's dissertation, 6.3")
class SessionsOutsideSnapshot(KeyValue):
    """A snapshot holds the data but forgets which commands were applied."""

    def _sessions_of_snapshot(self) -> list[tuple[int, Session]]:
        return [(number, Session(0, Reply())) for number in self.sessions]


@_machine("retries_applied", "exactly once", "CurvineIO/curvine/issues/676")
class RetriesApplied(KeyValue):
    """A command is applied as often as it is in the log."""

    def _repeated(self, session: Session, command: Command) -> Reply:
        return self._execute(command)


# --- clients ----------------------------------------------------------------------------------


@_mutant(
    "doubt_taken_for_failure", LINEARIZABILITY, "RedisLabs/redisraft/issues/23",
    lambda client, setup: replace(setup, client=client),
)  # fmt: skip
class DoubtTakenForFailure(Client):
    """An operation without an answer is said not to have happened."""

    def is_in_doubt(self, operation: Operation) -> bool:
        return False


# --- cores ------------------------------------------------------------------------------------


def _core(name: str) -> Mutant:
    core = CORES[name]
    return Mutant(name, core.doc, core.breaks, core.source, lambda setup: replace(setup, raft=core.raft))


MUTANTS |= {name: _core(name) for name in CORES}
