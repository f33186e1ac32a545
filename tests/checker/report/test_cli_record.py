"""`scrutator record` as a user meets it; the system is one in memory, or the example of docs/recording.md."""

from __future__ import annotations

import gzip
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from scrutator.checker import cli

ROOT = Path(__file__).resolve().parents[3]
MEMORY = f"{ROOT / 'tests' / 'impl' / 'cluster' / 'record' / 'fakes.py'}:Memory"
SHORT = ("--seconds", "1", "--rate", "200", "--clients", "6")

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[int, str, str]:
        status = cli.run(["record", *arguments])
        printed = capsys.readouterr()
        return status, " ".join(printed.out.split()), printed.err

    return call


def test_it_holds_and_everything_is_in_the_folder(run: Run) -> None:
    status, out, _ = run("--target", MEMORY, "--out", "runs/one", "--html", "run.html", *SHORT)
    assert status == 0 and out.startswith("HOLDS ") and "5 nodes, kv" in out and "of them pending, under" in out
    assert "The run is in runs/one" in out and "The timeline is in run.html" in out
    assert {path.name for path in Path("runs/one").iterdir()} == {"history.jsonl", "faults.jsonl", "run.json", "nodes"}
    kept = json.loads(Path("runs/one/run.json").read_text())
    assert kept["verdict"]["verdict"] == "holds" and sum(kept["counts"]["faults"].values()) >= 1
    assert cli.run(["lin", "runs/one/history.jsonl"]) == 0


def test_a_broken_system_is_violated_with_an_explanation_and_a_timeline_of_faults(run: Run) -> None:
    status, out, _ = run("--target", MEMORY, "--option", "breaks=stale", "--workload", "register", "--faults", "pause,kill", "--html", "run.html", *SHORT)
    assert status == 1 and out.startswith("VIOLATED ") and "breaks=stale" in out
    assert "is not linearizable as register" in out and "no order allows" in out
    document = re.search(r'<script type="application/json" id="document">(.*?)</script>', Path("run.html").read_text(), re.DOTALL)
    assert document is not None
    faults = json.loads(document[1])["faults"]
    assert faults and {one["kind"] for one in faults} <= {"kill", "pause"}
    assert all(one["nodes"] and one["begin"] < one["end"] for one in faults)
    assert "Recorded under" in Path("run.html").read_text()


def test_a_history_is_drawn_with_the_faults_that_lie_beside_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    history = '{"format":"scrutator-history/1","object":"register","clock":"ns"}\n{"p":0,"f":"write","in":1,"out":null,"call":1,"ret":5}\n'
    fault = '{"number":0,"kind":"kill","nodes":["n1"],"what":"kill","begin":2,"end":%s}\n'
    (tmp_path / "one.jsonl.gz").write_bytes(gzip.compress(history.encode()))
    (tmp_path / "history.jsonl").write_text(history)
    faults, page = tmp_path / "one.faults.jsonl", tmp_path / "one.html"
    for name in ("one.faults.jsonl", "faults.jsonl"):
        (tmp_path / name).write_text(fault % "null" + fault % "4")
    for name in ("one.jsonl.gz", "history.jsonl"):
        assert cli.run(["lin", str(tmp_path / name), "--html", str(page)]) == 0
        assert "Recorded under 1 fault" in page.read_text()
    faults.write_text(fault % "4" + "nothing\n")
    assert cli.run(["lin", str(tmp_path / "one.jsonl.gz"), "--html", str(page)]) == 4
    assert "one.faults.jsonl:2: this is no fault" in capsys.readouterr().err.replace("\n", "")
    faults.unlink()
    assert cli.run(["lin", str(tmp_path / "one.jsonl.gz"), "--html", str(page)]) == 0 and "Recorded under" not in page.read_text()


def test_json(run: Run) -> None:
    status, out, _ = run("--target", MEMORY, "--faults", "none", "--format", "json", "--out", "one", *SHORT)
    found = json.loads(out)
    assert (status, found["schema"], found["exit_status"], found["folder"]) == (0, "scrutator.record/1", 0, "one")
    assert found["run"]["schema"] == "scrutator.run/1" and found["run"]["counts"]["faults"] == {}
    assert found["judged"]["schema"] == "scrutator.lin/1" and found["judged"]["histories"][0]["verdict"] == "holds"
    assert found["run"] == json.loads(Path("one/run.json").read_text())


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--target", "none.py:Own"), "there is no file none.py"),
        (("--target", "reddis"), "no target reddis: write one of"),
        (("--target", MEMORY, "--faults", "kil"), "no fault kil: did you mean kill?"),
        (("--target", MEMORY, "--nodes", "0"), "--nodes 0: from 1"),
        (("--target", MEMORY, "--mutant", "worse"), "knows nothing of 'mutant'"),
        (("--mutant", "worse"), "there is no mutant 'worse': write one of reply_before_sync"),
        (("--target", MEMORY, "--option", "breaks"), "write NAME=VALUE"),
        (("--target", "redis", "--faults", "clock"), "it can be given --faults kill,partition,pause"),
        (("--target", "pysyncobj", "--workload", "queue", "--option", "reads=never"), "reads=never"),
        (("--target", MEMORY, "--out", "full"), "it is not empty"),
        (("--target", MEMORY, "--html", "nowhere/run.html"), "there is no folder nowhere"),
    ],
)
def test_mistakes_are_said_before_anything_starts(run: Run, arguments: tuple[str, ...], why: str) -> None:
    Path("full").mkdir()
    Path("full/file").touch()
    status, out, err = run(*arguments)
    assert status == 2 and out == "" and why in " ".join(err.split())
    assert not Path("runs").exists()


def test_an_interruption_ends_it_with_a_verdict(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "scrutator", "record", "--target", MEMORY, "--seconds", "600", "--out", "one"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        history = tmp_path / "one" / "history.jsonl"
        while not (history.exists() and history.stat().st_size > 2000):
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=120)
    assert process.returncode == 0 and out.startswith("HOLDS") and "Interrupted" in out
    assert json.loads((tmp_path / "one" / "run.json").read_text())["interrupted"]


def test_a_recorder_that_is_killed_leaves_what_can_be_read(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "scrutator", "record", "--target", MEMORY, "--seconds", "600", "--out", "one"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        history = tmp_path / "one" / "history.jsonl"
        while not (history.exists() and history.stat().st_size > 2000):
            assert process.poll() is None
            time.sleep(0.05)
        process.kill()
    assert cli.run(["lin", str(history)]) == 0


def test_a_cluster_that_does_not_start_is_told(run: Run) -> None:
    Path("own.py").write_text(
        f"import sys; sys.path.insert(0, {str(Path(MEMORY).parent)!r})\n"
        "from fakes import Memory\nfrom scrutator.impl.cluster.target import TargetError\n"
        "class Own(Memory):\n    async def start(self, *_):\n        raise TargetError('no disk: buy one')\n"
    )
    status, out, err = run("--target", "own.py:Own", "--out", "one")
    assert status == 2 and out == "" and "no disk: buy one" in err


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("raise SystemExit(1)", "own.py does not load: SystemExit: 1"),
        ("class Own(", "own.py does not load: SyntaxError: '(' was never closed (own.py, line 3)"),
        ("class Own: pass", "own.py:Own is no target: it has no start"),
        ("class Own(Memory):\n    def __init__(self):\n        1 / 0", "own.py:Own cannot be made: ZeroDivisionError"),
        ("class Own(Memory):\n    faults = None", "own.py:Own is no target: faults must be sets of names"),
        ("class Own(Memory):\n    def start(self, *_):\n        pass", "own.py:Own did not start: TypeError"),
        ("class Own(Memory):\n    async def start(self, *_):\n        pass", "own.py:Own started no nodes"),
        ("class Own(Memory):\n    async def start(self, *_):\n        raise OSError('no disk')", "own.py:Own did not start: OSError: no disk"),
        ("class Other: pass", "own.py has no class Own"),
    ],
)
def test_mistakes_in_a_file_of_ones_own_are_told_as_such(run: Run, code: str, why: str) -> None:
    Path("own.py").write_text(f"import sys; sys.path.insert(0, {str(Path(MEMORY).parent)!r})\nfrom fakes import Memory\n{code}\n")
    status, out, err = run("--target", "own.py:Own", "--out", "one")
    assert status == 2 and out == "" and why in err and "Traceback" not in err


@pytest.mark.parametrize(("keep", "verdict"), [("no", "VIOLATED"), ("yes", "HOLDS")])
def test_the_example_of_the_documentation(run: Run, keep: str, verdict: str) -> None:
    store, target = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs" / "recording.md").read_text(), re.DOTALL | re.MULTILINE)[:2]
    Path("store.py").write_text(store)
    Path("own.py").write_text(target)
    status, out, err = run("--target", "own.py:Own", "--nodes", "1", "--faults", "kill", "--option", f"keep={keep}", "--seconds", "2", "--seed", "1")
    assert out.startswith(verdict), out + err
    assert status == (verdict == "VIOLATED") and "kill)" in out


def test_a_run_in_which_nothing_returned_shows_nothing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scrutator.impl.cluster.record.run.FINISH_S_MAX", 1.0)
    Path("own.py").write_text(
        f"import sys; sys.path.insert(0, {str(Path(MEMORY).parent)!r})\n"
        "from fakes import Memory\nfrom scrutator.impl.cluster.target import Unknown\n"
        "class Silent:\n    async def close(self): pass\n    async def put(self, *_): raise Unknown('lost')\n"
        "    get = append = cas = delete = put\n"
        "class Own(Memory):\n    def connect(self, node, number): return Silent()\n"
    )
    status, out, err = run("--target", "own.py:Own", "--faults", "none", "--out", "one", "--timeout-s", "30", *SHORT)
    assert status == 3 and out.startswith("UNKNOWN ") and "Unknown: lost" in out and "no operation returned" in err
    assert json.loads(Path("one/run.json").read_text())["verdict"]["verdict"] == "unknown"


def test_a_program_that_falls_over_is_judged_by_what_was_seen(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scrutator.impl.cluster.record.run.FINISH_S_MAX", 1.0)
    Path("frail.py").write_text(
        "import json, sys\nheld, done = {}, 0\n"
        "for line in sys.stdin:\n    said = json.loads(line)\n    body = said['body']\n    kind, done = body['type'], done + 1\n"
        "    if done == 40:\n        print('debug', flush=True)\n    if done == 120:\n        sys.exit('out of luck')\n"
        "    if kind == 'write':\n        held[body['key']] = body['value']\n"
        "    answer = {'type': 'error', 'code': 20} if kind == 'read' and body['key'] not in held else {'type': kind + '_ok', 'value': held.get(body.get('key'))}\n"
        "    answer = {'type': 'error', 'code': 10} if kind == 'cas' else answer\n"
        "    print(json.dumps({'src': said['dest'], 'dest': said['src'], 'body': {**answer, 'in_reply_to': body['msg_id']}}), flush=True)\n"
    )
    program = f"program={sys.executable} frail.py"
    status, out, _ = run("--target", "maelstrom", "--option", program, "--nodes", "1", "--workload", "register", "--faults", "none", "--out", "one", *SHORT)
    assert status == 0 and out.startswith("HOLDS ") and "last reads got no answer" in out.replace("1 last read got", "last reads got")
    problems = json.loads(Path("one/run.json").read_text())["node_problems"]
    assert len(problems) == 2 and "out of luck" in problems[0] + problems[1] and "is no message" in problems[0] + problems[1]
    assert "out of luck" in out and "is no message" in out
