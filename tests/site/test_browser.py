"""The site as a reader meets it: a real browser, with the network cut."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe


def test_every_page_opens_without_an_error_and_without_a_network(visit, pages):
    visitor = visit()
    for page in pages:
        visitor.open(page)
        assert visitor.errors == [], page
    assert visitor.remote == []


def test_the_site_opens_from_a_file(visit, site):
    visitor = visit(home=site.as_uri())
    for page in ("index.html", "book/welcome.html", "book/how_to_read.html"):
        visitor.open(page)
        assert visitor.errors == [], page
    assert visitor.tab.locator("mjx-container").count() > 0
    assert visitor.remote == []


def test_the_address_of_the_site_leads_to_the_welcome_page(visit):
    visitor = visit()
    visitor.open("index.html")
    visitor.tab.wait_for_url("**/book/welcome.html")
    doors = visitor.tab.locator(".cdp-doors .sd-card-title").all_inner_texts()
    assert doors == ["Read", "Run", "Teach", "Research"]


def test_formulas_are_set_and_not_raw(visit):
    visitor = visit()
    visitor.open("book/how_to_read.html")
    visitor.tab.wait_for_selector("mjx-container svg")
    assert "\\(" not in visitor.tab.inner_text("article")


def test_search_finds_dependency(visit):
    visitor = visit()
    visitor.open("book/welcome.html")
    visitor.tab.keyboard.press("Control+k")
    visitor.tab.keyboard.type("dependency")
    visitor.tab.keyboard.press("Enter")
    visitor.tab.wait_for_url("**/search.html?q=dependency")
    first = visitor.tab.locator("#search-results li a").first
    first.wait_for()
    first.click()
    visitor.tab.wait_for_load_state()
    assert "search.html" not in visitor.tab.url
    assert "dependency" in visitor.tab.inner_text("article").lower()
    assert visitor.tab.get_by_text("Hide Search Matches").locator("visible=true").count() == 0
    assert visitor.errors == [] and visitor.remote == []


@pytest.mark.parametrize("width", [1400, 1000, 390])
def test_a_term_tells_its_definition_on_keyboard_focus(visit, width):
    visitor = visit(width=width)
    visitor.open("notebooks/00_quickstart.html")
    told = """term => getComputedStyle(term, "::after").content"""
    term = visitor.tab.locator("article a.term").first
    assert term.evaluate(told) == "none"
    visitor.tab.keyboard.press("Tab")  # focus by keyboard, not by script alone
    term.focus()
    definition = term.get_attribute("data-definition")
    assert len(definition) > 20 and definition in term.evaluate(told)
    for other in visitor.tab.locator("article a.term").all()[:20]:
        other.focus()
        assert visitor.tab.evaluate("document.documentElement.scrollWidth") <= width
    term.click()
    visitor.tab.wait_for_url("**/book/glossary.html#term-*")


def test_the_letters_of_the_glossary_lead_to_their_entries(visit):
    visitor = visit()
    visitor.open("book/glossary.html")
    letters = visitor.tab.locator("p.letters a")
    assert letters.all_inner_texts() == sorted(set(letters.all_inner_texts()))
    letters.get_by_text("S", exact=True).click()
    (first,) = visitor.tab.locator("dt:target").all_inner_texts()
    assert first.startswith("S")


def test_the_button_for_dark_mode_works(visit):
    visitor = visit()
    visitor.open("book/welcome.html")
    seen = set()
    for _ in range(3):
        visitor.tab.locator("button.theme-switch-button:visible").first.click()
        seen.add(visitor.tab.evaluate("document.documentElement.dataset.theme"))
    assert seen == {"light", "dark"}


CONTRAST = Path(__file__).with_name("contrast.js").read_text()
OTHER_RULES = """() => axe.run(document, {
    rules: {"color-contrast": {enabled: false}}, resultTypes: ["violations"], iframes: false,
}).then(found => found.violations)"""
UNFOLD = """() => {
    document.querySelectorAll("details").forEach(fold => { fold.open = true; });
    document.getAnimations().forEach(motion => motion.finish());
}"""


def violations(tab, *rules: str) -> list[str]:
    tab.evaluate(Axe().axe_script)
    return [
        f"{violation['id']}: {[node['html'][:160] for node in violation['nodes'][:3]]}"
        for rule in rules
        for violation in tab.evaluate(rule)
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(visit, pages, scheme):
    visitor = visit(scheme=scheme)
    # the dark page differs in nothing but its colours
    rules = (CONTRAST, OTHER_RULES) if scheme == "light" else (CONTRAST,)
    found = {}
    for page in pages:
        if page == "index.html":  # it only leads on to the welcome page
            continue
        visitor.open(page)
        visitor.tab.evaluate(UNFOLD)
        assert visitor.tab.evaluate("document.documentElement.dataset.theme") == scheme
        found[page] = violations(visitor.tab, *rules)
    assert {page: said for page, said in found.items() if said} == {}


@pytest.mark.parametrize(
    "faint",
    [
        "<p>plain</p><p style='color: #999'>faint</p>",
        "<p>plain</p><div style='background: #555'><i>plain</i></div>",
        "<p>plain</p><div style='opacity: 0.4'><i>plain</i></div>",
        "<p>plain</p><details><summary>more</summary><p style='color: #aaa'>faint</p></details>",
        "<p style='color: #888; font-size: 2em'>large</p><p style='color: #888'>small</p>",
    ],
)
def test_one_faint_word_among_others_is_found(visit, faint):
    tab = visit().tab
    tab.set_content(f"<html lang='en'><title>x</title><main><h1>x</h1>{faint}</main></html>")
    tab.evaluate(UNFOLD)
    (said,) = violations(tab, CONTRAST)
    assert said.startswith("color-contrast")


def test_no_page_is_wider_than_a_phone(visit, pages):
    visitor = visit(width=390)
    wide = {}
    for page in pages:
        visitor.open(page)
        width = visitor.tab.evaluate("document.documentElement.scrollWidth")
        if width > 390:
            wide[page] = width
    assert wide == {}
