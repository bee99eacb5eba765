"""Studies: the same recipe in every edition; joins counted, shapes beside the paper's."""

import numpy as np
import pandas as pd
import pytest

from cdp_lib.data import Cohort, PairScreen, load, teaching
from cdp_lib.data.files import catalogue, download
from cdp_lib.data.readers import depmap_wide, gdsc_matrix_ach
from cdp_lib.data.studies.drugs import with_smiles
from cdp_lib.data.studies.sources import Source, dependency, read_lines, read_omics
from cdp_lib.data.studies.tables import CHOICES, OMICS, POCKET, TABLES, WHOLE, files_of
from cdp_lib.errors import InputError

STUDIES = ("gene-dependency", "drug-response", "drug-pairs", "prism")
RELEASES = WHOLE["drug-response"]["release"]
SMALL = {"lines": 60, "genes": 170, "perturbed": 90, "drugs": 8}


@pytest.fixture
def pocket(mirror, monkeypatch):
    """The real pocket data, through the same way as a user's."""
    monkeypatch.setenv("CDP_MIRROR", str(mirror))


@pytest.fixture
def official(monkeypatch):
    """Teaching files in the place of official downloads: the formats are the same."""
    folder = teaching.root(**SMALL)
    monkeypatch.setattr(download, "path", lambda dataset, name: folder / dataset / name)


def step_of(cohort, start):
    return next(step for step in cohort.steps if step.what.startswith(start))


@pytest.mark.parametrize("study", STUDIES)
def test_teaching_edition_loads_with_truth_and_knowledge(study):
    cohort = load(study, **SMALL)
    assert isinstance(cohort, PairScreen if study == "drug-pairs" else Cohort)
    assert cohort.edition == "teaching" and "simulated" in repr(cohort)
    assert cohort.truth.pathways.keys() >= {"MAPK_SIGNALING"}
    assert list(cohort.extras["graph"].columns) == ["gene_a", "gene_b"]
    assert any(name.startswith("TEACHING_") for name in cohort.extras["pathways"])
    assert cohort.lines["tissue"].notna().all() and cohort.lines["donor"].notna().all()
    assert cohort.perturbations["kind"].notna().all()
    assert all(table.index.equals(cohort.Y.index) for table in cohort.omics.values())


def test_a_screen_can_be_had_without_omics():
    alone, joined = load("drug-response", omics=(), **SMALL), load("drug-response", **SMALL)
    assert dict(alone.omics) == {}
    pd.testing.assert_frame_equal(alone.Y.loc[joined.Y.index], joined.Y)


@pytest.mark.parametrize("study", STUDIES)
def test_official_is_the_recipe_of_teaching(study, official):
    real, simulated = load(study, "official"), load(study, "teaching", **SMALL)
    assert real.edition == "official" and real.truth is None
    pd.testing.assert_frame_equal(real.Y, simulated.Y)
    assert list(real.omics) == list(simulated.omics)


def test_official_shapes_that_differ_from_the_paper_say_so(official):
    cohort = load("gene-dependency", "official", complete_lines=True)
    step = step_of(cohort, "gene probability")
    assert step.paper_shape == (689, 18_333) and "differs from the paper" in step.note
    assert "differs" not in step_of(load("gene-dependency", **SMALL), "gene probability").note


def test_responses_agree_with_the_truth():
    cohort = load("drug-response", **SMALL)
    truth = cohort.truth.response.loc[cohort.Y.index, cohort.Y.columns]
    assert cohort.Y.corrwith(truth).min() > 0.5
    screen = load("drug-pairs", **SMALL)
    growth = screen.truth.growth.loc[screen.Y.index, screen.Y.columns]
    error = (screen.Y - growth).to_numpy()
    assert np.nanstd(error) < 0.1 and np.nanmean(screen.Y.notna()) > 0.9


def test_no_line_is_lost_that_every_table_has():
    folder = teaching.root(**SMALL)
    tables = [
        depmap_wide(folder / f"depmap-19q4/{name}.csv")
        for name in ("Achilles_gene_dependency", "CCLE_expression")
    ]
    shared = tables[0].index[tables[0].index.isin(tables[1].index)]
    cohort = load("gene-dependency", **SMALL)
    assert list(cohort.Y.index) == list(shared)
    every = load("drug-response", **SMALL)
    lost = step_of(every, "lines that all tables share").note
    assert len(every.Y) == 60 - sum(int(part.split()[0]) for part in lost.split("; ") if part)


def test_donors_of_teaching_are_the_simulated_ones():
    cohort = load("gene-dependency", **SMALL)
    donor = cohort.truth.lines["donor"].reindex(cohort.lines.index)
    assert (cohort.lines["donor"] == donor).all() and donor.duplicated().any()
    assert (cohort.lines["tissue"] == cohort.truth.lines["lineage"].reindex(donor.index)).all()


def test_five_omics_and_structures_of_drug_response():
    cohort = load("drug-response", structures=True, **SMALL)
    assert list(cohort.omics) == ["expression", "mutation", "copy_number", "rppa", "metabolites"]
    drugs = cohort.perturbations
    assert drugs["smiles"].notna().all() and drugs["group"].str.len().eq(14).all()
    assert drugs.loc["vemurafenib", "target"] == "BRAF"
    assert load("drug-response", omics="rppa", **SMALL).omics.keys() == {"rppa"}


def test_published_filters_are_options():
    plain = load("gene-dependency", **SMALL)
    strict = load(
        "gene-dependency",
        complete_lines=True,
        shared_genes=True,
        min_sd=0.1,
        max_zeros=0.8,
        **SMALL,
    )
    assert plain.Y.isna().any(axis=None) and not strict.Y.isna().any(axis=None)
    assert (strict.Y.std() > 0.1).all() and strict.Y.shape[1] < plain.Y.shape[1]
    assert ((strict.X("expression") == 0).mean() <= 0.8).all()
    assert "chosen on all lines" in step_of(strict, "genes with sd").note
    effect = load("gene-dependency", target="effect", release="23Q4", **SMALL)
    assert effect.lower_is_sensitive and effect.Y.min(axis=None) < -0.8


@pytest.mark.parametrize("release", RELEASES)
def test_a_release_is_passed_on_to_every_table(release, monkeypatch):
    read, path = [], Source.path

    def noted(source, dataset, name):
        read.append((dataset, name))
        return path(source, dataset, name)

    monkeypatch.setattr(Source, "path", noted)
    load("drug-response", release=release, **SMALL)
    tables = [(d, name) for d, name in read if d.startswith("depmap") and name != "sample_info.csv"]
    assert {dataset for dataset, _ in tables} == {f"depmap-{release.lower()}"}
    assert len(tables) == (5 if release == "23Q4" else 3)  # two matrices of mutations, Model.csv


def test_the_official_edition_holds_every_file_that_a_study_reads(official, monkeypatch):
    read, path = set(), download.path
    monkeypatch.setattr(download, "path", lambda *file: read.add(file) or path(*file))
    for study in STUDIES:
        load(study, "official")
    for release in RELEASES:
        load("drug-response", "official", release=release)
    files = [catalogue.dataset(dataset).file(name) for dataset, name in read]
    assert [file.key for file in files if "official" not in file.editions] == []
    assert len(files) > 20


def test_releases_of_the_simulation_hold_the_same_tables():
    first, *others = (load("drug-response", release=release, **SMALL) for release in RELEASES)
    for other in others:
        pd.testing.assert_frame_equal(first.Y, other.Y)
        for name in OMICS:
            a, b = first.X(name), other.X(name)
            shared = a.columns.intersection(b.columns)  # a list of calls has no unmutated gene
            assert len(shared) > 0.9 * len(a.columns)
            pd.testing.assert_frame_equal(a[shared], b[shared])
            assert not b.drop(columns=shared).to_numpy().any()


def test_single_drugs_are_pairs_with_themselves():
    screen = load("drug-pairs", singles=True, **SMALL)
    single = screen.perturbations["kind"] == "single drug"
    n = len(screen.drugs)
    assert single.sum() == n and len(single) == n * (n + 1) // 2


@pytest.mark.parametrize(
    "study, options, sentence",
    [
        ("drug-respons", {}, "'drug-respons'; did you mean drug-response"),
        (["prism"], {}, ".'prism'.; did you mean prism"),
        ("prism", {"data": "pockets"}, "'pockets'; did you mean pocket"),
        ("prism", {"omics": "expresion"}, "'expresion' .* did you mean expression"),
        ("prism", {"omics": []}, "No omics was asked for"),
        ("prism", {"omics": 3}, "omics=3 is no list of names: choose from expression"),
        ("gene-dependency", {"min_sd": "a"}, "min_sd='a' is no number"),
        ("gene-dependency", {"min_sd": 100}, "would hold 55 lines x 0 perturbations"),
        ("prism", {"omic": "rppa"}, "'omic'; did you mean omics"),
        ("prism", {"data": "pocket", "lines": 100}, "no option 'lines'"),
        ("drug-pairs", {"data": "pocket", "singles": True}, "singles=True cannot be had"),
        ("gene-dependency", {"data": "pocket", "target": "probability"}, "choose from effect"),
        ("gene-dependency", {"release": "24Q4"}, "choose from 19Q4, 23Q4"),
        (
            "drug-response",
            {"screen": "GDSC3", "data": "official"},
            "choose from GDSC1 25Feb20, GDSC2",
        ),
        (
            "drug-response",
            {"screen": "GDSC2 27Oct23"},
            "in the teaching edition: choose from GDSC1 25",
        ),
        ("drug-response", {"release": "20Q1"}, "choose from 19Q4, 19Q3, 23Q4"),
        ("drug-response", {"data": "pocket", "release": "19Q4"}, "edition: leave the option out"),
        ("drug-response", {"data": "pocket", "screen": "GDSC1 25Feb20"}, "leave the option out"),
    ],
)
def test_bad_requests_end_in_one_sentence(study, options, sentence):
    sizes = {} if "data" in options else SMALL
    with pytest.raises(InputError, match=sentence) as error:
        load(study, **options, **sizes)
    assert "\n" not in str(error.value)


def test_every_table_is_in_the_catalogue_with_the_reader_and_the_edition():
    for edition in ("official", "pocket"):
        for name, table in TABLES[edition].items():
            files = [catalogue.dataset(table.dataset).file(file) for file in table.files]
            assert all(edition in file.editions for file in files), name
            # two tables of `depmap_wide`, read into one; two tables out of one file
            if name not in ("mutation 23Q4", "xenograft responses"):
                assert {file.reader for file in files} == {table.reader.__name__}, name


def test_a_file_behind_two_tables_is_fetched_once():
    names = ["xenograft expression", "xenograft responses", "xenograft drugs"]
    assert len(files_of("pocket", names)) == 2 and files_of("teaching", names) == []


def test_the_editions_differ_in_the_table_alone():
    assert CHOICES.keys() == TABLES.keys()
    for name in ("expression", "mutation", "copy_number", "rppa", "metabolites", "effect"):
        for edition, release in (("official", "19Q4"), ("teaching", "19Q4"), ("pocket", None)):
            assert Source(edition).find(name, release) is not None
    assert Source("pocket").find("probability", "19Q4") is None
    assert Source("pocket").find("expression", "20Q2") is POCKET["expression 20Q2"]
    with pytest.raises(InputError, match="'probability'"):
        Source("pocket").read("probability", "19Q4")


def test_smiles_of_another_drug_under_the_same_id_are_left_out(tmp_path):
    """The list of 2019 gives id 2 to another drug than the screen does."""
    folder = tmp_path / "gdsc-pocket"
    folder.mkdir()
    (folder / "223drugs_pubchem_smiles.txt").write_text("10\tCCO\n20\tCCN\n30\tCCC\n")
    drugs = pd.DataFrame({"name": ["Erlotinib", "Other", "Unlisted"]}, index=["1", "2", "3"])
    listed = pd.DataFrame(
        {"name": ["ERLOTINIB", "Sunitinib"], "cid": ["10", "20"], "pathway": ["EGFR", "RTK"]},
        index=["1", "2"],
    )
    found = with_smiles(Source("teaching", tmp_path), drugs, listed)
    assert found["smiles"].tolist()[0] == "CCO" and found["smiles"][["2", "3"]].isna().all()
    assert found["cid"].tolist()[0] == "10" and found["cid"][["2", "3"]].isna().all()
    assert found["pathway"].tolist()[0] == "EGFR" and found["pathway"][["2", "3"]].isna().all()


@pytest.fixture
def pocket_source(pocket):
    return Source("pocket")


def test_pocket_shapes_stand_beside_those_of_the_paper(pocket):
    steps = load("gene-dependency", "pocket").steps
    assert [(s.shape, s.paper_shape) for s in steps[:2]] == [
        ((769, 462), (689, 18_333)),
        ((1_304, 462), (1_249, 19_144)),
    ]
    assert not any("differs" in step.note for step in steps)


def test_pocket_dependency_joins_763_lines(pocket):
    cohort = load("gene-dependency", "pocket")
    assert step_of(cohort, "gene effect").shape == (769, 462)
    assert cohort.Y.shape == (763, 462) and cohort.X("expression").shape == (763, 462)
    assert cohort.lower_is_sensitive and cohort.truth is None
    gdsc = gdsc_matrix_ach(download.path("gdsc-pocket", "GDSC_IC50.csv"))
    assert cohort.Y.index.isin(gdsc.index).sum() == 403
    donor = cohort.lines["donor"].dropna()
    assert donor.duplicated().any()  # lines of one donor, which a split must keep together


def test_pocket_drug_response_joins_480_lines(pocket):
    cohort = load("drug-response", "pocket")
    assert cohort.Y.shape == (480, 266)
    widths = {name: table.shape[1] for name, table in cohort.omics.items()}
    assert widths == {"expression": 642, "mutation": 18_164, "rppa": 214, "metabolites": 225}
    assert step_of(cohort, "rppa").paper_shape == (899, 215)
    assert cohort.X("expression").min(axis=None) >= 0 and cohort.X("expression").max(axis=None) < 20
    drugs = cohort.perturbations
    assert drugs["smiles"].notna().sum() == 238 and drugs["group"].notna().all()
    twice = drugs[drugs["name"] == "Afatinib"]
    assert len(twice) == 2 and twice["group"].nunique() == 1


def test_pocket_joins_505_lines_and_274_with_all_five_omics(pocket):
    assert len(load("drug-response", "pocket", omics="expression").Y) == 505
    every = load("drug-response", "pocket", structures=True, omics=[*OMICS])
    assert every.Y.shape == (274, 238)
    assert "1288 features with missing cells" in step_of(every, "lines that all").note


def test_pocket_expression_and_crispr_share_431_lines(pocket_source):
    """The README of the mirror counts 430; by DepMap id they are 431."""
    expression = read_omics(pocket_source, read_lines(pocket_source)[1], "expression")
    assert expression.shape == (807, 642)
    assert expression.index.isin(dependency(pocket_source, "effect").index).sum() == 431


def test_pocket_prism(pocket):
    cohort = load("prism", "pocket")
    assert step_of(cohort, "AUC").shape == (318, 84) and cohort.Y.shape == (159, 84)
    assert cohort.perturbations.loc["BELINOSTAT", "target"].startswith("HDAC1")


def test_pocket_pairs(pocket):
    screen = load("drug-pairs", "pocket")
    assert step_of(screen, "drug pairs").shape == (59, 5_242)
    assert "113 pair" in step_of(screen, "drug pairs").note
    assert screen.Y.shape == (58, 5_242) and "SF-539" not in screen.Y.index
    assert not screen.lower_is_sensitive
    assert "20 of 105 compounds have no SMILES" in step_of(screen, "compounds").note
    shared = screen.drugs[screen.drugs["group"].duplicated(keep=False)]
    assert len(shared) == 2  # doxorubicin and epirubicin, one flat SMILES
    assert screen.lines.loc["SNB-19", "donor"] == screen.lines.loc["U251", "donor"]
    assert screen.Y.columns.str.len().max() < 100
