"""Whether a ladder agrees: what counts as a mistake, what as unknown, and which claim shows how a rung breaks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scrutator.checker.explore.check import check
from scrutator.checker.ladder import ClaimFound, LadderFound, Played, RungFound, headline_of, pictured
from scrutator.checker.verdict import ExitStatus, Verdict
from scrutator.model.ladder import Rung, rungs

ASYNCHRONOUS = next(rung for rung in rungs() if rung.name == "asynchronous")


def found(claim_name: str, played: Played) -> ClaimFound:
    claim = next(c for c in ASYNCHRONOUS.claims if c.name == claim_name)
    result = check("ladder/asynchronous", bounds=claim.bounds, mutant=claim.mutant, properties=(claim.property,))
    return ClaimFound(ASYNCHRONOUS, claim, result, played)


def ladder(*claims: ClaimFound, limit: str | None = None) -> LadderFound:
    return LadderFound((RungFound(ASYNCHRONOUS, claims),), 1.0, 10, limit)


VIOLATED, HOLDS = Played(Verdict.VIOLATED, 3, seed=2), Played(Verdict.HOLDS, 10)


def test_both_confirm() -> None:
    agreed = ladder(found("sold_twice", VIOLATED), found("safe_without_failures", HOLDS))
    assert (agreed.mistakes, agreed.verdict, agreed.exit_status) == ((), Verdict.HOLDS, ExitStatus.HOLDS)


def test_an_implementation_that_says_otherwise_is_a_mistake() -> None:
    for claim, played in (("sold_twice", HOLDS), ("safe_without_failures", VIOLATED)):
        wrong = ladder(found(claim, played))
        assert wrong.exit_status == ExitStatus.VIOLATED and len(wrong.mistakes) == 2
        assert claim in wrong.mistakes[0] and "model and implementation disagree" in wrong.mistakes[1]
    assert "seed 2 decides it" in wrong.mistakes[0]


def test_a_model_that_says_otherwise_is_a_mistake() -> None:
    right = found("sold_twice", VIOLATED)
    wrong = replace(right, claim=replace(right.claim, expect="holds"))
    assert [m for m in wrong.mistakes if "the checker found it violated" in m and "failures=2" in m]


def test_what_no_run_can_show_contradicts_nothing() -> None:
    silent = ladder(found("sold_twice", Played(None, why="nobody sees it from outside")))
    assert silent.exit_status == ExitStatus.HOLDS


def test_nothing_to_play_is_a_mistake() -> None:
    missing = ladder(found("sold_twice", Played(None, missing="impl/ladder has no design")))
    assert missing.exit_status == ExitStatus.VIOLATED and "impl/ladder has no design" in missing.mistakes[0]


def test_what_was_cut_short_is_unknown() -> None:
    assert ladder(found("sold_twice", VIOLATED), limit="interrupted").exit_status == ExitStatus.UNKNOWN
    assert ladder(found("sold_twice", HOLDS), limit="interrupted").exit_status == ExitStatus.VIOLATED


def test_what_the_checker_left_open_is_not_confirmed() -> None:
    told = found("sold_twice", VIOLATED)
    assert told.is_confirmed
    left = replace(told, model=replace(told.model, properties=(replace(told.judged, verdict=Verdict.UNKNOWN, trace=None),)))
    assert left.mistakes == () and not left.is_confirmed and ladder(left).exit_status == ExitStatus.UNKNOWN


@pytest.mark.parametrize("rung", rungs(), ids=lambda rung: rung.name)
def test_a_rung_has_a_headline_and_pictures_of_all_its_mistakes(rung: Rung) -> None:
    shown = pictured(rung)
    assert headline_of(rung) == shown[0] and shown[0].expect == "violated"
    assert {c.mutant for c in shown if c.mutant} == {c.mutant for c in rung.claims if c.mutant}
    assert len({(c.property, c.mutant) for c in shown}) == len(shown)


def test_headlines_prefer_what_should_never_be() -> None:
    headlines = {rung.name: headline_of(rung).name for rung in rungs()}
    assert headlines["synchronous"] == "two_masters" and headlines["majority_write"] == "votes_split" and headlines["registers"] == "flicker"
