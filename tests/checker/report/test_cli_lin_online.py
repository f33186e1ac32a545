"""`scrutator lin --online`: a recording is followed while it is being written."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

HEADER = '{"format":"scrutator-history/1","object":"register","clock":"ns"}'
MS = 1_000_000


def line(process: int, method: str, argument: object, result: object, call: int, ret: int | None) -> str:
    return json.dumps({"p": process, "f": method, "in": argument, "out": result, "call": call, "ret": ret})


def sequential(count: int) -> list[str]:
    """Writes, each read at once."""
    rows = []
    for k in range(count):
        rows.append(line(0, "write", k, None, 10 * k * MS, (10 * k + 1) * MS))
        rows.append(line(1, "read", None, k, (10 * k + 2) * MS, (10 * k + 3) * MS))
    return rows


def lin(*arguments: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "scrutator", "lin", "--online", *arguments]
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=60)


def test_a_file_that_grows_until_it_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    rows = [HEADER, *sequential(300), line(2, "read", None, 17, 4000 * MS, 4001 * MS), *sequential(0)]
    rows += [line(0, "write", 9999, None, 9000 * MS, 9001 * MS)]
    path.write_text(rows[0] + "\n" + rows[1][:20])  # the first line of an operation is half written

    def write() -> None:
        with path.open("a") as file:
            file.write(rows[1][20:] + "\n")
            for row in rows[2:]:
                file.write(row + "\n")
                file.flush()
                time.sleep(0.001)

    writer = threading.Thread(target=write)
    writer.start()
    done = lin(str(path))
    writer.join()
    assert done.returncode == 1
    assert done.stdout.startswith(f"VIOLATED {path}: ")
    assert "read() -> 17 of process 2, called at 4000000000, is the first return that no order allows" in done.stdout


def test_a_pipe_to_its_end() -> None:
    done = lin("-", "--format", "json", text="\n".join([HEADER, *sequential(50)]))
    assert done.returncode == 0
    found = json.loads(done.stdout)
    assert (found["schema"], found["verdict"], found["decided"], found["waiting"]) == ("scrutator.lin-online/1", "holds", 100, 0)


def test_an_operation_that_takes_longer_than_the_lag() -> None:
    rows = [*sequential(300), line(5, "write", -1, None, 100 * MS, 2999 * MS)]
    done = lin("-", text="\n".join([HEADER, *rows]))
    assert done.returncode == 3
    assert "cut by the lag: the operation of line 602 took longer" in done.stdout
    assert lin("-", "--lag-s", "10", text="\n".join([HEADER, *rows])).returncode == 0


def test_mistakes() -> None:
    done = lin("-", text="\n".join([HEADER, *sequential(2), '{"p": 1}']))
    assert done.returncode == 4 and "-:6: expected an operation" in done.stderr
    overlapping = [line(0, "write", 1, None, 0, 10), line(0, "write", 2, None, 5, 20)]
    done = lin("-", text="\n".join([HEADER, *overlapping]))
    assert done.returncode == 4
    assert "-:3: process 0 calls write, but its operation of line 2 is under way" in done.stderr
    assert lin("-", text=HEADER.replace('"ns"', "null")).returncode == 2
    assert lin("-", text=HEADER.replace('"object":"register",', "")).returncode == 2
    assert lin("nowhere.jsonl").returncode == 2
