"""A replica's timers: elections, heartbeats, and requests that waited too long.

Law: an election timer that is restarted costs nothing but noting the time; only who heard of nobody for the
shortest timeout draws how much longer it waits.  Durations are of the node's own clock.
"""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

from scrutator.impl.raft import ElectionTimeout, HeartbeatTimeout, Output

if TYPE_CHECKING:
    from scrutator.impl.node.replica import Replica

SWEEP_S = 0.1


class Timers:
    """The timers of one replica."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._loop = asyncio.get_running_loop()
        self._shortest_s = replica.config.timing.election_timeout_s
        self._heard_s = replica.now()
        self._patience_s: float | None = None
        self._election: asyncio.TimerHandle | None = None
        self._beat: asyncio.TimerHandle | None = None
        self._sweep: asyncio.TimerHandle | None = None

    def set(self, output: Output) -> None:
        """Do what a step wants."""
        if output.restart_election_timer:
            self.restart_election()
        if output.heartbeat_timer is not None:
            if self._beat is not None:
                self._beat.cancel()
                self._beat = None
            if output.heartbeat_timer:
                self._next_beat()

    def stop(self) -> None:
        """Fire no more."""
        for timer in (self._election, self._beat, self._sweep):
            if timer is not None:
                timer.cancel()
        self._election = self._beat = self._sweep = None

    def restart_election(self) -> None:
        """Begin to wait anew."""
        self._heard_s = self._replica.now()
        self._patience_s = None
        if self._election is None:
            self._wait(self._shortest_s)

    def start_sweeping(self) -> None:
        """Look now and then for requests that waited too long."""
        self._sweep = self._loop.call_later(SWEEP_S, self._on_sweep)

    def _wait(self, duration_s: float) -> None:
        self._election = self._loop.call_later(duration_s / self._replica.rate, self._on_election)

    def _on_election(self) -> None:
        self._election = None
        waited_s = self._replica.now() - self._heard_s
        if waited_s >= self._shortest_s and self._patience_s is None:
            self._patience_s = self._shortest_s * (1 + random.random())
        wanted_s = self._shortest_s if self._patience_s is None else self._patience_s
        if waited_s < wanted_s:
            self._wait(wanted_s - waited_s)
            return
        self._replica.post(ElectionTimeout())
        self.restart_election()

    def _next_beat(self) -> None:
        self._beat = self._loop.call_later(self._replica.config.timing.heartbeat_s / self._replica.rate, self._on_beat)

    def _on_beat(self) -> None:
        self._next_beat()
        self._replica.post(HeartbeatTimeout())

    def _on_sweep(self) -> None:
        self.start_sweeping()
        self._replica.sweep()
