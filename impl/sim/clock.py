"""A server's own clock: it runs fast or slow, and may jump ahead; it never goes back.

The law: integers only.  What a timer measures is the clock's rate; a jump changes what the clock shows, and
no timer.
"""

from __future__ import annotations

MILLION = 1_000_000


class LocalClock:
    """Shows ``local(now)`` microseconds at ``now`` microseconds of virtual time."""

    __slots__ = ("_ahead", "_base", "_shown", "rate_ppm")

    def __init__(self) -> None:
        self.rate_ppm = MILLION  # of a million: how much passes here while that much passes
        self._base = 0
        self._shown = 0
        self._ahead = 0

    def local(self, now: int) -> int:
        """What timers measure, in microseconds."""
        return self._shown + (now - self._base) * self.rate_ppm // MILLION

    def shown_s(self, now: int) -> float:
        """What the server sees, in seconds."""
        return (self.local(now) + self._ahead) / 1e6

    def lasts(self, local_us: int) -> int:
        """How long, in virtual time, until so much has passed here; at least that much."""
        return (local_us * MILLION + self.rate_ppm - 1) // self.rate_ppm

    def run_at(self, now: int, rate_ppm: int) -> None:
        """Run at another rate from now on."""
        self._shown, self._base, self.rate_ppm = self.local(now), now, rate_ppm

    def jump(self, us: int) -> None:
        """Show a later time, all at once."""
        self._ahead += us
