"""A refinement as a claim: what it is called, what its note says, and that nothing happening confirms nothing."""

from __future__ import annotations

from dataclasses import replace

from scrutator.checker.explore.result import PropertyKind
from scrutator.checker.ladder import as_result
from scrutator.checker.refine.check import refine
from scrutator.checker.verdict import Verdict


def test_a_refinement_says_which_action_is_which() -> None:
    found = refine("ladder/naive_raft")
    (judged,) = as_result(found).properties
    assert (judged.name, judged.kind, judged.verdict) == ("as_proposals", PropertyKind.STEP_INVARIANT, Verdict.HOLDS)
    for f in found.followed:
        assert f"{f.abstract or 'no step'} ({f.count:,} times)" in judged.note
    assert "vote is promise (" in judged.note and "stand is prepare (" in judged.note
    assert sum(a.fired for a in as_result(found).actions) == found.steps


def test_one_that_fails_names_the_step() -> None:
    (judged,) = as_result(refine("ladder/naive_raft", mutant="votes_twice")).properties
    assert judged.verdict is Verdict.VIOLATED and judged.trace is not None
    assert judged.note == f"{judged.trace.steps[-1].label} is none of ladder/basic_paxos" and judged.note.startswith("vote(")


def test_where_nothing_happens_nothing_is_confirmed() -> None:
    found = refine("ladder/naive_raft")
    still = replace(found, followed=tuple(replace(f, abstract=None) for f in found.followed))
    assert still.vacuous and as_result(still).properties[0].verdict is Verdict.UNKNOWN
