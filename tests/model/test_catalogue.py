"""References to models: names, modules and files, and what is said where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from scrutator.model.catalogue import STANDARD, load, models
from scrutator.model.language import SpecError

FILE = """
from scrutator.model.language import Nat, Record, Spec

class State(Record):
    count = Nat(3)

SPEC = Spec("counter", State)

@SPEC.action()
def count(s):
    s.count = 1

OTHER = Spec("other", State)
NUMBER = 7
"""


def test_every_model_is_found_by_its_name() -> None:
    found = models()
    assert {"paxos", "paxos-commit", "raft", "two-phase-commit", "voting"} <= set(found)
    assert list(found) == sorted(found)
    for name, spec in found.items():
        assert spec.name == name
        assert load(name) is spec
        spec.bind()
        for mutant in spec.mutants:
            spec.bind(mutant=mutant.name)
            assert mutant.doc and mutant.source


def test_every_model_speaks_for_itself() -> None:
    for spec in models().values():
        assert spec.doc.count("\n") >= 2
        assert spec.mutants, f"{spec.name} has no mutant: a check that cannot fail is a defect"
        assert all(a.doc for a in spec.actions)
        assert all(p.doc for p in spec.properties)
        assert all(b.doc for b in spec.bounds)


def test_the_standard_run_has_models_with_bounds_of_theirs() -> None:
    for name, bounds in STANDARD:
        load(name).bind(bounds)


def test_models_are_found_in_modules_and_files(tmp_path: Path) -> None:
    assert load("scrutator.model.paxos:SPEC") is load("scrutator.model.paxos") is load("paxos")
    path = tmp_path / "counter.py"
    path.write_text(FILE)
    spec = load(f"{path}:SPEC")
    assert spec.name == "counter"
    assert load(f"{path}:OTHER").name == "other"
    again = load(str(path))
    assert again is not spec, "the file is read again, as it may have changed"
    again.bind()


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("raff", "there is no model raff; did you mean raft?"),
        ("zzzzzz", "there is no model zzzzzz; there are paxos, "),
        ("nowhere.at.all:SPEC", "there is no module nowhere.at.all"),
        ("scrutator.model.raff:SPEC", "there is no module scrutator.model.raff"),
        ("scrutator.model.raft:SPCE", "there is no SPCE in "),
        ("{folder}/conuter.py:SPEC", "did you mean {folder}/counter.py?"),
        ("{folder}/counter.py:NUMBER", "NUMBER is a int, not of type Spec; there are SPEC, OTHER"),
        ("{folder}/counter.py:OHTER", "did you mean OTHER?"),
        ("{folder}/syntax.py:SPEC", "{folder}/syntax.py:2: "),
        ("{folder}/raises.py:SPEC", "{folder}/raises.py:3: ZeroDivisionError: "),
        ("{folder}/imports.py:SPEC", "{folder}/imports.py:1: ModuleNotFoundError: No module named 'nowhere'"),
        ("{folder}/declares.py:SPEC", "{folder}/declares.py:4: "),
    ],
)
def test_a_reference_to_nothing_says_what_there_is(tmp_path: Path, reference: str, message: str) -> None:
    (tmp_path / "counter.py").write_text(FILE)
    (tmp_path / "syntax.py").write_text("x = 1\ny = = 2\n")
    (tmp_path / "raises.py").write_text("x = 0\n\ny = 1 / x\n")
    (tmp_path / "imports.py").write_text("import nowhere\n")
    (tmp_path / "declares.py").write_text("from scrutator.model.language import Network\n\n\nNetwork(ordering='fifo')\n")
    with pytest.raises(SpecError) as error:
        load(reference.format(folder=tmp_path))
    assert message.format(folder=tmp_path) in str(error.value)
