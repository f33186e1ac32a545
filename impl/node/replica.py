"""A replica: the core, its state machine and its store, in one thread of an event loop.

The law: outputs of the core are carried out in the order that `scrutator.impl.raft.events` demands, so that no
message that waits for the disk goes out before everything written up to it is durable.  All events that arrive
while a commit is under way share the next one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from scrutator.impl.machine import KeyValue
from scrutator.impl.node.asked import Asked
from scrutator.impl.node.config import NodeConfig
from scrutator.impl.node.links.absurd import Guard
from scrutator.impl.node.links.wire import Forward, Forwarded, NodeMessage
from scrutator.impl.node.log import Log
from scrutator.impl.node.status import Status, status_of
from scrutator.impl.node.timers import Timers
from scrutator.impl.raft import (
    Compact,
    Entry,
    Event,
    Output,
    Persist,
    Raft,
    Received,
    Role,
    Snapshot,
    Transfer,
)
from scrutator.impl.raft.tracing import Trace

TRIM_S = 0.03  # between parts of what is deleted after a snapshot

Send = Callable[[str, Sequence[NodeMessage]], None]


class Image(Protocol):
    """What a store holds when it is opened."""

    term: int
    vote: str | None
    snapshot: Snapshot | None
    entries: list[Entry]
    dropped: str  # what torn end was left out, '' if nothing was


class Storage(Protocol):
    """What a replica needs of a store; see `scrutator.impl.node.store.Store`."""

    def load(self) -> Image: ...
    def write(self, persists: Sequence[Persist]) -> None: ...
    def trim(self, rows_max: int = 2000) -> bool: ...


class Compactor(Protocol):
    """Writes a snapshot of the machine beside the replica, and calls back with its bytes."""

    def __call__(self, index: int, machine: KeyValue, done: Callable[[int, bytes], None]) -> None: ...


class Replica(Asked):
    """One node's part of the replicated store.

    ``send`` takes messages for another node and never blocks; ``reaches`` tells whether there is a connection to it,
    without which all that is sent is lost; ``compact`` writes snapshots, or is None where
    the log is kept whole; ``fail`` is told of an error after which nothing may go on.
    """

    core: type[Raft] = Raft

    def __init__(
        self, config: NodeConfig, store: Storage, send: Send, log: Log, *, compact: Compactor | None = None,
        fail: Callable[[Exception], None] | None = None, machine: KeyValue | None = None, reaches: Callable[[str], bool] = lambda node: True,
    ) -> None:  # fmt: skip
        super().__init__(config, reaches)
        self.log = log
        self._store, self._send, self._compactor, self._fail = store, send, compact, fail
        self._offset_s, self._rate, self._turned_s = 0.0, 1.0, 0.0  # of the clock, see `set_clock`
        self.machine = KeyValue() if machine is None else machine
        self.machine.sessions_max = config.limits.sessions_max
        image = store.load()
        if image.dropped:
            log("left out a torn end", why=image.dropped)
        if image.snapshot is not None:
            self.machine.restore(image.snapshot.data)
        self.raft = self.core(
            config.id, config.members, config.options, term=image.term, vote=image.vote,
            snapshot=image.snapshot, entries=image.entries, now_s=self.now(),
        )  # fmt: skip
        self._guard = Guard(self.raft, config.limits, log)
        self.applied = self._compacted = self.raft.log.base
        self.log_bytes = sum(len(entry.data) for entry in image.entries)  # since the last snapshot
        self.led_by: str | None = None
        self._role, self._term = self.raft.role, self.raft.term
        self._inbox: list[Event] = []
        self._outputs: list[Output] = []  # stepped, and not yet committed
        self._working = False
        self._outgoing: dict[str, list[NodeMessage]] = {}
        self._compacting = False
        self._writes = self._writes_seen = 0
        self._timers = Timers(self)

    # --- the clock ------------------------------------------------------------------------

    def now(self) -> float:
        """Seconds on this node's clock."""
        return self._offset_s + (time.monotonic() - self._turned_s) * self._rate

    def set_clock(self, offset_s: float, rate: float) -> None:
        """Let the clock jump forward by so much, and run at that rate from now on: for tests of what clocks can break."""
        self._offset_s, self._turned_s, self._rate = self.now() + max(0.0, offset_s), time.monotonic(), rate

    @property
    def rate(self) -> float:
        """How many seconds this node's clock shows for a second of real time."""
        return self._rate

    # --- life -----------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to take part."""
        self._timers.restart_election()
        self._timers.start_sweeping()

    def stop(self) -> None:
        """Take no further step; whoever waits does not know."""
        self._stopped = True
        self._timers.stop()
        self.answer_all("the node stops")

    def post(self, event: Event) -> None:
        """Let something happen to the core, soon."""
        self._inbox.append(event)
        self.flush_soon()

    def trace(self, keep: Callable[[Trace], None]) -> None:
        """Tell everything that the core does from now on."""
        self.raft.on_trace = keep

    # --- requests -------------------------------------------------------------------------

    def transfer(self, to: str) -> None:
        """Hand leadership to another voter."""
        self.post(Transfer(to))

    def receive(self, message: NodeMessage) -> None:
        """A message of another node."""
        if isinstance(message, Forward):
            self.take_forward(message)
        elif isinstance(message, Forwarded):
            self.take_forwarded(message)
        else:
            self.post(Received(message))

    def status(self) -> Status:
        """What this node knows about itself and the others."""
        return status_of(self)

    # --- steps ----------------------------------------------------------------------------

    def queue(self, dst: str, message: NodeMessage) -> None:
        """Send with all else that goes to that node soon."""
        self._outgoing.setdefault(dst, []).append(message)

    def flush_soon(self) -> None:
        """Send what was queued, also if nothing else happens."""
        if not self._working and not self._stopped:
            self._working = True
            self._loop.call_soon(self._work)

    def _flush(self) -> bool:
        """Hand over what is to be sent; whether there was anything."""
        if not self._outgoing:
            return False
        outgoing, self._outgoing = self._outgoing, {}
        for dst, messages in outgoing.items():
            self._send(dst, messages)
        return True

    def _work(self) -> None:
        """A step for each event that has arrived; what may be sent at once is sent before the commit."""
        if self._stopped:
            return
        try:
            self._step_all()
            sent = self._flush()
            if sent and any(output.persist for output in self._outputs):
                self._loop.call_soon(self._commit)  # the event loop writes to sockets before it comes back to us
            else:
                self._commit()
        except Exception as error:
            self._fail_with(error)

    def _step_all(self) -> None:
        events, self._inbox = self._inbox, []
        now_s = self.now()
        for event in events:
            if isinstance(event, Received) and event.message.src != self.id and self._guard.refuses(event.message):
                continue
            output = self.raft.step(event, now_s)
            self._route(output.send)
            self.note_requests(output)
            self._timers.set(output)
            self._outputs.append(output)
        self._notice_changes()

    def _commit(self) -> None:
        """Make what was stepped durable, and do what waited for that."""
        if self._stopped:
            return
        try:
            outputs, self._outputs = self._outputs, []
            persists = [output.persist for output in outputs if output.persist]
            if persists:
                self._writes += 1
                self.persist(persists)
            for output in outputs:
                self._finish(output)
            self._flush()
            self._consider_compacting()
        except Exception as error:
            self._fail_with(error)
            return
        if self._inbox:
            self._loop.call_soon(self._work)
        else:
            self._working = False

    def persist(self, persists: Sequence[Persist]) -> None:
        """Return once all of this is durable."""
        self._store.write(persists)

    def _route(self, messages: Sequence[NodeMessage]) -> None:
        for message in messages:
            if message.dst == self.id:
                self.receive(message)
            else:
                self.queue(message.dst, message)

    def _finish(self, output: Output) -> None:
        """What may be done once all that was persisted up to here is durable."""
        self._route(output.send_durable)
        if output.restore is not None:
            self._restore(output.restore)
        for entry in output.persist.entries:
            self.log_bytes += len(entry.data)
        for entry in output.apply:
            self._apply(entry)
        self.answer_reads(output)

    def _apply(self, entry: Entry) -> None:
        reply = self.machine.apply(entry)
        self.applied = entry.index
        self.answer_entry(entry, reply)

    def _notice_changes(self) -> None:
        """Log who leads; a new leader is asked what the old one may not answer any more."""
        raft = self.raft
        if (raft.role, raft.term) != (self._role, self._term):
            if raft.role is Role.LEADER or self._role is Role.LEADER:
                self.log("leads" if raft.role is Role.LEADER else "leads no longer", term=raft.term, commit=raft.commit, last=raft.log.last)
            self._role, self._term = raft.role, raft.term
        if raft.leader == self.led_by:
            return
        self.led_by = raft.leader
        if raft.leader is None:
            return
        self.log("follows" if raft.leader != self.id else "is leader", leader=raft.leader, term=raft.term)
        self.ask_new_leader()

    # --- snapshots ------------------------------------------------------------------------

    def _restore(self, snapshot: Snapshot) -> None:
        arrived = self._guard.take_image(snapshot.index)
        if arrived is not None:
            self.machine.become(arrived)
        else:
            self.machine.restore(snapshot.data)
        self.applied = self._compacted = snapshot.index
        self.log_bytes = 0
        self.answer_hidden(snapshot.index)
        self.log("installed a snapshot", index=snapshot.index, bytes=len(snapshot.data))

    def _consider_compacting(self) -> None:
        limits = self.config.limits
        if self.applied - self._compacted >= limits.snapshot_every or self.log_bytes >= limits.log_bytes_max:
            self.compact()

    def compact(self) -> None:
        """Let a snapshot of what is applied replace the log up to there, in the background."""
        if self._compacting or self._compactor is None or self.applied == self.raft.log.base:
            return
        self._compacting = True
        self._compacted, self.log_bytes = self.applied, 0
        self._compactor(self.applied, self.machine, self._compact_now)

    def _compact_now(self, index: int, data: bytes) -> None:
        """The snapshot is written; the log up to it may go."""
        self._compacting = False
        self.post(Compact(index, data))
        self.log("took a snapshot", index=index, bytes=len(data))
        self._loop.call_later(TRIM_S, self._trim_on)

    def _trim_on(self) -> None:
        """Delete what the snapshot replaced, a little at a time, however busy the node is."""
        if not self._stopped and self._trim():
            self._loop.call_later(TRIM_S, self._trim_on)

    def _trim(self) -> bool:
        """Let the store do a part of what can wait; whether there is more."""
        try:
            return self._store.trim()
        except Exception as error:
            self._fail_with(error)
            return False

    def sweep(self) -> None:
        """Now and then: answer who has waited too long, and use the time in which nothing is written."""
        self.expire(self._loop.time())
        if self._held:
            self._dispatch_held()
        if self._writes == self._writes_seen and not self._stopped:
            self._trim()
        self._writes_seen = self._writes

    def _fail_with(self, error: Exception) -> None:
        """Nothing may go on: what is in memory may not be what is on disk."""
        self._stopped = True
        self._timers.stop()
        if self._fail is None:
            raise error
        self._fail(error)
