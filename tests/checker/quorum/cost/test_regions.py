"""Waiting by region, against all quorums."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_systems import expressions, quorums

from scrutator.checker.quorum.cost.regions import waits
from scrutator.model.quorums import Expression, Node, QuorumSystem
from scrutator.model.quorums.files import FileError, read

ZONES = """\
nodes.a.region = "eu"
nodes.b.region = "us"
nodes.c.region = "asia"
[latency_ms]
eu = { eu = 2, us = 80, asia = 160 }
us = { us = 3, asia = 120 }
asia = { asia = 4 }
[quorums]
election = "majority"
commit = "all"
"""


@given(expressions(), st.data())
@settings(deadline=None)
def test_the_nearest_quorum(expression: Expression, data: st.DataObject) -> None:
    regions = ["p", "q", "r"]
    placed = {name: data.draw(st.sampled_from(regions)) for name in expression.names()}
    latency = {(c, r): data.draw(st.integers(1, 9)) for c in regions for r in regions}
    located = expression.mapped(lambda node: Node(node.name, region=placed[node.name]))
    system = QuorumSystem("s", {"quorum": located}, latency_s=latency)
    found = {wait.region: wait for wait in waits(system)}
    for client in regions:
        best = min(max(latency[client, placed[name]] for name in quorum) for quorum in quorums(expression))
        assert found[client].latency_s == best
        assert expression.is_quorum(found[client].quorum)
        assert max(latency[client, placed[name]] for name in found[client].quorum) == best


def test_a_file_with_latencies_between_regions(tmp_path: Path) -> None:
    path = tmp_path / "zones.toml"
    path.write_text(ZONES)
    system = read(path)
    assert isinstance(system, QuorumSystem)
    found = {(wait.role, wait.region): (wait.latency_s, sorted(wait.quorum)) for wait in waits(system)}
    assert found["election", "eu"] == (0.08, ["a", "b"])
    assert found["election", "asia"] == (0.12, ["b", "c"])
    assert found["commit", "us"] == (0.12, ["a", "b", "c"])
    assert system.node("a").latency_s == pytest.approx((2 + 80 + 160) / 3000)
    assert replace(system, latency_s={}).roles == system.roles


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("asia = { asia = 4 }", "", "says nothing of asia to asia"),
        ("us = 80", "moon = 80", "5: latency_ms: there is no region of a node moon"),
        ("us = 80", "us = 0", "5: latency_ms from eu to us: above 0, not 0"),
        ("us = 80", 'us = "far"', "zones.toml:5"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, before: str, after: str, message: str) -> None:
    path = tmp_path / "zones.toml"
    path.write_text(ZONES.replace(before, after))
    with pytest.raises(FileError) as error:
        read(path)
    assert message in str(error.value)
