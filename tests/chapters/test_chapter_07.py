"""Chapter 07's counts and arithmetic, computed again from the raw lists and by plain loops."""

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from cdp_lib import audit

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "book" / "results" / "07_leap" / "pocket" / "results.json"
LISTS = {
    "task 1 gene perturbations": "list_of_perturbations_task_1.csv",
    "task 2 drugs": "list_of_perturbations_task_2.csv",
    "task 3 gene perturbations": "list_of_perturbations_task_3.csv",
    "task 4 drugs": "list_of_perturbations_task_4.csv",
    "task 5 drugs (patient-derived xenografts)": "list_of_perturbations_task_5.csv",
    "most variable genes": "list_of_most_variant_genes.csv",
    "task 3 tissues": "list_of_tissues_task_3.csv",
    "task 4 tissues": "list_of_tissues_task_4.csv",
}


@pytest.fixture(scope="module")
def recorded():
    results = json.loads(RESULTS.read_text(encoding="utf-8"))["results"]
    return {result["key"]: result for result in results}


@pytest.mark.parametrize("claim", LISTS)
def test_the_lists_are_as_long_as_the_record_says(claim, recorded, mirror):
    lines = (mirror / "leap-lists" / LISTS[claim]).read_text(encoding="utf-8").splitlines()
    names = {line.strip() for line in lines if line.strip()}
    assert recorded[f"its own lists/{claim}"]["value"] == len(names)


@pytest.mark.parametrize("r", [0.0, 0.3, 0.9])
def test_the_error_of_a_mean_of_five(r):
    """s^2 (r + (1 - r) / 5), against the sum over all pairs of errors."""
    s2 = 2.5
    products = 5 * s2 + 2 * sum(r * s2 for _ in combinations(range(5), 2))
    assert products / 25 == pytest.approx(s2 * (r + (1 - r) / 5))


def test_the_two_p_of_overlapping_draws_differ_by_the_overlap(recorded):
    """Both are t-tests of the same gains: their t differ by sqrt(1 + n * 0.25)."""
    plain, corrected = (recorded[f"overlap/p, {which}"] for which in ("plain", "corrected"))
    n = plain["n"]
    t = [stats.t.isf(record["value"] / 2, n - 1) for record in (plain, corrected)]
    assert t[0] / t[1] == pytest.approx(np.sqrt(1 + n * 0.25), rel=1e-6)
    gains = np.array([0.1, 0.2, 0.0, 0.3])
    ratio = [stats.t.isf(audit.corrected_p(gains, share) / 2, 3) for share in (0, 0.25)]
    assert ratio[0] / ratio[1] == pytest.approx(np.sqrt(2))


def test_repeats_without_ten_lines_are_narrower_than_the_lines_allow(recorded):
    hundred, again = recorded["overlap/100 repeats"], recorded["overlap/lines drawn again"]
    assert hundred["value"] == again["value"] and hundred["n"] == again["n"]
    assert 4 * hundred["sd"] < again["high"] - again["low"]
