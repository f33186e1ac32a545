"""Replica sets decide by MongoDB's own numbers."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrutator.model.quorums import Kind, QuorumError
from scrutator.model.quorums.files import FileError
from scrutator.model.quorums.files.mongodb import read_mongodb

PSA = """{
  _id: 'rs0',
  version: 3,
  term: Long("2"),
  members: [
    { _id: 0, host: 'p:27017', arbiterOnly: false, priority: 2, tags: { dc: 'east' }, secondaryDelaySecs: NumberLong(0), votes: 1 },
    { _id: 1, host: 's:27017', hidden: false, priority: 1, votes: 1, },  // trailing commas
    { _id: 2, host: 'a:27017', arbiterOnly: true, priority: 0, votes: 1 }
  ],
  settings: { getLastErrorModes: {}, getLastErrorDefaults: { w: 1, wtimeout: 0 }, replicaSetId: ObjectId('66'), at: new Date(5) }
}"""


def members(*given: dict[str, object], **settings: object) -> str:
    listed = [{"_id": k, "host": f"{chr(97 + k)}:1", **each} for k, each in enumerate(given)]
    return json.dumps({"_id": "rs", "members": listed, "settings": settings}, indent=1)


def test_arbiters_elect_but_do_not_acknowledge(reading) -> None:
    system = reading(PSA)
    assert str(system.roles["election"]) == "majority('p:27017', 's:27017', 'a:27017')"
    assert str(system.roles["commit"]) == "'p:27017'*'s:27017'"
    assert system.name == "rs0"
    assert system.node("a:27017").kind is Kind.WITNESS
    assert system.node("p:27017").region == "east"
    assert any("5.0 and later takes w: 1" in note for note in system.notes)


@pytest.mark.parametrize("wrap", ["rs.initiate({});", "rs0 [direct: primary] test> rs.conf()\n{}", "config = {}", "var cfg = {};", "{{config: {}, ok: 1}}"])
def test_scripts_and_answers(reading, wrap: str) -> None:
    text = wrap.replace("{{", "{").replace("}}", "}") if wrap[0] == "{" else wrap
    assert reading(text.replace("{}", PSA)) == reading(PSA)


def test_extended_json(reading) -> None:
    system = reading('{"members": [{"_id": {"$numberInt": "0"}, "host": "a:1", "votes": {"$numberInt": "1"}, "priority": {"$numberDouble": "1.0"}}]}')
    assert str(system.roles["commit"]) == "'a:1'"


_member = st.sampled_from([
    {}, {}, {"priority": 0}, {"priority": 5}, {"arbiterOnly": True}, {"arbiterOnly": True, "priority": 1}, {"votes": 0, "priority": 0},
])  # fmt: skip


@given(st.lists(_member, min_size=1, max_size=7), st.sampled_from([None, "majority", "1", "2", "3"]))
def test_quorums_are_what_mongodb_counts(given_: list[dict[str, object]], concern: str | None) -> None:
    hosts = [f"{chr(97 + k)}:1" for k in range(len(given_))]
    arbiter = {h: bool(m.get("arbiterOnly")) for h, m in zip(hosts, given_, strict=True)}
    votes = {h: m.get("votes", 1) == 1 for h, m in zip(hosts, given_, strict=True)}
    able = {h for h, m in zip(hosts, given_, strict=True) if not arbiter[h] and m.get("priority", 1) != 0}
    voting = [h for h in hosts if votes[h]]
    writable = [h for h in voting if not arbiter[h]]
    holders = [h for h in hosts if not arbiter[h]]
    try:
        system = read_mongodb(Path("rs"), members(*given_), write_concern=concern)
    except FileError:
        assert not able or (concern in ("2", "3") and int(concern) > len(holders))
        return
    number = int(concern) if concern in ("1", "2", "3") else None
    for size in range(len(hosts) + 1):
        for present in map(set, combinations(hosts, size)):
            elected = len(present & set(voting)) >= len(voting) // 2 + 1 and bool(present & able)
            assert system.roles["election"].is_quorum(present) == elected
            who, needed = (writable, min(len(voting) // 2 + 1, len(writable))) if number is None else (holders, number)
            written = len(present & set(who)) >= needed and bool(present & able)
            assert system.roles["commit"].is_quorum(present) == written


def test_tags_as_write_concern(reading) -> None:
    text = members(*({"tags": {"dc": dc}} for dc in "xxyz"), {"tags": {"ssd": "1"}}, getLastErrorModes={"two": {"dc": 2}})
    commit = reading(text, write_concern="two").roles["commit"]
    assert not commit.is_quorum({"a:1", "b:1", "e:1"})
    assert commit.is_quorum({"a:1", "d:1"})
    with pytest.raises(QuorumError, match="no write concern three: "):
        reading(text, write_concern="three")


def test_default_beyond_one_is_obeyed(reading) -> None:
    assert str(reading(members({}, {}, {}, {}, {}, getLastErrorDefaults={"w": 2})).roles["commit"]).startswith("choose(2, ")


@pytest.mark.parametrize(
    ("given_", "line", "said"),
    [
        ([{}, {"votes": 2}], 10, "votes is 2: MongoDB knows 0 and 1"),
        ([{"votes": 0}], 6, "priority above 0 without a vote"),
        ([{"arbiterOnly": True, "votes": 0, "priority": 0}], 6, "an arbiter without a vote"),
        ([{}, {"host": "a:1"}], 10, "a:1 is a member twice"),
        ([{}] * 8, 34, "8 members vote: MongoDB allows 7"),
        ([{"priority": 0}], 6, "no member has a priority above 0"),
        ([{"priority": "high"}], 6, "it is a number from 0 to 1000"),
        ([{"arbiterOnly": True}], 6, "no member has a priority above 0"),
        ([{"arbiterOnly": 1}], 6, "true or false"),
        ([{"tags": ["x"]}], 6, "tags are texts"),
    ],
)
def test_mistakes(refusing, given_: list[dict[str, object]], line: int, said: str) -> None:
    assert said in refusing(members(*given_), line)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("{members: [\n{host: 'a'\n votes: 1}]}", 3, "neither JSON nor what the shell prints"),
        ("{members: [{host: 'a', x: f(1}]}", 1, "f( is never closed"),
        ("{members: [{host: 'a'\n,x: `y`}]}", 2, "unexpected '`'"),
        pytest.param("{members: [{host: 'a', y: " + "[" * 100_000, 1, "nested too deep", id="deep"),
        ('{"members": [{"host": "a", "votes": NaN}]}', 1, "NaN is no value"),
    ],
)
def test_what_is_no_configuration(refusing, text: str, line: int, said: str) -> None:
    assert said in refusing(text, line)


def test_too_large_a_write_concern(refusing) -> None:
    assert "no write would ever finish" in refusing(members({}, {}), 6, write_concern="3")
    assert "waits for nobody" in refusing(members({}, {}), 6, write_concern="0")
