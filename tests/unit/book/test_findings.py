"""The findings of the front page: each from its records, and never firmer than they are."""

import re
from pathlib import Path

import pytest

from cdp_book import findings
from cdp_lib import claims
from cdp_lib.claims import conclusions
from cdp_lib.claims.recorded import Record, records

BOOK = Path(__file__).resolve().parents[3] / "book"


@pytest.fixture
def found():
    return {(r.chapter, r.key): r for r in records(BOOK) if r.edition == "pocket"}


def test_they_are_five_and_each_leads_to_its_chapter(found):
    told = findings.sentences(found)
    assert len(told) == 5
    for sentence in told:
        (chapter,) = re.findall(r"\(\.\./(notebooks/.*?)\)\)$", sentence)
        assert (BOOK.parent / chapter).exists() and sentence.startswith("**")
        assert len(sentence.split()) < 70


def test_every_number_is_that_of_a_record_or_a_claim(found):
    known = [found["04_multi_omics_attention", key] for key in (
        "rivals/ridge, expression", "wang2022-headline-repaired",
    )]  # fmt: skip
    text = findings.page()
    for record in known:
        assert f"{record.value:.2f} ± {record.sd:.2f}" in text
    first = found["04_multi_omics_attention", "naive top_1/drug mean"]
    assert f"{first.value:.0f} % of new cell lines" in text
    assert f"{claims.claim('wang2022-C107').reported} and" in text


def record(key, value, chapter="04_multi_omics_attention", **fields):
    return Record(key, value, "pocket", chapter, **fields)


def test_a_sentence_that_its_records_no_longer_carry_is_left_out(found):
    place = "04_multi_omics_attention"
    better = record("rivals/ridge, expression", 0.05, sd=0.01)
    told = findings.sentences(found | {(place, better.key): better})
    assert len(told) == 4 and not any("linear model" in sentence for sentence in told)
    less = {key: value for key, value in found.items() if key[0] != "00_quickstart"}
    assert len(findings.sentences(less)) == 4


def genes(**values):
    """Records of a table of new genes."""
    about = {"metric": "pearson", "axis": "line", "chapter": "03_gene_dependency"}
    rows = [
        record(f"new genes/{name}", value, baseline=name.startswith("one"), **about)
        for name, value in values.items()
    ]
    return {row.key: row for row in rows}


def test_one_number_a_gene_is_compared_with_the_best_model():
    told = findings.one_number(genes(one=0.38, one_cubic=0.379, ridge=0.397, network=0.35))
    assert "goes nearly all the way" in told and "r = 0.38" in told and "best model 0.40" in told
    assert "goes all the way" in findings.one_number(genes(one=0.38, ridge=0.36))
    assert findings.one_number(genes(one=0.38, ridge=0.6)) == ""
    assert findings.one_number(genes(ridge=0.6)) == ""
    leaky = {"new genes, as published/x": genes(ridge=0.9)["new genes/ridge"]}
    assert "0.90" not in findings.one_number(genes(one=0.38, ridge=0.36) | leaky)


def test_the_score_in_the_first_lines_is_the_papers():
    assert f"score of {claims.claim('wang2022-C020').reported} holds only" in findings.stakes()


def test_the_state_counts_as_the_scoreboard_does():
    counts = claims.summary().sum()
    told = findings.state()
    assert f"{counts.sum()} numbers, of which {counts.sum() - counts['not run']} have" in told
    assert f"{claims.summary(arithmetic=True).to_numpy().sum()} checked by arithmetic" in told
    statuses = conclusions.decided()["status"].value_counts()
    assert f"{statuses.sum()} conclusions" in told
    decided = statuses.sum() - statuses.get("not run", 0)
    assert (f"{decided} have been tested" in told) == bool(decided)


@pytest.mark.parametrize(
    ("status", "count", "words"),
    [
        ("holds", 1, "holds"), ("holds", 2, "hold"), ("does not hold", 3, "do not hold"),
        ("undecided", 1, "is undecided"), ("undecided", 4, "are undecided"),
        ("holds only with the leak", 2, "hold only with the leak"),
    ],
)  # fmt: skip
def test_statuses_are_said_in_a_sentence(status, count, words):
    assert findings._verb(status, count) == words


def test_nothing_is_said_more_firmly_than_it_is_known():
    text = findings.page() + findings.arithmetic()
    assert "cannot have been" not in text and "if each" in text
    assert "laboratory" not in text and "as published" not in text
