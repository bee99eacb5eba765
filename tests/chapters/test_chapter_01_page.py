"""Chapter 01's page: words defined before their use, simulations, and checks that judge well."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cdp_lib.chapter import Chapter
from cdp_lib.data import screens


@pytest.fixture(scope="module")
def cells(repository):
    page = json.loads((repository / "notebooks" / "01_screens_and_omics.ipynb").read_text())
    return page["cells"]


def source(cells, words):
    """The one code cell with these words."""
    found = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    (code,) = [code for code in found if words in code]
    return code


TERMS = [
    "gene", "protein", "cell line", "perturbation", "response", "omics", "variance",
    "standard deviation", "correlation", "median", "model", "training", "testing", "split", "score",
    "cohort", "donor", "SMILES", "NSC", "editions", "CRISPR", "guide", "log fold change",
    "gene effect", "dependency probability", "CERES", "Chronos", "copy number", "viability", "IC50",
    "AUC", "AAC", "barcode", "growth fraction", "synergy", "Bliss", "ComboScore", "BestComboScore",
    "RPPA", "microRNA", "proteome", "noise ceiling", "PCA", "t-SNE", "InChIKey", "DepMap", "GDSC",
    "CTD2", "COSMIC", "CCLE", "NCI-60", "ALMANAC", "PRISM", "Cell Model Passports",
]  # fmt: skip
LISTED = ("RPPA", "microRNA", "proteome", "copy number", "CRISPR")  # in the table of projects


@pytest.mark.parametrize("term", TERMS)
def test_a_word_is_defined_where_it_first_stands(cells, term):
    """Behind the frame, not counting headings and formulas, a term's first mention is bold."""
    prose = ["".join(c["source"]) for c in cells if c["cell_type"] == "markdown"][1:]
    prose = [re.sub(r"^#.*$|^\$\$.*$|`[^`]*`", "", p, flags=re.MULTILINE) for p in prose]
    text = "\n".join(prose)
    if term in LISTED:  # explained with its measurement
        text = re.sub(
            r"^\|.*(ACH-|RPPA, metabolites|GDSC1|microRNA, proteome).*$",
            "",
            text,
            flags=re.MULTILINE,
        )
    plain = re.compile(rf"(?<![\w-]){re.escape(term)}s?(?![\w-])", re.IGNORECASE)
    first = plain.search(text)
    assert first, f"{term} is never mentioned"
    before = text[: first.start()]
    assert before.count("**") % 2 == 1, f"{term}: ...{text[first.start() - 60 : first.end() + 20]}"


@pytest.fixture(scope="module")
def simulated(cells):
    """What the cells of the simulated screens leave behind, run in quick."""
    names = {"c": Chapter("01_screens_and_omics", "quick", "teaching", 0, "cpu")}
    exec(source(cells, "import numpy as np\n").split("c = chapter.begin")[0], names)
    for words in ("cuts = rng.beta", "def gene_effect", "def viability", "def repeat("):
        exec(source(cells, words), names)
    names["median_r"] = {"GDSC, two ids": 0.3, "more": 0.6}
    return names


def test_probability_is_a_share_of_two_heights(simulated):
    effect, kind = simulated["effect"], simulated["kind"]
    heights = [
        stats.norm.pdf(effect, effect[:, kind == k].mean(), effect[:, kind == k].std())
        for k in ("always", "never")
    ]
    np.testing.assert_allclose(simulated["probability"], heights[0] / sum(heights), atol=1e-9)


def test_beyond_the_doses_the_limits_of_the_fit_decide(simulated):
    highest, beyond = simulated["highest"], simulated["beyond"]
    wide, narrow = simulated["fitted_ic50"], simulated["narrow_ic50"]
    assert narrow.max() <= 6 - highest + 1e-9 and 12 - highest - 0.1 < wide.max() <= 12 - highest
    np.testing.assert_allclose(wide[beyond < -1], narrow[beyond < -1], atol=0.01)
    spread = {
        name: np.ptp(np.quantile(x[beyond == 2], (0.05, 0.95)))
        for name, x in {"wide": wide, "narrow": narrow}.items()
    }
    assert spread["wide"] > 2 * spread["narrow"]


def test_the_hand_worked_scores_hold_where_growth_exceeds_one(cells):
    """The cell against the library, with the page's numbers and with others."""
    code = source(cells, "alone_a = np.array")
    compare_scores(code)
    code = re.sub(r"alone_a = .*", "alone_a = np.array([1.4, 1.3, 1.2])", code)
    code = re.sub(r"alone_b = .*", "alone_b = np.array([1.1, 0.9])", code)
    compare_scores(code)


def compare_scores(code):
    names = {"np": np}
    exec(code, names)
    given = names["both"], names["alone_a"], names["alone_b"]
    assert names["combo"] == pytest.approx(screens.combo_score(*given))
    assert names["best_combo"] == pytest.approx(screens.best_combo_score(*given))


def classes(names, order=("selective", "always")):
    """Counts of the exercise's classes with numpy, by the rules in this order."""
    p = names["probability"]
    where = {"selective": p.std(axis=0) > 0.1, "always": p.mean(axis=0) > 0.5}
    labels = np.select([where[kind] for kind in order], order, "never")
    return pd.Series(labels).value_counts()


def moved(names, one, other):
    counts = classes(names).to_dict()
    return counts | {one: counts[one] - 1, other: counts[other] + 1}


def left(names, tidy_screen, tidy_ccle):
    screen, ccle = names["screen_names"].str.upper(), names["ccle_names"].str.upper()
    return list(names["screen_names"][~tidy_screen(screen).isin(tidy_ccle(ccle))])


def taken_out(pattern):
    return lambda text: text.str.replace(pattern, "", regex=True)


FROM_PAGE = {  # answers that need what the page computed
    "counts, a dict": lambda n: classes(n).to_dict(),
    "counts, a Series": classes,
    "counts, floats": lambda n: classes(n).astype(float).to_dict(),
    "counts, mean first": lambda n: classes(n, ("always", "selective")),
    "counts, one selective less": lambda n: moved(n, "selective", "never"),
    "counts, one always less": lambda n: moved(n, "always", "never"),
    "hyphens only": lambda n: left(n, taken_out("-"), taken_out("-")),
    "one side only": lambda n: left(n, taken_out("[^A-Z0-9]"), taken_out("(?!)")),
    "no underscore": lambda n: left(n, taken_out(r"\W"), taken_out(r"\W")),
}
STUBS = {
    "01-1": "one_lfc = ...", "01-2": "class_counts = ...", "01-3": "aac = ...",
    "01-4": "two_scores = ...", "01-5": "without_partner = ...", "01-6": "ceiling = ...",
    "01-7": "enough = ...",
}  # fmt: skip
RIGHT = {
    "01-1": [-3, -3.0, np.float64(-3.004)],
    "01-2": ["counts, a dict", "counts, a Series", "counts, floats"],
    "01-3": [0.325, 0.33, np.float32(0.325)],
    "01-4": [(-5, -20), [-5.0, -20.0], np.array([-5, -20]), pd.Series({"C": -5.0, "B": -20.0}),
             {"ComboScore": -5, "BestComboScore": -20}],
    "01-5": [["786-0", "EoL-1-cell", "NCI-SNU-5"], {"NCI-SNU-5", "786-0", "EoL-1-cell"},
             pd.Series(["EoL-1-cell", "786-0", "NCI-SNU-5"], [10, 9, 11]),
             pd.Index(["786-0", "EoL-1-cell", "NCI-SNU-5"])],
    "01-6": [lambda r, k: np.sqrt(k * r / (1 + (k - 1) * r))],
    "01-7": [22, 22.0, np.int64(22), [22]],
}  # fmt: skip
WRONG = {  # an answer, and words of the hint that it deserves
    "01-1": [(3, "negative"), (np.log2(150 / 480), "all reads"), (-1.68, "all reads"),
             (np.log(0.125), "Take log2"), ("a lot", "Your answer is a str")],
    "01-2": [("counts, mean first", "sd first"), ({"never": 60, "always": 40}, "each of never"),
             ({"never": 60, "always": 20, "selective": 19}, "exactly one class"),
             ("counts, one selective less", "sd over lines > 0.1"),
             ("counts, one always less", "their mean > 0.5")],
    "01-3": [(0.675, "This is the AUC"), (2.6 * np.log(2), "Divide by the width"),
             (3.05 / 9, "counts them half"), (0.4, "trapezoid")],
    "01-4": [((5, -20), "turn its sign"), ((-5, 20), "turn its sign"), ((-0.05, -0.2), "times 100"),
             ((10, -20), "counts as 1"), ((-5, -25), "lowest growth together"),
             ((-5,), "two numbers")],
    "01-5": [([], "A name is missing"), ("786-0", "Give a list"),
             (["EoL-1-cell", "NCI-SNU-5"], "0 is not O"), ("hyphens only", "Too many are left"),
             ("one side only", "Too many are left"), ("no underscore", "underscore is punctuation"),
             ([9, 10, 11], "as the drug screen writes"),
             (["786-0", "786-0", "EoL-1-cell", "NCI-SNU-5"], "once")],
    "01-6": [(lambda r, k: r, "sqrt(r)"), (lambda r, k: np.sqrt(r), "raise the ceiling"),
             (lambda r, k: np.sqrt(r / (r + (1 - r) / k**2)), "var(e) / k")],
    "01-7": [(21.6, "round up"), (21, "stays below"), (23, "Fewer"), (45, "square root")],
}  # fmt: skip


def pairs(answers):
    return [(number, place) for number, given in answers.items() for place in range(len(given))]


def judged(cells, names, number, answer, capsys):
    """What the check of an exercise prints about an answer."""
    stub, check = (
        source([cell for cell in cells if tag in cell["metadata"].get("tags", [])], words)
        for tag, words in (
            ("exercise", STUBS[number]),
            ("check", f"exercises.check_{number[-1]}("),
        )
    )
    exec(stub, names)
    if isinstance(answer, str) and answer in FROM_PAGE:
        answer = FROM_PAGE[answer](names)
    names[STUBS[number].split(" = ")[0]] = answer
    capsys.readouterr()
    exec(check, names)
    return capsys.readouterr().out


@pytest.mark.parametrize(("number", "place"), pairs(RIGHT))
def test_a_right_answer_passes_in_any_form(cells, simulated, capsys, number, place):
    said = judged(cells, simulated, number, RIGHT[number][place], capsys)
    assert said == f"Exercise {number}: correct.\n"


@pytest.mark.parametrize(("number", "place"), pairs(WRONG))
def test_a_wrong_answer_gets_its_hint(cells, simulated, capsys, number, place):
    answer, hint = WRONG[number][place]
    said = judged(cells, simulated, number, answer, capsys)
    assert "not yet" in said and hint in said
