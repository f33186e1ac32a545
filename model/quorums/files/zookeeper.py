"""ZooKeeper's servers, groups and weights, from zoo.cfg or the dynamic configuration.

Without groups, a majority of the participants; with groups, a majority of the groups that weigh
anything, each by more than half of its weight.  Law: the quorums are those that ZooKeeper computes,
and where it would compute nonsense without a word, the file is refused.
Source: QuorumMaj and QuorumHierarchical in org.apache.zookeeper.server.quorum.flexible.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from scrutator.model.quorums.expression import AtLeast, Expression, Kind, Node, majority, weighted
from scrutator.model.quorums.files.build import build, listed
from scrutator.model.quorums.files.errors import FileError
from scrutator.model.quorums.files.properties import Property, read_properties, repeated
from scrutator.model.quorums.files.tables import shown
from scrutator.model.quorums.system import QuorumSystem

WEIGHT_MAX = 2**63 - 1  # a Java long, which the weight of a group is too
SERVERS_MAX = 10_000
_OURS = re.compile(r"server\.|group|weight|oraclePath$|dynamicConfigFile$")
_ADDRESS = re.compile(r".+?:\d+(?::\d+)?(?::(?P<role>[A-Za-z]\w*))?")


def recognises(text: str, path: Path) -> bool:
    """Whether it names servers, groups or weights in ZooKeeper's manner."""
    return re.search(r"^[ \t]*(?:server|group|weight)\.\d+[ \t]*[=:]", text, re.MULTILINE) is not None


def read_zookeeper(path: Path, text: str, *, rules: tuple[str, ...] = ()) -> QuorumSystem:
    """The quorums of a ZooKeeper ensemble, the same for elections and for commits.

    Raises `FileError` for what ZooKeeper rejects, and for what it accepts but cannot mean: repeated
    keys, weights below zero, observers in groups.
    """
    told = _read(path, text)
    notes = ["elections and commits use the same quorums"]
    if told.groups or told.weights:
        quorum, nodes = _hierarchical(told, notes)
    else:
        voters = [Node(str(server)) for server in told.participants]
        quorum = majority(voters)
        nodes = [*voters, *told.observer_nodes()]
        notes.append("a majority of the participants, as there are no groups")
    if told.observers:
        notes.append(f"servers that only observe, and count for nothing: {listed(told.observers)}")
    if isinstance(quorum, AtLeast):
        alone = [member for weight, member in quorum.members if weight >= quorum.needed and isinstance(member, Node)]
        if alone:  # more than half of one group's weight: there is one such server at most
            notes.append(
                f"server {alone[0].name} is a quorum by itself, though {len(quorum.members)} servers count: it decides alone"
            )
    return build(path, path.stem, {"election": quorum, "commit": quorum}, "raft", rules, nodes, notes)


@dataclass(slots=True)
class _Told:
    """What the file says; each with the line that says it."""

    path: Path
    participants: dict[int, int] = field(default_factory=dict)
    observers: dict[int, int] = field(default_factory=dict)
    groups: dict[int, list[int]] = field(default_factory=dict)
    group_lines: dict[int, int] = field(default_factory=dict)
    group_of: dict[int, int] = field(default_factory=dict)
    weights: dict[int, int] = field(default_factory=dict)
    weight_lines: dict[int, int] = field(default_factory=dict)

    def observer_nodes(self) -> list[Node]:
        return [Node(str(server), kind=Kind.LEARNER) for server in self.observers]


def _read(path: Path, text: str) -> _Told:
    properties = [each for each in read_properties(text) if _OURS.match(each.key)]
    _check_repeated(path, properties)
    told = _Told(path)
    for each in properties:
        what, dot, number = each.key.partition(".")
        if what == "oraclePath":
            raise FileError(
                path, each.line, "an oracle decides which of two servers may go on alone: its answers change, so no file "
                "fixes the quorums; take oraclePath out to see those of the servers themselves"
            )  # fmt: skip
        if what == "dynamicConfigFile":
            continue
        if what not in _READ or not dot:
            raise FileError(path, each.line, f"{each.key}: ZooKeeper takes it for a group or weight; write group.1 or weight.1")
        _READ[what](told, each, _number(path, each, number, f"the number of the {what}"))
    _check(told, properties)
    return told


def _server(told: _Told, each: Property, server: int) -> None:
    address = each.value.partition(";")[0].strip().rpartition("|")[2]
    match = _ADDRESS.fullmatch(address)
    role = (match["role"] or "participant").lower() if match else ""
    if role not in ("participant", "observer"):
        raise FileError(
            told.path, each.line, f"{each}: write host:2888:3888, then :participant or :observer if need be"
        )
    (told.participants if role == "participant" else told.observers)[server] = each.line
    if len(told.participants) + len(told.observers) > SERVERS_MAX:
        raise FileError(told.path, each.line, f"more than {SERVERS_MAX:,} servers")


def _group(told: _Told, each: Property, group: int) -> None:
    members = [_number(told.path, each, part, "a server in a group") for part in each.value.split(":")]
    for server in members:
        if server in told.group_of:
            other = told.group_of[server]
            where = f"group {other} and group {group}" if other != group else f"group {group} twice"
            raise FileError(told.path, each.line, f"server {server} is in {where}; a server is in one group, once")
        told.group_of[server] = group
        if len(told.group_of) > SERVERS_MAX:
            raise FileError(told.path, each.line, f"more than {SERVERS_MAX:,} servers")
    told.groups[group] = members
    told.group_lines[group] = each.line


def _weight(told: _Told, each: Property, server: int) -> None:
    if not re.fullmatch(r"[+-]?\d{1,19}", each.value):
        raise FileError(told.path, each.line, f"{each}: a weight is a whole number, 0 or more")
    weight = int(each.value)
    if weight < 0:
        raise FileError(
            told.path, each.line, f"the weight of server {server} is {weight}: ZooKeeper accepts it and takes it off the group's "
            "weight, so that two quorums need not meet; write 0 for a server that should not count"
        )  # fmt: skip
    told.weights[server] = weight
    told.weight_lines[server] = each.line


_READ = {"server": _server, "group": _group, "weight": _weight}


def _number(path: Path, each: Property, text: str, what: str) -> int:
    if not re.fullmatch(r"\d{1,18}", text.strip()):
        raise FileError(path, each.line, f"{each}: {what} is a whole number, not {shown(text.strip())}")
    return int(text)


def _check_repeated(path: Path, properties: list[Property]) -> None:
    pair = repeated(properties)
    if pair is None:
        return
    first, second = pair
    message = f"{first.key} is given twice, first in line {first.line}: ZooKeeper keeps only the last"
    if first.key.startswith("group."):
        kept: set[str] = set()
        for each in {p.key: p for p in properties}.values():
            kept.update(each.value.split(":") if each.key.startswith("group.") else ())
        lost = [server for server in first.value.split(":") if server not in kept]
        message += f", so that {_servers(lost)} would be in no group" if lost else ""
        message += "; give each group its own number"
    else:
        message += "; take one of them out"
    raise FileError(path, second.line, message)


def _check(told: _Told, properties: list[Property]) -> None:
    """What only the whole file shows: servers without a group, groups and weights without a server."""
    path = told.path
    if not (told.participants or told.groups):
        elsewhere = next((each for each in properties if each.key == "dynamicConfigFile"), None)
        if elsewhere is not None:
            raise FileError(path, elsewhere.line, f"the servers are in another file, {elsewhere.value}: read that one")
        message = "all servers only observe: none could ever decide" if told.observers else "no server.N and no group.N"
        raise FileError(path, next(iter(told.observers.values()), 1), message)
    if told.participants and (told.groups or told.weights):
        _check_groups(told)
    for server, line in told.weight_lines.items():
        if server not in told.group_of:
            known = "is in no group" if server in told.participants else "is neither among the servers nor in a group"
            raise FileError(path, line, f"weight.{server}: server {server} {known}; name it in a line group.N={server}:...")


def _check_groups(told: _Told) -> None:
    for group, members in told.groups.items():
        for server in members:
            if server in told.observers:
                raise FileError(
                    told.path, told.group_lines[group], f"server {server} is an observer, yet in group {group}: ZooKeeper counts "
                    "its weight in the group's total, but never its vote; take it out of the group"
                )  # fmt: skip
            if server not in told.participants:
                message = f"group {group} names server {server}, but there is no server.{server}"
                raise FileError(told.path, told.group_lines[group], message)
    stray = [server for server in told.participants if server not in told.group_of]
    if stray:
        is_are = "is" if len(stray) == 1 else "are"
        raise FileError(
            told.path, told.participants[stray[0]],
            f"{_servers(stray)} {is_are} in no group: once there are groups or weights, every participant needs a group",
        )  # fmt: skip


def _hierarchical(told: _Told, notes: list[str]) -> tuple[Expression, list[Node]]:
    nodes: list[Node] = []
    parts: list[Expression] = []
    empty: list[int] = []
    for group, servers in told.groups.items():
        members = [(told.weights.get(server, 1), server) for server in servers]
        total = sum(weight for weight, _ in members)
        if total > WEIGHT_MAX:
            raise FileError(told.path, told.group_lines[group], f"group {group} weighs more than a Java long holds: lower the weights")
        made = [
            (weight, Node(str(server), region=f"group {group}", kind=Kind.VOTER if weight else Kind.LEARNER))
            for weight, server in members
        ]
        nodes.extend(node for _, node in made)
        if total:
            parts.append(weighted(total // 2 + 1, [(weight, node) for weight, node in made if weight]))
        else:
            empty.append(group)
    if not parts:
        raise FileError(told.path, next(iter(told.group_lines.values())), "every group weighs 0: no servers could ever decide")
    _note_groups(told, empty, notes)
    return majority(parts), [*nodes, *told.observer_nodes()]


def _note_groups(told: _Told, empty: list[int], notes: list[str]) -> None:
    notes.append("a majority of the groups, each by more than half of its weight; the groups stand as regions")
    if empty:
        notes.append(f"group {listed(empty)} weighs 0 and is left out of the count of groups")
    idle = [server for server in told.group_of if told.weights.get(server, 1) == 0]
    if idle:
        notes.append(f"{_servers(idle)} of weight 0 never count")
    if any(server not in told.weights for server in told.group_of):
        notes.append("servers without a weight weigh 1")


def _servers(numbers: list[int] | list[str]) -> str:
    return f"server{'s' if len(numbers) > 1 else ''} {listed(numbers)}"
