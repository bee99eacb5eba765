"""Chapter 06, held against the ledger: its record, and what the paper's own numbers say."""

import json
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LEDGER = ROOT / "book" / "claims" / "xia2018.toml"
RESULTS = ROOT / "book" / "results" / "06_drug_pairs" / "pocket" / "results.json"


@pytest.fixture(scope="module")
def ledger():
    return tomllib.loads(LEDGER.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def records():
    return json.loads(RESULTS.read_text(encoding="utf-8"))["results"]


@pytest.fixture(scope="module")
def recorded(records):
    return {record["key"]: record for record in records}


def table_1(ledger):
    """(description) -> {metric: value}, read without the library."""
    rows = {}
    for group in ledger["group"]:
        if group["location"] == "Table 1":
            for claim in group["claims"]:
                rows.setdefault(claim["description"], {})[claim["metric"]] = claim["value"]
    return rows


def test_every_claim_and_every_conclusion_has_a_record(ledger, records):
    claims = {claim["id"] for group in ledger["group"] for claim in group["claims"]}
    assert claims == {record.get("claim") for record in records} & claims
    assert len(claims) == 69
    keys = " ".join(record["key"] for record in records)
    for rule in ledger["conclusion"]:
        assert rule["id"] in keys


def test_table_1_has_two_variances(ledger, recorded):
    variance = {name: row["mse"] / (1 - row["r2"]) for name, row in table_1(ledger).items()}
    low = [value for value in variance.values() if value < 0.27]
    high = [value for value in variance.values() if value > 0.27]
    assert len(low) == 4 and len(high) == 5
    assert max(low) - min(low) < 0.002 and min(high) - max(low) > 0.015
    by_hand = recorded["arithmetic/expression, noise, mse"]
    reported = table_1(ledger)["expression, noise drug (500 numbers)"]
    assert by_hand["value"] == pytest.approx((1 - reported["r2"]) * 0.5253 / 2.0010, rel=1e-3)
    assert by_hand["value"] != pytest.approx(reported["mse"], rel=0.05)


def test_a_network_without_drugs_is_the_mean_of_each_line(recorded):
    blind = recorded["drug inputs/drug: no drug"]["value"]
    assert blind == pytest.approx(recorded["drug inputs/line mean"]["value"], abs=0.01)


def test_other_lines_tell_less_when_they_are_from_another_experiment(recorded):
    same = recorded["measured twice/other lines, same experiment, pearson"]["value"]
    other = recorded["measured twice/other lines, another experiment, pearson"]["value"]
    assert same - other > 0.1


def test_the_case_is_the_one_that_is_told(recorded):
    assert round(recorded["case/HCT-116"]["value"]) == 506
    assert round(recorded["case/HCT-15"]["value"]) == -145
