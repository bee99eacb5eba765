"""The first mention of a glossary term on a page leads to its entry, with the definition at hand.

A notebook holds no markup for this, which Colab would show raw: the links are set as the page is
written. A term in bold is where the page defines it, and is preferred to an earlier mention.
"""

import re
from dataclasses import dataclass

from docutils import nodes
from sphinx import addnodes

GLOSSARY = "book/glossary"
# Everyday words that also mean something else: linked only where the page writes them in bold.
HOMONYMS = {
    "Attention", "Barcode", "Claim", "Driver", "Fold", "Gain", "Gene", "Guide", "Label", "Line",
    "Model", "Network", "Procedure", "Profile", "Record", "Score", "Screen", "Seed", "Training",
    "Truth", "Variance", "Weights",
}  # fmt: skip
# Pages whose running text is names and titles of others.
UNLINKED = ("book/api", "book/catalogue", "book/references", "book/scoreboard")
# No running prose, or text that is a link or code already.
SHUT = (
    nodes.title, nodes.literal, nodes.literal_block, nodes.reference, nodes.table, nodes.raw,
    nodes.math, nodes.term, nodes.topic, nodes.caption, addnodes.desc, addnodes.pending_xref,
)  # fmt: skip
SHUT_CLASSES = {"sd-card", "cell_input", "toctree-wrapper"}


@dataclass(frozen=True)
class Entry:
    term: str
    anchor: str
    tip: str  # the first sentence of the definition
    forms: re.Pattern[str]
    homonym: bool


def link(app, doctree: nodes.document, docname: str) -> None:
    """Set the links of one page."""
    if not docname.startswith(("book/", "notebooks/")) or docname.startswith(UNLINKED):
        return
    known = entries(app.env)
    if docname == GLOSSARY:
        for item in doctree.findall(nodes.definition_list_item):
            own = {name.astext() for name in item.findall(nodes.term)}
            others = [entry for entry in known if entry.term not in own]
            link_first(item, others, "")
        letters(doctree, known)
    else:
        link_first(doctree, known, app.builder.get_relative_uri(docname, GLOSSARY))


def entries(env) -> list[Entry]:
    """The glossary, longest terms first: a "cell line" is not a cell beside a line."""
    if GLOSSARY not in env.found_docs:
        return []
    found = []
    for item in env.get_doctree(GLOSSARY).findall(nodes.definition_list_item):
        for term in item.findall(nodes.term):
            name = term.astext()
            tip = next(item.findall(nodes.paragraph)).astext().replace("\n", " ")
            found.append(entry(name, term["ids"][0], first_sentence(tip)))
    return sorted(found, key=lambda one: -len(bare(one.term)))


def entry(name: str, anchor: str, tip: str) -> Entry:
    return Entry(name, anchor, tip, forms(name), name in HOMONYMS or "(" in name)


def bare(name: str) -> str:
    """ "Cell" of "Cell (of a table)"."""
    return name.partition(" (")[0]


def first_sentence(text: str) -> str:
    return re.split(r"(?<=[.:;])\s+(?=[A-Z])", text)[0]


def forms(name: str) -> re.Pattern[str]:
    """The term and its plural; a name or an acronym as it is written, a word also in lower case."""
    name = bare(name)
    first, rest = re.escape(name[0]), re.escape(name[1:])
    if not any(letter.isupper() or letter.isdigit() for letter in name.split()[0][1:]):
        first = f"[{name[0].upper()}{name[0].lower()}]"
    ends = f"{rest}(?:s|es)?"
    if name.endswith("y"):
        ends = f"{rest[:-1]}(?:ys?|ies)"
    if name.endswith("is"):
        ends = f"{rest[:-2]}[ie]s"
    return re.compile(rf"(?<![\w-]){first}{ends}(?![\w-])".replace(r"\ ", r"\s+"))


def link_first(root: nodes.Node, known: list[Entry], address: str) -> None:
    """Link each term once: where it is bold, else where it first stands in running prose."""
    for one in known:
        strong = [text for node in root.findall(nodes.strong) for text in node.findall(nodes.Text)]
        bold = [text for text in strong if in_paragraph(text)]
        if one.homonym:
            texts = [text for text in bold if one.forms.fullmatch(text.astext().rstrip(".:,"))]
        else:
            texts = [*bold, *running(root)]
        for text in texts:
            found = one.forms.finditer(text.astext())
            if place := next((hit for hit in found if not in_a_name(text.astext(), hit)), None):
                replace(text, place, one, address)
                break


def in_a_name(text: str, place: re.Match[str]) -> bool:
    """Whether a capital stands beside a capital, as in "Cancer Dependency Map"."""
    if not re.fullmatch(r"[A-Z][a-z]+", place[0]):
        return False
    return bool(re.match(r"\s+[A-Z][a-z]", text[place.end() :]))


def running(root: nodes.Node) -> list[nodes.Text]:
    return [text for text in root.findall(nodes.Text) if in_paragraph(text)]


def in_paragraph(text: nodes.Text) -> bool:
    """Whether a text stands in a paragraph, and in nothing that keeps links out."""
    node, inside = text.parent, False
    while node is not None:
        if isinstance(node, SHUT) or SHUT_CLASSES & set(getattr(node, "get", dict)("classes", [])):
            return False
        inside |= isinstance(node, nodes.paragraph)
        node = node.parent
    return inside


def replace(text: nodes.Text, place: re.Match[str], one: Entry, address: str) -> None:
    whole = text.astext()
    reference = nodes.reference(
        "", place[0], internal=True, refuri=f"{address}#{one.anchor}", reftitle=one.tip,
        classes=["term"],
    )  # fmt: skip
    parts = [nodes.Text(whole[: place.start()]), reference, nodes.Text(whole[place.end() :])]
    text.parent.replace(text, [part for part in parts if part.astext()])


def letters(doctree: nodes.document, known: list[Entry]) -> None:
    """A line of letters above the glossary, each leading to its first entry."""
    firsts = {}
    for one in sorted(known, key=lambda one: one.term.lower()):
        firsts.setdefault(one.term[0].upper(), one.anchor)
    line = nodes.paragraph(classes=["letters"])
    for letter, anchor in firsts.items():
        line += nodes.reference("", letter, internal=True, refuri=f"#{anchor}")
        line += nodes.Text(" ")
    for glossary in list(doctree.findall(addnodes.glossary))[:1]:
        glossary.parent.insert(glossary.parent.index(glossary), line)


def tooltips(body: str) -> str:
    """Definitions as an attribute that the style sheet shows on hover and on keyboard focus."""
    return re.sub(r'(<a class="term [^>]*?) title="', r'\1 data-definition="', body)
