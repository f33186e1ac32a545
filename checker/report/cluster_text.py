"""A local cluster as it is, as a table and as JSON.

Law: reads what was found, decides nothing; what nodes said is cleaned.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from rich.console import Console
from rich.text import Text

from scrutator.checker.report.clean import clean
from scrutator.checker.report.layout import duration, new_table, put

if TYPE_CHECKING:
    from scrutator.impl.cluster.local import Member, Standings, Up

_STYLES = {"running": "green", "paused": "yellow", "silent": "yellow", "died": "bold red", "stopped": "dim"}


class NodeDocument(msgspec.Struct, frozen=True):
    """A node; what it says about itself is null where it does not answer, ``lag`` counts entries, ``why`` is the last word of one that died."""

    node: str
    state: str
    pid: int | None
    client: str
    raft: str
    role: str | None
    term: int | None
    leader: str | None
    commit: int | None
    applied: int | None
    lag: int | None
    why: str


class ClusterDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A cluster; ``started`` and ``seconds`` are of up alone."""

    schema: str = "scrutator.cluster.status/1"
    cluster: str
    folder: str
    serves: bool
    leader: str | None
    nodes: list[NodeDocument]
    options: dict[str, str | bool]
    started: list[str] | None = None
    seconds: float | None = None


def json_of(found: Standings, *, started: tuple[str, ...] | None = None, seconds: float | None = None) -> str:
    """A document of the schema above."""
    document = ClusterDocument(
        cluster=found.cluster.cluster, folder=str(found.folder), serves=found.serves, leader=found.leader,
        nodes=[_node(member) for member in found.members], options=msgspec.to_builtins(found.cluster.setup),
        started=None if started is None else list(started), seconds=None if seconds is None else round(seconds, 3),
    )  # fmt: skip
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def _node(member: Member) -> NodeDocument:
    one, node = member.standing, member.node
    role, term, leader, commit, applied = (None,) * 5 if one is None else (one.role, one.term, one.leader or None, one.commit, one.applied)
    return NodeDocument(
        member.name, member.state, node.pid or None, node.client, node.raft, role, term, leader, commit, applied, member.lag, member.last_word
    )


def print_up(console: Console, found: Standings, done: Up, folder: Path) -> None:
    """What was started, and how to go on."""
    started = ", ".join(done.started)
    head = f"{started} started and serving after {duration(done.seconds)}, {done.leader} leads." if started else f"All nodes run already, {done.leader} leads."
    put(console, head, style="green")
    mutant = found.cluster.setup.mutant
    if mutant:
        put(console, f"Every node is broken on purpose: {mutant}.", style="bold red")
    _print_members(console, found)
    console.print()
    host, port = found.members[0].node.client_address
    where = "" if str(folder) == "scrutator-cluster" else f" --folder {folder}"
    table = new_table()
    table.show_header = False
    table.add_column()
    table.add_column()
    for command, what in (
        (f"redis-cli -h {host} -p {port} set greeting hello", "write, at any node"),
        (f"redis-cli -h {host} -p {port} raft status", "what a node knows"),
        (f"scrutator cluster status{where}", "how it is"),
        (f"scrutator cluster down{where}", "stop it"),
    ):
        table.add_row(Text(command), Text(what))
    console.print(table)


def print_status(console: Console, found: Standings, folder: Path) -> None:
    """The verdict, and a line for each node."""
    if found.serves:
        put(console, f"The cluster of {folder} serves, {found.leader} leads.", style="green")
    else:
        why = "no node leads" if found.leader is None else f"{found.leader} leads and does not answer a read: it hears from no quorum"
        put(console, f"The cluster of {folder} does not serve: {why}.", style="bold red")
    _print_members(console, found)
    if any(member.state in ("stopped", "died") for member in found.members):
        put(console, "scrutator cluster up starts what does not run.")


def _print_members(console: Console, found: Standings) -> None:
    table = new_table()
    for column in ("node", "pid", "state", "role", "term", "commit", "applied", "lag", "address"):
        table.add_column(column, justify="right" if column in ("pid", "term", "commit", "applied", "lag") else "left", no_wrap=True)
    for member in found.members:
        one = member.standing
        said = ["", "", "", ""] if one is None else [one.role, f"{one.term:,}", f"{one.commit:,}", f"{one.applied:,}"]
        state = Text(member.state, style=_STYLES[member.state])
        words = [*said, "" if member.lag is None else f"{member.lag:,}", member.node.client]
        table.add_row(Text(member.name), Text(str(member.node.pid or "")), state, *(Text(clean(word)) for word in words))
    console.print()
    console.print(table)
    for member in found.members:
        if member.last_word:
            put(console, f"{member.name} said last: {member.last_word}", indent=2)
