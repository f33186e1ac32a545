"""Model and implementation tell the same story: every claim of every rung, played and judged."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from scrutator.checker.commands.ladder_judge import Told, is_linearizable, judge_claim, variant_of
from scrutator.checker.verdict import Verdict
from scrutator.impl import ladder
from scrutator.impl.ladder import Design, Judged, designs, play
from scrutator.model.ladder import rungs, specs
from scrutator.model.language.spec import Kind
from scrutator.model.objects import find

RUNGS = rungs()
CLAIMS = [pytest.param(rung, claim, id=f"{rung.name}-{claim.name}") for rung in RUNGS for claim in rung.claims]
RARE = "semi_synchronous"  # whose violations need two crashes in a row, each at the worst moment


def told_by(rung: str, claim: str, **limits: float) -> Told:
    return next(judge_claim(r, c, **limits) for r in RUNGS if r.name == rung for c in r.claims if c.name == claim)


def decides_at_once(claim, spec) -> bool:
    kind = next(p.kind for p in spec.properties if p.name == claim.property)
    return (claim.expect == "holds") == (kind is Kind.REACHABLE)


@pytest.mark.parametrize("rung", RUNGS, ids=lambda rung: rung.name)
def test_every_rung_has_a_design_that_speaks_of_all_its_properties(rung):
    design, spec = designs()[rung.name], specs()[f"ladder/{rung.name}"]
    known = {p.name for p in spec.properties} | {r.name for r in spec.refinements}
    assert set(design.properties) | set(design.without) <= known, "a property that the model lacks"
    assert {c.property for c in rung.claims} <= set(design.properties) | set(design.without)
    assert set(designs()) == {r.name for r in RUNGS}


def test_every_file_is_short():
    """A student reads it in one go."""
    folder = Path(ladder.__file__).parent
    assert {str(p.relative_to(folder)) for p in folder.rglob("*.py") if len(p.read_text(encoding="utf-8").splitlines()) >= 150} == set()


@pytest.mark.parametrize(("rung", "claim"), CLAIMS)
def test_the_implementation_agrees_with_the_model(rung, claim):
    if rung.name == RARE and claim.expect == "violated" and claim.mutant is None and claim.name != "trusts_m1_m1_m2":
        pytest.skip("the other rules are tried with the slow tests")
    told = judge_claim(rung, claim, seeds=300, seeds_rare=4_000, shrink_s=0)
    assert told.agrees, f"{rung.name} {claim.name}: the model says {claim.expect}, {told.seeds} seeds say {told.verdict}"
    assert told.why or (told.seed is not None) == decides_at_once(claim, specs()[f"ladder/{rung.name}"])


@pytest.mark.slow
@pytest.mark.parametrize(("rung", "claim"), CLAIMS)
def test_it_agrees_for_long(rung, claim):
    assert judge_claim(rung, claim, seeds=5_000, seeds_rare=40_000, shrink_s=0).agrees


@pytest.mark.parametrize(("rung", "claim"), CLAIMS)
def test_no_claim_holds_by_doing_nothing(rung, claim):
    """In most runs somebody is answered while things fail."""
    variant = variant_of(specs()[f"ladder/{rung.name}"], claim)
    answered = [any(o.returned_us is not None for o in play(designs()[rung.name], variant, seed, until_us=2_000_000).operations) for seed in range(20)]
    assert sum(answered) > 10


def test_a_counterexample_is_made_short_and_tells_the_sale():
    told = told_by("asynchronous", "one_crash_suffices")
    assert told.run is not None and told.verdict is Verdict.VIOLATED and not is_linearizable(told.run)
    assert sum(e.kind == "crash" for e in told.run.events) == 1
    assert {o.result for o in told.run.operations if o.returned_us is not None} == {"b1", "b2"}
    assert len(told.run.events) < 40
    assert ("send", "b1", "m1", "buy b1") in [(e.kind, e.actor, e.peer, e.text) for e in told.run.events]


def test_what_is_stuck_was_not_cut_short():
    told = told_by("majority_write", "votes_split")
    assert told.run is not None and told.run.asked_last and not any(told.run.asked_last.values())


def test_first_seeds_are_the_same_every_time():
    first, again = (told_by("basic_paxos", "keeps_own_value", shrink_s=0) for _ in range(2))
    assert (first.seed, first.run) == (again.seed, again.run)


def test_what_no_run_shows_is_said_and_what_nobody_speaks_of_is_refused(monkeypatch):
    rung = RUNGS[0]
    design = designs()[rung.name]
    claim = rung.claims[0]

    def judged_with(changed: Design) -> Told:
        monkeypatch.setattr("scrutator.checker.commands.ladder_judge.designs", lambda: {rung.name: changed})
        return judge_claim(rung, claim)

    told = judged_with(dataclasses.replace(design, properties={}, without={claim.property: "it shows in the model only"}))
    assert told.agrees and told.verdict is None and told.why == "it shows in the model only" and told.seeds == 0
    with pytest.raises(ValueError, match=f"one_machine says nothing of the property {claim.property}"):
        judged_with(dataclasses.replace(design, properties={}))


def test_disagreement_is_seen(monkeypatch):
    """A design that sells twice does not pass for one that does not."""
    rung = next(r for r in RUNGS if r.name == "asynchronous")
    claim = dataclasses.replace(rung.claims[0], expect="holds")
    told = judge_claim(rung, claim, shrink_s=0)
    assert told.verdict is Verdict.VIOLATED and not told.agrees


@pytest.mark.parametrize(
    ("rung", "claim", "expected"),
    [("registers", "flicker", False), ("registers", "too_few", False), ("abd", "two_writers", True)],
)
def test_what_the_checker_says_of_registers(rung, claim, expected):
    """Registers are not linearizable, whatever else they keep to; ABD is."""
    found = next(c for r in RUNGS if r.name == rung for c in r.claims if c.name == claim)
    variant = variant_of(specs()[f"ladder/{rung}"], found)
    assert all(is_linearizable(play(designs()[rung], variant, seed)) for seed in range(40)) is expected


def test_every_design_names_an_object_and_judges_by_it():
    for design in designs().values():
        assert find(design.object_name).name == design.object_name
        assert Judged.LINEARIZABLE in design.properties.values() or design.rung == "registers"
