"""Files of any kind: told apart by content, limited in size, never a crash."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scrutator.model.quorums import QuorumError
from scrutator.model.quorums.federated import FederatedSystem, Missing
from scrutator.model.quorums.files import CHARACTERS_MAX, FORMATS, FileError, read
from scrutator.model.quorums.files.errors import read_text

SAMPLES = {
    "toml": 'nodes = ["a", "b", "c"]\n[nodes2]\n[quorums]\nquorum = "majority(a, \'b\') + c"\n',
    "zookeeper": "server.1=h:1:2\nserver.2=h:3:4\ngroup.1=1\ngroup.2 = 2\nweight.1: 3\\\n0\n",
    "cassandra": "CREATE KEYSPACE k WITH replication = {'class': 'NetworkTopologyStrategy', 'dc': 3} -- so\n; CONSISTENCY ONE;",
    "cockroachdb": "ALTER RANGE r CONFIGURE ZONE USING num_replicas = 3, num_voters = 3, constraints = '{+region=a: 1}', voter_constraints='[+region=a]'",
    "mongodb": "{_id: 'r', members: [{host: 'a', votes: NumberInt(1)}, {\"host\": 'b', priority: 0, arbiterOnly: true}], settings: {x: [ISODate('1')]}}",
    "omnipaxos": "[cluster_config]\nconfiguration_id = 1\nnodes = [1, 2, 3, 4]\nflexible_quorum = { read_quorum_size = 3, write_quorum_size = 2 }\n",
    "kafka": "process.roles=controller\ncontroller.quorum.voters=1@a:1,2@b:2\nmin.insync.replicas=2",
}


@pytest.mark.parametrize("name", [name for name in FORMATS if name in SAMPLES])
def test_formats_are_told_apart(name: str) -> None:
    text = SAMPLES[name]
    assert next(each.name for each in FORMATS.values() if each.recognises(text, Path("file"))) == name


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_is_in_a_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(SAMPLES)))
    text = SAMPLES[name]
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(text)))
        gone = data.draw(st.integers(0, 6))
        put = data.draw(st.text(alphabet="'\"{}[]():;=,.&*+-\\/#\n 019aé@$|%", max_size=3) | st.sampled_from(sorted(SAMPLES.values())))
        text = text[:at] + put + text[at + gone :]
    path = tmp_path_factory.getbasetemp() / "mutated"
    path.write_text(text, encoding="utf-8")
    try:
        read(path, format=data.draw(st.sampled_from([None, name])))
    except FileError as error:
        assert str(error).startswith(f"{path}:{error.line}: ")
        assert error.line is not None and 1 <= error.line <= text.count("\n") + 1


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="nowhere: there is no such file"):
        read(tmp_path / "nowhere")
    with pytest.raises(FileError, match="a directory; name the file in it"):
        read(tmp_path)
    (tmp_path / "latin").write_bytes("nodes = ['a']\nname = 'é'".encode("latin-1"))
    with pytest.raises(FileError, match=r"latin:2: not UTF-8 text: byte 0xe9"):
        read(tmp_path / "latin")
    (tmp_path / "empty").write_text(" \n")
    with pytest.raises(FileError, match=r"empty:1: empty: write for instance"):
        read(tmp_path / "empty")
    (tmp_path / "prose").write_text("Dear all")
    with pytest.raises(FileError, match=r"prose:1: no format that is known.*zookeeper \(zoo.cfg"):
        read(tmp_path / "prose")
    (tmp_path / "large.toml").write_text("#" * (CHARACTERS_MAX + 1))
    with pytest.raises(FileError, match="no toml file of quorums is"):
        read(tmp_path / "large.toml")
    with pytest.raises(FileError, match="larger than 5 bytes"):
        read_text(tmp_path / "prose", bytes_max=5)
    with pytest.raises(FileError, match="not the name of a file"):
        read("a\0b")


def test_a_byte_order_mark_and_foreign_line_ends(tmp_path: Path) -> None:
    (tmp_path / "q").write_bytes(b"\xef\xbb\xbfserver.1=h:1:2\r\nserver.2=h:1:2\r\n")
    assert read(tmp_path / "q").nodes[1].name == "2"


def test_formats_and_options_are_checked(tmp_path: Path) -> None:
    (tmp_path / "q").write_text(SAMPLES["cassandra"])
    with pytest.raises(QuorumError, match="no format casandra: did you mean cassandra"):
        read(tmp_path / "q", format="casandra")
    with pytest.raises(QuorumError, match="no option read_lvl: did you mean read_level"):
        read(tmp_path / "q", read_lvl="ONE")
    (tmp_path / "z").write_text(SAMPLES["zookeeper"])
    with pytest.raises(QuorumError, match="read as zookeeper: it has no options"):
        read(tmp_path / "z", read_level="ONE")
    with pytest.raises(FileError, match="q:1: unexpected '='; save what"):
        read(tmp_path / "q", format="mongodb")


def test_kafka_is_a_majority_of_controllers_or_nothing(reading, refusing) -> None:
    system = reading(SAMPLES["kafka"])
    assert str(system.roles["election"]) == "'1'*'2'"
    assert any("replicas of partitions are another matter" in note for note in system.notes)
    assert "are no fixed quorum system" in refusing("broker.id=1\nmin.insync.replicas=2\n", 2)
    assert "whom to ask for the voters" in refusing("controller.quorum.bootstrap.servers=a:1\nmin.insync.replicas=2", 1)
    voters = "controller.quorum.voters"
    assert "given twice" in refusing(f"{voters}=1@a:1\n{voters}=2@b:1", 2)
    assert "voter 1 is given twice" in refusing(f"{voters}=1@a:1,1@b:1", 1)
    assert "two voters are at a:1" in refusing(f"{voters}=1@a:1,2@a:1", 1)
    assert "is not a voter" in refusing(f"{voters}=1@a:1,b:1", 1)
    assert "only the controllers of Kafka" in refusing("broker.id=1\n", 1)


def test_federated_systems_are_read_too(tmp_path: Path) -> None:
    (tmp_path / "nodes.json").write_text('[{"publicKey": "a", "quorumSet": {"threshold": 1, "validators": ["a"]}}, {"publicKey": "b"}]')
    system = read(tmp_path / "nodes.json", missing="free")
    assert isinstance(system, FederatedSystem)
    assert system.missing is Missing.FREE
    with pytest.raises(QuorumError, match="no option read_level: the options are missing"):
        read(tmp_path / "nodes.json", read_level="ONE")


def test_omnipaxos_has_majorities_or_two_sizes(reading, refusing) -> None:
    system = reading(SAMPLES["omnipaxos"])
    assert str(system.roles["phase1"]) == "majority('1', '2', '3', '4')"
    assert str(system.roles["phase2"]) == "choose(2, '1', '2', '3', '4')"
    assert [str(rule) for rule in system.rules] == ["phase1 & phase2"]
    start = "[cluster_config]\n"
    assert str(reading(f"{start}nodes = [7, 8]\n[server_config]\npid = 7").roles["phase2"]) == "'7'*'8'"
    assert "nodes = [1, 2, 3]" in refusing(start, 1)
    assert "node 1 is given twice" in refusing(f"{start}nodes = [1, 1]", 2)
    assert "'a' is not the number of a node" in refusing(f"{start}nodes = ['a']", 2)
    sizes = f"{start}nodes = [1, 2]\n[cluster_config.flexible_quorum]\n"
    assert "read_quorum_size is 3: it is a whole number from 1 to 2" in refusing(f"{sizes}read_quorum_size = 3", 4)
    assert "write_quorum_size is missing" in refusing(f"{sizes}read_quorum_size = 2", 3)
    assert "did you mean read_quorum_size" in refusing(f"{sizes}red_quorum_size = 2", 4)
