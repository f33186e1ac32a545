"""A simulated server: runs one core, and carries out what it wants, in the order that the core needs.

The law: a message that waits for the disk goes out only when everything written before it is durable, and a
crash forgets everything that is not on disk.  Broken hosts override the small methods.
"""

from __future__ import annotations

import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from scrutator.impl.machine import KeyValue, Reply
from scrutator.impl.raft import (
    AnyMessage,
    Change,
    Compact,
    Configuration,
    ElectionTimeout,
    Entry,
    Event,
    HeartbeatTimeout,
    Output,
    Propose,
    Raft,
    Read,
    Received,
    Role,
    Snapshot,
)
from scrutator.impl.sim.clock import LocalClock
from scrutator.impl.sim.disk import Corrupt, Disk, DiskFull, Image, SyncFailed
from scrutator.impl.sim.invariants import NO_EXCEPTION, Violated
from scrutator.impl.sim.story import describe
from scrutator.impl.sim.world import MILLISECOND, SECOND

if TYPE_CHECKING:
    from scrutator.impl.sim.run import Simulation

_TIMEOUTS = 256  # steps between the shortest and the longest election timeout


class Status(Enum):
    """Whether a server runs, or why not."""

    UP = "up"
    DOWN = "down"
    CORRUPT = "corrupt"  # it found its disk rotten, and refuses to start
    FULL = "full"


class Doom(Enum):
    """Where in its next write a server is to crash."""

    UNSYNCED = "before what it wrote is durable"
    SYNCED = "once it is durable, before anything is sent"


@dataclass(frozen=True, slots=True)
class Request:
    """A client asks: for a command through the ``log``, or to read a key by ``index`` or ``lease``."""

    client: str
    number: tuple[int, int]  # of the operation and of the attempt
    way: str
    data: bytes  # the command, or the key
    respond: Callable[[Response], None]


@dataclass(frozen=True, slots=True)
class Response:
    """A server answers.  A refusal means that this attempt has no effect."""

    number: tuple[int, int]
    reply: Reply | None  # None: refused
    index: int = 0  # of the entry, if through the log
    leader: str | None = None  # where to ask instead


class Host:
    """One server of a simulation."""

    def __init__(self, id: str, order: int, sim: Simulation, configuration: Configuration) -> None:
        self.id, self._order, self.sim, self._configuration = id, order, sim, configuration
        self.setup, self.world, self.tape, self.watch = sim.setup, sim.world, sim.tape, sim.watch
        self.disk, self.clock = Disk(), LocalClock()
        self.status = Status.DOWN
        self.incarnation = 0
        self.paused = False
        self.doom: Doom | None = None
        self.torn = False  # crashes may leave torn records
        self._backlog: list[tuple[Callable[..., None], object]] = []  # of a paused server
        self._number = 0  # of requests; never used twice, for answers to a former life may still arrive
        self._forget()

    def _forget(self) -> None:
        """Nothing but the disk is left."""
        self.raft: Raft | None = None
        self.machine: KeyValue = self.setup.machine()
        self.mirror = Image()  # the disk, once all is synced
        self.applied = self.handed = self.commit_seen = 0
        self.led = self._first_commit = 0  # the last term in which it led, and in which it committed as leader
        self._compacted = 0
        self._inbox: deque[Event] = deque()
        self._busy = False
        self._queue: deque[tuple[int, Output]] = deque()  # (how many writes must be durable, what then)
        self._written = self._durable = 0  # counts of writes
        self._syncing = False
        self._open: dict[int, Request] = {}
        self._placed: dict[int, tuple[int, int]] = {}  # by index: (term, number)
        self._reads: list[tuple[int, int]] = []  # (index, number)
        self._heard = 0
        self._patience: int | None = None  # drawn only once the shortest timeout has passed
        self._watching = False  # an election timer is under way
        self._beat = 0

    # --- life and death ---------------------------------------------------------------

    def start(self) -> None:
        """Start from what the disk holds, unless it is rotten."""
        self._forget()
        self.incarnation += 1
        try:
            image, torn = self.recover()
        except Corrupt as error:
            self.status = Status.CORRUPT
            self.watch.counts["rotten disks found"] += 1
            self.sim.tell(self.id, f"refuses to start: {error}")
            return
        if torn:
            self.watch.counts["torn records dropped"] += 1
        self.mirror = image
        self.machine.sessions_max = self.setup.sessions_max
        if image.snapshot is not None:
            self.machine.restore(image.snapshot.data)
        self.applied = self.handed = self.commit_seen = self._compacted = image.base
        self.status = Status.UP
        self.raft = self.setup.raft(
            self.id, self._configuration, self.setup.options, term=image.term, vote=image.vote,
            snapshot=image.snapshot, entries=tuple(image.entries), now_s=self.clock.shown_s(self.world.now),
        )  # fmt: skip
        if self.sim.tracing:
            self.raft.on_trace = self.sim.traced
        self.sim.tell(self.id, f"starts in term {image.term} with entries up to {image.last}" + (f", {torn} torn bytes dropped" if torn else ""))
        self._restart_election_timer()

    def recover(self) -> tuple[Image, int]:
        """What the disk holds, and the size of a torn tail; raises `Corrupt`."""
        return self.disk.recover()

    def crash(self, why: str = "crashes", status: Status = Status.DOWN) -> None:
        """Stop at once, and lose what is not durable."""
        if self.status is not Status.UP:
            return
        unsynced = self.disk.writes
        kept = self.disk.crash(self.tape, torn=self.torn)
        if self.tape.draw(2):
            self.sim.network.lose_sent(self.id)
        self.sim.tell(self.id, why + (f", {unsynced} writes not synced, {kept} bytes of them kept" if unsynced else ""))
        self.watch.counts["crashes"] += 1
        self._forget()
        self.incarnation += 1
        self.status = status
        self.paused, self.doom = False, None
        self._backlog.clear()

    def pause(self) -> None:
        """Stand still, with all that arrives waiting."""
        self.paused = self.status is Status.UP

    def resume(self) -> None:
        """Go on, with what has arrived meanwhile."""
        self.paused = False
        backlog, self._backlog = self._backlog, []
        for do, argument in backlog:
            do(argument)

    # --- what arrives -----------------------------------------------------------------

    def receive(self, message: AnyMessage) -> None:
        """A message of another server."""
        if self.paused:
            self._backlog.append((self.receive, message))
        elif self.raft is not None:
            self._inbox.append(Received(message))
            self._drain()

    def request(self, request: Request) -> None:
        """A client asks."""
        if self.paused:
            self._backlog.append((self.request, request))
        elif self.raft is None:
            self._respond(request, Response(request.number, None))
        else:
            self._number += 1
            self._open[self._number] = request
            if request.way == "log":
                self._inbox.append(Propose(self._number, request.data))
            else:
                self._inbox.append(Read(self._number, request.way == "lease"))
            self._drain()

    def command(self, event: Event) -> None:
        """An operator asks: for a change of members, for another leader."""
        if self.raft is not None and not self.paused:
            self._inbox.append(event)
            self._drain()

    def change(self, configuration: Configuration, *, single: bool) -> None:
        """An operator asks for other members."""
        self._number += 1
        self.command(Change(self._number, configuration, single))

    def _respond(self, request: Request, response: Response) -> None:
        self.sim.network.send(self.id, request.client, request.respond, response)

    # --- steps ------------------------------------------------------------------------

    def _drain(self) -> None:
        """Take steps until there is nothing left to do at this instant."""
        if self._busy:
            return
        self._busy = True
        incarnation = self.incarnation
        while self._inbox:
            self._step(self._inbox.popleft())
            if self.incarnation != incarnation:
                return  # it crashed on the way, and forgot that it was busy
        self._busy = False

    def _step(self, event: Event) -> None:
        raft = self.raft
        assert raft is not None
        now = self.world.now
        try:
            output = raft.step(event, self.clock.shown_s(now))
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            raise Violated(NO_EXCEPTION, f"{self.id}: {type(error).__name__}: {error} ({where.name}, line {where.lineno}, at {describe(event)})") from error
        if self.sim.telling:
            self.sim.tell_step(self, event, output)
        self.sim.note(self, raft)
        persist = output.persist
        if persist:
            self.mirror.absorb(persist)
        led = self.led
        self.watch.stepped(self, output)
        if self.led != led or self._is_delicate(output):
            self.sim.faults.lie_in_wait(self)
        self._set_timers(output)
        self._note_requests(output)
        self._send(output.send)
        self._carry_out(output)

    def _is_delicate(self, output: Output) -> bool:
        """It votes for another, changes the members, or commits for the first time since it leads."""
        persist = output.persist
        if output.apply and self.raft is not None and self.raft.role is Role.LEADER and self._first_commit != self.led:
            self._first_commit = self.led
            return True
        return persist.vote not in (None, self.id) or (bool(persist.entries) and persist.entries[0].configuration is not None)

    def _carry_out(self, output: Output) -> None:
        """Persist, and do the rest when that, and all before it, is durable."""
        persist = output.persist
        if persist:
            try:
                self._write(output)
            except DiskFull:
                self.watch.counts["full disks"] += 1
                self.crash("stops: the disk is full", Status.FULL)
                return
            self._written += 1
        if not self.waits_for_disk(output):
            self._send(output.send_durable)
            output.send_durable = []
        if not (self._queue or persist):
            self._finish(output)
        else:
            self._queue.append((self._written, output))
        if persist and self.doom is Doom.UNSYNCED:
            self.crash(f"crashes {self.doom.value}")
        elif not self._syncing and self._durable < self._written:
            self._sync()

    def waits_for_disk(self, output: Output) -> bool:
        """Whether messages are held back until what was written before them is durable."""
        return True

    def _write(self, output: Output) -> None:
        if output.persist.snapshot is not None:
            self.disk.replace(self.mirror)
        else:
            self.disk.append(output.persist)

    def _sync(self) -> None:
        """Sync all that has been written; one sync at a time, and those who come meanwhile share the next."""
        self._syncing = True
        took = (MILLISECOND + self.tape.draw(64) * self.setup.sync_spread_ms * 16) * self.disk.slowness
        self.world.after(took, self._synced, (self.incarnation, self.disk.writes))

    def _synced(self, sync: tuple[int, int]) -> None:
        incarnation, count = sync
        if incarnation != self.incarnation:
            return
        if self.paused:
            self._backlog.append((self._synced, sync))
            return
        try:
            self.disk.sync(count)
        except SyncFailed:
            self.watch.counts["failed syncs"] += 1
            self.on_sync_failed(count)
            return
        if self.doom is Doom.SYNCED:
            self.crash(f"crashes {self.doom.value}")
            return
        self.on_synced(count)

    def on_synced(self, count: int) -> None:
        """So many writes more are durable: go on with what waited for them."""
        self._durable += count
        self._syncing = False
        self._busy = True
        while self._queue and self._queue[0][0] <= self._durable:
            self._finish(self._queue.popleft()[1])
        self._busy = False
        if self._durable < self._written:
            self._sync()
        self._drain()

    def on_sync_failed(self, count: int) -> None:
        """Nobody knows what is durable now: only the disk itself does, when it is read again."""
        self.crash("stops: a sync has failed")

    def _finish(self, output: Output) -> None:
        """What may be done once all that was persisted up to here is durable."""
        self._send(output.send_durable)
        if output.restore is not None:
            self._restore(output.restore)
        for entry in output.apply:
            self._apply(entry)
        for number, index in output.reads:
            self._reads.append((index, number))
        if self._reads:
            self._answer_reads()
        if self.applied - self._compacted >= self.setup.snapshot_every:
            self._compact()

    def _send(self, messages: list[AnyMessage]) -> None:
        for message in messages:
            if message.dst == self.id:
                self._inbox.append(Received(message))
            else:
                host = self.sim.hosts.get(message.dst)
                if host is not None:
                    self.sim.network.send(self.id, message.dst, host.receive, message)

    # --- the state machine and its clients ----------------------------------------------

    def _restore(self, snapshot: Snapshot) -> None:
        self.machine.restore(snapshot.data)
        self.applied = self._compacted = snapshot.index
        self._placed = {index: placed for index, placed in self._placed.items() if index > snapshot.index}
        self.watch.counts["snapshots installed"] += 1
        self.watch.snapshot(self, snapshot.index, self.machine.snapshot())

    def _apply(self, entry: Entry) -> None:
        machine = self.machine
        reply = machine.apply(entry)
        self.applied = entry.index
        self.watch.applied(self, entry, reply, machine.executed)
        placed = self._placed.pop(entry.index, None)
        if placed is not None:
            request = self._open.pop(placed[1], None)
            if request is not None and placed[0] == entry.term:
                self._respond(request, Response(request.number, reply, entry.index))

    def _answer_reads(self) -> None:
        later = []
        for index, number in self._reads:
            if not self.may_answer(index):
                later.append((index, number))
                continue
            request = self._open.pop(number, None)
            if request is not None:
                self._respond(request, Response(request.number, Reply(self.machine.get(request.data))))
        self._reads = later

    def may_answer(self, index: int) -> bool:
        """Whether a read at this index sees everything that it must."""
        return index <= self.applied

    def _compact(self) -> None:
        self._compacted = self.applied
        data = self.machine.snapshot()
        self.watch.counts["snapshots taken"] += 1
        self.watch.snapshot(self, self.applied, data)
        self._inbox.append(Compact(self.applied, data))

    def _note_requests(self, output: Output) -> None:
        for number, index, term in output.proposed:
            if number in self._open:
                self._placed[index] = (term, number)
        for number, leader, _ in output.refused:
            request = self._open.pop(number, None)
            if request is not None:
                self._respond(request, Response(request.number, None, 0, leader))

    # --- timers -------------------------------------------------------------------------

    def _set_timers(self, output: Output) -> None:
        if output.restart_election_timer:
            self._restart_election_timer()
        if output.heartbeat_timer is not None:
            self._beat += 1
            if output.heartbeat_timer:
                self._schedule_heartbeat()

    def _restart_election_timer(self) -> None:
        """Begin to wait anew; a timer under way looks at the new time when it runs out."""
        self._heard = self.clock.local(self.world.now)
        self._patience = None
        if not self._watching:
            self._watching = True
            self._watch_for(self._shortest_us())

    def _shortest_us(self) -> int:
        return round(self.setup.options.election_timeout_s * SECOND)

    def _watch_for(self, local_us: int) -> None:
        self.world.after(self.clock.lasts(local_us), self._on_election_timer, self.incarnation)

    def _on_election_timer(self, incarnation: int) -> None:
        """Wait for the rest, if the timer was restarted meanwhile; only who hears nothing draws a timeout.

        A server's place shifts its draw: if all choices are zero, not all stand at once for ever.
        """
        if incarnation != self.incarnation or self.raft is None:
            return
        if self.paused:
            self._backlog.append((self._on_election_timer, incarnation))
            return
        shortest = self._shortest_us()
        waited = self.clock.local(self.world.now) - self._heard
        if waited < shortest:
            self._watch_for(shortest - waited)
            return
        if self._patience is None:
            part = (self.tape.draw(_TIMEOUTS) + 37 * self._order) % _TIMEOUTS
            self._patience = shortest + shortest * part // _TIMEOUTS
        if waited < self._patience:
            self._watch_for(self._patience - waited)
            return
        self._watching = False
        self._inbox.append(ElectionTimeout())
        self._drain()
        if incarnation == self.incarnation and not self._watching:
            self._restart_election_timer()

    def _schedule_heartbeat(self) -> None:
        interval = round(self.setup.options.heartbeat_s * SECOND)
        self.world.after(self.clock.lasts(interval), self._on_heartbeat, (self.incarnation, self._beat))

    def _on_heartbeat(self, beat: tuple[int, int]) -> None:
        if beat != (self.incarnation, self._beat):
            return
        if self.paused:
            self._backlog.append((self._on_heartbeat, beat))
            return
        self._schedule_heartbeat()
        self._inbox.append(HeartbeatTimeout())
        self._drain()
