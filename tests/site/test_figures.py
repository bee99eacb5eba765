"""The figures as a reader meets them: names on hover and focus, choices by keyboard, phones."""

import numpy as np
import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe

from cdp_lib import figures
from cdp_lib.claims.shown import figure_html
from cdp_lib.figures.vector import inline

VISIBLE = """(where) => [...document.querySelectorAll(where)].filter(
    e => e.checkVisibility({visibilityProperty: true})).map(e => e.textContent)"""
HEIGHTS = """() => [...document.querySelectorAll("figure svg text")].filter(
    e => e.checkVisibility({visibilityProperty: true}) && e.textContent.trim()).map(e =>
    parseFloat(getComputedStyle(e).fontSize) *
    Math.hypot(e.getScreenCTM().a, e.getScreenCTM().b))"""


def lines():
    rng = np.random.default_rng(0)
    index = pd.Index([f"ACH-{i}" for i in range(60)], name="line")
    frame = pd.DataFrame(rng.normal(size=(60, 2)), index, ["x", "y"])
    return (
        frame,
        pd.Series(["lung", "skin", "bone"] * 20, index),
        pd.Series([f"L{i}" for i in range(60)], index),
    )


def scatter():
    frame, _, names = lines()
    figure = figures.points(
        frame.assign(name=names), "x", "y", "name", highlight=["L7", "L9"], identity=True
    )
    return figure_html(inline(figure, "f"), "f", figure.alt_text, "It holds.", figure.told)


def explorer():
    frame, tissues, names = lines()
    shown = figures.line_map(
        {"PCA": frame, "t-SNE": frame * 2}, tissues, names, responses=frame, highlight=["L7"]
    )
    return shown.page("lines", "It holds.")


@pytest.fixture
def tab(browser):
    context = browser.new_context(viewport={"width": 900, "height": 1200})
    yield context.new_page()
    context.close()


def show(tab, *html, width=900):
    tab.set_viewport_size({"width": width, "height": 1200})
    head = "<html lang=en><title>t</title><meta name=viewport content='width=device-width'>"
    tab.set_content(f"<!doctype html>{head}<main><h1>t</h1>{''.join(html)}</main>")


def test_a_point_tells_its_name_under_the_pointer_and_on_focus(tab):
    show(tab, scatter())
    names = ".cdp-names text"
    assert tab.evaluate(VISIBLE, names) == []
    point = tab.locator("figure > svg").first.locator(".cdp-names circle").first
    point.hover()
    (told,) = tab.evaluate(VISIBLE, names)
    assert told == tab.locator(names).first.text_content()
    tab.mouse.move(0, 0)
    told = []
    for _ in range(2):
        tab.keyboard.press("Tab")
        told += tab.evaluate(VISIBLE, names)
    assert sorted(told) == ["L7", "L9"]
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.tagName") == "SUMMARY"  # few stops, then the table


@pytest.mark.parametrize(("width", "shown"), [(900, 0), (390, 1)])
def test_each_width_has_its_picture_and_text_that_can_be_read(tab, width, shown):
    show(tab, scatter(), width=width)
    seen = tab.evaluate(
        "[...document.querySelectorAll('figure > svg')].map(e => getComputedStyle(e).display)"
    )
    assert [display != "none" for display in seen] == [number == shown for number in range(2)]
    assert min(tab.evaluate(HEIGHTS)) >= 10.9
    assert tab.evaluate("document.documentElement.scrollWidth") <= width


def test_the_map_of_lines_answers_the_keyboard(tab):
    show(tab, explorer())
    faint = (
        "[...document.querySelectorAll('.panels g.tissue')].map(e => getComputedStyle(e).opacity)"
    )
    tab.keyboard.press("Tab")  # colours
    before = tab.evaluate("getComputedStyle(document.querySelector('.panels .a0')).fill")
    tab.keyboard.press("ArrowRight")
    after = tab.evaluate("getComputedStyle(document.querySelector('.panels .a0')).fill")
    assert before != after and len(tab.evaluate(VISIBLE, ".key")) == 1
    tab.keyboard.press("Tab")  # tissues
    tab.keyboard.press("ArrowRight")
    assert tab.evaluate(faint) == ["1", "0.08", "0.08"] * 2
    tab.keyboard.press("Tab")  # lines
    tab.keyboard.press("ArrowRight")
    assert tab.evaluate(VISIBLE, ".known text") == ["L7", "L7"]


def test_the_chosen_figure_alone_is_shown(tab):
    frame, _, names = lines()
    one = figures.agreement({"GDSC": frame["x"], "CTD2": frame["y"]}, names)
    page = figures.choose({"PLX-4720": one, "lapatinib": one}, "Drug").page("areas", "So.")
    show(tab, page)
    shown = "[...document.querySelectorAll('.cdp-figure')].map(e => getComputedStyle(e).display)"
    assert tab.evaluate(shown) == ["block", "none"]
    tab.keyboard.press("Tab")
    tab.keyboard.press("ArrowRight")
    assert tab.evaluate(shown) == ["none", "block"]


@pytest.mark.parametrize("width", [900, 390])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_page(tab, width):
    show(tab, scatter(), explorer(), width=width)
    tab.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true; })")
    found = Axe().run(tab).response["violations"]
    assert [(rule["id"], rule["nodes"][0]["html"][:120]) for rule in found] == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
