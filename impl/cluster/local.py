"""A cluster of our own nodes on this machine, in a folder: up, down, and how it is.

Law: `up` returns once the cluster serves, and otherwise stops whatever it started, also when it is interrupted.
Nodes survive the program that started them; they are known by process number and birth, never by number alone.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from scrutator.impl.cluster import certificates, nodefile
from scrutator.impl.cluster import folder as folders
from scrutator.impl.cluster.folder import Cluster, FolderError, Node, Setup
from scrutator.impl.cluster.ports import LOOPBACK, NoPort, Ports, is_free
from scrutator.impl.cluster.processes import Process, stop_all, stop_others, tail
from scrutator.impl.cluster.standing import (
    NotServing,
    Standing,
    leader_of,
    plainly,
    serves,
    standings,
    until_served,
)
from scrutator.impl.node.config import NodeConfig, Tls

NODES, NODES_MAX = 3, 9
PORT = 7100  # of the first node's clients
RAFT_OFFSET = 10_000  # from a node's port for clients to that for other nodes


@dataclass(frozen=True, slots=True)
class Member:
    """A node as it is; ``state`` is running, paused, silent (it runs and does not answer), died or stopped."""

    name: str
    node: Node
    state: str
    standing: Standing | None
    lag: int | None  # entries that the leader has and this node has not applied
    last_word: str  # of one that died


@dataclass(frozen=True, slots=True)
class Standings:
    """A cluster as it is; ``serves`` tells whether a read that sees every finished write succeeded just now."""

    folder: Path
    cluster: Cluster
    members: tuple[Member, ...]
    leader: str | None
    serves: bool


@dataclass(frozen=True, slots=True)
class Up:
    """What `up` did: the nodes that it started, and how long that took until the cluster served."""

    cluster: Cluster
    started: tuple[str, ...]
    leader: str
    seconds: float


# --- up -----------------------------------------------------------------------------------


async def up(folder: Path, *, nodes: int | None = None, port: int | None = None, changes: Mapping[str, str | bool] | None = None) -> Up:
    """Start the cluster of a folder, or those of its nodes that do not run, or a new one; return once it serves.

    ``port`` is that of the first node's clients, 0 for free ones; ``changes`` are fields of `Setup`.  Raises
    `FolderError` and `NotServing`.
    """
    begin = time.monotonic()
    folder = folder.absolute()
    new = folders.make(folder)
    with folders.locked(folder), folders.vacated(folder, new=new):
        found = folders.read(folder)
        _require_awake(folder, found)
        with Ports() as ports:
            cluster = _new(NODES if nodes is None else nodes, PORT if port is None else port, ports) if found is None else _again(folder, found, nodes, port, ports)
            cluster = _with_setup(folder, cluster, changes or {})
            missing = [name for name, node in cluster.nodes.items() if not node.alive]
            _claim(cluster, missing, ports)
            started: dict[str, Process] = {}
            try:
                tls = certificates.make(folder / folders.TLS, cluster.nodes) if cluster.setup.tls else {}
                folders.write(folder, cluster)
                for name in missing:
                    started[name] = process = _start(folder, cluster, name, tls.get(name))
                    identity = process.identity
                    assert identity is not None
                    node = msgspec.structs.replace(cluster.nodes[name], pid=identity.pid, birth=identity.birth)
                    cluster = msgspec.structs.replace(cluster, nodes={**cluster.nodes, name: node})
                    folders.write(folder, cluster)
                leader = await until_served({name: node.client_address for name, node in cluster.nodes.items()}, started)
            except BaseException:
                await _undo(folder, cluster, started, new=found is None)
                raise
        for process in started.values():
            process.let_go()
    return Up(cluster, tuple(started), leader, time.monotonic() - begin)


def _require_awake(folder: Path, found: Cluster | None) -> None:
    """Raises `NotServing` for a node that was stopped where it stands: waiting for it would be in vain."""
    paused = {} if found is None else {name: node.pid for name, node in found.nodes.items() if node.identity is not None and node.identity.paused}
    if paused:
        pids = " ".join(map(str, paused.values()))
        raise NotServing(f"{', '.join(paused)} of {folder} {'is' if len(paused) == 1 else 'are'} paused (SIGSTOP): kill -CONT {pids} lets {'it' if len(paused) == 1 else 'them'} go on, scrutator cluster down stops all")


def _new(count: int, port: int, ports: Ports) -> Cluster:
    """A cluster that is yet to be."""
    if not 1 <= count <= NODES_MAX:
        raise FolderError(f"{count} nodes: from 1 to {NODES_MAX}")
    return Cluster(folders.new_name(), _places([f"n{k + 1}" for k in range(count)], port, ports))


def _again(folder: Path, found: Cluster, nodes: int | None, port: int | None, ports: Ports) -> Cluster:
    """The cluster that is there, at other ports if asked."""
    if nodes is not None and nodes != len(found.nodes):
        raise FolderError(f"{folder} holds a cluster of {len(found.nodes)} nodes, not {nodes}: leave the number out, or name another folder with --folder")
    first = next(iter(found.nodes.values())).client_address[1]
    if port in (None, first) or (port == 0 and all(_can_listen(node) for node in found.nodes.values())):
        return found
    assert port is not None
    if found.running:
        raise FolderError(f"the cluster of {folder} runs at other ports: scrutator cluster down stops it")
    return msgspec.structs.replace(found, nodes=_places(list(found.nodes), port, ports))


def _can_listen(node: Node) -> bool:
    """Whether nothing but the node itself is where it is to listen."""
    return node.alive or all(is_free(LOOPBACK, int(address.rpartition(":")[2])) for address in (node.raft, node.client))


def _places(names: list[str], port: int, ports: Ports) -> dict[str, Node]:
    """Where each node is to be: from ``port`` on, or at free ports."""
    if port == 0:
        try:
            return {name: Node(f"{LOOPBACK}:{ports.take()}", f"{LOOPBACK}:{ports.take()}") for name in names}
        except NoPort as error:
            raise FolderError(str(error)) from None
    most = 65535 - RAFT_OFFSET - len(names)
    if not 1 <= port <= most:
        raise FolderError(f"port {port}: from 1 to {most:,} (other nodes are spoken to at {RAFT_OFFSET:,} more), or 0 for free ones")
    return {name: Node(f"{LOOPBACK}:{port + k + RAFT_OFFSET}", f"{LOOPBACK}:{port + k}") for k, name in enumerate(names)}


def _with_setup(folder: Path, cluster: Cluster, changes: Mapping[str, str | bool]) -> Cluster:
    """The cluster with what was asked for; its nodes must agree, so none may run where that changes."""
    setup = msgspec.convert({**msgspec.to_builtins(cluster.setup), **changes}, Setup)
    if setup != cluster.setup and cluster.running:
        running = ", ".join(cluster.running)
        raise FolderError(f"{running} of {folder} run with other options: scrutator cluster down stops them, then up starts all with these")
    return msgspec.structs.replace(cluster, setup=setup)


def _claim(cluster: Cluster, names: list[str], ports: Ports) -> None:
    """Make sure that those nodes can listen; raises `NotServing`."""
    for name in names:
        node = cluster.nodes[name]
        for address in (node.client, node.raft):
            port = int(address.rpartition(":")[2])
            if port not in ports:
                try:
                    ports.claim(port)
                except NoPort as error:
                    raise NotServing(f"{name} cannot listen: {error}, with --port (0 for free ones)") from None


def _start(folder: Path, cluster: Cluster, name: str, tls: Tls | None) -> Process:
    setup, home = cluster.setup, folder / name
    config = NodeConfig(
        name, cluster.cluster, str(home / "data"), {other: node.place for other, node in cluster.nodes.items()},
        reads=setup.reads, followers=setup.followers, tls=tls, debug=setup.debug, mutant=setup.mutant,
        trace=str(home / "trace.jsonl") if setup.trace else "",
    )  # fmt: skip
    path = home / "node.toml"
    try:
        nodefile.write(config, path)
    except OSError as error:
        raise FolderError(f"{path} cannot be written: {error.strerror or error}") from error
    process = Process(name, nodefile.command(path), home / "log.jsonl", folder=home, tied=False)
    process.start()
    return process


async def _undo(folder: Path, cluster: Cluster, started: Mapping[str, Process], *, new: bool) -> None:
    """Stop what was started, and forget a cluster that never was; logs stay where they tell why."""
    await stop_all(list(started.values()))
    with contextlib.suppress(FolderError):
        if new and not started:
            folders.wipe(folder, cluster)
        else:
            folders.write(folder, _without(cluster, started))


def _without(cluster: Cluster, names: Mapping[str, object]) -> Cluster:
    """The same, but that these nodes do not run."""
    nodes = {name: msgspec.structs.replace(node, pid=0, birth="") if name in names else node for name, node in cluster.nodes.items()}
    return msgspec.structs.replace(cluster, nodes=nodes)


# --- down, and how it is ------------------------------------------------------------------


async def down(folder: Path, *, wipe: bool = False) -> list[str]:
    """Stop every node that runs, and delete all that the cluster keeps if ``wipe``; their names."""
    folder = folder.absolute()
    folders.require(folder)
    with folders.locked(folder):
        cluster = folders.require(folder)
        running = cluster.running
        left = await stop_others([identity for name in running if (identity := cluster.nodes[name].identity)])
        if left:
            names = ", ".join(name for name in running if cluster.nodes[name].identity in left)
            raise FolderError(f"{names} of {folder} cannot be stopped: they belong to another user, or hang in the system")
        folders.write(folder, _without(cluster, cluster.nodes))
        if wipe:
            folders.wipe(folder, cluster)
    return running


async def status(folder: Path) -> Standings:
    """How the cluster of a folder is; raises `FolderError` where there is none."""
    folder = folder.absolute()
    cluster = folders.require(folder)
    alive = {name: node.client_address for name, node in cluster.nodes.items() if node.alive}
    found = await standings(alive)
    leader = leader_of(found)
    serving = leader is not None and await serves(alive[leader])
    head = found[leader] if leader is not None else None
    members = []
    for name, node in cluster.nodes.items():
        one = found.get(name)
        lag = None if one is None or head is None else max(0, head.last - one.applied)
        members.append(Member(name, node, _state(node, one), one, lag, _last_word(folder / name / "log.jsonl") if node.pid and not node.alive else ""))
    return Standings(folder, cluster, tuple(members), leader, serving)


def _state(node: Node, one: Standing | None) -> str:
    identity = node.identity
    if identity is None:
        return "stopped"
    if not identity.alive:
        return "died"
    if identity.paused:
        return "paused"
    return "silent" if one is None else "running"


def _last_word(log: Path) -> str:
    words = tail(log, 1)
    return plainly(words[0]) if words else ""
