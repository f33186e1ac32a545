"""Configurations that are written are read back as they were."""

from __future__ import annotations

from pathlib import Path

import pytest

from scrutator.impl.cluster.nodefile import command, write
from scrutator.impl.node.config import Limits, NodeConfig, Place, Timing, Tls, load

NODES = {"n1": Place("127.0.0.1:1", "127.0.0.1:2"), "node-2": Place("[::1]:3", "[::1]:4"), "a b.c": Place("127.0.0.1:5", "127.0.0.1:6")}


@pytest.mark.parametrize(
    "config",
    [
        NodeConfig("n1", "c", "data", NODES),
        NodeConfig("n1", 'quoted "c"\n\\', "dätä/\x7f\u2028", NODES, voters=("n1", "node-2"), reads="lease", followers="moved", debug=True, mutant="m"),
        NodeConfig("n1", "c", "d", NODES, timing=Timing(0.3, 0.05, 1.0, 0.01), limits=Limits(snapshot_every=7), tls=Tls("a.pem", "a.key", "ca.pem"), trace="t"),
        NodeConfig("n1", "c", "d", {"n1": NODES["n1"]}, election="n1", commit="n1", any_address=True),
    ],
)
def test_it_is_read_back(tmp_path: Path, config: NodeConfig) -> None:
    path = tmp_path / "new" / "node.toml"
    write(config, path)
    assert load(path) == config
    assert command(path)[-1] == str(path)
