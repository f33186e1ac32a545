"""Namespaces join nodes, cut any direction at once, and leave nothing behind; where there can be none, it is said why."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable

import pytest

from scrutator.impl.cluster import network
from scrutator.impl.cluster.network import Namespaces, lacking, remove_leftovers
from scrutator.impl.cluster.target import TargetError

needed = pytest.mark.skipif(bool(lacking()), reason=lacking() or "there can be namespaces")
NODES = ("n1", "n2", "n3")
ECHO = "import socket, sys\ns = socket.socket(type=socket.SOCK_DGRAM); s.bind((sys.argv[1], 9999)); print('ready', flush=True)\nwhile True:\n    d, a = s.recvfrom(9); print(a[0], flush=True)\n    try: s.sendto(d, a)\n    except OSError: pass"
SEND = "import socket, sys\ns = socket.socket(type=socket.SOCK_DGRAM); s.settimeout(float(sys.argv[2])); s.sendto(b'x', (sys.argv[1], 9999))\ntry: s.recv(9); print('answered')\nexcept TimeoutError: print('silence')"


def with_namespaces(work: Callable[[Namespaces], Awaitable[None]]) -> None:
    async def main() -> None:
        wires = Namespaces()
        try:
            await wires.open(NODES)
            await work(wires)
        finally:
            await wires.close()

    asyncio.run(main())


def existing() -> str:
    return subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout


@needed
@pytest.mark.parametrize("nft", [True, False])
def test_directions_are_cut_and_healed(nft: bool) -> None:
    async def work(wires: Namespaces) -> None:
        if nft and not wires._nft:
            pytest.skip("nft is not installed, or does not filter bridges here")
        wires._nft = nft
        host = wires.listens("n2")[0]
        server = subprocess.Popen([*wires.within("n2"), sys.executable, "-c", ECHO, host], stdout=subprocess.PIPE, text=True)
        assert server.stdout is not None
        try:
            assert server.stdout.readline() == "ready\n"

            def sent(src: str, timeout_s: float) -> str:
                return subprocess.run([*wires.within(src), sys.executable, "-c", SEND, host, str(timeout_s)], capture_output=True, text=True, check=False).stdout.strip()

            assert sent("n1", 20) == "answered"
            await wires.cut({("n2", "n1")})
            assert sent("n1", 0.2) == "silence" and sent("n3", 20) == "answered"
            await wires.cut({("n1", "n2")})
            assert sent("n1", 0.2) != "answered" and sent("n3", 20) == "answered"
            await wires.cut(())
            assert sent("n1", 20) == "answered"
        finally:
            server.kill()
            server.wait()
            heard = server.stdout.read().split()
            server.stdout.close()
        n1, n3 = wires.listens("n1")[0], wires.listens("n3")[0]
        assert heard == [n1, n1, n3, n3, n1]  # what n1 said passed while only answers were cut, and not the other way round

    with_namespaces(work)


@needed
def test_nothing_is_left_behind() -> None:
    before = existing()

    async def work(wires: Namespaces) -> None:
        assert all(f"{wires._own}{node}" in existing() for node in NODES)

    with_namespaces(work)
    assert existing() == before


@needed
def test_what_a_killed_run_left_is_removed() -> None:
    code = "import asyncio, os\nfrom scrutator.impl.cluster.network import Namespaces\nw = Namespaces()\nasyncio.run(w.open(['n1']))\nprint(w._own, flush=True)\nos.kill(os.getpid(), 9)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    own = done.stdout.strip()
    assert done.returncode == -signal.SIGKILL and f"{own}n1" in existing()

    async def work(wires: Namespaces) -> None:
        assert own not in existing()
        assert f"{wires._own}n1" in existing() and not any(name.startswith(wires._own) for name in remove_leftovers())

    with_namespaces(work)


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network.shutil, "which", lambda program: None)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    if sys.platform == "linux":
        assert "install iproute2, or use --partitions proxy" in lacking()
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(TargetError, match="take root: run as root" if sys.platform == "linux" else "are of Linux"):
        asyncio.run(Namespaces().open(NODES))
    monkeypatch.setattr(network.sys, "platform", "darwin")
    assert "are of Linux, and this is darwin" in lacking()
