"""The student's path: no word of the glossary is used before the chapter that defines it.

A chapter defines a word where it prints it in **bold**. In the order of _toc.yml, the first bold
place of a word must come before every other use of it, in the same chapter and in those before.
Headings, sentences in bold and the frame below the title announce what comes: they use no word.
"""

import json
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]

# other forms of a term of the glossary, beside its plural
FORMS = {
    "Axis": ["axes", "per perturbation", "per line"],
    "Bliss independence": ["Bliss"],
    "Cell (of a table)": ["cell of the table", "cell"],
    "CRISPR screen": ["CRISPR"],
    "Global score": ["global"],
    "IC50": ["ln IC50"],
    "Line": ["cell line"],
    "Metabolomics": ["metabolites"],
    "Out-of-fold prediction": ["out-of-fold"],
    "Principal component analysis": ["PCA"],
    "Ridge": ["ridge regression"],
    "Weights": ["weight"],
}

# words that a reader brings along, each with the reason
EVERYDAY = {
    "Cell (of a table)": "the living cell has the same name",
    "Ceiling": "chapter 01 defines the noise ceiling, and says ceiling from there on",
    "Dose": "a word of daily life",
    "Variance": "a first course in statistics is a prerequisite",
    "Weights": "a word of daily life until a network has them",
}

# names in which a term of the glossary is only a part
NAMES = ["Cancer Dependency Map", "Discovery and Development network"]

# where a chapter still uses a word too early, to be mended there
TABLE_OF_PROJECTS = (
    "Copy number",
    "CRISPR screen",
    "Metabolomics",
    "MicroRNA",
    "Mutation",
    "Proteome",
    "RPPA",
)  # named there, explained further down
KNOWN = {("01_screens_and_omics", term) for term in TABLE_OF_PROJECTS}
KNOWN |= {("01_screens_and_omics", "Label")}  # that of a pandas Series

NOT_READ = re.compile(
    r"```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$\n]*\$|\{cite:.\}`[^`]*`|\]\([^)]*\)|<[^>]*>"  # not prose
    r"|^#.*?$|\*\*[^*]+[.?!]\*\*",  # headings, sentences in bold
    re.DOTALL | re.MULTILINE,
)


def chapters() -> dict[str, str]:
    """The prose of each chapter, in the order of the table of contents, without its frame."""
    parts = yaml.safe_load((ROOT / "_toc.yml").read_text())["parts"]
    files = [Path(entry["file"]) for part in parts for entry in part["chapters"]]
    texts = {}
    for file in files:
        if file.parent.name == "notebooks":
            cells = json.loads((ROOT / f"{file}.ipynb").read_text())["cells"]
            prose = ["".join(c["source"]) for c in cells if c["cell_type"] == "markdown"]
            prose = [text for text in prose[1:] if not text.startswith('<details class="frame"')]
            texts[file.name] = "\n\n".join(prose)
    return texts


def glossary() -> list[str]:
    text = (ROOT / "book" / "glossary.md").read_text().partition("```{glossary}\n")[2]
    return re.findall(r"^([^\s`].*)$", text, re.MULTILINE)


def pattern(term: str) -> re.Pattern:
    """The term or one of its forms, alone or in the plural; a name in capitals is a name."""
    forms = [term, *FORMS.get(term, [])]
    words = "|".join(re.escape(form).replace(r"\ ", r"\s+") for form in forms)
    return re.compile(rf"(?<![\w-])(?:{words})s?(?![\w-])", 0 if term.isupper() else re.IGNORECASE)


def prose_only(text: str, names: list[str]) -> str:
    """The text with everything blanked out that is not read, every place kept."""

    def blank(match):
        return " " * len(match[0])

    for name in names:
        text = re.sub(re.escape(name).replace(r"\ ", r"\s+"), blank, text, flags=re.IGNORECASE)
    return NOT_READ.sub(blank, text)


def early_uses(texts: dict[str, str], terms: list[str]) -> dict[tuple[str, str], str]:
    """(chapter, term) -> the words around the first use that comes before the definition."""
    found = {}
    for term in terms:
        longer = [t for t in terms if t != term and pattern(term).search(t)]  # log fold change
        read = {name: prose_only(text, NAMES + longer) for name, text in texts.items()}
        used = {name: pattern(term).search(text) for name, text in read.items()}
        defining = re.compile(rf"\*\*{pattern(term).pattern}:?\*\*", pattern(term).flags)
        defined = {name: defining.search(prose_only(text, [])) for name, text in texts.items()}
        if not any(defined.values()):
            continue  # explained in the glossary alone
        for name, text in read.items():
            first = used[name]
            if first and not (defined[name] and defined[name].start() <= first.start()):
                place = slice(max(first.start() - 40, 0), first.end() + 40)
                found[name, term] = " ".join(text[place].split())
            if defined[name]:
                break
    return found


def test_every_word_is_defined_before_it_is_used():
    found = early_uses(chapters(), [term for term in glossary() if term not in EVERYDAY])
    assert {place: words for place, words in found.items() if place not in KNOWN} == {}


def test_the_lists_of_exceptions_name_words_of_the_glossary():
    terms = set(glossary())
    assert set(FORMS) - terms == set()
    assert {term for _, term in KNOWN} - terms == set()


def test_every_word_that_chapter_02_defines_stands_in_the_glossary():
    text = chapters()["02_honest_evaluation"].partition("## The checklist")[0]
    patterns = [pattern(term) for term in glossary()]
    bold = re.findall(r"\*\*([^*]+)\*\*", prose_only(text, []))
    assert len(bold) > 20
    assert [word for word in bold if not any(p.fullmatch(word) for p in patterns)] == []


TERMS = ["Fold", "Log fold change", "Split", "ZINC"]


@pytest.mark.parametrize(
    ("texts", "early"),
    [
        (["A **split** has folds; each **fold** is a role."], [("0", "Fold")]),
        (["Splits matter.", "A **split** divides."], [("0", "Split")]),
        (["A **split** divides.", "Splits matter. A **split** is a rule."], []),
        (["## Five splits\n\nA **split** divides."], []),
        (["**Which split?**\nA **split** divides."], []),
        (["The log fold change is small.\nA **fold** is a role."], []),
        (["A box of zinc.\n**ZINC** is a database."], []),
        (["`split` and $split$\nA **split** divides."], []),
        (["Splits and folds."], []),
    ],
)
def test_the_test_of_reading_bites(texts, early):
    found = early_uses({str(n): text for n, text in enumerate(texts)}, TERMS)
    assert list(found) == early
