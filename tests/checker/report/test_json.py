"""The JSON report: lossless, versioned, and readable by its own schema."""

from __future__ import annotations

import json

import msgspec
import pytest

from scrutator.checker.report.json import SCHEMA, check_document, decode, encode, json_schema
from scrutator.checker.verdict import ExitStatus


def test_round_trip(results):
    document = check_document([results["violated"], results["cut"]], ExitStatus.VIOLATED)
    assert decode(encode(document)) == document


def test_what_it_says(results, golden):
    golden("violated-json", encode(check_document([results["violated"]], ExitStatus.VIOLATED)))


def test_numbers_and_verdicts(results):
    plain = json.loads(encode(check_document([results["cut"], results["vacuous"]], ExitStatus.FAULTY_MODEL)))
    cut, vacuous = plain["results"]
    assert plain["schema"] == SCHEMA and plain["exit_status"] == 4
    assert cut["verdict"] == "unknown" and cut["exit_status"] == 3 and cut["distinct"] == 1_234_567_890
    assert cut["truncations"] == {"net": 1_048_576, "log[s1]": 1}
    assert vacuous["vacuous"] and vacuous["exit_status"] == 4


def test_the_output_is_ascii(results):
    document = check_document([results["holds"]], ExitStatus.HOLDS)
    assert encode(document).isascii() and encode({"name": "\u00e9\x1b"}).isascii()


def test_another_schema_is_refused(results):
    text = encode(check_document([results["holds"]], ExitStatus.HOLDS)).replace(SCHEMA, "scrutator.check/999")
    with pytest.raises(msgspec.ValidationError, match="999"):
        decode(text)


def test_schema_documents_every_field():
    assert set(json_schema()["$defs"]) >= {"CheckDocument", "ResultDocument", "StepDocument", "TraceDocument"}


def test_a_real_check_can_be_encoded():
    """What the engines count with must not reach a document as anything but Python's own numbers."""
    from scrutator.checker.explore.check import check

    result = check("paxos", bounds={"ballots": 2})
    assert result.collision_odds > 0
    document = check_document([result], ExitStatus.HOLDS)
    assert decode(encode(document)) == document
