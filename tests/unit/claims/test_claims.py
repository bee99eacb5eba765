"""The ledger, the records and the verdicts."""

import errno
import json
import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp_book import claims_text, recording
from cdp_lib import claims
from cdp_lib.claims import ledger
from cdp_lib.claims import recorded as records
from cdp_lib.claims.arithmetic import checked
from cdp_lib.errors import InputError

BOOK = Path(__file__).resolve().parents[3] / "book"
ORDER = ("reproduced", "within tolerance", "not reproduced")

HEAD = """
paper = "a2020"
citation = "A 2020"
title = "A"
arxiv = "2001.00001"
[headline]
claim = "a2020-C001"
"""
GROUP = """
[[group]]
location = "Table 1"
split = "leave lines out"
axis = "perturbation"
claims = [
    { id = "a2020-C001", description = "network", metric = "r2", value = 0.90, sd = 0.01 },
    { id = "a2020-C002", description = "ridge", metric = "mse", value = 2.0 },
    { id = "a2020-C003", description = "table", metric = "shape", value = [810, 175] },
]
"""


@pytest.fixture
def book(tmp_path):
    (tmp_path / "claims").mkdir()
    (tmp_path / "claims/a2020.toml").write_text(HEAD + GROUP)
    return tmp_path


def result(key="r2", value=0.9, edition="pocket", **fields):
    return {"key": key, "value": value, "edition": edition, **fields}


def record(**fields):
    given = {"key": "k", "value": 0.9, "edition": "official", "chapter": "03_a"}
    return records.Record(**(given | fields))


def number(metric="r2", value=0.90, **fields):
    given = {"id": "x", "paper": "a", "location": "T", "description": "d", "rounding": 0.005}
    return ledger.Claim(metric=metric, value=value, **(given | fields))


# The five files


def test_the_ledger_holds_every_claim_once():
    found = claims.claims(folder=BOOK)
    counts = {paper: len(claims.claims(paper, BOOK)) for paper in claims.papers(BOOK)}
    assert counts == {
        "bodinier2025": 17, "dong2020": 36, "itzhacky2021": 39, "wang2022": 149, "xia2018": 69,
    }  # fmt: skip
    assert len({claim.id for claim in found}) == 310


def test_each_claim_agrees_with_itself():
    for claim in claims.claims(folder=BOOK):
        assert re.fullmatch(rf"{claim.paper}-C\d{{3}}", claim.id)
        assert claim.reported, claim.id
        own = True if claim.metric == "statement" else claim.value
        mine = record(value=list(own) if isinstance(own, tuple) else own)
        assert claims.verdict(claim, mine) == "reproduced", claim.id


def test_headlines_name_a_claim_and_three_records():
    known = {claim.id for claim in claims.claims(folder=BOOK)}
    for paper in claims.papers(BOOK).values():
        assert paper.headline["claim"] in known
        needed = {"claim", "detail", "published", "repaired", "baseline"}
        assert needed <= set(paper.headline) <= needed | {"target"}


def test_notes_are_neutral():
    words = re.compile(r"inconsistent|wrong|fraud|bug|!|suspicious|impossible", re.IGNORECASE)
    assert not [c.id for c in claims.claims(folder=BOOK) if words.search(c.note or "")]


def test_printed_decimals_are_kept():
    claim = claims.claim("wang2022-C020", BOOK)
    assert (claim.reported, claim.rounding, claim.value) == ("0.90", 0.005, 0.9)
    assert claims.claim("wang2022-C142", BOOK).reported == "810 x 175"
    assert claims.claim("dong2020-C021", BOOK).reported == "13,605"
    assert claims.claim("itzhacky2021-C021", BOOK).reported == "about 90 M"


# Verdicts


@pytest.mark.parametrize(
    ("ours", "expected"),
    [
        (0.905, "reproduced"),
        (0.895, "reproduced"),
        (0.95, "within tolerance"),
        (0.851, "within tolerance"),
        (0.951, "not reproduced"),
        (-np.inf, "not comparable"),
        (np.nan, "not comparable"),
        ("0.9", "not comparable"),
        (True, "not comparable"),
        ([1, 2], "not comparable"),
    ],
)
def test_verdict_on_a_score(ours, expected):
    assert claims.verdict(number(), record(value=ours)) == expected


def test_the_reported_sd_widens_reproduced():
    assert claims.verdict(number(), record(value=0.88)) == "within tolerance"
    assert claims.verdict(number(sd=0.02), record(value=0.88)) == "reproduced"


def test_within_tolerance_looks_at_both_spreads():
    """0.0515 apart is far for 0.05, and near for two spreads of 0.05."""
    claim, apart = number(value=-0.02, sd=0.05), -0.02 + 0.0515
    assert claims.verdict(claim, record(value=apart)) == "not reproduced"
    assert claims.judge(claim, record(value=apart, sd=0.047)) == (
        "within tolerance",
        "within 0.0686",
    )
    assert claims.verdict(number(value=-0.02), record(value=apart, sd=0.047)) == "not reproduced"
    assert claims.verdict(number(value=-0.02), record(value=apart, sd=0.06)) == "within tolerance"


@pytest.mark.parametrize("value", [0.90, 0.5])
@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"edition": "pocket"}, "the pocket edition"),
        ({"edition": "pocket", "protocol": "as_published"}, "the pocket edition"),
        ({"edition": "pocket", "reason": "274 lines, not 522"}, "274 lines, not 522"),
        ({"edition": "own"}, "one's own"),
        ({"protocol": "repaired"}, "leak-free"),
    ],
)
def test_only_the_papers_own_data_and_protocol_get_a_verdict(value, fields, reason):
    found, why = claims.judge(number(), record(value=value, **fields))
    assert found == "not comparable" and reason in why


def test_no_recorded_run_on_other_data_says_reproduced():
    table = claims.table(folder=BOOK)
    other = table[table["edition"].eq("pocket") & table["protocol"].ne("arithmetic")]
    assert set(other["verdict"]) <= {"not comparable", "not run"} and len(other)


def test_an_explicit_tolerance_replaces_the_default():
    assert claims.verdict(number(tolerance=0.2), record(value=0.75)) == "within tolerance"


def test_errors_have_a_relative_tolerance():
    claim = number("mse", 2.0)
    assert claims.verdict(claim, record(value=2.2)) == "within tolerance"
    assert claims.verdict(claim, record(value=2.21)) == "not reproduced"


def test_counts_and_shapes_are_exact():
    shape = number("shape", (810, 175), rounding=0.0)
    assert claims.verdict(shape, record(value=[810, 175])) == "reproduced"
    assert claims.verdict(shape, record(value=[812, 175])) == "within tolerance"
    assert claims.verdict(shape, record(value=[810, 178])) == "not reproduced"
    assert claims.verdict(shape, record(value=[810])) == "not comparable"
    count = number("count", 4902, rounding=0.0)
    assert claims.verdict(count, record(value=4903)) == "within tolerance"


def test_a_large_gap_is_written_out():
    count = number("count", 15401, rounding=0.0)
    assert claims.judge(count, record(value=3263)) == ("not reproduced", "12,138 apart")
    assert claims.judge(count, record(value=15301)) == ("within tolerance", "within 154")
    assert claims.judge(number(), record(value=0.5)) == ("not reproduced", "0.4 apart")


def test_text_and_statements():
    text = number("text", "a + b / c + d", rounding=0.0)
    assert claims.verdict(text, record(value="A +  b / c + d")) == "reproduced"
    assert claims.verdict(text, record(value="b + a / c + d")) == "not reproduced"
    statement = number("statement", None, rounding=0.0)
    assert claims.verdict(statement, record(value=True)) == "reproduced"
    assert claims.verdict(statement, record(value=False)) == "not reproduced"
    assert claims.verdict(statement, record(value=1.0)) == "not comparable"


def test_what_cannot_be_compared():
    assert claims.judge(number(), None) == ("not run", "no record yet")
    assert claims.verdict(number(), record(edition="teaching")) == "not comparable"
    apart = record(comparable=False, reason="another release")
    assert claims.judge(number(), apart) == ("not comparable", "another release")
    assert claims.judge(number(), record(value=None, reason="needs 80 GB")) == (
        "not run",
        "needs 80 GB",
    )
    assert claims.verdict(number(), record(metric="pearson")) == "not comparable"
    assert claims.verdict(number(axis="line"), record(axis="global")) == "not comparable"
    assert claims.verdict(number(axis="line"), record(axis="line")) == "reproduced"


claimed = st.builds(
    number,
    metric=st.sampled_from(["r2", "mse", "pearson", "growth", "top_1"]),
    value=st.floats(-100, 100),
    rounding=st.sampled_from([0.5, 0.05, 0.005]),
    sd=st.none() | st.floats(0, 5),
    tolerance=st.none() | st.floats(0, 5),
)


@given(claimed, st.floats(0, 50), st.floats(0, 50), st.booleans(), st.booleans())
def test_a_verdict_never_improves_with_distance(claim, one, two, up, down):
    near, far = sorted((one, two))
    ranks = [
        ORDER.index(claims.verdict(claim, record(value=claim.value + (gap if sign else -gap))))
        for gap, sign in ((near, up), (far + 1e-6, down))
    ]
    assert ranks[0] <= ranks[1]


def test_settled_prefers_official_and_as_published_and_ignores_teaching():
    claim = number()
    pocket = record(value=0.9, edition="pocket")
    official = record(value=0.5)
    repaired = record(value=0.1, protocol="repaired")
    assert claims.settled(claim, [])[0] == "not run"
    assert claims.settled(claim, [record(edition="teaching")])[0] == "not run"
    assert claims.settled(claim, [pocket])[0] == "not comparable"
    assert claims.settled(claim, [pocket, official])[0] == "not reproduced"
    good = replace(official, value=0.9, protocol="as_published")
    assert claims.settled(claim, [pocket, repaired, good])[0] == "reproduced"
    assert claims.settled(claim, [good, replace(good, value=0.1)])[0] == "not reproduced"


# Ledger files that cannot be used


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("paper = ", "not valid TOML"),
        (GROUP, "lacks citation, headline, paper, title"),
        (HEAD + GROUP.replace("C002", "C001"), "a2020-C001 twice"),
        (HEAD + GROUP.replace('"r2"', '"r squared"'), "metric 'r squared'"),
        (HEAD + GROUP.replace("value = 2.0", "valu = 2.0"), "a2020-C002 .* value, valu"),
    ],
)
def test_a_malformed_ledger_is_one_sentence(book, text, words):
    path = book / "claims/a2020.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=words) as problem:
        claims.claims(folder=book)
    assert str(path) in str(problem.value)


def test_unknown_names_are_answered(book):
    with pytest.raises(InputError, match="there are a2020"):
        claims.claims("b2021", book)
    with pytest.raises(InputError, match="did you mean a2020-C001"):
        claims.claim("a2020-C01", book)
    with pytest.raises(InputError, match="no edition 'toy'"):
        claims.table(edition="toy", folder=book)


def test_claims_are_those_of_the_library_wherever_one_stands(tmp_path, monkeypatch):
    """Another checkout above the current folder changes nothing."""
    (tmp_path / "book/claims").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "book")
    assert claims.root() == BOOK
    monkeypatch.setattr(ledger, "__file__", str(tmp_path / "site/cdp_lib/claims/ledger.py"))
    with pytest.raises(InputError, match="install cdp-lib again"):
        claims.root()
    (tmp_path / "site/cdp_lib/book/claims").mkdir(parents=True)
    assert claims.root() == tmp_path / "site/cdp_lib/book"


# Records


def write(book, *results, figures=(), edition="pocket", chapter="03_a"):
    folder = book / "results" / chapter / edition
    return recording.write_record(folder, results, figures, recording.provenance(seed=1))


def test_a_record_comes_back_as_it_was_written(book):
    figure = {"name": "scores", "svg": "<svg/>", "caption": "Scores.", "alt": "Dots."}
    given = result(value=np.float32(0.5), claim="a2020-C001", sd=np.float64(0.1), n=np.int64(4))
    write(book, given, result("shape", value=(810, 175)), figures=[figure])
    (run,) = records.runs(book)
    assert run.results[0].value == 0.5 and run.results[0].n == 4
    assert run.results[1].value == [810, 175]
    assert (run.chapter, run.edition) == ("03_a", "pocket")
    assert run.figures[0]["path"].read_text() == "<svg/>"
    assert run.provenance["seed"] == 1 and run.provenance["versions"]["numpy"] == np.__version__
    assert records.records(book) == run.results


def test_writing_again_leaves_no_old_figure(book):
    figure = {"name": "old", "svg": "<svg/>", "caption": "Old.", "alt": "Old."}
    write(book, result(), figures=[figure])
    path = write(book, result(), figures=[figure | {"name": "new"}])
    assert [file.name for file in path.parent.glob("*.svg")] == ["new.svg"]


def test_nan_is_kept_as_no_number(book):
    write(book, result(value=np.nan, claim="a2020-C001"))
    row = claims.table(folder=book).iloc[0]
    assert (row.verdict, row.reason) == ("not comparable", "our run gave no number")


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"edition": "toy"}, "no edition 'toy'"),
        ({"edition": "official"}, "stands in the folder 'pocket'"),
        ({"value": {"a": 1}}, "no number, shape"),
        ({"value": [1.5]}, "no shape"),
        ({"value": None}, "no reason"),
        ({"comparable": False}, "no reason"),
        ({"comparable": "yes"}, "comparable is not true or false"),
        ({"sd": "0.1"}, "sd '0.1' is no number"),
        ({"score": 1}, "does not know score"),
    ],
)
def test_a_malformed_record_is_refused_at_both_ends(book, bad, words):
    with pytest.raises(InputError, match=words):
        write(book, result(**bad) if "edition" not in bad else result() | bad)
    path = write(book, result())
    text = json.loads(path.read_text())
    text["results"][0] |= bad
    path.write_text(json.dumps(text))
    with pytest.raises(InputError, match=words) as problem:
        records.runs(book, strict=True)
    assert str(path) in str(problem.value) and "result 0" in str(problem.value)


def test_other_broken_records_name_their_file(book):
    with pytest.raises(InputError, match="key 'r2' is taken"):
        write(book, result(), result())
    with pytest.raises(InputError, match="'plot' has no alt"):
        write(book, result(), figures=[{"name": "plot", "svg": "<svg/>", "caption": "C."}])
    with pytest.raises(InputError, match="letters, digits"):
        write(book, result(), figures=[PLOT | {"name": "../plot"}])
    with pytest.raises(InputError, match="'plot'"):
        write(book, result(), figures=[PLOT, PLOT])
    path = write(book, result(claim="a2020-C009"))
    with pytest.raises(InputError, match="a2020-C009"):
        records.runs(book, strict=True)
    for text in ("", "{", "[" * 100_000, "[]", '{"provenance": {}, "results": [], "figures": [1]}'):
        path.write_text(text)
        with pytest.raises(InputError) as problem:
            records.runs(book, strict=True)
        assert str(path) in str(problem.value)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="cannot be read"):
        records.runs(book, strict=True)


PLOT = {"name": "plot", "svg": "<svg/>", "caption": "C.", "alt": "A."}


def test_a_bad_record_hides_only_itself(book):
    write(book, result("good"), edition="pocket")
    write(book, result("bad") | {"edition": "official"}, edition="official").write_text("{")
    with pytest.warns(UserWarning, match="official"):
        assert [record.key for record in claims.records(book)] == ["good"]
    with pytest.warns(UserWarning, match="official"):
        assert len(claims.table(folder=book))


def test_a_cut_figure_is_noticed(book):
    write(book, result(), figures=[PLOT]).with_name("plot.svg").write_text("<sv")
    with pytest.raises(InputError, match="plot.svg"):
        records.runs(book, strict=True)


def test_a_full_disk_leaves_the_record_before(book, monkeypatch):
    write(book, result("old"), figures=[PLOT])

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError):
        write(book, result("new"), figures=[PLOT | {"svg": "<svg>larger</svg>"}])
    (run,) = records.runs(book, strict=True)
    assert run.results[0].key == "old" and run.figures[0]["path"].read_text() == "<svg/>"
    assert sorted(path.name for path in (book / "results/03_a").iterdir()) == ["pocket"]


@pytest.mark.parametrize("renames", [0, 1])
def test_a_record_survives_a_writer_killed_between_its_steps(book, monkeypatch, renames):
    """Killed before the old record steps aside, or after that and before the new one is there."""
    write(book, result("old"))
    rename = Path.rename
    done = []

    def killed(path, target):
        if len(done) == renames:
            raise KeyboardInterrupt
        done.append(path)
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", killed)
    with pytest.raises(KeyboardInterrupt):
        write(book, result("new"))
    (run,) = records.runs(book, strict=True)
    assert (run.results[0].key, run.edition) == ("old", "pocket")
    monkeypatch.setattr(Path, "rename", rename)
    write(book, result("newest"))
    (run,) = records.runs(book, strict=True)
    assert run.results[0].key == "newest"
    assert sorted(path.name for path in (book / "results/03_a").iterdir()) == ["pocket"]


def test_the_best_baseline_shares_the_rows(book):
    same = {"metric": "r2", "axis": "perturbation", "split": "leave lines out"}
    write(
        book,
        result(claim="a2020-C001", **same),
        result("mean", value=0.3, baseline=True, **same),
        result("effects", value=0.7, baseline=True, **same),
        result("elsewhere", value=0.8, baseline=True, **(same | {"split": "leave pairs out"})),
        result("error", value=2.1, claim="a2020-C002", **(same | {"metric": "mse"})),
        result("error of mean", value=3.0, baseline=True, **(same | {"metric": "mse"})),
        result("error of effects", value=2.5, baseline=True, **(same | {"metric": "mse"})),
    )
    table = claims.table("a2020", folder=book).set_index("claim")
    assert table.loc["a2020-C001", "baseline"] == "0.70"
    assert table.loc["a2020-C002", "baseline"] == "2.5"
    assert table.loc["a2020-C003", "verdict"] == "not run"


def test_a_baseline_of_other_rows_is_no_baseline():
    rows = {"metric": "r2", "axis": "line", "split": "leave lines out", "n": 40}
    mine = record(key="new lines/net", protocol="repaired", **rows)

    def best(*rivals):
        given = [record(baseline=True, **(rows | rival)) for rival in rivals]
        models = [mine, record(key="rebuilt/net", **rows)]
        found = records.best_baseline(mine, [*models, *given])
        return found and found.value

    own = {"key": "new lines/mean", "value": 0.1}
    assert best(own) == 0.1
    for name, other in {
        "n": 44,
        "split": "leave pairs out",
        "axis": "global",
        "metric": "mse",
        "edition": "pocket",
        "chapter": "04_b",
        "protocol": "as_published",
    }.items():
        assert best(own | {name: other}) is None, name
    assert best(own | {"protocol": "repaired"}) == 0.1
    assert best(own, own | {"value": 0.2}) == 0.2
    elsewhere = {"key": "rebuilt/mean", "value": 0.9}  # a table with models of its own
    assert best(elsewhere) is None and best(own, elsewhere) == 0.1
    naive = {"key": "naive/mean", "value": 0.3}  # nothing but baselines: for the whole chapter
    assert best(naive, elsewhere) == 0.3 and best(own, naive) == 0.1


@pytest.mark.parametrize(
    ("id", "protocol", "words"),
    [
        ("itzhacky2021-C023", "repaired", "tissue mean"),
        ("itzhacky2021-C026", "repaired", "rebuilding dependency"),
        ("itzhacky2021-C027", "repaired", "tissue mean"),
        ("itzhacky2021-C034", "repaired", "new drugs"),
        ("wang2022-C130", "repaired", "tissue mean"),
    ],
)
def test_the_recorded_baselines_are_those_of_the_same_task(id, protocol, words):
    """Each is of the claim's own table of the chapter, or of a table of baselines alone."""
    measured = records.records(BOOK)
    mine = [r for r in measured if (r.claim, r.protocol) == (id, protocol)]
    assert mine
    for one in mine:
        found = records.best_baseline(one, measured)
        assert words in found.key and found.n == one.n
        own, table = (r.key.partition("/")[0] for r in (one, found))
        assert table == own or table.startswith("naive")


def test_table_and_summary_agree(book):
    official = {"edition": "official"}
    first = result(claim="a2020-C001"), result("b", value=9.0, claim="a2020-C002")
    write(book, *(row | official for row in first), edition="official")
    write(book, result(claim="a2020-C001", edition="teaching"), edition="teaching")
    write(book, result(value=[1, 2], claim="a2020-C003"))
    table = claims.table(folder=book)
    assert list(table.edition.dropna()) == ["official", "teaching", "official", "pocket"]
    assert list(claims.table(edition="own", folder=book).verdict) == ["not run"] * 3
    assert claims.summary(book).loc["a2020"].to_dict() == {
        "reproduced": 1, "within tolerance": 0, "not reproduced": 1,
        "not comparable": 1, "not run": 0,
    }  # fmt: skip


def test_a_claim_whose_only_record_has_no_number_is_not_run(book):
    """It has an edition, and is still counted once, as not run."""
    write(book, result(value=None, reason="needs 80 GB", claim="a2020-C001"), result("b"))
    found = claims.standing(book).set_index("claim")
    assert found.loc["a2020-C001", ["verdict", "on"]].tolist() == ["not run", None]
    assert claims.summary(book).loc["a2020", "not run"] == 3


def test_every_place_counts_the_claims_from_one_table():
    found = claims.standing(BOOK)
    counts = claims.summary(BOOK).sum()
    assert len(found) == counts.sum() == 310
    assert found["on"].notna().sum() == 310 - counts["not run"]
    for verdict in claims.VERDICTS:
        assert (found["verdict"] == verdict).sum() == counts[verdict]


SUM = result("sum", value=[810, 175], claim="a2020-C003", protocol="arithmetic")


def test_what_was_checked_by_arithmetic_is_counted_apart(book):
    write(book, result(claim="a2020-C001"), SUM)
    none = dict.fromkeys(claims.VERDICTS, 0)
    measured, checked = claims.summary(book), claims.summary(book, arithmetic=True)
    assert measured.loc["a2020"].to_dict() == none | {"not comparable": 1, "not run": 2}
    assert checked.loc["a2020"].to_dict() == none | {"reproduced": 1}
    write(book, SUM, SUM | {"key": "c", "value": [1, 1]})
    assert claims.summary(book).loc["a2020"].to_dict() == none | {"not run": 3}
    assert claims.summary(book, arithmetic=True).loc["a2020", "not reproduced"] == 1


def test_the_ledger_checks_claims_by_arithmetic():
    found = {record.claim: record for record in checked(BOOK)}
    assert found["itzhacky2021-C029"].value == 4902 - 1639
    assert round(found["wang2022-C019"].value, 2) == 2.63
    row = claims.table("itzhacky2021", folder=BOOK)
    row = row[row["protocol"].eq("arithmetic") & row["claim"].eq("itzhacky2021-C029")].iloc[0]
    assert row["verdict"] == "not reproduced" and "minus those above 0.2" in row["reason"]
    rows = claims.table(folder=BOOK)
    by_hand = set(rows.loc[rows["protocol"].eq("arithmetic"), "claim"])  # some stand in a chapter
    assert set(found) <= by_hand
    assert claims.summary(BOOK, arithmetic=True).to_numpy().sum() == len(by_hand)


def test_a_check_that_names_no_claim_is_refused(book):
    path = book / "claims/a2020.toml"
    sums = '[[arithmetic]]\nclaim = "a2020-C001"\nsays = "a sum"\nplus = ["a2020-C01"]\n'
    path.write_text(HEAD + sums + GROUP)
    with pytest.raises(InputError, match="a2020-C01"):
        checked(book)
    path.write_text(HEAD + sums.replace("plus", "sum_of") + GROUP)
    with pytest.raises(InputError, match="plus"):
        checked(book)


def test_arithmetic_needs_no_real_data():
    sum_ = record(edition="teaching", protocol="arithmetic")
    assert claims.verdict(number(), sum_) == "reproduced"
    assert claims.settled(number(), [sum_])[0] == "not run"


def test_the_text_for_a_terminal(book):
    rows = {"metric": "r2", "axis": "perturbation", "split": "leave lines out"}
    write(
        book,
        result(claim="a2020-C001", sd=0.021, protocol="as_published", **rows),
        result("mean", value=0.25, baseline=True, **rows),
        result("b", 9.0, claim="a2020-C002", comparable=False, reason="other lines " * 12 + "here"),
        SUM,
    )
    text = claims_text.text("a2020", book)
    assert text == claims_text.text(folder=book)
    for line in (
        "a2020-C001  Table 1: network",
        "    reported 0.90 ± 0.01 (r2 per perturbation)",
        "    ours 0.90 ± 0.021, pocket, our reading, best naive baseline 0.25: not comparable [1]",
        "    ours 9.0, pocket: not comparable [2]",
        "    reported 810 x 175 (shape per perturbation)",
        "    ours 810 x 175, by arithmetic, without data: reproduced (equal)",
        "[2] other lines other lines",
        "3 claims by real data: 2 not comparable, 1 not run.",
        "1 claim by arithmetic, without data: 1 reproduced.",
    ):
        assert line in text


def test_the_text_for_a_terminal_tells_all_claims_apart_in_100_columns():
    text = claims_text.text(folder=BOOK)
    assert max(map(len, text.splitlines())) <= 100
    frame = claims.table(folder=BOOK).drop_duplicates("claim")
    for row in frame.itertuples():
        assert f"{row.claim}  {row.location}: " in text
    told = re.split(r"\n(?=\w+-C\d{3}  )", text.partition("\n\n")[0])
    told = [re.sub(r"(?s)^\S+|\n    (ours|no number|not run).*", "", claim) for claim in told]
    assert len(told) == 310
    twice = {claim for claim in told if told.count(claim) > 1}
    assert not twice
    for number in set(re.findall(r"not (?:comparable|run) \[(\d+)\]", text)):
        assert f"\n[{number}] " in text
