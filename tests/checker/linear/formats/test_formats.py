"""What each format says, as operations: (process, key, method, argument, result, pending)."""

from __future__ import annotations

from pathlib import Path

import pytest

from scrutator.checker.linear.formats import read
from scrutator.checker.linear.history import NEVER, History, Value

Row = tuple[int, Value, str, Value, Value, bool]


def rows(history: History) -> list[Row]:
    return [(o.process, o.key, o.method, o.argument, o.result, o.pending) for o in history]


def read_text(tmp_path: Path, text: str, format: str, **options: bool | None) -> History:
    """Read a text; the format must be recognised as well as believed."""
    path = tmp_path / "history"
    path.write_text(text)
    history = read(path, **options)  # type: ignore[arg-type]
    assert rows(history) == rows(read(path, format, **options))  # type: ignore[arg-type]
    return history


def test_our_lines(tmp_path: Path) -> None:
    history = read_text(
        tmp_path,
        """{"format": "scrutator-history/1", "object": "kv", "clock": null, "store": {"nodes": [1, 2]}}
{"p":1,"f":"write","k":"a","in":[1,null],"out":null,"call":5,"ret":null}
{"p":0,"f":"read","k":"a","in":null,"out":{"y":[2],"x":1.5},"call":3,"ret":9}
{"p":0,"f":"size","in":null,"out":true,"call":9,"ret":12}
""",
        "scrutator-lines",
    )
    assert rows(history) == [
        (0, "a", "read", None, (("x", 1.5), ("y", (2,))), False),
        (1, "a", "write", (1, None), None, True),
        (0, None, "size", None, True, False),
    ]
    assert history.called.tolist() == [3, 5, 9]
    assert history.returned.tolist() == [9, NEVER, 12]
    assert history.line.tolist() == [3, 2, 4]
    assert not history.has_clock
    assert history.metadata == {"object": "kv", "store": (("nodes", (1, 2)),)}


def test_lines_of_the_generator(tmp_path: Path) -> None:
    history = read_text(
        tmp_path,
        """{"format": "linhist/1", "type": "set", "n": 2, "certificate": null}
{"p":0,"f":"add","k":7,"in":null,"out":true,"call":1,"ret":2}
{"p":0,"f":"contains","k":7,"in":null,"out":true,"call":3,"ret":4}
""",
        "scrutator-lines",
    )
    assert rows(history) == [(0, None, "add", 7, True, False), (0, None, "contains", 7, True, False)]
    assert history.has_clock
    assert history.metadata["object"] == "set"


def test_jepsen_edn(tmp_path: Path) -> None:
    history = read_text(
        tmp_path,
        """; a comment
#jepsen.history.Op{:index 0, :process 0, :type :invoke, :f :write, :value 3, :time 10}
{:process :nemesis, :type :info, :f :start, :value #{"n1" "n2"}, :time 11}
{:process 1, :type :invoke, :f :read, :value nil, :time 12} #_ {:ignored 1}
{:process 0, :type :ok, :f :write, :value 3, :time 12, :node "n1"}
{:process 2, :type :invoke, :f :cas, :value [3 4], :time 13}
{:process 1, :type :ok, :f :read, :value 3, :time 20}
{:process 2, :type :fail, :f :cas, :value [3 4], :time 22, :error :not-found}
{:process 0, :type :invoke, :f :cas, :value [3 5], :time 30}
{:process 1, :type :invoke, :f :write, :value 8, :time 31}
{:process 0, :type :ok, :f :cas, :value [3 5], :time 32}
{:process 1, :type :info, :f :write, :value 8, :time 33, :error #error {:via [{:type java.io.IOException}]}}
{:process 3, :type :invoke, :f :read, :value nil, :time 34}
""",
        "jepsen-edn",
    )
    assert rows(history) == [
        (0, None, "write", 3, None, False),
        (1, None, "read", None, 3, False),
        (0, None, "cas", (3, 5), True, False),
        (1, None, "write", 8, None, True),
        (3, None, "read", None, None, True),
    ]
    assert history.called.tolist() == [10, 12, 30, 31, 34]
    assert history.returned.tolist() == [13, 20, 32, NEVER, NEVER]  # 12 came twice, and is drawn apart
    assert history.has_clock
    assert history.metadata == {"source_format": "jepsen-edn", "object": "cas-register"}


def test_jepsen_edn_as_one_vector_with_times_out_of_order(tmp_path: Path) -> None:
    history = read_text(
        tmp_path,
        """[{:process 0 :type :invoke :f :txn :value [[:read :x nil] [:write :y -2]] :time 9}
 {:process 1 :type :invoke :f :txn :value [[:read :y nil]] :time 5}
 {:process 0 :type :ok :f :txn :value [[:read :x 0] [:write :y -2]] :time 12}]
""",
        "jepsen-edn",
    )
    assert rows(history) == [
        (
            0,
            None,
            "txn",
            (("read", "x", None), ("write", "y", -2)),
            (("read", "x", 0), ("write", "y", -2)),
            False,
        ),
        (1, None, "txn", (("read", "y", None),), None, True),
    ]
    assert (history.called.tolist(), history.returned.tolist()) == ([0, 1], [2, NEVER])
    assert not history.has_clock
    assert history.metadata["object"] == "multi-register"
    assert history.line.tolist() == [1, 2]


@pytest.mark.parametrize("keyed", [None, True])
def test_independent_keys(tmp_path: Path, keyed: bool | None) -> None:
    history = read_text(
        tmp_path,
        """{:process 0, :type :invoke, :f :read, :value [7 nil]}
{:process 1, :type :invoke, :f :cas, :value ["b" [1 2]]}
{:process 0, :type :ok, :f :read, :value [7 1]}
{:process 1, :type :fail, :f :cas, :value :timed-out}
{:process 0, :type :invoke, :f :write, :value [7 [1 2]]}
{:process 0, :type :ok, :f :write, :value [7 [1 2]]}
""",
        "jepsen-edn",
        keyed=keyed,
    )
    assert rows(history) == [(0, 7, "read", None, 1, False), (0, 7, "write", (1, 2), None, False)]


def test_pairs_that_are_values(tmp_path: Path) -> None:
    text = "{:process 0, :type :invoke, :f :write, :value [1 2]}\n{:process 0, :type :ok, :f :write, :value [1 2]}\n"
    assert rows(read_text(tmp_path, text, "jepsen-edn", keyed=False)) == [
        (0, None, "write", (1, 2), None, False)
    ]
    assert rows(read_text(tmp_path, text, "jepsen-edn", keyed=True)) == [(0, 1, "write", 2, None, False)]


def test_edn_values(tmp_path: Path) -> None:
    value = r"""{:b [nil true false], "a" #{3 1 2}, 3 (1.5 -2e3 7N 1M), [1] \a, :c/d "x\n\u00e9\"", nil #inst "2020"}"""
    history = read_text(
        tmp_path,
        f"{{:process 0, :type :invoke, :f :ask, :value {value}}}\n{{:process 0, :type :ok, :f :ask, :value \\newline}}",
        "jepsen-edn",
    )
    argument = history[0].argument
    assert isinstance(argument, tuple)
    assert dict(argument) == {
        "b": (None, True, False), "a": (1, 2, 3), 3: (1.5, -2000.0, 7, 1.0), (1,): "a", "c/d": 'x\né"', None: "2020",
    }  # fmt: skip
    assert history[0].result == "\n"
    assert "object" not in history.metadata


def test_porcupine_key_values(tmp_path: Path) -> None:
    history = read_text(
        tmp_path,
        """{:process 0, :type :invoke, :f :append, :key "3", :value "x 0 y"}
{:process 1, :type :invoke, :f :get, :key "3", :value nil}
{:process 1, :type :ok, :f :get, :key "3", :value ""}
{:process 0, :type :ok, :f :append, :key "3", :value "x 0 y"}
""",
        "jepsen-edn",
    )
    assert rows(history) == [(0, "3", "append", "x 0 y", None, False), (1, "3", "get", None, "", False)]
    assert history.metadata["object"] == "kv('')"


def test_jepsen_json(tmp_path: Path) -> None:
    history = read_text(
        tmp_path,
        """[{"process":0,"type":"invoke","f":"transfer","value":{"from":0,"to":1,"amount":5},"time":1},
{"process":"nemesis","type":"info","f":"start"},
 {"process":0,"type":"ok","f":"transfer","value":{"from":0,"to":1,"amount":5},"time":2},
 {"process":0,"type":"invoke","f":"read","time":3},
 {"process":0,"type":"ok","f":"read","value":{"1":15,"0":5},"time":4}]
""",
        "jepsen-json",
    )
    assert rows(history) == [
        (0, None, "transfer", (("amount", 5), ("from", 0), ("to", 1)), None, False),
        (0, None, "read", None, ((0, 5), (1, 15)), False),
    ]
    assert history.line.tolist() == [1, 4]
    assert history.metadata == {"source_format": "jepsen-json", "object": "bank"}


def test_jepsen_json_in_lines(tmp_path: Path) -> None:
    text = '{"process":0,"type":"invoke","value":[["append",1,2]]}\n\n{"process":0,"type":"ok","value":[["append",1,2]]}\n'
    history = read_text(tmp_path, text, "jepsen-json")
    assert rows(history) == [(0, None, "txn", (("append", 1, 2),), (("append", 1, 2),), False)]
    assert history.metadata["object"] == "list-append"


def test_jepsen_log(tmp_path: Path) -> None:
    history = read_text(
        tmp_path,
        """INFO  jepsen.util - 0\t:invoke\t:read\tnil
INFO  jepsen.util - 1    :invoke    :cas    [3 4]
INFO  jepsen.util - :nemesis\t:info\t:start\tnil
INFO  jepsen.util - 2\t:invoke\t:cas\t[0 1]
INFO  jepsen.util - 0\t:fail\t:read\t:timed-out
INFO  jepsen.util - 1\t:fail\t:cas\t[3 4]
INFO  jepsen.util - 2\t:info\t:cas\t:timed-out
INFO  jepsen.util - 0\t:invoke\t:cas\t[5 6]
INFO  jepsen.util - 0\t:fail\t:cas\t:timed-out
""",
        "jepsen-log",
    )
    assert rows(history) == [(1, None, "cas", (3, 4), False, False), (2, None, "cas", (0, 1), None, True)]
    assert not history.has_clock
    assert history.metadata == {"source_format": "jepsen-log", "object": "cas-register"}


@pytest.mark.parametrize(
    ("methods", "values", "name"),
    [
        (("add", "read"), ("1", "[3 1 2]"), "set"),
        (("add", "read"), ("1", "3"), "counter"),
        (("add", "add"), ("1", "1"), None),
        (("enqueue", "dequeue"), ("1", "1"), "queue"),
        (("push", "pop"), ("1", "1"), "stack"),
        (("acquire", "release"), ("nil", "nil"), "mutex"),
        (("write", "read"), ("1", "1"), "register"),
        (("debit", "read-balance"), ("1", "1"), "account"),
        (("write", "jump"), ("1", "1"), None),
    ],
)
def test_object_told_from_methods(
    tmp_path: Path, methods: tuple[str, ...], values: tuple[str, ...], name: str | None
) -> None:
    text = "".join(
        f"{{:process 0, :type :{kind}, :f :{method}, :value {value}}}\n"
        for method, value in zip(methods, values, strict=True)
        for kind in ("invoke", "ok")
    )
    history = read_text(tmp_path, text, "jepsen-edn")
    assert history.metadata.get("object") == name
    if name == "set":
        assert history[1].result == (1, 2, 3)


def test_call_return(tmp_path: Path) -> None:
    history = read_text(
        tmp_path,
        """# a comment
# @object atomic-queue

[1] call add(3)
    [2] call remove
[1] return
[2] return empty
[1] call add b
[1] return
[3] call remove
[2] call deq(b)
[2] return
""",
        "call-return",
    )
    assert rows(history) == [
        (1, None, "add", 3, None, False),
        (2, None, "remove", None, None, False),
        (1, None, "add", "b", None, False),
        (3, None, "remove", None, None, True),
        (2, None, "deq", None, "b", False),
    ]
    assert not history.has_clock
    assert history.metadata == {"source_format": "call-return", "object": "queue"}


def test_intervals(tmp_path: Path) -> None:
    history = read_text(
        tmp_path, "# deque\npop_back 3 4 9\npush_front 3 1 4\npeek_front -1 5 6\n\n", "intervals"
    )
    assert rows(history) == [
        (0, None, "push_front", 3, None, False),
        (1, None, "pop_back", None, 3, False),
        (0, None, "peek_front", None, None, False),
    ]
    assert history.called.tolist() == [1, 4, 5]
    assert history.metadata == {"source_format": "intervals", "object": "deque"}


def test_intervals_of_a_set(tmp_path: Path) -> None:
    history = read_text(tmp_path, "# set\ninsert 3 1 0 1\ncontains 4 0 2 3\n", "intervals")
    assert rows(history) == [(0, None, "insert", 3, True, False), (0, None, "contains", 4, False, False)]


def test_flat_json_in_order_of_time(tmp_path: Path) -> None:
    history = read_text(
        tmp_path,
        """[ { "type": "ok", "f": "read", "key": "a", "value": "5", "client": 0, "time": 40 },
  { "type": "invoke", "f": "read", "key": "a", "client": 0, "time": 20 },
  { "type": "invoke", "f": "write", "key": "a", "value": 5, "client": 1, "time": 10 } ]
""",
        "flat-json",
    )
    assert rows(history) == [(1, "a", "write", 5, None, True), (0, "a", "read", None, 5, False)]
    assert (history.called.tolist(), history.line.tolist()) == ([10, 20], [3, 2])
    assert history.metadata == {"source_format": "flat-json", "object": "register"}


def test_a_history_without_operations(tmp_path: Path) -> None:
    assert len(read_text(tmp_path, "{:process :nemesis, :type :info, :f :start}", "jepsen-edn")) == 0
    assert (
        len(read_text(tmp_path, '{"format": "scrutator-history/1", "clock": null}\n', "scrutator-lines")) == 0
    )
