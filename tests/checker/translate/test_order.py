"""Expressions are evaluated in Python's order, each part once; what compiled code would do otherwise is refused."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from agreement import assert_agreement

from scrutator.checker.translate.program import translate
from scrutator.model.catalogue import load
from scrutator.model.language import Model, SpecError

MODEL = """from __future__ import annotations

from scrutator.model.language import *

NODE = Index("node", 2)
LEVEL = Nat(3)


class Msg(Record):
    src = NODE
    dst = NODE
    level = LEVEL


class Note(Record):
    text = Seq(Nat(5), 4)


class State(Record):
    x = Nat(5)
    y = Nat(5)
    log = Seq(Nat(5), 4)
    a = Array(NODE, Nat(5))
    b = Array(NODE, Nat(6, low=1))
    few = Set(Nat(5), 3)
    many = Set(Nat(5))
    net = Network(Note, capacity=2)
    links = Links(NODE, Msg, capacity=3)


SPEC = Spec("test", State)


def bump(s: State) -> int:
    s.y = min(5, s.y + 1)
    return s.y


def pair(a: int, b: int) -> int:
    return a * 2 + b


@SPEC.action
def begin(s: State) -> None:
    require(s.x == 0 and len(s.log) == 0)
    s.x = 1
    s.log = [3, 1, 2]
    s.a[0] = 1
    s.a[1] = 2
    s.b[0] = 2
    s.b[1] = 3
    s.many.add(1)
    s.many.add(3)
    s.links.send(Msg(src=0, dst=1, level=1))
    s.net.send(Note(text=[4, 2]))


@SPEC.action({domain})
def act(s: State{parameter}) -> None:
    require(s.x == 1)
    s.x = 2
{action}


@SPEC.invariant
def small(s: State) -> bool:
    return s.x <= 5
"""


def model(tmp_path: Path, action: str, domain: str = "") -> Model:
    parameter = f", {domain.split('=')[0]}: int" if domain else ""
    file = tmp_path / "model.py"
    file.write_text(MODEL.format(domain=domain, parameter=parameter, action=textwrap.indent(action, "    ")))
    return load(str(file)).bind()


@pytest.mark.parametrize(
    "action",
    [
        "s.x = min(5, s.y + bump(s) + s.y)",
        "s.x = min(5, s.log[0] + s.log.pop(0))",
        "s.x = s.log.pop(0) - s.log.pop(0)",
        "if s.log.pop() < 3:\n    s.x = 3",
        "if s.y < bump(s):\n    s.x = 4",
        "if s.y == bump(s):\n    s.x = 4",
        "if s.y in (bump(s), 1):\n    s.x = 4",
        "s.log = [s.y, bump(s), s.y]",
        "s.x = pair(s.y, bump(s))",
        "s.x = min(s.y, bump(s), 5)",
        "s.y += bump(s)",
        "s.a[bump(s)] = s.y",
        "for v in s.a:\n    s.a[1] = 4\n    s.x = v",
        "if s.log[1:] == [1, 2] and [3] == s.log[:1]:\n    s.x = 3",
        "if any(m.text == [4, 2] and m.text[1:] == [2] for m in s.net):\n    s.x = 3",
    ],
)
def test_the_same_as_in_python(action: str, tmp_path: Path) -> None:
    assert assert_agreement(model(tmp_path, action), states_max=50) > 2


def test_a_parameter_given_another_value_leaves_its_range(tmp_path: Path) -> None:
    text = "for k in NODE:\n    s.y = n if n <= 5 else 5\n    n = n + 2\ns.x = n if n <= 5 else 5"
    assert assert_agreement(model(tmp_path, text, "n=LEVEL"), states_max=50) == 6


def test_a_loop_variable_given_another_value_leaves_its_range(tmp_path: Path) -> None:
    text = "for k in LEVEL:\n    k = k + 3\n    s.x = k if k <= 5 else 4"
    assert assert_agreement(model(tmp_path, text), states_max=50) == 3


@pytest.mark.parametrize(
    ("action", "why"),
    [
        ("s.x = max((k for k in s.many), key=lambda k: -k)", "max with key"),
        ("for k in sorted(s.many, reverse=True):\n    s.y = k", "sorted takes a set, and nothing else"),
        ("for k in sorted(s.log):\n    s.y = k", "only sets are gone through in order"),
        ("s.x = sum({1 for k in s.log})", "adds equal numbers once"),
        ("for m in s.links:\n    s.links.receive(m)", "goes through links"),
        ("for m in s.net.of(Msg):\n    t = 1", "Msg never travels there"),
        ("if s.a == s.b:\n    s.x = 3", "arrays of the same type"),
        ("s.a = s.b", "a place of the same type"),
        ("s.few = s.many", "a place of the same type"),
        ("s.a[s.log.pop() - 1] += 1", "may change the state"),
        ("if 0 < s.log.pop() < 4:\n    s.x = 3", "compared twice"),
        ("if s.log[1:] == [bump(s)]:\n    s.x = 3", "assign this to a variable first"),
        ("s.x = s.log.pop(position=0)", "not by name"),
        ("s.many.add(1, 2)", "add takes 1 arguments"),
        ("s.x = pair([1], 2)", "no type of its own"),
    ],
)
def test_refused(action: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=why):
        translate(model(tmp_path, action))
