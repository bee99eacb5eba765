"""Growth of pairs from wells, by hand, in both definitions of the response."""

import pytest

from cdp_lib.data import load, teaching
from cdp_lib.data.studies.drugs import lowest_of_wells
from cdp_lib.data.studies.sources import Source
from cdp_lib.errors import InputError

SMALL = {"lines": 60, "genes": 170, "perturbed": 90, "drugs": 8}
HEADER = "CELLNAME,NSC1,CONC1,NSC2,CONC2,PERCENTGROWTH,SCORE,VALID"
WELLS = (
    "MCF7,1,1e-8,2,1e-8,80,,Y",
    "MCF7,1,1e-6,2,1e-6,60,,Y",  # one dose pair, three wells, one of them in the other order:
    "MCF7,1,1e-6,2,1e-6,-30,,Y",
    "MCF7,2,1e-6,1,1e-6,0,,Y",  # mean 10, lowest -30
    "MCF7,1,1e-6,2,1e-6,-90,,N",  # not valid
    "MCF7,1,1e-8,,,50,,Y",
    "MCF7,1,1e-6,,,40,,Y",
    "MCF7,1,1e-6,,,20,,Y",  # mean 30
    "A549/ATCC,2,1e-8,1,1e-8,120,,Y",
)


@pytest.fixture
def wells(tmp_path):
    path = tmp_path / "ComboDrugGrowth.csv"
    path.write_text("\n".join([HEADER, *WELLS]) + "\n")
    return path


def step_of(screen, start):
    return next(step for step in screen.steps if step.what.startswith(start))


@pytest.mark.parametrize(
    ("response", "pair", "single"), [("min of means", 0.1, 0.3), ("min of replicates", -0.3, 0.2)]
)
def test_the_lowest_growth_worked_by_hand(wells, response, pair, single):
    table = lowest_of_wells(wells, True, response).set_index(["line", "nsc_a", "nsc_b"])
    assert table["value"].to_dict() == {
        ("MCF7", "1", "2"): pytest.approx(pair),
        ("MCF7", "1", "1"): pytest.approx(single),
        ("A549", "1", "2"): pytest.approx(1.2),
    }
    assert table["orders"].tolist() == [2, 1, 1] and table.attrs["sets"] == 4
    assert table.attrs["notes"][-1] == f"{response} of 8 wells"
    alone = lowest_of_wells(wells, False, response)
    assert len(alone) == 2 and alone.attrs["sets"] == 4


def test_sets_and_rows_stand_beside_those_of_the_paper(monkeypatch):
    folder = teaching.root(**SMALL)
    monkeypatch.setattr(Source, "path", lambda self, dataset, name: folder / dataset / name)
    screen = load("drug-pairs", "official", singles=True, structures=True)
    step = step_of(screen, "sets of a line and two drugs")
    assert step.paper_shape == (311_737,) and "differs from the paper" in step.note
    n_drugs = len(screen.drugs)
    n_lines = len(screen.Y)
    assert step.shape[0] <= n_lines * n_drugs * (n_drugs + 1) // 2
    assert step.shape == step_of(screen, "sets of these compounds").shape
    assert step_of(screen, "sets of these compounds").paper_shape == (85_303,)
    assert step.shape[0] == screen.Y.notna().sum().sum()


def test_one_definition_is_never_above_the_other():
    means, replicates = (
        load("drug-pairs", response=response, **SMALL)
        for response in ("min of means", "min of replicates")
    )
    assert (replicates.Y <= means.Y + 1e-6).to_numpy()[means.Y.notna()].all()
    assert "min of replicates" in replicates.response and "min of means" in means.response


def test_pairs_of_named_compounds():
    every = load("drug-pairs", **SMALL)
    some = [*every.drugs["name"][:2], every.drugs["nsc"].iloc[2]]
    screen = load("drug-pairs", compounds=some, **SMALL)
    assert len(screen.drugs) == 3 and screen.Y.shape[1] == 3
    assert step_of(screen, "compounds asked for").paper_shape == (54,)
    with pytest.raises(InputError, match="NOSUCH"):
        load("drug-pairs", compounds=["no such"], **SMALL)
    with pytest.raises(InputError, match="min of replicates"):
        load("drug-pairs", response="median", **SMALL)


def test_pocket_scores_have_one_definition(mirror, monkeypatch):
    monkeypatch.setenv("CDP_MIRROR", str(mirror))
    with pytest.raises(InputError, match="leave the option out"):
        load("drug-pairs", "pocket", response="min of means")
