"""The rungs as people meet them: by name, in order, every sentence there; and their counterexamples as the stories they tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from scrutator.checker.cli import run
from scrutator.checker.explore.check import check
from scrutator.checker.quorum.handover import handover, quorums_of
from scrutator.model import ladder
from scrutator.model.catalogue import ladder as catalogue
from scrutator.model.catalogue import load, models
from scrutator.model.ladder import Rung, rungs, specs
from scrutator.model.quorums import Node, QuorumSystem, Rule
from scrutator.model.quorums.structures import rows

FOLDER = Path(ladder.__file__).parent


def test_every_module_is_a_rung_and_found_by_its_name() -> None:
    modules = {path.stem for path in (*FOLDER.glob("*.py"), *FOLDER.glob("[!_]*/"))} - {"__init__", "rung"}
    assert {rung.name for rung in rungs()} == modules
    assert list(specs()) == [f"ladder/{rung.name}" for rung in rungs()] == list(catalogue())
    assert [rung.order for rung in rungs()] == list(range(1, len(modules) + 1))
    for name, spec in specs().items():
        assert load(name) is spec
    assert not any(name.startswith("ladder/") for name in models()), "the standard run is not about the ladder"


@pytest.mark.parametrize("rung", rungs(), ids=lambda rung: rung.name)
def test_a_rung_is_complete(rung: Rung) -> None:
    spec = load(f"ladder/{rung.name}")
    assert all((rung.title, rung.idea, rung.notice, rung.keeps, rung.breaks, rung.next))
    names = [claim.name for claim in rung.claims]
    assert len(set(names)) == len(names)
    assert {claim.expect for claim in rung.claims} == {"holds", "violated"}
    properties = {p.name for p in spec.properties} | {r.name for r in spec.refinements}
    for claim in rung.claims:
        assert claim.says.endswith(".") and claim.property in properties
        spec.bind(claim.bounds, claim.mutant)
    assert {m.name for m in spec.mutants} == {claim.mutant for claim in rung.claims if claim.mutant}
    assert spec.mutants and all(m.doc and m.source for m in spec.mutants)
    assert all(a.doc for a in spec.actions) and all(p.doc for p in spec.properties) and all(b.doc for b in spec.bounds)


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.py")), ids=lambda path: str(path.relative_to(FOLDER)))
def test_a_file_is_short(path: Path) -> None:
    """A student reads it in one go."""
    assert len(path.read_text(encoding="utf-8").splitlines()) < 150


STORIES = {
    ("asynchronous", "sold_twice"): "sell(m=m1, b=b1)  crash(m=m1)  switch_to(m=m2)  sell(m=m2, b=b2)",
    ("synchronous", "two_masters"): (
        "write_down(i=s1, b=b1)  cut_line  operator_switches(i=s1)  say_yours(i=s1, b=b1)  "
        "operator_switches(i=s2)  write_down(i=s2, b=b2)  say_yours(i=s2, b=b2)"
    ),
    ("semi_synchronous", "trusts_m1_m1_m2"): (
        "take_order(b=b1)  master_writes  crash(m=m1)  switch_to(i=m2, j=m3)  "
        "take_order(b=b2)  master_writes  replica_writes(m=m3)  say_yours(b=b2)  crash(m=m2)  "
        "come_back(m=m1)  switch_to(i=m3, j=m1)  say_yours(b=b1)"
    ),
    ("majority_write", "votes_split"): "write_down(n=n1, b=b1)  write_down(n=n2, b=b2)  write_down(n=n3, b=b3)",
    ("registers", "flicker"): (
        "begin_write(w=1)  store(w=1, n=n1)  ask(r=r1, n=n1)  ask(r=r1, n=n2)  return_latest(r=r1)  "
        "ask(r=r2, n=n2)  ask(r=r2, n=n3)  return_latest(r=r2)"
    ),
    ("read_then_write", "crashed_buyer_blocks"): "read(b=b1, n=n1)  read(b=b1, n=n2)  crash(b=b1)",
}


@pytest.mark.parametrize(("name", "claim"), STORIES, ids=lambda part: part)
def test_a_counterexample_tells_the_story(name: str, claim: str) -> None:
    (rung,) = (r for r in rungs() if r.name == name)
    (told,) = (c for c in rung.claims if c.name == claim)
    result = check(f"ladder/{name}", bounds=told.bounds, mutant=told.mutant, properties=(told.property,))
    trace = result.properties[0].trace
    assert trace is not None
    assert "  ".join(step.label for step in trace.steps[1:]) == STORIES[name, claim]


def test_two_quorums_without_a_common_node_are_named() -> None:
    """The quorum verifier hands a grid over, and reads off the counterexample which two rows decided."""
    first, second = ([Node(f"{row}{k}") for k in (1, 2, 3)] for row in ("upper", "lower"))
    system = QuorumSystem("grid", {"read": rows([first, second]), "write": rows([first, second])}, (Rule(("read", "write")),))
    spec = load("ladder/quorums")
    handed = handover(system, spec)
    assert handed.roles == {"read": "read", "write": "write"}
    result = check(spec, bounds=handed.bounds, properties=("no_phone_sold_twice",))
    shown = quorums_of(result, handed, system.rules)
    assert shown is not None and shown.apart is not None
    named = {frozenset(node.name for node in row) for row in (first, second)}
    assert {nodes for _, nodes in shown.apart} == named
    assert {role for role, _ in shown.apart} == {"read", "write"}


def test_the_command_lists_and_checks_rungs(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["list"]) == 0
    standard, heading, rest = capsys.readouterr().out.partition("The ladder\n")
    assert heading and "ladder/" not in standard and "raft" in standard
    assert all(name in rest for name in specs())
    assert run(["check", "ladder/asynchronous", "--property", "no_phone_sold_twice"]) == 1
    assert "4. sell(m=m2, b=b2)" in capsys.readouterr().out
    assert run(["check", "ladder/no_such_rung"]) == 2
