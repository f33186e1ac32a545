"""Processes start, stand still, go on and end as they are told; and when they end untold, that is noticed."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable
from pathlib import Path

import pytest

from scrutator.impl.cluster.processes import (
    Identity,
    Process,
    ProcessError,
    birth_of,
    eventually,
    stop_all,
    stop_others,
    tail,
)

TICKS = "import sys, time\nwhile True:\n    print('tick', flush=True)\n    time.sleep(0.01)"
STUBBORN = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('ready', flush=True)\nwhile True: time.sleep(1)"


def python(code: str, folder: Path, **options: bool) -> Process:
    return Process("n1", [sys.executable, "-c", code], folder / "log", **options)


async def written(process: Process, what: str) -> bool:
    return await eventually(lambda: what in "".join(process.last_words()), 20)


def run(work: Awaitable[None]) -> None:
    async def main() -> None:
        await work

    asyncio.run(main())


def test_it_pauses_and_goes_on_and_is_killed(tmp_path: Path) -> None:
    async def work() -> None:
        process = python(TICKS, tmp_path)
        process.start()
        try:
            assert await written(process, "tick") and process.running and process.status is None
            process.pause()
            assert process.identity is not None
            stat = Path(f"/proc/{process.identity.pid}/stat")
            if stat.exists():
                assert await eventually(lambda: stat.read_text().rpartition(")")[2].split()[0] == "T", 20)
            size = process.log.stat().st_size
            await asyncio.sleep(0.05)
            assert process.log.stat().st_size == size and process.running
            process.resume()
            assert await eventually(lambda: process.log.stat().st_size > size, 20)
            process.pause()
        finally:
            await process.kill()  # also while it is paused
        assert process.status == -signal.SIGKILL and not process.problem and not process.identity.alive

    run(work())


def test_it_can_be_started_again(tmp_path: Path) -> None:
    async def work() -> None:
        process = python("print('life', flush=True); import time; time.sleep(60)", tmp_path)
        try:
            process.start()
            with pytest.raises(ProcessError, match="n1 runs already"):
                process.start()
            assert await written(process, "life")
            await process.kill()
            process.start()
            assert await written(process, "life") and process.running
        finally:
            await process.kill()
        assert tail(process.log, 9) == ["life", "life"] and process.last_words() == ["life"]

    run(work())


def test_stop_is_gentle_at_first(tmp_path: Path) -> None:
    async def work() -> None:
        gentle, stubborn = python(TICKS, tmp_path / "a"), python(STUBBORN, tmp_path / "b")
        paused = python(TICKS, tmp_path / "c")
        for process, word in ((gentle, "tick"), (stubborn, "ready"), (paused, "tick")):
            process.start()
            assert await written(process, word)
        paused.pause()
        await stop_all([gentle, stubborn, paused], grace_s=0.5)
        assert gentle.status == -signal.SIGTERM and stubborn.status == -signal.SIGKILL
        assert paused.status == -signal.SIGTERM
        assert not any(process.problem for process in (gentle, stubborn, paused))

    run(work())


def test_an_end_that_nobody_asked_for_is_told(tmp_path: Path) -> None:
    async def work() -> None:
        process = python("import sys; sys.exit('the disk is full')", tmp_path)
        process.start()
        assert await process.wait(20) == 1
        assert "n1 exited with status 1 though nobody asked it to" in process.problem
        assert process.problem.endswith("    the disk is full") and str(process.log) in process.problem
        await process.stop()
        assert process.problem  # stopping what had already fallen excuses nothing

    run(work())


def test_what_cannot_be_started_is_named(tmp_path: Path) -> None:
    process = Process("n1", ["no-such-program"], tmp_path / "log")
    with pytest.raises(ProcessError, match="n1 cannot be started: there is no no-such-program: install it"):
        process.start()
    assert not process.running and process.status is None and not process.problem


def test_the_whole_group_is_killed(tmp_path: Path) -> None:
    async def work() -> None:
        code = "import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); print(p.pid, flush=True); p.wait()"
        process = python(code, tmp_path)
        process.start()
        try:
            assert await eventually(lambda: bool(process.last_words()), 20)
            child = int(process.last_words()[0])
            assert birth_of(child) is not None
        finally:
            await process.kill()
        assert await eventually(lambda: birth_of(child) is None, 20)

    run(work())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties processes")
@pytest.mark.parametrize("tied", [True, False])
def test_a_tied_process_dies_with_whoever_started_it(tmp_path: Path, tied: bool) -> None:
    code = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom scrutator.impl.cluster.processes import Process\n"
        f"p = Process('n1', [sys.executable, '-c', 'import time; time.sleep(60)'], Path({str(tmp_path)!r}, 'log'), tied={tied})\n"
        "p.start()\nprint(p.identity.pid, p.identity.birth, flush=True)\nos.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    pid, birth = done.stdout.split()
    child = Identity(int(pid), birth)

    async def work() -> None:
        try:
            if tied:
                assert await eventually(lambda: not child.alive, 20)
            else:
                assert child.alive
        finally:
            assert await stop_others([child]) == []
        assert not child.alive

    run(work())


def test_whoever_has_a_dead_ones_number_is_left_alone(tmp_path: Path) -> None:
    async def work() -> None:
        process = python(TICKS, tmp_path)
        process.start()
        try:
            assert process.identity is not None and process.identity.birth
            other = Identity(process.identity.pid, "another boot:12345")
            assert process.identity.alive and not other.alive
            assert not Identity(process.identity.pid, "").alive  # of whom nothing is known
            assert not other.signal(signal.SIGKILL)
            assert await stop_others([other]) == []
            assert process.running
        finally:
            await process.kill()

    run(work())


def test_a_process_that_was_let_go_is_ended_by_its_identity(tmp_path: Path) -> None:
    async def work() -> None:
        process = python(STUBBORN, tmp_path, tied=False)
        process.start()
        assert await written(process, "ready")
        identity = process.identity
        process.let_go()
        assert identity is not None and identity.alive and not process.running
        assert await stop_others([identity], grace_s=0.2) == [] and not identity.alive
        with pytest.raises(ChildProcessError):
            os.waitpid(identity.pid, os.WNOHANG)  # nothing is left of it

    run(work())
