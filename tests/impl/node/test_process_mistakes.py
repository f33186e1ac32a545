"""Mistakes in a node's file: each ends the node with status 2, and its last line names file, key and cure."""

from __future__ import annotations

import gc
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from real_nodes import Nodes, with_nodes

from scrutator.impl.node.__main__ import main
from scrutator.impl.node.config import load

HEAD = 'id = "n1"\ncluster = "c"\ndata = "{data}"\n'
NODES = '[nodes.n1]\nraft = "127.0.0.1:{free}"\nclient = "127.0.0.1:0"\n[nodes.n2]\nraft = "127.0.0.1:3"\nclient = "127.0.0.1:4"\n'

MISTAKES = {
    "unknown key": ('colour = "red"', "", "colour: there is no such key: id, cluster, .*are known"),
    "unknown key of a table": ("", "[limits]\nkeys = 3", r"limits\.keys: there is no such key: key_bytes_max, .*are known"),
    "unknown key of a node": ("", "[nodes.n3]\nraft = 'a:1'\nclient = 'a:2'\nport = 3", r"nodes\.NAME\.port: there is no such key: raft, client are known"),
    "no id": ("!id", "", "id is missing"),
    "not among the nodes": ("!n1>n7", "", r"id = 'n7' is not among the nodes n1, n2: give it a table \[nodes\.n7\]"),
    "no name of the cluster": ('!"c">""', "", "cluster: give the cluster a name"),
    "no port": ("", "!127.0.0.1:3>127.0.0.1", r"nodes\.n2\.raft: '127\.0\.0\.1' is no address: write host:port, as"),
    "a port too high": ("", "!:3>:70000", r"nodes\.n2\.raft: .*:70000' is no address"),
    "one port for two": ("", "!:3>:4", r"nodes\.n2\.client: 127\.0\.0\.1:4 is that of nodes\.n2\.raft already: give each its own"),
    "not loopback": ("", '!client = "127.0.0.1:0>client = "0.0.0.0:0', r"nodes\.n1\.client: 0\.0\.0\.0 is not loopback: set any_address = true"),
    "a name that only begins like loopback": ("", '!client = "127.0.0.1:0>client = "127.example.org:0', r"nodes\.n1\.client: 127\.example\.org is not loopback: set any_address = true"),
    "another machine's address": ("any_address = true", '!client = "127.0.0.1:0>client = "192.0.2.7:1', r"nodes\.n1\.client: cannot listen on 192\.0\.2\.7:1: .*write an address of this machine"),
    "no such host": ("any_address = true", '!client = "127.0.0.1:0>client = "host.invalid:1', r"nodes\.n1\.client: cannot listen on host\.invalid:1: "),
    "client port in use": ("", '!client = "127.0.0.1:0>client = "127.0.0.1:{used}', r"nodes\.n1\.client: cannot listen on .*: is something else running there\?"),
    "raft port in use": ("", "!{free}>{used}", r"nodes\.n1\.raft: cannot listen on .*: is something else running there\?"),
    "unknown mutant": ('mutant = "sleepy"', "", "there is no mutant 'sleepy': reply_before_sync, "),
    "unknown way to read": ('reads = "fast"', "", "reads = 'fast': write 'index' or 'lease' or 'log'"),
    "no TOML": ("x = = 1", "", r"this is no TOML: .*line 4"),
    "a text for a number": ("", '[timing]\nheartbeat_s = "fast"', r"timing\.heartbeat_s: Expected `float`, got `str`"),
    "a duration that is none": ("", "[timing]\nheartbeat_s = nan", r"timing\.heartbeat_s = nan: write more than 0"),
    "an endless election": ("", "[timing]\nelection_timeout_s = inf", r"timing\.election_timeout_s = inf: write more than 0"),
    "a limit below zero": ("", "[limits]\nsnapshot_every = -1", r"limits\.snapshot_every = -1: write more than 0"),
    "a voter nobody knows": ('voters = ["n9"]', "", "voters: n9 is not among the nodes n1, n2"),
    "a quorum of strangers": ('election = "n1*n7"', "", "election, commit: there is no node n7: the nodes are n1, n2"),
    "quorums apart": ('election = "n1"\ncommit = "n2"', "", r"\{n1\} can elect a leader, and \{n2\} can commit an entry: they share no voter"),
    "two leaders": ('election = "n1+n2"', "", r"\{n1\} can elect a leader, and \{n2\} can elect a leader: they share no voter"),
    "no certificate": ("", '[tls]\ncertificate = "/x"\nkey = "/y"\nauthority = "/z"', r"tls\.certificate: /x cannot be read"),
    "a file for a folder": ("!{data}>/etc/hostname", "", "data: /etc/hostname cannot be used: .*: name a folder that this user may make and write"),
    "a folder that cannot be made": ("!{data}>/proc/none/data", "", "data: /proc/none/data cannot be used: "),
    "a trace that cannot be written": ('trace = "/proc/none/trace"', "", "trace: /proc/none/trace cannot be written: "),
}  # fmt: skip


def changed(text: str, change: str) -> str:
    """With lines added; or ``!old>new``: something replaced, ``!old``: a line taken out."""
    if not change.startswith("!"):
        return text + change + "\n"
    old, arrow, new = change[1:].partition(">")
    assert old in text
    return text.replace(old, new, 1) if arrow else "".join(line for line in text.splitlines(True) if not line.startswith(old))


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    """A node sets how garbage is collected, for the process that it has to itself."""
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told(name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    head, nodes, message = MISTAKES[name]
    with socket.create_server(("127.0.0.1", 0)) as used, socket.create_server(("127.0.0.1", 0)) as free:
        ports = {"used": str(used.getsockname()[1]), "free": str(free.getsockname()[1]), "data": str(tmp_path / "data")}
        free.close()
        text = changed(HEAD, head) + changed(NODES, nodes)
        for word, value in ports.items():
            text = text.replace(f"{{{word}}}", value)
        path = tmp_path / "node.toml"
        path.write_text(text)
        assert main([str(path)]) == 2
    last = json.loads(capfd.readouterr().err.splitlines()[-1])
    assert last["why"].startswith(f"{path}: ")
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(last["why"])


def test_files_that_are_none(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "latin").write_bytes(b'id = "\xfc"')
    (tmp_path / "large").write_bytes(b"#" * (2 << 20))
    for name, why in (("none", "cannot be read: No such file"), ("", "cannot be read: Is a directory"), ("latin", "is not UTF-8"), ("large", "larger than")):
        assert main([str(tmp_path / name)]) == 2
        assert why in capfd.readouterr().err
    assert main([]) == 2 and "usage: " in capfd.readouterr().err


def test_a_mutant_may_have_quorums_apart(tmp_path: Path) -> None:
    path = tmp_path / "node.toml"
    path.write_text(HEAD.replace("{data}", "d") + 'election = "n1+n2"\nmutant = "local_reads"\n' + NODES.replace("{free}", "1"))
    assert load(path).election == "n1+n2"


def test_other_voters_than_the_store_knows(tmp_path: Path) -> None:
    """Whoever adds a node to all files must say who the first voters were."""

    async def work(nodes: Nodes) -> None:
        nodes.start("n1", "n2")
        await nodes.served("n1", "n2")
        await nodes.kill("n1", "n2")
        path = tmp_path / "n1" / "node.toml"
        path.write_text(path.read_text().replace('voters = ["n1", "n2"]\n', ""))
        found = subprocess.run([sys.executable, "-m", "scrutator.impl.node", str(path)], capture_output=True, text=True, timeout=60, check=False)
        why = json.loads(found.stderr.splitlines()[-1])["why"]
        assert found.returncode == 4
        assert "'tested/n1 of n1,n2', not of 'tested/n1 of n1,n2,n3'" in why and "`voters` in the file stays what it was" in why

    with_nodes(Nodes(tmp_path, 3, voters=2), work)
