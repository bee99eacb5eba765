"""Chapter 05, held against raw files, plain loops and the numbers that others published."""

import csv
import gzip
import json
import tomllib
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import integrate, stats

ROOT = Path(__file__).resolve().parents[2]
LEDGER = ROOT / "book" / "claims" / "dong2020.toml"
RESULTS = ROOT / "book" / "results" / "05_variational_autoencoders" / "pocket" / "results.json"
NOTEBOOK = ROOT / "notebooks" / "05_variational_autoencoders.ipynb"


@pytest.fixture(scope="module")
def ledger():
    return tomllib.loads(LEDGER.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def records():
    return json.loads(RESULTS.read_text(encoding="utf-8"))["results"]


@pytest.fixture(scope="module")
def recorded(records):
    return {record["key"]: record for record in records}


@pytest.fixture(scope="module")
def vae_loss():
    """The function that the page shows, taken from its cell."""
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    source = next("".join(cell["source"]) for cell in cells if cell["id"] == "idea")
    known = {"torch": torch}
    exec("from torch.nn.functional import binary_cross_entropy\n" + source, known)
    return known["vae_loss"]


def test_every_claim_and_every_conclusion_has_a_record(ledger, records):
    claims = {claim["id"] for group in ledger["group"] for claim in group["claims"]}
    assert len(claims) == 36 and claims <= {record.get("claim") for record in records}
    decided = {record.get("conclusion"): record for record in records}
    for rule in ledger["conclusion"]:
        evidence = decided[rule["id"]]["evidence"]
        assert [row["comparison"] for row in evidence] == rule["comparisons"]


def test_the_price_of_a_code_is_the_divergence_of_two_normals(vae_loss):
    mean, log_variance, genes = torch.tensor([[0.7, -1.2]]), torch.tensor([[-1.0, 0.4]]), 5
    x = torch.full((1, genes), 0.3)
    given = torch.cat([mean, log_variance], dim=1)
    blind = vae_loss(x, lambda x: given, lambda z: torch.zeros(1, genes), 0.0)
    assert float(blind) == pytest.approx(genes * np.log(2), rel=1e-6)
    paid = vae_loss(x, lambda x: given, lambda z: torch.zeros(1, genes), 2.0)
    z = np.linspace(-15, 15, 200_001)
    by_hand, p = 0.0, stats.norm(0, 1)
    for m, v in zip(mean[0].tolist(), log_variance[0].exp().tolist(), strict=True):
        q = stats.norm(m, v**0.5)
        by_hand += integrate.trapezoid(q.pdf(z) * (q.logpdf(z) - p.logpdf(z)), z)
    assert float(paid - blind) == pytest.approx(2 * by_hand, rel=1e-5)


def breast_names(mirror):
    """Breast lines in the paper's own expression file, without the site."""
    path = mirror / "ccle-expression-pocket" / "CCLE_gene_expression_train(v1).zip"
    with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as stream:
        header = stream.readline().decode().split()
        genes = sum(1 for _ in stream)
    return {name.removesuffix("_BREAST") for name in header if name.endswith("_BREAST")}, genes


def details(mirror):
    table = pd.read_csv(mirror / "gdsc-pocket" / "Cell_Lines_Details.csv", dtype=str)
    table.columns = [" ".join(column.split()) for column in table.columns]
    return table


def test_the_hyphen_leaves_this_many_rows(recorded, mirror):
    partners, genes = breast_names(mirror)
    assert len(partners) == 51 == recorded["its own files/breast lines"]["value"]
    assert genes == recorded["its own files/CCLE genes"]["value"] == 57_820
    lines = details(mirror)
    names = dict(zip(lines["COSMIC identifier"].astype(float), lines["Sample Name"], strict=True))
    listed = pd.read_csv(next((mirror / "gdsc-pocket").glob("1.Drug_list*.csv")), dtype=str)
    structures = (mirror / "gdsc-pocket" / "223drugs_pubchem_smiles.txt").read_text()
    known = {row.split()[0] for row in structures.splitlines() if row}
    drawn = {d for d, cid in zip(listed["drug_id"], listed["PubCHEM"], strict=True) if cid in known}
    rows = {}
    with gzip.open(mirror / "gdsc-pocket" / "IC50_v17.csv.gz", "rt") as stream:
        for row in csv.DictReader(stream):
            line = float(row.pop("COSMIC_ID"))
            measured = [d for d, value in row.items() if value not in ("", "NA", "nan")]
            drugs = [d.removeprefix("Drug_").removesuffix("_IC50") for d in measured]
            if names.get(line) in partners:
                rows[names[line]] = sum(d in drawn for d in drugs)
    assert not any("-" in name for name in rows)
    said = recorded["join/by name, as the code does, rows"]["value"]
    assert said == sum(rows.values()) and abs(said - 3358) < 0.15 * 3358
    assert recorded["join/by id, rows"]["value"] > 2 * said


def test_the_molecules_of_the_paper_are_not_ten_thousand(recorded, mirror):
    text = (mirror / "zinc-pocket" / "substances.csv").read_text(encoding="utf-8").splitlines()
    own = recorded["its own files/ZINC SMILES for JTVAE"]
    assert own["value"] == len(set(text[1:])) == 11_903 and own["protocol"] == "arithmetic"


def test_mg132_was_measured_like_this(records, mirror):
    lines = details(mirror)
    cosmic = lines.loc[lines["Sample Name"] == "HCC1187", "COSMIC identifier"].iloc[0]
    listed = pd.read_csv(next((mirror / "gdsc-pocket").glob("1.Drug_list*.csv")), dtype=str)
    table = pd.read_csv(mirror / "gdsc-pocket" / "IC50_v17.csv.gz").set_index("COSMIC_ID")
    for claim, drug in (("dong2020-C031", "MG-132"), ("dong2020-C033", "Z-LLNle-CHO")):
        number = listed.loc[listed["Name"] == drug, "drug_id"].iloc[0]
        measured = table.loc[int(float(cosmic)), f"Drug_{number}_IC50"]
        said = next(record for record in records if record.get("claim") == claim)
        assert said["value"] == pytest.approx(measured, abs=1e-4)


def test_our_measures_give_the_published_ones_on_the_authors_molecules(recorded):
    published = {
        "valid": 1.0,
        "unique of 1,000": 1.0,
        "unique of 10,000": 0.9992,
        "internal diversity": 0.8512,
        "internal diversity, p = 2": 0.8453,
    }
    for measure, value in published.items():
        assert recorded[f"authors' samples/{measure}"]["value"] == pytest.approx(value, abs=2e-3)


def test_the_differences_of_table_1_are_those_of_its_rows(ledger):
    value = {claim["id"]: claim["value"] for group in ledger["group"] for claim in group["claims"]}
    for check in ledger["arithmetic"]:
        (plus,), (minus,) = check["plus"], check["minus"]
        assert value[plus] - value[minus] == pytest.approx(value[check["claim"]], abs=5e-4)
