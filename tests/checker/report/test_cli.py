"""The command, with a checker that only pretends: exit statuses, arguments, messages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import types
from dataclasses import replace
from enum import Enum
from pathlib import Path

import pytest

import scrutator
from scrutator.checker import cli
from scrutator.checker.commands.check import combined_status
from scrutator.checker.commands.shared import UsageError, parse_size
from scrutator.checker.explore.options import CheckOptions
from scrutator.checker.explore.result import Step, Trace
from scrutator.checker.explore.trace import ReplayError
from scrutator.checker.verdict import ExitStatus
from scrutator.model.language import ModelError, SpecError

WITNESS = Trace((Step("initial state", (), ("x = 1",), (), ""),), shortest=False)


class Kind(Enum):
    INVARIANT = "invariant"


def named(name, **more):
    return types.SimpleNamespace(name=name, doc=f"What {name} is.\n\nMore of it.", **more)


SPEC = named(
    "two-phase-commit",
    bounds=(named("managers", default=3), named("losses", default=False)),
    properties=(named("consistent", kind=Kind.INVARIANT), named("done", kind=Kind.INVARIANT)),
    mutants=(named("commit_without_all", breaks="consistent", source="an impatient coordinator"),),
    refinements=(named("of_resources", spec=named("transaction-commit")),),
)
OTHER = named("paxos", bounds=(), properties=(), mutants=(), refinements=())


@pytest.fixture
def fake(monkeypatch, results, tmp_path):
    """The modules the command imports lazily; ``answers`` maps a subject to a result or an exception."""
    monkeypatch.chdir(tmp_path)
    state = types.SimpleNamespace(answers={}, calls=[], saved=[], replayed=None)

    def check(subject, *, bounds, mutant, properties, options, progress):
        state.calls.append((subject, bounds, mutant, properties, options))
        answer = state.answers.get(getattr(subject, "name", subject), results["holds"])
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def replay(path):
        if isinstance(state.replayed, BaseException):
            raise state.replayed
        return state.replayed

    def save(result, property_name, path, reference):
        Path(path).write_text("{}")
        state.saved.append((result.model, property_name, Path(path), reference))

    catalogue = types.SimpleNamespace(
        models=lambda: {"two-phase-commit": SPEC, "paxos": OTHER},
        ladder=dict,
        load=lambda name: OTHER if name == "paxos" else SPEC,
        STANDARD=(("two-phase-commit", {"managers": 5}), ("paxos", {})),
    )
    modules = {
        "scrutator.checker.explore.check": types.SimpleNamespace(check=check),
        "scrutator.checker.explore.trace": types.SimpleNamespace(
            save=save, replay=replay, ReplayError=ReplayError
        ),
        "scrutator.model.catalogue": catalogue,
    }
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    return state


def run(*arguments):
    return cli.run([str(a) for a in arguments])


@pytest.mark.parametrize(
    ("name", "status"), [("holds", 0), ("violated", 1), ("cut", 3), ("vacuous", 4), ("unreached", 4)]
)
def test_exit_status_of_a_result(fake, results, name, status, capsys):
    fake.answers["two-phase-commit"] = results[name]
    assert run("check", "two-phase-commit") == status
    assert results[name].verdict.name in capsys.readouterr().out


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (SpecError("managers=99: must be between 1 and 16"), 2, "scrutator: managers=99"),
        (ModelError("two.py:7: s.term[i] = 9"), 4, "the model is faulty: two.py:7: s.term[i] = 9"),
        (ZeroDivisionError("oops"), 70, "this is a bug in scrutator"),
        (KeyboardInterrupt(), 3, "interrupted"),
        (SystemExit(0), 4, "its code exits the interpreter"),
    ],
)
def test_exit_status_of_an_error(fake, error, status, message, capsys):
    fake.answers["two-phase-commit"] = error
    assert run("check", "two-phase-commit") == status
    captured = capsys.readouterr()
    assert message in captured.err and captured.out == ""
    assert ("Traceback" in captured.err) == (status == ExitStatus.INTERNAL_ERROR)


@pytest.mark.parametrize(
    "arguments",
    [
        ("chekc",),
        ("check", "--workers", "many"),
        ("check", "--nonsense"),
        ("check", "a", "b"),
        ("check", "two-phase-commit", "--engine", "magic"),
        ("check", "two-phase-commit", "--workers", "0"),
        ("check", "two-phase-commit", "--memory-max", "lots"),
        ("check", "two-phase-commit", "--set", "managers"),
        ("check", "two-phase-commit", "--set", "managers=2", "--set", "managers=3"),
        ("check", "--mutant", "commit_without_all"),
        ("replay",),
    ],
)
def test_wrong_usage(fake, arguments, capsys):
    assert run(*arguments) == 2
    captured = capsys.readouterr()
    assert captured.err and not captured.out and not fake.calls


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("two-phase-comit",), "no model two-phase-comit: did you mean two-phase-commit?"),
        (("zzz",), "the models are: two-phase-commit, paxos"),
        (
            ("two-phase-commit", "--set", "manager=3"),
            "no bound manager of two-phase-commit: did you mean managers?",
        ),
        (
            ("two-phase-commit", "--property", "zzz"),
            "the properties of two-phase-commit are: consistent, done",
        ),
        (("two-phase-commit", "--mutant", "commit_all"), "did you mean commit_without_all?"),
        (("paxos", "--mutant", "x"), "there are no mutants of paxos"),
    ],
)
def test_unknown_names(fake, arguments, message, capsys):
    assert run("check", *arguments) == 2
    assert message in " ".join(capsys.readouterr().err.split())


def test_arguments_reach_the_checker(fake):
    status = run(
        "check", "two-phase-commit", "--set", "managers=4", "--set", "losses=true", "--property", "done", "--property",
        "consistent", "--mutant", "commit_without_all", "--engine", "python", "--search", "simulate", "--workers", 3,
        "--no-symmetry", "--depth-max", 9, "--states-max", 1000, "--timeout-s", 1.5, "--memory-max", "1.5G", "--walks",
        7, "--seed", 42, "--deadlock", "--fingerprint-bits", 128, "--continue",
    )  # fmt: skip
    assert status == 0
    ((subject, bounds, mutant, properties, options),) = fake.calls
    assert subject is SPEC and bounds == {"managers": "4", "losses": "true"}
    assert mutant == "commit_without_all" and properties == ("done", "consistent")
    assert options == CheckOptions(
        "python", "simulate", 3, False, 9, 1000, 1.5, 3 * 2**29, 7, 42, True, 128, stop_at_first=False
    )


def test_defaults_are_the_checkers(fake):
    assert run("check", "two-phase-commit") == 0
    assert fake.calls[0][4] == CheckOptions()


def test_the_standard_suite(fake, results, capsys):
    fake.answers["paxos"] = replace(results["cut"], model="paxos")
    assert run("check") == 3
    assert [(call[0], call[1]) for call in fake.calls] == [
        ("two-phase-commit", {"managers": 5}),
        ("paxos", {}),
    ]
    out = capsys.readouterr().out
    assert "two-phase-commit" in out and "paxos" in out


def test_an_error_in_one_model_shows_the_others(fake, capsys):
    fake.answers["paxos"] = ModelError("paxos.py:3")
    assert run("check") == 4
    captured = capsys.readouterr()
    assert "HOLDS" in captured.out and "paxos.py:3" in captured.err


def test_an_interrupted_model_ends_the_suite(fake, results):
    fake.answers["two-phase-commit"] = replace(results["cut"], limit="interrupted")
    assert run("check") == 3 and len(fake.calls) == 1


def test_statuses_combine(results):
    def combined(*names):
        return combined_status([results[name] for name in names])

    assert combined("holds", "holds") == 0 and combined("holds", "cut") == 3
    assert combined("cut", "vacuous") == 4 and combined("vacuous", "violated", "cut") == 1


def test_a_counterexample_is_kept_on_request(fake, results, capsys, tmp_path):
    fake.answers["two-phase-commit"] = results["violated"]
    assert run("check", "two-phase-commit") == 1
    assert not fake.saved
    assert "scrutator replay two-phase-commit-consistent.json" in " ".join(capsys.readouterr().out.split())
    assert run("check", "two-phase-commit", "--out", "found.json") == 1
    assert run("check", "two-phase-commit", "--out", tmp_path, "--format", "json") == 1
    assert [(p, path, reference) for _, p, path, reference in fake.saved] == [
        ("consistent", Path("found.json"), "two-phase-commit"),
        ("consistent", tmp_path / "two-phase-commit-consistent.json", "two-phase-commit"),
    ]
    assert run("check", "two-phase-commit", "--out", "no/such/folder.json") == 2
    assert "cannot save" in capsys.readouterr().err


def test_json_is_all_of_standard_output(fake, results, capsys):
    fake.answers["two-phase-commit"] = results["violated"]
    assert run("check", "two-phase-commit", "--format", "json") == 1
    document = json.loads(capsys.readouterr().out)
    assert document["exit_status"] == 1 and document["results"][0]["verdict"] == "violated"


def test_list(fake, capsys, golden):
    assert run("list") == 0
    golden("list", capsys.readouterr().out)
    assert run("list", "two-phase-commit") == 0
    golden("list-model", capsys.readouterr().out)
    assert run("list", "two-phase-commit", "--format", "json") == 0
    (model,) = json.loads(capsys.readouterr().out)["models"]
    assert model["bounds"][0] == {"name": "managers", "default": 3, "doc": "What managers is.\n\nMore of it."}
    assert run("list", "nothing") == 2


@pytest.mark.parametrize(
    ("replayed", "status"),
    [
        (types.SimpleNamespace(ok=True, text=("still violated", "\x1b"), trace=WITNESS), 0),
        (types.SimpleNamespace(ok=False, text=("diverged",), trace=None), 1),
        (FileNotFoundError(2, "No such file or directory"), 2),
        (ReplayError("trace.json: steps is missing"), 2),
    ],
)
def test_replay(fake, replayed, status, capsys):
    fake.replayed = replayed
    assert run("replay", "trace.json") == status
    captured = capsys.readouterr()
    assert "\x1b" not in captured.out and bool(captured.err) == (status == 2)


@pytest.mark.parametrize(
    ("text", "size"),
    [("512M", 512 * 2**20), ("4G", 2**32), ("1.5gib", 3 * 2**29), ("100", 100), ("8kB", 8192)],
)
def test_sizes(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "G", "-1G", "0", "nan", "inf", "1Q", "1 2"])
def test_wrong_sizes(text):
    with pytest.raises(UsageError):
        parse_size(text)


def command(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "scrutator", *arguments], capture_output=True, text=True, **options
    )


def test_versions():
    assert command("--version").stdout.strip() == command("version").stdout.strip() == scrutator.__version__


def test_help_tells_the_exit_statuses(golden):
    environment = {**os.environ, "COLUMNS": "100"}
    shown = command("check", "--help", env=environment)
    assert shown.returncode == 0 and "70 a bug in scrutator" in " ".join(shown.stdout.split())
    assert command("nonsense", env=environment).returncode == 2


def test_a_closed_pipe_is_no_failure():
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "scrutator", "version"], stdout=write, stderr=subprocess.PIPE
    )
    os.close(write)
    assert done.returncode == 0 and done.stderr == b""
