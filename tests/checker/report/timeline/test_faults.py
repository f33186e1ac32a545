"""Faults in the page: a row for each node, bands behind the operations, tips; and nothing of it without faults."""

from __future__ import annotations

import json
from dataclasses import replace

import pages
from picture import colours

from scrutator.checker.report.timeline import Band, page
from scrutator.checker.report.timeline.document import document_of

KILL, PAUSE = (89, 97, 107), (0, 128, 92)


def bands_of(case, *kinds):
    """Faults one after the other that fill the history's time."""
    begin, end = int(min(case.history.called)), int(max(case.history.called))
    step = max((end - begin) // len(kinds), 1)
    return [Band(kind, f"{kind} it", ("n1", f"n{k + 2}"), begin + k * step, begin + (k + 1) * step) for k, kind in enumerate(kinds)]


def opened(browser, case, bands, tmp_path):
    path = tmp_path / "report.html"
    path.write_text(page(case.history, case.object, case.found, bands), encoding="utf-8", newline="\n")
    browser.open(path)
    browser.press("0")
    return browser


def test_times_are_the_pages(tmp_path):
    case = pages.stale()
    first = int(min(case.history.called))
    bands = [Band("kill", "kill it", ("n1",), first - 5, None), Band("pause", "p" * 5000, ("n2",), first + 1, first + 2)]
    kill, pause = document_of(case.history, case.object, case.found, bands).faults
    assert (kill.begin, kill.end, pause.begin, pause.end) == (-5, None, 1, 2)
    assert len(pause.what) < 300
    without_clock = replace(case.history, has_clock=False)
    assert document_of(without_clock, case.object, case.found, bands).faults == []


def test_rows_bands_and_words(browser, tmp_path):
    case = pages.stale()
    opened(browser, case, bands_of(case, "kill", "pause", "partition", "clock"), tmp_path)
    legend = browser.text("#legend")
    for words in ("nodes killed", "nodes paused", "messages cut", "clocks changed"):
        assert f"fault: {words}" in legend
    assert "Recorded under 4 faults: 1 kill, 1 pause, 1 partition, 1 clock." in browser.text(".verdict p")
    seen = colours(browser.screenshot("#canvas"))
    assert KILL in seen and PAUSE in seen
    assert browser.complaints() == [] and browser.body("errors") == "0"


def test_a_fault_has_a_tip(browser, tmp_path):
    case = pages.stale()
    opened(browser, case, bands_of(case, "kill"), tmp_path)
    tip = browser.value("""(() => {
        const canvas = document.querySelector("#canvas"), tip = document.querySelector("#tip");
        const box = canvas.getBoundingClientRect();
        canvas.dispatchEvent(new PointerEvent("pointermove", { clientX: box.left + box.width / 2, clientY: box.top + 36 }));
        return tip.hidden ? "" : tip.textContent;
    })()""")
    assert tip.startswith("kill: kill it") and "n1, n2, from" in tip


def test_without_faults_the_page_is_as_it_was(browser, tmp_path):
    case = pages.stale()
    opened(browser, case, (), tmp_path)
    assert "fault" not in browser.text("#legend") and "Recorded under" not in browser.text(".verdict p")


def test_what_faults_are_called_is_no_markup(browser, tmp_path):
    case = pages.stale()
    begin = int(min(case.history.called))
    evil = "</script><script>document.body.dataset.errors = 9</script>"
    opened(browser, case, [Band(evil, evil, (evil,), begin, begin + 10)], tmp_path)
    assert browser.body("errors") == "0" and browser.complaints() == []
    assert json.loads(browser.value("document.querySelector('#document').textContent"))["faults"][0]["what"] == evil
