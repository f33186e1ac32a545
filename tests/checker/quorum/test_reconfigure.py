"""Changes of configuration: each step is decided over the old and the new quorums together."""

from __future__ import annotations

from itertools import pairwise

import pytest

from scrutator.checker.quorum.reconfigure import broken, reconfigure, step_between
from scrutator.checker.quorum.verify import verify
from scrutator.checker.verdict import Verdict
from scrutator.model.quorums import Node, QuorumError, QuorumSystem, majority, minimal_quorums, parse_system


@pytest.mark.parametrize(("old", "new"), [("a, b, c", "a, b, c, d"), ("a, b, c, d", "a, b, c"), ("a, b, c, d", "a, b, c, d, e"), ("a, b, c", "c, b, a")])
def test_one_server_at_a_time_is_safe_at_once(old: str, new: str) -> None:
    found = reconfigure(parse_system(f"majority({old})"), parse_system(f"majority({new})"))
    assert found.verdict is Verdict.HOLDS and found.others == ()


def test_two_servers_at_once_are_not_and_the_ways_round_are() -> None:
    found = reconfigure(parse_system("majority(a, b, c)"), parse_system("majority(a, b, c, d, e)"))
    assert found.verdict is Verdict.VIOLATED
    finding = broken(found.at_once.steps[0])
    assert finding is not None and finding.rule.roles == ("quorum before", "quorum after")
    assert [path.kind for path in found.others] == ["one node at a time", "joint"]
    for path in found.others:
        assert path.verdict is Verdict.HOLDS
        for before, after in pairwise(path.configurations):  # by brute force, too
            sets = [minimal_quorums(c.roles["quorum"]) for c in (before, after)]
            assert all(a & b for a in sets[0] for b in sets[1])


def test_replacing_everybody() -> None:
    found = reconfigure(parse_system("majority(a, b, c)"), parse_system("majority(d, e, f)"))
    assert [path.verdict for path in found.others] == [Verdict.HOLDS, Verdict.HOLDS]
    assert len(found.others[0].steps) == 6


def test_a_change_to_what_is_unsafe_has_no_safe_sequence() -> None:
    found = reconfigure(parse_system("majority(a, b, c)"), parse_system("choose(2, a, b, c, d)"))
    assert found.verdict is Verdict.VIOLATED
    assert all(path.verdict is Verdict.VIOLATED for path in found.others)


def test_rules_across_roles_hold_across_the_change() -> None:
    old = parse_system("phase1 = choose(4, a, b, c, d, e); phase2 = choose(2, a, b, c, d, e)")
    new = parse_system("phase1 = choose(2, a, b, c, d, e); phase2 = choose(4, a, b, c, d, e)")
    found = reconfigure(old, new)
    finding = broken(found.at_once.steps[0])
    assert finding is not None and set(finding.rule.roles) == {"phase1 after", "phase2 before"}
    assert [path.verdict for path in found.others] == [Verdict.HOLDS]  # joint


def test_the_rules_of_a_step() -> None:
    step = step_between(parse_system("majority(a, b, c)"), parse_system("majority(a, b, d)"))
    assert [str(rule) for rule in step.rules] == ["quorum before & quorum before", "quorum before & quorum after", "quorum after & quorum after"]


@pytest.mark.parametrize("safe", [True, False])
def test_the_family_of_joint_consensus_covers_every_step(safe: bool) -> None:
    system = parse_system(f"old = majority(a, b, c); new = {'majority' if safe else 'half'}(c, d, e, f)")
    assert [str(rule) for rule in system.rules] == ["old & old", "old & joint", "joint & joint", "joint & new", "new & new"]
    assert (verify(system).verdict is Verdict.HOLDS) == safe
    assert verify(parse_system("old = majority(a, b, c); new = majority(c, d, e, f)", rules=("one-step",))).verdict is Verdict.VIOLATED


def test_other_roles_are_refused() -> None:
    with pytest.raises(QuorumError, match="a change keeps the roles"):
        reconfigure(parse_system("majority(a, b, c)"), parse_system("read = a; write = a"))


def test_a_node_that_moves_stays_the_same_node() -> None:
    old = parse_system("majority(a, b, c)")
    moved = QuorumSystem("moved", {"quorum": majority([Node("a", region="eu"), Node("b"), Node("c"), Node("d")])}, old.rules)
    assert reconfigure(old, moved).verdict is Verdict.HOLDS
