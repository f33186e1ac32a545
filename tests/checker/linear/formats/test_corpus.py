"""Every history of the corpus is read, and has as many operations as its manifest says.

The manifest counts invocations.  A history leaves out what certainly did not happen, so
it has as many operations as the manifest less those that failed; these are counted here,
from the text.  One history has a thread call again before it returned, and one has no
processes; these are refused, as is what is no history.
"""

from __future__ import annotations

import csv
import functools
import re
from pathlib import Path

import pytest

from scrutator.checker.linear.formats import read
from scrutator.checker.linear.history import History, HistoryError

CORPUS = Path(__file__).resolve().parents[5] / "shared" / "corpus" / "histories"

REFUSED = {
    "limo/simple/stack/safe/bidirectional-trap.hist": (
        ":17: process 1 calls pop, but its operation of line 16 has not returned"
    ),
    "elle-cli/jepsen/long-fork.edn": ":1: expected a map of process, type, f and value; found a map without process",
}

FAILED = re.compile(r':type :fail|"type" ?: ?"fail"|:fail\s+:read')  # a log's failed cas is a result


def manifest() -> list[dict[str, str]]:
    try:
        with open(CORPUS / "MANIFEST.csv", newline="") as file:
            return list(csv.DictReader(file))
    except OSError:
        return []


def is_history(row: dict[str, str]) -> bool:
    return row["format"] != "jepsen-results-edn"


@functools.cache
def history_of(name: str) -> History:
    return read(CORPUS / name)


ROWS = manifest()
pytestmark = pytest.mark.skipif(not ROWS, reason="no corpus beside the repository")


def test_operations_and_pending() -> None:
    wrong = []
    for row in filter(is_history, ROWS):
        path = CORPUS / row["path"]
        if row["path"] in REFUSED or row["ops"] == "0":  # nobody has counted
            continue
        history = history_of(row["path"])
        failed = len(FAILED.findall(path.read_text()))
        if len(history) != int(row["ops"]) - failed or (
            row["pending"] and history.pending != int(row["pending"])
        ):
            wrong.append((row["path"], row["ops"], row["pending"], failed, len(history), history.pending))
    assert wrong == []


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    with pytest.raises(HistoryError) as raised:
        read(CORPUS / name)
    assert str(raised.value).endswith(REFUSED[name])


def test_what_is_no_history() -> None:
    others = [row for row in ROWS if not is_history(row)]
    assert others
    for row in others:
        with pytest.raises(HistoryError):
            read(CORPUS / row["path"])


OBJECTS = {
    "?": "stack", "atomic-queue": "queue", "atomic-stack": "stack", "rw-register": "multi-register",
    "kv (get/put/append, string)": "kv('')", "kv register (10 keys)": "register", "register, writes only": "register",
    "register (distinct writes)": "register", "bank (credit/debit/read)": "account",
    "increment+write (20 keys)": None, "counter": None,  # only adds: may be a set as well
}  # fmt: skip


def test_objects() -> None:
    for row in filter(is_history, ROWS):
        if row["path"] not in REFUSED:
            history = history_of(row["path"])
            expected = OBJECTS.get(row["data_type"], row["data_type"])
            if expected == "cas-register" and "cas" not in history.methods:
                expected = "register" if history.methods else None
            assert history.metadata.get("object") == expected, row["path"]
