"""The text report, against golden texts at two widths, and against hostile strings."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from scrutator.checker.report.clean import clean, clean_lines
from scrutator.checker.report.layout import console_for, duration, plural, rate, size
from scrutator.checker.report.text import collision_text, print_results

NAMES = ["holds", "violated", "cut", "vacuous", "unreached", "walked", "hostile"]


def printed(results, width, **options):
    file = io.StringIO()
    print_results(console_for(file, width), results, **options)
    return file.getvalue()


@pytest.mark.parametrize("width", [80, 140])
@pytest.mark.parametrize("name", NAMES)
def test_one_result(name, width, results, golden):
    golden(f"{name}-{width}", printed([results[name]], width))


@pytest.mark.parametrize("width", [80, 140])
def test_several_results(width, results, golden):
    golden(
        f"suite-{width}", printed([results[name] for name in ("holds", "cut", "violated", "vacuous")], width)
    )


@pytest.mark.parametrize("width", [80, 140])
def test_on_request(width, results, golden):
    golden(f"coverage-{width}", printed([results["holds"]], width, coverage=True, witness=True))


def test_many_levels_share_bars(results):
    text = printed([results["cut"]], 80, coverage=True)
    assert "58-60" in text and len([line for line in text.splitlines() if "█" in line]) == 20


def test_a_witness_only_on_request(results):
    assert "witness" not in printed([results["holds"]], 80)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("width", [80, 100, 120, 140, 200])
def test_fits(name, width, results):
    text = printed([results[name]], width, coverage=True, witness=True)
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width


def test_hostile_strings_stay_harmless(results):
    text = printed([results["hostile"]], 80, coverage=True, witness=True)
    assert text.replace("\n", "").isprintable()
    assert "[bold]mutant[/bold]" in text and ":smile:" in text


def test_no_colour_without_a_terminal(results):
    assert "\x1b" not in printed([results["violated"]], 80)


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_colour_on_a_terminal_unless_unwanted(results, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    file = Terminal()
    print_results(console_for(file, 80), [results["violated"]])
    assert "\x1b[1;31mVIOLATED" in file.getvalue()
    monkeypatch.setenv("NO_COLOR", "1")
    file = Terminal()
    print_results(console_for(file, 80), [results["violated"]])
    assert "\x1b[1;31m" not in file.getvalue()


def test_an_ascii_stream_gets_ascii(results):
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding="ascii", errors="backslashreplace")
    print_results(console_for(file, 80), [replace(results["holds"], model="pax\u00f3s")], coverage=True)
    file.flush()
    assert "pax\\xf3s" in raw.getvalue().decode("ascii")


def test_clean():
    assert clean("a\nb\x1b\u202e\ud800é") == "a\\nb\\x1b\\u202e\\ud800é"
    assert clean_lines("a\n\tb\r") == ["a", "    b\\r"]


@pytest.mark.parametrize(
    ("odds", "text"),
    [
        (0.75, "75%: use --fingerprint-bits 128"),
        (0.041, "1 in 24 (4.1e-02): use --fingerprint-bits 128"),
        (4.6e-8, "1 in 22 million (4.6e-08)"),
        (3e-31, "below 1 in 10^30"),
    ],
)
def test_collision_odds(odds, text):
    assert collision_text(odds) == text


def test_numbers():
    assert [size(0), size(1023), size(1536), size(3 * 2**30), size(2**50)] == [
        "0 B", "1023 B", "1.5 KiB", "3.0 GiB", "1024 TiB",
    ]  # fmt: skip
    assert [rate(950), rate(12_345), rate(1_350_000), rate(999_999)] == ["950", "12.3 k", "1.35 M", "1.00 M"]
    assert [duration(0.314), duration(12), duration(200), duration(7_500)] == [
        "0.31 s", "12.0 s", "3 min 20 s", "2 h 05 min",
    ]  # fmt: skip
    assert [plural(1, "step"), plural(2_000, "step"), plural(3, "property")] == [
        "1 step",
        "2,000 steps",
        "3 properties",
    ]
