"""Consistency levels mean what Cassandra waits for."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrutator.model.quorums import QuorumError
from scrutator.model.quorums.files.cassandra import LEVELS, read_cassandra

TWO = "CREATE KEYSPACE ks WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': 3, 'dc2': '2'} AND durable_writes = true;"


def waited_for(level: str, counts: dict[str, int], here: dict[str, int], local: str | None) -> bool:
    """Whether the replicas that answered, so many in each data centre, suffice."""
    places = list(counts) if local is None else [local]
    total, answers = sum(counts.values()), sum(here.values())
    match level:
        case "ONE" | "TWO" | "THREE":
            return answers >= ["ONE", "TWO", "THREE"].index(level) + 1
        case "ALL":
            return answers == total
        case "QUORUM" | "SERIAL":
            return answers >= total // 2 + 1
        case "EACH_QUORUM":
            return all(here[dc] >= counts[dc] // 2 + 1 for dc in counts)
        case "LOCAL_QUORUM" | "LOCAL_SERIAL":
            return any(here[dc] >= counts[dc] // 2 + 1 for dc in places)
    assert level == "LOCAL_ONE"
    return any(here[dc] >= 1 for dc in places)


@given(
    st.dictionaries(st.sampled_from(["east", "west", "north"]), st.integers(1, 3), min_size=1),
    st.sampled_from([level for level in LEVELS if level != "ANY"]),
    st.booleans(),
)
def test_levels_are_what_cassandra_waits_for(counts: dict[str, int], level: str, local: bool) -> None:
    pairs = "".join(f", '{dc}': {count}" for dc, count in counts.items())
    text = f"CREATE KEYSPACE k WITH REPLICATION = {{'class': 'NetworkTopologyStrategy'{pairs}}}"
    dc = next(iter(counts)) if local else None
    needed = {"TWO": 2, "THREE": 3}.get(level, 1)
    if needed > sum(counts.values()):
        with pytest.raises(QuorumError, match="nothing could ever be read"):
            read_cassandra(Path("k.cql"), text, read_level=level, write_level="ONE", local_dc=dc)
        return
    system = read_cassandra(Path("k.cql"), text, read_level=level, write_level="ONE", local_dc=dc)
    for chosen in product(*(range(count + 1) for count in counts.values())):
        here = dict(zip(counts, chosen, strict=True))
        present = {f"{each}-{k + 1}" for each, count in here.items() for k in range(count)}
        assert system.roles["read"].is_quorum(present) == waited_for(level, counts, here, dc)


def test_a_keyspace_as_described(reading) -> None:
    system = reading(TWO + "\nCREATE TABLE ks.t (a int PRIMARY KEY);", read_level="local_quorum", write_level="EACH_QUORUM")
    assert system.regions() == {"dc1": ("dc1-1", "dc1-2", "dc1-3"), "dc2": ("dc2-1", "dc2-2")}
    assert [str(rule) for rule in system.rules] == ["read & write"]
    assert "LOCAL_QUORUM of reads is of some data centre, whichever: clients may be in dc1 and dc2" in system.notes


def test_the_level_may_be_in_the_file(reading) -> None:
    system = reading("-- as cqlsh\nCONSISTENCY QUORUM;\n" + TWO, write_level="ALL")
    assert "reads at QUORUM" in system.notes
    assert "writes at ALL" in system.notes


def test_simple_strategy(reading) -> None:
    text = "create keyspace if not exists \"Ks\" with replication = {'class': 'org.apache.cassandra.locator.SimpleStrategy', 'replication_factor': 3};"
    system = reading(text, read_level="LOCAL_QUORUM", write_level="QUORUM")
    assert system.name == "Ks"
    assert system.regions() == {}
    assert str(system.roles["read"]) == str(system.roles["write"]) == "majority('replica-1', 'replica-2', 'replica-3')"


def test_an_alteration_replaces_what_it_alters(reading) -> None:
    later = "ALTER KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1};"
    assert len(reading(TWO + later, read_level="ONE", write_level="ONE").nodes) == 1


def test_one_of_several_keyspaces(reading, refusing) -> None:
    both = TWO + "\n" + TWO.replace("ks", "other").replace("3", "1")
    assert len(reading(both, keyspace="other", read_level="ONE", write_level="ONE").nodes) == 3
    assert "say which by the option keyspace" in refusing(both, 2, read_level="ONE", write_level="ONE")
    with pytest.raises(QuorumError, match="no keyspace othr: did you mean other"):
        reading(both, keyspace="othr")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"write_level": "ONE"}, "at which consistency level does one read?"),
        ({"read_level": "ONE", "write_level": "ANY"}, "some node has kept a hint"),
        ({"read_level": "ANY", "write_level": "ONE"}, "ANY is a level of writes alone"),
        ({"read_level": "QOURUM", "write_level": "ONE"}, "did you mean QUORUM"),
    ],
)
def test_levels_that_mean_nothing(refusing, options: dict[str, str], said: str) -> None:
    assert said in refusing(TWO, 1, **options)


def test_an_unknown_data_centre(reading) -> None:
    with pytest.raises(QuorumError, match="no data centre dc3: did you mean"):
        reading(TWO, read_level="ONE", write_level="ONE", local_dc="dc3")


@pytest.mark.parametrize(
    ("replication", "said"),
    [
        ("{'class': 'NetworkTopologyStrategy', 'replication_factor': 3}", "every data centre that the cluster has"),
        ("{'class': 'NetworkTopologyStrategy', 'dc1': '3/1'}", "transient replicas"),
        ("{'class': 'NetworkTopologyStrategy', 'dc1': -3}", "cannot read|whole number"),
        ("{'class': 'NetworkTopologyStrategy', 'dc1': 'x'}", "whole number up to"),
        ("{'class': 'NetworkTopologyStrategy', 'dc1': 0}", "has no replicas"),
        ("{'class': 'NetworkTopologyStrategy'}", "has no replicas"),
        ("{'class': 'NetworkTopologyStrategy', 'dc1': 3, 'dc1': 3}", "dc1 is given twice"),
        ("{'class': 'NetworkTopologyStrategy' 'dc1': 3}", "a comma is missing"),
        ("{'class': 'NetworkTopologyStrategy', 'dc1': 3", "no closing }"),
        ("{'dc1': 3}", "names no class"),
        ("{'class': 'SimpleStrategy'}", "needs a replication_factor"),
        ("{'class': 'SimpleStrategy', 'replication_factor': 0}", "nobody would keep the data"),
        ("{'class': 'SimpleStrategy', 'dc1': 3}", "knows no dc1"),
        ("{'class': 'LocalStrategy'}", "nothing is replicated"),
        ("{'class: 3}", "a quote ' that is never closed"),
        ("3", "write replication = {"),
    ],
)
def test_mistakes(refusing, replication: str, said: str) -> None:
    message = refusing(f"-- a comment\nCREATE KEYSPACE ks\nWITH replication = {replication};", 3, read_level="ONE", write_level="ONE")
    assert any(part in message for part in said.split("|")), message
