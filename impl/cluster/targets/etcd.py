"""etcd, 3.4 or later, as it comes from a package: so many processes on loopback, started, broken and asked.

Law: nothing of etcd is replaced; its peers meet through doors that can be shut (`_etcd_peers.py`).  Its faults are
kill, pause and partition.  There is no clock: a Go program asks the kernel for the time without libc, which is
all that libfaketime can stand in for.  A kill does not lose what the system has in its cache, so that
``fsync=no`` loses nothing here; that would take a power failure.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

from scrutator.impl.cluster.ports import LOOPBACK, Ports
from scrutator.impl.cluster.processes import Process, stop_all
from scrutator.impl.cluster.target import Refused, TargetError, Unknown
from scrutator.impl.cluster.targets._etcd_client import EtcdClient, Http, NotSent
from scrutator.impl.cluster.targets._etcd_peers import Doors, member_id
from scrutator.impl.cluster.targets._of_processes import OfProcesses
from scrutator.impl.cluster.targets._options import one_of, whole, yes_or_no

START_S_MAX = 60.0
ASK_S_MAX = 1.0
GRACE_S = 1.0  # the last two of three would try to hand leadership on for much longer
MILLISECONDS_MAX = 50_000  # of an election timeout; etcd takes no more
T = TypeVar("T")


class _Status(Struct):
    leader: str = "0"
    raftTerm: str = "0"


class _Member(Struct):
    ID: str
    name: str = ""


class _Members(Struct):
    members: list[_Member]


class EtcdTarget(OfProcesses):
    """Options are texts.  ``reads=serializable`` asks each node for what it holds, stale as that may be;
    ``heartbeat_ms`` and ``election_ms`` are etcd's own; ``fsync=no`` is --unsafe-no-fsync; ``pre_vote=yes``
    is --pre-vote; ``program`` is the binary.
    """

    name = "etcd"
    operations = frozenset({"get", "put", "cas", "delete", "append", "incr"})
    faults = frozenset({"kill", "pause", "partition"})

    def __init__(
        self, reads: str = "linearizable", heartbeat_ms: str = "100", election_ms: str = "1000", fsync: str = "yes", pre_vote: str = "no", program: str = "etcd"
    ) -> None:
        super().__init__()
        self._reads = one_of("etcd", "reads", reads, "linearizable", "serializable")
        self._heartbeat_ms = whole("etcd", "heartbeat_ms", heartbeat_ms, 1, MILLISECONDS_MAX)
        self._election_ms = whole("etcd", "election_ms", election_ms, 1, MILLISECONDS_MAX)
        if self._election_ms < 5 * self._heartbeat_ms:
            raise TargetError(f"etcd: election_ms={election_ms} must be at least 5 times heartbeat_ms={heartbeat_ms}: etcd itself refuses less")
        self._fsync = yes_or_no("etcd", "fsync", fsync)
        self._pre_vote = yes_or_no("etcd", "pre_vote", pre_vote)
        self._program = _program(program)
        self._version = _version(self._program)
        self._ports = Ports()
        self._doors = Doors()
        self._clients: dict[str, tuple[str, int]] = {}  # where clients find each node
        self._token = ""

    # --- life -------------------------------------------------------------------------------------

    async def start(self, folder: Path, nodes: int, seed: int) -> None:
        self.nodes = [f"n{number + 1}" for number in range(nodes)]
        self._token = f"scrutator-{seed}"
        peers = {node: (LOOPBACK, self._ports.take()) for node in self.nodes}
        self._clients = {node: (LOOPBACK, self._ports.take()) for node in self.nodes}
        doors = await self._doors.open(peers)
        urls = {node: f"http://{LOOPBACK}:{port}" for node, port in doors.items()}
        self._doors.ids = {f"{member_id(url, self._token):x}": node for node, url in urls.items()}
        for node in self.nodes:
            data = folder / node
            data.mkdir(parents=True, exist_ok=True)
            data.chmod(0o700)  # as etcd wants it
            self._processes[node] = Process(node, self._command(node, data, peers[node][1], urls), folder / f"{node}.log")
            self._processes[node].start()
        await self._until_it_serves()
        await self._compare_ids()

    def _command(self, node: str, data: Path, peer_port: int, urls: Mapping[str, str]) -> list[str]:
        clients = f"http://{LOOPBACK}:{self._clients[node][1]}"
        command = [
            self._program, "--name", node, "--data-dir", str(data / "data"),
            "--listen-peer-urls", f"http://{LOOPBACK}:{peer_port}", "--initial-advertise-peer-urls", urls[node],
            "--listen-client-urls", clients, "--advertise-client-urls", clients,
            "--initial-cluster", ",".join(f"{other}={url}" for other, url in urls.items()),
            "--initial-cluster-token", self._token, "--initial-cluster-state", "new",
            "--heartbeat-interval", str(self._heartbeat_ms), "--election-timeout", str(self._election_ms),
            f"--pre-vote={str(self._pre_vote).lower()}", "--logger", "zap",
        ]  # fmt: skip
        return command if self._fsync else [*command, "--unsafe-no-fsync"]

    async def _until_it_serves(self) -> None:
        """Every node answers a linearizable read."""
        until = time.monotonic() + START_S_MAX
        for node in self.nodes:
            client = EtcdClient([self._clients[node]], 0, serializable=False)
            try:
                while not await self._answers(client):
                    self._check_alive()
                    if time.monotonic() > until:
                        raise TargetError(f"etcd: {node} answers no read {START_S_MAX:.0f} s after its start: see {self._processes[node].log}")
                    await asyncio.sleep(0.05)
            finally:
                await client.close()

    async def _answers(self, client: EtcdClient) -> bool:
        with contextlib.suppress(Refused, Unknown, TimeoutError):
            async with asyncio.timeout(ASK_S_MAX):
                await client.get("a key that nobody writes")
            return True
        return False

    def _check_alive(self) -> None:
        for problem in self.problems():
            raise TargetError(problem)

    async def _compare_ids(self) -> None:
        """If members had other ids than are expected, the doors would cut nothing, and nobody would know."""
        found = await self._ask(self.nodes[0], "/v3/cluster/member/list", _Members)
        ids = {f"{int(member.ID):x}": member.name for member in found.members} if found is not None else {}
        if ids != self._doors.ids:
            raise TargetError(f"etcd: members are {ids}, expected were {self._doors.ids}: this version names members in another way, and cannot be cut")

    async def stop(self) -> None:
        await stop_all(list(self._processes.values()), GRACE_S)
        await self._doors.close()
        self._ports.close()

    # --- what it is -------------------------------------------------------------------------------

    def versions(self) -> Mapping[str, str]:
        return {"etcd": self._version}

    def configuration(self) -> Mapping[str, str | int | float | bool]:
        return {
            "reads": self._reads, "heartbeat_ms": self._heartbeat_ms, "election_ms": self._election_ms,
            "fsync": self._fsync, "pre_vote": self._pre_vote, "clients": "JSON gateway, /v3/kv",
        }  # fmt: skip

    async def leader(self) -> str | None:
        """Whom the node of the highest term holds to be the leader."""
        found = await asyncio.gather(*(self._ask(node, "/v3/maintenance/status", _Status) for node in self.nodes))
        known = [status for status in found if status is not None and status.leader != "0"]
        if not known:
            return None
        return self._doors.ids.get(f"{int(max(known, key=lambda status: int(status.raftTerm)).leader):x}")

    async def _ask(self, node: str, path: str, kind: type[T]) -> T | None:
        """What a node says of itself, if it does at once."""
        http = Http(self._clients[node])
        try:
            with contextlib.suppress(NotSent, Unknown, TimeoutError, msgspec.DecodeError):
                async with asyncio.timeout(ASK_S_MAX):
                    status, answer = await http.post(path, b"{}")
                return msgspec.json.decode(answer, type=kind) if status == 200 else None
        finally:
            await http.close()
        return None

    # --- faults -----------------------------------------------------------------------------------

    async def partition(self, cut: frozenset[tuple[str, str]]) -> None:
        self._doors.cut(cut)

    async def clock(self, node: str, offset_s: float, rate: float) -> None:
        raise TargetError("etcd's clock cannot be moved: Go asks the kernel for the time, not libc, so libfaketime has no effect on it")

    def connect(self, node: str | None, number: int) -> EtcdClient:
        """The doors are between peers only: clients reach every node that runs."""
        addresses = [self._clients[node]] if node is not None else list(self._clients.values())
        return EtcdClient(addresses, number, serializable=self._reads == "serializable")


def _program(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        raise TargetError(f"no program {program} is installed: apt install etcd-server (Debian, Ubuntu), or program=/path/to/etcd")
    return found


def _version(program: str) -> str:
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=30)
    for line in done.stdout.splitlines():
        if line.startswith("etcd Version:"):
            return line.partition(":")[2].strip()
    raise TargetError(f"{program} --version does not name etcd's version, but says {(done.stdout or done.stderr)[:80]!r}: is that etcd?")
