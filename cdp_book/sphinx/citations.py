"""References by author and year, "et al." wherever some authors are not named.

A BibTeX entry ends a shortened list of authors with "and others"; pybtex would print that.
"""

from collections import Counter
from dataclasses import dataclass, field

import pybtex.plugin
from pybtex.richtext import Text
from pybtex.style.formatting.plain import Style as PlainStyle
from pybtex.style.labels import BaseLabelStyle
from pybtex.style.sorting import BaseSortingStyle
from pybtex.style.template import join, node, sentence
from sphinxcontrib.bibtex import plugin as bibtex
from sphinxcontrib.bibtex.style.referencing import PersonStyle
from sphinxcontrib.bibtex.style.referencing.author_year import AuthorYearReferenceStyle

NAMED = 2  # authors in a citation; more are "et al."
OTHERS = "others"


def persons(entry) -> list:
    """The authors, or where there are none the editors."""
    return entry.persons.get("author") or entry.persons.get("editor") or []


def shortened(names: list[Text]) -> Text:
    """Of a citation: one or two authors, or the first and "et al."."""
    if len(names) > NAMED or str(names[-1]) == OTHERS:
        return Text(names[0], " et al.")
    return Text(" and ").join(names)


@node
def cited(children, data):
    """Dong et al.; Itzhacky and Sharan."""
    return shortened([Text.from_latex(last(person)) for person in persons(data["entry"])])


@node
def listed(children, data):
    """All names of an entry of the list, with "et al." for those that it does not name."""
    style = data["style"]
    names = [
        style.format_name(person, style.abbreviate_names).format_data(data)
        for person in persons(data["entry"])
    ]
    if str(names[-1]) == OTHERS:
        return Text(Text(", ").join(names[:-1]), " et al.")
    if len(names) < 3:
        return Text(" and ").join(names)
    return Text(Text(", ").join(names[:-1]), ", and ", names[-1])


class Labels(BaseLabelStyle):
    """The label of an entry reads as its citation does: Dong et al. 2020."""

    def format_labels(self, sorted_entries):
        labels = [label(entry) for entry in sorted_entries]
        times = Counter(labels)
        for entry, name in zip(sorted_entries, labels):
            yield name if times[name] == 1 else f"{name} ({entry.key})"


class ByLabel(BaseSortingStyle):
    """The list in the order in which its labels are read, companies among the people."""

    def sorting_key(self, entry):
        return label(entry).lower(), entry.fields.get("title", "")


def label(entry) -> str:
    names = shortened([Text.from_latex(last(person)) for person in persons(entry)])
    return f"{names} {entry.fields['year']}"


def last(person) -> str:
    return " ".join([*person.prelast_names, *person.last_names])


class Entries(PlainStyle):
    default_label_style = Labels
    default_sorting_style = ByLabel

    def format_names(self, role, as_sentence=True):
        return sentence[listed()] if as_sentence else join[listed()]


@dataclass
class Person(PersonStyle):
    def names(self, role: str, full: bool):
        return cited()

    def author_or_editor_or_title(self, full: bool):
        return cited()


@dataclass
class AuthorYear(AuthorYearReferenceStyle):
    person: PersonStyle = field(default_factory=Person)


def register() -> None:
    """Make both styles known under the name that _config.yml asks for."""
    pybtex.plugin.register_plugin("pybtex.style.formatting", "cdp", Entries)
    bibtex.register_plugin("sphinxcontrib.bibtex.style.referencing", "cdp", AuthorYear)
