"""What chapter 01 recorded of omics, areas, fits and breast lines, counted again from raw files.

Plain csv, gzip and zip here; none of the library's readers.
"""

import csv
import gzip
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

RECORD = Path("book", "results", "01_screens_and_omics", "pocket")


@pytest.fixture(scope="module")
def run(repository):
    return json.loads((repository / RECORD / "results.json").read_text())


@pytest.fixture(scope="module")
def recorded(run):
    return {result["key"]: result for result in run["results"]}


def described(recorded, name):
    size = recorded[f"what describes a line/{name}"]["value"]
    return size, recorded[f"what describes a line/{name}, empty cells"]["value"]


def test_sizes_and_empty_cells_of_the_smaller_omics(recorded, mirror):
    ccle = mirror / "ccle-2019"
    tables = {
        "rppa": (ccle / "CCLE_RPPA_20181003.csv", 1),
        "metabolites": (ccle / "CCLE_metabolomics_20190502.csv", 2),
    }
    for name, (path, labels) in tables.items():
        rows = list(csv.reader(path.open()))
        size, empty = described(recorded, name)
        assert size == [len(rows) - 1, len(rows[0]) - labels]
        blank = sum(cell in ("", "NA") for row in rows[1:] for cell in row[labels:])
        assert empty == pytest.approx(blank / np.prod(size))


def test_lines_without_any_copy_number(recorded, mirror):
    table = pd.read_csv(mirror / "gdsc-pocket" / "copynumber_total_new_map.csv.gz", index_col=0)
    filled = table.loc[:, [str(c).startswith("SIDM") for c in table]].dropna(axis=1, how="all")
    gone = sum(str(c).startswith("SIDM") for c in table) - filled.shape[1]
    size, empty = described(recorded, "copy number")
    assert size == [filled.shape[1], filled.shape[0]]
    assert empty == pytest.approx(filled.isna().to_numpy().mean())
    said = recorded["what describes a line/copy number, on reading"]["value"]
    assert gone == 14 and said.startswith(f"{gone} empty column(s) dropped")


def test_size_of_the_mutation_matrix(recorded, mirror):
    path = next((mirror / "depmap-19q2-mutations-pocket").glob("*.zip"))
    with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as stream:
        lines = io.TextIOWrapper(stream)
        columns = len(next(lines).split(","))
        rows = sum(1 for _ in lines)
    assert described(recorded, "mutation")[0] in ([rows, columns - 1], [rows, columns])


@pytest.mark.parametrize(("name", "column"), [("PRISM", "REP"), ("CTD2", "CTD2"), ("GDSC", "GDSC")])
def test_areas_of_three_projects(recorded, mirror, name, column):
    long = pd.read_csv(next((mirror / "prism-pocket").glob("*.csv")))
    mean = long.groupby(["Drug.Name", "ccle"])[f"{column}_published_auc_mean"].mean()
    lines, n_drugs = long["ccle"].nunique(), long["Drug.Name"].nunique()

    def said(what, name=name, kind="AUC"):
        return recorded[f"areas of drug curves/{name}, {kind}: {what}"]["value"]

    assert said("size") == [lines, n_drugs]
    assert said("measured cells") == pytest.approx(len(mean) / (lines * n_drugs))
    assert said("median") == pytest.approx(mean.median(), rel=1e-6)
    assert said("above 1") == pytest.approx((mean > 1).mean(), abs=1e-4)
    assert said("largest") == pytest.approx(mean.max(), rel=1e-6)
    if name == "GDSC":
        assert said("median", kind="AAC") == pytest.approx(1 - mean.median(), rel=1e-6)


def test_selective_genes_that_nearly_all_lines_need(recorded, mirror):
    import pyreadr

    def table(name):
        path = str(mirror / "depmap-20q2-pocket" / name)
        frame = next(iter(pyreadr.read_r(path).values()))
        return frame.set_index(frame.columns[0] if "X1" not in frame else "X1")

    lines = table("20Q2_expression.Rds").index
    effects = table("20Q2_achilles.Rds")
    counts = {"more than 95 %": 0, "fewer than 5 %": 0}
    for _, values in effects[effects.index.isin(lines)].items():
        values = values.dropna()
        if values.std() > 0.2:
            share = sum(v < -0.5 for v in values) / len(values)
            counts["more than 95 %"] += share > 0.95
            counts["fewer than 5 %"] += share < 0.05
    for words, n in counts.items():
        key = f"gene classes by sd over 0.2/selective, needed by {words} of the lines"
        assert recorded[key]["value"] == n > 0


def test_two_fits_hardly_differ(recorded, mirror):
    folder = mirror / "gdsc-pocket"
    one = pd.read_csv(folder / "IC50_v17.csv.gz").set_index("COSMIC_ID")
    other = pd.read_csv(folder / "GDSC_IC50.csv", index_col=0).T
    one.columns = [c.removeprefix("Drug_").removesuffix("_IC50") for c in one]
    other.columns = other.columns.str.removeprefix("GDSC:")
    models = pd.read_csv(mirror / "cell-line-names" / "ModelList_20191106.csv", dtype=str)
    ach = dict(zip(models["COSMIC_ID"], models["BROAD_ID"], strict=True))
    one.index = [ach.get(str(i), "") for i in one.index.astype(int)]
    names, lines = one.columns.intersection(other.columns), one.index.intersection(other.index)
    assert len(names) == recorded["two fits of GDSC v17/median r of a drug"]["n"]
    one, other = one.loc[lines, names], other.loc[lines, names]
    gap = (one - other).abs().stack().dropna()
    r = [
        stats.pearsonr(*pd.concat([one[d], other[d]], axis=1).dropna().to_numpy().T).statistic
        for d in names
    ]
    said = {
        key.removeprefix("two fits of GDSC v17/"): result["value"]
        for key, result in recorded.items()
        if key.startswith("two fits")
    }
    assert said["median r of a drug"] == pytest.approx(np.median(r), abs=1e-5)
    assert said["mean difference"] == pytest.approx(gap.mean(), abs=1e-3)
    assert said["cells that differ by more than 0.1"] == pytest.approx((gap > 0.1).mean(), abs=1e-3)


def test_breast_lines_that_the_join_of_dong2020_loses(recorded, mirror):
    details = pd.read_csv(mirror / "gdsc-pocket" / "Cell_Lines_Details.csv", dtype=str)
    details.columns = [" ".join(column.split()) for column in details.columns]
    breast = details[details["GDSC Tissue descriptor 1"] == "breast"]
    names = dict(zip(breast["COSMIC identifier"].astype(float), breast["Sample Name"], strict=True))
    path = mirror / "ccle-expression-pocket" / "CCLE_gene_expression_train(v1).zip"
    with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as stream:
        header = stream.readline().decode().split()
    partners = {name.removesuffix("_BREAST") for name in header if name.endswith("_BREAST")}
    assert len(partners) == 51

    listed = pd.read_csv(next((mirror / "gdsc-pocket").glob("1.Drug_list*.csv")), dtype=str)
    structures = (mirror / "gdsc-pocket" / "223drugs_pubchem_smiles.txt").read_text()
    known = {row.split()[0] for row in structures.splitlines() if row}
    drawn = {d for d, cid in zip(listed["drug_id"], listed["PubCHEM"], strict=True) if cid in known}
    rows, of_drawn = {}, {}
    with gzip.open(mirror / "gdsc-pocket" / "IC50_v17.csv.gz", "rt") as stream:
        for row in csv.DictReader(stream):
            line = float(row.pop("COSMIC_ID"))
            measured = [d for d, value in row.items() if value not in ("", "NA", "nan")]
            rows[line] = len(measured)
            of_drawn[line] = sum(
                d.removeprefix("Drug_").removesuffix("_IC50") in drawn for d in measured
            )
    ways = {
        "as they stand": str,
        'replace("-", "")': str,
        "hyphens taken out": lambda name: name.replace("-", ""),
        "letters and digits only": lambda name: "".join(x for x in name.upper() if x.isalnum()),
    }
    for how, tidy in ways.items():
        found = [i for i, name in names.items() if i in rows and tidy(name) in partners]
        said = {
            what: recorded[f"breast lines of dong2020/{how}: {what}"]["value"]
            for what in ("lines", "rows", "rows of drugs with a structure")
        }
        assert said["lines"] == len(found) and said["rows"] == sum(rows[i] for i in found)
        assert said["rows of drugs with a structure"] == sum(of_drawn[i] for i in found)
    reported = recorded["breast lines of dong2020/rows that the paper reports"]["value"]
    wrong = recorded['breast lines of dong2020/replace("-", ""): rows of drugs with a structure']
    assert reported == 3358 and abs(wrong["value"] - reported) < 0.15 * reported


def test_two_methods_for_one_protein_agree_no_better_than_rna_with_protein(recorded, mirror):
    def first_of_each_gene(name):
        table = pd.read_csv(mirror / "nci60-omics" / name, sep="\t", low_memory=False)
        gene = table.columns[1]
        lines = [column for column in table if ":" in column]
        values = table.dropna(subset=gene).drop_duplicates(gene).set_index(gene)[lines]
        return values.apply(pd.to_numeric, errors="coerce")

    swath = first_of_each_gene("Protein_SWATH_int2.4.2_05192020.txt")
    array = first_of_each_gene("Protein__Lysate_Array_log2.txt")
    r = []
    for gene in swath.index.intersection(array.index):
        both = pd.concat([swath.loc[gene], array.loc[gene]], axis=1, join="inner").dropna()
        if len(both) >= 20:
            r.append(stats.pearsonr(*both.to_numpy().T).statistic)
    said = {
        name: recorded[f"one gene, two measurements/{name}"]
        for name in ("protein, two methods", "RNA and its protein")
    }
    assert said["protein, two methods"]["n"] == len(r)
    assert said["protein, two methods"]["value"] == pytest.approx(np.median(r), abs=0.01)
    assert np.median(r) < said["RNA and its protein"]["value"] + 0.02


def test_the_case_of_one_drug_and_one_mutation(recorded, mirror):
    path = next((mirror / "depmap-19q2-mutations-pocket").glob("*.zip"))
    with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as stream:
        lines = io.TextIOWrapper(stream)
        genes = [cell.strip('"').split(" ")[0] for cell in next(lines).rstrip("\n").split(",")]
        at = genes.index("BRAF")
        cells = [line.rstrip("\n").split(",") for line in lines]
    mutated = {row[0].strip('"'): float(row[at + (len(row) - len(genes))]) for row in cells}
    with open(mirror / "gdsc-pocket" / "GDSC_IC50.csv") as stream:
        table = csv.reader(stream)
        names = next(table)[1:]
        row = next(row for row in table if row[0] == "GDSC:1036")
    value = {n: float(v) for n, v in zip(names, row[1:], strict=True) if v not in ("", "NA")}
    for words, wanted in {"BRAF mutated": 1, "not mutated": 0}.items():
        of = [v for n, v in value.items() if mutated.get(n) == wanted]
        said = recorded[f"the case/{words}"]
        assert (said["n"], said["value"]) == (len(of), pytest.approx(np.median(of), abs=1e-5))


def test_every_gene_has_a_share_of_lines_that_need_it(recorded):
    total = recorded["size of the response/genes, as classes"]["value"]
    assert total == [1037, 17386]
    counts = [recorded[f"genes needed by a share of lines/{w}"]["value"] for w in SHARES]
    assert sum(counts) == total[1] and counts[0] == 1968


SHARES = ("5 to 95 %", "more than 95 %", "fewer than 5 %")


def test_the_two_assays_agree_little(recorded):
    said = recorded["CRISPR and RNAi, phi/genes that some lines need"]
    assert 0.05 < said["value"] < 0.1 and said["n"] > 1_000


def test_the_record_keeps_pictures_of_real_lines(run, repository):
    figures = {figure["name"]: figure for figure in run["figures"]}
    assert {"case", "who_needs_what", "ceilings", "breast_rows"} <= set(figures)
    assert "1,968 of 17,386 genes" in figures["who_needs_what"]["caption"]
    assert "IRF4" in (repository / RECORD / "who_needs_what.svg").read_text()
