"""Refinement as users check it: verdicts, tables, counterexamples, scopes and mistakes, by both engines alike."""

from __future__ import annotations

import dataclasses
import signal

import pytest
import small_pairs as pairs

from scrutator.checker.explore.options import CheckOptions
from scrutator.checker.refine.check import refine
from scrutator.checker.refine.result import RefineResult
from scrutator.checker.verdict import ExitStatus, Verdict
from scrutator.model.language import ModelError, SpecError
from scrutator.model.language.spec import Refinement
from scrutator.model.paxos import SPEC as PAXOS
from scrutator.model.two_phase_commit import SPEC as TWO_PHASE
from scrutator.model.voting import SPEC as VOTING

ENGINES = pytest.mark.parametrize("engine", ["compiled", "python"])


def options(engine: str = "compiled", **given) -> CheckOptions:
    return CheckOptions(engine=engine, **given)


def table(result: RefineResult) -> dict[tuple[str, str | None], int]:
    return {(f.action, f.abstract): f.count for f in result.followed}


def labels(result: RefineResult) -> list[str]:
    assert result.refutation is not None
    return [s.label for s in result.refutation.trace.steps[1:]]


def hand(function) -> Refinement:
    return Refinement(function.__name__, pairs.HOUR_CLOCK, function, {"hours": pairs.FINE_HOURS})


# --- what refines -------------------------------------------------------------------------


@ENGINES
def test_hours_and_minutes_are_hours(engine):
    result = refine(pairs.CLOCK, options=options(engine))
    assert result.verdict is Verdict.HOLDS and result.exit_status is ExitStatus.HOLDS and not result.vacuous
    assert (result.distinct, result.steps) == (48, 48)
    assert table(result) == {("tick", None): 36, ("tick", "strike"): 12}
    assert result.never == ("stop",)
    assert result.scope == "every step within minutes=4, late=false, day=12, of hours with hours=12; safety only"


@ENGINES
def test_two_phase_commit_is_transaction_commit(engine):
    result = refine(TWO_PHASE, pairs.TWO_PHASE_TO_TCOMMIT, options=options(engine))
    assert result.verdict is Verdict.HOLDS and result.distinct == 288 and result.never == ()
    assert table(result) == {
        ("decide_commit", None): 1, ("decide_abort", None): 64, ("receive_prepared", None): 96,
        ("prepare", "prepare"): 156, ("abort", "abort"): 156, ("obey_commit", None): 12, ("obey_commit", "commit"): 12,
        ("obey_abort", None): 324, ("obey_abort", "abort"): 324,
    }  # fmt: skip


@pytest.mark.parametrize(("engine", "bounds"), [("python", {"ballots": 1}), ("compiled", {"ballots": 1}), ("compiled", {})])
def test_paxos_is_voting(engine, bounds):
    """The theorem of Lamport's Paxos.tla: Spec => V!Spec."""
    result = refine("paxos", "voting", bounds=bounds, options=options(engine))
    assert result.verdict is Verdict.HOLDS and result.never == ()
    assert set(table(result)) == {("prepare", None), ("promise", "promise"), ("propose", None), ("accept", "vote")}
    assert result.steps == result.generated - 1
    if not bounds:
        assert result.distinct == 185_369 and table(result)["accept", "vote"] == 280_704


@ENGINES
def test_voting_is_consensus(engine):
    """The theorem of Lamport's Voting.tla."""
    result = refine(VOTING, pairs.VOTING_TO_CONSENSUS, bounds={"ballots": 2 if engine == "compiled" else 1}, options=options(engine))
    assert result.verdict is Verdict.HOLDS and ("vote", "choose") in table(result)


def test_naive_raft_is_basic_paxos():
    result = refine("ladder/naive_raft", "ladder/basic_paxos", bounds={"terms": 1})
    assert result.verdict is Verdict.HOLDS and result.never == ()
    steps = {key for key in table(result) if key[1] is not None}
    assert steps == {("stand", "prepare"), ("vote", "promise"), ("replicate", "propose"), ("store", "accept")}


@pytest.mark.slow
def test_naive_raft_is_basic_paxos_in_three_terms():
    result = refine("ladder/naive_raft", bounds={"terms": 2, "candidates": 2})
    assert result.verdict is Verdict.HOLDS and result.distinct == 917_372


@ENGINES
def test_a_set_is_gone_through_while_the_other_state_changes(engine):
    result = refine(pairs.TOWER, pairs.TOWER_TO_BOARD, options=options(engine))
    assert table(result) == {("toll", "write"): 11}


@ENGINES
def test_a_mapping_reads_history_and_calls_helpers_with_both_states(engine):
    result = refine(pairs.BELL, pairs.BELL_TO_BOARD, options=options(engine))
    assert table(result) == {("ring", "write"): 12, ("forget", None): 12}
    assert result.distinct == 25


@ENGINES
def test_a_model_refines_itself(engine):
    """Types, bounds and functions that both models share are one and the same."""
    result = refine(PAXOS, pairs.PAXOS_TO_ITSELF, bounds={"ballots": 1}, options=options(engine))
    assert result.verdict is Verdict.HOLDS and all(f.action == f.abstract for f in result.followed)
    broken = refine(PAXOS, pairs.PAXOS_TO_ITSELF, mutant="forget_promise", options=options(engine))
    assert broken.verdict is Verdict.VIOLATED and broken.refutation is not None
    assert broken.refutation.refusing[0].label == labels(broken)[-1]


def test_shared_bounds_have_one_value():
    with pytest.raises(SpecError, match="both models share the bound ballots, so it cannot be 3 in paxos and 2 in paxos"):
        refine(PAXOS, dataclasses.replace(pairs.PAXOS_TO_ITSELF, bounds={"ballots": 2}))


@ENGINES
def test_a_mapping_that_never_moves_is_vacuous(engine):
    result = refine(pairs.CLOCK, hand(pairs.stuck_hand), options=options(engine))
    assert result.verdict is Verdict.HOLDS and result.exit_status is ExitStatus.FAULTY_MODEL
    assert result.vacuous == ("no step of clock is a step of hours",)


# --- what does not ------------------------------------------------------------------------


@ENGINES
def test_a_slipping_wheel_is_shown_by_the_shortest_behaviour(engine):
    result = refine(pairs.CLOCK, mutant="slips", options=options(engine))
    assert result.verdict is Verdict.VIOLATED and result.exit_status is ExitStatus.VIOLATED
    found = result.refutation
    assert found is not None and labels(result) == ["tick"] * 9 and not found.is_initial
    assert [i and i.label for i in found.images] == ["strike", None, None, None, "strike", None, None, None]
    assert (found.before, found.after, found.changes) == ((("hour", "2"),), (("hour", "5"),), ("hour: 2 -> 5",))
    assert found.enabled == 1 and [(n.label, n.missing) for n in found.nearest] == [("strike", ("hour: 3 -> 5",))]
    assert found.refusing == ()


@ENGINES
def test_an_initial_state_that_stands_for_none_is_named(engine):
    result = refine(pairs.CLOCK, bounds={"late": True}, options=options(engine))
    found = result.refutation
    assert result.verdict is Verdict.VIOLATED and found is not None and found.is_initial
    assert found.trace.steps[0].state == (("hour", "11"), ("minute", "3"))
    assert found.after == (("hour", "11"),) and found.nearest[0].missing == ("hour: 0 -> 11",)


@ENGINES
def test_committing_too_early_is_refused_by_the_guard_of_commit(engine):
    result = refine(TWO_PHASE, pairs.TWO_PHASE_TO_TCOMMIT, mutant="commit_without_all", options=options(engine))
    assert labels(result) == ["prepare(i=rm1)", "receive_prepared(i=rm1)", "decide_commit", "obey_commit(i=rm1)"]
    found = result.refutation
    assert found is not None
    (refusing,) = found.refusing
    assert refusing.label == "commit(i=rm1)" and "small_pairs.py" in refusing.guards[0] and "Phase.PREPARED" in refusing.guards[0]


@pytest.mark.parametrize("mutant", [m.name for m in PAXOS.mutants if m.name != "quorums_miss"])
def test_a_broken_paxos_is_no_voting(mutant):
    assert refine(PAXOS, mutant=mutant).verdict is Verdict.VIOLATED


def test_missing_quorums_are_no_mistake_of_steps_but_of_what_is_called_chosen():
    """Votes are cast as ever; only on the way to Consensus does it show who calls a value chosen."""
    assert refine(PAXOS, mutant="quorums_miss").verdict is Verdict.HOLDS
    result = refine(VOTING, pairs.VOTING_TO_CONSENSUS, mutant="quorums_miss")
    assert result.verdict is Verdict.VIOLATED and labels(result)[-1].startswith("vote")


def test_the_abstract_model_keeps_its_quorums_when_a_mutant_changes_them():
    result = refine(PAXOS, mutant="quorums_miss")
    assert dict(result.bounds)["phase1"] == "2" and dict(result.abstract_bounds)["phase1"] == "majority"
    asked = refine(PAXOS, bounds={"phase1": "3", "phase2": "1", "ballots": 1})
    assert dict(asked.abstract_bounds)["phase1"] == "3"


@pytest.mark.parametrize("mutant", [m.name for m in VOTING.mutants])
def test_a_broken_voting_is_no_consensus(mutant):
    assert refine(VOTING, pairs.VOTING_TO_CONSENSUS, mutant=mutant).verdict is Verdict.VIOLATED


def test_a_server_that_votes_twice_is_no_acceptor():
    result = refine("ladder/naive_raft", mutant="votes_twice", bounds={"candidates": 2})
    assert result.verdict is Verdict.VIOLATED and result.refutation is not None
    assert labels(result)[-1].startswith(("vote", "replicate"))


def test_counterexamples_do_not_depend_on_engine_or_workers():
    found = [refine(PAXOS, mutant="forget_promise", options=options(workers=k)).refutation for k in (1, 2, 3)]
    found.append(refine(PAXOS, mutant="forget_promise", options=options("python")).refutation)
    assert all(f == found[0] for f in found)


# --- limits -------------------------------------------------------------------------------


@ENGINES
@pytest.mark.parametrize(("limit", "named"), [({"depth_max": 3}, "--depth-max"), ({"states_max": 20}, "--states-max"), ({"timeout_s": 1e-9}, "--timeout-s")])
def test_limits_leave_the_verdict_unknown(engine, limit, named):
    result = refine(TWO_PHASE, pairs.TWO_PHASE_TO_TCOMMIT, options=options(engine, **limit))
    if engine == "compiled" and "states_max" in limit and result.exhaustive:
        pytest.skip("all states came in one batch")
    assert result.verdict is Verdict.UNKNOWN and result.exit_status is ExitStatus.UNKNOWN
    assert result.limit == named and result.scope.startswith(f"cut by {named}, within managers=3")


def test_an_interrupt_leaves_a_partial_result():
    calls = []

    def interrupt(progress):
        calls.append(progress)
        signal.raise_signal(signal.SIGINT)

    result = refine("ladder/naive_raft", bounds={"terms": 2, "candidates": 3}, options=options(workers=1), progress=interrupt)
    assert calls and calls[0].distinct > 0
    assert result.limit == "an interrupt" and result.verdict is Verdict.UNKNOWN and result.steps > 0


def test_only_breadth_first():
    with pytest.raises(SpecError, match="breadth-first"):
        refine(pairs.CLOCK, options=CheckOptions(search="dfs"))


def test_memory_is_a_limit_of_the_interpreter_as_well():
    result = refine(TWO_PHASE, pairs.TWO_PHASE_TO_TCOMMIT, options=options("python", memory_max_bytes=1))
    assert result.limit == "--memory-max" and result.verdict is Verdict.UNKNOWN and result.memory_bytes_peak > 1


# --- mistakes -----------------------------------------------------------------------------


def test_a_model_that_cannot_begin_is_named():
    with pytest.raises(SpecError, match="never has no initial state"):
        refine(pairs.NEVER)
    assert refine(pairs.NEVER, options=options("python")).exit_status is ExitStatus.FAULTY_MODEL


@ENGINES
@pytest.mark.parametrize(
    ("function", "why"),
    [
        (pairs.refusing_hand, r"small_pairs.py:\d+: `require\(c.hour < 3\)`: mapping refusing_hand: only actions refuse"),
        (pairs.moving_hand, r"small_pairs.py:\d+: `c.minute = 0`: .*nor a mapping the state that it reads"),
        (pairs.pushing_hand, r"small_pairs.py:\d+: `c.minute = 0`: .*nor a mapping the state that it reads"),
        (pairs.telling_hand, r"telling_hand returned 0; it fills in the other state .*small_pairs.py:\d+"),
        (pairs.late_hand, r"small_pairs.py:\d+: .*hour = False: False is not a number"),
        (pairs.far_hand, r"small_pairs.py:\d+: .*12 is outside of 0..11"),
    ],
)  # fmt: skip
def test_mistakes_of_a_mapping_are_located(engine, function, why):
    with pytest.raises(ModelError, match=why):
        refine(pairs.CLOCK, hand(function), options=options(engine))


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (pairs.moving_later, r"small_pairs.py:\d+: `c.minute = 0`: a mapping reads this state and must not change it"),
        (pairs.pushing_later, r"small_pairs.py:\d+: `c.minute = 0`: a mapping reads this state and must not change it"),
        (pairs.foreign_hand, r"small_pairs.py:\d+: `.*divmod.*divmod"),
    ],
)  # fmt: skip
def test_what_cannot_be_compiled_is_refused_with_its_line(function, why):
    with pytest.raises(SpecError, match=why):
        refine(pairs.CLOCK, hand(function))


@ENGINES
def test_a_mapping_that_needs_more_room_says_so(engine):
    with pytest.raises(ModelError, match=r"mapping notes: the capacity of notes is exhausted: give the model that it maps to larger bounds"):
        refine(pairs.TOWER, pairs.TOWER_TO_SMALL_BOARD, options=options(engine))


@ENGINES
@pytest.mark.parametrize(("spec", "refinement"), [(pairs.ROUND, pairs.ROUND_TO_UP), (pairs.UP, pairs.UP_TO_ROUND)])
def test_mistakes_of_either_model_are_located(engine, spec, refinement):
    with pytest.raises(ModelError, match=r"small_pairs.py:\d+: `c.n \+= 1`: action count_up: n = 4: 4 is outside of 0..3"):
        refine(spec, refinement, options=options(engine))


@pytest.mark.parametrize(
    ("bounds", "why"),
    [
        ({"hour": 3}, r"small_pairs.py:\d+: hours has no bound hour; did you mean hours\?"),
        ({"hours": 1}, r"small_pairs.py:\d+: the bounds of hours for clock with .*: hours=1: must be between 2"),
        ({"hours": pairs.MANAGERS}, r"small_pairs.py:\d+: hours depends on managers, which is no bound of the model"),
    ],
)  # fmt: skip
def test_bounds_that_do_not_fit_are_named(bounds, why):
    with pytest.raises(SpecError, match=why):
        refine(pairs.CLOCK, Refinement("hand", pairs.HOUR_CLOCK, pairs.hour_hand, bounds))


def test_bounds_are_given_as_sums_of_bounds():
    refinement = Refinement("hand", pairs.HOUR_CLOCK, pairs.hour_hand, {"hours": pairs.FINE_HOURS + pairs.MINUTES})
    result = refine(pairs.CLOCK, refinement, bounds={"minutes": 2})
    assert dict(result.abstract_bounds) == {"hours": "14"}
    assert result.verdict is Verdict.VIOLATED  # the clock goes from 11 to 0, and 14 hours do not


def test_names_that_are_not_there_are_named():
    with pytest.raises(SpecError, match="clock declares no refinement of hour; did you mean hours"):
        refine(pairs.CLOCK, "hour")
    with pytest.raises(SpecError, match=r"tower declares no refinement: write @SPEC\.refines"):
        refine(pairs.TOWER)
    assert refine(pairs.CLOCK, "hour_hand").mapping == "hour_hand"


def test_a_mapping_uses_the_bounds_of_both_models():
    with pytest.raises(SpecError, match="uses the bound managers, which belongs to neither model"):
        refine(pairs.CLOCK, hand(pairs.strange_hand))
    result = refine(pairs.CLOCK, Refinement("both", pairs.HOUR_CLOCK, pairs.bounded_hand, {"hours": 14}))
    assert result.refutation is not None and result.refutation.after == (("hour", "2"),)


def test_a_declaration_is_checked():
    with pytest.raises(SpecError, match="a mapping takes a state of clock and the state of hours to fill in"):
        pairs.CLOCK.refines(pairs.HOUR_CLOCK)(lambda c: None)
    with pytest.raises(SpecError, match="refines a specification"):
        pairs.CLOCK.refines("hours")(pairs.hour_hand)
    with pytest.raises(SpecError, match="the name hour_hand is taken"):
        pairs.CLOCK.refines(pairs.HOUR_CLOCK)(pairs.hour_hand)


def test_results_are_values():
    result = refine(pairs.CLOCK)
    assert dataclasses.replace(result) == result
