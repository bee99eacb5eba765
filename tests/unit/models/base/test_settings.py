"""Settings are refused in one sentence, and a component is shared without being changed."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from cdp_lib.errors import InputError
from cdp_lib.models.base.settings import (
    WIDTHS,
    Estimator,
    Instance,
    Number,
    OneOf,
    Tuple,
    Workers,
    check_number,
    check_setting,
    check_settings,
)
from cdp_lib.models.base.training import Training
from cdp_lib.models.networks.feedforward import FeedForward

WHOLE = Number(least=1, whole=True)


@pytest.mark.parametrize(
    ("allowed", "right", "wrong"),
    [
        (Number(), [0, 0.5, np.float32(2), np.int64(3)], [-1, True, np.True_, "1", None, np.nan]),
        (Number(below=1), [0, 0.99], [1, np.inf]),
        (Number(most=1), [0, 1, 1.0], [1.01, np.inf]),
        (WHOLE, [1, np.int64(3)], [0, 1.0, 2.5, True]),
        ([Number(), None], [0, None], ["", False]),
        (OneOf("relu", "tanh"), ["tanh"], [[], {}, None, "swish", 0]),
        (OneOf(True, False), [True, False], [0, 1, "True", None]),
        (WIDTHS, [(), (3,), [4, 2]], [3, (0,), (True,), (2.5,), "32", None]),
        (Tuple(WHOLE, least=1), [(1,)], [(), []]),
        (Instance(Training), [Training()], [Training, None, {"lr": 1}]),
        ([Workers(), None], [None, -1, 2], [0, True, 1.5]),
    ],
)
def test_what_is_allowed_passes_and_all_else_is_one_sentence(allowed, right, wrong):
    for value in right:
        check_setting("size", value, allowed)
    for value in wrong:
        with pytest.raises(InputError, match=r"^size is .*\.$"):
            check_setting("size", value, allowed)


def test_a_sentence_names_all_that_is_allowed():
    with pytest.raises(InputError, match="1 and below 9 or None"):
        check_setting("patience", 0, [Number(least=1, below=9, whole=True), None])
    with pytest.raises(InputError, match="n is -3"):
        check_number("n", -3)
    with pytest.raises(InputError, match="0 and at most 1\\."):
        check_setting("share", 1.5, Number(most=1))
    with pytest.raises(InputError, match="a tuple of 1 or more, each of them an object"):
        check_setting("inputs", (), Tuple(Instance(Training), least=1))


def test_the_settings_of_a_model_are_checked_by_name():
    class Model(Estimator):
        _settings = {"depth": WHOLE, "kind": OneOf("a", "b")}

        def __init__(self, depth=1, kind="a"):
            self.depth, self.kind = depth, kind

    check_settings(Model())
    with pytest.raises(InputError, match="kind is 'c'"):
        check_settings(Model(kind="c"))


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("epochs", -1),
        ("epochs", 2.5),
        ("batch_size", 0),
        ("lr", -0.1),
        ("lr", float("nan")),
        ("lr", "fast"),
        ("weight_decay", None),
        ("patience", -1),
        ("seed", None),
        ("seed", True),
        ("validation_fraction", 1.0),
    ],
)
def test_a_training_with_a_bad_setting_cannot_be_made(setting, value):
    with pytest.raises(InputError, match=f"{setting} is {value!r}"):
        Training(**{setting: value})


def test_a_component_is_reached_by_name_cloned_and_pickled():
    model = FeedForward((4,), training=Training(lr=0.1))
    assert model.get_params()["training__lr"] == 0.1
    assert clone(model).training == pickle.loads(pickle.dumps(model)).training == model.training
    assert repr(model) == "FeedForward(hidden=(4,), training=Training(lr=0.1))"


def test_setting_a_part_of_a_component_changes_one_model_only():
    shared = Training(epochs=3)
    first, second = FeedForward(training=shared), FeedForward(training=shared)
    plain = FeedForward()
    plain.set_params(training__lr=0.5)
    first.set_params(training__epochs=9, hidden=(2,))
    assert (first.training.epochs, first.hidden) == (9, (2,))
    assert second.training is shared and shared.epochs == 3
    assert FeedForward().training.lr == Training().lr, "a default is shared by all models"
    both = FeedForward().set_params(training__lr=0.2, training=shared)
    assert both.training == Training(epochs=3, lr=0.2)
    pipeline = make_pipeline(StandardScaler(), FeedForward())
    pipeline.set_params(feedforward__training__seed=4)
    assert pipeline[-1].training.seed == 4


def test_a_component_never_changes():
    training = Training()
    with pytest.raises(InputError, match="Training never changes"):
        training.set_params(lr=1.0)
    with pytest.raises(AttributeError):
        training.lr = 1.0
    with pytest.raises(InputError, match="has no 'rate'"):
        FeedForward().set_params(training__rate=1.0)
    with pytest.raises(InputError, match="lr is -1"):
        FeedForward().set_params(training__lr=-1)


def test_scikit_learn_searches_through_a_component():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    Y = X @ rng.normal(size=(3, 2))
    model = FeedForward((4,), training=Training(epochs=5, device="cpu"))
    grid = GridSearchCV(model, {"training__lr": [1e-6, 0.05]}, cv=2).fit(X, Y)
    assert grid.best_params_ == {"training__lr": 0.05}
    assert grid.best_estimator_.training.lr == 0.05 and model.training.lr == 1e-3
