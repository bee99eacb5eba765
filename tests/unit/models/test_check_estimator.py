"""scikit-learn's own checks of an estimator: which pass, and why the others do not.

| check | why it is not passed |
|---|---|
| check_n_features_in_after_fitting, check_complex_data, check_fit2d_predict1d, check_requires_y_none, check_estimators_empty_data_messages | the input is refused as it should be, in a sentence of this library's words |
| check_dtype_object | a column that holds Python objects is refused instead of converted |
| check_regressor_data_not_an_array, check_transformer_data_not_an_array | a table is a DataFrame, an array or lists, not any class of one's own that can become an array |
| check_supervised_y_2d | Y of one column is a table of one perturbation, and nothing to warn of |
| check_regressors_train | a few steps of training, or one component, are too few for a score of 0.5 |
| check_estimators_nan_inf | an autoencoder takes unknown values |
| check_parameters_default_constructible | how to train is one component, `Training`, not ten numbers |

CCA joins two tables, and scikit-learn's checks give a single column as Y: they do not apply to it.
"""  # noqa: E501

import pytest
from sklearn.linear_model import LinearRegression as PlainLeastSquares
from sklearn.utils.estimator_checks import check_estimator

from cdp_lib.models.base.training import Training
from cdp_lib.models.layered import Bagged, LayeredEnsemble
from cdp_lib.models.linear import Lasso, LinearRegression, Ridge
from cdp_lib.models.nearest import NearestLines
from cdp_lib.models.networks.autoencoders import AutoEncoder
from cdp_lib.models.networks.feedforward import FeedForward
from cdp_lib.models.networks.masked import MaskedAutoencoder
from cdp_lib.models.networks.variational import GeneVAE
from cdp_lib.models.per_perturbation import PerPerturbation
from cdp_lib.models.representations import PrincipalComponents
from cdp_lib.models.trees import BoostedTrees, LightGBM, RandomForest

FEW = Training(epochs=2, validation_fraction=0.0, device="cpu")
OWN_WORDS = {
    "check_n_features_in_after_fitting",
    "check_complex_data",
    "check_fit2d_predict1d",
    "check_estimators_empty_data_messages",
}
OBJECTS = {"check_dtype_object"}
REGRESSOR = {
    "check_requires_y_none",
    "check_regressor_data_not_an_array",
    "check_supervised_y_2d",
}
MODELS = {
    "ridge": (Ridge(), set()),
    "lasso": (Lasso(3), set()),
    "least squares": (LinearRegression(), set()),
    "nearest lines": (NearestLines(3), set()),
    "forest": (RandomForest(5), set()),
    "boosting": (BoostedTrees(5), {"check_regressors_train"}),
    "LightGBM": (LightGBM(5), {"check_regressors_train"}),
    "one model a perturbation": (PerPerturbation(PlainLeastSquares()), set()),
    "bagged": (Bagged(Ridge(), 2), set()),
    "layered ensemble": (
        LayeredEnsemble([PrincipalComponents(1), PrincipalComponents(1)], Ridge()),
        {"check_regressors_train"},
    ),
    "network": (
        FeedForward((4,), training=FEW),
        {"check_regressors_train", "check_parameters_default_constructible"},
    ),
}
AUTOENCODER = {
    "check_estimators_nan_inf",
    "check_transformer_data_not_an_array",
    "check_parameters_default_constructible",
}


def failures(model) -> set[str]:
    """The checks that a model fails; each is a function of scikit-learn."""
    results = check_estimator(model, on_fail=None, on_skip=None)
    assert len(results) > 40
    return {one["check_name"] for one in results if one["status"] == "failed"}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", MODELS)
def test_a_regressor_passes_all_other_checks(name):
    model, more = MODELS[name]
    assert failures(model) <= OWN_WORDS | OBJECTS | REGRESSOR | more


TRANSFORMERS = {
    "autoencoder": AutoEncoder((4, 2), training=FEW),
    "masked autoencoder": MaskedAutoencoder(2, training=FEW),
    "principal components": PrincipalComponents(1),
    "variational autoencoder": GeneVAE(2, hidden=4, training=FEW),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", TRANSFORMERS)
def test_a_transformer_passes_all_other_checks(name):
    more = AUTOENCODER if name == "autoencoder" else AUTOENCODER - {"check_estimators_nan_inf"}
    assert failures(TRANSFORMERS[name]) <= OWN_WORDS | OBJECTS | more


def test_what_fails_is_told_above():
    for name in OWN_WORDS | OBJECTS | REGRESSOR | AUTOENCODER | {"check_regressors_train"}:
        assert name in __doc__
