"""The teaching cohort: realistic marginals, a truth to be found, files for the upstream readers."""

import filecmp

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge

from cdp_lib.data import molecules as chem
from cdp_lib.data import readers, teaching
from cdp_lib.data.files import catalogue
from cdp_lib.data.teaching.omics import drug_facts, facts
from cdp_lib.data.teaching.world import simulate

SMALL = {"lines": 60, "genes": 170, "perturbed": 90, "drugs": 8}
DEFAULT = {"lines": 240, "genes": 600, "perturbed": 300, "drugs": 60}


@pytest.fixture(scope="module")
def world():
    return simulate(**DEFAULT, seed=0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return teaching.write(tmp_path_factory.mktemp("teaching"), **SMALL)


def ridge_for_unseen_lines(X, Y, donor, alpha):
    """Per-perturbation correlation of ridge over lines whose donors it never saw."""
    group = pd.factorize(donor)[0]
    fold = np.random.default_rng(0).permutation(group.max() + 1)[group] % 5
    values, predicted = X.to_numpy(float), np.zeros(Y.shape)
    for k in range(5):
        fit = fold != k
        sd = values[fit].std(axis=0)
        Z = (values - values[fit].mean(axis=0)) / np.where(sd > 1e-6, sd, 1)
        target = Y[fit].fillna(Y[fit].mean())
        predicted[~fit] = Ridge(alpha=alpha).fit(Z[fit], target).predict(Z[~fit])
    return pd.DataFrame(predicted, Y.index, Y.columns).corrwith(Y)


def share_explained(Y, by_line):
    """R2 on a random tenth of the cells of the drug means, plus line means when `by_line`."""
    values = Y.to_numpy()
    known = ~np.isnan(values)
    test = known & (np.random.default_rng(0).random(values.shape) < 0.1)
    train = np.where(known & ~test, values, np.nan)
    drug = np.nanmean(train, axis=0)
    line = np.nanmean(train - drug, axis=1, keepdims=True)
    error = (values - drug - (line if by_line else 0))[test]
    return 1 - (error**2).sum() / ((values[test] - values[test].mean()) ** 2).sum()


def explained_by(scores, labels):
    """Share of the variance of a principal component that lies between labels."""
    scores = pd.Series(np.asarray(scores))
    return scores.groupby(np.asarray(labels)).transform("mean").var() / scores.var()


def test_dependency_comes_as_never_always_and_selective(world):
    Y = world.dependency.measured
    varies, mean = Y.std() > 0.1, Y.mean()
    assert 0.55 < (~varies & (mean < 0.5)).mean() < 0.75
    assert 0.03 < (~varies & (mean > 0.5)).mean() < 0.12
    assert 0.20 < varies.mean() < 0.38
    selective = Y.loc[:, varies].stack()
    assert (selective < 0.1).mean() > 0.25 and (selective > 0.9).mean() > 0.15
    assert selective.between(0.4, 0.6).mean() < 0.15  # few lines are undecided


def test_some_lines_lack_some_genes(world):
    lacking = world.dependency.measured.isna().any(axis=1).mean()
    assert 0.03 < lacking < 0.15


def test_drug_means_dominate_ln_ic50_as_in_gdsc(world):
    Y = world.drugs.measured
    assert 0.05 <= Y.isna().to_numpy().mean() <= 0.10
    assert 6 < np.nanvar(Y.to_numpy()) < 8.5
    assert 0.65 < share_explained(Y, by_line=False) < 0.77
    assert 0.70 < share_explained(Y, by_line=True) < 0.80


def test_pair_means_dominate_growth(world):
    Y = world.pairs.measured
    assert Y.shape == (60, 190)
    assert 0.55 < share_explained(Y, by_line=False) < 0.9
    assert -0.5 < np.nanmean(Y) < 0.5 and np.nanmax(Y) < 1.3


def test_expression_looks_like_log2_tpm(world):
    X = world.lines.omics["expression"]
    assert X.to_numpy().min() == 0 and 10 < X.to_numpy().max() < 18
    assert 0.01 < ((X == 0).mean() > 0.8).mean() < 0.12  # genes that the sparse filter drops
    assert 3 < X.mean().median() < 5


@pytest.mark.parametrize("label, least", [("lineage", 0.8), ("batch", 0.4)])
def test_tissue_and_batch_show_in_the_first_components(world, label, least):
    scores = PCA(8, random_state=0).fit_transform(world.lines.omics["expression"])
    labels = world.lines.lines[label]
    assert max(explained_by(scores[:, k], labels) for k in range(8)) > least


def test_lines_of_one_donor_resemble_each_other(world):
    X = world.lines.omics["expression"]
    table = world.lines.lines
    close = np.corrcoef((X - X.mean()).to_numpy())
    same = np.equal.outer(table["donor"].to_numpy(), table["donor"].to_numpy())
    same_lineage = np.equal.outer(table["lineage"].to_numpy(), table["lineage"].to_numpy())
    off = ~np.eye(len(X), dtype=bool)
    assert close[same & off].mean() > close[same_lineage & ~same].mean() + 0.2
    panel = table[table["panel_name"] != ""].set_index("panel_name")["donor"]
    assert panel["SNB-19"] == panel["U251"] and panel["M14"] == panel["MDA-MB-435"]
    assert panel["OVCAR-8"] == panel["NCI/ADR-RES"] and panel["A549"] != panel["EKVX"]


@pytest.fixture(scope="module")
def drug_scores(world):
    """Correlation for unseen lines, (drugs, omics)."""
    alpha = {"expression": 600, "copy_number": 600, "rppa": 200, "metabolites": 100}
    return pd.DataFrame(
        {
            name: ridge_for_unseen_lines(
                world.lines.omics[name], world.drugs.measured, world.lines.lines["donor"], a
            )
            for name, a in alpha.items()
        }
    )


def test_response_of_unseen_lines_is_predictable_to_a_realistic_degree(drug_scores):
    assert 0.2 < drug_scores["expression"].mean() < 0.4


@pytest.mark.parametrize("omics", ["expression", "copy_number", "rppa", "metabolites"])
def test_the_causal_omics_predicts_its_drugs_best(world, drug_scores, omics):
    scores = drug_scores[world.drugs.causes["omics"] == omics].mean()
    assert scores[omics] > 0.15
    assert scores[omics] == scores.max()


def test_dependency_of_unseen_lines_is_predictable_to_a_realistic_degree(world):
    Y = world.dependency.measured
    selective = Y.columns[Y.std() > 0.1]
    r = ridge_for_unseen_lines(
        world.lines.omics["expression"], Y[selective], world.lines.lines["donor"], 1000
    )
    assert 0.2 < r.mean() < 0.4
    kind = world.dependency.causes["kind"].reindex(selective)
    assert r[kind == "driver"].mean() < r[kind == "pathway"].mean() - 0.1  # expression shows less


def test_truth_names_what_a_response_hangs_on(world):
    omics, genes = world.lines.omics, world.dependency.causes
    truth = world.dependency.noise_free
    for gene, cause in genes[genes["kind"].isin(["driver", "addiction"])].iterrows():
        own = omics[cause["omics"]][cause["feature"]]
        if own.std() > 0:
            assert np.corrcoef(own, truth[gene])[0, 1] > 0.2, gene
    for gene, cause in genes[genes["kind"] == "paralog"].iterrows():
        assert np.corrcoef(omics["expression"][cause["feature"]], truth[gene])[0, 1] < -0.2, gene
    for gene, cause in genes[genes["kind"] == "pathway"].iterrows():
        assert np.corrcoef(world.lines.activity[cause["feature"]], truth[gene])[0, 1] > 0.2, gene
    for name, drug in world.drugs.causes.iterrows():
        marker = omics[drug["omics"]][drug["features"]].sum(axis=1)
        r = np.corrcoef(marker, world.drugs.noise_free[name])[0, 1]
        assert (r if drug["sign"] == "+" else -r) > 0.1, name


def test_the_ceiling_is_the_correlation_with_the_noise_free_response(world):
    for response in (world.dependency, world.drugs, world.pairs):
        name = response.causes["ceiling"].idxmax()
        r = response.measured[name].corr(response.noise_free[name])
        assert response.causes.at[name, "ceiling"] == pytest.approx(r)
    never = world.dependency.causes.query("kind == 'never'")
    assert (never["ceiling"] == 0).all()


def test_synergy_of_truth_lowers_growth_below_the_reference(world):
    causes = world.pairs.causes
    assert 0.05 < (causes["synergy"] > 0).mean() < 0.3
    wells = world.wells.dropna(subset=["drug_b"])
    singles = world.wells[world.wells["drug_b"].isna()]
    alone = singles.set_index(["line", "drug_a", "dose_a"])["growth"]
    first = alone.loc[pd.MultiIndex.from_frame(wells[["line", "drug_a", "dose_a"]])].to_numpy()
    second = alone.loc[pd.MultiIndex.from_frame(wells[["line", "drug_b", "dose_b"]])].to_numpy()
    product = np.minimum(first, 1) * np.minimum(second, 1)
    expected = np.where((first <= 0) | (second <= 0), np.minimum(first, second), product)
    excess = pd.Series((wells["growth"] - expected).to_numpy(), index=wells.index)
    pair = wells["drug_a"] + " + " + wells["drug_b"]
    synergy = pair.map(causes["synergy"]).fillna(
        (wells["drug_b"] + " + " + wells["drug_a"]).map(causes["synergy"])
    )
    assert excess[synergy > 0].mean() < excess[synergy == 0].mean() - 0.03


def test_the_graph_is_skewed_and_follows_the_modules(world):
    edges, module = world.edges, world.lines.genes["module"]
    degree = pd.concat([edges["gene_a"], edges["gene_b"]]).value_counts()
    assert degree.max() > 5 * degree.median()
    within = (edges["gene_a"].map(module) == edges["gene_b"].map(module)).mean()
    by_chance = (module.value_counts(normalize=True) ** 2).sum()
    assert within > 3 * by_chance


def test_gene_sets_hold_their_module_and_decoys_do_not(world):
    for name, members in world.lines.modules.items():
        given = set(world.pathways[f"TEACHING_{name}"])
        assert len(given & set(members)) >= 0.6 * len(members) and given - set(members)
    assert sum(name.startswith("TEACHING_DECOY") for name in world.pathways) == 8


def test_the_compounds_are_sixty_valid_and_different_molecules():
    drugs = drug_facts()
    assert len(drugs) == 60
    assert drugs["smiles"].map(chem.inchikey).nunique() == 60
    genes = {g for members in facts()["modules"].values() for g in members}
    assert {g for targets in drugs["targets"] for g in targets} <= genes
    assert set(drugs["omics"]) == {"expression", "mutation", "copy_number", "rppa", "metabolites"}


def test_targets_are_among_the_genes(world):
    targets = {g for row in drug_facts()["targets"] for g in row}
    assert targets <= set(world.lines.genes.index) and len(world.lines.genes) == 600


def test_same_seed_same_bytes_other_seed_other_bytes(folder, tmp_path):
    again = teaching.write(tmp_path / "again", **SMALL)
    files = sorted(p.relative_to(folder) for p in folder.rglob("*") if p.is_file())
    assert len(files) > 20
    assert sorted(p.relative_to(again) for p in again.rglob("*") if p.is_file()) == files
    assert all(filecmp.cmp(folder / f, again / f, shallow=False) for f in files)
    other = teaching.write(tmp_path / "other", **SMALL, seed=1)
    name = "depmap-19q4/CCLE_expression.csv"
    assert not filecmp.cmp(folder / name, other / name, shallow=False)


def test_every_file_is_read_by_the_reader_the_catalogue_names(folder):
    count = 0
    for path in folder.rglob("*/*"):
        file = catalogue.dataset(path.parent.name).file(path.name)
        if file.reader:
            table = getattr(readers, file.reader)(path)
            assert len(table), file.key
            count += 1
    assert count >= 20


def test_what_is_written_is_what_was_simulated(folder):
    made = simulate(**SMALL, seed=0)
    read = readers.depmap_wide(folder / "depmap-19q4/CCLE_expression.csv")
    pd.testing.assert_frame_equal(
        read, made.lines.omics["expression"], check_names=False, check_dtype=False, atol=1e-3
    )
    mutated = readers.ccle_mutations(folder / "depmap-19q4/CCLE_mutations.csv")
    truth = made.lines.omics["mutation"]
    assert (mutated == truth[mutated.columns]).all(axis=None)
    curves = readers.gdsc_fitted(folder / "gdsc/GDSC1_fitted_dose_response_25Feb20.xlsx")
    assert len(curves) == made.drugs.measured.notna().to_numpy().sum()
    wells = readers.almanac_growth(folder / "nci-almanac/ComboDrugGrowth_Nov2017.zip")
    assert len(wells) == len(made.wells)


def test_truth_comes_back_from_its_file(folder):
    made, truth = simulate(**SMALL, seed=0), teaching.truth(folder)
    pd.testing.assert_frame_equal(
        truth.response, made.drugs.noise_free, check_names=False, atol=1e-5
    )
    assert truth.genes["kind"].equals(made.dependency.causes["kind"].rename_axis(None))
    assert truth.pathways == made.lines.modules
    assert truth.paralogs["SMARCA2"] == "SMARCA4"
    assert list(truth.growth.index) == list(made.pairs.noise_free.index)


def test_everything_simulated_says_so(folder):
    assert "SIMULATED" in (folder / "README.md").read_text()
    lines = pd.read_csv(folder / "depmap-19q4/sample_info.csv")
    assert lines["DepMap_ID"].str.startswith("ACH-9").all()
    assert lines["COSMIC_ID"].is_unique and lines["Sanger_model_ID"].is_unique
    assert lines["additional_info"].str.contains("simulated").all()


def test_more_genes_than_names_get_names_that_say_so(tmp_path):
    names = simulate(**{**SMALL, "genes": 900}, seed=0).lines.genes.index
    assert len(names) == 900 and names.is_unique and names.str.startswith("SIM0").sum() > 100
