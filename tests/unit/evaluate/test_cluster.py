"""The same cross-validation on a real Dask cluster: two worker processes, identical numbers."""

import os
from types import SimpleNamespace

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import BaseEstimator
from threadpoolctl import threadpool_limits

from cdp_lib.errors import InputError
from cdp_lib.evaluate import cross_validate
from cdp_lib.models.base.training import Training
from cdp_lib.models.linear import Ridge
from cdp_lib.models.networks.feedforward import FeedForward
from cdp_lib.splits import leave_lines_out

distributed = pytest.importorskip(
    "distributed", reason="no Dask here: pip install 'cdp-lib[cluster]' to test it"
)


@pytest.fixture(scope="module")
def client():
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    )
    with cluster, distributed.Client(cluster) as client:
        yield client


@pytest.fixture(scope="module")
def cohort():
    rng = np.random.default_rng(0)
    names = pd.Index([f"line {i}" for i in range(60)], name="line")
    X = pd.DataFrame(rng.normal(size=(60, 30)), names).add_prefix("gene ")
    Y = pd.DataFrame(X.to_numpy() @ rng.normal(size=(30, 10)), names).add_prefix("drug ")
    Y = Y.mask(rng.random(Y.shape) < 0.1).astype("float32")
    lines = pd.DataFrame({"tissue": rng.choice(["lung", "skin"], 60)}, names)
    return SimpleNamespace(Y=Y, lines=lines, X=lambda omics: X)


@pytest.fixture
def one_thread():
    """As many threads here as a worker has: sums in another order differ in their last bits."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with threadpool_limits(1):
        yield
    torch.set_num_threads(before)


def test_two_workers_give_the_same_numbers_as_one_process(client, cohort, one_thread):
    training = Training(epochs=5, device="cpu")
    models = {"ridge": Ridge(), "network": FeedForward(dropout=0.1, training=training)}
    split = leave_lines_out(cohort, n_folds=3)
    here = cross_validate(models, cohort, split, axis=("perturbation", "line", "global"))
    with joblib.parallel_config("dask"):
        there = cross_validate(models, cohort, split, axis=("perturbation", "line", "global"))
    pd.testing.assert_frame_equal(here, there, check_exact=True)


def test_the_work_is_done_by_both_workers(client, cohort, tmp_path):
    class SignsItsWork(BaseEstimator):  # defined here, so that it travels to the workers whole
        def __init__(self, folder):
            self.folder = folder

        def fit(self, X, Y):
            import time

            time.sleep(0.2)  # leave the other worker something to do
            self.columns_ = Y.columns
            (self.folder / f"{os.getpid()}").touch()
            return self

        def predict(self, X):
            return pd.DataFrame(0.0, X.index, self.columns_)

    with joblib.parallel_config("dask"):
        cross_validate(
            {"signs": SignsItsWork(tmp_path)}, cohort, leave_lines_out(cohort, 8), baselines=False
        )
    signed = {int(path.name) for path in tmp_path.iterdir()}
    assert signed == set(client.run(os.getpid).values())
    assert os.getpid() not in signed


def test_a_failure_on_a_worker_names_model_and_fold(client, cohort):
    with joblib.parallel_config("dask"), pytest.raises(InputError, match="in model 'bad', fold"):
        cross_validate({"bad": Ridge(alphas=())}, cohort, leave_lines_out(cohort, 2))
