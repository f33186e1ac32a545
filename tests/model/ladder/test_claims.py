"""Every claim of the ladder is a check: its verdict, and the shortest counterexample; and none of them holds by doing nothing."""

from __future__ import annotations

import functools

import pytest

from scrutator.checker.explore.check import CheckOptions, check
from scrutator.checker.explore.result import PropertyKind, PropertyResult, Result
from scrutator.checker.ladder import as_result
from scrutator.checker.refine.check import refine
from scrutator.checker.verdict import Verdict
from scrutator.model.ladder import Claim, Rung, rungs, specs
from scrutator.model.language import Spec
from scrutator.model.language.spec import Kind

SPECS = specs()
CLAIMS = [pytest.param(rung, claim, id=f"{rung.name}-{claim.name}") for rung in rungs() for claim in rung.claims]
MUTANTS = [pytest.param(spec, mutant.name, id=f"{name}-{mutant.name}") for name, spec in SPECS.items() for mutant in spec.mutants]
SMALL = 600  # states: the interpreter explores them as well


def spec_of(rung: Rung) -> Spec:
    return SPECS[f"ladder/{rung.name}"]


def reachable(spec: Spec) -> tuple[str, ...]:
    return tuple(p.name for p in spec.properties if p.kind is Kind.REACHABLE)


def run(rung: Rung, claim: Claim, engine: str = "compiled") -> Result:
    """The claim's property, and beside one that holds, whether anything happens."""
    spec = spec_of(rung)
    if claim.property in {r.name for r in spec.refinements}:
        return as_result(refine(spec, claim.property, bounds=claim.bounds, mutant=claim.mutant, options=CheckOptions(engine=engine)))
    names = dict.fromkeys((claim.property, *(reachable(spec) if claim.expect == "holds" else ())))
    return check(spec, bounds=claim.bounds, mutant=claim.mutant, properties=tuple(names), options=CheckOptions(engine=engine))


@functools.cache
def compiled(rung: str, claim: str) -> Result:
    return next(run(r, c) for r in rungs() if r.name == rung for c in r.claims if c.name == claim)


def judged(result: Result, name: str) -> PropertyResult:
    return next(p for p in result.properties if p.name == name)


@pytest.mark.parametrize(("rung", "claim"), CLAIMS)
def test_a_claim_is_what_the_checker_finds(rung: Rung, claim: Claim) -> None:
    result = compiled(rung.name, claim.name)
    found = judged(result, claim.property)
    assert found.verdict.value == claim.expect
    assert result.truncations == ()
    if claim.expect == "violated":
        assert claim.steps is not None and found.trace is not None and found.trace.shortest
        assert len(found.trace) == claim.steps
    else:
        assert result.exhaustive
        if found.name in {r.name for r in spec_of(rung).refinements}:
            assert result.vacuous == ()
            return
        happens = [p for p in result.properties if p.kind is PropertyKind.REACHABLE and p.trace is not None]
        assert happens, "nothing that should be reachable is reached: the claim holds by doing nothing"


@pytest.mark.parametrize("rung", rungs(), ids=lambda rung: rung.name)
def test_the_interpreter_finds_the_same(rung: Rung) -> None:
    """Where there are few states."""
    for claim in rung.claims:
        result = compiled(rung.name, claim.name)
        if result.distinct <= SMALL:
            slow = run(rung, claim, engine="python")
            assert slow.properties == result.properties, claim.name
            assert slow.distinct == result.distinct or claim.expect == "violated", claim.name


@pytest.mark.parametrize(("spec", "mutant"), MUTANTS)
def test_a_mutant_breaks_what_holds_without_it(spec: Spec, mutant: str) -> None:
    declared = next(m for m in spec.mutants if m.name == mutant)
    broken = check(spec, mutant=mutant, properties=(declared.breaks,))
    assert [p.verdict for p in broken.properties] == [Verdict.VIOLATED]
    if declared.replaces:  # else the bounds themselves are the mistake
        sound = check(spec, bounds=declared.bounds, properties=(declared.breaks,))
        assert [p.verdict for p in sound.properties] == [Verdict.HOLDS]


@pytest.mark.parametrize("rung", rungs(), ids=lambda rung: rung.name)
def test_every_action_and_every_reachable_happens(rung: Rung) -> None:
    """Within the bounds that a model declares, whether they break it or not."""
    result = check(spec_of(rung), options=CheckOptions(stop_at_first=False))
    assert result.vacuous == ()
    assert result.exhaustive


@pytest.mark.parametrize("name", ["asynchronous", "majority_write", "read_then_write"])
def test_names_that_are_interchangeable_are(name: str) -> None:
    options = [CheckOptions(symmetry=symmetry, stop_at_first=False) for symmetry in (False, True)]
    full, reduced = (check(f"ladder/{name}", options=chosen) for chosen in options)
    assert [(p.name, p.verdict) for p in full.properties] == [(p.name, p.verdict) for p in reduced.properties]
    assert reduced.distinct < full.distinct


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "property", "bounds"),
    [
        ("basic_paxos", "agreement", {"numbers": 3, "failures": 1}),
        ("naive_raft", "agreement", {"terms": 2}),
        ("abd", "follows_real_time", {"writes": 2, "reads": 2, "failures": 0}),
        ("registers", "finished_writes_are_seen", {"writes": 3, "reads": 1}),
        ("majority_write", "no_phone_sold_twice", {"nodes": 5, "buyers": 3}),
        ("read_then_write", "no_phone_sold_twice", {"nodes": 5, "buyers": 3, "locks": True, "failures": 2}),
        ("quorums", "no_phone_sold_twice",
         {"nodes": 9, "read": "rows([a, b, c], [d, e, f], [g, h, i])", "write": "columns([a, b, c], [d, e, f], [g, h, i])"}),
    ],
)  # fmt: skip
def test_what_holds_holds_further(name: str, property: str, bounds: dict[str, object]) -> None:
    result = check(f"ladder/{name}", bounds=bounds, properties=(property,), options=CheckOptions(memory_max_bytes=6 << 30))
    assert [p.verdict for p in result.properties] == [Verdict.HOLDS]
