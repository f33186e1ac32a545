"""The reports on histories, as text at two widths and as JSON, of results made by hand."""

from __future__ import annotations

import io
import json
import types
from dataclasses import replace
from enum import Enum
from pathlib import Path

import msgspec
import pytest

from scrutator.checker.linear.builder import Builder
from scrutator.checker.linear.explain import NONE_FOUND
from scrutator.checker.linear.result import Explanation, Linearizability, Part
from scrutator.checker.report.json import encode
from scrutator.checker.report.layout import console_for
from scrutator.checker.report.lin_found import Refused, decided, gravest
from scrutator.checker.report.lin_json import SCHEMA, decode, lin_document
from scrutator.checker.report.lin_text import print_histories, print_history, print_skipped
from scrutator.checker.verdict import ExitStatus, Verdict
from scrutator.model.objects import find

REGISTER = find("register")

START_NS = 1_700_000_000_000_000_000


def recorded(has_clock=True, keyed=False, long="x"):
    """A stale read of 1, after 2 was written and read."""
    builder = Builder("run.jsonl", has_clock)
    at = START_NS if has_clock else 0
    rows = (
        (0, "write", 1, 0, 1_500, None), (1, "write", 2, 2_000, 3_250, None), (2, "read", None, 4_000, 5_000, 2),
        (3, "read", None, 6_000, 7_123, 1), (4, "write", long, 6_500, None, None),
    )  # fmt: skip
    for line, (process, method, argument, called, returned, result) in enumerate(rows, 2):
        end = at + returned if returned is not None else (1 << 63) - 1
        builder.add(
            line, process, method, argument, at + called, end, result, key="k", keyed=keyed, pending=returned is None
        )
    return builder.history()


def answer(*parts, history=None, object_=REGISTER, source="run.jsonl", **more):
    history = recorded() if history is None else history
    found = Linearizability(
        source=source, object=object_.name, operations=len(history), pending=history.pending, parts=parts,
        configurations=1_234, widest=7, seconds=0.123,
    )  # fmt: skip
    return decided(source, history, object_, replace(found, **more))


HOLDS = Part(None, 5, Verdict.HOLDS, "search", "it takes any object")


def violated(history, key=None, reasons=2):
    conflict = tuple(history[k] for k in (0, 1, 3))
    why = tuple(f"after operation {k}, the register holds {k % 2 + 1}, and 1 was read" for k in range(reasons))
    explanation = Explanation(history[3], conflict, why, prefix=5)
    return Part(key, 5, Verdict.VIOLATED, "monitor", "values are distinct", history[3], explanation=explanation)


UNTIL = ("read() -> 1 was possible until 3,250 ns, when write(2) of process 1 (line 3) returned",)


class Model(Enum):
    SEQUENTIAL = "sequential consistency"
    CAUSAL = "causal consistency"


STRONGEST = (
    types.SimpleNamespace(model=Model.SEQUENTIAL, verdict=Verdict.VIOLATED, reason="r reads back", conflict=(0, 3)),
    types.SimpleNamespace(model=Model.CAUSAL, verdict=Verdict.HOLDS, reason="", conflict=()),
)


def cases():
    plain, ticks, keyed = recorded(), recorded(has_clock=False), recorded(keyed=True, long="x" * 99)
    whole = (1, 0, 2, 4, 3)
    unknown = Part(None, 5, Verdict.UNKNOWN, "search", "it takes any object", limit="time")
    bare = replace(violated(plain), explanation=None)
    alone = replace(violated(plain), explanation=Explanation(plain[3], (plain[3],), (), prefix=5))
    unproved = violated(plain)
    assert unproved.explanation is not None
    unproved = replace(unproved, explanation=replace(unproved.explanation, shortest=False, minimal=False))
    keys = tuple(violated(keyed, key, reasons=12) for key in ("k", "l\x1b", 3, 4, 5))
    return {
        "holds": answer(HOLDS),
        "witness": answer(replace(HOLDS, witness=whole)),
        "violated": replace(answer(violated(plain)), strongest=STRONGEST, holding=("causal consistency",), timeline=Path("run.html")),
        "ticks": answer(violated(ticks), history=ticks),
        "keys": answer(*keys, replace(HOLDS, key="fine"), history=keyed, object_=find("kv"), source="run\x1b.jsonl"),
        "unexplained": answer(bare),
        "alone": answer(alone),
        "unproved": answer(unproved),
        "unfound": answer(replace(violated(plain), explanation=Explanation(plain[3], (), UNTIL, 5, minimal=False, unfound=NONE_FOUND))),
        "unknown": answer(unknown, replace(unknown, limit="memory"), HOLDS),
        "empty": answer(operations=0, pending=0, configurations=0),
    }


CASES = cases()


def printed(width, show, *arguments):
    file = io.StringIO()
    show(console_for(file, width), *arguments)
    return file.getvalue()


@pytest.mark.parametrize("width", [80, 140])
@pytest.mark.parametrize("name", CASES)
def test_one_history(name, width, golden):
    golden(f"lin-{name}-{width}", printed(width, print_history, CASES[name]))


def many():
    named = [replace(case, source=f"runs/{name}/history-{name}.jsonl") for name, case in CASES.items()]
    more = [replace(CASES["violated"], source=f"runs/again/{k}.jsonl") for k in range(4)]
    bad = Refused("runs/bad.jsonl", "runs/bad.jsonl:3: expected a map; found 7", ExitStatus.FAULTY_MODEL, 3, "malformed")
    return [*named, bad, *more]


@pytest.mark.parametrize("width", [60, 80, 140])
def test_many_histories(width, golden):
    text = printed(width, print_histories, many())
    golden(f"lin-many-{width}", text + printed(width, print_skipped, [f"runs/{k}.txt" for k in range(7)]))


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_fits(name, width):
    if name != "witness":  # an order is one line an operation
        text = printed(width, print_history, CASES[name])
        assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    assert max(len(line) for line in printed(width, print_skipped, ["x" * 20] * 9).splitlines()) <= width


def test_hostile_strings_stay_harmless():
    text = printed(80, print_history, CASES["keys"])
    assert text.replace("\n", "").isprintable()


@pytest.mark.parametrize(
    ("statuses", "worst"),
    [((), 0), ((0, 3), 3), ((3, 2), 2), ((3, 4, 2), 4), ((0, 4, 1, 3), 1)],
)
def test_the_gravest_status(statuses, worst):
    assert gravest([Refused("f", "f", ExitStatus(status)) for status in statuses]) == worst


def test_json(golden):
    text = encode(lin_document([CASES["violated"], *many()[-5:-4]], ["a.txt"], ExitStatus.VIOLATED))
    golden("lin-violated-json", text)
    document = decode(text)
    assert document.schema == SCHEMA and document.exit_status == 1
    (part,) = document.histories[0].parts
    assert part.culprit is not None and part.culprit.result == 1 and part.culprit.called == START_NS + 6_000
    assert [operation.index for operation in part.conflict] == [0, 1, 3]


def test_json_reads_back():
    text = encode(lin_document(many(), [], ExitStatus.VIOLATED))
    document = decode(text)
    assert json.loads(encode(document)) == json.loads(text)
    assert document.histories[1].parts[0].witness == [1, 0, 2, 4, 3]
    with pytest.raises(msgspec.ValidationError, match="999"):
        decode(text.replace(SCHEMA, "scrutator.lin/999"))


def test_json_of_values_that_it_does_not_have():
    builder = Builder("f", has_clock=True)
    builder.add(1, 0, "write", (1, float("inf"), ("x", None)), 1, 2, None)
    history = builder.history()
    part = replace(violated(recorded()), culprit=history[0], explanation=None)
    culprit = decode(encode(lin_document([answer(part, history=history)], [], ExitStatus.VIOLATED))).histories[0].parts[0].culprit
    assert culprit is not None and culprit.argument == [1, "inf", ["x", None]]
