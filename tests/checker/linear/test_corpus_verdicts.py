"""Recorded histories whose verdicts are known from elsewhere."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from scrutator.checker.commands.lin_decide import object_of
from scrutator.checker.linear.check import check_linearizable
from scrutator.checker.linear.formats import read
from scrutator.checker.linear.history import HistoryError
from scrutator.checker.verdict import Verdict
from scrutator.model.objects import find

CORPUS = Path(__file__).parents[4] / "shared" / "corpus" / "histories"
KNOWN = {"violation": Verdict.VIOLATED, "linearizable": Verdict.HOLDS, "valid": Verdict.HOLDS}
OBJECTS = {  # of recordings that do not tell
    "elle-cli/jepsen/bank.edn": f"bank({dict.fromkeys(range(10), 0) | {0: 100}})",
    "elle-cli/jepsen/bank-neg.edn": "overdraft-bank({0: 10, 1: 10, 2: 10})",
    "elle-cli/jepsen/counter.edn": "counter",
    "elle-cli/jepsen/bank-negative-balances.json": f"bank({dict.fromkeys('0123456789', 0) | {'0': 100}})",
    "elle-cli/jepsen/bank-tidb.edn": "bank",
    "knossos/cas-register/good/mongodb-v0-ack-rollback-.edn": "register",
}
# Valid there in a weaker model: 3 is read though only 2 was written.
WEAKER = "elle-cli/elle/rw-register.json"
# One process calls while its operation is under way.
MALFORMED = "limo/simple/stack/safe/bidirectional-trap.hist"


def rows() -> list[tuple[str, Verdict]]:
    """Files and their verdicts."""
    if not CORPUS.is_dir():
        return []
    with (CORPUS / "MANIFEST.csv").open(encoding="utf-8") as file:
        return [
            (row["path"], KNOWN[row["expected_verdict"]])
            for row in csv.DictReader(file)
            if row["expected_verdict"] in KNOWN and row["path"] not in (WEAKER, MALFORMED)
        ]


ROWS = rows()


@pytest.mark.skipif(not ROWS, reason="the corpus is not here")
@pytest.mark.parametrize(("path", "verdict"), ROWS)
def test_verdict(path: str, verdict: Verdict) -> None:
    history = read(CORPUS / path)
    object_ = find(OBJECTS[path]) if path in OBJECTS else object_of(history)
    assert check_linearizable(history, object_, explain=False, timeout_s=60).verdict is verdict


@pytest.mark.skipif(not ROWS, reason="the corpus is not here")
def test_all_are_looked_at() -> None:
    assert len(ROWS) > 230


@pytest.mark.skipif(not ROWS, reason="the corpus is not here")
def test_a_process_with_two_operations_is_refused() -> None:
    with pytest.raises(HistoryError, match=":17: process 1 calls pop, but its operation of line 16 has not returned"):
        read(CORPUS / MALFORMED)
