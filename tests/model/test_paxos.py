"""Paxos, step by step, and the variants that a model checker should and should not refute."""

from __future__ import annotations

from typing import Any

import pytest

from scrutator.checker.explore.check import check
from scrutator.checker.explore.result import PropertyKind
from scrutator.checker.verdict import Verdict
from scrutator.model.catalogue import load
from scrutator.model.paxos import SPEC

Steps = Any


@pytest.fixture
def paxos(stepper: Any) -> Steps:
    return stepper(SPEC)


def begin(paxos: Steps, ballot: int, *acceptors: int) -> None:
    paxos.step("prepare", ballot)
    for a in acceptors:
        answer(paxos, "promise", a, ballot)


def vote(paxos: Steps, ballot: int, *acceptors: int) -> None:
    for a in acceptors:
        answer(paxos, "accept", a, ballot)


def answer(paxos: Steps, action: str, acceptor: int, ballot: int) -> None:
    """The acceptor takes the one message of this ballot that the action is about."""
    (message,) = [m for a, m in paxos.enabled(action) if a == acceptor and m.ballot == ballot]
    paxos.step(action, acceptor, message)


def test_a_majority_chooses(paxos: Steps) -> None:
    begin(paxos, 1, 0)
    assert paxos.enabled("propose") == [], "one promise is no quorum"
    answer(paxos, "promise", 1, ballot=1)
    assert paxos.enabled("propose") == [(1, 0), (1, 1)], "nobody has voted: any value will do"
    paxos.step("propose", 1, 1)
    vote(paxos, 1, 0)
    assert not paxos.holds("something_chosen")
    vote(paxos, 1, 2)
    assert paxos.holds("something_chosen")
    assert paxos.violated() == []


def test_a_later_ballot_takes_the_highest_vote(paxos: Steps) -> None:
    begin(paxos, 1, 0, 1)
    paxos.step("propose", 1, 1)
    vote(paxos, 1, 0)
    begin(paxos, 2, 0, 1)
    assert paxos.enabled("propose") == [(2, 1)]


def test_a_quorum_that_has_not_voted_leaves_the_choice(paxos: Steps) -> None:
    begin(paxos, 1, 0, 1)
    paxos.step("propose", 1, 1)
    vote(paxos, 1, 0)
    begin(paxos, 2, 1, 2)
    assert paxos.enabled("propose") == [(2, 0), (2, 1)]
    paxos.step("propose", 2, 0)
    vote(paxos, 2, 1)
    assert paxos.holds("values_compete")
    assert paxos.violated() == []


def test_a_promise_binds(paxos: Steps) -> None:
    begin(paxos, 1, 0, 1)
    paxos.step("propose", 1, 0)
    begin(paxos, 2, 0)
    assert [a for a, m in paxos.enabled("accept")] == [1, 2]


@pytest.mark.parametrize(
    ("phase1", "phase2"),
    [("majority", "majority"), ("all", "1"), ("1", "all"), ("a*b + c", "a*c + b*c"), ("a", "a")],
)
def test_any_quorums_that_meet_agree(phase1: str, phase2: str) -> None:
    result = check("paxos", bounds={"ballots": 2, "phase1": phase1, "phase2": phase2})
    assert not violated(result)


def test_agreement_holds_without_the_promise_in_a_vote_if_the_highest_vote_is_kept(tmp_path: Any) -> None:
    """The control of `vote_without_promise`: a vote need not raise the promise, as long as the
    acceptor tells of its highest vote and not of its latest."""
    path = tmp_path / "control.py"
    path.write_text(
        CONTROL.format(source=SPEC.state.__module__),
        encoding="utf-8",
    )
    result = check(str(path), mutant="keep_highest_vote", properties=("agreement", "votes_safe"), bounds={"ballots": 3})
    assert not violated(result)
    assert result.distinct > check("paxos").distinct, "acceptors now do more than they should"


CONTROL = """
from {source} import SPEC, record_vote

@SPEC.mutant(replaces=record_vote, breaks="agreement")
def keep_highest_vote(s, a, b, v):
    if b > s.voted_ballot[a]:
        s.voted_ballot[a] = b
        s.voted_value[a] = v
"""


def violated(result: Any) -> list[str]:
    return [p.name for p in result.properties if p.kind is not PropertyKind.REACHABLE and p.verdict is Verdict.VIOLATED]


def test_restarts_change_nothing() -> None:
    counts = {check("paxos", bounds={"ballots": 2, "crashes": crashes}).distinct for crashes in (False, True)}
    assert len(counts) == 1
    assert load("paxos") is SPEC
