"""How our own nodes stand: what each says about itself over its client port, and whether they serve.

Law: whoever does not answer in time is not waited for; what a node says is believed and nothing more.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass

from scrutator.impl.cluster.processes import Process, ending
from scrutator.impl.cluster.resp import Error, Value, ask
from scrutator.impl.cluster.target import TargetError

TIMEOUT_S = 1.0
SERVE_S_MAX = 30.0
POLL_S = 0.02
PROBE = "scrutator:probe"  # a key that nobody writes


class NotServing(TargetError):
    """A cluster did not come to serve; the message names the node and the cause."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Positions are of the node's log; ``leader`` is whom it follows, or itself, or '' for nobody."""

    id: str
    role: str
    term: int
    leader: str
    commit: int
    applied: int
    last: int


async def standing(address: tuple[str, int], timeout_s: float = TIMEOUT_S) -> Standing | None:
    """What the node there says, or None where it does not answer in time, or is no node."""
    try:
        answer = await ask(*address, "RAFT", "STATUS", timeout_s=timeout_s)
    except (OSError, EOFError, TimeoutError):
        return None
    return _standing(answer)


def _standing(answer: Value) -> Standing | None:
    """An answer to RAFT STATUS: names and values in turn."""
    if not isinstance(answer, list):
        return None
    found = {name: value for name, value in zip(answer[::2], answer[1::2], strict=False) if isinstance(name, bytes)}
    texts = [_text(found.get(name)) for name in (b"id", b"role", b"leader")]
    numbers = [value for name in (b"term", b"commit", b"applied", b"last") if isinstance(value := found.get(name), int)]
    if len(numbers) != 4 or not texts[1]:
        return None
    return Standing(texts[0], texts[1], numbers[0], texts[2], *numbers[1:])


def _text(value: Value) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else ""


async def standings(addresses: Mapping[str, tuple[str, int]], timeout_s: float = TIMEOUT_S) -> dict[str, Standing | None]:
    """All of them at once."""
    found = await asyncio.gather(*(standing(address, timeout_s) for address in addresses.values()))
    return dict(zip(addresses, found, strict=True))


def leader_of(found: Mapping[str, Standing | None]) -> str | None:
    """The node that leads in the highest term of those that say so."""
    leaders = [(one.term, name) for name, one in found.items() if one is not None and one.role == "leader"]
    return max(leaders)[1] if leaders else None


async def serves(address: tuple[str, int], timeout_s: float = TIMEOUT_S) -> bool:
    """Whether a read that sees every finished write succeeds at this node: it takes a leader and its quorum."""
    try:
        return not isinstance(await ask(*address, "GET", PROBE, timeout_s=timeout_s), Error)
    except (OSError, EOFError, TimeoutError):
        return False


async def until_served(addresses: Mapping[str, tuple[str, int]], started: Mapping[str, Process], limit_s: float = SERVE_S_MAX) -> str:
    """Wait until every node answers and follows one leader, which serves; its name.  Raises `NotServing`."""
    until = time.monotonic() + limit_s
    while True:
        for name, process in started.items():
            if not process.running:
                raise NotServing(f"{name} {cause_of(process)}\nall that it said: {process.log}")
        found = await standings(addresses)
        leader = leader_of(found)
        if leader is not None and all(one is not None and one.leader == leader for one in found.values()) and await serves(addresses[leader]):
            return leader
        if time.monotonic() > until:
            silent = ", ".join(name for name, one in found.items() if one is None)
            logs = ", ".join(str(process.log) for process in started.values())
            said = f"; what they said: {logs}" if logs else ""
            raise NotServing(f"the nodes did not serve within {limit_s:g} s: {silent + ' did not answer' if silent else 'they elected no leader'}{said}")
        await asyncio.sleep(POLL_S)


def cause_of(process: Process) -> str:
    """How a node ended, and what it said last."""
    words = process.last_words(1)
    how = ending(process.status or 0)
    return f"{how}: {plainly(words[0])}" if words else how


def plainly(line: str) -> str:
    """A line of a node's log as people write it.

    >>> plainly('{"time": 1, "node": "n1", "event": "stops", "why": "the disk is full", "status": 3}')
    'stops: the disk is full'
    """
    try:
        found = json.loads(line)
        return f"{found['event']}: {found['why']}" if "why" in found else str(found["event"])
    except (ValueError, KeyError, TypeError):
        return line
