"""The signature figure: drawn from the ledger and from records of real data alone."""

import re
import xml.etree.ElementTree as ET

import pytest

from cdp_book import recording, signature

HEAD = """
paper = "{paper}"
citation = "{name}"
title = "T"
doi = "10/{paper}"
chapter = "03_a"
[headline]
claim = "{paper}-C001"
detail = "R² per drug"
published = "{paper}-p"
repaired = "{paper}-r"
baseline = "{paper}-b"
[[group]]
location = "Table 1"
claims = [ {{ id = "{paper}-C001", description = "d", metric = "r2", value = {value}, sd = 0.01 }} ]
"""


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """Two papers and no records."""
    (tmp_path / "claims").mkdir()
    for paper, name, value in (("a2020", "A <and> B 2020", "0.90"), ("b2021", "B 2021", "0.30")):
        text = HEAD.format(paper=paper, name=name, value=value)
        (tmp_path / f"claims/{paper}.toml").write_text(text)
    monkeypatch.setattr(signature.claims, "root", lambda: tmp_path)
    monkeypatch.setattr("cdp_lib.claims.ledger.root", lambda: tmp_path)
    return tmp_path


def record(shelf, edition="pocket", chapter="03_a", **values):
    given = [
        {"key": key.replace("_", "-"), "value": value, "sd": 0.02, "edition": edition}
        for key, value in values.items()
    ]
    recording.write_record(shelf / "results" / chapter / edition, given, [], {})


def words(svg):
    return " ".join(
        "".join(text.itertext()) for text in ET.fromstring(svg).iter() if "text" in text.tag
    )


def x_of(svg, name):
    circle = re.search(rf'<circle cx="([\d.]+)"[^>]*class="{name}"', svg)
    points = re.search(rf'<polygon points="([^"]+)" class="{name}"', svg)
    if circle:
        return float(circle[1])
    xs = [float(point.split(",")[0]) for point in points[1].split()]
    return (min(xs) + max(xs)) / 2


def test_only_real_records_count_and_official_ones_first(shelf):
    record(shelf, "teaching", a2020_r=0.77)
    empty = signature.drawing()
    assert "0.77" not in empty and "No paper has been run" in words(empty)
    assert "Not run yet: A <and> B 2020 (0.90); B 2021 (0.30)." in words(empty)
    record(shelf, a2020_r=0.42)
    assert "0.420 ± 0.020 leak-free" in words(signature.drawing())
    record(shelf, "official", a2020_r=0.33)
    assert "0.330" in signature.drawing() and "0.420" not in signature.drawing()


def test_a_row_leads_from_the_reported_to_the_leak_free_score(shelf):
    record(shelf, a2020_p=0.8, a2020_r=0.11, a2020_b=0.06)
    for narrow in (False, True):
        svg = signature.drawing(narrow)
        assert x_of(svg, "repaired") < x_of(svg, "head") < x_of(svg, "reported")
        assert x_of(svg, "repaired") < x_of(svg, "published") < x_of(svg, "reported")
        assert svg.count('class="floor"') == 1
        said = words(svg)
        for part in ("0.90 reported", "0.800 our reading", "0.110 ± 0.020 leak-free"):
            assert part in said
        assert "Not run yet: B 2021 (0.30)." in said


def test_the_title_is_the_finding_of_the_longest_arrow(shelf):
    record(shelf, b2021_r=0.2, a2020_r=0.11)
    svg = signature.drawing()
    said = "0.11 when no stage has seen what is tested"
    assert ET.fromstring(svg)[0].text == f"0.90 is reported, and {said}"
    record(shelf, b2021_r=0.2, a2020_p=0.84, a2020_r=0.11)
    assert signature.finding(signature.rows()) == f"On the same data, 0.84 becomes {said}"
    assert svg.index("A &lt;and&gt; B 2020</text>") < svg.index("B 2021</text>")


def test_who_cannot_see_it_is_told_every_number_and_the_page_names_the_data(shelf):
    given = {"key": "table/x", "value": 0.11, "claim": "a2020-C001", "protocol": "repaired"}
    given |= {"edition": "pocket", "comparable": False, "reason": "274 lines, not 522"}
    recording.write_record(shelf / "results/04_b/pocket", [given], [], {})
    record(shelf, a2020_p=0.8, a2020_r=0.11, a2020_b=0.06)
    assert signature.said(signature.rows()).startswith(
        "A <and> B 2020, R² per drug: reported 0.90 ± 0.01, our reading 0.800, "
        "leak-free 0.110 ± 0.020, naive floor 0.060."
    )
    page = signature.figure()
    assert "pocket edition, not comparable with the reported number: 274 lines, not 522." in page
    assert "as published" not in page and page.count("<svg") == 2
    assert len(set(re.findall(r' id="([^"]+)"', page))) == 4


def test_where_the_target_is_another_one_the_arrow_begins_at_our_reading(shelf):
    ledger = shelf / "claims/a2020.toml"
    ledger.write_text(ledger.read_text().replace("published =", 'target = "a loss"\npublished ='))
    record(shelf, a2020_p=0.5, a2020_r=0.11, b2021_r=0.2)
    shown = {row["paper"].id: row["start"] for row in signature.rows()}
    assert shown["a2020"] == "reported"  # nothing says yet that ours is not comparable
    given = {"key": "table/x", "value": 0.11, "claim": "a2020-C001", "protocol": "repaired"}
    given |= {"edition": "pocket", "comparable": False, "reason": "another target"}
    recording.write_record(shelf / "results/04_b/pocket", [given], [], {})
    rows = signature.rows()
    assert [(row["paper"].id, row["start"]) for row in rows] == [
        ("b2021", "reported"),
        ("a2020", "published"),
    ]
    arrows = re.findall(r'<line x1="([\d.]+)"[^>]*class="arrow"', signature.drawing())
    assert [float(x) < 620 for x in arrows] == [True, True]  # neither begins at the 0.90 of a2020
    assert "Ours is a loss, so the arrow begins at our reading." in signature.caption(rows)


def test_a_paper_without_a_score_has_a_row_and_no_diamond(shelf):
    ledger = shelf / "claims/b2021.toml"
    ledger.write_text(
        ledger.read_text().replace('metric = "r2", value = 0.30', 'metric = "statement"')
    )
    record(shelf, b2021_p=0.4, b2021_r=0.2)
    svg = signature.drawing()
    assert 'class="reported"' not in svg and "0.400 our reading" in words(svg)
    assert "B 2021 report no score" in signature.caption(signature.rows())
    assert "Not run yet: A <and> B 2020 (0.90)." in words(svg)


def test_a_score_below_zero_stays_in_the_drawing(shelf):
    record(shelf, a2020_r=-0.4, a2020_b=0.06)
    svg = signature.drawing()
    assert 220 <= x_of(svg, "repaired") < x_of(svg, "reported") <= 772


def test_the_same_input_gives_the_same_file(shelf, tmp_path):
    record(shelf, a2020_r=0.11)
    files = [signature.signature(tmp_path / f"{n}.svg").read_bytes() for n in (1, 2)]
    assert files[0] == files[1] and b"prefers-color-scheme" in files[0]
