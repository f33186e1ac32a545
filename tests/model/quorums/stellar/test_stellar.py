"""Stellar's files: what they say, what is taken for granted, and what is refused, with its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrutator.model.quorums.expression import AtLeast, Node, QuorumError, choose, majority, nodes
from scrutator.model.quorums.federated import FederatedSystem, Missing
from scrutator.model.quorums.files.errors import FileError
from scrutator.model.quorums.stellar import read_groups, read_stellar, recognises

KEYS = (
    "GCJVK27XZGYRWKQQJWNBD5ZRHTLEBLRRM6QA2RVVBRPIRKGUSUI3X733",
    "GAAV2GCVFLNN522ORUYFV33E76VPC22E72S75AQ6MBR5V45Z5DWVPWEU",
)


def read(data: object, **options: str) -> FederatedSystem:
    text = data if isinstance(data, str) else json.dumps(data, indent=1)
    return read_stellar(Path("net.json"), text, **options)  # type: ignore[arg-type]


def refused(data: object, *words: str, line: int) -> None:
    with pytest.raises(FileError) as caught:
        read(data)
    assert str(caught.value).startswith(f"net.json:{line}: "), str(caught.value)
    for word in words:
        assert word in str(caught.value)


def node(name: str, threshold: object, validators: list[object], inner: list[object] | None = None) -> dict[str, object]:
    return {"publicKey": name, "quorumSet": {"threshold": threshold, "validators": validators, "innerQuorumSets": inner or []}}


def test_nodes_of_crawlers() -> None:
    inner = {"threshold": 1, "validators": ["c", "d"]}
    first = {**node("a", 2, ["a", "b"], [inner]), "geoData": {"countryName": "Chile"}, "active": False}
    system = read([first, node("b", 3, ["a", "a", "b"]), {"publicKey": "c", "quorumSet": None}])
    a, b, c, d = nodes("a b c d")
    assert system.slices["a"] == AtLeast(2, ((1, a), (1, b), (1, AtLeast(1, ((1, c), (1, d))))))
    assert system.names() == ("a", "b", "c", "d") and system.without_set() == ("c", "d")
    assert system.regions() == {"a": "Chile"}
    assert system.is_satisfied("b", {"a", "b"})  # a counts twice
    said = "; ".join(system.notes)
    for words in ("1 nodes that the file calls inactive", "in no quorum (2 are such)", "1 member of quorum sets", "twice"):
        assert words in said
    assert read([first], missing="free").missing is Missing.FREE


def test_thresholds_that_nobody_reaches_are_noted() -> None:
    system = read([node("a", 2**53 - 1, []), node("b", 4, ["a", "b"]), node("c", 0, [])])
    assert system.greatest_quorum() == {"c"}
    said = "; ".join(system.notes)
    assert "1 quorum set of no members" in said and "1 threshold above" in said and "1 threshold of 0" in said


def test_stellar_core() -> None:
    system = read({"nodes": [{"node": KEYS[0], "qset": {"t": 1, "v": [KEYS[1], {"t": 1, "v": [KEYS[0]]}]}}]})
    assert system.is_quorum({KEYS[0]}) and system.without_set() == (KEYS[1],)


def test_python_fbas() -> None:
    sets = {"q": {"threshold": 2, "members": ["a", "r"]}, "r": {"threshold": 1, "members": ["b", "c"]}}
    system = read({"validators": [{"id": "a", "qset": "q", "attrs": {}}, {"id": "b", "qset": None}], "qsets": sets})
    assert str(system.slices["a"]) == "a*(b + c)" and system.names() == ("a", "b", "c")


def test_configuration() -> None:
    text = (
        '[QUORUM_SET]\nTHRESHOLD_PERCENT=67\nVALIDATORS=["GABC alice", "$bob", "carol"]\n'
        '[QUORUM_SET.OTHERS]\nTHRESHOLD_PERCENT=50\nVALIDATORS=["dave", "eve"]\n'
    )
    assert recognises(text, Path("stellar-core.cfg"))
    system = read(text)
    assert str(system.slices["eve"]) == "majority(alice, bob, carol, dave + eve)"
    assert set(system.names()) == {"alice", "bob", "carol", "dave", "eve"} and "one node" in system.notes[0]


def test_configuration_by_quality() -> None:
    text = "".join(f'[[HOME_DOMAINS]]\nHOME_DOMAIN="{d}"\nQUALITY="{q}"\n' for d, q in (("x", "HIGH"), ("y", "HIGH"), ("z", "LOW")))
    for domain, count in (("x", 3), ("y", 5), ("z", 2)):
        text += "".join(f'[[VALIDATORS]]\nNAME="{domain}{k}"\nHOME_DOMAIN="{domain}"\nPUBLIC_KEY="G"\n' for k in range(count))
    domains = [[Node(f"{domain}{k}") for k in range(count)] for domain, count in (("x", 3), ("y", 5), ("z", 2))]
    low = choose(1, [majority(domains[2])])
    assert read(text).slices["z0"] == choose(3, [majority(domains[0]), majority(domains[1]), low])


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("[QUORUM_SET]\nVALIDATORS=[]\n", 1, "names nobody"),
        ("[QUORUM_SET]\nTHRESHOLD_PERCENT=101\nVALIDATORS=['a']\n", 2, "from 1 to 100"),
        ("[QUORUM_SET]\nVALIDATORS=['a']\nTRESHOLD=3\n", 3, "TRESHOLD"),
        ("[QUORUM_SET]\nVALIDATORS=[3]\n", 2, "among its texts"),
        ("[QUORUM_SET.a.b.c.d]\nVALIDATORS=['a']\n", 1, "more than 4 deep"),
        ("[[VALIDATORS]]\nNAME='a'\nHOME_DOMAIN='x'\n", 2, "no QUALITY"),
        ("[[VALIDATORS]]\nNAME='a'\nHOME_DOMAIN='x'\nQUALITY='HIGH'\n", 3, "3 or more"),
        ("[[HOME_DOMAINS]]\nHOME_DOMAIN='x'\nQUALITY='HIGH'\n", 1, "no [[VALIDATORS]]"),
    ],
)
def test_configurations_that_are_refused(text: str, line: int, words: str) -> None:
    refused(text, words, line=line)


def test_what_is_refused() -> None:
    refused('[\n{"publicKey": "a",\n"quorumSet": {"threshold": "2", "validators": []}}]', "whole number", line=3)
    refused('[\n{"publicKey": "a", "quorumSet": {\n"threshold": -1, "validators": ["a"]}}]', "1 or more", line=3)
    refused('[\n{"publicKey": "a", "quorumSet": {\n"threshold": true, "validators": ["a"]}}]', "whole number", line=3)
    refused('[\n{"publicKey": "a", "quorumSet": {\n"validators": ["a"]}}]', 'without "threshold"', line=2)
    refused('[\n{"publicKey": "a", "quorumSet": {\n"threshold": 1,\n"validators": []}}]', "names nobody", line=3)
    refused('[\n{"publicKey": "a", "quorumSet": {"threshold": 1,\n"validators": [\n"b",\n7]}}]', "7 is not a node's key", line=5)
    refused('[\n{"publicKey": "a", "quorumSet": {"threshold": 1,\n"validators": "b"}}]', "it is an array", line=3)
    refused('[\n{"publicKey": "a"},\n{"publicKey": "a"}]', "described twice", line=3)
    refused('[\n{"publicKey": "a"},\n{}]', 'without "publicKey"', line=3)
    refused('[\n{"publicKey": "a"},\n"b"]', "not a node", line=3)
    refused('[\n{"publicKey": "a"},\n{"publicKey": ""}]', "not a node's key", line=3)
    refused('[\n{"publicKey": "a",\n"quorumSet": [],\n"name": "x",\n"name": "y"}]', "given twice", line=5)
    refused('[\n{"publicKey": "a",\n}]', "not JSON", line=3)
    refused('[\n{"publicKey": NaN}]', "NaN", line=1)


def test_what_is_refused_of_stellar_core() -> None:
    qset = {"t": 1, "v": [KEYS[0]]}
    refused({"nodes": [{"node": "Short", "qset": qset}]}, "a G and 55 more", line=4)
    refused({"nodes": [{"node": KEYS[0][:-1] + "4", "qset": qset}]}, "checksum", line=4)
    refused({"nodes": [{"node": KEYS[0], "qset": {"t": "1", "v": [KEYS[0]]}}]}, "whole number", line=6)
    refused({"nodes": [{"node": KEYS[0], "qset": {"t": 1}}]}, 'no "v"', line=5)
    refused({"nodes": [{"node": KEYS[0]}, {"node": KEYS[0]}]}, "described twice", line=7)


def test_what_is_refused_of_python_fbas() -> None:
    a = {"id": "a", "qset": "q"}
    circle = {"q": {"threshold": 1, "members": ["r"]}, "r": {"threshold": 1, "members": ["q"]}}
    refused({"validators": [a], "qsets": {}}, "no quorum set is called", line=5)
    refused({"validators": [a], "qsets": circle}, "in a circle: q -> r -> q", line=9)
    refused({"validators": [{"id": "q", "qset": None}], "qsets": {"q": {"threshold": 1, "members": ["q"]}}}, "rename one", line=4)
    refused({"validators": [a, a], "qsets": circle}, "described twice", line=8)


def test_nothing_is_too_deep_or_too_odd() -> None:
    deep: object = {"threshold": 1, "validators": ["a"]}
    for _ in range(25):
        deep = {"threshold": 1, "innerQuorumSets": [deep]}
    with pytest.raises(FileError, match="nested more than 20 deep"):
        read([{"publicKey": "a", "quorumSet": deep}])
    with pytest.raises(FileError, match=r"too deep|not JSON"):
        read('[{"publicKey": "a", "x": ' + "[" * 100_000)
    with pytest.raises(FileError, match="no description"):
        read("hello")
    with pytest.raises(FileError, match="organisations"):
        read([{"name": "x", "validators": ["a"]}])
    with pytest.raises(QuorumError, match="unsatisfiable or free"):
        read([{"publicKey": "a"}], missing="perhaps")
    with pytest.raises(QuorumError, match="no rules"):
        read_stellar(Path("x"), "[]", rules=("quorum & quorum",))


junk = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 3) | st.sampled_from(["a", "b", ""]) | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["publicKey", "quorumSet", "threshold", "validators", "innerQuorumSets", "geoData", "id", "qset",
                                       "qsets", "members", "nodes", "node", "t", "v"]), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(st.one_of(
    st.builds(lambda a, b: [{"publicKey": "k", "quorumSet": a}, {"publicKey": b}], junk, junk),
    st.builds(lambda a, b: {"nodes": [{"node": KEYS[0], "qset": a}, b]}, junk, junk),
    st.builds(lambda a, b: {"validators": [{"id": "k", "qset": "q"}, a], "qsets": {"q": b}}, junk, junk),
    st.builds(lambda a: {"validators": [{"id": "k", "qset": a}], "qsets": {}}, junk),
))  # fmt: skip
def test_any_json_is_read_or_refused_with_its_line(data: object) -> None:
    try:
        read(data)
    except FileError as error:
        assert error.line is not None and 1 <= error.line <= json.dumps(data, indent=1).count("\n") + 1


def groups(data: object, key: str = "organisation") -> dict[str, str]:
    return read_groups(Path("net.json"), json.dumps(data), key)


def test_groups() -> None:
    assert groups([{"name": "x", "validators": ["a", "b"]}, {"name": "y", "validators": []}]) == {"a": "x", "b": "x"}
    listed = [{"publicKey": "a", "homeDomain": "x.org", "isp": "i", "geoData": {"countryName": "Chile"}}, {"publicKey": "b"}]
    assert groups(listed) == groups(listed, "domain") == {"a": "x.org"}
    assert groups(listed, "country") == {"a": "Chile"} and groups(listed, "isp") == {"a": "i"}
    assert groups({"validators": [{"id": "a", "attrs": listed[0]}], "qsets": {}}, "country") == {"a": "Chile"}
    with pytest.raises(FileError, match="is in x and in y"):
        groups([{"name": "x", "validators": ["a"]}, {"name": "y", "validators": ["a"]}])
    with pytest.raises(QuorumError, match="not by colour"):
        groups([], "colour")
    with pytest.raises(FileError, match="organisations does not tell"):
        groups([{"name": "x", "validators": ["a"]}], "country")


@pytest.mark.parametrize("text", ["", "[1]", "{}", '{"a": 1}', "[nodes]", 'nodes = ["a"]', '[{"name": "x", "validators": []}]'])
def test_other_files_are_not_taken_for_ours(text: str) -> None:
    assert not recognises(text, Path("file.json"))
