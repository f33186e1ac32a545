"""The page in a real browser: it needs nothing from outside, can be read, and no label hides another."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from picture import colours

from scrutator.checker.ladder import LadderFound, RungFound
from scrutator.checker.report.ladder_page import page, write_page
from scrutator.checker.report.ladder_words import model_diagram
from scrutator.checker.report.spacetime import standalone

PAPER, NIGHT = (255, 255, 255), (18, 24, 31)

# Texts of a picture that cover each other by more than a hair, turned as they are.
HIDDEN = """
(() => {
  const corners = text => {
    const box = text.getBBox(), to = text.getScreenCTM(), inset = 2.5;
    return [[box.x + inset, box.y + inset], [box.x + box.width - inset, box.y + inset],
            [box.x + box.width - inset, box.y + box.height - inset], [box.x + inset, box.y + box.height - inset]]
      .map(([x, y]) => [to.a * x + to.c * y + to.e, to.b * x + to.d * y + to.f]);
  };
  const apart = (p, q) => [...p.keys()].some(k => {
    const [x, y] = p[k], [u, v] = p[(k + 1) % p.length], normal = [v - y, x - u];
    const along = points => points.map(([a, b]) => a * normal[0] + b * normal[1]);
    const first = along(p), second = along(q);
    return Math.max(...first) <= Math.min(...second) || Math.max(...second) <= Math.min(...first);
  });
  const found = [];
  for (const picture of document.querySelectorAll("svg.spacetime")) {
    const texts = [...picture.querySelectorAll("text")].map(t => [t.textContent, corners(t)]);
    for (const [k, [one, p]] of texts.entries())
      for (const [other, q] of texts.slice(k + 1))
        if (!apart(p, q) && !apart(q, p)) found.push(`${picture.getAttribute("aria-label")}: ${one} / ${other}`);
  }
  return found;
})()
"""


@pytest.fixture
def opened(browser, tmp_path):
    """Opens a page, and looks afterwards whether the browser complained or asked for anything."""

    def open_(found, address="", width=1400):
        path = tmp_path / "page.html"
        write_page(found, path)
        browser.events.clear()
        browser.send("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        browser.send("Page.navigate", url="about:blank")
        browser.send("Page.navigate", url=path.as_uri() + address)
        browser.wait("document.body && document.body.dataset.verdict !== undefined")
        browser.settle()
        return browser

    yield open_
    assert browser.complaints() == []
    assert all(url.startswith(("file:", "about:")) for url in browser.requests())


def unfold(browser):
    """Open all that is folded, and wait until it has been drawn with the fonts that there are."""
    browser.value("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    browser.value("document.fonts.ready.then(() => true)")
    browser.settle()


def test_every_picture_is_sound(ladder):
    for found in ladder.claims:
        diagram = model_diagram(found)
        assert all(0 <= a.sent < a.received <= len(diagram.rows) and a.source != a.target for a in diagram.arrows)
        assert {k for a in diagram.arrows for k in (a.source, a.target)} | {m.lane for m in diagram.marks} <= set(range(len(diagram.lanes)))
        assert [row.number for row in diagram.rows if row.number] == list(range(1, found.steps + 1)), "a row for each step"
        assert not any(re.search(r"\b[imb]\b", row.text) for row in diagram.rows), "a parameter's name stands in a sentence"
        ElementTree.fromstring(standalone(diagram, found.claim.says))


def test_every_rung_is_there_and_leads_to_the_next(opened, ladder):
    browser = opened(ladder)
    names = [rung.rung.name for rung in ladder.rungs]
    assert browser.value("Array.from(document.querySelectorAll('main > section[id]'), s => s.id)") == names
    following = browser.value("Array.from(document.querySelectorAll('.next a'), a => a.getAttribute('href').slice(1))")
    assert following == names[1:]
    assert browser.value("Array.from(document.querySelectorAll('a[href]'), a => a.getAttribute('href')).every(h => document.querySelector(h))")
    assert browser.value("document.querySelectorAll('script, [onclick], [style]').length") == 0


def test_no_text_hides_another(opened, ladder):
    browser = opened(ladder)
    unfold(browser)
    assert browser.value("document.querySelectorAll('svg.spacetime').length") == len(ladder.claims)
    assert browser.value(HIDDEN) == []


def test_texts_stay_inside_their_pictures(opened, ladder):
    browser = opened(ladder)
    unfold(browser)
    outside = browser.value("""Array.from(document.querySelectorAll("svg.spacetime text")).filter(t => {
        const text = t.getBoundingClientRect(), picture = t.closest("svg").getBoundingClientRect();
        return text.left < picture.left || text.right > picture.right || text.top < picture.top || text.bottom > picture.bottom;
    }).map(t => t.textContent)""")
    assert outside == []


@pytest.mark.parametrize("width", [1400, 420])
def test_nothing_wide_makes_the_page_scroll_sideways(opened, ladder, width):
    browser = opened(ladder, width=width)
    assert browser.value("document.documentElement.scrollWidth") <= width


def test_dark_where_people_prefer_it(opened, ladder):
    browser = opened(ladder)
    assert colours(browser.screenshot("figure"))[PAPER] > 10_000
    browser.prefer(color_scheme="dark", reduced_motion="reduce")
    night = colours(browser.screenshot("figure"))
    browser.prefer(color_scheme="light", reduced_motion="reduce")
    assert night[NIGHT] > 10_000 and night[PAPER] < 100


def test_keys_open_what_is_folded(opened, ladder):
    browser = opened(ladder)
    browser.value("document.querySelector('#asynchronous details:not([open]) summary').focus()")
    browser.press(" ")
    assert browser.value("document.activeElement.parentElement.open")


def test_mistakes_are_said(opened, ladder):
    first = ladder.rungs[0]
    wrong = replace(first.claims[0], played=replace(first.claims[0].played, missing="nothing <b>here</b>", verdict=None))
    broken = replace(ladder, rungs=(RungFound(first.rung, (wrong, *first.claims[1:])), *ladder.rungs[1:]))
    browser = opened(broken)
    assert browser.body("verdict") == "violated"
    assert "nothing <b>here</b>" in browser.text(".mistakes") and browser.value("document.querySelectorAll('tr.wrong').length") == 2


def test_what_was_not_run_is_left_out(ladder: LadderFound) -> None:
    text = page(replace(ladder, rungs=(RungFound(ladder.rungs[0].rung, ()),), limit="interrupted"))
    assert "This rung was not run." in text and 'data-verdict="unknown"' in text
