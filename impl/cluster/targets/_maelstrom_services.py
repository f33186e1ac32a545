"""The stores that a Maelstrom program may use beside its own nodes: lin-kv, seq-kv, lww-kv and lin-tso.

Law: each keeps what its name promises and no more: seq-kv and lww-kv answer from the past wherever they may, as
drawn from the seed, so that a program that takes them for linearizable is found out.
Source: https://github.com/jepsen-io/maelstrom/blob/main/doc/services.md
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Mapping
from random import Random

import msgspec

from scrutator.impl.maelstrom import KEY_DOES_NOT_EXIST, NOT_SUPPORTED, PRECONDITION_FAILED

Fields = Mapping[str, object]
Service = Callable[[str, Fields], Fields]  # who asks, body of the request -> body of the answer

UNSEEN_MAX = 100  # changes that a client of seq-kv may be behind
COPIES = 5  # of lww-kv

Key = bytes  # a key may be any JSON value: as such it is told from others by its text


def services(random: Random) -> dict[str, Service]:
    """All of them, by the names under which nodes reach them."""
    return {"lin-kv": LinKv(), "seq-kv": SeqKv(random), "lww-kv": LwwKv(random), "lin-tso": LinTso()}


class LinKv:
    """One store, one operation after the other."""

    def __init__(self) -> None:
        self._held: dict[Key, object] = {}

    def __call__(self, client: str, body: Fields) -> Fields:
        return carry_out(body, self._held, self._held.__setitem__)


class SeqKv:
    """Writes take effect at once; a read may miss the latest ones of others, but never goes back."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._latest: dict[Key, object] = {}
        self._views: dict[str, tuple[dict[Key, object], deque[tuple[Key, object]]]] = {}  # what each client saw, and not yet

    def __call__(self, client: str, body: Fields) -> Fields:
        view, unseen = self._views.setdefault(client, (dict(self._latest), deque()))
        if body["type"] == "read":
            _catch_up(view, unseen, keep=self._random.randrange(len(unseen) + 1))
            return carry_out(body, view, view.__setitem__)
        answer = carry_out(body, self._latest, self._write)
        _catch_up(view, unseen, keep=0)  # with its own write, and all before it
        return answer

    def _write(self, key: Key, value: object) -> None:
        self._latest[key] = value
        for view, unseen in self._views.values():
            unseen.append((key, value))
            _catch_up(view, unseen, UNSEEN_MAX)


def _catch_up(view: dict[Key, object], unseen: deque[tuple[Key, object]], keep: int) -> None:
    while len(unseen) > keep:
        key, value = unseen.popleft()
        view[key] = value


class LwwKv:
    """Copies that each answer by themselves, and now and then take what another has written later."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._clock = itertools.count(1)
        self._copies: list[dict[Key, tuple[int, object]]] = [{} for _ in range(COPIES)]

    def __call__(self, client: str, body: Fields) -> Fields:
        copy, other = self._random.choice(self._copies), self._random.choice(self._copies)
        if self._random.random() < 0.5:
            for key, stamped in other.items():
                copy[key] = max(copy.get(key, (0, None)), stamped, key=lambda pair: pair[0])

        def write(key: Key, value: object) -> None:
            copy[key] = (next(self._clock), value)

        return carry_out(body, {key: value for key, (_, value) in copy.items()}, write)


class LinTso:
    """Numbers that only grow."""

    def __init__(self) -> None:
        self._numbers = itertools.count()

    def __call__(self, client: str, body: Fields) -> Fields:
        if body["type"] != "ts":
            return _error(NOT_SUPPORTED, f"lin-tso knows no {body['type']!r:.40}")
        return {"type": "ts_ok", "ts": next(self._numbers)}


def carry_out(body: Fields, held: Mapping[Key, object], write: Callable[[Key, object], None]) -> Fields:
    """One operation of lin-kv on what is held.

    >>> carry_out({"type": "cas", "key": 1, "from": 2, "to": 3, "create_if_not_exists": False}, {b"1": 4}, print)
    {'type': 'error', 'code': 22, 'text': 'the key holds 4'}
    """
    kind, key = body["type"], msgspec.json.encode(body["key"], order="sorted")
    if kind == "write":
        write(key, body["value"])
        return {"type": "write_ok"}
    if kind not in ("read", "cas"):
        return _error(NOT_SUPPORTED, f"a key-value service knows no {kind!r:.40}")
    if key not in held and not (kind == "cas" and body["create_if_not_exists"]):
        return _error(KEY_DOES_NOT_EXIST, "there is no such key")
    if kind == "read":
        return {"type": "read_ok", "value": held[key]}
    if key in held and held[key] != body["from"]:
        return _error(PRECONDITION_FAILED, f"the key holds {held[key]!r:.40}")
    write(key, body["to"])
    return {"type": "cas_ok"}


def _error(code: int, text: str) -> Fields:
    return {"type": "error", "code": code, "text": text}
