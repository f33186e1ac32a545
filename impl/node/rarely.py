"""Log lines that others can cause, kept from filling the disk.

Law: the first line of a kind is written at once, then one in ``every_s`` seconds, with how many were left out.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from scrutator.impl.node.log import Field, Log


class Rarely:
    """``rarely("refused", why=...)`` writes as `Log` does, but not each time.

    A kind is an event and, where given, the known node it is about: never anything that a stranger chooses,
    for each kind is remembered.
    """

    __slots__ = ("_every_s", "_left_out", "_log", "_next_s", "_now_s")

    def __init__(self, log: Log, every_s: float, now_s: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._every_s = every_s
        self._now_s = now_s
        self._next_s: dict[tuple[str, str], float] = {}
        self._left_out: dict[tuple[str, str], int] = {}

    def __call__(self, event: str, peer: str = "", **fields: Field) -> None:
        kind, now_s = (event, peer), self._now_s()
        if now_s < self._next_s.get(kind, now_s):
            self._left_out[kind] = self._left_out.get(kind, 0) + 1
            return
        self._next_s[kind] = now_s + self._every_s
        if peer:
            fields["peer"] = peer
        left_out = self._left_out.pop(kind, 0)
        if left_out:
            fields["left_out"] = left_out
        self._log(event, **fields)
