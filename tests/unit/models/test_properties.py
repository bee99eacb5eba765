"""What holds for every model: a prediction is a row's own, and scales count no row twice.

That a fit never sees a test label is the third such property; it is checked in each room with
`assert_blind_to_test_labels`.
"""

import importlib
import inspect
import pkgutil
from functools import cache

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import BaseEstimator
from sklearn.linear_model import Lasso as PlainLasso
from sklearn.tree import DecisionTreeRegressor

import cdp_lib.models
from cdp_lib.models import baselines, drug_effects, drug_pair, pair_rows
from cdp_lib.models.base.inputs import Names
from cdp_lib.models.base.training import Training
from cdp_lib.models.completion import TableCompletion
from cdp_lib.models.fusion.omics_networks import (
    AutoencoderFusion,
    DenseEmbedding,
    JointFusion,
    OmicsNetwork,
)
from cdp_lib.models.fusion.stages import AttentionFusion
from cdp_lib.models.layered import Bagged, LayeredEnsemble
from cdp_lib.models.linear import BEMKL, CCAReduced, ElasticNet, Lasso, LinearRegression, Ridge
from cdp_lib.models.nearest import NearestLines
from cdp_lib.models.networks.autoencoders import AutoEncoder, EncoderRegressorDecoder
from cdp_lib.models.networks.feedforward import FeedForward
from cdp_lib.models.networks.masked import MaskedAutoencoder
from cdp_lib.models.networks.two_branch import TwoBranch
from cdp_lib.models.pan_perturbation import PanPerturbation
from cdp_lib.models.per_perturbation import PerPerturbation
from cdp_lib.models.representations import PrincipalComponents
from cdp_lib.models.response_network import ResponseNetwork
from cdp_lib.models.support_vectors import SupportVectors
from cdp_lib.models.trees import BoostedTrees, LightGBM, RandomForest

pytestmark = [
    pytest.mark.filterwarnings("ignore::cdp_lib.models.linear.AlphaAtEdge"),
    pytest.mark.filterwarnings("ignore:BEMKL's bound still grows"),
]
RNG = np.random.default_rng(0)
LINES = pd.Index([f"line {i}" for i in range(40)])
X = pd.concat(
    {
        name: pd.DataFrame(RNG.normal(3, 2, size=(40, 6)), LINES).add_prefix("gene ")
        for name in ("expression", "rppa")
    },
    axis=1,
)
Y = X["expression"].to_numpy() @ RNG.normal(size=(6, 5)) + RNG.normal(size=(40, 5))
Y = pd.DataFrame(Y, LINES).add_prefix("drug ").mask(RNG.random((40, 5)) < 0.1)
TISSUE = pd.Series(np.tile(["lung", "skin"], 20), LINES)
FEW = Training(epochs=2, batch_size=8, validation_fraction=0.0, device="cpu")
NETWORK = OmicsNetwork(DenseEmbedding(4), (4,), training=FEW)


def autoencoder():
    return AutoEncoder((4, 3), training=FEW)


MODELS = {
    "global mean": baselines.GlobalMean,
    "perturbation mean": baselines.PerturbationMean,
    "line mean": baselines.LineMean,
    "mean effects": baselines.MeanEffects,
    "tissue mean": lambda: baselines.TissueMean(TISSUE),
    "completed table": lambda: TableCompletion((5.0, 1.0), iterations=6),
    "ridge": Ridge,
    "ridge, one alpha": lambda: Ridge((3.0,), standardize=False),
    "least squares": LinearRegression,
    "BEMKL": lambda: BEMKL(iterations=3),
    "CCA and ridge": lambda: CCAReduced(Ridge(), 2, (0.1, 0.1)),
    "one lasso a perturbation": lambda: PerPerturbation(PlainLasso()),
    "lasso": lambda: Lasso(5, inner=3),
    "elastic net": lambda: ElasticNet(0.5, 5, inner=3, ensemble=False),
    "nearest lines": lambda: NearestLines(3),
    "forest": lambda: RandomForest(3, max_features=0.5),
    "boosting": lambda: BoostedTrees(3, max_features=0.5),
    "LightGBM": lambda: LightGBM(3, max_leaves=4, min_leaf=3),
    "network": lambda: FeedForward((4,), dropout=0.2, training=FEW),
    "network, correlation": lambda: FeedForward((4,), loss="correlation", training=FEW),
    "autoencoders": lambda: EncoderRegressorDecoder(
        autoencoder(), autoencoder(), FeedForward((4,), training=FEW)
    ),
    "two branches": lambda: TwoBranch(Names(), (4,), (4,), training=FEW),
    "all perturbations at once": lambda: PanPerturbation(DecisionTreeRegressor(), Names()),
    "omics network": lambda: NETWORK,
    "joint fusion": lambda: JointFusion({"expression": NETWORK, "rppa": NETWORK}, training=FEW),
    "autoencoder fusion": lambda: AutoencoderFusion((3,), (4,), training=FEW),
    "attention": lambda: AttentionFusion({"expression": NETWORK, "rppa": NETWORK}),
    "layered ensemble": lambda: LayeredEnsemble(
        [MaskedAutoencoder(3, training=FEW), PrincipalComponents(3)], Ridge((3.0,))
    ),
    "bagged": lambda: Bagged(Ridge((3.0,)), 2, share=1.0),
}
SCALES = ("mean_", "scale_", "x_mean_", "x_scale_", "y_mean_", "y_scale_", "perturbation_means_")


@cache
def fitted(name):
    return MODELS[name]().fit(X, Y)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("name", MODELS)
def test_a_prediction_is_a_rows_own(name):
    model, before = fitted(name), X.copy()
    P = model.predict(X)
    shuffled = RNG.permutation(40)
    copies = np.repeat(np.arange(12), 5)
    for rows in (np.arange(40), [7], [0, 39], shuffled, copies):
        again = model.predict(X.iloc[rows])
        pd.testing.assert_frame_equal(again, P.iloc[rows], rtol=1e-6, atol=1e-6)
    pd.testing.assert_frame_equal(X, before, check_exact=True)


@pytest.mark.parametrize("name", MODELS)
def test_a_fit_changes_neither_table(name):
    x, y = X.copy(), Y.copy()
    MODELS[name]().fit(x, y)
    pd.testing.assert_frame_equal(x, X, check_exact=True)
    pd.testing.assert_frame_equal(y, Y, check_exact=True)


@pytest.mark.parametrize("name", MODELS)
def test_doubling_every_row_leaves_what_was_scaled(name):
    names = LINES.append(LINES + " again")
    twice = [pd.concat([table, table]).set_axis(names) for table in (X, Y)]
    once, doubled = scales(fitted(name)), scales(MODELS[name]().fit(*twice))
    assert list(once) == list(doubled)
    for path in once:
        np.testing.assert_allclose(doubled[path], once[path], rtol=1e-5, atol=1e-9, err_msg=path)
    assert once or name in {"global mean", "line mean", "mean effects"}


def scales(model, path="") -> dict[str, np.ndarray]:
    """Means and scales that a model has learned, and the models in it, by their path."""
    result = {}
    for name, value in vars(model).items():
        here = f"{path}.{name}"
        if name in SCALES:
            result[here] = np.asarray(value)
        elif name == "regressor_" or (name == "parts_" and hasattr(model, "representations_")):
            continue  # scales what other parts have learned
        elif name.endswith("_") and isinstance(value, BaseEstimator):
            result |= scales(value, here)
        elif name.endswith("_") and isinstance(value, dict | list):
            value = dict(enumerate(value)) if isinstance(value, list) else value
            for key, part in value.items():
                result |= scales(part, f"{here}.{key}") if isinstance(part, BaseEstimator) else {}
    return result


def test_every_model_of_the_library_is_here():
    """Those that learn from tables of lines; the models of pairs have tests of their own."""
    found = set()
    for module in pkgutil.walk_packages(cdp_lib.models.__path__, "cdp_lib.models."):
        for _, one in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if one.__module__.startswith("cdp_lib.models") and {"fit", "predict"} <= set(dir(one)):
                found.add(one)
    abstract = {one for one in found if any(issubclass(o, one) and o != one for o in found)}
    of_pairs = {module.__name__ for module in (drug_effects, drug_pair, pair_rows)}
    pairs = {one for one in found if one.__module__ in of_pairs}
    here = {type(make()) for make in MODELS.values()}
    missing = {one.__name__ for one in found - abstract - pairs - here}
    assert missing <= {"Stacker", *NEED_MORE}, "add a small instance to MODELS"


@pytest.mark.parametrize(
    "model",
    [
        ResponseNetwork(drug_input=Names(), training=FEW),
        SupportVectors(drug_input=Names(), C=(1.0,), gammas=((0.05, 1.0),)),
    ],
    ids=lambda model: type(model).__name__,
)
def test_a_prediction_is_a_rows_own_where_drugs_are_told(model):
    x, drugs = X["expression"], pd.DataFrame(index=Y.columns)
    fitted = model.fit(x, Y, perturbations=drugs)
    whole = fitted.predict(x)
    np.testing.assert_allclose(fitted.predict(x.iloc[3:7]), whole.iloc[3:7], rtol=1e-4, atol=1e-6)
    assert whole.iloc[:, 0].nunique() > 1


NEED_MORE = {  # with the property in tests of their own
    "ResponseNetwork",  # above
    "SupportVectors",
    "SimilarDrugs",  # needs a table of perturbations
    "SingleGene",  # knows features by one name each
    "Rebuilt",  # predicts X itself
    "Turned",  # a row is a perturbation there, and so is what a prediction belongs to
    "OneNumber",
    "Machine",  # one of those that SupportVectors chooses from
}
