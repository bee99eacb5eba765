"""chapter.py: parameters, banner, records, figures, checks."""

import re
from html import unescape
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from cdp_lib import chapter, machine
from cdp_lib.claims.recorded import data_of
from cdp_lib.data import studies
from cdp_lib.data.cohort import Step
from cdp_lib.data.files import at_hand, download
from cdp_lib.data.studies.draw import QUICK
from cdp_lib.errors import DataUnavailable, InputError
from cdp_lib.figures import vector


@pytest.fixture
def c() -> chapter.Chapter:
    return chapter.Chapter("00_specimen", "quick", "teaching", 0, "cpu")


@pytest.fixture
def shown(monkeypatch) -> list[tuple[dict, dict | None]]:
    """What a notebook would display: (bundle, metadata)."""
    bundles = []
    monkeypatch.setattr(
        chapter,
        "_show",
        lambda bundle, metadata=None, words=None: bundles.append((bundle, metadata)),
    )
    return bundles


def drawing(points: int = 5):
    fig, ax = plt.subplots(figsize=(2, 2))
    ax.plot(np.arange(points), np.random.default_rng(0).random(points), ".")
    return fig


@pytest.mark.parametrize(
    ("given", "facts"),
    [
        ({"profile": "fast"}, "'fast'.* 'quick', 'teach', 'full'"),
        ({"data": "real"}, "'real'.* 'teaching', 'pocket', 'official'"),
        ({"profile": None}, "profile is None"),
        ({"seed": "0"}, "seed is '0'.* 4294967295"),
        ({"seed": -1}, "seed is -1.* 4294967295"),
        ({"seed": True}, "seed is True.* 4294967295"),
        ({"seed": 1.0}, "seed is 1.0.* 4294967295"),
    ],
)
def test_a_wrong_parameter_is_one_sentence_with_what_is_allowed(given, facts):
    with pytest.raises(InputError, match=facts) as refused:
        chapter.begin("00_specimen", **given)
    assert str(refused.value).endswith(".") and "\n" not in str(refused.value)


def test_begin_prints_the_banner_and_seeds_nothing(capsys):
    np.random.seed(3)
    before = np.random.get_state()[1].copy()
    begun = chapter.begin("00_specimen", profile="teach", data="teaching", seed=np.int64(7))
    printed = capsys.readouterr().out
    for word in ("00_specimen", "simulated data", "Profile teach", "seed 7", "torch", "cdp_lib"):
        assert word in printed
    assert "simulated data" in printed.splitlines()[0]
    assert (begun.profile, begun.data, begun.seed) == ("teach", "teaching", 7)
    assert (np.random.get_state()[1] == before).all()


def nothing(files):
    raise DataUnavailable("12 files are <not> here")


def test_without_data_and_network_a_chapter_is_simulated_and_says_so(monkeypatch, capsys):
    monkeypatch.setattr(at_hand, "fetch", nothing)
    begun = chapter.begin("00_specimen", data="pocket")
    printed = capsys.readouterr().out
    assert begun.data == "teaching" and "pocket" not in printed
    assert printed.startswith("SIMULATED DATA") and "12 files are <not> here" in printed
    assert "00_specimen runs on simulated data" in printed


def test_in_a_notebook_it_is_said_in_a_box(monkeypatch):
    told = []
    monkeypatch.setattr(chapter, "_show", lambda bundle, words: told.append(bundle))
    monkeypatch.setattr(at_hand, "fetch", nothing)
    chapter.begin("00_specimen")
    (box,) = told
    assert 'role="alert"' in box["text/html"] and "SIMULATED DATA" in box["text/html"]
    assert "12 files are &lt;not&gt; here" in box["text/html"]
    assert "border" in box["text/html"]


def test_what_was_fetched_is_told_folded_and_runs_on_it(monkeypatch, capsys):
    monkeypatch.setattr(at_hand, "fetch", lambda files: "Licence: CC BY\n")
    assert chapter.begin("00_specimen").data == "pocket"
    assert "Licence: CC BY" in capsys.readouterr().out


def test_only_the_pocket_edition_is_looked_for(monkeypatch):
    monkeypatch.setattr(at_hand, "fetch", nothing)
    for data in ("teaching", "official"):
        assert chapter.begin("00_specimen", data=data).data == data


def test_a_chapter_needs_what_its_recorded_run_read():
    keys = {file.key for file in data_of("00_quickstart", "pocket")}
    assert "gdsc-pocket/IC50_v17.csv.gz" in keys or len(keys) > 5
    assert len(data_of("80_own", "pocket")) == 1


@pytest.mark.parametrize("data", ["pocket", "official"])
def test_real_data_are_not_called_simulated(data):
    banner = chapter.Chapter("00_specimen", "full", data, 0, "cpu").banner()
    assert "real measurements" in banner and "simulated" not in banner


def test_pick_needs_all_three_profiles(c):
    assert c.pick(quick=1, teach=2, full=3) == 1
    with pytest.raises(TypeError):
        c.pick(quick=1, full=3)


def test_load_shows_edition_and_shapes_and_hands_over_checksums(c, monkeypatch, capsys, shown):
    class Cohort:
        steps = (Step("lines with <expression>", (240, 600), (630, 18239)),)

        def __repr__(self):
            return "Cohort 'drug-response'\n  response: ln IC50, 240 lines x 60 perturbations"

    asked = {}

    def load(study, data, **options):
        asked.update(study=study, data=data, **options)
        return Cohort()

    monkeypatch.setitem(
        __import__("sys").modules, "cdp_lib.data.studies", type("module", (), {"load": load})
    )
    monkeypatch.setattr(download, "_given", {"hint/a.txt": "sha256:12"})
    assert isinstance(c.load("drug-response", omics=["expression"]), Cohort)
    (bundle, _), (told, _) = shown
    assert bundle == {chapter.RECORD: {"data": {"hint/a.txt": "sha256:12"}}, "text/html": ""}
    assert asked == {
        "study": "drug-response",
        "data": "teaching",
        "omics": ["expression"],
        "at_most": QUICK["drug-response"],
        "draw": 0,
    }
    for words in told.values():
        assert "simulated data" in words and "<li>response: ln IC50" in told["text/html"]
        assert "240 x 600" in words and "630 x 18,239" in words
    assert "lines with &lt;expression&gt;" in told["text/html"] and "<details>" in told["text/html"]
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("profile", "given", "at_most"),
    [
        ("quick", {}, {"lines": 240, "features": 600, "perturbations": 60}),
        ("quick", {"perturbations": None}, {"lines": 240, "features": 600, "perturbations": None}),
        ("teach", {"perturbations": None}, None),
        ("full", {}, None),
    ],
)
def test_only_quick_draws_a_part_of_the_data(profile, given, at_most, monkeypatch):
    asked = {}

    def load(study, data, **options):
        asked.update(options)
        return SimpleNamespace(steps=())

    monkeypatch.setattr(studies, "load", load)
    chapter.Chapter("00_specimen", profile, "pocket", 7, "cpu").load("drug-response", at_most=given)
    assert asked == ({} if at_most is None else {"at_most": at_most, "draw": 7})


def test_the_banner_says_that_quick_draws_a_part_of_real_data():
    said = {
        (profile, data): "a part of each table"
        in chapter.Chapter("00_specimen", profile, data, 0, "cpu").banner()
        for profile in chapter.PROFILES
        for data in ("teaching", "pocket")
    }
    assert [key for key, drawn in said.items() if drawn] == [("quick", "pocket")]


@pytest.mark.parametrize(
    ("profile", "data", "gib", "facts"),
    [
        ("teach", "official", 7.6, ["10 GiB", "7.6", 'profile="quick"']),
        ("quick", "official", 2.5, ["3 GiB", "2.5", 'data="pocket"']),
        ("quick", "official", 3.5, []),
        ("teach", "official", None, []),
        ("teach", "pocket", 4.0, []),
        ("full", "teaching", 1.0, ["2 GiB", "1.0"]),
    ],
)
def test_too_little_memory_is_told_with_both_numbers(profile, data, gib, facts):
    said = chapter.Chapter("00_specimen", profile, data, 0, "cpu").too_little(gib)
    assert bool(said) == bool(facts) and all(fact in said for fact in facts)


def test_a_container_may_have_less_memory_than_its_machine(tmp_path):
    limit = tmp_path / "memory.max"
    assert machine.memory(limit) > 0.5
    limit.write_text("max\n")
    assert machine.memory(limit) == machine.memory(tmp_path / "none")
    limit.write_text(str(2**29))
    assert machine.memory(limit) == 0.5


def test_begin_tells_of_too_little_memory_before_any_work(monkeypatch, capsys):
    monkeypatch.setattr(chapter, "memory", lambda: 1.0)
    chapter.begin("00_specimen", data="official")
    assert "needs up to 3 GiB" in capsys.readouterr().out


def test_a_record_is_plain_json_and_invisible(c, shown):
    c.record("ridge", np.float32(0.5), sd=np.float64("nan"), n=np.int64(3), claim="x-C001")
    ((bundle, _),) = shown
    assert bundle["text/html"] == "" and "text/plain" not in bundle
    result = bundle[chapter.RECORD]
    assert result["value"] == 0.5 and type(result["value"]) is float
    assert result["sd"] is None and result["n"] == 3 and type(result["n"]) is int
    assert (result["edition"], result["baseline"], result["claim"]) == ("teaching", False, "x-C001")


def test_files_that_a_chapter_read_by_itself_reach_its_record(c, shown, monkeypatch):
    monkeypatch.setattr(download, "given", lambda: {"gdsc-pocket/a.csv": "sha256:1"})
    c.record("ridge", 0.5)
    assert shown[0][0][chapter.RECORD]["data"] == {"gdsc-pocket/a.csv": "sha256:1"}


@pytest.mark.parametrize("value", [(np.int64(3), 4), "BRAF", True, 7, None])
def test_a_record_may_be_a_shape_a_text_a_statement_or_missing(c, shown, value):
    c.record("it", value, reason="too long for this profile" if value is None else None)
    stored = shown[0][0][chapter.RECORD]["value"]
    assert stored == ([3, 4] if isinstance(value, tuple) else value)


def test_a_number_that_is_none_is_kept_as_such_and_not_as_a_gap(c, shown):
    c.record("ridge", float("nan"))
    result = shown[0][0][chapter.RECORD]
    assert (result["value"], result["comparable"]) == (None, False)
    assert result["reason"] == "our run gave no number"


@pytest.mark.parametrize(
    ("key", "options", "word"),
    [
        ("", {}, "key"),
        ("ridge", {"comparable": False}, "no reason"),
        ("ridge", {"protocol": "mine"}, "'as_published', 'repaired'"),
    ],
)
def test_a_record_that_nobody_could_read_is_refused(c, shown, key, options, word):
    with pytest.raises(InputError, match=word):
        c.record(key, 0.5, **options)
    with pytest.raises(InputError, match="no reason"):
        c.record("ridge", None)
    assert shown == []


def test_a_figure_has_alternative_text_a_caption_and_names_simulated_data(c, shown):
    fig = drawing()
    c.figure(fig, "scores", 'Ridge is "best" & more.', alt="Five points.")
    bundle, metadata = shown[0]
    page = bundle["text/html"]
    assert '<p id="cdp-scores-alt" hidden>Five points.</p>' in page
    assert 'role="img" aria-labelledby="cdp-scores-alt"' in page
    assert "&amp;" in page
    assert '<figcaption>Simulated data: Ridge is "best" & more.' in unescape(page)
    assert metadata["cdp"]["name"] == "scores" and metadata["cdp"]["alt"] == "Five points."
    assert not plt.fignum_exists(fig.number)  # shown once, not again at the end of the cell


def test_a_figure_of_real_data_is_not_called_simulated(c, shown):
    c.figure(drawing(), "recorded", "It holds.", data="pocket")
    chapter.Chapter("00_specimen", "quick", "pocket", 0, "cpu").figure(drawing(), "own", "So.")
    assert all("Simulated" not in bundle["text/html"] for bundle, _ in shown)


def picture(bundle: dict) -> str:
    return re.search(r"<svg\b.*?</svg>", bundle["text/html"], re.DOTALL)[0]


def test_what_answers_to_the_reader_is_a_part_of_the_page_alone(c, shown):
    class Map:
        alt_text = "A map."

        def page(self, name, caption):
            return f"<figure id={name}>{caption}</figure>"

    c.figure(Map(), "lines", "It holds.", data="pocket")
    bundle, metadata = shown[0]
    assert bundle["text/html"] == "<figure id=lines>It holds.</figure>" and metadata is None


def test_the_same_figure_gives_the_same_bytes(c, shown):
    for _ in range(2):
        c.figure(drawing(), "scores", "Ridge wins.")
    first, second = (picture(bundle) for bundle, _ in shown)
    assert first == second and "<path" in first


def test_a_figure_of_many_points_stays_small_and_keeps_its_text_sharp(c, shown):
    c.figure(drawing(20_000), "many", "Many points.")
    svg = picture(shown[0][0])
    assert len(svg) < vector.LARGEST_SVG
    assert "data:image/png" in svg and "<text" in svg


@pytest.mark.parametrize(("name", "caption"), [("My figure", "Fine."), ("fine", " ")])
def test_a_figure_without_a_file_name_or_finding_is_refused(c, shown, name, caption):
    with pytest.raises(InputError):
        c.figure(drawing(), name, caption)
    assert shown == []


RULE = (lambda answer: answer == 4, "Add the two numbers.")


@pytest.mark.parametrize("answer", [None, ...])
def test_an_untouched_stub_is_not_wrong_but_not_attempted(c, capsys, answer):
    c.check("00-1", answer, RULE)
    assert capsys.readouterr().out.startswith("Exercise 00-1: not attempted")


def test_a_check_says_right_or_gives_the_first_hint(c, capsys):
    rules = ((lambda answer: answer > 0, "It is positive."), RULE)
    for answer, words in ((4, "correct."), (5, "not yet. Add the two"), (-1, "not yet. It is")):
        c.check("00-1", answer, *rules)
        assert capsys.readouterr().out.startswith(f"Exercise 00-1: {words}")


@pytest.mark.parametrize("answer", ["four", pd.Series([1, 2]), {}])
def test_an_answer_of_the_wrong_kind_is_a_hint_and_no_traceback(c, capsys, answer):
    c.check("00-1", answer, (lambda answer: answer > 0, "It is a number."))
    printed = capsys.readouterr().out
    assert "not yet. It is a number." in printed and type(answer).__name__ in printed


def test_a_solution_must_pass_its_own_check(c, capsys):
    c.check("00-1", 4, RULE, must_pass=True)
    for answer in (5, None):
        with pytest.raises(InputError, match="00-1: the solution"):
            c.check("00-1", answer, RULE, must_pass=True)


def test_outside_of_a_notebook_nothing_is_displayed(c, capsys):
    c.record("ridge", 0.5)
    assert capsys.readouterr().out == ""


def scored(data="pocket", profile="teach"):
    """A chapter, and the summary of two models."""
    rows = [("tissue mean", "baseline", 0.06, 0.02), ("ridge", "model", 0.13, 0.03)]
    frame = pd.DataFrame(rows, columns=["model", "kind", "mean", "sd"])
    frame = frame.assign(
        cohort="gdsc", split="leave lines out", axis="perturbation", metric="r2", folds=5,
        sd_over="folds of lines", reference="tissue mean", gain=[0.0, 0.07], p=[np.nan, 0.01],
    )  # fmt: skip
    return chapter.Chapter("04_specimen", profile, data, 0, "cpu"), frame


def records(shown):
    return [bundle[chapter.RECORD] for bundle, _ in shown if chapter.RECORD in bundle]


@pytest.fixture
def pages(monkeypatch, shown):
    """As `shown`, for what comes with words of its own."""
    monkeypatch.setattr(
        chapter,
        "_show",
        lambda bundle, metadata=None, words=None: shown.append((bundle, metadata)),
    )
    return shown


def test_scores_show_a_table_and_record_every_row(pages):
    c, frame = scored()
    c.scores("headline", frame, "Ridge wins.", protocol="repaired", hide=["tissue mean"])
    page = pages[-1][0]["text/html"]
    assert "Ridge wins." in page and "0.130 ± 0.030" in page and "naive" not in page
    assert [(row["key"], row["baseline"], row["protocol"]) for row in records(pages)] == [
        ("headline/tissue mean", True, None),
        ("headline/ridge", False, "repaired"),
    ]


@pytest.mark.parametrize(
    ("data", "profile", "options", "comparable"),
    [
        ("pocket", "teach", {}, False),
        ("official", "teach", {}, False),
        ("official", "full", {}, True),
        ("official", "full", {"reason": "another release"}, False),
        ("official", "teach", {"comparable": True}, True),
        ("teaching", "full", {}, False),
    ],
)
def test_only_the_papers_own_data_in_full_can_be_compared(
    data, profile, options, comparable, pages
):
    c, frame = scored(data, profile)
    c.scores("headline", frame, "Scores.", claims={"ridge": "wang2022-C020"}, **options)
    row = records(pages)[1]
    assert row["claim"] == "wang2022-C020" and row["comparable"] is comparable
    page = pages[-1][0]["text/html"]
    assert "0.90 ± 0.01" in page and ("Not comparable" in page) is not comparable


def test_simulated_scores_within_a_real_run_are_shown_and_not_recorded(pages):
    c, frame = scored()
    c.scores("truth", frame, "Attention finds the cause.", data="teaching")
    assert "Simulated data: " in pages[-1][0]["text/html"] and records(pages) == []


def test_a_table_of_simulated_numbers_says_so_once(pages):
    c, frame = scored("teaching")
    c.table(frame[["model", "mean"]], "Means.")
    c.table(frame[["model", "mean"]], "Means of simulated lines.")
    first, second = (bundle["text/html"] for bundle, _ in pages)
    assert "Simulated data: Means." in first and "Simulated data" not in second


def test_what_is_said_is_markdown(pages):
    scored()[0].say("Ridge has **0.13**.")
    assert pages[0][0]["text/markdown"] == "Ridge has **0.13**."


def decided(low):
    names = ["attention minus plain mean"]
    return pd.DataFrame(
        {"comparison": names, "gain": low + 0.02, "low": low, "high": low + 0.04,
         "unit": "drugs", "n": 22}
    )  # fmt: skip


def test_a_conclusion_is_decided_by_its_rule_and_recorded(pages):
    scored()[0].conclude("wang2022-K4", decided(-0.01), leaky=decided(0.1), because="So.")
    (row,) = records(pages)
    assert (row["conclusion"], row["value"]) == ("wang2022-K4", "holds only with the leak")
    assert [each["leaky"] for each in row["evidence"]] == [False, True] and row["reason"] == "So."
    assert "holds only with the leak" in pages[0][0]["text/html"]


@pytest.mark.parametrize(("data", "profile"), [("teaching", "full"), ("pocket", "quick")])
def test_simulated_data_and_a_quick_run_decide_nothing(data, profile, pages):
    scored(data, profile)[0].conclude("wang2022-K4", decided(0.1))
    assert records(pages) == [] and "not decided here" in pages[0][0]["text/html"]


def test_a_script_prints_what_a_page_would_show(capsys):
    scored()[0].say("Ridge has 0.13.")
    assert capsys.readouterr().out == "Ridge has 0.13.\n"
