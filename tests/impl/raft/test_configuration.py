"""Configurations: majorities, quorums of one's own, learners, joint ones."""

from __future__ import annotations

from itertools import combinations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrutator.impl.raft import Configuration, Members, Raft, Role, configuration
from scrutator.impl.raft.state import Options, Progress
from scrutator.model.quorums import QuorumError


def subsets(servers: str) -> list[set[str]]:
    return [set(part) for size in range(len(servers) + 1) for part in combinations(servers, size)]


def test_an_empty_expression_is_a_majority() -> None:
    plain, written = configuration("abcd"), configuration("abcd", election="majority", commit="majority")
    for servers in subsets("abcd"):
        assert plain.elects(servers) == written.elects(servers) == (len(servers) >= 3)
        assert plain.commits(servers) == written.commits(servers)


def test_elections_and_commitment_have_quorums_of_their_own() -> None:
    rows = configuration("abcd", election="(a+b)*(c+d)", commit="a*b + c*d")
    assert rows.elects("ac") and not rows.elects("ab")
    assert rows.commits("ab") and not rows.commits("ac")


def test_learners_do_not_count() -> None:
    c = configuration("abc", "de")
    assert not c.commits("ade") and c.commits("ab")
    assert c.servers == tuple("abcde") and c.voters == tuple("abc")


def test_a_joint_configuration_needs_both() -> None:
    joint = configuration("abc").entering(configuration("cde").members)
    assert joint.joint and joint.voters == tuple("cdeab")
    for servers in subsets("abcde"):
        both = len(servers & set("abc")) >= 2 and len(servers & set("cde")) >= 2
        assert joint.elects(servers) == joint.commits(servers) == both
    assert joint.left() == configuration("cde")


def test_a_demoted_voter_votes_until_the_joint_configuration_is_left() -> None:
    joint = configuration("abc").entering(configuration("a").members, ("c", "d"))
    assert joint.learners_next == ("c",) and "c" in joint.voters
    assert joint.commits("ac") and not joint.commits("ad")
    assert joint.left() == configuration("a", "cd") and joint.left().learners_next == ()


def test_servers_are_promoted_demoted_and_removed() -> None:
    c = configuration("ab", "c")
    assert c.with_voter("c") == configuration("abc")
    assert c.with_voter("a") == c and c.with_learner("c") == c
    assert c.with_learner("b") == configuration("a", "cb")
    assert c.without("b").without("c") == configuration("a") and c.without("x") == c


@pytest.mark.parametrize(
    ("voters", "learners", "election", "message"),
    [
        ("", "", "", "at least one voter"),
        ("ab", "bc", "", "b cannot be voter and learner at once"),
        ("ab", "", "a*x", "x"),
    ],
)
def test_what_is_wrong_is_named(voters: str, learners: str, election: str, message: str) -> None:
    with pytest.raises(QuorumError, match=message):
        configuration(voters, learners, election=election)


def test_survives_the_wire() -> None:
    joint = configuration("abc", election="a*b*c").entering(Members(("a",)), ("b",), auto_leave=False)
    assert msgspec.json.decode(msgspec.json.encode(joint), type=Configuration) == joint


@given(
    st.lists(st.integers(0, 9), min_size=5, max_size=5),
    st.sampled_from(["", "a*b + c*d*e", "(a+b)*(c+d)", "choose(4, [a, b, c, d, e])"]),
    st.booleans(),
)
def test_the_commit_index_is_the_largest_that_a_quorum_stores(match: list[int], commit: str, joint: bool) -> None:
    now = configuration("abcde", commit=commit)
    if joint:
        now = configuration("ab").entering(now.members, auto_leave=False)
    core = Raft("x", now, Options(), term=1)
    core.role = Role.LEADER
    for _ in range(9):
        core.propose(0, b"")
    stored = dict(zip("abcde", match, strict=True))
    core.progress = {server: Progress(1, index) for server, index in stored.items()}
    core.advance_commit()
    assert core.commit == max(k for k in range(10) if k == 0 or now.commits({s for s in stored if stored[s] >= k}))


def test_nobody_is_counted_twice() -> None:
    with pytest.raises(QuorumError, match="a is named twice"):
        configuration("aab")
    with pytest.raises(QuorumError, match="d is named twice"):
        configuration("abc", "dd")
