"""`scrutator cluster` as a user meets it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scrutator.checker import cli
from scrutator.impl.cluster import folder as folders
from scrutator.impl.cluster.folder import Cluster
from scrutator.impl.cluster.ports import Ports

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[int, str, str]:
        status = cli.run(list(arguments))
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    yield call
    cli.run(["cluster", "down"])


def kept() -> Cluster:
    return folders.require(Path("scrutator-cluster"))


def test_up_status_down(run: Run) -> None:
    status, out, _ = run("cluster", "up", "--nodes", "2", "--port", "0", "--reads", "lease", "--mutant", "local_reads")
    assert status == 0 and out.startswith("n1, n2 started and serving after ")
    assert "Every node is broken on purpose: local_reads." in out
    host, port = kept().nodes["n1"].client_address
    assert f"redis-cli -h {host} -p {port} set greeting hello" in out and "scrutator cluster down" in out
    with socket.create_connection((host, port)) as client:
        client.sendall(b"SET greeting hello\r\n")
        assert client.recv(99) == b"+OK\r\n"

    status, out, _ = run("cluster", "status")
    rows = [line.split() for line in out.splitlines()]
    assert status == 0 and "serves" in out
    assert ["node", "pid", "state", "role", "term", "commit", "applied", "lag", "address"] in rows
    assert [f"{host}:{port}" in row for row in rows if row[:1] == ["n1"]] == [True]
    assert sorted(row[3] for row in rows if row[:1] in (["n1"], ["n2"])) == ["follower", "leader"]

    leader = next(row[0] for row in rows if "leader" in row)  # without it, the other one has nobody to ask, however broken
    os.kill(kept().nodes[leader].pid, signal.SIGKILL)
    status, out, _ = run("cluster", "status", "--format", "json")
    found = json.loads(out)
    assert status == 1 and not found["serves"] and found["schema"] == "scrutator.cluster.status/1"
    assert {node["node"]: (node["state"], node["role"]) for node in found["nodes"]}[leader] == ("died", None)
    assert sorted(node["state"] for node in found["nodes"]) == ["died", "running"]
    status, out, _ = run("cluster", "up", "--format", "json")
    assert status == 0 and json.loads(out)["started"] == [leader] and json.loads(out)["options"]["reads"] == "lease"

    status, out, _ = run("cluster", "down")
    assert status == 0 and out == "stopped n1, n2; data and logs stay in scrutator-cluster\n"
    status, out, _ = run("cluster", "status")
    assert status == 1 and "does not serve: no node leads" in out and "scrutator cluster up starts what does not run" in out
    status, out, _ = run("cluster", "down", "--wipe")
    assert status == 0 and out == "no node was running; scrutator-cluster is wiped\n" and not Path("scrutator-cluster").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_stops_what_was_started(run: Run, number: signal.Signals) -> None:
    command = [sys.executable, "-m", "scrutator", "cluster", "up", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        until = time.monotonic() + 60
        while not Path("scrutator-cluster/n1/log.jsonl").exists():
            assert time.monotonic() < until and process.poll() is None
            time.sleep(0.002)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (3, "", "scrutator: interrupted\n")
    assert kept().running == []


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["status"], 2, "there is no cluster in"),
        (["down", "--folder", "elsewhere"], 2, "scrutator cluster up starts one, --folder says where it is"),
        (["up", "--nodes", "12"], 2, "12 nodes: from 1 to 9"),
        (["up", "--port", "65000"], 2, "port 65000: from 1 to 55,532"),
        (["up", "--mutant", "local_read"], 2, "did you mean local_reads"),
        (["up", "--folder", "/proc/nowhere"], 2, "/proc/nowhere cannot be a cluster's folder"),
        (["up", "--reads", "never"], 2, "index"),
    ],
)
def test_mistakes_are_named(run: Run, arguments: list[str], status: int, message: str) -> None:
    found, out, err = run("cluster", *arguments)
    assert found == status and out == "" and message in " ".join(err.split())


def test_a_port_in_use(run: Run) -> None:
    with Ports() as ports:
        port = ports.take()
    with socket.create_server(("127.0.0.1", port)):
        status, out, err = run("cluster", "up", "--port", str(port))
    assert status == 1 and out == "" and f"n1 cannot listen: port {port} of 127.0.0.1 is in use" in err and "--port (0 for free ones)" in err
