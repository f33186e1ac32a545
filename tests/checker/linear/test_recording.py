"""What threads and tasks did is recorded as they saw it, and judged."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path

import pytest

from scrutator.checker.linear.check import check_linearizable
from scrutator.checker.linear.history import NEVER, History
from scrutator.checker.linear.recording import Recorder, record
from scrutator.checker.verdict import Verdict
from scrutator.model.objects import find
from scrutator.model.objects.kv import KV


class Store:
    """A map; a broken one forgets to lock, and answers reads from a copy that lags."""

    def __init__(self, broken: bool) -> None:
        self.broken, self.lock = broken, threading.Lock()
        self.values: dict[str, int] = {}
        self.copy: dict[str, int] = {}

    def put(self, key: str, value: int) -> None:
        with self.lock:
            self.copy = dict(self.values)
            self.values[key] = value

    def get(self, key: str) -> int | None:
        with self.lock:
            return (self.copy if self.broken else self.values).get(key)


@pytest.mark.parametrize("broken", [False, True])
def test_threads(tmp_path: Path, broken: bool) -> None:
    store = Store(broken)
    path = tmp_path / "run.jsonl"
    with record(path, object="kv", metadata={"seed": 7}) as recorder:

        def client(number: int) -> None:
            for k in range(60):
                key = "xy"[k % 2]
                with recorder.call("put", 1000 * number + k, key=key) as call:
                    call.returns(store.put(key, 1000 * number + k))
                with recorder.call("get", key=key) as call:
                    call.returns(store.get(key))

        threads = [threading.Thread(target=client, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    history = History.read(path)
    assert len(history) == 480 and history.pending == 0
    assert history.metadata["object"] == "kv" and history.metadata["seed"] == 7
    assert set(history.process.tolist()) <= set(range(4))  # one that has ended may be followed by another
    found = check_linearizable(history, KV)
    assert found.verdict is (Verdict.VIOLATED if broken else Verdict.HOLDS)
    kept = recorder.history()
    assert [kept[k] for k in range(len(kept))] == [history[k] for k in range(len(history))]


def test_tasks_are_processes() -> None:
    recorder = Recorder(object="register")

    async def client(value: int) -> None:
        with recorder.call("write", value) as call:
            await asyncio.sleep(0.001)
            call.returns(None)

    async def main() -> None:
        await asyncio.gather(*(client(k) for k in range(5)))

    asyncio.run(main())
    history = recorder.history()
    assert sorted(history.process.tolist()) == [0, 1, 2, 3, 4]
    assert history.called.max() < history.returned.min()  # they overlap


def test_how_operations_end() -> None:
    ticks = iter(range(100))
    recorder = Recorder(clock=lambda: next(ticks))
    with pytest.raises(TimeoutError), recorder.call("write", 1):
        raise TimeoutError
    with recorder.call("write", 2) as call:
        call.unknown()
    with recorder.call("write", 3) as call:
        call.fails()
    with recorder.call("write", 4):
        pass
    with pytest.raises(ZeroDivisionError), recorder.call("read") as call:
        call.returns([1, {"a": 2}])
        raise ZeroDivisionError
    history = recorder.history()
    assert [(o.argument, o.process, o.pending, o.result) for o in history] == [
        (1, 0, True, None), (2, 1, True, None), (4, 2, False, None), (None, 2, False, (1, (("a", 2),))),
    ]  # fmt: skip


def test_what_cannot_be() -> None:
    recorder = Recorder()
    with pytest.raises(TypeError, match="write: a history holds no object"):
        recorder.call("write", object())
    with recorder.call("write", 1) as call:
        with pytest.raises(TypeError, match="write returned what a recording cannot hold"):
            call.returns(object())
        with pytest.raises(RuntimeError, match="read is called while write is under way in the same thread or task"), recorder.call("read"):
            pass
        call.returns(None)
    assert len(recorder.history()) == 1


def test_a_recording_that_was_cut_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    recorder = Recorder(path, object="register")
    with recorder.call("write", 1) as call:
        call.returns(None)
    call = recorder.call("write", 2)
    call.__enter__()
    assert len(History.read(path)) == 1  # nothing was closed yet
    assert recorder.history().returned.tolist()[1] == NEVER
    recorder.close()
    assert History.read(path).pending == 1
    assert check_linearizable(History.read(path), find("register")).verdict is Verdict.HOLDS


def test_a_recorder_costs_little() -> None:
    recorder = Recorder()
    began = time.perf_counter()
    for k in range(2000):
        with recorder.call("write", k) as call:
            call.returns(None)
    assert time.perf_counter() - began < 5
    assert len(recorder.history()) == 2000


def test_metadata_that_the_header_has_for_itself(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="rename it"):
        Recorder(tmp_path / "run.jsonl", metadata={"clock": 1})
    assert not (tmp_path / "run.jsonl").exists()
