"""What would mean one thing in Python and another in 64-bit code is refused, with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from scrutator.checker.explore.check import CheckOptions, check
from scrutator.model.catalogue import load
from scrutator.model.language import ModelError, Nat, Record, Spec, SpecError
from scrutator.model.language.interpret import Interpreter

MODEL = """from __future__ import annotations

from scrutator.model.language import Nat, Record, Spec, require


class State(Record):
    x = Nat(5)


SPEC = Spec("test", State)


@SPEC.action
def step(s: State) -> None:
    require(s.x < 5)
{action}


@SPEC.invariant
def property(s: State) -> bool:
{invariant}
"""
STEP, HOLDS = "s.x += 1", "return True"


def run(tmp_path: Path, action: str = STEP, invariant: str = HOLDS, engine: str = "compiled") -> str:
    file = tmp_path / "model.py"
    indented = ["".join(f"    {line}\n" for line in text.splitlines()) for text in (action, invariant)]
    file.write_text(MODEL.format(action=indented[0], invariant=indented[1]))
    with pytest.raises((SpecError, ModelError)) as caught:
        check(str(file), options=CheckOptions(engine=engine))
    return str(caught.value)


@pytest.mark.parametrize(
    ("action", "invariant", "line", "why"),
    [
        ("y = 1\nfor k in range(80):\n    y = y * 2\ns.x = 1 if y > 5 else 0", HOLDS, 18, "a number grows beyond"),
        ("y = 3\nfor k in range(80):\n    y = y + y\ns.x = 1 if y > 5 else 0", HOLDS, 18, "a number grows beyond"),
        ("y = -3\nfor k in range(80):\n    y = y * 7\ns.x = 1 if y > 5 else 0", HOLDS, 18, "a number grows beyond"),
        ("s.x = 1 if s.x < 9223372036854775808 else 0", HOLDS, 16, "too large"),
        ("while s.x < 9:\n    pass\ns.x += 1", HOLDS, 16, "did not end"),
        ("if s.x > 0:\n    y = 2\ns.x = y", HOLDS, 18, "y may have no value here"),
        ("for k in range(s.x):\n    y = k\ns.x = y", HOLDS, 18, "y may have no value here"),
        ("for k in range(s.x):\n    pass\ns.x = k", HOLDS, 18, "k may have no value here"),
        ("y += 1\ns.x = y", HOLDS, 16, "y may have no value here"),
        (STEP, "if s.x < 3:\n    return True", 22, "without returning a value"),
    ],
)
def test_refused_when_compiled(action: str, invariant: str, line: int, why: str, tmp_path: Path) -> None:
    message = run(tmp_path, action, invariant)
    assert f"model.py:{line}: " in message
    assert why in message


@pytest.mark.parametrize("engine", ["compiled", "python"])
def test_properties_do_not_refuse(engine: str, tmp_path: Path) -> None:
    assert "only actions refuse" in run(tmp_path, invariant="require(s.x < 2)\nreturn True", engine=engine)


@pytest.mark.parametrize(
    "action",
    [
        "if s.x > 2:\n    y = 2\nelse:\n    y = 1\ns.x = s.x + y if s.x + y <= 5 else 5",
        "if s.x > 2:\n    s.x = 5\n    return\nelse:\n    y = 1\ns.x += y",
        "y = 0\nwhile True:\n    y += 1\n    if y > s.x:\n        break\ns.x = y",
        "s.x = min(5, sum(k for k in range(3) if k > 0) + s.x * 1000000 // 1000000)",
    ],
)
def test_accepted(action: str, tmp_path: Path) -> None:
    file = tmp_path / "model.py"
    indented = "".join(f"    {line}\n" for line in action.splitlines())
    file.write_text(MODEL.format(action=indented, invariant="    return s.x <= 5"))
    counts = [check(str(file), options=CheckOptions(engine=engine)) for engine in ("compiled", "python")]
    assert counts[0].distinct == counts[1].distinct > 1


def test_two_of_one_name() -> None:
    spec = Spec("test", type("State", (Record,), {"x": Nat(5)}))

    def step(s: object) -> None:
        pass

    spec.action(step)
    with pytest.raises(SpecError, match="the name step is taken by another action"):
        spec.action(step)


HISTORY = """from __future__ import annotations

from scrutator.model.language import Array, Bound, Ghost, Index, Nat, Record, Set, Spec, require

COUNT = Bound("count", 2, "counters", low=1, high=4)
INDEX = Index("i", COUNT)


class Counter(Record):
    done = Nat(2)
    seen = Ghost(Nat(2))


class State(Record):
    counter = Array(INDEX, Counter)
    marked = Set(INDEX)


SPEC = Spec("history", State)


@SPEC.action(i=INDEX)
def count(s: State, i: int) -> None:
    require({guard})
    s.counter[i].done += 1
    s.counter[i].seen = s.counter[i].done
    s.marked.add(i)


@SPEC.invariant
def recorded(s: State) -> bool:
    return all(s.counter[i].seen == s.counter[i].done for i in INDEX)
"""


@pytest.mark.parametrize("engine", ["compiled", "python"])
def test_history_inside_a_record(engine: str, tmp_path: Path) -> None:
    file = tmp_path / "history.py"
    file.write_text(HISTORY.format(guard="s.counter[i].done < 2"))
    assert check(str(file), options=CheckOptions(engine=engine)).distinct == 9


def test_history_decides_nothing(tmp_path: Path) -> None:
    file = tmp_path / "history.py"
    file.write_text(HISTORY.format(guard="s.counter[i].seen < 2"))
    with pytest.raises(SpecError, match=r"seen is a history variable: an action may record in it, not decide by it"):
        check(str(file))


def test_parts_of_a_state_print_as_in_traces(tmp_path: Path) -> None:
    file = tmp_path / "history.py"
    file.write_text(HISTORY.format(guard="s.counter[i].done < 2"))
    interpreter = Interpreter(load(str(file)).bind())
    after = next(iter(interpreter.successors(next(iter(interpreter.initial_states()))))).state
    assert (repr(after.marked), repr(after.counter[0])) == ("{i1}", "Counter(done=1, seen=1)")
