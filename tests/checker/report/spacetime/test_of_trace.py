"""Diagrams of models' traces: who takes part, who hears from whom, and that one rule serves all models."""

from __future__ import annotations

from pathlib import Path

from scrutator.checker.explore.check import check
from scrutator.checker.report import spacetime
from scrutator.checker.report.spacetime import Diagram, diagram_of_trace
from scrutator.model.catalogue import load
from scrutator.model.ladder import rungs


def drawn(name: str, property: str, bounds: dict[str, object] | None = None, mutant: str | None = None) -> Diagram:
    spec = load(name)
    trace = check(spec, bounds=bounds, mutant=mutant, properties=(property,)).properties[0].trace
    assert trace is not None
    return diagram_of_trace(spec.bind(bounds or {}, mutant), trace, property_name=property, ending="It breaks.")


def of_claim(rung: str, claim: str) -> Diagram:
    (told,) = (c for r in rungs() if r.name == rung for c in r.claims if c.name == claim)
    return drawn(f"ladder/{rung}", told.property, dict(told.bounds), told.mutant)


def arrows(diagram: Diagram, row: int) -> list[tuple[str, str, str]]:
    """The arrows that arrive in a row, counted from 1: from whom, to whom, what."""
    names = [lane.name for lane in diagram.lanes]
    return [(names[a.source], names[a.target], a.text) for a in diagram.arrows if int(a.received) == row - 1]


def test_an_exchange_goes_there_and_back() -> None:
    diagram = of_claim("asynchronous", "sold_twice")
    assert [(lane.name, lane.kind, lane.foot) for lane in diagram.lanes] == [
        ("b1", "buyer", ()), ("b2", "buyer", ()), ("m1", "machine", ("sold to: b1",)), ("m2", "machine", ("sold to: b2",)),
    ]  # fmt: skip
    assert arrows(diagram, 1) == [("b1", "m1", "sell"), ("m1", "b1", "told yours")]
    assert arrows(diagram, 4) == [("b2", "m2", "sell"), ("m2", "b2", "told yours")]
    assert [(d.lane, d.begin, d.end) for d in diagram.downs] == [(2, 1.5, 4.0)]
    assert [row.text for row in diagram.rows][:2] == ['The master m1 sells the phone to buyer b1, and says "yours" at once.', "Machine m1 goes down; its disk survives."]
    assert [(row.fault, row.fatal) for row in diagram.rows] == [(False, False), (True, False), (False, False), (False, True)]


def test_a_question_is_marked_where_it_is_answered() -> None:
    diagram = of_claim("read_then_write", "race")
    assert arrows(diagram, 5) == [("b1", "n1", "write"), ("n1", "b1", "")]
    assert [diagram.lanes[m.lane].name for m in diagram.marks][4:6] == ["n1", "n2"]


def test_messages_come_from_where_they_were_sent() -> None:
    diagram = of_claim("basic_paxos", "keeps_own_value")
    assert [lane.name for lane in diagram.lanes] == ["n = 0", "n = 1", "a1", "a2", "a3"]
    assert arrows(diagram, 2) == [("n = 1", "a1", "Prepare(1)")]
    sent = {(a.sent, a.text) for a in diagram.arrows}
    assert (0.5, "Prepare(1)") in sent and (2.5, "Propose(0, b1)") in sent
    promises = {(source, text) for source, target, text in arrows(diagram, 6) if target == "n = 1"}
    assert promises == {("a1", "Promise(a1, 1, -)"), ("a2", "Promise(a2, 1, 0, b1)")}
    assert [tuple(diagram.lanes[k].name for k in bar.lanes) for bar in diagram.bars] == [("a2", "a3"), ("a1", "a2")]


def test_votes_are_arrows_although_nobody_takes_them_out_of_the_network() -> None:
    diagram = of_claim("naive_raft", "leader_keeps_own_value")
    assert ("s1", "s2", "Vote(s1, s2, 1, -)") in arrows(diagram, 6)


def test_a_quorum_points_at_whoever_it_decides_for() -> None:
    diagram = of_claim("majority_write", "changes_its_mind")
    counted = [(diagram.lanes[a.source].name, diagram.lanes[a.target].name) for a in diagram.arrows if a.kind == "quorum"]
    assert counted == [("n1", "b1"), ("n2", "b1"), ("n1", "b2"), ("n3", "b2")]


def test_a_cut_line_lasts() -> None:
    (band,) = of_claim("synchronous", "two_masters").bands
    assert (band.begin, band.end, band.text) == (1.5, 7.0, "line is cut")


def test_whoever_is_in_charge_speaks_for_what_is_nobodys() -> None:
    diagram = of_claim("semi_synchronous", "master_suffices")
    assert arrows(diagram, 1) == [("b1", "m1", "take order")] and arrows(diagram, 3) == [("m1", "b1", "say yours")]
    assert arrows(diagram, 6) == [("b2", "m2", "take order")]


def test_what_has_no_name_gets_a_lane() -> None:
    diagram = of_claim("one_machine", "answers_before_writing")
    assert diagram.lanes[-1].name == "one machine" and "machine: open" in diagram.lanes[-1].foot
    assert arrows(diagram, 1) == [("b1", "one machine", "sell"), ("one machine", "b1", "told yours")]


def test_models_beside_the_ladder() -> None:
    two_phase = load("two-phase-commit")
    mutant = next(m for m in two_phase.mutants if m.breaks == "consistent")
    diagram = drawn("two-phase-commit", "consistent", dict(mutant.bounds), mutant.name)
    assert diagram.arrows and all(a.sent < a.received for a in diagram.arrows)


def test_no_model_is_known_by_name() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in Path(spacetime.__file__).parent.glob("*.py"))
    assert not any(f"ladder/{rung.name}" in sources or f'"{rung.name}"' in sources for rung in rungs())
