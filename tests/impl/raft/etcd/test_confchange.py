"""The changes of configuration that etcd makes and refuses, ours makes and refuses, with the same progress.

The core that changes is a leader by decree, outside of the configuration: it commits whatever it appends, so
that a case sees the rules of a change and of tracking followers, and nothing else.  A case that is the n-th of
its file finds n - 2 entries, as in etcd's tests, so that ``next`` tells when a follower was first tracked.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from datadriven import Case, cases, files, needs_data
from wording import asked, described, progress_line

from scrutator.impl.raft import (
    Change,
    Configuration,
    Kind,
    Leave,
    Members,
    Options,
    Output,
    Raft,
    Role,
    configuration,
)
from scrutator.impl.raft.state import Progress
from scrutator.model.quorums import QuorumError

FILES = files("confchange/testdata")

# etcd's words for what is wrong, and why our core refuses the same.
SAME_REFUSAL = {
    "removed all voters": {"a cluster needs at least one voter"},
    "can't make a zero-voter config joint": {"not the leader"},  # without voters nobody leads
    "can't leave a non-joint config": {"the configuration is not joint", "not the leader"},
    "config is already joint": {"another change is under way"},
    "can't apply simple config change in joint config": {"another change is under way"},
    "more than one voter changed without entering joint config": {
        "a single step changes one voter at most, and leaves the quorums majorities"
    },
}

# What is meant to differ: the case, and what our core answers.
DIFFERENT = {
    # Names are strings, none of them reserved: 0 is a server, which ends as a learner.
    "zero:2": ("voters=(1) learners=(0)", "0: StateProbe match=0 next=1 learner", "1: StateProbe match=0 next=1"),
}


class Decree:
    """A leader outside of its configuration, whose entries are committed because we say so."""

    def __init__(self) -> None:
        self.core = Raft("decree", Configuration(Members(())), Options())

    def play(self, number: int, case: Case) -> tuple[str, ...]:
        """The configuration and the progress after the ``number``-th case, or why it was refused."""
        while self.core.log.configuration.voters and self.core.log.last < number - 2:
            self.core.append_own(Kind.COMMAND)
        self.commit()
        operations = [op for line in case.input for op in line.split()]
        if case.command == "simple" and not self.core.configuration.voters:
            return self.begin(number, operations)
        out = self.core.step(self.event(case, operations), 0.0)
        if out.refused:
            return (out.refused[0][2],)
        self.commit()
        return self.shown()

    def event(self, case: Case, operations: list[str]) -> Change | Leave:
        if case.command == "leave-joint":
            return Leave(1)
        target = asked(self.core.configuration, operations)
        auto_leave = case.options.get("autoleave") == "true"
        return Change(1, target, case.command == "simple", auto_leave)

    def begin(self, number: int, operations: list[str]) -> tuple[str, ...]:
        """The first members of a cluster are no change: it is made with them."""
        target = asked(self.core.configuration, operations)
        try:
            first = configuration(target.members.voters, target.learners)
        except QuorumError as error:
            return (str(error),)
        self.core = Raft("decree", first, Options())
        self.core.role = Role.LEADER
        while self.core.log.last < number - 2:
            self.core.append_own(Kind.COMMAND)
        self.core.progress = {server: Progress(self.core.log.last + 1) for server in first.servers}
        return self.shown()

    def commit(self) -> None:
        self.core.out = Output()
        self.core.commit = self.core.applied = self.core.log.last
        if not self.core.configuration.joint:
            self.core.part()

    def shown(self) -> tuple[str, ...]:
        core = self.core
        lines = [progress_line(server, p, core.configuration) for server, p in sorted(core.progress.items())]
        return (described(core.configuration), *lines)


@needs_data
def test_all_cases_are_here() -> None:
    assert sum(len(cases(path)) for path in FILES) == 58


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_file(path: Path) -> None:
    decree = Decree()
    for number, case in enumerate(cases(path), 1):
        ours = decree.play(number, case)
        refusals = SAME_REFUSAL.get(case.expected[0])
        if refusals is not None:
            assert ours[0] in refusals, case
        else:
            assert ours == DIFFERENT.get(str(case), case.expected), case
