"""`scrutator quorum`, as a user meets it: what it prints, how it exits, which mistakes it names."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from scrutator.checker import cli
from scrutator.checker.quorum.programme import TimedOut
from scrutator.checker.report.quorum_json import QuorumDocument

Run = Callable[..., tuple[int, str, str]]

ZONES = """\
name = "five in three zones"
rules = "raft"

[nodes]
a = { region = "eu", capacity = 1000, latency_ms = 5, failure = 0.01 }
b = { region = "eu", capacity = 1000, latency_ms = 5, failure = 0.01 }
c = { region = "us", capacity = 1000, latency_ms = 40, failure = 0.01 }
d = { region = "us", capacity = 500, latency_ms = 40, failure = 0.01 }
w = { region = "asia", kind = "witness", latency_ms = 90, failure = 0.02 }

[quorums]
election = "majority"
commit = "majority"
"""
SPLIT = {
    "validators": [{"id": name, "qset": pair} for pair in ("ab", "cd") for name in pair],
    "qsets": {pair: {"threshold": 2, "members": list(pair)} for pair in ("ab", "cd")},
}


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")

    def call(*arguments: str) -> tuple[int, str, str]:
        status = cli.run(["quorum", *arguments])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return call


@pytest.mark.parametrize(
    ("name", "status", "arguments"),
    [
        ("majority", 0, ["majority(a, b, c)"]),
        ("disjoint", 1, ["read = a*b + c*d; write = a*c + b*d"]),
        ("zones", 0, ["five.toml", "--failures", "2"]),
        ("zones-too-many", 1, ["five.toml", "--failures", "3"]),
        ("regions", 0, ["five.toml", "--zones", "1", "--optimise", "latency"]),
        ("regions-too-many", 1, ["five.toml", "--zones", "2"]),
        ("down", 1, ["majority(a, b, c)", "--down", "a", "--down", "b"]),
        ("forgetting", 1, ["majority(a, b, c)", "--forgetting", "1"]),
        ("faulty", 1, ["choose(3, a, b, c, d)", "--faulty", "a", "--faulty", "b"]),
        ("change", 1, ["majority(a, b, c)", "--to", "majority(c, d, e)"]),
        ("compare", 1, ["majority(a, b, c)", "choose(2, a, b, c, d)", "--compare"]),
        ("search", 0, ["read = a*b*c + d*e*f; write = dual", "--rules", "read-write", "--search", "--failures", "1"]),
        ("model", 1, ["election = choose(2, a, b, c, d); commit = choose(3, a, b, c, d)", "--check", "raft", "--set", "max_term=1", "--set", "max_log=0", "--set", "messages=2"]),
    ],
)
def test_what_is_printed(run: Run, golden: Callable[[str, str], None], name: str, status: int, arguments: list[str]) -> None:
    Path("five.toml").write_text(ZONES)
    found, out, _ = run(*arguments)
    out = re.sub(r"\d+\.\d+ s\b(?! an operation)", "N s", out)
    out = re.sub(r"\d+\.\d\d(?=  VIOLATED)|[\d.]+ [kM] distinct states/s|[\d.]+ [KM]iB|\d+(?= workers?;)", "N", out)
    golden(f"quorum-{name}", out)
    assert found == status


def test_a_federated_system(run: Run) -> None:
    Path("split.json").write_text(json.dumps(SPLIT))
    status, out, _ = run("split.json")
    assert status == 1
    assert "The quorums {a, b} and {c, d} share no node" in out
    status, out, _ = run("split.json", "--format", "json")
    found = json.loads(out)["systems"][0]
    assert (found["kind"], found["outcome"], status) == ("federated", "split", 1)
    assert sorted(map(len, found["disjoint"])) == [2, 2]


def test_the_model_names_the_disjoint_quorums(run: Run) -> None:
    status, out, _ = run("phase1 = choose(2, x, y, z, u); phase2 = choose(2, x, y, z, u)", "--check", "paxos", "--set", "ballots=2")
    assert status == 1
    assert re.search(r"In this counterexample \w+ quorum \{[x-z, u]+\} and \w+ quorum \{[x-z, u]+\} decided\s+without a common node", out)
    assert "The model paxos and the verifier agree." in out


def test_only_quorums_that_a_rule_keeps_together_are_named_as_apart(run: Run) -> None:
    """Two commit quorums of Flexible Paxos may be disjoint, and often are: that is not what went wrong."""
    status, out, _ = run("phase1 = choose(2, x, y, z, u); phase2 = choose(2, x, y, z, u)", "--check", "paxos", "--set", "ballots=2")
    apart = re.search(r"In this counterexample (\w+) quorum \{[^}]*\} and (\w+) quorum", " ".join(out.split()))
    assert status == 1 and apart is not None and set(apart.groups()) == {"phase1", "phase2"}


@pytest.mark.parametrize(
    "arguments",
    [["majority(a, b, c)"], ["five.toml"], ["read = a*b + c*d; write = a*c"], ["majority(a, b)", "--to", "majority(a, b, c, d)"], ["majority(a, b, c)", "--check", "paxos"]],
)
def test_json_fits_its_schema(run: Run, arguments: list[str]) -> None:
    Path("five.toml").write_text(ZONES)
    status, out, _ = run(*arguments, "--format", "json")
    document = msgspec.json.decode(out, type=QuorumDocument)
    assert document.exit_status == status and document.schema == "scrutator.quorum/1"
    assert len(document.systems) == 1


def test_questions_are_written_for_another_solver(run: Run) -> None:
    import z3

    status, out, _ = run("read = a*b + c*d; write = a*c + b*d", "--smtlib", "questions")
    assert status == 1 and "questions" in out
    for name, expected in (("read-write", "unsat"), ("write-write", "sat")):
        solver = z3.Solver()
        solver.from_string((Path("questions") / f"{name}.smt2").read_text())
        assert str(solver.check()) == expected


def test_the_question_of_a_federated_system_is_written(run: Run) -> None:
    import z3

    Path("split.json").write_text(json.dumps(SPLIT))
    status, out, _ = run("split.json", "--smtlib", "questions")
    assert status == 1 and "disjoint-quorums.smt2" in out
    solver = z3.Solver()
    solver.from_string(Path("questions/disjoint-quorums.smt2").read_text())
    assert str(solver.check()) == "sat"


def test_a_page_is_written(run: Run) -> None:
    status, _, err = run("majority(a, b, c)", "--html", "page.html")
    assert status == 0 and "page.html" in err
    assert "<svg" in Path("page.html").read_text() or "<script" in Path("page.html").read_text()
    status, _, err = run("majority(a, b, c)", "--html", "no/such/folder/page.html")
    assert status == 2 and "cannot write the page" in err


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ([], 2, "which quorums?"),
        (["majority("], 2, "is not a quorum expression"),
        (["majority(a, b)", "majority(a)"], 2, "add --compare"),
        (["nowhere.toml"], 4, "nowhere.toml: there is no such file"),
        (["folder/nowhere"], 4, "there is no such file"),
        (["majority(a, b, c)", "--rules", "rafft"], 2, "did you mean raft"),
        (["majority(a, b, c)", "--rules", "raft"], 2, "the rules of raft are about election, commit"),
        (["majority(a, b, c)", "--rules", "quorum & qourum"], 2, "there is no role qourum: did you mean quorum?"),
        (["a*b; a + b"], 2, "given twice"),
        (["x = a*b; y = a + b"], 2, "which of the roles x, y must meet?"),
        (["write = dual"], 2, "dual of what?"),
        (["majority(a, b, c)", "--faulty", "d"], 2, "there is no node d"),
        (["majority(a, b, c)", "--down", "d"], 2, "there is no node d"),
        (["majority(a, b, c)", "--failures", "-1"], 2, "--failures -1"),
        (["majority(a, b, c)", "--zones", "1"], 2, "no node of majority(a, b, c) says in which region it is"),
        (["majority(a, b, c)", "--check", "rafft"], 2, "did you mean raft"),
        (["majority(a, b, c)", "--check", "two-phase-commit"], 2, "takes no quorum system"),
        (["majority(a, b, c)", "--check", "raft", "--set", "servers=4"], 2, "the quorum system says that already"),
        (["majority(a, b, c)", "--set", "max_term=1"], 2, "add --check MODEL"),
        (["read = a*b; write = a + b", "--check", "raft", "--set", "max_terms=1"], 2, "did you mean max_term"),
        (["x = a*b; y = a + b", "--rules", "x & y", "--check", "raft"], 2, "name one of its roles election"),
        (["majority(n1, ..., n20)", "--check", "raft"], 2, "at most 16 nodes"),
        (["majority(a, b, c)", "--to", "read = a; write = a"], 2, "a change keeps the roles"),
        (["majority(a, b, c)", "--reads", "lots"], 2, "--reads lots"),
        (["majority(a, b, c)", "--reads", "nan"], 2, "--reads nan"),
        (["majority(a, b, c)", "--reads", "0.5:0"], 2, "its weight above 0"),
        (["majority(a, b, c)", "--reads", "0.5", "--reads", "0.50:2"], 2, "given already"),
        (["majority(a, b, c)", "--timeout-s", "0"], 2, "--timeout-s 0"),
        (["majority(a, b, c)", "--timeout-s", "inf"], 2, "--timeout-s inf"),
        (["majority(a, b, c)", "--check", "raft", "--forgetting", "1"], 2, "leave out --down, --faulty and --forgetting"),
        ([";"], 2, "no quorums: write for instance"),
        (["majority(a, b, c)", "--rules", "x"], 2, "the families of rules are coterie"),
        (["2*a + b"], 2, "a weight stands within weighted(...)"),
        (["weighted(2, True*a, b)"], 2, "a weight stands within weighted(...)"),
        ([f"weighted(1, {'9' * 4000}*a, b)"], 2, "a weight or threshold above"),
        (["majority(a, b, c)", "--from", "zookeeper"], 2, "there is no file"),
        (["majority(a, b, c)", "--convention", "missing"], 2, "write NAME=VALUE"),
        (["bad.toml"], 4, "bad.toml:3"),
    ],
)
def test_mistakes_are_named(run: Run, arguments: list[str], status: int, message: str) -> None:
    Path("bad.toml").write_text('nodes = ["a", "b"]\n[quorums]\nquorum = "majority(a, b, c)"\n')
    found, out, err = run(*arguments)
    assert message in " ".join(err.split())
    assert found == status and out == "" and "Traceback" not in err


def test_an_expression_may_be_longer_than_a_name_of_a_file(run: Run) -> None:
    status, out, err = run(f"majority({', '.join(f'server{k}' for k in range(60))})")
    assert status == 0 and out.startswith("HOLDS") and err == ""


WITNESS = 'rules = "raft"\n[nodes]\na = {}\nb = {}\nw = { kind = "witness" }\n[quorums]\nelection = "majority"\ncommit = "majority"\n'


def test_one_who_holds_the_data_may_be_down(run: Run) -> None:
    Path("witness.toml").write_text(WITNESS)
    assert run("witness.toml", "--down", "a")[0] == 0
    status, out, _ = run("witness.toml", "--down", "a", "--down", "b")
    assert status == 1 and "No set of nodes is a quorum of election" in out


def test_what_it_costs_is_of_those_that_are_not_down(run: Run) -> None:
    _, out, _ = run("majority(a, b, c)", "--down", "a", "--format", "json")
    system = json.loads(out)["systems"][0]
    assert system["cost"]["load"] == pytest.approx(1)


def test_failures_that_nobody_could_judge_are_not_survived(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def give_up(*_: object, **__: object) -> None:
        raise TimedOut("the search")

    monkeypatch.setattr("scrutator.checker.commands.quorum_study.availability", give_up)
    monkeypatch.setattr("scrutator.checker.commands.quorum_study.smallest_blocking_set", give_up)
    Path("three.json").write_text(json.dumps([{"publicKey": k, "quorumSet": {"threshold": 2, "validators": ["a", "b", "c"]}} for k in "abc"]))
    for system in ("majority(a, b, c)", "three.json"):
        assert run(system)[0] == 0
        status, out, _ = run(system, "--failures", "1")
        assert status == 3 and out.startswith("UNKNOWN")


def test_roles_that_no_rule_names_are_said(run: Run) -> None:
    _, out, _ = run("quorum = majority(a, b, c); read = d")
    assert "no rule is about read" in out


def test_a_change_is_judged_under_the_same_failures(run: Run) -> None:
    status, out, _ = run("choose(3, a, b, c, d)", "--to", "choose(3, a, b, c, e)", "--forgetting", "1", "--format", "json")
    assert status == 1 and json.loads(out)["systems"][0]["change"]["verdict"] == "violated"
    assert "no set of nodes is a quorum of quorum before" in run("a*b", "--to", "a", "--down", "b")[1]


def test_a_voter_may_become_a_learner_and_a_node_move(run: Run) -> None:
    for name, nodes in (("old", "d = {}"), ("new", 'd = { kind = "learner" }'), ("moved", 'd = { region = "eu" }')):
        Path(f"{name}.toml").write_text(f'rules = "raft"\n[nodes]\na = {{}}\nb = {{}}\nc = {{}}\n{nodes}\n[quorums]\nelection = "majority"\ncommit = "majority"\n')
    for new in ("new", "moved"):
        assert run("old.toml", "--to", f"{new}.toml")[0] == 0


def test_a_change_to_commits_by_witnesses_alone_is_unsafe_at_every_step(run: Run) -> None:
    Path("old.toml").write_text(WITNESS)
    Path("new.toml").write_text(WITNESS.replace("b = {}", 'x = { kind = "witness" }'))
    _, out, _ = run("old.toml", "--to", "new.toml", "--format", "json")
    assert {sequence["verdict"] for sequence in json.loads(out)["systems"][0]["change"]["sequences"]} == {"violated"}


@pytest.mark.parametrize("missing", ["unsatisfiable", "free"])
def test_federated_nodes_that_are_down_are_in_no_quorum(run: Run, missing: str) -> None:
    Path("split.json").write_text(json.dumps(SPLIT))
    status, out, _ = run("split.json", "--down", "c", "--convention", f"missing={missing}", "--format", "json")
    found = json.loads(out)["systems"][0]
    assert (status, found["outcome"]) == (0, "intersects")
    assert found["smallest_quorum"]["nodes"] == ["a", "b"]
    status, out, _ = run("split.json", "--down", "c", "--faulty", "c")
    assert status == 0
    status, _, err = run("split.json", "--down", "x")
    assert status == 2 and "there is no node x" in err
