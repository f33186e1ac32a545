"""What etcd's majorities and joint majorities commit and elect, ours commit and elect.

The cores decide: a leader with these matches advances its commit index; a candidate that is told these votes
wins, loses or waits.  Servers are named 1, 2, ..; the core that counts is none of them.
"""

from __future__ import annotations

import pytest
from datadriven import Case, cases, files, needs_data

from scrutator.impl.raft import Configuration, Entry, Members, Options, Raft, Received, Role, configuration
from scrutator.impl.raft.messages import Vote
from scrutator.impl.raft.mutants import MUTANTS
from scrutator.impl.raft.state import Progress
from scrutator.model.quorums import QuorumError

CASES = [case for path in files("quorum/testdata") for case in cases(path)]

# No servers at all: for etcd they elect everybody and commit everything, here no such cluster can be made.
EMPTY = {"VoteWon", "<empty majority quorum>∞"}


def voters(case: Case) -> list[str]:
    return [str(int(name)) for name in case.list("cfg")]


def joined(case: Case) -> Configuration:
    """The configuration of a case; ``cfgj=zero`` is a joint one without outgoing voters, hence not joint."""
    now = configuration(voters(case))
    if case.options.get("cfgj", "zero") == "zero":
        return now
    old = Members(tuple(case.list("cfgj")))
    return Configuration(now.members, outgoing=old, auto_leave=False)


def given(case: Case, option: str) -> dict[str, str]:
    """What each server says; it says nothing where a case has an underscore."""
    values = case.list(option)
    servers = joined(case).voters
    assert len(values) == len(servers)
    return {server: value for server, value in zip(servers, values, strict=True) if value != "_"}


def committed(case: Case, raft: type[Raft] = Raft) -> str:
    match = {server: int(index) for server, index in given(case, "idx").items()}
    entries = [Entry(1, k) for k in range(1, max(match.values(), default=0) + 1)]
    core = raft("counts", joined(case), Options(), term=1, entries=entries)
    core.role = Role.LEADER
    core.progress = {server: Progress(1, index) for server, index in match.items()}
    core.advance_commit()
    return str(core.commit)


def elected(case: Case, raft: type[Raft] = Raft) -> str:
    core = raft("counts", joined(case), Options(), term=1)
    core.role = Role.CANDIDATE
    for server, word in given(case, "votes").items():
        core.step(Received(Vote(server, "counts", 1, word == "y")), 0.0)
    return {Role.LEADER: "VoteWon", Role.FOLLOWER: "VoteLost", Role.CANDIDATE: "VotePending"}[core.role]


DECIDED = {"committed": committed, "vote": elected}


@needs_data
def test_all_cases_are_here() -> None:
    assert len(CASES) == 127


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case) -> None:
    expected = case.expected[-1]
    if not voters(case):
        assert expected in EMPTY
        with pytest.raises(QuorumError, match="at least one voter"):
            joined(case)
        return
    assert DECIDED[case.command](case) == expected


@needs_data
@pytest.mark.parametrize("mutant", ["elect_by_half", "joint_counts_one_majority", "joint_counts_the_union"])
def test_a_broken_core_shows(mutant: str) -> None:
    raft = MUTANTS[mutant].raft
    assert any(DECIDED[case.command](case, raft) != case.expected[-1] for case in CASES if voters(case))
