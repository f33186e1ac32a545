"""What a file cannot mean is refused: which line, what was expected, what was found."""

from __future__ import annotations

from pathlib import Path

import pytest

from scrutator.checker.linear.formats import lines, read
from scrutator.checker.linear.history import HistoryError

OPERATION = 'expected an operation {"p", "f", "k"?, "in", "out", "call", "ret"}; found '
HEADER = '{"format": "scrutator-history/1", "object": "register", "clock": "ns"}\n'
FORMATS = "scrutator-lines, jepsen-edn, jepsen-json, jepsen-log, call-return, intervals, flat-json"


def line(
    p: int = 0, f: str = '"read"', value: str = "null", out: str = "null", call: str = "1", ret: str = "2"
) -> str:
    return f'{{"p":{p},"f":{f},"in":{value},"out":{out},"call":{call},"ret":{ret}}}\n'


def event(process: str, kind: str, f: str, value: str = "nil", more: str = "") -> str:
    return f"{{:process {process}, :type :{kind}, :f :{f}, :value {value}{more}}}\n"


def flat(kind: str, f: str, client: str = "0", time: str = "1") -> str:
    return f'[{{"type":"{kind}","f":"{f}","key":"a","value":1,"client":{client},"time":{time}}}]'


MISTAKES: dict[str, tuple[str | bytes, int, str]] = {
    # --- any file
    "empty": ("", 1, "expected a history; found an empty file"),
    "blank": ("\n \n", 1, "expected a history; found an empty file"),
    "binary": (b"PK\n\x03\0\x04", 2, "expected text; found a byte 0: the file is binary"),
    "not UTF-8": (b"ab\n\xff", 2, "expected text in UTF-8; found the byte 0xff"),
    "no format": ("once upon\n", 1, f"expected one of the formats {FORMATS}; found 'once upon'"),
    # --- our own lines
    "no header": (
        '{"a": 1}\n', 1, 'expected a header {"format": "scrutator-history/1", ...}; found no header',
    ),
    "other version": (
        '{"format": "scrutator-history/2"}\n', 1,
        "expected a header {\"format\": \"scrutator-history/1\", ...}; found the format 'scrutator-history/2'",
    ),
    "header cut": (
        '{"format": "scrut', 1,
        'expected a header {"format": "scrutator-history/1", ...}; found input data was truncated',
    ),
    "no clock": (
        '{"format": "scrutator-history/1"}\n', 1, "expected \"clock\": \"ns\" or null; found a header without clock",
    ),
    "clock of seconds": (
        '{"format": "scrutator-history/1", "clock": "s"}\n', 1, "expected \"clock\": \"ns\" or null; found 's'",
    ),
    "line cut": (HEADER + line() + '{"p": 0, "f"\n', 3, OPERATION + "input data was truncated"),
    "line not JSON": (
        HEADER + "p=0\n", 2, OPERATION + "JSON is malformed: invalid character (byte 0)",
    ),
    "line blank": (HEADER + line() + "\n" + line(call="3", ret="4"), 3, OPERATION + "a blank line"),
    "unknown key": (HEADER + line()[:-2] + ',"q":1}\n', 2, OPERATION + "object contains unknown field `q`"),
    "key missing": (HEADER + '{"p":0}\n', 2, OPERATION + "object missing required field `f`"),
    "process negative": (HEADER + line(p=-1), 2, OPERATION + "expected `int` >= 0 - at `$.p`"),
    "method not a name": (HEADER + line(f="7"), 2, OPERATION + "expected `str`, got `int` - at `$.f`"),
    "time not an integer": (HEADER + line(call="0.5"), 2, OPERATION + "expected `int`, got `float` - at `$.call`"),
    "time too great": (
        HEADER + line(ret="9223372036854775807"), 2,
        OPERATION + "expected `int` <= 9223372036854775806 - at `$.ret`",
    ),
    "nested too deeply": (
        HEADER + line(value="[" * 5000 + "]" * 5000), 2, OPERATION + "values nested too deeply",
    ),
    "returns before called": (
        HEADER + line() + line(call="9", ret="8"), 3, "the operation returns at 8, before it is called at 9",
    ),
    "pending with a result": (
        HEADER + line(ret="null", out="5"), 2, 'expected "out": null, as "ret" is null; found 5',
    ),
    "two at a time": (
        HEADER + line(call="1", ret="5") + line(p=1) + line(call="4", ret="6"), 4,
        "process 0 calls at 4, but its operation of line 2 returns at 5",
    ),
    "after a pending one": (
        HEADER + line(ret="null") + line(call="4", ret="6"), 3,
        "process 0 calls at 4, but its operation of line 2 is pending",
    ),
    # --- EDN
    "map cut": (event("0", "invoke", "read")[:-2], 1, "expected } for the { of line 1; found the end of the file"),
    "bracket wrong": ("[{:process 0]", 1, "expected } for the { of line 1; found ]"),
    "bracket alone": (event("0", "invoke", "read") + "}", 2, "expected a value; found }, which closes nothing"),
    "odd map": ("{:process}", 1, "expected a map of keys and values; found the key 'process' without a value"),
    "key twice": ("{:process 0\n :process 1}", 1, "expected a map of different keys; found a key that comes twice"),
    "ratio": ("[\n1/2]", 2, "expected an EDN value; found '1/2]'"),
    "tag alone": ("[#foo]", 1, "expected a value after #foo; found ]"),
    "tag at the end": (event("0", "invoke", "read") + "#foo\n", 3, "expected a value after #foo; found the end of the file"),
    "after the list": ("[]\n[]", 2, "expected nothing after the list of line 1; found '['"),
    "nested": ("[" * 200, 1, "expected values nested at most 100 deep; found more"),
    "escape": ('["\\q"]', 1, "expected a string; found the escape \\q"),
    "many digits": ("[" + "1" * 2000 + "]", 1, "expected a number of at most 1000 digits; found one of 2,000"),
    # --- events
    "not a map": ("[7]", 1, "expected a map of process, type, f and value; found 7"),
    "no process": ("[{:type :ok}]", 1, "expected a map of process, type, f and value; found a map without process"),
    "no method": (
        "{:process 0, :type :ok, :value 1}", 1, "expected a map of process, type, f and value; found a map without f",
    ),
    "type unknown": (event("0", "done", "read"), 1, "expected a type of invoke, ok, fail or info; found 'done'"),
    "process a name": (event(":client", "ok", "read"), 1, "expected an integer as process; found 'client'"),
    "process negative in EDN": (
        event("-3", "invoke", "read"), 1, "process -3 is not a number from 0 to 2,147,483,647",
    ),
    "time a string": (event("0", "ok", "read", more=', :time "1"'), 1, "expected an integer as time; found '1'"),
    "return unmatched": (event("4", "ok", "read", "1"), 1, "process 4 returns without having called an operation"),
    "failure unmatched": (event("4", "fail", "read"), 1, "process 4 fails without having called an operation"),
    "two open": (
        event("0", "invoke", "read") + event("0", "invoke", "write", "1"), 2,
        "process 0 calls write, but its operation of line 1 has not returned",
    ),
    "used after info": (
        event("0", "invoke", "read") + event("0", "info", "read") + event("0", "invoke", "read"), 3,
        "process 0 calls read, but its operation was given up at line 2: "
        "a process whose operation is indeterminate is not used again",
    ),
    "returns after info": (
        event("0", "invoke", "read") + event("0", "info", "read") + event("0", "ok", "read"), 3,
        "process 0 returns, but its operation was given up at line 2",
    ),
    "other method": (
        event("0", "invoke", "read") + event("0", "ok", "write"), 2,
        "expected process 0 to end its read of line 1; found the end of a write",
    ),
    "other key": (
        event("0", "invoke", "get", more=", :key 1") + event("0", "ok", "get", "5", ", :key 2"), 2,
        "expected the key 1 of the call of line 1; found the key 2",
    ),
    "cas of one": (event("0", "invoke", "cas", "3"), 1, "expected a cas of [expected new]; found 3"),
    "keys or values": (
        event("0", "invoke", "write", "[1 2]"), 1,
        "every value is a pair, which may be [key value] of independent objects or a value of one object: "
        "say which, with keyed=True or keyed=False",
    ),
    "key lost": (
        event("0", "invoke", "read", "[1 nil]") + event("0", "ok", "read", "7"), 2,
        "expected a value of [key value]; found 7",
    ),
    # --- JSON
    "JSON cut": ('[{"process": 0}', 1, "expected JSON; found input data was truncated"),
    "JSON wrong": ('[{"process": 0},\n{"process": x}]', 2, "expected JSON; found JSON is malformed: invalid character"),
    "JSON of numbers": (
        '[{"process": 0, "type": "invoke", "f": "read"},\n 5]', 2, "expected a map of process, type, f and value; found 5",
    ),
    "flat without key": (
        '[{"client": 0, "type": "ok"}]', 1,
        "expected an object of type, f, key, value, client and time; found an object without f",
    ),
    "flat with a wrong time": (flat("ok", "read", time="0.5"), 1, "expected an integer as time; found 0.5"),
    "flat unmatched": (flat("ok", "read"), 1, "process 0 returns without having called an operation"),
    # --- logs
    "log line": (
        "INFO  jepsen.util - 0\t:invoke\t:read\tnil\nWARN disk full\n", 2,
        "expected jepsen.util - PROCESS TYPE F VALUE; found 'WARN disk full'",
    ),
    "log process": ("INFO  jepsen.util - x\t:ok\t:read\tnil", 1, "expected an integer as process; found 'x'"),
    "log type": (
        "INFO  jepsen.util - 0\tok\t:read\tnil", 1, "expected a type and a method such as :ok :read; found 'ok :read'",
    ),
    "log values": ("INFO  jepsen.util - 0\t:ok\t:read\t1 2", 1, "expected one value; found 2: '1 2'"),
    "log value": (
        "INFO  jepsen.util - 0\t:invoke\t:read\tnil\nINFO  jepsen.util - 0\t:ok\t:read\t[1", 2,
        "expected ] for the [ of line 2; found the end of the file",
    ),
    # --- call and return
    "object missing": (
        "[1] call push(1)", 1, "expected # @object atomic-queue or # @object atomic-stack first; found '[1] call push(1)'",
    ),
    "object unknown": (
        "# @object atomic-tree\n", 1, "expected the object atomic-queue or atomic-stack; found 'atomic-tree'",
    ),
    "object twice": ("# @object atomic-queue\n# @object atomic-stack", 2, "expected one line # @object; found a second one"),
    "event unknown": (
        "# @object atomic-queue\n[1] sleep", 2,
        "expected [thread] call METHOD or [thread] return VALUE; found '[1] sleep'",
    ),
    "method unknown": (
        "# @object atomic-queue\n[1] call jump(3)", 2,
        "expected a call of add, enq, enqueue, push, put, remove, rem, deq, dequeue, pop, get; found 'jump(3)'",
    ),
    "nothing to push": ("# @object atomic-stack\n[1] call push", 2, "expected a value to push; found 'push'"),
    "push returns": (
        "# @object atomic-stack\n[1] call push(2)\n[1] return 2", 3, "expected a return without a value; found '2'",
    ),
    "pop of another": ("# @object atomic-stack\n[1] call pop(2)\n[1] return 3", 3, "expected 2, as the call says; found 3"),
    "return alone": ("# @object atomic-stack\n[1] return", 2, "process 1 returns without having called an operation"),
    # --- intervals
    "too few words": ("# queue\nenq 1 2", 2, "expected method value start end; found 'enq 1 2'"),
    "set without result": ("# set\ninsert 1 2 3", 2, "expected method value result start end; found 'insert 1 2 3'"),
    "set's result": ("# set\ninsert 1 2 3 4", 2, "expected 0 or 1 as the result; found 2"),
    "method of another": ("# queue\npush 1 2 3", 2, "expected a method of the queue: enq, deq, peek; found 'push'"),
    "word not a number": (
        "# queue\nenq a 2 3", 2, "expected method value start end, integers but for the method; found 'a'",
    ),
    "interval backwards": ("# queue\nenq 1 3 2", 2, "the enq ends at 2, before it starts at 3"),
    "nothing enqueued": ("# queue\nenq -1 2 3", 2, "expected a value to enq; found -1, which says that there is none"),
}  # fmt: skip


def test_our_lines_are_refused_after_the_scanner_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "SCANNED_BYTES_MIN", 0)
    for mistake, (content, _, _) in MISTAKES.items():
        if isinstance(content, str) and content.startswith(HEADER):
            test_refused(mistake, tmp_path)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_refused(mistake: str, tmp_path: Path) -> None:
    content, at, message = MISTAKES[mistake]
    path = tmp_path / "history"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(HistoryError) as raised:
        read(path)
    assert str(raised.value) == f"{path}:{at}: {message}"
    assert (raised.value.source, raised.value.line) == (str(path), at)


FILES = {
    "lines": HEADER + line() + line(call="3", ret="4") + line(call="5", ret="6"),
    "edn": "".join(event(str(p), "invoke", "read") for p in range(3)),
    "log": "".join(f"INFO  jepsen.util - {p}\t:invoke\t:read\tnil\n" for p in range(3)),
    "calls": "# @object atomic-queue\n[1] call deq\n[2] call deq\n[3] call deq\n",
    "intervals": "# queue\nenq 1 0 1\nenq 2 0 1\nenq 3 0 1\n",
}


@pytest.mark.parametrize("name", FILES)
def test_too_many_operations(name: str, tmp_path: Path) -> None:
    path = tmp_path / "history"
    path.write_text(FILES[name])
    assert len(read(path, operations_max=3)) == 3
    at = 3 if name in ("edn", "log") else 4
    with pytest.raises(HistoryError, match=rf":{at}: more than 2 operations, which is the limit$"):
        read(path, operations_max=2)


@pytest.mark.parametrize("name", ["lines", "log", "calls", "intervals"])
def test_too_long_a_line(name: str, tmp_path: Path) -> None:
    path = tmp_path / "history"
    path.write_text(FILES[name] + " " * 200 + "\n")
    at = FILES[name].count("\n") + 1
    with pytest.raises(HistoryError, match=rf":{at}: a line of 200 bytes is longer than the limit of 100$"):
        read(path, line_bytes_max=100)


def test_no_such_format(tmp_path: Path) -> None:
    path = tmp_path / "history"
    path.write_text(FILES["edn"])
    with pytest.raises(ValueError, match="'edm' is not a valid Format"):
        read(path, "edm")


def test_another_format_than_said(tmp_path: Path) -> None:
    path = tmp_path / "history"
    path.write_text(FILES["edn"])
    with pytest.raises(
        HistoryError, match=r":1: expected # and one of stack, queue, pqueue, deque, set; found '{:process"
    ):
        read(path, "intervals")
