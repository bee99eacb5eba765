"""The site as a reader meets it: a real browser, with the network cut."""

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
    assert doors == ["Read", "Run", "Teach", "Build"]


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
    assert visitor.errors == [] and visitor.remote == []


def test_the_button_for_dark_mode_works(visit):
    visitor = visit()
    visitor.open("book/welcome.html")
    seen = set()
    for _ in range(3):
        visitor.tab.locator("button.theme-switch-button:visible").first.click()
        seen.add(visitor.tab.evaluate("document.documentElement.dataset.theme"))
    assert seen == {"light", "dark"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(visit, pages, scheme):
    visitor = visit(scheme=scheme)
    # the dark page differs in nothing but its colours
    options = {"runOnly": ["color-contrast"]} if scheme == "dark" else None
    found = []
    for page in pages:
        if page == "index.html":  # it only leads on to the welcome page
            continue
        visitor.open(page)
        assert visitor.tab.evaluate("document.documentElement.dataset.theme") == scheme
        for violation in Axe().run(visitor.tab, options=options).response["violations"]:
            nodes = [node["html"][:160] for node in violation["nodes"][:3]]
            found.append(f"{page}: {violation['id']}: {nodes}")
    assert found == []


def test_no_page_is_wider_than_a_phone(visit, pages):
    visitor = visit(width=390)
    wide = {}
    for page in pages:
        visitor.open(page)
        width = visitor.tab.evaluate("document.documentElement.scrollWidth")
        if width > 390:
            wide[page] = width
    assert wide == {}
