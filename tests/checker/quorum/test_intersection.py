"""Intersection is what trying all sets of nodes says it is; no proof and no witness is taken on trust."""

from __future__ import annotations

import shutil
import subprocess
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_systems import expressions, quorums

from scrutator.checker.quorum.intersection import decide
from scrutator.checker.quorum.programme import raise_if_interrupted
from scrutator.checker.quorum.result import Finding
from scrutator.checker.quorum.script import script
from scrutator.checker.quorum.smtlib import Leaves, Question
from scrutator.checker.quorum.verify import verify
from scrutator.checker.verdict import Verdict
from scrutator.model.quorums import (
    Expression,
    Node,
    QuorumError,
    QuorumSystem,
    Rule,
    choose,
    nodes,
    parse,
    parse_system,
    weighted,
)


def ask(*texts: str, overlap: int = 1, timeout_s: float = 20) -> Finding:
    asked = Question(tuple(parse(text) for text in texts), overlap)
    return decide(Rule(tuple(f"role{k}" for k in range(len(texts))), overlap), asked, timeout_s=timeout_s)


@given(st.lists(expressions(nodes=5, depth=2), min_size=2, max_size=3), st.integers(1, 3), st.sets(st.sampled_from("abc")))
@settings(max_examples=60, deadline=None)
def test_against_all_sets(systems: list[Expression], overlap: int, faulty: set[str]) -> None:
    asked = Question(tuple(systems), overlap, frozenset(faulty))
    finding = decide(Rule(("x",) * len(systems), overlap), asked)
    missing = [
        sum(map(len, sets))
        for sets in product(*(quorums(system) for system in systems))
        if len(frozenset.intersection(*sets) - faulty) < overlap
    ]
    assert (finding.verdict is Verdict.VIOLATED) == bool(missing)
    if missing:
        assert finding.miss is not None and finding.miss.smallest
        assert asked.misses(finding.miss.quorums)
        assert sum(map(len, finding.miss.quorums)) == min(missing)
        assert finding.miss.shared == frozenset.intersection(*finding.miss.quorums)
    else:
        assert finding.proof is not None


@given(st.lists(expressions(nodes=5, depth=2), min_size=2, max_size=2), st.integers(1, 2))
@settings(max_examples=40, deadline=None)
def test_both_forms_of_the_question_agree(systems: list[Expression], overlap: int) -> None:
    """The relaxed question may be satisfied by what is no set of nodes, never the other way round."""
    import z3

    def answer(leaves: Leaves) -> bool:
        solver = z3.SolverFor(leaves.value)
        solver.from_string(Question(tuple(systems), overlap).text(leaves))
        verdict = solver.check()
        assert verdict != z3.unknown
        return bool(verdict == z3.sat)

    if answer(Leaves.WHOLE):
        assert answer(Leaves.REAL)


@pytest.mark.parametrize(
    ("classic", "fast_least"),
    [(3, 3), (4, 3), (5, 4), (6, 5), (7, 6), (8, 6), (9, 7), (10, 8), (11, 9), (13, 10), (15, 12), (21, 16)],
)
def test_fast_paxos_needs_three_quarters(classic: int, fast_least: int) -> None:
    """Lamport, 2006: with majorities, fast quorums have N - floor(N/4) nodes."""
    names = nodes(f"n{k}" for k in range(classic))
    for fast in (fast_least - 1, fast_least):
        system = parse_system(f"classic = majority({', '.join(n.name for n in names)}); fast = choose({fast}, {', '.join(n.name for n in names)})")
        assert (verify(system).verdict is Verdict.HOLDS) == (fast == fast_least)


@pytest.mark.parametrize(
    ("count", "phase1", "fast_least"),
    [(5, 3, 4), (5, 5, 3), (7, 4, 6), (7, 6, 5), (7, 7, 4), (9, 5, 7), (9, 8, 6), (9, 9, 5), (11, 6, 9), (11, 10, 7), (11, 11, 6)],
)
def test_the_relaxed_condition_of_fast_paxos(count: int, phase1: int, fast_least: int) -> None:
    names = ", ".join(f"n{k}" for k in range(count))
    for fast in (fast_least - 1, fast_least):
        system = parse_system(f"phase1 = choose({phase1}, {names}); phase2 = choose({count - phase1 + 1}, {names}); fast = choose({fast}, {names})")
        assert (verify(system).verdict is Verdict.HOLDS) == (fast == fast_least)


@pytest.mark.parametrize(("count", "fast"), [(3, 2), (5, 3), (7, 5), (9, 6), (11, 8)])
def test_epaxos_is_not_judged_by_the_rule_of_fast_paxos(count: int, fast: int) -> None:
    """F + floor((F+1)/2): below what Fast Paxos needs, and right, as recovery leaves out the leader."""
    names = ", ".join(f"n{k}" for k in range(count))
    quorums = f"slow = majority({names}); fast = choose({fast}, {names})"
    assert verify(parse_system(quorums)).verdict is Verdict.HOLDS
    assert verify(parse_system(quorums, rules=("slow & fast & fast",))).verdict is Verdict.VIOLATED


def test_fast_quorums_of_epaxos_meet_each_other() -> None:
    """Two commands that interfere are each known to someone of the other's fast quorum."""
    assert verify(parse_system("slow = choose(4, a, b, c, d, e); fast = choose(2, a, b, c, d, e)")).verdict is Verdict.VIOLATED


@pytest.mark.parametrize("count", [4, 5, 7, 10])
def test_flexible_sizes(count: int) -> None:
    names = ", ".join(f"n{k}" for k in range(count))
    for one in range(1, count + 1):
        for two in range(1, count + 1):
            system = parse_system(f"phase1 = choose({one}, {names}); phase2 = choose({two}, {names})")
            assert (verify(system).verdict is Verdict.HOLDS) == (one + two > count)


def test_the_single_server_bug_of_2015() -> None:
    """Majorities of abcdu and abcdv miss each other, though each meets every majority of abcd."""
    finding = ask("majority(a, b, c, d, u)", "majority(a, b, c, d, v)")
    assert finding.miss is not None and [len(q) for q in finding.miss.quorums] == [3, 3]
    for grown in ("majority(a, b, c, d, u)", "majority(a, b, c, d, v)"):
        assert ask("majority(a, b, c, d)", grown).verdict is Verdict.HOLDS


def test_mongodb_arbiters_leave_elections_and_acknowledgements_apart() -> None:
    """A primary, a secondary and an arbiter: one acknowledgement is not enough, both are."""
    assert ask("majority(p, s, a)", "p + s").verdict is Verdict.VIOLATED
    assert ask("majority(p, s, a)", "p*s").verdict is Verdict.HOLDS


def test_weights_whose_sums_leave_a_gap() -> None:
    """No two sets reach 3 of 2+2+1 apart by halves: real numbers could, sets of nodes cannot."""
    heavy = weighted(4, [(3, Node("a")), (3, Node("b")), (2, Node("c"))])
    assert decide(Rule(("x", "x")), Question((heavy, heavy))).proof is Leaves.WHOLE


def test_large_systems_are_proved_by_the_relaxed_question() -> None:
    names = nodes(f"n{k}" for k in range(201))
    assert decide(Rule(("x", "x")), Question((choose(101, names),) * 2)).proof is Leaves.REAL
    found = decide(Rule(("x", "x")), Question((choose(100, names),) * 2))
    assert found.miss is not None and found.miss.smallest and sum(map(len, found.miss.quorums)) == 200


def test_no_quorum_at_all_is_not_called_safe() -> None:
    found = verify(parse_system("majority(a, b, c)"), absent=["a", "b"])
    assert found.without_quorum == ("quorum",) and found.findings == ()
    assert found.verdict is Verdict.VIOLATED


def test_faulty_nodes_do_not_count_as_shared() -> None:
    system = parse_system("choose(3, a, b, c, d)")
    assert verify(system).verdict is Verdict.HOLDS
    assert verify(system, faulty=["a"]).verdict is Verdict.HOLDS
    found = verify(system, faulty=["a", "b"])
    assert found.verdict is Verdict.VIOLATED and found.findings[0].miss is not None
    assert found.findings[0].miss.shared <= {"a", "b"}


@pytest.mark.parametrize(("count", "quorum", "forgetting", "safe"), [(4, 3, 1, True), (7, 5, 2, True), (7, 4, 1, False), (5, 3, 1, False), (5, 4, 2, True), (5, 4, 3, False)])
def test_still_sharing_a_node_after_any_f_forget(count: int, quorum: int, forgetting: int, safe: bool) -> None:
    names = ", ".join(f"n{k}" for k in range(count))
    found = verify(parse_system(f"choose({quorum}, {names})"), forgetting=forgetting)
    assert (found.verdict is Verdict.HOLDS) == safe
    assert safe or f"any {forgetting} node" in found.scope


@pytest.mark.parametrize(("rules", "quorum", "safe"), [("byzantine(1)", 3, True), ("byzantine(1)", 2, False), ("masking(1)", 4, True), ("masking(1)", 3, False)])
def test_byzantine_families(rules: str, quorum: int, safe: bool) -> None:
    names = "a, b, c, d" if rules.startswith("byz") else "a, b, c, d, e"
    assert (verify(parse_system(f"choose({quorum}, {names})", rules=(rules,))).verdict is Verdict.HOLDS) == safe


def test_unknown_nodes_are_named() -> None:
    with pytest.raises(QuorumError, match="there is no node d: the nodes are a, b, c"):
        verify(parse_system("majority(a, b, c)"), faulty=["d"])


def test_an_undecided_rule_is_unknown() -> None:
    found = ask("majority(a, b, c)", "majority(a, b, c)", timeout_s=0)
    assert found.verdict is Verdict.UNKNOWN and "--timeout-s" in found.basis
    system = QuorumSystem("s", {"x": parse("a")}, (Rule(("x", "x")),))
    assert verify(system, timeout_s=0).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(("texts", "status"), [(("majority(a, b, c)",) * 2, "unsat"), (("a*b + c*d", "a + c"), "sat"), (("a*b + c*d", "(a + b)*(c + d)"), "unsat")])
def test_the_question_can_be_repeated_by_another_solver(texts: tuple[str, ...], status: str) -> None:
    text = script(ask(*texts), "all quorums\n(assert false)")
    assert "(assert false)" not in text.replace("?(assert false)", "")  # a comment stays a comment
    assert f"(set-info :status {status})" in text
    solver = shutil.which("cvc5") or shutil.which("z3")
    if solver is None:
        import z3

        again = z3.Solver()
        again.from_string(text)
        assert str(again.check()) == status
    else:
        done = subprocess.run([solver, "/dev/stdin"], input=text, capture_output=True, text=True, check=False)
        assert done.stdout.split()[0] == status


def test_names_cannot_break_out_of_their_quotes() -> None:
    odd = nodes(["a|b", "a\\b", "a%b", "é", "x) (assert false"])
    finding = decide(Rule(("x", "x")), Question((choose(3, odd),) * 2))
    assert finding.verdict is Verdict.HOLDS
    assert decide(Rule(("x", "x")), Question((choose(2, odd),) * 2)).verdict is Verdict.VIOLATED


def test_an_interruption_that_the_solver_took_for_itself_ends_the_command() -> None:
    """z3 answers Ctrl-C with "unknown": to go on then would mean that nothing can stop the command."""
    import signal
    import threading

    import z3

    solver = z3.SolverFor("QF_LIA")
    weights = [(7 * k * k + 13 * k) % 9973 + 10**6 for k in range(60)]
    chosen = [z3.Int(f"x{k}") for k in range(60)]
    solver.add(*(z3.And(value >= 0, value <= 1) for value in chosen))
    solver.add(z3.Sum([w * value for w, value in zip(weights, chosen, strict=True)]) == sum(weights) // 2 + 1)
    solver.add(z3.Sum([w * w % 9973 * value for w, value in zip(weights, chosen, strict=True)]) == 40_000, z3.Sum(chosen) <= 20)
    solver.set("timeout", 10_000)
    timer = threading.Timer(0.3, signal.raise_signal, [signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        solver.check()
        raise_if_interrupted(solver)
    timer.join()
