"""A replica: the core, its state machine and its store, in one thread of an event loop.

The law: outputs of the core are carried out in the order that `scrutator.impl.raft.events` demands, so that no
message that waits for the disk goes out before everything written up to it is durable.  All events that arrive
while a commit is under way share the next one.  Whoever asked is answered once: done, refused, or unknown.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from scrutator.impl.machine import Command, KeyValue, Reply, encoded, is_read
from scrutator.impl.node.config import NodeConfig
from scrutator.impl.node.links.absurd import Guard
from scrutator.impl.node.links.wire import Forward, Forwarded, NodeMessage, command_bytes_max
from scrutator.impl.node.log import Log
from scrutator.impl.node.requests import Done, Kind, Outcome, Request
from scrutator.impl.node.status import Status, status_of
from scrutator.impl.node.timers import Timers
from scrutator.impl.raft import (
    Change,
    Compact,
    Configuration,
    Entry,
    Event,
    Output,
    Persist,
    Propose,
    Raft,
    Read,
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


class Storage(Protocol):
    """What a replica needs of a store; see `scrutator.impl.node.store.Store`."""

    def load(self) -> Image: ...
    def write(self, persists: Sequence[Persist]) -> None: ...
    def trim(self, rows_max: int = 2000) -> bool: ...


class Compactor(Protocol):
    """Writes a snapshot of the machine beside the replica, and calls back with its bytes."""

    def __call__(self, index: int, machine: KeyValue, done: Callable[[int, bytes], None]) -> None: ...


class Replica:
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
        self.config, self.log = config, log
        self.id = config.id
        self._store, self._send, self._reaches, self._compactor = store, send, reaches, compact
        self._fail = fail
        self._loop = asyncio.get_running_loop()
        self._offset_s, self._rate, self._turned_s = 0.0, 1.0, 0.0  # of the clock, see `set_clock`
        self.machine = KeyValue() if machine is None else machine
        self.machine.sessions_max = config.limits.sessions_max
        image = store.load()
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
        self._working = self._stopped = False
        self._outgoing: dict[str, list[NodeMessage]] = {}
        self._compacting = False
        self._writes = self._writes_seen = 0
        self._command_bytes_max = command_bytes_max(config.limits)
        self._number = random.SystemRandom().getrandbits(60)  # never used twice, for answers to a former life may still arrive
        self._open: dict[int, Request] = {}
        self._placed: dict[int, tuple[int, int]] = {}  # by index: (term, number)
        self._held: deque[Request] = deque()  # until there is a leader
        self._indexed: list[tuple[int, int]] = []  # reads: (index, number), to be answered once that is applied
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
        for request in (*self._open.values(), *self._held):
            request.done(Outcome(None, "the node stops", unknown=request.in_doubt))
        self._open.clear()
        self._held.clear()

    def post(self, event: Event) -> None:
        """Let something happen to the core, soon."""
        self._inbox.append(event)
        if not self._working and not self._stopped:
            self._working = True
            self._loop.call_soon(self._work)

    def trace(self, keep: Callable[[Trace], None]) -> None:
        """Tell everything that the core does from now on."""
        self.raft.on_trace = keep

    # --- requests -------------------------------------------------------------------------

    @property
    def leads(self) -> bool:
        return self.raft.role is Role.LEADER

    @property
    def waiting(self) -> int:
        """How many requests are under way."""
        return len(self._open) + len(self._held)

    def submit(self, command: Command, done: Done) -> None:
        """Carry out a command for a client: here, or at the leader; or refuse it."""
        kind = Kind.READ if self._reads_by_index(command) else Kind.WRITE
        data = b"" if kind is Kind.READ else encoded(command)
        request = Request(kind, command, done, self._loop.time() + self.config.timing.request_timeout_s, data)
        if self.waiting >= self.config.limits.waiting_max:
            done(Outcome(None, f"{self.waiting} requests are under way at this node: ask again later"))
        elif len(data) > self._command_bytes_max:
            done(Outcome(None, f"the command has {len(data):,} bytes, and at most {self._command_bytes_max:,} can be replicated"))
        elif self.config.followers == "moved" and not self.leads and self.raft.leader is not None:
            done(Outcome(None, "this node does not lead", self.raft.leader))
        else:
            self._dispatch(request)

    def change(self, configuration: Configuration, done: Done, *, single: bool) -> None:
        """Change who belongs to the cluster; only its leader can."""
        number = self._opened(Request(Kind.OPERATION, None, done, self._loop.time() + self.config.timing.request_timeout_s))
        self.post(Change(number, configuration, single))

    def transfer(self, to: str) -> None:
        """Hand leadership to another voter."""
        self.post(Transfer(to))

    def receive(self, message: NodeMessage) -> None:
        """A message of another node."""
        if isinstance(message, Forward):
            self._take_forward(message)
        elif isinstance(message, Forwarded):
            self._take_forwarded(message)
        else:
            self.post(Received(message))

    def status(self) -> Status:
        """What this node knows about itself and the others."""
        return status_of(self)

    def _reads_by_index(self, command: Command) -> bool:
        return self.config.reads != "log" and not command.session and is_read(command)

    def _opened(self, request: Request) -> int:
        self._number += 1
        self._open[self._number] = request
        return self._number

    def _dispatch(self, request: Request) -> None:
        """Give a request to whoever can carry it out; without a leader in reach it waits for one."""
        leader = self.raft.leader
        if self.leads:
            number = self._opened(request)
            if request.kind is Kind.READ:
                self.post(Read(number, self.config.reads == "lease"))
            else:
                request.in_doubt = True
                self.post(Propose(number, request.data))
        elif leader is None or leader == self.id or not self._reaches(leader):
            self._held.append(request)  # one that cannot be reached has likely died: better wait than not know what became of this
        elif request.kind is Kind.READ:
            self.post(Read(self._opened(request)))
        else:
            request.in_doubt = True
            self.queue(leader, Forward(self.id, leader, self._opened(request), request.data))
            self._flush_soon()

    def _take_forward(self, message: Forward) -> None:
        """Another node asks on behalf of its client."""
        src, number = message.src, message.number

        def answer(outcome: Outcome) -> None:
            self.queue(src, Forwarded(self.id, src, number, outcome.reply, outcome.why, outcome.leader, outcome.unknown))
            self._flush_soon()

        if not self.leads or self.waiting >= self.config.limits.waiting_max:
            answer(Outcome(None, "the node that was asked does not lead, or has too much to do", self.raft.leader))
            return
        request = Request(Kind.FORWARDED, None, answer, self._loop.time() + self.config.timing.request_timeout_s, in_doubt=True)
        self.post(Propose(self._opened(request), message.command))

    def _take_forwarded(self, message: Forwarded) -> None:
        request = self._open.pop(message.number, None)
        if request is None:
            return
        if message.reply is None and not message.unknown:
            self._again(request)
        else:
            request.done(Outcome(message.reply, message.why, message.leader, message.unknown))

    def _again(self, request: Request) -> None:
        """It was refused and so has no effect: it may wait for another leader."""
        request.in_doubt = False
        self._held.append(request)
        if self._held[0] is request:
            self._loop.call_later(0.02, self._dispatch_held)

    def _dispatch_held(self) -> None:
        if self._stopped or (self.raft.leader is None and not self.leads):
            return
        held, self._held = self._held, deque()
        for request in held:
            self._dispatch(request)

    def expire(self, now_s: float) -> None:
        """Answer those that have waited too long (loop's time)."""
        for request in [request for request in self._held if request.due_s <= now_s]:
            self._held.remove(request)
            request.done(Outcome(None, "no leader is known"))
        for number in [number for number, request in self._open.items() if request.due_s <= now_s]:
            request = self._open.pop(number)
            request.done(Outcome(None, "no answer in time", self.raft.leader, unknown=request.in_doubt))

    # --- steps ----------------------------------------------------------------------------

    def queue(self, dst: str, message: NodeMessage) -> None:
        """Send with all else that goes to that node soon."""
        self._outgoing.setdefault(dst, []).append(message)

    def _flush_soon(self) -> None:
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
            self._note_requests(output)
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
        if output.reads:
            self._indexed.extend((index, number) for number, index in output.reads)
        if self._indexed:
            self._answer_reads()

    def _apply(self, entry: Entry) -> None:
        reply = self.machine.apply(entry)
        self.applied = entry.index
        placed = self._placed.pop(entry.index, None)
        if placed is None:
            return
        request = self._open.pop(placed[1], None)
        if request is None:
            return
        if placed[0] == entry.term:
            request.done(Outcome(reply))
        elif request.kind is Kind.WRITE:
            self._again(request)  # another leader's entry took its place: this one can never be committed
        else:
            request.done(Outcome(None, "another leader's entry took its place", self.raft.leader))

    def _answer_reads(self) -> None:
        later = []
        for index, number in self._indexed:
            if index > self.applied:
                if number in self._open:  # it may have been answered otherwise
                    later.append((index, number))
                continue
            request = self._open.pop(number, None)
            if request is not None and request.command is not None:
                request.done(Outcome(self.machine.query(request.command)))
        self._indexed = later

    def _note_requests(self, output: Output) -> None:
        for number, index, term in output.proposed:
            if number in self._open:
                self._placed[index] = (term, number)
        for number, leader, why in output.refused:
            request = self._open.pop(number, None)
            if request is None:
                continue
            if request.kind in (Kind.READ, Kind.WRITE):
                self._again(request)
            else:
                request.done(Outcome(None, why, leader))

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
        self._hurry()
        asked = [number for number, request in self._open.items() if request.kind is Kind.READ]
        for number in asked:
            self._held.append(self._open.pop(number))
        self._dispatch_held()

    def _hurry(self) -> None:
        """The leader that was asked before may have died: it has as long to answer as another would need to be elected."""
        due_s = self._loop.time() + 2 * self.config.timing.election_timeout_s
        for request in self._open.values():
            if request.kind is Kind.WRITE and request.in_doubt:
                request.due_s = min(request.due_s, due_s)

    # --- snapshots ------------------------------------------------------------------------

    def _restore(self, snapshot: Snapshot) -> None:
        arrived = self._guard.take_image(snapshot.index)
        if arrived is not None:
            self.machine.become(arrived)
        else:
            self.machine.restore(snapshot.data)
        self.applied = self._compacted = snapshot.index
        self.log_bytes = 0
        for index in [index for index in self._placed if index <= snapshot.index]:
            request = self._open.pop(self._placed.pop(index)[1], None)
            if request is not None:
                request.done(Outcome(None, "a snapshot hides whether it was carried out", unknown=True))
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


__all__ = ["Compactor", "Done", "Image", "Outcome", "Replica", "Reply", "Storage", "encoded"]
