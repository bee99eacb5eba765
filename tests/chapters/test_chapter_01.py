"""Chapter 01's numbers, computed again another way: csv files, plain loops, numpy and scipy.

The recorded run on real measurements is held against the mirrored files, and a run on simulated
ones against the simulated files and their truth; nothing here goes through the readers, the
cohorts or the screens of the library.
"""

import json
import math
import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

RESULTS = Path("book", "results", "01_screens_and_omics", "pocket", "results.json")


@pytest.fixture(scope="module")
def recorded(repository):
    results = json.loads((repository / RESULTS).read_text())["results"]
    return {result["key"]: result for result in results}


@pytest.fixture(scope="module")
def effects(mirror):
    import pyreadr

    def table(name):
        frame = next(iter(pyreadr.read_r(str(mirror / "depmap-20q2-pocket" / name)).values()))
        return frame.set_index(frame.columns[0] if "X1" not in frame else "X1")

    described = table("20Q2_expression.Rds").index
    effects = table("20Q2_achilles.Rds")
    return effects[effects.index.isin(described)]


def plain(name):
    return "".join(letter for letter in str(name).upper() if letter.isalnum())


def pearson_by_column(first, second, least=20):
    """scipy's r of each column, over the rows that both know."""
    found = {}
    for column in first.columns.intersection(second.columns):
        both = pd.concat([first[column], second[column]], axis=1, join="inner").dropna()
        if len(both) >= least and both.nunique().min() > 1:
            found[column] = stats.pearsonr(both.iloc[:, 0], both.iloc[:, 1]).statistic
    return pd.Series(found)


@pytest.mark.parametrize("bar", [0.1, 0.2])
def test_gene_classes_by_hand(recorded, effects, bar):
    counts = {"never": 0, "always": 0, "selective": 0}
    for gene in effects.columns:
        values = [float(v) for v in effects[gene] if not math.isnan(v)]
        mean = sum(values) / len(values)
        sd = math.sqrt(sum((v - mean) ** 2 for v in values) / (len(values) - 1))
        counts["selective" if sd > bar else "always" if mean < -0.5 else "never"] += 1
    said = {kind: recorded[f"gene classes by sd over {bar}/{kind}"]["value"] for kind in counts}
    assert said == counts and sum(counts.values()) == effects.shape[1]


def test_share_measured_and_shape_of_the_gene_response(recorded, effects):
    assert recorded["size of the response/genes"]["value"] == list(effects.shape)
    share = recorded["size of the response/genes, measured cells"]["value"]
    assert share == pytest.approx(np.isfinite(effects.to_numpy(float)).mean(), abs=1e-6)


def test_variance_between_genes_by_analysis_of_variance(recorded, effects):
    columns = [effects[g].dropna().to_numpy(float) for g in effects.columns]
    everything = np.concatenate(columns)
    between = sum(len(x) * (x.mean() - everything.mean()) ** 2 for x in columns)
    total = ((everything - everything.mean()) ** 2).sum()
    said = recorded["variance between perturbations/genes"]["value"]
    assert said == pytest.approx(between / total, abs=1e-4)


def test_ceilings_of_three_projects(recorded, mirror):
    long = pd.read_csv(next((mirror / "prism-pocket").glob("*.csv")))
    column = {"PRISM": "REP", "CTD2": "CTD2", "GDSC": "GDSC"}
    for a, b in combinations(column, 2):
        values = [f"{column[name]}_published_auc_mean" for name in (a, b)]
        means = long.groupby(["Drug.Name", "ccle"])[values].mean()
        r = [
            stats.pearsonr(drug[values[0]], drug[values[1]]).statistic
            for _, drug in means.groupby("Drug.Name")
            if len(drug) >= 20
        ]
        ceilings = np.sqrt(np.maximum(r, 0))
        for word, expected in (("r", np.median(r)), ("ceiling", np.median(ceilings))):
            said = recorded[f"agreement of repeats, {word}/{a} and {b}, AUC"]
            assert said["value"] == pytest.approx(expected, abs=1e-6) and said["n"] == len(r)


def test_ceiling_of_pairs_screened_in_both_orders(recorded, mirror):
    table = pd.read_csv(
        mirror / "nci-almanac-pocket" / "DTB_NCI60_cell_lines_Almanac_paired_drug_combo_scores.txt",
        sep="\t",
        index_col=0,
    )
    r = []
    for pair in table.index:
        a, b = pair.split("_")
        if a < b and f"{b}_{a}" in table.index:
            both = table.loc[[pair, f"{b}_{a}"]].T.dropna()
            r.append(stats.pearsonr(both.iloc[:, 0], both.iloc[:, 1]).statistic)
    said = recorded["agreement of repeats, r/ALMANAC, A + B, B + A"]
    assert said["n"] == len(r) and said["value"] == pytest.approx(np.median(r), abs=1e-6)


def test_ceiling_of_compounds_with_two_ids(recorded, mirror):
    """Two ids by name or synonym in the list of drugs; the chapter finds them by structure."""
    table = pd.read_csv(mirror / "gdsc-pocket" / "GDSC_IC50.csv", index_col=0).T
    table.columns = table.columns.str.removeprefix("GDSC:")
    listed = pd.read_csv(next((mirror / "gdsc-pocket").glob("1.Drug_list*.csv")), dtype=str)
    listed = listed[listed["drug_id"].isin(table.columns)]
    pairs = [list(group) for _, group in listed.groupby("Name")["drug_id"] if len(group) == 2]
    r = [stats.pearsonr(*table[pair].dropna().to_numpy().T).statistic for pair in pairs]
    said = recorded["agreement of repeats, r/GDSC, two ids"]
    assert abs(said["n"] - len(r)) <= 1
    assert said["value"] == pytest.approx(np.median(r), abs=0.03)


def test_names_and_rows_that_a_join_loses(recorded, mirror):
    details = pd.read_csv(mirror / "gdsc-pocket" / "Cell_Lines_Details.csv", dtype=str)
    details.columns = [" ".join(column.split()) for column in details.columns]
    response = pd.read_csv(mirror / "gdsc-pocket" / "IC50_v17.csv.gz")
    rows = dict(
        zip(
            response["COSMIC_ID"].astype(int).astype(str),
            response.drop(columns="COSMIC_ID").notna().sum(axis=1),
            strict=True,
        )
    )
    cosmic = details["COSMIC identifier"].astype(float).map("{:.0f}".format, na_action="ignore")
    screened = {i: n for i, n in zip(cosmic, details["Sample Name"], strict=True) if i in rows}
    notes = pd.read_csv(
        mirror / "cell-line-names" / "Cell_lines_annotations_20181226.txt", sep="\t", dtype=str
    )
    known = {name.split("_")[0] for name in notes["CCLE_ID"]}
    known_plain = {plain(name) for name in known}
    ways = {
        "as they stand": lambda name: name in known,
        'replace("-", "")': lambda name: ("" if name == "-" else name) in known,
        "hyphens taken out": lambda name: "".join(name.split("-")) in known,
        "letters and digits only": lambda name: plain(name) in known_plain,
    }
    for way, joins in ways.items():
        found = [i for i, name in screened.items() if joins(name)]
        lines = recorded[f"lines of the drug screen that find their expression project/{way}"]
        assert (lines["value"], lines["n"]) == (len(found), len(screened))
        left = recorded[f"(line, drug) rows that are left/{way}"]["value"]
        assert left == sum(rows[i] for i in found)


def test_names_that_collide(recorded, mirror):
    models = pd.read_csv(mirror / "cell-line-names" / "ModelList_20191106.csv", dtype=str)
    seen = {}
    for name in models["model_name"]:
        seen.setdefault(plain(name), []).append(name)
    clashes = [names for names in seen.values() if len(names) > 1]
    said = recorded["names that go wrong/stripped names that mean two lines"]
    assert said["value"] == len(clashes)


def test_the_hand_worked_table_of_the_page(repository):
    """ComboScore and BestComboScore of the three by two table, cell by cell."""
    page = json.loads((repository / "notebooks" / "01_screens_and_omics.ipynb").read_text())
    code = next(
        "".join(cell["source"])
        for cell in page["cells"]
        if "alone_a = np.array" in "".join(cell["source"])
    )
    found = re.findall(r"(?:alone_a|alone_b|both) = np\.array\((\[.*?\])\)[ #\n]", code)
    rows = [json.loads(text) for text in found]
    a, b, both = rows
    score = 0
    for i, grown_a in enumerate(a):
        for j, grown_b in enumerate(b):
            capped = (min(grown_a, 1), min(grown_b, 1))
            expected = min(capped) if min(capped) <= 0 else capped[0] * capped[1]
            score += 100 * (expected - both[i][j])
    namespace = {"np": np}
    exec(code.split("print(")[0], namespace)
    assert namespace["combo"] == pytest.approx(score)
    assert namespace["best_combo"] == pytest.approx(100 * (min(map(min, both)) - min(b)))


@pytest.fixture(scope="module")
def simulated(repository, tmp_path_factory):
    """What the chapter hands over in quick on simulated data, and the folder of these data."""
    from cdp_book import notebook, runner
    from cdp_lib.data import teaching

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CDP_CACHE", str(tmp_path_factory.mktemp("cache")))
        done = runner.run(
            repository / "notebooks" / "01_screens_and_omics.ipynb",
            tmp_path_factory.mktemp("out"),
            {"profile": "quick", "data": "teaching"},
        )
        assert done.status == "ok", done.failure
        return {r["key"]: r for r in notebook.handed_over(done.page).records}, teaching.root()


def test_simulated_classes_from_the_file_of_probabilities(simulated):
    records, folder = simulated
    release = folder / "depmap-19q4"
    table = pd.read_csv(release / "Achilles_gene_dependency.csv", index_col=0)
    described = pd.read_csv(release / "CCLE_expression.csv", index_col=0, usecols=[0]).index
    values = table[table.index.isin(described)].to_numpy()
    sd = np.sqrt(
        np.nanmean((values - np.nanmean(values, axis=0)) ** 2, axis=0)
        * (n := np.isfinite(values).sum(axis=0))
        / (n - 1)
    )
    selective, high = sd > 0.1, np.nanmean(values, axis=0) > 0.5
    expected = {
        "selective": selective.sum(),
        "always": (~selective & high).sum(),
        "never": (~selective & ~high).sum(),
    }
    assert {
        kind: records[f"gene classes by sd over 0.1/{kind}"]["value"] for kind in expected
    } == expected


def test_simulated_ceilings_from_the_files_and_their_truth(simulated):
    records, folder = simulated
    curves = pd.read_excel(folder / "gdsc" / "GDSC1_fitted_dose_response_25Feb20.xlsx")
    models = pd.read_csv(folder / "cell-line-names" / "ModelList_20191106.csv")
    ach = dict(zip(models["COSMIC_ID"], models["BROAD_ID"], strict=True))
    curves["line"] = curves["COSMIC_ID"].map(ach)
    measured = curves.set_index(["line", "DRUG_NAME"])["LN_IC50"].unstack()
    stored = json.loads((folder / "truth.json").read_text())["tables"]["response"]
    truth = pd.DataFrame(**stored)
    reached = pearson_by_column(measured, truth)
    said = records["agreement of repeats, ceiling/known truth, GDSC"]
    assert said["n"] == len(reached) and said["value"] == pytest.approx(reached.median(), abs=1e-4)

    prism = folder / "prism-19q4" / "primary-screen-replicate-collapsed"
    logfold = pd.read_csv(f"{prism}-logfold-change.csv", index_col=0)
    info = pd.read_csv(f"{prism}-treatment-info.csv", index_col="column_name")["name"]
    both = pearson_by_column(logfold.rename(columns=info), measured)
    said = records["agreement of repeats, r/PRISM and GDSC"]
    assert said["n"] == len(both) and said["value"] == pytest.approx(both.median(), abs=1e-4)
    ceiling = records["agreement of repeats, ceiling/PRISM and GDSC"]["value"]
    assert ceiling < reached.median()  # the estimate is held down by PRISM's single dose


def test_a_hyphen_keeps_a_simulated_line_from_its_expression(simulated):
    records, folder = simulated
    names = pd.read_csv(folder / "cell-line-names" / "ModelList_20191106.csv")["model_name"]
    plain = (~names.str.contains("-")).sum()
    assert 0 < plain < len(names)
    way = "lines of the drug screen that find their expression project/"
    assert records[f'{way}replace("-", "")']["value"] == plain
    assert records[f"{way}hyphens taken out"]["value"] == len(names)
