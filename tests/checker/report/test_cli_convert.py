"""`scrutator convert`: what it writes reads back, and what is there already is kept."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from scrutator.checker.cli import run as run_command
from scrutator.checker.linear.formats import read

LOG = "".join(
    f"INFO  jepsen.util - {process}\t:{type_}\t:{f}\t{value}\n"
    for process, type_, f, value in (
        (0, "invoke", "write", 1), (1, "invoke", "read", "nil"), (0, "ok", "write", 1), (1, "ok", "read", 1),
        (2, "invoke", "cas", "[1 2]"), (2, "info", "cas", ":timed-out"), (3, "invoke", "write", 9), (3, "fail", "write", 9),
    )
)  # fmt: skip


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.log").write_text(LOG)
    (tmp_path / "taken.jsonl").write_text('{"format":"linhist/1","type":"register","clock":"sundial"}\n')
    return tmp_path


@pytest.fixture
def run(capsys):
    def run_(*arguments):
        status = run_command([str(a) for a in arguments])
        captured = capsys.readouterr()
        return status, captured.out, " ".join(captured.err.split())

    return run_


def test_it_reads_back(run, folder):
    status, out, err = run("convert", "run.log", "run.jsonl")
    assert (status, err) == (0, "")
    assert out == "3 operations, 1 of them pending, from run.log to run.jsonl as scrutator-lines\n"
    before, after = read("run.log"), read("run.jsonl")
    assert list(before) == list(after) and before.metadata == after.metadata
    assert sorted(path.name for path in folder.iterdir()) == ["run.jsonl", "run.log", "taken.jsonl"]


def test_a_file_is_kept_unless_forced(run, folder):
    (folder / "run.jsonl").write_text("precious")
    assert run("convert", "run.log", "run.jsonl") == (2, "", "scrutator: run.jsonl exists; add --force to overwrite it")
    assert (folder / "run.jsonl").read_text() == "precious"
    (folder / "run.jsonl").chmod(0o640)
    assert run("convert", "run.log", "run.jsonl", "--force")[0] == 0
    assert len(read("run.jsonl")) == 3 and (folder / "run.jsonl").stat().st_mode & 0o777 == 0o640
    assert run("convert", "run.jsonl", "run.jsonl", "--force")[0] == 0  # onto itself
    assert len(read("run.jsonl")) == 3


def test_a_new_file_has_the_usual_mode(run, folder):
    (folder / "usual").touch()
    run("convert", "run.log", "new.jsonl")
    assert (folder / "new.jsonl").stat().st_mode == (folder / "usual").stat().st_mode


def test_what_cannot_be_expressed_costs_nothing(run, folder):
    (folder / "there.jsonl").write_text("precious")
    status, out, err = run("convert", "taken.jsonl", "there.jsonl", "--force")
    assert (status, out) == (2, "") and "taken.jsonl cannot be written as scrutator-lines" in err
    assert (folder / "there.jsonl").read_text() == "precious"
    assert len(list(folder.iterdir())) == 3


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("nosuch", "x"), 2, "nosuch: No such file"),
        (("run.log", "."), 2, ". is a folder"),
        ((".", "x"), 2, ".: Is a directory"),
        (("run.log", "no/such/x"), 2, "no/such/x: No such file"),
        (("run.log", "x", "--from", "flat-json"), 4, "run.log:1: expected"),
        (("run.log", "x", "--from", "magic"), 2, "magic"),
        (("run.log", "x", "--to", "jepsen-edn"), 2, "jepsen-edn"),
        (("run.log", "--forse"), 2, "--forse"),
        (("run.log",), 2, "OUT"),
    ],
)
def test_mistakes(arguments, status, message, run, folder):
    found, out, err = run("convert", *arguments)
    assert (found, out, message in err) == (status, "", True), err
    assert len(list(folder.iterdir())) == 2


def command(*arguments, **options):
    return subprocess.run([sys.executable, "-m", "scrutator", "convert", *arguments], capture_output=True, text=True, **options)


def test_standard_streams(folder):
    done = command("-", "-", input=LOG)
    assert done.returncode == 0 and "3 operations, 1 of them pending" in done.stderr
    (folder / "out.jsonl").write_text(done.stdout)
    assert list(read("out.jsonl")) == list(read("run.log"))
    with open(folder / "two.jsonl", "a") as appended:  # what is there is not cut off
        appended.write("before\n")
        appended.flush()
        subprocess.run([sys.executable, "-m", "scrutator", "convert", "run.log", "-"], stdout=appended, stderr=subprocess.DEVNULL)
    assert (folder / "two.jsonl").read_text() == "before\n" + done.stdout
    assert command("run.log", os.devnull).returncode == 0 and not os.path.isfile(os.devnull)
