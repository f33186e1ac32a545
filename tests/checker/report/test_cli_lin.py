"""`scrutator lin` as people use it, and misuse it: exit statuses, messages, and what survives a mistake."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
import types
from enum import Enum
from pathlib import Path

import pytest

from scrutator.checker.cli import app
from scrutator.checker.cli import run as run_command
from scrutator.checker.commands import lin_decide
from scrutator.checker.linear.formats import Format
from scrutator.checker.verdict import Verdict
from scrutator.model.objects import objects

DOCUMENT = Path(__file__).parents[3] / "docs" / "histories.md"
HEADER = '{"format":"scrutator-history/1","object":"register","clock":"ns"}'


def lines(read, header=HEADER):
    return (
        f'{header}\n{{"p":0,"f":"write","in":1,"out":null,"call":10,"ret":25}}\n'
        f'{{"p":1,"f":"read","in":null,"out":{read},"call":20,"ret":30}}\n'
    )


class Model(Enum):
    CAUSAL = "causal"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Histories, and what is none, in the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    files = {
        "ok.jsonl": lines(1), "bad.jsonl": lines(3), "no-object.jsonl": lines(1, HEADER.replace('"object":"register",', "")),
        "evil.jsonl": lines(1, HEADER.replace("register", "evil.py:BAD")), "odd.jsonl": lines(1).replace("read", "reed"),
        "pairs.edn": "".join(f"{{:process 0, :type :{t}, :f :write, :value [1 2]}}\n" for t in ("invoke", "ok")),
        "broken.jsonl": lines(1) + "{\n", "empty.jsonl": "", "blank.jsonl": "\n\n", "notes.txt": "hello\n",
        "header.jsonl": HEADER + "\n", "other.json": '{"a":1}\n',
        "evil.py": "raise SystemExit('it was run')\n",
        "own.py": (
            "from scrutator.model.objects import Object\nGOOD, BAD, LESS = Object('good', 0), Object('bad', 0), Object('less', 0)\n"
            "@BAD.method()\n@GOOD.method()\ndef write(state, value):\n    return None, value\n"
            "@GOOD.method(reads_only=True)\ndef read(state, _):\n    return state, state\n"
            "@BAD.method(name='read', reads_only=True)\ndef fails(state, _):\n    return 1 // 0, state\n"
        ),
    }  # fmt: skip
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    (tmp_path / "binary").write_bytes(b"\x7fELF\0\0\xff" * 99)
    return tmp_path


@pytest.fixture
def run(capsys):
    """Run the command; its exit status, output and errors, the latter on one line."""

    def run_(*arguments):
        status = run_command([str(a) for a in arguments])
        captured = capsys.readouterr()
        return status, captured.out, " ".join(captured.err.split())

    return run_


# --- verdicts -----------------------------------------------------------------------------


def test_it_holds(run):
    status, out, err = run("lin", "ok.jsonl")
    assert (status, err) == (0, "") and out.startswith("HOLDS ok.jsonl is linearizable as register that starts with None\n")
    assert "2 operations, 0 of them pending" in out


def test_it_is_violated(run):
    status, out, err = run("lin", "bad.jsonl")
    assert (status, err) == (1, "") and out.startswith("VIOLATED bad.jsonl is not linearizable as register that starts with None\n")
    assert "read() -> 3 of process 1 (line 3)" in out


def test_it_is_unknown_beyond_a_limit(run, monkeypatch):
    found = lin_decide.check_linearizable

    def limited(history, object_, **options):
        assert (options["timeout_s"], options["memory_bytes_max"], options["workers"]) == (0.5, 2**20, 3)
        assert (options["engine"], options["witness"], options["explain"]) == ("search", True, False)
        result = found(history, object_)
        part = types.SimpleNamespace(
            key=None, verdict=Verdict.UNKNOWN, limit="time", culprit=None, engine="search", why="", witness=None
        )
        return type(result)("x", "register", 2, 0, (part,), 0, 0, 0.5)

    monkeypatch.setattr(lin_decide, "check_linearizable", limited)
    status, out, _ = run(
        "lin", "ok.jsonl", "--timeout-s", 0.5, "--memory-max", "1M", "--workers", 3, "--engine", "search", "--witness",
        "--no-explain",
    )  # fmt: skip
    assert status == 3 and "cut by time" in out and "allow more with --timeout-s" in out


def test_nothing_recorded_is_said(run):
    status, out, _ = run("lin", "header.jsonl")
    assert status == 0 and "The history shows nothing: it has no operations." in out


def test_json_is_all_of_standard_output(run):
    status, out, err = run("lin", "bad.jsonl", "ok.jsonl", "broken.jsonl", "--format", "json")
    document = json.loads(out)
    assert status == document["exit_status"] == 1 and "broken.jsonl:4: expected" in err
    assert [(h["source"], h["verdict"]) for h in document["histories"]] == [("bad.jsonl", "violated"), ("ok.jsonl", "holds")]
    (error,) = document["errors"]
    assert (error["source"], error["line"], error["exit_status"]) == ("broken.jsonl", 4, 4)


def test_an_object_and_what_it_starts_with(run):
    assert run("lin", "no-object.jsonl", "--object", "register")[0] == 0
    assert run("lin", "no-object.jsonl", "--object", "own.py:GOOD")[0] == 0
    Path("start.jsonl").write_text(lines(7).replace('"write","in":1', '"read","in":null').replace('"out":null', '"out":7'))
    assert run("lin", "start.jsonl")[0] == 1
    assert run("lin", "start.jsonl", "--object", "register(7)")[0] == 0


def edn(*events):
    return "".join(f"{{:process 0, :type :{t}, :f :{f}, :value {value}}}\n" for t, f, value in events)


def test_what_a_recording_does_not_tell_is_not_guessed(run, folder):
    """A bank's first balances, and whether registers in transactions start with 0 or nothing."""
    money = "{:from 0, :to 1, :amount 5}"
    (folder / "bank.edn").write_text(
        edn(("invoke", "transfer", money), ("ok", "transfer", money), ("invoke", "read", "nil"), ("ok", "read", "{0 5, 1 5}"))
    )
    status, out, err = run("lin", "bank.edn")
    assert (status, out) == (2, "") and "does not tell what the accounts start with" in err
    assert run("lin", "bank.edn", "--object", "bank({0: 10, 1: 0})")[0] == 0
    (folder / "txn.edn").write_text(edn(("invoke", "txn", "[[:r 1 nil] [:w 1 2]]"), ("ok", "txn", "[[:r 1 nil] [:w 1 2]]")))
    status, out, err = run("lin", "txn.edn")
    assert (status, out) == (2, "") and "does not tell what registers start with" in err
    assert run("lin", "txn.edn", "--object", "multi-register(None)")[0] == 0
    assert run("lin", "txn.edn", "--object", "multi-register")[0] == 1
    events = (("invoke", "read", "null"), ("ok", "read", 5), ("invoke", "write", 6), ("ok", "write", 6))
    flat = ", ".join(
        f'{{"type": "{t}", "f": "{f}", "key": "a", "value": {v}, "client": 0, "time": {k}}}' for k, (t, f, v) in enumerate(events)
    )
    (folder / "flat.json").write_text(f"[{flat}]")
    status, out, err = run("lin", "flat.json")
    assert (status, out) == (2, "") and "whether keys held something before" in err
    assert run("lin", "flat.json", "--object", "register(5)")[0] == 0
    (folder / "porcupine.txt").write_text(
        '{:process 0, :type :invoke, :f :get, :key "1", :value nil}\n{:process 0, :type :ok, :f :get, :key "1", :value ""}\n'
        '{:process 0, :type :invoke, :f :append, :key "1", :value "a"}\n'
    )
    assert run("lin", "porcupine.txt")[0] == 0


def test_values_by_key_or_whole(run):
    status, _, err = run("lin", "pairs.edn")
    assert status == 4 and "say which, with --by key or --by whole" in err
    assert run("lin", "pairs.edn", "--by", "key")[0] == 0
    assert run("lin", "pairs.edn", "--by", "whole")[0] == 0


# --- many ---------------------------------------------------------------------------------


def test_a_mistake_in_one_hides_nothing_of_the_others(run):
    status, out, err = run("lin", "ok.jsonl", "broken.jsonl", "no-object.jsonl", "bad.jsonl", "odd.jsonl")
    assert status == 1 and "5 histories: 1 linearizable, 1 violated, 3 not checked" in out
    assert "broken.jsonl:4: expected" in err and "odd.jsonl" in err and "no-object.jsonl: it does not tell" in err
    assert run("lin", "ok.jsonl", "broken.jsonl", "no-object.jsonl")[0] == 4
    assert run("lin", "ok.jsonl", "no-object.jsonl")[0] == 2


def test_a_bug_in_one_shows_the_others(run, monkeypatch):
    right = lin_decide.check_linearizable

    def wrong(history, object_, **options):
        if history.source == "bad.jsonl":
            raise ZeroDivisionError("oops")
        return right(history, object_, **options)

    monkeypatch.setattr(lin_decide, "check_linearizable", wrong)
    status, out, err = run("lin", "ok.jsonl", "bad.jsonl")
    assert status == 70 and "HOLDS" in out and "this is a bug in scrutator" in err


def test_ctrl_c_leaves_what_was_found(run, monkeypatch):
    right = lin_decide.check_linearizable

    def interrupted(history, object_, **options):
        if history.source == "ok.jsonl":
            raise KeyboardInterrupt
        return right(history, object_, **options)

    monkeypatch.setattr(lin_decide, "check_linearizable", interrupted)
    status, out, err = run("lin", "bad.jsonl", "ok.jsonl", "header.jsonl")
    assert status == 1 and "VIOLATED bad.jsonl" in out and "ok.jsonl: interrupted; 1 more history not looked at" in err
    assert run("lin", "ok.jsonl")[0] == 3


# --- mistakes -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ((), 2, "which histories?"),
        (("nosuch.jsonl",), 2, "nosuch.jsonl: there is no such file or folder"),
        (("ok.jsonl", "nosuch.jsonl"), 2, "nosuch.jsonl: there is no such file or folder"),
        (("z*.jsonl",), 2, "z*.jsonl: no file matches the pattern"),
        (("empty.jsonl",), 4, "empty.jsonl:1: expected a history; found an empty file"),
        (("blank.jsonl",), 4, "blank.jsonl:1: expected a history"),
        (("binary",), 4, "binary:1: expected text"),
        (("notes.txt",), 4, "notes.txt:1: expected one of the formats"),
        (("other.json",), 4, "other.json:1: expected a header"),
        (("broken.jsonl",), 4, "broken.jsonl:4: expected"),
        (("ok.jsonl", "--from", "jepsen-edn"), 4, "ok.jsonl:1: expected"),
        (("odd.jsonl",), 4, "the object register has no method reed"),
        (("ok.jsonl", "--object", "queue"), 4, "the object queue has no method write"),
        (("ok.jsonl", "--object", "own.py:LESS"), 4, "the object less has no method"),
        (("ok.jsonl", "--object", "own.py:BAD"), 4, "the object bad is faulty"),
        (("no-object.jsonl",), 2, "add --object with one of account, bank,"),
        (("evil.jsonl",), 2, "the object 'evil.py:BAD', which it names, is not known"),
        (("ok.jsonl", "--object", "regster"), 2, "there is no object regster; did you mean register?"),
        (("ok.jsonl", "--object", "own.py"), 2, "declares several: GOOD, BAD, LESS"),
        (("ok.jsonl", "--object", "own.py:NONE"), 2, "there is no NONE"),
        (("ok.jsonl", "--object", "none.py:X"), 2, "none.py"),
        (("ok.jsonl", "--object", "evil.py:X"), 4, "its code exits the interpreter"),
        (("ok.jsonl", "--object", "register(x)"), 2, "a literal of Python"),
        (("ok.jsonl", "--engine", "magic"), 2, "magic"),
        (("ok.jsonl", "--from", "magic"), 2, "magic"),
        (("ok.jsonl", "--by", "magic"), 2, "magic"),
        (("ok.jsonl", "--workers", "0"), 2, "--workers 0"),
        (("ok.jsonl", "--timeout-s", "0"), 2, "--timeout-s 0"),
        (("ok.jsonl", "--timeout-s", "nan"), 2, "--timeout-s nan"),
        (("ok.jsonl", "--memory-max", "lots"), 2, "--memory-max lots"),
        (("ok.jsonl", "--workrs", "3"), 2, "there is no option --workrs"),
        (("ok.jsonl", "--html", "no/such/file.html"), 2, "no/such/file.html: No such file"),
        (("ok.jsonl", "bad.jsonl", "--html", "notes.txt"), 2, "several histories need a folder"),
    ],
)
def test_mistakes(arguments, status, message, run):
    found, out, err = run("lin", *arguments)
    assert (found, message in err) == (status, True), err
    assert "Traceback" not in err and ("--html" in arguments or not out)


def test_what_one_cannot_read(run, monkeypatch):
    def refuses(path, *arguments, **options):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(lin_decide, "read", refuses)
    assert run("lin", "ok.jsonl") == (2, "", "scrutator: ok.jsonl: Permission denied")


def test_a_history_does_not_name_code(run, folder):
    """A history may come from anywhere: the object it names is looked up, never loaded."""
    for name in ("own.py:GOOD", "own.py:GOOD(1)", "scrutator.model.objects.register:REGISTER", "__import__('os')"):
        (folder / "evil.jsonl").write_text(lines(1, HEADER.replace("register", name)))
        assert run("lin", "evil.jsonl")[0] == 2


# --- what else is asked for ---------------------------------------------------------------


@pytest.fixture
def timelines(monkeypatch):
    """Where timelines were drawn, by a stub."""
    from scrutator.checker import report

    drawn = []
    stub = types.SimpleNamespace(write=lambda path, history, object_, found, bands: drawn.append((str(path), found.verdict)))
    monkeypatch.setitem(sys.modules, "scrutator.checker.report.timeline", stub)
    monkeypatch.setattr(report, "timeline", stub, raising=False)
    return drawn


def test_timelines(run, timelines, folder):
    status, out, _ = run("lin", "bad.jsonl", "--html", "found.html")
    assert status == 1 and timelines == [("found.html", Verdict.VIOLATED)] and "The timeline is in found.html" in out
    (folder / "sub").mkdir()
    (folder / "sub" / "ok.jsonl").write_text(lines(1))
    (folder / "sub-ok.jsonl").write_text(lines(1))
    timelines.clear()
    run("lin", "sub/ok.jsonl", "sub-ok.jsonl", "--html", "drawn")
    assert [path for path, _ in timelines] == ["drawn/sub-ok.jsonl.html", "drawn/sub-ok.jsonl-2.html"]
    timelines.clear()
    run("lin", "ok.jsonl", "--html", "drawn")
    assert [path for path, _ in timelines] == ["drawn/ok.jsonl.html"]


def test_the_strongest_model(run):
    status, out, _ = run("lin", "bad.jsonl", "--strongest")
    assert status == 1 and "causal               VIOLATED" in out
    document = json.loads(run("lin", "bad.jsonl", "--strongest", "--format", "json")[1])
    models = {found["model"]: found for found in document["histories"][0]["strongest"]}
    assert list(models)[:3] == ["linearizable", "sequential", "causal"] and len(models) == 9
    assert models["PRAM"]["verdict"] == "violated" and models["PRAM"]["conflict"] == [1]
    assert "The strongest that holds is linearizable." in run("lin", "ok.jsonl", "--strongest")[1]


def test_help_names_every_format_and_readers_agree(run):
    _, out, _ = run("lin", "--help")
    shown = " ".join(out.replace("│", " ").split())
    assert f"[choices: {', '.join(Format)}]" in shown


def test_the_documentation(run, folder):
    """Its example is a history, its object is one, and its commands are understood."""
    text = DOCUMENT.read_text(encoding="utf-8")
    example = re.search(r'^    \{"format".*?\n\n', text, re.DOTALL | re.MULTILINE)
    (block,) = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert example is not None
    (folder / "example.jsonl").write_text(example[0].replace("    ", "").rstrip("\n"))
    assert run("lin", "example.jsonl")[0] == 0
    (folder / "tickets.py").write_text(block)
    (folder / "sold.jsonl").write_text(
        '{"format":"scrutator-history/1","clock":null}\n{"p":0,"f":"buy","in":null,"out":true,"call":1,"ret":2}\n'
        '{"p":0,"f":"read","in":null,"out":2,"call":3,"ret":4}\n'
    )
    assert run("lin", "sold.jsonl", "--object", "tickets.py:TICKETS")[0] == 0
    commands = re.findall(r"^ +\$ (?:recorder \| )?scrutator (.*?)(?: < .*)?$", text, re.MULTILINE)
    assert len(commands) >= 7
    for command in commands:
        assert app.parse_args(command, exit_on_error=False, print_error=False)
    assert all(f"`{name}`" in text for name in Format)


CORPUS = Path(__file__).parents[4] / "shared" / "corpus" / "histories"


@pytest.mark.skipif(not CORPUS.is_dir(), reason="recorded histories are elsewhere")
def test_recorded_histories(run):
    """Logs of etcd and of key-value stores have the verdicts that others published."""
    document = json.loads(run("lin", CORPUS / "porcupine", "--format", "json", "--no-explain")[1])
    found = {history["source"]: history["verdict"] for history in document["histories"]}
    with open(CORPUS / "MANIFEST.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["path"].startswith("porcupine/")]
    words = {"linearizable": "holds", "violation": "violated"}
    expected = {str(CORPUS / row["path"]): words[row["expected_verdict"]] for row in rows}
    assert found == expected and len(found) > 60 and not document["errors"]


# --- as a process -------------------------------------------------------------------------


def process(*arguments, **options):
    command = [sys.executable, "-m", "scrutator", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def test_standard_input():
    with process("lin", "-", stdin=subprocess.PIPE) as piped:
        out, err = piped.communicate(lines(3))
    assert piped.returncode == 1 and "VIOLATED /dev/stdin" in out and err == ""
    with process("lin", "-", stdin=subprocess.PIPE) as piped:
        out, err = piped.communicate(lines("[1"))
    assert piped.returncode == 4 and "/dev/stdin:3: expected" in err and not out


def test_a_closed_pipe_keeps_the_exit_status():
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([sys.executable, "-m", "scrutator", "lin", "bad.jsonl"], stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    assert (done.returncode, done.stderr) == (1, b"")


def test_ctrl_c_while_reading(folder):
    """A pipe whose writer keeps it open is read without end."""
    os.mkfifo(folder / "pipe")
    with process("lin", "bad.jsonl", "pipe") as reading, open(folder / "pipe", "w"):  # opens when the reader does
        reading.send_signal(signal.SIGINT)
        out, err = reading.communicate(timeout=30)
    assert reading.returncode == 1 and "VIOLATED bad.jsonl" in out
    assert "pipe: interrupted" in err and "Traceback" not in err


def test_the_catalogue_is_what_readers_name():
    """The names that readers give histories for certain are objects, or it is known that they are not yet."""
    names = set(objects()) | {alias for object_ in objects().values() for alias in object_.aliases}
    told = "register cas-register kv set queue stack pqueue deque counter mutex multi-register list-append bank account"
    assert set(told.split()) <= names
