"""What is asked of a node, from being asked to being answered.

The law: whoever asked is answered once, and the answer claims no more than is known: done, refused (it did not
happen and never will), or unknown.  What certainly did not happen may be tried again; what is unknown is not.
"""

from __future__ import annotations

import asyncio
import random
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable

from scrutator.impl.machine import Command, KeyValue, Reply, encoded, is_read
from scrutator.impl.node.config import NodeConfig
from scrutator.impl.node.links.wire import Forward, Forwarded, NodeMessage, command_bytes_max
from scrutator.impl.node.requests import Done, Kind, Outcome, Request
from scrutator.impl.raft import Change, Configuration, Entry, Event, Output, Propose, Raft, Read, Role

AGAIN_S = 0.02  # before what was refused is tried again: whoever refused it may not know a leader yet


class Asked(ABC):
    """The part of a replica that clients and other nodes ask; ``reaches`` tells whether a node can be sent anything."""

    raft: Raft
    machine: KeyValue
    applied: int

    def __init__(self, config: NodeConfig, reaches: Callable[[str], bool]) -> None:
        self.config, self.id = config, config.id
        self._reaches = reaches
        self._loop = asyncio.get_running_loop()
        self._stopped = False
        self._command_bytes_max = command_bytes_max(config.limits)
        self._number = random.SystemRandom().getrandbits(60)  # never used twice, for answers to a former life may still arrive
        self._open: dict[int, Request] = {}
        self._placed: dict[int, tuple[int, int]] = {}  # by index: (term, number)
        self._held: deque[Request] = deque()  # until there is a leader
        self._indexed: list[tuple[int, int]] = []  # reads: (index, number), to be answered once that is applied

    @abstractmethod
    def post(self, event: Event) -> None:
        """Let something happen to the core, soon."""

    @abstractmethod
    def queue(self, dst: str, message: NodeMessage) -> None:
        """Send with all else that goes to that node soon."""

    @abstractmethod
    def flush_soon(self) -> None:
        """Send what was queued, also if nothing else happens."""

    @property
    def leads(self) -> bool:
        return self.raft.role is Role.LEADER

    # --- being asked ----------------------------------------------------------------------

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
            self.flush_soon()

    def take_forward(self, message: Forward) -> None:
        """Another node asks on behalf of its client."""
        src, number = message.src, message.number

        def answer(outcome: Outcome) -> None:
            self.queue(src, Forwarded(self.id, src, number, outcome.reply, outcome.why, outcome.leader, outcome.unknown))
            self.flush_soon()

        if not self.leads or self.waiting >= self.config.limits.waiting_max:
            answer(Outcome(None, "the node that was asked does not lead, or has too much to do", self.raft.leader))
            return
        request = Request(Kind.FORWARDED, None, answer, self._loop.time() + self.config.timing.request_timeout_s, in_doubt=True)
        self.post(Propose(self._opened(request), message.command))

    def take_forwarded(self, message: Forwarded) -> None:
        """The leader's answer for a client of this node."""
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
            self._loop.call_later(AGAIN_S, self._dispatch_held)

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

    # --- answering ------------------------------------------------------------------------

    def answer_entry(self, entry: Entry, reply: Reply) -> None:
        """An entry was applied: whoever proposed it here, or another in its place, is told."""
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

    def answer_hidden(self, index: int) -> None:
        """A leader's snapshot up to ``index`` was installed: what was proposed up to there may be in it, or not."""
        for hidden in [placed for placed in self._placed if placed <= index]:
            request = self._open.pop(self._placed.pop(hidden)[1], None)
            if request is not None:
                request.done(Outcome(None, "a snapshot hides whether it was carried out", unknown=True))

    def answer_all(self, why: str) -> None:
        """Nothing more will be done."""
        for request in (*self._open.values(), *self._held):
            request.done(Outcome(None, why, unknown=request.in_doubt))
        self._open.clear()
        self._held.clear()

    def ask_new_leader(self) -> None:
        """There is another leader: ask it what waited, and again for reads that the old one may not answer any more."""
        self._hurry()
        for number in [number for number, request in self._open.items() if request.kind is Kind.READ]:
            self._held.append(self._open.pop(number))
        self._dispatch_held()

    def answer_reads(self, output: Output) -> None:
        """Answer the reads whose index is applied by now."""
        self._indexed.extend((index, number) for number, index in output.reads)
        if not self._indexed:
            return
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

    def note_requests(self, output: Output) -> None:
        """Remember where proposals stand in the log, and what was refused."""
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

    def _hurry(self) -> None:
        """The leader that was asked before may have died: it has as long to answer as another would need to be elected."""
        due_s = self._loop.time() + 2 * self.config.timing.election_timeout_s
        for request in self._open.values():
            if request.kind is Kind.WRITE and request.in_doubt:
                request.due_s = min(request.due_s, due_s)
