"""Networks on one and on several omics: sizes, graphs, joint training, autoencoders."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import pearsonr
from torch import nn

from cdp_lib.data import Cohort
from cdp_lib.errors import InputError
from cdp_lib.models.base.training import ALL_EPOCHS
from cdp_lib.models.fusion.graph import GraphLayer
from cdp_lib.models.fusion.omics_networks import (
    AutoencoderFusion,
    DenseEmbedding,
    GraphEmbedding,
    JointFusion,
    OmicsNetwork,
    paper_networks,
)
from cdp_lib.models.linear import Ridge
from cdp_lib.splits import leave_lines_out, leave_pairs_out

OMICS = ["expression", "mutation", "rppa"]
GENES = list("ABCDEF")
GRAPH = pd.DataFrame({"gene_a": ["A", "A", "C"], "gene_b": ["B", "D", "E"]})
RNG = np.random.default_rng(0)
LINES = pd.Index([f"line {i}" for i in range(45)])
TABLES = {
    "expression": pd.DataFrame(RNG.normal(3, 2, size=(45, 6)), LINES, GENES),
    "mutation": pd.DataFrame(RNG.integers(0, 2, size=(45, 6)), LINES, GENES),
    "rppa": pd.DataFrame(RNG.normal(size=(45, 5)), LINES).add_prefix("protein "),
}
RESPONSE = TABLES["expression"] @ RNG.normal(size=(6, 4)) + 0.5 * RNG.normal(size=(45, 4))
COHORT = Cohort.from_tables(
    RESPONSE.mask(RNG.random((45, 4)) < 0.1).add_prefix("drug "),
    TABLES,
    pd.DataFrame({"tissue": "lung", "donor": np.arange(45) // 2}, LINES),
)
X, Y = COHORT.X(OMICS), COHORT.Y


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def networks(**settings):
    """The paper's, small and fast."""
    made = paper_networks(OMICS, GRAPH, epochs=2)
    made["rppa"].set_params(embedding__size=5)
    return {name: network.set_params(**settings) for name, network in made.items()}


def short(epochs=2, **more):
    return replace(ALL_EPOCHS, epochs=epochs, **more)


MODELS = {
    "graph": lambda: networks()["expression"],
    "joint": lambda: JointFusion(networks(), training=short()),
    "joint by line": lambda: JointFusion(networks(), "line", short()),
    "autoencoders": lambda: AutoencoderFusion((4, 2), (3,), pretrain_epochs=2, training=short()),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("split", [leave_lines_out, leave_pairs_out], ids=lambda s: s.__name__)
def test_a_fit_never_sees_a_test_label(name, split, assert_blind_to_test_labels):
    omics = "expression" if name == "graph" else OMICS
    assert_blind_to_test_labels(MODELS[name], COHORT, split(COHORT, n_folds=2), omics)


def test_a_network_learns_from_its_graph():
    model = OmicsNetwork(GraphEmbedding(GRAPH), dropout=0.0, training=short(150, lr=0.01))
    train, test = LINES[:36], LINES[36:]
    E = X["expression"]
    P = model.fit(E.loc[train], Y.loc[train]).predict(E.loc[test])
    assert (((Y.loc[test] - P) ** 2).mean() < 0.6 * Y.loc[test].var()).all()
    assert any(isinstance(layer, GraphLayer) for layer in model.module_)


def test_the_sizes_of_both_readings():
    def widths(reading):
        return [
            (last.in_features, last.out_features)
            for name, network in paper_networks(OMICS, GRAPH, reading, epochs=1).items()
            for last in [network.fit(X[name], Y).module_[-1][-1]]
        ]

    assert widths("text") == [(64, 4), (32, 4), (128, 4)]
    assert widths("equation 7") == [(4, 4)] * 3
    graph, dense = GraphEmbedding, DenseEmbedding
    found = paper_networks([*OMICS, "copy_number", "metabolites"], GRAPH)
    assert [n.dropout for n in found.values()] == [0.2, 0.2, 0.4, 0.4, 0.2]
    assert [n.training.epochs for n in found.values()] == [200, 200, 1000, 200, 1000]
    assert [type(n.embedding) for n in found.values()] == [graph, graph, dense, graph, dense]
    assert {type(n.embedding) for n in paper_networks(OMICS, None).values()} == {dense}


def test_columns_of_zeros_are_left_out_by_the_training_lines():
    table = X["expression"].copy()
    table["A"] = 0.0
    table.iloc[40:, 0] = 5.0  # only where it is not trained
    model = OmicsNetwork(DenseEmbedding(3), training=short(1)).fit(table.iloc[:40], Y.iloc[:40])
    assert model.module_[0].positions.tolist() == [1, 2, 3, 4, 5]
    assert model.predict(table).shape == Y.shape


def test_joint_training_shows_its_attention():
    model = JointFusion(networks(), training=short(3)).fit(X, Y)
    assert list(model.weights_.columns) == OMICS and model.weights_.index.equals(Y.columns)
    np.testing.assert_allclose(model.weights_.sum(axis=1), 1, rtol=1e-5)
    assert (model.weights_.nunique(axis=1) > 1).all()


def test_joint_training_learns():
    train, test = LINES[:36], LINES[36:]
    for model in (
        JointFusion(networks(dropout=0.0), training=short(150, lr=0.01)),
        AutoencoderFusion((16, 6), (16,), 0.0, pretrain_epochs=30, training=short(150, lr=0.01)),
    ):
        P = model.fit(X.loc[train], Y.loc[train]).predict(X.loc[test])
        assert (((Y.loc[test] - P) ** 2).mean() / Y.loc[test].var()).mean() < 0.8


def test_pretraining_finds_what_an_omics_varies_in():
    hidden = RNG.normal(size=(45, 1))
    table = pd.DataFrame(hidden + 0.5 * RNG.normal(size=(45, 12)), LINES)
    one = pd.concat({"rppa": table}, axis=1)
    r = []
    for epochs in (0, 300):  # and no training after it
        model = AutoencoderFusion((1,), pretrain_epochs=epochs, training=short(0, lr=0.01)).fit(
            one, Y
        )
        latent = model.module_[0](model._scaled(one.to_numpy())).detach()[:, 0]
        r.append(abs(pearsonr(latent, hidden[:, 0]).statistic))
    assert r[1] > 0.97 > r[0]


def test_the_autoencoders_are_pretrained_with_the_weight_decay_given():
    plain, decayed = (
        AutoencoderFusion((2,), pretrain_epochs=5, training=short(0, weight_decay=decay)).fit(X, Y)
        for decay in (0.0, 10.0)
    )
    weights = [model.module_[0].side[0][1][0].weight.norm() for model in (plain, decayed)]
    assert weights[1] < 0.99 * weights[0]


def test_dropout_is_off_when_predicting():
    model = OmicsNetwork(dropout=0.5, training=short(1)).fit(X["rppa"], Y)
    assert isinstance(model.module_[3], nn.Dropout)
    pd.testing.assert_frame_equal(model.predict(X["rppa"]), model.predict(X["rppa"]))


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: JointFusion({}).fit(X, Y), "networks is empty"),
        (lambda: JointFusion({"rppa": Ridge()}).fit(X, Y), "'rppa' is of Ridge"),
        (lambda: JointFusion(networks()).fit(COHORT.X(["rppa"]), Y), "no omics 'expression'"),
        (lambda: OmicsNetwork(GraphEmbedding(GRAPH)).fit(X["rppa"].to_numpy(), Y), "name genes"),
        (lambda: GraphEmbedding([("A", "B")]), "graph is .*'A', 'B'"),
        (lambda: DenseEmbedding(0), "size is 0"),
        (lambda: OmicsNetwork(hidden=0).fit(X["rppa"], Y), "hidden is 0"),
        (lambda: OmicsNetwork(dropout=1.5).fit(X["rppa"], Y), "dropout is 1.5"),
        (lambda: short(-1), "epochs is -1"),
        (lambda: short(seed=None), "seed is None"),
        (lambda: AutoencoderFusion(()).fit(X, Y), r"encoder is \(\)"),
        (lambda: AutoencoderFusion(4).fit(X, Y), "encoder is 4"),
        (lambda: AutoencoderFusion(hidden=(3, 0)).fit(X, Y), r"hidden is \(3, 0\)"),
        (lambda: AutoencoderFusion(pretrain_epochs=-1).fit(X, Y), "pretrain_epochs is -1"),
        (
            lambda: OmicsNetwork(GraphEmbedding(GRAPH)).fit(X["rppa"], Y),
            "None of the 3 interactions",
        ),
        (lambda: OmicsNetwork("sparse").fit(X["rppa"], Y), "embedding is 'sparse'"),
        (lambda: OmicsNetwork().fit(0 * X["rppa"], Y), "raise max_zeros"),
        (lambda: paper_networks(["atac"], GRAPH), "no network for 'atac'"),
        (lambda: paper_networks(OMICS, GRAPH, "22"), "Unknown reading '22'"),
    ],
)
def test_bad_input_is_one_sentence(call, words):
    with pytest.raises(InputError, match=words):
        call()
