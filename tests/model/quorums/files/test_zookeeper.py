"""ZooKeeper's quorums are those that its own arithmetic gives."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrutator.model.quorums import Kind, QuorumError, minimal_quorums
from scrutator.model.quorums.files import FileError, read
from scrutator.model.quorums.files.zookeeper import read_zookeeper

SERVERS = "".join(f"server.{k}=host{k}:2888:3888\n" for k in (1, 2, 3))


@st.composite
def hierarchies(draw: st.DrawFn) -> tuple[dict[int, list[int]], dict[int, int]]:
    """Groups of servers, and the weights of some of them."""
    count = draw(st.integers(1, 8))
    groups: dict[int, list[int]] = {}
    for server in range(1, count + 1):
        groups.setdefault(draw(st.integers(1, 4)), []).append(server)
    return groups, draw(st.dictionaries(st.integers(1, count), st.integers(0, 4)))


def decides(groups: dict[int, list[int]], weights: dict[int, int], present: set[int]) -> bool:
    """What QuorumHierarchical computes: the weight present in each group, then the groups won."""
    total = {g: sum(weights.get(s, 1) for s in servers) for g, servers in groups.items()}
    count = len([g for g in groups if total[g] != 0])
    here: dict[int, int] = {}
    for g, servers in groups.items():
        for s in servers:
            if s in present:
                here[g] = here.get(g, 0) + weights.get(s, 1)
    won = sum(1 for g, weight in here.items() if weight > total[g] // 2)
    return bool(present) and won > count // 2


@given(hierarchies())
def test_quorums_are_what_zookeeper_computes(drawn: tuple[dict[int, list[int]], dict[int, int]]) -> None:
    groups, weights = drawn
    text = "".join(f"group.{g}={':'.join(map(str, servers))}\n" for g, servers in groups.items())
    text += "".join(f"weight.{s}={weight}\n" for s, weight in weights.items())
    servers = [s for group in groups.values() for s in group]
    if all(weights.get(s, 1) == 0 for s in servers):
        with pytest.raises(FileError, match="every group weighs 0"):
            read_zookeeper(Path("zoo.cfg"), text)
        return
    quorum = read_zookeeper(Path("zoo.cfg"), text).roles["election"]
    for mask in range(1 << len(servers)):
        present = {s for k, s in enumerate(servers) if mask >> k & 1}
        assert quorum.is_quorum({str(s) for s in present}) == decides(groups, weights, present)


def test_a_majority_of_participants_without_groups(reading) -> None:
    system = reading("tickTime=2000\n" + SERVERS + "server.4=host4:2888:3888:observer;2181\n")
    assert str(system.roles["election"]) == "majority('1', '2', '3')"
    assert system.roles["commit"] is system.roles["election"]
    assert system.node("4").kind is Kind.LEARNER
    assert [str(rule) for rule in system.rules] == ["election & election", "election & commit"]


def test_addresses_and_escapes_of_the_dynamic_configuration(reading) -> None:
    text = (
        "version=100000000\n"
        "server.1=[2001:db8::1]:2888:3888:participant;[::]:2181\n"
        "server.2=a:2888:3888|b:2889:3889:PARTICIPANT;2181\n"
        "server.3=host3\\:2888\\:3888\\:observer\n"
    )
    assert str(reading(text).roles["commit"]) == "'1'*'2'"


def test_real_configurations(config) -> None:
    grid = read(config("zk_doc_3x3.cfg")).roles["election"]
    assert [len(q) for q in minimal_quorums(grid)] == [4] * 27
    assert min(len(q) for q in minimal_quorums(grid.dual())) == 4
    assert str(read(config("zk_zeroweight_group.cfg")).roles["election"]) == "majority('1', '2', '3')"


def test_a_dictator_is_named(config) -> None:
    system = read(config("zk_dictator_weight10.cfg"))
    assert [sorted(q) for q in minimal_quorums(system.roles["election"])] == [["1"]]
    assert "server 1 is a quorum by itself, though 3 servers count: it decides alone" in system.notes


def test_what_goes_wrong_in_silence_is_refused(config) -> None:
    with pytest.raises(FileError, match=r"zk_negative_weight_SPLIT.cfg:4: the weight of server 3 is -1"):
        read(config("zk_negative_weight_SPLIT.cfg"))
    with pytest.raises(FileError, match=r"cfg:3: group.2 is given twice.*servers 4, 5 and 6 would be in no group"):
        read(config("zk_duplicate_group_key.cfg"))


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("group.1=1:2:3\ngroup.2=3:4\n", 2, "server 3 is in group 1 and group 2"),
        ("group.1=1:2:1\n", 1, "server 1 is in group 1 twice"),
        ("group.1=1:x\n", 1, "a server in a group is a whole number, not 'x'"),
        ("group.1=1:2\nweight.1=heavy\n", 2, "a weight is a whole number"),
        ("group.1=1:2\nweight.1=1.5\n", 2, "a weight is a whole number"),
        ("group.1=1:2\nweight.3=1\n", 2, "server 3 is neither among the servers nor in a group"),
        ("group.1=1:2\nweight.1=1\nweight.1=2\n", 3, "weight.1 is given twice, first in line 2"),
        ("group.1=1\nweight.1=9223372036854775808\n", 1, "more than a Java long holds"),
        (SERVERS + "group.1=1:2:3:4\n", 4, "group 1 names server 4, but there is no server.4"),
        (SERVERS + "group.1=1:2\n", 3, "server 3 is in no group"),
        (SERVERS + "weight.1=2\n", 1, "servers 1, 2 and 3 are in no group"),
        (SERVERS + "server.4=h:1:2:observer\ngroup.1=1:2:3:4\n", 5, "server 4 is an observer, yet in group 1"),
        (SERVERS + "server.3=h:1:2\n", 4, "server.3 is given twice"),
        (SERVERS + "oraclePath=/x\n", 4, "an oracle decides"),
        ("server.1=h:1:2:observer\n", 1, "all servers only observe"),
        ("server.1=h:1:2:voter\n", 1, "write host:2888:3888"),
        ("server.1=h:1:2\ngroup1=1\n", 2, "write group.1"),
    ],
)
def test_mistakes(refusing, text: str, line: int, said: str) -> None:
    assert said in refusing(text, line)


def test_servers_in_another_file(refusing) -> None:
    assert "another file, /etc/zoo.dyn" in refusing("\ndynamicConfigFile=/etc/zoo.dyn\n", 2, format="zookeeper")


def test_other_rules_may_be_asked_for(reading) -> None:
    system = reading(SERVERS, rules=("election & commit >= 2",))
    assert [str(rule) for rule in system.rules] == ["election & commit >= 2"]
    assert any("asked for" in note for note in system.notes)
    with pytest.raises(QuorumError, match="no role lease"):
        reading(SERVERS, rules=("election & lease",))
