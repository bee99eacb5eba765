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


def test_they_are_six_and_each_leads_to_its_chapter(found):
    told = findings.sentences(found)
    assert len(told) == 6
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
    noise = found["06_drug_pairs", "drug inputs/drug: noise"].value
    ridge = found["07_leap", "new lines/ridge, all genes"]
    assert f"explains {100 * noise:.0f} % of the variance" in text
    assert f"reaches {ridge.value:.2f} ± {ridge.sd:.2f}" in text


def record(key, value, chapter="04_multi_omics_attention", **fields):
    return Record(key, value, "pocket", chapter, **fields)


def test_a_sentence_that_its_records_no_longer_carry_is_left_out(found):
    place = "04_multi_omics_attention"
    better = record("rivals/ridge, expression", 0.05, sd=0.01)
    told = findings.sentences(found | {(place, better.key): better})
    assert len(told) == 5 and not any("linear model" in sentence for sentence in told)
    less = {key: value for key, value in found.items() if key[0] != "00_quickstart"}
    assert len(findings.sentences(less)) == 5


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


def tags(descriptors, noise, nothing, new):
    given = {"descriptors": descriptors, "noise": noise, "no drug": nothing}
    rows = {f"drug inputs/drug: {kind}": value for kind, value in given.items()}
    return {key: record(key, value) for key, value in rows.items()} | {
        "splits/a new drug, network": record("splits/a new drug, network", new)
    }


def test_a_name_tag_is_told_only_where_noise_does_as_well_as_chemistry():
    told = findings.name_tag(tags(0.35, 0.40, 0.02, -0.1))
    assert "explains 40 %" in told and "chemistry 35 %" in told and "brings 0 %" in told
    assert findings.name_tag(tags(0.45, 0.40, 0.02, 0.1)) == ""
    assert findings.name_tag(tags(0.35, 0.40, 0.30, 0.1)) == ""


def test_any_five_summaries_are_told_only_where_random_ones_gain_as_much():
    values = {"autoencoders, lasso, 1": 0.197, "autoencoders, lasso, 5": 0.21}
    values |= {"random directions, lasso, 1": 0.157, "random directions, lasso, 5": 0.196}
    rows = {f"how many/{name}": record(f"how many/{name}", value) for name, value in values.items()}
    for name, value in zip(findings.LEAP_AND_RIDGE, (0.210, 0.212), strict=True):
        rows[f"new lines/{name}"] = record(f"new lines/{name}", value, sd=0.016)
    told = findings.layers(rows)
    assert "add 0.013 to" in told and "five random projections 0.039" in told
    worse = {"new lines/five summaries, lasso": record("new lines/x", 0.25, sd=0.01)}
    assert findings.layers(rows | worse) == ""
    less = {"how many/random directions, lasso, 5": record("how many/x", 0.16)}
    assert findings.layers(rows | less) == ""


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
    target = claims.papers()["xia2018"].headline["target"]
    assert f"Xia et al. 2018 were tested on another response: {target}." in told


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
