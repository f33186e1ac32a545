"""What is told of a run as text: a few of many, never without saying how many more there are."""

from scrutator.checker.report.record_text import ERRORS_SHOWN_MAX, _first


def test_what_is_left_out_is_counted():
    said = [f"n{number} ended" for number in range(ERRORS_SHOWN_MAX + 2)]
    assert _first(said[:ERRORS_SHOWN_MAX]) == said[:ERRORS_SHOWN_MAX]
    assert _first(said) == [*said[:ERRORS_SHOWN_MAX], "and 2 more; see run.json"]
