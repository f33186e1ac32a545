"""Our own format: TOML that declares nodes and says of each role which of them are quorums.

Law: every node is declared, every key is known, and whatever is declared is used: a file that says
something to no effect is refused.  The expressions are those of `parse`, over the nodes declared.
Described in docs/quorums.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from math import inf
from pathlib import Path

from scrutator.model.quorums.expression import Expression, Kind, Node, QuorumError
from scrutator.model.quorums.files.build import listed
from scrutator.model.quorums.files.tables import Document, Table, checked, shown
from scrutator.model.quorums.files.words import WEIGHTED, Groups, expanded
from scrutator.model.quorums.parse import NODES_MAX, WORDS, unknown
from scrutator.model.quorums.system import QuorumSystem, read_roles, with_rules

_KEYS = ("name", "rules", "nodes", "groups", "quorums", "latency_ms")
_NODE_KEYS = (
    "region", "capacity", "read_capacity", "write_capacity", "latency_ms", "latency_s", "failure", "kind", "weight",
)  # fmt: skip
_ROLE = re.compile(r"[A-Za-z_][\w-]*")
_OUR_LINES = re.compile(
    r"^[ \t]*(?:\[[ \t]*(?:quorums|nodes|groups)[ \t]*(?:\.[^\]\n]*)?\]|(?:quorums|nodes|rules)[ \t]*(?:\.[^=\n]*)?=)", re.MULTILINE
)
WEIGHT_MAX = 10**15


def recognises(text: str, path: Path) -> bool:
    """Whether it is TOML that speaks of nodes or quorums, or at least is called so."""
    return _OUR_LINES.search(text) is not None and not text.lstrip().startswith("{")


def read_own(path: Path, text: str, *, rules: tuple[str, ...] = ()) -> QuorumSystem:
    """The quorum system that the file states; ``rules``, if any, replace those of the file.

    Raises `FileError` with the line of the mistake, `QuorumError` for ``rules`` that do not fit.
    """
    file = Document(path, text)
    file.only("key", _KEYS)
    for needed, example in (("nodes", 'nodes = ["a", "b", "c"]'), ("quorums", '[quorums], then a line such as election = "majority"')):
        if needed not in file.data:
            raise file.error(f"no {needed}: add {example}")
    name = file.text("name") if "name" in file.data else path.stem
    notes: list[str] = []
    nodes, weights = _nodes(file)
    latencies = _latencies(file, nodes)
    groups = _groups(file, nodes, notes)
    roles = _roles(file, nodes, groups, weights, notes)
    _note_kinds(nodes, notes)
    if rules:
        if "rules" in file.data:
            notes.append(f"the rules are those asked for, {'; '.join(rules)}, instead of the file's")
        found = with_rules(name, roles, rules, tuple(nodes.values()), tuple(notes))
    else:
        with _placed(file, "rules" if "rules" in file.data else "quorums"):
            found = with_rules(name, roles, _rules(file), tuple(nodes.values()), tuple(notes))
    return replace(found, latency_s=latencies)


@contextmanager
def _placed(table: Table, *keys: str) -> Iterator[None]:
    """Gives the mistakes made within their place in the file."""
    try:
        yield
    except QuorumError as error:
        raise checked(table, error, *keys) from None


def _rules(file: Document) -> tuple[str, ...]:
    if "rules" not in file.data:
        return ()
    if isinstance(file.data["rules"], str):
        return (file.text("rules"),)
    return tuple(file.texts("rules"))


# --- nodes --------------------------------------------------------------------------------


def _nodes(file: Document) -> tuple[dict[str, Node], dict[str, int]]:
    """The nodes by name, and the weights of those that were given one."""
    nodes: dict[str, Node] = {}
    weights: dict[str, int] = {}
    if isinstance(file.data["nodes"], list):
        for name in file.texts("nodes"):
            if name in nodes:
                raise file.error(f"node {name} is declared twice", "nodes", name)
            with _placed(file, "nodes"):
                nodes[name] = Node(name)
    else:
        table = file.table("nodes")
        for name in table.data:
            nodes[name] = _node(table.table(name), name, weights)
    if not nodes:
        raise file.error('no nodes are declared: nodes = ["a", "b", "c"]', "nodes")
    if len(nodes) > NODES_MAX:
        raise file.error(f"more than {NODES_MAX:,} nodes", "nodes")
    return nodes, weights


def _node(table: Table, name: str, weights: dict[str, int]) -> Node:
    table.only("key of a node", _NODE_KEYS)
    for one, other in (("capacity", "read_capacity"), ("capacity", "write_capacity"), ("latency_ms", "latency_s")):
        if one in table.data and other in table.data:
            raise table.error(f"node {name} has both {one} and {other}: they say the same thing; keep one", other)
    for key in ("read_capacity", "write_capacity"):
        if key in table.data and not {"read_capacity", "write_capacity"} <= set(table.data):
            raise table.error(f"node {name} has a {key} alone: give read_capacity and write_capacity, or capacity for both", key)
    given = {key: table.number(key) for key in _NODE_KEYS if key in table.data and key not in ("region", "kind", "weight")}
    kind = _kind(table, name)
    if "weight" in table.data:
        weights[name] = _weight(table, name, kind)
    capacity = given.get("capacity", 1.0)
    wrong = [key for key, value in given.items() if not (0 <= value <= 1 if key == "failure" else 0 < value < inf)]
    with _placed(table, *wrong[:1]):
        return Node(
            name,
            region=table.text("region") if "region" in table.data else None,
            read_capacity=given.get("read_capacity", capacity),
            write_capacity=given.get("write_capacity", capacity),
            latency_s=given["latency_ms"] / 1000 if "latency_ms" in given else given.get("latency_s", 1.0),
            failure=given.get("failure"),
            kind=kind,
        )


def _latencies(file: Document, nodes: dict[str, Node]) -> dict[tuple[str, str], float]:
    """Seconds from a client's region to a node's, the same both ways unless both are given.

    Nodes that state no latency of their own get the mean over the regions of clients.
    """
    if "latency_ms" not in file.data:
        return {}
    table = file.table("latency_ms")
    regions = {node.region: None for node in nodes.values() if node.region is not None}
    found: dict[tuple[str, str], float] = {}
    for client in table.data:
        row = table.table(client)
        for region in row.data:
            if region not in regions:
                raise row.error(f"latency_ms: {unknown('region of a node', region, regions)}", region)
            found[client, region] = row.number(region) / 1000
            if not 0 < found[client, region] < inf:
                raise row.error(f"latency_ms from {client} to {region}: above 0, not {shown(row.data[region])}", region)
    for client, region in list(found):
        found.setdefault((region, client), found[client, region])
    clients = dict.fromkeys(client for client, _ in found)
    missing = next(((c, r) for c in clients for r in regions if (c, r) not in found), None)
    if missing is not None:
        raise file.error(f"latency_ms says nothing of {missing[0]} to {missing[1]}: give every pair of regions, one way suffices", "latency_ms")
    for name, node in nodes.items():
        given = file.data["nodes"][name] if isinstance(file.data["nodes"], dict) else {}
        if node.region is not None and not {"latency_ms", "latency_s"} & set(given):
            nodes[name] = replace(node, latency_s=sum(found[client, node.region] for client in clients) / len(clients))
    return found


def _kind(table: Table, name: str) -> Kind:
    kinds = {kind.value: kind for kind in Kind}
    text = table.text("kind") if "kind" in table.data else "voter"
    if text not in kinds:
        raise table.error(f"node {name}: {unknown('kind', text, kinds)}", "kind")
    return kinds[text]


def _weight(table: Table, name: str, kind: Kind) -> int:
    weight = table.data["weight"]
    if isinstance(weight, bool) or not isinstance(weight, int):
        raise table.error(f"the weight of {name} is {shown(weight)}; weights are whole numbers, 1 or more", "weight")
    if not 1 <= weight <= WEIGHT_MAX:
        cure = 'for a node that should not count, write kind = "learner"' if weight < 1 else "divide them all by the same number"
        raise table.error(f"the weight of {name} is {shown(weight)}; weights are from 1 to {WEIGHT_MAX:,}; {cure}", "weight")
    if kind is Kind.LEARNER:
        raise table.error(f"{name} is a learner, which never counts, and yet has a weight; take out one of the two", "weight")
    return weight


def _note_kinds(nodes: Mapping[str, Node], notes: list[str]) -> None:
    for kind, what in ((Kind.WITNESS, "votes and acknowledges, but holds no data"), (Kind.LEARNER, "receives, but never counts")):
        names = [node.name for node in nodes.values() if node.kind is kind]
        if names:
            notes.append(f"{listed(names)}: a {kind.value} {what}")


# --- groups and quorums -------------------------------------------------------------------


def _groups(file: Document, nodes: Mapping[str, Node], notes: list[str]) -> Groups:
    """What words stand for lists of nodes: the groups declared, and the regions under their names."""
    found: dict[str, tuple[str, ...]] = {}
    table = file.table("groups") if "groups" in file.data else Table(file, ("groups",), {})
    for name in table.data:
        members = table.texts(name)
        if name in nodes or name in (*WORDS, WEIGHTED):
            raise table.error(f"{name} is already {'a node' if name in nodes else 'a word of expressions'}: name the group otherwise", name)
        if not members:
            raise table.error(f"group {name} is empty: leave it out, or name its nodes", name)
        for member in members:
            if member not in nodes:
                raise table.error(f"group {name}: {unknown('node', member, nodes)}", name)
        if len(set(members)) < len(members):
            twice = next(member for k, member in enumerate(members) if member in members[:k])
            raise table.error(f"group {name} names {twice} twice", name)
        found[name] = tuple(members)
    home: dict[str, str] = {}
    for name, group in found.items():
        for member in group:
            if home.setdefault(member, name) != name:
                notes.append(f"{member} is in the groups {home[member]} and {name}, and counts in each")
    for node in nodes.values():
        if node.region and node.region not in table.data and node.region not in nodes and node.region not in (*WORDS, WEIGHTED):
            if node.kind is not Kind.LEARNER:
                found[node.region] = (*found.get(node.region, ()), node.name)
    return found


def _roles(
    file: Document, nodes: Mapping[str, Node], groups: Groups, weights: Mapping[str, int], notes: list[str]
) -> dict[str, Expression]:
    table = file.table("quorums")
    if not table.data:
        raise table.error('no quorums: add a line such as election = "majority"')
    counting = {name: weights.get(name, 1) for name, node in nodes.items() if node.kind is not Kind.LEARNER}
    texts: dict[str, str] = {}
    weighed = used = False
    for role in table.data:
        if not _ROLE.fullmatch(role):
            raise table.error(f"{role!r} is not the name of a role: letters, digits, _ and -, such as phase1 or read", role)
        with _placed(table, role):
            before = table.text(role)
            texts[role] = expanded(before, groups, counting)
        weighed |= WEIGHTED in before
        used |= before.strip() in ("majority", "half", "all", "any") or before.strip().isdigit()
    if weights and not weighed:
        name = next(iter(weights))
        message = f"{name} has a weight, but no quorum uses it: write {WEIGHTED} for more than half of the weight"
        raise file.error(message, "nodes", name, "weight")
    roles = _read(table, texts, nodes)
    if weighed and len(weights) < len(counting):
        notes.append("nodes without a weight weigh 1")
    if used and len(counting) < len(nodes):
        notes.append("a bare majority, all, any or number ranges over the nodes that are not learners")
    return roles


def _read(table: Table, texts: Mapping[str, str], nodes: Mapping[str, Node]) -> dict[str, Expression]:
    """The expressions; one by one first, so that a mistake is found in its line."""
    for role, text in texts.items():
        with _placed(table, role):
            if text.strip() != "dual":
                found = read_roles({role: text}, nodes)[role]
                learner = next((node.name for node in found.nodes() if node.kind is Kind.LEARNER), None)
                if learner is not None:
                    raise QuorumError(f"{role} counts {learner}, a learner: learners are in no quorum")
    dual = next((role for role, text in texts.items() if text.strip() == "dual"), None)
    with _placed(table, *([dual] if dual else [])):
        return read_roles(texts, nodes)
