"""How nodes stand: what each says about itself over its client port.

Law: whoever does not answer in time is not waited for; what a node says is believed and nothing more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from scrutator.impl.cluster.resp import Error, Value, ask

TIMEOUT_S = 1.0
PROBE = "scrutator:probe"  # a key that nobody writes


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
