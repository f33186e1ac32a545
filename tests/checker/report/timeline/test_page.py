"""The page in a real browser: that it runs, what it shows, and what people can do with it."""

from __future__ import annotations

import json

import pages
import pytest
from picture import colours

PAPER, NIGHT = (255, 255, 255), (18, 24, 31)
CULPRIT, CONFLICT = (213, 94, 0), (242, 182, 46)


@pytest.fixture
def opened(browser, tmp_path):
    """Opens a case, and looks afterwards whether the page or the browser complained."""

    def open_(case):
        browser.open(case.write(tmp_path))
        return browser

    yield open_
    assert browser.complaints() == []
    assert browser.body("errors") == "0"
    assert all(url.startswith("file:") for url in browser.requests())


def stretch(browser):
    return float(browser.body("from")), float(browser.body("to"))


def choices(browser):
    return browser.value("Array.from(document.querySelectorAll('#parts-list option'), option => option.textContent)")


def pick(browser, value):
    browser.value(
        f"(list => {{ list.value = {json.dumps(value)}; list.dispatchEvent(new Event('change')); }})"
        "(document.querySelector('#parts-list'))"
    )
    browser.settle()


def find(browser, wanted):
    """Where on screen the tip names an operation, found by moving a pointer over the timeline."""
    found = browser.value(f"""(() => {{
        const canvas = document.querySelector("#canvas"), tip = document.querySelector("#tip");
        const box = canvas.getBoundingClientRect();
        for (let y = box.top + 40; y < box.bottom; y += 8) {{
            for (let x = box.left; x < box.right; x += 4) {{
                canvas.dispatchEvent(new PointerEvent("pointermove", {{ clientX: x, clientY: y }}));
                if (!tip.hidden && tip.textContent.includes({json.dumps(wanted)})) return [x + 2, y];
            }}
        }}
    }})()""")
    assert found is not None, f"no bar says {wanted}"
    browser.mouse("mouseMoved", *found)
    return found


@pytest.mark.parametrize(
    ("make", "operations", "lanes"),
    [(pages.stale, 7, 4), (pages.witnessed, 4, 3), (pages.keyed, 50, 4), (pages.hostile, 3, 2), (pages.empty, 0, 0)],
)
def test_it_runs(opened, make, operations, lanes):
    browser = opened(make())
    assert (int(browser.body("operations")), int(browser.body("lanes"))) == (operations, lanes)


def test_a_violation_is_told(opened):
    browser = opened(pages.stale())
    why = browser.text("#why")
    assert "no order of the operations allows what read() -> 1 of process 1 returned" in why
    assert "read() -> 1 needs write(1) before it" in why and "write(2) (line 5) stands between them" in why
    assert "any one fewer, and the others do" in why and "holds 6 operations" in why
    items = browser.value("Array.from(document.querySelectorAll('.conflict-list button'), b => b.textContent)")
    assert [item[0] for item in items] == ["◆", "◆", "✖"] and "process 0" in items[0] and "line 7" in items[2]


def test_it_begins_at_the_conflict(opened):
    browser = opened(pages.stale())
    begin, end = stretch(browser)
    assert begin < 0 < 4_500_000 < end < 9_000_000
    browser.press("0")
    assert stretch(browser)[1] > 9_500_000


def test_an_operation_named_in_a_reason_leads_to_it(opened):
    browser = opened(pages.stale())
    browser.value("document.querySelectorAll('.reasons button')[2].click()")
    browser.settle()
    assert browser.body("selected") == "3"
    chosen = browser.text("#chosen")
    assert "write(2)" in chosen and "stale.jsonl, line 5" in chosen and "in conflict" in chosen
    assert f"{pages.EPOCH + 2_100_000} to {pages.EPOCH + 2_900_000} ns" in chosen and "800 µs" in chosen
    begin, end = stretch(browser)
    assert begin < 2_100_000 and 2_900_000 < end
    current = browser.value("Array.from(document.querySelectorAll('[aria-current=true]'), b => b.dataset.operation)")
    assert current == ["3"]


def test_keys_of_the_conflict(opened):
    browser = opened(pages.stale())
    seen = []
    for key in "nnnnp":
        browser.press(key)
        seen.append(browser.body("selected"))
    assert seen == ["0", "3", "5", "0", "5"]
    browser.press("Escape")
    assert browser.body("selected") == "-1" and browser.text("#chosen") == ""


def test_keys_that_move(opened):
    browser = opened(pages.stale())
    browser.value("document.querySelector('#canvas').focus()")
    browser.press("Home")
    begin, end = stretch(browser)
    browser.press("+")
    nearer = stretch(browser)
    assert begin < nearer[0] < nearer[1] < end
    browser.press("ArrowRight")
    right = stretch(browser)
    assert right[0] > nearer[0] and right[1] - right[0] == pytest.approx(nearer[1] - nearer[0])
    browser.press("ArrowRight", 40)
    assert stretch(browser)[1] == pytest.approx(end)
    browser.press("-", 10)
    assert stretch(browser) == pytest.approx((begin, end))
    browser.press("+", 80)
    assert stretch(browser)[1] - stretch(browser)[0] == pytest.approx(4)


def test_brackets_walk_a_lane(opened):
    browser = opened(pages.stale())
    browser.press("n")
    browser.press("]")
    assert browser.body("selected") == "3"  # the next one of process 0
    browser.press("]")
    assert browser.body("selected") == "3"
    browser.press("[")
    assert browser.body("selected") == "0"


def test_pointer_and_wheel(opened):
    browser = opened(pages.stale())
    browser.press("0")
    x, y = find(browser, "read() -> 2")
    assert "process 2" in browser.text("#tip") and "line 8" in browser.text("#tip")
    browser.click(x, y)
    assert browser.body("selected") == "6"
    begin, end = stretch(browser)
    browser.mouse("mouseWheel", x, y, deltaX=0, deltaY=-300)
    nearer = stretch(browser)
    assert nearer[1] - nearer[0] < end - begin and nearer[0] < 9_250_000 < nearer[1]
    browser.mouse("mousePressed", x, y, button="left", buttons=1)
    browser.mouse("mouseMoved", x + 60, y, button="left", buttons=1)
    browser.mouse("mouseReleased", x + 60, y, button="left")
    assert stretch(browser)[0] < nearer[0]
    assert browser.body("selected") == "6"  # a drag is no click


def test_two_fingers_zoom(opened):
    browser = opened(pages.stale())
    browser.press("0")
    begin, end = stretch(browser)
    for kind, reach in (("touchStart", 40), ("touchMove", 80), ("touchMove", 160)):
        points = [{"x": 400 - reach, "y": 250, "id": 0}, {"x": 400 + reach, "y": 250, "id": 1}]
        browser.send("Input.dispatchTouchEvent", type=kind, touchPoints=points)
    browser.send("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
    browser.settle()
    nearer = stretch(browser)
    assert (nearer[1] - nearer[0]) == pytest.approx((end - begin) / 4, rel=0.1)
    assert browser.body("selected") == ""


def test_pending_operations_say_so(opened):
    browser = opened(pages.stale())
    browser.press("0")
    browser.click(*find(browser, "write(9)"))
    assert "never: pending" in browser.text("#chosen") and "pending: no return" in browser.text("#legend")


def test_order_and_missing_clock(opened):
    browser = opened(pages.witnessed())
    assert not browser.value("document.querySelector('#clockless').hidden")
    assert "One such order is numbered" in browser.text("#why") and "place in an order" in browser.text("#legend")
    browser.click(*find(browser, "enqueue('b')"))
    chosen = browser.text("#chosen")
    assert "place in order1, at event 2 at the earliest" in chosen and "duration" not in chosen
    assert "just after itenqueue('a')" in chosen and "just before it" not in chosen
    seen = []
    for key in "..,":
        browser.press(key)
        seen.append(browser.body("selected"))
    assert seen == ["0", "2", "0"]
    assert "place in order2, at event 2 at the earliest" in browser.text("#chosen")  # although called at 1


def test_undecided_says_what_was_cut(opened):
    browser = opened(pages.crashed())
    assert "not decided within the limits" in browser.text("#why") and "limit on time" in browser.text("#why")


def test_retired_processes_share_lanes(opened):
    browser = opened(pages.crashed())
    assert browser.body("lanes") == "1"
    browser.value("document.querySelector('#sharing').click()")
    browser.settle()
    assert browser.body("lanes") == "60"
    browser.value("document.querySelector('#stage').scrollTop = 1e6")
    browser.settle()
    assert int(browser.body("drawn")) < 30  # those off the screen are not drawn


def test_keys_of_a_store(opened):
    browser = opened(pages.keyed())
    assert choices(browser) == [
        "all keys: 50 operations", "✖ 'z\"': 10 operations, violated", "? True: 10 operations, not decided",
        "✔ 'x': 10 operations", "✔ 'y': 10 operations", "✔ 1: 10 operations",
    ]  # fmt: skip
    assert browser.value("document.querySelector('#parts-list').value") == "2"
    assert "No explanation was looked for" in browser.text("#why")
    pick(browser, "3")
    assert browser.body("lanes") == "4" and "of key 1 can be put in an order" in browser.text("#why")
    pick(browser, "-1")
    assert (browser.body("lanes"), browser.body("drawn")) == ("4", "50")
    assert "Back to key 1" in browser.text("#all-parts")


def test_filter_of_keys(opened):
    browser = opened(pages.keyed())
    browser.value("document.querySelector('#parts-filter').focus()")
    browser.press("y")
    assert choices(browser)[1:] == ["✖ 'z\"': 10 operations, violated", "✔ 'y': 10 operations"]  # and the one shown
    browser.press("n")  # typed, not obeyed
    assert browser.body("selected") == ""


def test_help_opens_and_closes(opened):
    browser = opened(pages.stale())
    browser.press("?")
    assert browser.value("document.querySelector('#help').open")
    browser.value("document.querySelector('#help button').click()")
    assert not browser.value("document.querySelector('#help').open")


def test_hostile_text_stays_text(opened):
    browser = opened(pages.hostile())
    assert browser.body("owned") == "" and browser.value("document.images.length") == 0
    assert "onerror=document.body.dataset.owned=1>{{script}}\\u2028<!-- is why" in browser.text("#why")
    browser.press("n")
    assert "put('</script><img src=x" in browser.text("#chosen")
    assert browser.value("document.title").startswith("Not linearizable: script><img src=x")


def test_conflicts_stand_out(opened):
    browser = opened(pages.stale())
    seen = colours(browser.screenshot("#canvas"))
    assert seen[PAPER] > 100_000 and seen[CULPRIT] > 300 and seen[CONFLICT] > 300 and len(seen) > 50
    seen = colours(opened(pages.witnessed()).screenshot("#canvas"))
    assert not seen[CULPRIT] and not seen[CONFLICT] and len(seen) > 50


def test_night(opened):
    browser = opened(pages.stale())
    browser.prefer(color_scheme="dark", reduced_motion="reduce")
    try:
        seen = colours(browser.screenshot("#canvas"))
        assert seen[NIGHT] > 100_000 and seen[PAPER] < 1_000 and seen[CULPRIT] > 300
    finally:
        browser.prefer(color_scheme="light", reduced_motion="reduce")


def test_motion_ends_where_it_should(opened):
    browser = opened(pages.stale())
    browser.prefer(color_scheme="light", reduced_motion="no-preference")
    try:
        browser.press("0")
        browser.wait("Number(document.body.dataset.to) > 9500000")
    finally:
        browser.prefer(color_scheme="light", reduced_motion="reduce")


def test_a_hundred_thousand_operations(opened):
    browser = opened(pages.large())
    assert browser.body("drawn") == "100000"
    assert int(browser.body("shapes")) < 10_000  # however many there are, the screen has so many pixels
    assert len(colours(browser.screenshot("#canvas"))) > 20
    browser.press("+", 24)
    assert 0 < int(browser.body("drawn")) < 1_000
    pick(browser, "7")
    assert browser.body("drawn") == "1000"


def test_names_for_those_who_do_not_see(opened):
    browser = opened(pages.stale())
    unnamed = browser.value(
        "Array.from(document.querySelectorAll('button, input, select, canvas:not([aria-hidden])'))"
        ".filter(e => !(e.textContent.trim() || e.getAttribute('aria-label') || e.getAttribute('aria-labelledby') || e.labels?.length || e.placeholder))"
        ".map(e => e.outerHTML)"
    )
    assert [e for e in unnamed if "parts-filter" not in e] == []
    assert browser.value("document.querySelector('#canvas').getAttribute('aria-label')") == "Timeline of 7 operations"
    assert browser.value("document.querySelector('#chosen').getAttribute('aria-live')") == "polite"
