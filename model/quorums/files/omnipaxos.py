"""OmniPaxos: the nodes of a cluster, with majorities or with quorums of two sizes.

Law: sizes are read as they are; whether they are safe is for the verdict to say.  A new leader consults
``read_quorum_size`` nodes, and an entry is decided by ``write_quorum_size``.
Source: ClusterConfig and FlexibleQuorum of haraldng/omnipaxos.
"""

from __future__ import annotations

import re
from pathlib import Path

from scrutator.model.quorums.expression import Expression, Node, choose, majority
from scrutator.model.quorums.files.build import build
from scrutator.model.quorums.files.tables import Document, Table, shown
from scrutator.model.quorums.system import QuorumSystem

NODES_MAX = 10_000
SIZES = ("read_quorum_size", "write_quorum_size")


def recognises(text: str, path: Path) -> bool:
    """Whether it has the table of a cluster."""
    return re.search(r"^[ \t]*(?:\[[ \t]*cluster_config\b|cluster_config[ \t]*[.=])", text, re.MULTILINE) is not None


def read_omnipaxos(path: Path, text: str, *, rules: tuple[str, ...] = ()) -> QuorumSystem:
    """The roles phase1 (a leader's prepare) and phase2 (accept) of a cluster.

    Raises `FileError` for a cluster without nodes, and for sizes that they do not reach.
    """
    file = Document(path, text)
    if "cluster_config" not in file.data:
        raise file.error("no [cluster_config], which lists the nodes")
    table = file.table("cluster_config")
    nodes = _nodes(table)
    notes = ["phase1 is a leader's prepare, phase2 is accept"]
    if "flexible_quorum" in table.data:
        sizes = table.table("flexible_quorum")
        sizes.only("key of flexible_quorum", SIZES)
        phase1, phase2 = (_some(sizes, key, nodes) for key in SIZES)
    else:
        phase1 = phase2 = majority(nodes)
        notes.append("majorities, as there is no flexible_quorum")
    roles = {"phase1": phase1, "phase2": phase2}
    return build(path, path.stem, roles, "flexible-paxos", rules, nodes, notes, file.line("cluster_config"))


def _nodes(table: Table) -> list[Node]:
    given = table.data.get("nodes")
    if not isinstance(given, list) or not given:
        raise table.error("the nodes are a list of their numbers: nodes = [1, 2, 3]", "nodes")
    if len(given) > NODES_MAX:
        raise table.error(f"more than {NODES_MAX:,} nodes", "nodes")
    seen: set[int] = set()
    for number in given:
        if isinstance(number, bool) or not isinstance(number, int) or not 0 < number < 2**64:
            raise table.error(f"{shown(number)} is not the number of a node: whole numbers from 1", "nodes")
        if number in seen:
            raise table.error(f"node {number} is given twice", "nodes")
        seen.add(number)
    return [Node(str(number)) for number in given]


def _some(sizes: Table, key: str, nodes: list[Node]) -> Expression:
    size = sizes.data.get(key)
    if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= len(nodes):
        is_ = "is missing" if size is None else f"is {shown(size)}"
        raise sizes.error(f"{key} {is_}: it is a whole number from 1 to {len(nodes)}, the number of nodes", key)
    return choose(size, nodes)
