"""Recorded histories of registers whose verdicts are known from elsewhere."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from scrutator.checker.linear.formats import read
from scrutator.checker.linear.frontier import Search
from scrutator.checker.linear.problem import problem_of
from scrutator.model.objects.register import REGISTER

CORPUS = Path(__file__).parents[4] / "shared" / "corpus" / "histories"
KNOWN = {"violation": True, "linearizable": False, "valid": False}


def rows() -> list[tuple[str, bool]]:
    """Files that record one register, or one for each key, and whether they violate linearizability."""
    if not CORPUS.is_dir():
        return []
    with (CORPUS / "MANIFEST.csv").open(encoding="utf-8") as file:
        return [
            (row["path"], KNOWN[row["expected_verdict"]])
            for row in csv.DictReader(file)
            if row["expected_verdict"] in KNOWN and row["data_type"] in ("cas-register", "register (distinct writes)")
        ]


ROWS = rows()


@pytest.mark.skipif(not ROWS, reason="the corpus is not here")
@pytest.mark.parametrize(("path", "violated"), ROWS)
def test_verdict(path: str, violated: bool) -> None:
    problem = problem_of(read(CORPUS / path), REGISTER)
    search = Search(problem)
    assert any(search.part(number).operation is not None for number in range(problem.parts)) == violated
