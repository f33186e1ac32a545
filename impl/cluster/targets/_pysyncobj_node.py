"""One node of a small store built on PySyncObj: `python -m ... SETTINGS.json`.

Law: it says no more than the library told: a reason for failure that leaves open whether a command is applied
is "unknown".  A line of JSON is a request, and a line answers it; clients are on loopback only.
"""

from __future__ import annotations

import json
import socketserver
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, cast

LINE_BYTES_MAX = 1 << 20
WAIT_S = 10.0
# By the library's source: the command was not taken, or another one was applied in its place.
_REFUSED = {1: "queue full", 2: "no leader", 3: "discarded", 4: "not the leader", 6: "denied"}

Answer = dict[str, object]

if TYPE_CHECKING:

    class SyncObj:
        def __init__(self, own: str, others: list[str], conf: object) -> None: ...
        def getStatus(self) -> dict[str, object]: ...
        def isReady(self) -> bool: ...

    def replicated(method: Callable[..., object]) -> Callable[..., None]: ...

    def SyncObjConf(**settings: object) -> object: ...
else:
    from pysyncobj import SyncObj, SyncObjConf, replicated


class Store(SyncObj):
    """A dictionary of texts, changed through the log only."""

    def __init__(self, own: str, others: list[str], conf: object) -> None:
        super().__init__(own, others, conf)
        self.held: dict[str, str] = {}

    @replicated
    def put(self, key: str, value: str) -> None:
        self.held[key] = value

    @replicated
    def append(self, key: str, value: str) -> None:
        self.held[key] = self.held.get(key, "") + value

    @replicated
    def cas(self, key: str, expected: str | None, value: str) -> bool:
        if self.held.get(key) != expected:
            return False
        self.held[key] = value
        return True

    @replicated
    def delete(self, key: str) -> bool:
        return self.held.pop(key, None) is not None

    @replicated
    def read(self, key: str) -> str | None:
        return self.held.get(key)


_ARGUMENTS = {"put": ("key", "value"), "append": ("key", "value"), "cas": ("key", "expected", "value"), "delete": ("key",), "read": ("key",)}


def answer(store: Store, request: dict[str, object]) -> Answer:
    """Do what is asked."""
    method = str(request["op"])
    if method == "status":
        status = store.getStatus()
        leader = status["leader"]
        return {"ok": {"leader": None if leader is None else str(leader), "ready": store.isReady()}}
    if method == "local":  # as the library's documentation reads
        return {"ok": store.held.get(str(request["key"]))}
    done, found = threading.Event(), cast("list[Answer]", [])

    def ended(result: object, reason: int) -> None:
        if reason == 0:
            found.append({"ok": result})
        elif reason in _REFUSED:
            found.append({"refused": _REFUSED[reason]})
        else:
            found.append({"unknown": f"reason {reason}"})
        done.set()

    getattr(store, method)(*(request.get(name) for name in _ARGUMENTS[method]), callback=ended)
    return found[0] if done.wait(WAIT_S) else {"unknown": f"no answer within {WAIT_S:.0f} s"}


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128
    store: Store


class _Connection(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        server = cast(_Server, self.server)
        while line := self.rfile.readline(LINE_BYTES_MAX):
            self.wfile.write(json.dumps(answer(server.store, json.loads(line))).encode() + b"\n")


def main() -> None:
    settings = json.loads(Path(sys.argv[1]).read_text())
    folder = Path(sys.argv[1]).parent
    conf = SyncObjConf(
        **settings["conf"], bindAddress=settings["bind"], journalFile=str(folder / "journal"), fullDumpFile=str(folder / "dump"),
    )  # fmt: skip
    store = Store(settings["own"], settings["others"], conf)
    with _Server(("127.0.0.1", settings["client_port"]), _Connection) as server:
        server.store = store
        server.serve_forever()


if __name__ == "__main__":
    main()
