"""What a page carries, and that nothing in it can become more than data."""

from __future__ import annotations

import base64
import hashlib
import html.parser
import json
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pages
import pytest

from scrutator.checker.linear.history import NEVER
from scrutator.checker.report import timeline
from scrutator.checker.report.timeline import document
from scrutator.checker.report.timeline.document import document_of
from scrutator.checker.report.timeline.packing import differences, packed
from scrutator.checker.report.timeline.words import basis, phrases
from scrutator.checker.verdict import Verdict
from scrutator.model.objects.sets import SET


def unpacked(text: str) -> list[int]:
    """The slow twin of the page's own reader."""
    numbers, value, shift = [], 0, 0
    for byte in base64.b64decode(text):
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            numbers.append(value)
            value = shift = 0
    return numbers


class Scripts(html.parser.HTMLParser):
    """The elements of a page, and the text of its scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self._in: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self._in = dict(attrs).get("type") or tag

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._in = None

    def handle_data(self, data: str) -> None:
        if self._in is not None:
            self.texts[self._in] = self.texts.get(self._in, "") + data


def data_of(case: pages.Case) -> dict[str, Any]:
    """The document as a browser would read it out of the page."""
    found = json.loads(Scripts(case.html).texts["application/json"])
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("seed", range(20))
def test_packing_gives_back_any_numbers(seed):
    choose = np.random.default_rng(seed)
    column = choose.integers(0, 1 << choose.integers(1, 63), choose.integers(0, 50))
    assert unpacked(packed(column)) == column.tolist()
    signed = column // 2 * choose.choice([-1, 1], len(column))
    steps = [-(step + 1) // 2 if step % 2 else step // 2 for step in unpacked(packed(differences(signed)))]
    assert np.cumsum(steps).tolist() == signed.tolist()


def test_columns_are_those_of_the_history():
    case = pages.stale()
    data, history = data_of(case), case.history
    assert np.cumsum(unpacked(data["called"])).tolist() == (history.called - history.called[0]).tolist()
    assert data["began"] == str(pages.EPOCH)
    assert unpacked(data["process"]) == history.process.tolist()
    lasted = [0 if end == NEVER else end - start + 1 for start, end in zip(history.called.tolist(), history.returned.tolist(), strict=True)]
    assert unpacked(data["lasted"]) == lasted
    texts = [data["texts"][k] for k in unpacked(data["text"])]
    assert texts == ["write(1)", "write(2)", "read() -> 1", "write(2)", "write(9) -> ?", "read() -> 1", "read() -> 2"]
    reads = [data["methods"][m][1] for m in unpacked(data["textMethods"])]
    assert [text.startswith("read") for text in data["texts"]] == reads


def test_parts_are_told_apart_by_type_and_named_as_written():
    data = data_of(pages.keyed())
    assert [name for name, _ in data["parts"]] == ["'x'", "'y'", "'z\"'", "1", "True"]
    assert unpacked(data["part"]) == [k % 5 + 1 for k in range(50)]
    assert [data["decisions"][k][0] for _, k in data["parts"]] == ["holds", "holds", "violated", "holds", "unknown"]
    assert data["violations"] == [{"part": 2, "culprit": 42, "conflict": [42], "reasons": [], "prefix": None}]


def test_parts_of_an_object_come_from_methods_and_arguments():
    builder = pages.Builder("set.jsonl", has_clock=True)
    for k, element in enumerate((7, 8, 7)):
        builder.add(k + 2, k, "add", element, k * 10, k * 10 + 5, None)
    history = builder.history()
    found = pages.found_of(history, SET, *(pages.part(key, 1, Verdict.HOLDS) for key in (7, 8)))
    assert unpacked(document_of(history, SET, found).part) == [1, 2, 1]
    whole = pages.found_of(history, SET, pages.part(None, 3, Verdict.HOLDS))
    assert unpacked(document_of(history, SET, whole).part) == [1, 1, 1]


def test_witness_becomes_places_from_one():
    assert unpacked(data_of(pages.witnessed())["order"]) == [2, 1, 3, 4]


def test_reasons_lead_to_the_operations_they_name():
    (violation,) = data_of(pages.stale())["violations"]
    assert violation["conflict"] == [0, 3, 5] and violation["culprit"] == 5 and violation["prefix"] == 6
    assert violation["reasons"] == [
        [["read() -> 1", 5], " needs ", ["write(1)", 0], " before it"],
        [["write(2)", 3], " (line 5) stands between them"],
    ]


def test_operations_of_the_same_text_are_told_apart():
    alike = [("write(2)", "0", 4, 10), ("write(2)", "1", 5, 11), ("write(21)", "1", 6, 12)]
    assert phrases("write(2) of process 1 and write(2) of process 0", alike) == (
        ("write(2)", 11), " of process 1 and ", ("write(2)", 10), " of process 0",
    )  # fmt: skip
    assert phrases("write(2), write(2), write(21)", alike) == (
        ("write(2)", 10), ", ", ("write(2)", 11), ", ", ("write(21)", 12),
    )  # fmt: skip
    assert phrases("nothing", alike) == ("nothing",) and phrases("write(2)", []) == ("write(2)",)


@pytest.mark.parametrize("room", [document.TEXTS_MAX, 1_000])
def test_long_values_are_shortened_and_say_so(monkeypatch, room):
    monkeypatch.setattr(document, "TEXTS_MAX", room)
    case = pages.witnessed()
    values = tuple(value * 100_000 if isinstance(value, str) else value for value in case.history.values)
    texts = data_of(replace(case, history=replace(case.history, values=values)))["texts"]
    kept = min(room // 4, document.TEXT_MAX)
    assert f"enqueue('{'a' * 10}" in texts[0] and len(texts) == 4
    assert all(text.endswith(f"… and {100_011 - kept:,} more characters") for text in texts if text.startswith("enqueue"))


def test_verdict_and_scope_are_there_without_scripts():
    text = pages.keyed().html
    head = text[: text.index("<main>")]
    assert "Not linearizable" in head and "store.jsonl as a history of kv" in head
    assert "50 operations, 0 of them pending, by 4 processes in 5 keys." in head
    assert "1 key violated. 1 key undecided. Cut by the limit on memory. Decided by search in 0.25 s." in head
    crashed, nothing = pages.crashed(), pages.empty()
    assert basis(crashed.history, crashed.object, crashed.found).endswith("Cut by the limit on time. Tried by search in 0.25 s.")
    assert basis(nothing.history, nothing.object, nothing.found).endswith("There is nothing to decide.")


@pytest.mark.parametrize("make", [pages.hostile, pages.stale, pages.empty])
def test_policy_names_the_only_script_and_style(make):
    found = Scripts(make().html)
    policy = next(str(a["content"]) for tag, a in found.tags if a.get("http-equiv") == "Content-Security-Policy")
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'" and set(rules) == {"default-src", "script-src", "style-src", "base-uri", "form-action"}
    for kind in ("script", "style"):
        digest = base64.b64encode(hashlib.sha256(found.texts[kind].encode()).digest()).decode()
        assert rules[f"{kind}-src"] == f"'sha256-{digest}'"


def test_what_a_history_holds_is_never_markup():
    text = pages.hostile().html
    found = Scripts(text)
    names = [tag for tag, _ in found.tags]
    assert names.count("script") == 2 and names.count("style") == 1 and "img" not in names
    assert not any(name.startswith("on") for _, attributes in found.tags for name in attributes)
    data = found.texts["application/json"]
    assert "<" not in data and "\u2028" not in data and "\\u003c/script>" in data
    assert json.loads(data)["parts"][0][0] == repr(pages.HOSTILE)


def test_scripts_make_no_markup_and_ask_for_nothing():
    found = Scripts(pages.stale().html)
    for word in ("innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "Function(", "fetch(", "XMLHttp", "import("):
        assert word not in found.texts["script"]
    assert not re.search(r"https?:|url\(", found.texts["script"] + found.texts["style"])
    assert not any({"src", "href", "style"} & set(attributes) for _, attributes in found.tags)


def test_a_hundred_thousand_operations_are_a_few_megabytes():
    assert len(pages.large().html.encode()) < 5_000_000


def test_a_verdict_on_another_object_is_refused():
    case = pages.witnessed()
    with pytest.raises(ValueError, match=r"queue.log: the object register has no method enqueue"):
        timeline.page(case.history, pages.REGISTER, case.found)


def test_the_same_page_twice(tmp_path):
    case = pages.stale()
    timeline.write(tmp_path / "a.html", case.history, case.object, case.found)
    assert (tmp_path / "a.html").read_bytes().decode() == case.html
