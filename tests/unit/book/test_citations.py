"""References by author and year."""

from pathlib import Path

import pytest
from pybtex.backends.plaintext import Backend
from pybtex.database import parse_file, parse_string

from cdp_book.sphinx import citations

BIB = Path(__file__).resolve().parents[3] / "book" / "references.bib"


def entry(authors: str):
    text = f"@article{{a, author={{{authors}}}, title={{T}}, journal={{J}}, year={{2020}}}}"
    return parse_string(text, "bibtex").entries["a"]


@pytest.mark.parametrize(
    ("authors", "label", "names"),
    [
        ("Dong, H.", "Dong 2020", "H. Dong."),
        ("Dong, H. and Xie, J.", "Dong and Xie 2020", "H. Dong and J. Xie."),
        ("Dong, H. and Xie, J. and Li, T.", "Dong et al. 2020", "H. Dong, J. Xie, and T. Li."),
        ("Dong, H. and others", "Dong et al. 2020", "H. Dong et al."),
        ("Dong, H. and Xie, J. and others", "Dong et al. 2020", "H. Dong, J. Xie et al."),
        (r"van der M{\"u}ller, H.", "van der Müller 2020", "H. van der Müller."),
    ],
)
def test_some_authors_are_named_and_the_rest_are_et_al(authors, label, names):
    (shown,) = citations.Entries().format_entries([entry(authors)])
    assert shown.label == label
    assert shown.text.render(Backend()).startswith(f"{names} T.")


def test_every_entry_has_a_label_of_its_own_and_the_list_is_sorted():
    entries = list(citations.Entries().format_entries(parse_file(BIB).entries.values()))
    labels = [shown.label for shown in entries]
    assert len(set(labels)) == len(labels) and not any("(" in label for label in labels)
    assert labels == sorted(labels, key=str.lower)
