"""The page in a real browser: that it runs, what it shows, and what people can do with it."""

from __future__ import annotations

import json

import pytest
import quorum_studies as studies
from picture import colours

from scrutator.checker.report.quorum_page import Candidate, write_page

PAPER, NIGHT = (255, 255, 255), (18, 24, 31)
FIRST, SECOND, SHARED = (213, 94, 0), (0, 114, 178), (242, 182, 46)
CANDIDATES = [
    Candidate("majority", 0.6, 0.004, 2, 1000, 3, True),
    Candidate("grid", 0.4, 0.006, 1, 2400, 2.5, True),
    Candidate("poor <b>", 0.7, 0.007, 1, 900, 5, False, "within 0.1"),
    Candidate("none", None, None, 1, note="no strategy"),
]


@pytest.fixture
def opened(browser, tmp_path):
    """Opens a page of studies, and looks afterwards whether the page or the browser complained."""

    def open_(*made, address="", comparison=None, width=1400):
        path = tmp_path / "page.html"
        write_page(made, path, comparison=comparison)
        browser.events.clear()
        browser.send("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        browser.send("Page.navigate", url="about:blank")
        browser.send("Page.navigate", url=path.as_uri() + address)
        browser.wait("document.body && document.body.dataset.ready !== undefined")
        browser.settle()
        return browser

    yield open_
    assert browser.complaints() == []
    assert browser.body("errors") == "" and browser.body("owned") == ""
    assert all(url.startswith(("file:", "about:")) for url in browser.requests())


def texts(browser, selector):
    return browser.value(f"Array.from(document.querySelectorAll({json.dumps(selector)}), e => e.textContent)")


def data(browser, name, number=1):
    return browser.value(f"document.querySelector('#system-{number}').dataset.{name}")


def click(browser, selector):
    browser.value(f"document.querySelector({json.dumps(selector)}).click()")
    browser.settle()


def overflow(browser):
    return browser.value("document.documentElement.scrollWidth - document.documentElement.clientWidth")


# --- the verdict and the matrix -----------------------------------------------------------


def test_a_violation_is_told_and_lit(opened):
    browser = opened(studies.grid())
    assert "VIOLATED grid" in browser.text("header.verdict h2") and "all quorums over 4 nodes" in browser.text(".scope")
    assert "write quorum {a, d} and write quorum {b, c} share no node." in browser.text(".rule .sentence")
    assert "two writes could be finished without either knowing of the other" in browser.text(".rule")
    lit = texts(browser, ".labels .option[aria-selected=true]")
    assert lit == ["①{a, d}", "②{b, c}"]
    assert "∅ share no node" in browser.text(".readout") and "too few for write & write" in browser.text(".readout")
    seen = colours(browser.screenshot(".body svg"))
    assert seen[FIRST] > 300 and seen[SECOND] > 300 and seen[SHARED] == 0


def test_what_holds_says_on_what_it_rests(opened):
    browser = opened(studies.study(studies.raft()))
    assert "HOLDS five nodes" in browser.text("header.verdict h2")
    assert texts(browser, ".rule .badge") == ["✔ HOLDS", "✔ HOLDS"]
    assert "proved by z3" in browser.text(".rule")
    assert texts(browser, ".heading") == ["election, commit10 minimal quorums"]
    assert len(texts(browser, ".labels .option")) == 10 and data(browser, "lit") == ""


def test_two_quorums_that_are_chosen_show_what_they_share(opened):
    browser = opened(studies.study(studies.raft()))
    for row in (0, 9):  # n1 n2 n3, n3 n4 n5
        click(browser, f".labels [data-row='{row}']")
    assert "◆ share 1 node: {n3}" in browser.text(".readout") and "enough for election & commit" in browser.text(".readout")
    assert colours(browser.screenshot(".body svg"))[SHARED] > 20
    assert [text for text in texts(browser, ".head .mark") if text == "◆"] == ["◆"]
    click(browser, ".labels [data-row='1']")
    assert data(browser, "lit") == "9,1"
    click(browser, ".clear")
    assert data(browser, "lit") == "" and "Choose a quorum" in browser.text(".readout")


def test_three_quorums_of_a_rule_are_lit_together(opened):
    browser = opened(studies.fast())
    assert len(data(browser, "lit").split(",")) == 3
    assert "∅ share no node" in browser.text(".readout")
    assert len(texts(browser, ".corner .option")) == 3


def test_keys_choose_quorums(opened):
    browser = opened(studies.study(studies.raft()))
    browser.value("document.querySelector('.labels .option').focus()")
    browser.press("ArrowDown", 2)
    browser.press("Enter")
    assert data(browser, "lit") == "2"
    browser.press("End")
    browser.press(" ")
    assert data(browser, "lit") == "2,9"


def test_a_role_alone(opened):
    browser = opened(studies.grid())
    click(browser, ".tools [data-role='0']")
    assert texts(browser, ".heading b") == ["read"] and len(texts(browser, ".labels .option")) == 2
    assert browser.value("location.hash") == "#role=read"
    click(browser, ".light")  # the lit ones come back into view
    assert texts(browser, ".heading b") == ["read", "write"]


def test_nodes_are_marked(opened):
    browser = opened(studies.kinds())
    marks = browser.value("Object.fromEntries(Array.from(document.querySelectorAll('.head .mark'), e => [e.dataset.node, e.textContent]))")
    assert {marks[k] for k in "0134"} == {"⚠", "✕", "W", "L"} and "5" not in marks
    assert browser.value("document.querySelector('.disc[data-node=\"1\"]').disabled")
    assert "may lie" in browser.text(".matrix > .note") and "down for ever" in browser.value("document.querySelector('.disc.failed').title")


# --- failures -----------------------------------------------------------------------------


def test_failing_nodes_takes_the_quorums_away(opened):
    browser = opened(studies.study(studies.raft()))
    assert texts(browser, ".status li") == ["✔ election: a quorum is up", "✔ commit: a quorum is up"]
    click(browser, ".disc[data-node='0']")
    click(browser, ".disc[data-node='1']")
    assert data(browser, "alive") == "0,1" and "3 of 5 nodes up" in browser.text(".summary")
    assert len(texts(browser, ".disc.critical")) == 3  # none of the others may fail
    assert len(texts(browser, ".labels .option.dead")) == 9
    click(browser, ".disc[data-node='2']")
    assert data(browser, "alive") == "" and texts(browser, ".status li")[0] == "✖ election: no quorum is up"
    assert browser.value("location.hash") == "#down=n1,n2,n3"
    click(browser, ".reset")
    assert data(browser, "alive") == "0,1" and browser.value("location.hash") == ""


def test_a_link_shows_what_its_sender_saw(opened):
    browser = opened(studies.study(studies.raft()), studies.grid(), address="#down=n1,n2,n4,nobody&2.lit=3&2.role=write")
    assert data(browser, "down") == "0,1,3" and data(browser, "alive") == ""
    assert data(browser, "lit", 2) == "3" and data(browser, "down", 2) == ""
    browser.value("location.hash = '#2.down=a,c'")
    browser.wait("document.querySelector('#system-2').dataset.down === '0,2'")
    assert data(browser, "down") == "" and data(browser, "alive", 2) == "1"


def test_zones_and_presets_fail_together(opened):
    browser = opened(studies.surviving())
    assert "3 failures were to be survived" in browser.text("header.verdict")
    click(browser, "[data-zone=west]")
    assert data(browser, "down") == "2,3" and data(browser, "alive") == "0,1"
    click(browser, "[data-zone=east]")
    assert data(browser, "alive") == ""
    click(browser, ".preset")
    assert data(browser, "down") == "0,1,2" and data(browser, "alive") == ""
    assert [text.count("✔") for text in texts(browser, ".fates")] == [2, 2, 2]


def test_big_weights_are_added_exactly(opened):
    browser = opened(studies.heavy(), address="#down=c,d")
    assert data(browser, "alive") == ""
    click(browser, ".disc[data-node='2']")
    assert data(browser, "alive") == "0"


def test_a_federated_system(opened):
    browser = opened(studies.federated())
    assert "{a, b} and {c, d} share no node" in browser.text(".rule .sentence")
    assert texts(browser, ".labels .option[aria-selected=true]") == ["①{a, b}", "②{c, d}"]
    click(browser, ".disc[data-node='0']")
    assert data(browser, "alive") == "0"
    click(browser, ".disc[data-node='2']")
    assert data(browser, "alive") == ""


# --- everything else ----------------------------------------------------------------------


def test_hostile_names_are_text(opened):
    browser = opened(studies.hostile(), comparison=[Candidate(studies.HOSTILE, 1.0, 1.0, 1, note=studies.HOSTILE)])
    assert browser.value("document.images.length") == 0
    assert "<img src=x onerror" in browser.text(".subject") and "<img" in browser.text(".tradeoff td:nth-child(2)")
    click(browser, ".disc[data-node='3']")
    click(browser, ".disc[data-node='0']")
    address = browser.value("location.hash")
    click(browser, ".reset")
    browser.value(f"location.hash = {json.dumps(address)}")
    browser.wait("document.querySelector('#system-1').dataset.down === '0,3'")


def test_a_thousand_nodes_are_drawn(opened):
    browser = opened(studies.thousand())
    assert len(texts(browser, ".disc")) == 1000 and overflow(browser) <= 0
    assert "about 2.70 × 10^299 minimal quorums; 1" in browser.text(".heading")
    click(browser, "[data-zone='zone 0']")
    assert data(browser, "alive") == "0" and "857 of 1,000 nodes up" in browser.text(".summary")


def test_no_quorum_at_all(opened):
    browser = opened(studies.never())
    assert "No set of nodes is a quorum of fast" in browser.text("header.verdict")
    assert texts(browser, ".heading span") == ["1 minimal quorum", "no set of nodes is a quorum"]
    assert data(browser, "alive") == "0"


def test_a_change(opened):
    browser = opened(studies.moved())
    assert texts(browser, ".way .badge")[0] == "✖ VIOLATED" and "✔ HOLDS" in texts(browser, ".way .badge")
    assert "share no node" in browser.text(".way .sentence") and "A sequence is safe only if" in browser.text(".change > .note")


def test_candidates_are_plotted(opened):
    browser = opened(studies.grid(), studies.moved(), comparison=CANDIDATES)
    assert texts(browser, "nav .badge") == ["✖ VIOLATED", "✖ VIOLATED"]
    assert len(texts(browser, ".dot")) == 3 and sorted(texts(browser, ".dot.front text")) == ["1", "2"]
    assert len(texts(browser, ".dot .ring")) == 2 and set(texts(browser, ".plot .label")) == {"majority", "grid"}
    assert len(texts(browser, "tbody tr")) == 4 and "poor <b>" in texts(browser, "tbody td")


@pytest.mark.parametrize("width", [1400, 500, 360])
@pytest.mark.parametrize("make", [studies.grid, studies.surviving, studies.moved, studies.kinds, studies.federated])
def test_nothing_is_wider_than_the_window(opened, make, width):
    assert overflow(opened(make(), comparison=CANDIDATES, width=width)) <= 0


def test_light_dark_and_paper(opened, browser):
    try:
        opened(studies.grid())
        assert colours(browser.screenshot(".zones"))[PAPER] > 10_000
        browser.prefer(color_scheme="dark")
        assert colours(browser.screenshot(".zones"))[NIGHT] > 10_000
        browser.send("Emulation.setEmulatedMedia", media="print", features=[{"name": "prefers-color-scheme", "value": "dark"}])
        browser.settle()
        assert colours(browser.screenshot(".zones"))[PAPER] > 10_000
        assert len(browser.send("Page.printToPDF", printBackground=True)["data"]) > 10_000
    finally:
        browser.send("Emulation.setEmulatedMedia", media="", features=[])
        browser.prefer(color_scheme="light", reduced_motion="reduce")
