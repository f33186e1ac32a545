"""INFO: what a node tells about itself, in Redis's sections and one of our own, raft.

Law: names of fields are constant and described in docs/commands.md; what Redis's tools read means what it does there.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from scrutator.impl.node.config import split_address
from scrutator.impl.node.status import Status

if TYPE_CHECKING:
    from scrutator.impl.node.clients import ClientServer
    from scrutator.impl.node.clients.commands import Caller

SERVER_VERSION = "7.0.0"  # of the protocol's commands: what clients that ask may rely on
STARTED_S = time.monotonic()
_STATM = Path("/proc/self/statm")

Fields = dict[str, str | int | float]


def information(server: ClientServer, sections: list[str]) -> str:
    """The sections asked for; all of them for none, ``default``, ``all`` or ``everything``."""
    status = server.replica.status()
    everything = not sections or not {"default", "all", "everything"}.isdisjoint(sections)
    parts = []
    for name, section in _SECTIONS.items():
        if everything or name in sections:
            lines = "".join(f"{field}:{value}\r\n" for field, value in section(server, status).items())
            parts.append(f"# {name.capitalize()}\r\n{lines}")
    return "\r\n".join(parts)


def client_line(caller: Caller, now_s: float) -> str:
    """A connection as CLIENT LIST tells it."""
    return (
        f"id={caller.number} addr={caller.address} laddr={caller.local} name={caller.name} age={int(now_s - caller.began_s)} "
        f"idle={int(now_s - caller.heard_s)} flags=N db=0 resp={3 if caller.resp3 else 2} cmd={caller.said or 'NULL'} "
        f"lib-name={caller.library} lib-ver={caller.library_version}"
    )


def _server(server: ClientServer, status: Status) -> Fields:
    uptime_s = int(time.monotonic() - STARTED_S)
    return {
        "redis_version": SERVER_VERSION, "redis_mode": "cluster" if server.config.followers == "moved" else "standalone",
        "server_name": "scrutator", "os": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python_version": platform.python_version(), "event_loop": type(server.loop).__module__.partition(".")[0], "process_id": os.getpid(),
        "tcp_port": split_address(server.address, "address")[1], "uptime_in_seconds": uptime_s, "uptime_in_days": uptime_s // 86400,
        "node_id": server.config.id, "cluster_name": server.config.cluster,
    }  # fmt: skip


def _clients(server: ClientServer, status: Status) -> Fields:
    return {
        "connected_clients": len(server.connections), "maxclients": server.config.limits.connections_max,
        "blocked_clients": 0, "requests_waiting": server.requests, "requests_waiting_bytes": server.bytes,
    }  # fmt: skip


def _memory(server: ClientServer, status: Status) -> Fields:
    return {"used_memory": resident_bytes(), "maxmemory": 0}


def _stats(server: ClientServer, status: Status) -> Fields:
    return {
        "total_connections_received": server.accepted, "rejected_connections": server.rejected,
        "total_commands_processed": server.commands, "total_error_replies": server.errors, "protocol_errors": server.garbled,
    }  # fmt: skip


def _replication(server: ClientServer, status: Status) -> Fields:
    nodes, leads = server.config.nodes, status.role == "leader"
    fields: Fields = {"role": "master" if leads else "slave"}
    if leads:
        followers = {name: lag for name, lag in status.followers.items() if name in nodes and name != status.id}
        fields["connected_slaves"] = len(followers)
        for number, (name, (match, lag)) in enumerate(followers.items()):
            host, port = split_address(nodes[name].client, name)
            fields[f"slave{number}"] = f"ip={host},port={port},state=online,offset={match},lag={lag}"
    else:
        host, port = split_address(nodes[status.leader].client, status.leader) if status.leader in nodes else ("?", 0)
        fields |= {
            "master_host": host, "master_port": port, "master_link_status": "up" if status.leader else "down",
            "slave_repl_offset": status.applied, "slave_read_only": 0, "connected_slaves": 0,
        }  # fmt: skip
    return fields | {"master_repl_offset": status.commit}


def _raft(server: ClientServer, status: Status) -> Fields:
    fields: Fields = {
        "raft_node": status.id, "raft_role": status.role, "raft_term": status.term, "raft_leader": status.leader or "",
        "raft_voters": ",".join(status.voters), "raft_learners": ",".join(status.learners), "raft_joint": int(status.joint),
        "raft_commit": status.commit, "raft_applied": status.applied, "raft_last": status.last, "raft_snapshot": status.base,
        "raft_snapshot_bytes": status.snapshot_bytes, "raft_log_bytes": status.log_bytes, "raft_waiting": status.waiting,
        "raft_sessions": status.sessions,
    }  # fmt: skip
    for name, (match, lag) in status.followers.items():
        fields[f"follower_{name}"] = f"match={match},lag={lag}"
    return fields


def _cluster(server: ClientServer, status: Status) -> Fields:
    return {"cluster_enabled": int(server.config.followers == "moved")}


def _keyspace(server: ClientServer, status: Status) -> Fields:
    return {"db0": f"keys={status.keys},expires=0,avg_ttl=0"} if status.keys else {}


_SECTIONS: dict[str, Callable[[ClientServer, Status], Fields]] = {
    "server": _server, "clients": _clients, "memory": _memory, "stats": _stats, "replication": _replication,
    "raft": _raft, "cluster": _cluster, "keyspace": _keyspace,
}  # fmt: skip


def resident_bytes() -> int:
    """Memory of this process; at its most, where the system does not tell the present."""
    try:
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
