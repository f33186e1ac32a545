"""Voters stand where every way of keeping the constraints puts them."""

from __future__ import annotations

from collections import Counter
from itertools import combinations_with_replacement
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from scrutator.model.quorums import Kind, QuorumError
from scrutator.model.quorums.files import FileError, read
from scrutator.model.quorums.files.cockroach import read_cockroach

REGIONS = "abcz"  # constraints never name z


def placements(replicas: int, voters: int, all_: dict[str, int], of_voters: dict[str, int]) -> list[tuple[Counter[str], Counter[str]]]:
    """Every way to place voters and others, tried one by one."""
    found = []
    for voting in map(Counter, combinations_with_replacement(REGIONS, voters)):
        if any(voting[region] < count for region, count in of_voters.items()):
            continue
        for others in map(Counter, combinations_with_replacement(REGIONS, replicas - voters)):
            if all(voting[region] + others[region] >= count for region, count in all_.items()):
                found.append((voting, others))
    return found


_constraints = st.dictionaries(st.sampled_from("abc"), st.integers(1, 3), max_size=3)


def written(counts: dict[str, int]) -> str:
    return "{" + ", ".join(f"+region={region}: {count}" for region, count in counts.items()) + "}"


@given(st.integers(1, 6), st.integers(1, 5), _constraints, _constraints)
def test_placement(replicas: int, voters: int, all_: dict[str, int], of_voters: dict[str, int]) -> None:
    assume(voters <= replicas and voters != 2)
    text = (
        f"ALTER TABLE t CONFIGURE ZONE USING num_replicas = {replicas}, num_voters = {voters}, "
        f"constraints = '{written(all_)}', voter_constraints = '{written(of_voters)}';"
    )
    possible = placements(replicas, voters, all_, of_voters)
    if not possible:
        with pytest.raises(FileError):
            read_cockroach(Path("zone.sql"), text)
        return
    system = read_cockroach(Path("zone.sql"), text)
    voting = [node for node in system.nodes if node.kind is Kind.VOTER]
    assert (len(voting), len(system.nodes)) == (voters, replicas)
    placed = Counter(node.region for node in voting if node.region)
    certain = {region: min(way[0][region] for way in possible) for region in REGIONS}
    assert all(placed[region] <= certain[region] for region in REGIONS)
    if replicas == voters:
        assert placed == Counter({region: count for region, count in certain.items() if count})
    others = Counter(node.region for node in system.nodes if node.kind is Kind.LEARNER and node.region)
    assert all(others[region] <= min(way[1][region] for way in possible) for region in REGIONS)
    assert system.roles["election"].is_quorum({node.name for node in voting[: voters // 2 + 1]})
    assert not system.roles["election"].is_quorum({node.name for node in system.nodes[voters // 2 + 1 :]})


def test_a_real_zone(config) -> None:
    system = read(config("crdb_zone.sql"))
    assert system.name == "RANGE default"
    regions = system.regions()
    assert {region: len(names) for region, names in regions.items()} == {"us-central": 2, "us-east-1": 2, "us-east-2": 1}
    for names in regions.values():
        assert system.roles["commit"].is_quorum({node.name for node in system.nodes} - set(names))


def test_constraints_of_all_replicas(reading) -> None:
    system = reading("ALTER DATABASE d CONFIGURE ZONE USING num_replicas = 3, constraints = '[+region=us-east-1, -ssd]'")
    assert system.regions() == {"us-east-1": ("us-east-1-1", "us-east-1-2", "us-east-1-3")}


def test_voters_left_open_have_no_region(reading) -> None:
    text = "ALTER TABLE t CONFIGURE ZONE USING num_replicas = 5, num_voters = 3, constraints = '{+region=a: 2, +region=b: 2}'"
    system = reading(text)
    assert [node.region for node in system.nodes] == [None] * 5
    assert any("left open" in note for note in system.notes)


def test_leases_where_no_voter_is(reading) -> None:
    text = "ALTER TABLE t CONFIGURE ZONE USING num_replicas = 3, constraints = '[+region=a]', lease_preferences = '[[+region=b]]', gc.ttlseconds = 90000"
    assert any("name b, where no voter is placed" in note for note in reading(text).notes)


def test_the_last_word_on_a_zone(reading, refusing) -> None:
    two = "ALTER TABLE t CONFIGURE ZONE USING num_replicas = 3;\nALTER TABLE u CONFIGURE ZONE USING num_replicas = 5;"
    assert len(reading(two, zone="TABLE u").nodes) == 5
    assert "say which by the option zone" in refusing(two, 2)
    assert len(reading(two + "ALTER TABLE u CONFIGURE ZONE DISCARD").nodes) == 3
    with pytest.raises(QuorumError, match="no zone TABLE v"):
        reading(two, zone="TABLE v")


def test_as_the_shell_prints_it(reading) -> None:
    text = """\
     target     |              raw_config_sql
----------------+-------------------------------------------
  RANGE default | ALTER RANGE default CONFIGURE ZONE USING
                |     range_min_bytes = 134217728,
                |     gc.ttlseconds = COPY FROM PARENT,
                |     num_replicas = 3,
                |     constraints = '{"+region=us-east-1,+ssd": 2}',
                |     lease_preferences = '[]'
(1 row)
"""
    system = reading(text)
    assert (system.name, system.regions()) == ("RANGE default", {"us-east-1": ("us-east-1-1", "us-east-1-2")})
    assert any("zones, stores and the like" in note for note in system.notes)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("num_replicas = 3, constraints = '{+region=a: 2, +region=b: 2}'", "constraints are for 4 replicas"),
        ("num_replicas = 5, num_voters = 3, voter_constraints = '{+region=a: 4}'", "voter_constraints are for 4 replicas"),
        ("num_replicas = 3, num_voters = 3, constraints = '{+region=A: 2, +region=B: 1}', voter_constraints = '{+region=C: 2, +region=D: 1}'",
         "together need 6 replicas"),
        ("num_replicas = 3, num_voters = 5", "num_voters is 5, above num_replicas, 3"),
        ("num_voters = 5", "which is 3 where it is not given"),
        ("num_replicas = 2", "a majority of 2 is both"),
        ("num_replicas = 0", "whole number from 1"),
        ("num_replicas = many", "whole number from 1"),
        ("num_replicas = 3, voter_constraints = '{+region=a: 1}'", "voter_constraints without num_voters"),
        ("constraints = '{+region=a: 1}'", "without num_replicas"),
        ("num_replicas = 3, constraints = '{region=a: 1}'", "+region=a for required"),
        ("num_replicas = 3, constraints = '{+region=a: 0}'", "1 or more"),
        ("num_replicas = 3, constraints = '{+region=a}'", "for how many replicas"),
        ("num_replicas = 3, constraints = '+region=a'", "write [+region=a]"),
        ("num_replicas = 3, constraints = '[+region=a, +region=b]'", "in two regions at once"),
        ("num_replicas = 3, constraints = '[+region=a, -region=a]'", "both required and prohibited"),
        ("num_replicas = 3, constraints = '{-region=a: 1}'", "only what is required"),
        ("num_replicas = 3, num_voters = 3, voter_constraints = '[-region=a]'", "in constraints alone"),
        ("num_replicas = COPY FROM PARENT", "comes from the parent zone"),
        ("num_replica = 3", "did you mean num_replicas"),
        ("num_replicas = 3, num_replicas = 3", "given twice"),
        ("num_replicas = 3 num_voters = 3", "a comma is missing"),
        ("num_replicas 3 3", "has no value"),
        ("num_replicas = ", "cannot read the settings"),
        ("", "no settings after USING"),
    ],
)  # fmt: skip
def test_mistakes(refusing, settings: str, said: str) -> None:
    assert said in refusing(f"-- zone\nALTER TABLE t CONFIGURE ZONE USING {settings};", 2)
