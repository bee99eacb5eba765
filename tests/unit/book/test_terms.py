"""Links from the first mention of a term to its entry in the glossary."""

import pytest
from docutils import nodes
from docutils.core import publish_doctree

from cdp_book.sphinx import terms

KNOWN = [
    terms.entry(name, f"term-{name}", f"What {name} is.")
    for name in ("Cell line", "Cell (of a table)", "Baseline", "Assay", "Axis", "IC50", "Line")
]


def linked(text: str, known=KNOWN, address: str = "glossary.html") -> list[str]:
    """The words that become links, in the order of the page."""
    tree = publish_doctree(text, settings_overrides={"report_level": 5})
    terms.link_first(tree, known, address)
    return [link.astext() for link in tree.findall(nodes.reference) if "term" in link["classes"]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A baseline and baselines.", ["baseline"]),
        ("Two cell lines.", ["cell lines"]),
        ("Many assays.", ["assays"]),
        ("Over both axes.", ["axes"]),
        ("The ic50 is no name; IC50 is.", ["IC50"]),
        ("A baseline-free baseliner.", []),
        ("A straight line.", []),  # an everyday word
        ("Each **line** is a row.", ["line"]),
        ("A baseline. The **baseline** is.", ["baseline"]),
        ("A **cell line** is.", ["cell line"]),  # and no cell of a table
        ("A **cell** of it.", ["cell"]),
        ("The Cancer Baseline Map and a baseline.", ["baseline"]),
    ],
)
def test_which_words_become_links(text, words):
    assert linked(text) == words


def test_a_term_in_bold_is_linked_there_and_not_before():
    tree = publish_doctree("A baseline comes first.\n\nThe **baseline** is defined.")
    terms.link_first(tree, KNOWN, "glossary.html")
    (link,) = tree.findall(nodes.reference)
    assert isinstance(link.parent, nodes.strong)
    assert link["refuri"] == "glossary.html#term-Baseline"
    assert link["reftitle"] == "What Baseline is."


@pytest.mark.parametrize(
    "text",
    [
        "Page\n====\n\nBaseline\n--------\n\nNothing.",
        "``baseline``",
        "`baseline <https://example.org>`_",
        "::\n\n    baseline",
        ".. table::\n\n   ========  ===\n   baseline  two\n   ========  ===\n",
    ],
)
def test_headings_code_links_and_tables_stay_as_they_are(text):
    assert linked(text) == []


def test_the_definition_becomes_an_attribute_for_the_style_sheet():
    body = '<a class="term reference internal" href="g.html#t" title="A &lt; B">x</a> <a title="y">'
    assert terms.tooltips(body) == (
        '<a class="term reference internal" href="g.html#t" data-definition="A &lt; B">x</a> '
        '<a title="y">'
    )


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("One row. More of it.", "One row."),
        ("About 0.1 of it, e.g. half. More.", "About 0.1 of it, e.g. half."),
        ("No more", "No more"),
    ],
)
def test_the_tooltip_is_the_first_sentence(text, first):
    assert terms.first_sentence(text) == first
