"""Commands about the cluster: as Redis's clients ask (CLUSTER), and as operators of this one do (RAFT).

To Redis's clients the cluster is one shard: all slots are at the leader, the other members are its replicas.
Law: what changes the cluster is refused on the spot by a node that does not lead.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import asdict

from scrutator.impl.machine import Reply
from scrutator.impl.node.clients.commands import (
    SLOTS,
    Answer,
    Begin,
    Caller,
    Entry,
    Refusal,
    as_ok,
    node_named,
    slot_of,
    subcommands,
)
from scrutator.impl.node.clients.resp import Text, Value
from scrutator.impl.node.config import split_address
from scrutator.impl.node.requests import Done, Outcome
from scrutator.impl.node.status import Status
from scrutator.impl.raft import Configuration

ADMIN, FAST = ("admin", "noscript", "stale"), ("fast", "loading", "stale")
NONE = (0, 0, 0)


def _identity(caller: Caller, node: str) -> bytes:
    """A node's name as 40 hexadecimal digits, which is what tools expect."""
    return hashlib.sha1(f"{caller.server.config.cluster}/{node}".encode(), usedforsecurity=False).hexdigest().encode()


def _place(caller: Caller, node: str) -> tuple[bytes, int]:
    """Host and port for clients; of this node those that this client has reached."""
    address = caller.local if node == caller.server.config.id and caller.local else caller.server.config.nodes[node].client
    host, port = split_address(address, node)
    return host.encode(), port


def _members(caller: Caller) -> tuple[Status, list[str]]:
    """The status, and the members that have an address: the leader first; none while there is no leader."""
    status = caller.server.replica.status()
    nodes = caller.server.config.nodes
    if status.leader not in nodes:
        return status, []
    rest = [name for name in (*status.voters, *status.learners) if name in nodes and name != status.leader]
    return status, [status.leader, *rest]


# --- CLUSTER ------------------------------------------------------------------------------------


def _info(caller: Caller, words: list[bytes]) -> Answer:
    status, members = _members(caller)
    slots = SLOTS if members else 0
    lines = {
        "cluster_enabled": int(caller.server.config.followers == "moved"), "cluster_state": "ok" if members else "fail",
        "cluster_slots_assigned": slots, "cluster_slots_ok": slots, "cluster_slots_pfail": 0, "cluster_slots_fail": 0,
        "cluster_known_nodes": len(members), "cluster_size": min(1, len(members)),
        "cluster_current_epoch": status.term, "cluster_my_epoch": status.term,
    }  # fmt: skip
    return Text("".join(f"{name}:{value}\r\n" for name, value in lines.items()))


def _slots(caller: Caller, words: list[bytes]) -> Answer:
    _, members = _members(caller)
    nodes: list[Value] = [[*_place(caller, name), _identity(caller, name), []] for name in members]
    return [[0, SLOTS - 1, *nodes]] if members else []


def _shards(caller: Caller, words: list[bytes]) -> Answer:
    status, members = _members(caller)
    if not members:
        return []
    nodes: list[Value] = []
    for name in members:
        host, port = _place(caller, name)
        role = b"master" if name == status.leader else b"replica"
        nodes.append({
            "id": _identity(caller, name), "port": port, "ip": host, "endpoint": host, "role": role,
            "replication-offset": status.commit, "health": b"online",
        })  # fmt: skip
    return [{"slots": [0, SLOTS - 1], "nodes": nodes}]


def _nodes(caller: Caller, words: list[bytes]) -> Answer:
    status, members = _members(caller)
    lines = []
    for name in members:
        host, port = _place(caller, name)
        leads, here = name == status.leader, "myself," if name == caller.server.config.id else ""
        flags, of = (f"{here}master", "-") if leads else (f"{here}slave", _identity(caller, members[0]).decode())
        slots = f" 0-{SLOTS - 1}" if leads else ""
        lines.append(f"{_identity(caller, name).decode()} {host.decode()}:{port}@{port} {flags} {of} 0 0 {status.term} connected{slots}\n")
    return Text("".join(lines))


def _myid(caller: Caller, words: list[bytes]) -> Answer:
    return _identity(caller, caller.server.config.id)


def _keyslot(caller: Caller, words: list[bytes]) -> Answer:
    return slot_of(words[2])


# --- RAFT ---------------------------------------------------------------------------------------


def _status(caller: Caller, words: list[bytes]) -> Answer:
    told: dict[str, Value] = {}
    for name, value in asdict(caller.server.replica.status()).items():
        if isinstance(value, dict):
            told[name] = {node: {"match": match, "lag": lag} for node, (match, lag) in value.items()}
        elif isinstance(value, tuple):
            told[name] = [item.encode() for item in value]
        else:
            told[name] = value.encode() if isinstance(value, str) else value
    return told


def _raft_members(caller: Caller, words: list[bytes]) -> Answer:
    status = caller.server.replica.status()
    places: list[Value] = []
    for name in (*status.voters, *status.learners):
        place = caller.server.config.nodes.get(name)
        kind = b"learner" if name in status.learners else b"voter"
        places.append({"node": name.encode(), "kind": kind, "leader": name == status.leader, "client": place.client.encode() if place else None})
    return places


def _at_leader(caller: Caller, start: Callable[[Done], None]) -> Begin:
    """Something that only a leader can do."""
    status = caller.server.replica.status()
    if status.leader != caller.server.config.id:
        why = "no leader is known" if status.leader is None else "this node does not lead"
        return Begin(lambda done: done(Outcome(None, why, status.leader)))
    return Begin(start, as_ok)


def _transfer(caller: Caller, words: list[bytes]) -> Answer:
    node = node_named(caller, words[2])
    if node not in caller.server.replica.status().voters:
        raise Refusal(f"ERR {node} is no voter: it cannot lead")

    def start(done: Done) -> None:
        caller.server.replica.transfer(node)
        done(Outcome(Reply()))

    return _at_leader(caller, start)


def _snapshot(caller: Caller, words: list[bytes]) -> Answer:
    caller.server.replica.compact()
    return "OK"


def _change(caller: Caller, wanted: Callable[[Configuration], Configuration]) -> Answer:
    replica = caller.server.replica
    current = replica.raft.configuration
    if current.joint:
        raise Refusal("ERR a change of members is under way: ask again when RAFT STATUS says joint 0")
    configuration = wanted(current)
    if configuration == current:
        return "OK"
    if not configuration.members.voters:
        raise Refusal("ERR the last voter cannot be removed")
    return _at_leader(caller, lambda done: replica.change(configuration, done, single=True))


def _add(caller: Caller, words: list[bytes]) -> Answer:
    node = node_named(caller, words[2])
    learner = len(words) > 3
    if (learner and words[3].upper() != b"LEARNER") or len(words) > 4:
        raise Refusal("ERR syntax error: RAFT ADD node [LEARNER]")
    return _change(caller, lambda current: current.with_learner(node) if learner else current.with_voter(node))


def _remove(caller: Caller, words: list[bytes]) -> Answer:
    name = words[2].decode(errors="replace")  # it may be gone from the configuration's file
    if name not in caller.server.replica.raft.configuration.servers:
        raise Refusal(f"ERR {name[:64]!r} is no member")
    return _change(caller, lambda current: current.without(name))


# --- READONLY, DEBUG ------------------------------------------------------------------------------


def _ok(caller: Caller, words: list[bytes]) -> Answer:
    return "OK"


def _clock(caller: Caller, words: list[bytes]) -> Answer:
    if not caller.server.config.debug:
        raise Refusal("ERR DEBUG is off: set debug = true in the node's configuration, for tests only")
    try:
        offset_s, rate = float(words[2]), float(words[3])
    except ValueError:
        raise Refusal("ERR value is not a valid float") from None
    if not (0 <= offset_s <= 86400 and 0.01 <= rate <= 100):
        raise Refusal("ERR DEBUG CLOCK offset_s rate: an offset from 0 to 86400, a rate from 0.01 to 100")
    caller.server.replica.set_clock(offset_s, rate)
    return "OK"


_CLUSTER = subcommands("cluster", {
    "info": (2, _info), "slots": (2, _slots), "shards": (2, _shards), "nodes": (2, _nodes), "myid": (2, _myid), "keyslot": (3, _keyslot),
})  # fmt: skip
_RAFT = subcommands("raft", {
    "status": (2, _status), "members": (2, _raft_members), "transfer": (3, _transfer), "snapshot": (2, _snapshot),
    "add": (-3, _add), "remove": (3, _remove),
})  # fmt: skip

ENTRIES = (
    Entry("cluster", -2, ADMIN, NONE, _CLUSTER, "The cluster as Redis's clients see it: one shard."),
    Entry("raft", -2, ADMIN, NONE, _RAFT, "STATUS, MEMBERS, TRANSFER node, SNAPSHOT, ADD node [LEARNER], REMOVE node."),
    Entry("readonly", 1, FAST, NONE, _ok, "Accepted: reads see every finished write at any node."),
    Entry("readwrite", 1, FAST, NONE, _ok, "Accepted."),
    Entry("debug", -2, ADMIN, NONE, subcommands("debug", {"clock": (4, _clock)}), "DEBUG CLOCK offset_s rate: turns this node's clock."),
)  # fmt: skip
