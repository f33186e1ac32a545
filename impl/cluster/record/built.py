"""Sets, queues and counters out of one key with get and compare-and-set, for systems that have no more.

The law: the whole operation is as certain as its last swap.  A swap that failed did nothing, so reading again
and trying again is honest; one of unknown outcome makes the whole unknown, and is never repeated.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

from scrutator.impl.cluster.target import Client, Refused, Unknown
from scrutator.impl.history import Plain

ATTEMPTS_MAX = 20
PAUSE_S = 0.002  # grows with the attempts, so that of many clients one gets through

Change = Callable[[str | None], tuple[Plain, str | None]]  # what the key holds -> result, what it is to hold


async def changed(client: Client, key: str, change: Change) -> Plain:
    """Change what a key holds; the result is that of ``change``.  Where nothing changes, the read was all there is."""
    for attempt in range(ATTEMPTS_MAX):
        try:
            held = await client.get(key)
        except Unknown as error:
            raise Refused(f"read to no end, and nothing was changed: {error}") from error
        result, after = change(held)
        if after == held or (after is not None and await client.cas(key, held, after)):
            return result
        await asyncio.sleep(PAUSE_S * attempt)
    raise Refused(f"others came in between {ATTEMPTS_MAX} times")


def items_of(held: str | None) -> list[str]:
    """A list that is kept in a key as JSON.

    >>> items_of(None), items_of('["a","b"]')
    ([], ['a', 'b'])
    """
    found = [] if held is None else json.loads(held)
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise Unknown(f"a key that only this workload writes holds {held!r:.60}")
    return found


def with_last(value: str) -> Change:
    """Add a value at the end of a list."""
    return lambda held: (None, json.dumps([*items_of(held), value], separators=(",", ":")))


def without_first(held: str | None) -> tuple[Plain, str | None]:
    """Remove the first value of a list; None says that there was none."""
    items = items_of(held)
    return (items[0], json.dumps(items[1:], separators=(",", ":"))) if items else (None, held)


def one_more(held: str | None) -> tuple[Plain, str | None]:
    """Count; the result is the new number."""
    return int(held or 0) + 1, str(int(held or 0) + 1)
