"""What a page carries, and that nothing in it can become more than data."""

from __future__ import annotations

import html.parser
import json
import re
import sys
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import quorum_studies as studies
from hypothesis import given, settings
from hypothesis import strategies as st

from scrutator.checker.quorum.circuit import compiled
from scrutator.checker.report.quorum_page import Candidate, page, write_page
from scrutator.checker.report.quorum_page.document import document_of, system_of
from scrutator.checker.report.quorum_page.federated import federated_system
from scrutator.checker.report.quorum_page.listing import ROWS_MAX, in_words, listing
from scrutator.checker.report.quorum_page.schema import ALWAYS, Part, Quorums, embedded, parts_of
from scrutator.checker.report.quorum_page.tradeoff import comparison_of, front
from scrutator.model.quorums import minimal_quorums, parse

sys.path.insert(0, str(Path(__file__).parents[2] / "quorum"))

from random_systems import expressions


class Elements(html.parser.HTMLParser):
    """The elements of a page, and the text of its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.scripts: dict[str, str] = {}
        self._in: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "script":
            self._in = dict(attrs).get("type") or tag

    def handle_endtag(self, tag: str) -> None:
        self._in = None

    def handle_data(self, data: str) -> None:
        if self._in is not None:
            self.scripts[self._in] = self.scripts.get(self._in, "") + data


def held(parts: list[Part], up: set[int]) -> list[bool]:
    """What the page computes of each part."""
    found: list[bool] = []
    for part in parts:
        if isinstance(part, int):
            found.append(part in up)
        else:
            needed, weights, members = part
            found.append(sum(int(w) for w, m in zip(weights, members, strict=True) if found[m]) >= int(needed))
    return found


# --- the page -----------------------------------------------------------------------------


def test_hostile_names_are_data():
    text = page([studies.hostile()], comparison=[Candidate(studies.HOSTILE, 1.0, 1.0, 1, note=studies.HOSTILE)])
    found = Elements(text)
    assert found.tags == Elements(page([studies.grid()])).tags and "img" not in found.tags
    assert "\x1b" not in text and "\u2028" not in text
    document = json.loads(found.scripts["application/json"])
    assert document["systems"][0]["nodes"][3]["name"] == studies.HOSTILE.replace("\x1b", "\\x1b").replace("\u2028", "\\u2028") + "3"


def test_the_policy_allows_no_network():
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page([studies.grid()]))
    assert policy is not None and policy[1].startswith("default-src 'none'; script-src 'sha256-")
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", page([studies.grid()]))


def test_it_is_written(tmp_path):
    write_page([studies.grid()], tmp_path / "page.html")
    assert (tmp_path / "page.html").read_bytes().startswith(b"<!DOCTYPE html>")
    with pytest.raises(OSError):
        write_page([studies.grid()], tmp_path / "none" / "page.html")


def test_no_studies_but_a_comparison():
    document = document_of([], [Candidate("a", 0.5, 1.0, 1)])
    assert document.systems == [] and document.comparison is not None
    assert "Quorum systems compared" in page([], comparison=[Candidate("a", 0.5, 1.0, 1)])


# --- systems ------------------------------------------------------------------------------


def test_the_quorums_that_miss_each_other_are_lit():
    system = system_of(studies.grid())
    rule = next(rule for rule in system.rules if rule.verdict == "violated")
    first, second = (set(system.rows[row].members) for row in system.lit)
    assert rule.rows == system.lit and not first & second
    assert rule.said == "write quorum {a, d} and write quorum {b, c} share no node."
    assert all(system.rows[row].cited for row in system.lit)
    assert [each.count for each in system.quorums] == ["2", "4"] and len(system.rows) == 6


def test_roles_with_the_same_quorums_share_them():
    system = system_of(studies.surviving())
    assert [each.roles for each in system.quorums] == [[0, 1]] and len(system.rows) == 10
    assert [fact.text for fact in system.facts] == [
        "election and commit survive any 2 failures, but not that of",
        "election and commit survive the loss of any zone, but not that of {east, west}:",
    ]
    assert system.wrong[0] == "election has no quorum once {n1, n2, n3} failed, and 3 failures were to be survived."
    assert system.verdict == "violated"


def test_nodes_say_what_they_are():
    system = system_of(studies.kinds())
    known = {node.name: node for node in system.nodes}
    assert known["a"].faulty and known["b"].down and known["w"].kind == "witness" and known["l"].kind == "learner"
    assert [node.name for node in system.nodes if node.idle] == ["l", "x"]
    assert all("b" not in [system.nodes[k].name for k in row.members] for row in system.rows)


def test_what_has_no_quorum_is_said():
    system = system_of(studies.never())
    assert [each.count for each in system.quorums] == ["1", "none"] and len(system.rows) == 1
    assert system.wrong == ["No set of nodes is a quorum of fast: it could never decide anything, which is not safety."]


def test_a_thousand_nodes():
    system = system_of(studies.thousand())
    (quorums,) = system.quorums
    assert quorums.count == "about 2.70 × 10^299" and not quorums.complete
    assert 10 <= len(system.rows) <= ROWS_MAX and all(len(row.members) == 501 for row in system.rows)
    assert len(embedded(document_of([studies.thousand()]))) < 300_000


def test_weights_beyond_exact_numbers_are_texts():
    (quorums,) = system_of(studies.heavy()).quorums
    needed, weights, _ = next(part for part in quorums.parts if not isinstance(part, int))
    assert isinstance(needed, str) and all(isinstance(weight, str) for weight in weights)
    assert [held(quorums.parts, up)[-1] for up in ({0, 1}, {0, 1, 2})] == [False, True]


def test_a_change_is_told_step_by_step():
    system = system_of(studies.moved())
    change = system.change
    assert system.verdict == "violated" and system.wrong == ["The change to new is not safe in one step."]
    assert change is not None and change.verdict == "violated"
    assert {way.kind: way.verdict for way in change.ways}["joint"] == "holds"
    assert "share no node" in (change.ways[0].moves[0].said or "")


@given(expressions(nodes=5))
@settings(max_examples=60, deadline=None)
def test_the_page_evaluates_what_was_verified(expression):
    circuit = compiled(expression)
    assert not isinstance(circuit, bool)
    names = {name: k for k, name in enumerate(circuit.names)}
    parts = json.loads(json.dumps(parts_of(circuit, names)))
    for size in range(len(names) + 1):
        for up in combinations(names, size):
            assert held(parts, {names[name] for name in up})[-1] == expression.is_quorum(up)


# --- federated systems --------------------------------------------------------------------


def is_federated_quorum(quorums: Quorums, up: set[int]) -> bool:
    """What the page computes: those who are convinced, until all are."""
    assert quorums.slices is not None
    while True:
        found = held(quorums.parts, up)
        kept = {node for node in up if quorums.slices[node] == ALWAYS or (quorums.slices[node] >= 0 and found[quorums.slices[node]])}
        if kept == up:
            return bool(up - set(quorums.bare))
        up = kept


def test_a_federated_system_is_shown():
    study = studies.federated()
    system = federated_system(study)
    assert system.verdict == "violated" and len(system.lit) == 2
    assert system.rules[0].said == "The quorums {a, b} and {c, d} share no node."
    quorums, sets = system.quorums
    assert quorums.complete and quorums.count == "2" and sets.roles == []
    assert [row.label for row in system.rows if row.quorums == 1] == ["{a, b} ask for a*b", "{c, d} ask for c*d"]
    names = study.system.names()
    for size in range(len(names) + 1):
        for up in combinations(range(len(names)), size):
            assert is_federated_quorum(quorums, set(up)) == bool(study.system.greatest_quorum(names[k] for k in up))


# --- listing and comparing ----------------------------------------------------------------


@given(expressions(nodes=6), st.integers(1, 12))
@settings(max_examples=60, deadline=None)
def test_rows_are_minimal_quorums(expression, rows):
    known = set(minimal_quorums(expression))
    found = listing(expression, rows)
    assert set(found.sets) <= known and len(set(found.sets)) == len(found.sets) <= rows
    assert found.complete == (set(found.sets) == known) or not found.complete
    if len(known) <= rows:
        assert found.count == str(len(known))


def test_rows_drawn_by_lot_are_the_same_again():
    expression = parse("majority(n1, ..., n41)")
    first, second = listing(expression, 50), listing(expression, 50)
    assert first == second and not first.complete and len(first.sets) > 40
    assert all(len(quorum) == 21 for quorum in first.sets)


@pytest.mark.parametrize("count", [0, 7, 10**12 - 1, 10**12, 10**15, 999 * 10**20, 2**5000])
def test_counts_in_words(count):
    text = in_words(count)
    match = re.fullmatch(r"about (\d\.\d\d) × 10\^(\d+)", text)
    if match is None:
        assert count < 10**12 and text == f"{count:,}"
    else:
        assert abs(int(match[1].replace(".", "")) * 10 ** int(match[2]) // 100 - count) * 100 <= count


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(0, 3)), max_size=8))
def test_the_front_is_what_nobody_beats(costs):
    candidates = [Candidate(str(k), load, latency, resilience) for k, (load, latency, resilience) in enumerate(costs)]

    def beats(a: tuple[int, int, int], b: tuple[int, int, int]) -> bool:
        return a != b and a[0] <= b[0] and a[1] <= b[1] and a[2] >= b[2]

    assert front(candidates) == {k for k, mine in enumerate(costs) if not any(beats(other, mine) for other in costs)}


def test_candidates_without_numbers_are_listed():
    given: list[Any] = [Candidate("a", None, None, 1), Candidate("b", float("inf"), 1.0, 1), Candidate("c", 0.5, float("nan"), 1), Candidate("d", 1.0, 1.0, 0)]
    found = comparison_of(given)
    assert [dot.name for dot in found.dots if dot.front] == ["d"] and len(found.dots) == 4
    assert all(dot.load is None or dot.load < 2 for dot in found.dots)


def test_enormous_weights_do_not_fill_the_memory():
    big = 10**15
    found = listing(parse(f"weighted({2 * big}, {big}*a, {big - 1}*b, {big - 2}*c, {big - 3}*d)"), 20)
    assert found.complete and [sorted(quorum) for quorum in found.sets] == [["a", "b", "c"], ["a", "b", "d"], ["a", "c", "d"], ["b", "c", "d"]]
