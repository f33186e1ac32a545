"""Every mutant of every model breaks what it says, within its bounds; every model holds.

A check that cannot fail is a defect.
"""

from __future__ import annotations

import pytest

from scrutator.checker.explore.check import CheckOptions, check
from scrutator.checker.explore.result import PropertyKind
from scrutator.checker.verdict import Verdict
from scrutator.model.catalogue import STANDARD, models

MUTANTS = [(name, mutant.name) for name, spec in models().items() for mutant in spec.mutants]


@pytest.mark.parametrize("symmetry", [False, True], ids=["", "symmetry"])
@pytest.mark.parametrize(("model", "mutant"), MUTANTS)
def test_a_mutant_breaks_its_property(model: str, mutant: str, symmetry: bool) -> None:
    spec = models()[model]
    declared = next(m for m in spec.mutants if m.name == mutant)
    result = check(spec, mutant=mutant, properties=(declared.breaks,), options=CheckOptions(symmetry=symmetry))
    assert [(p.name, p.verdict) for p in result.properties] == [(declared.breaks, Verdict.VIOLATED)]
    unbroken = check(spec, bounds=declared.bounds, properties=(declared.breaks,), options=CheckOptions(symmetry=symmetry))
    if set(declared.bounds) & QUORUMS:
        return  # the bounds themselves are the mistake
    assert [p.verdict for p in unbroken.properties] == [Verdict.HOLDS]


QUORUMS = {"phase1", "phase2", "election", "commit"}


@pytest.mark.parametrize("symmetry", [False, True], ids=["", "symmetry"])
@pytest.mark.parametrize(("model", "bounds"), STANDARD)
def test_a_model_holds_and_is_not_vacuous(model: str, bounds: dict[str, object], symmetry: bool) -> None:
    result = check(model, bounds=bounds, options=CheckOptions(symmetry=symmetry))
    assert result.verdict is Verdict.HOLDS
    assert result.vacuous == ()
    assert all(p.trace is not None for p in result.properties if p.kind is PropertyKind.REACHABLE)
