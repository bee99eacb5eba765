"""Attention over predictions: equation 7, what it can reach, and that it goes by names."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from cdp_lib.errors import InputError
from cdp_lib.models.fusion.attention import STEPS, Attention, Stacker

RNG = np.random.default_rng(0)
TRUTH = pd.DataFrame(RNG.normal(size=(30, 2)), columns=["drug 0", "drug 1"])
PARTS = {"good": TRUTH + 0.1, "noise": TRUTH - TRUTH + RNG.normal(size=TRUTH.shape)}


def steps(epochs):
    return replace(STEPS, epochs=epochs)


def test_attention_reaches_the_best_convex_combination():
    rng = np.random.default_rng(0)
    truth = pd.DataFrame(rng.normal(size=(60, 2)))
    parts = {f"omics {m}": truth * 0.5 + rng.normal(size=truth.shape) for m in range(2)}
    grid = np.linspace(0, 1, 1001)
    weights = Stacker(training=steps(300)).fit(parts, truth).weights(parts)
    for drug in truth:
        a, b = (part[drug].to_numpy() for part in parts.values())
        errors = [np.square(truth[drug] - w * a - (1 - w) * b).mean() for w in grid]
        assert abs(weights.iloc[drug, 0] - grid[np.argmin(errors)]) < 0.01


def test_equation_7_with_its_kill_matrix_is_one_softmax_a_drug():
    omics, drugs = 3, 4
    generator = torch.Generator().manual_seed(0)
    full = torch.randn(drugs, omics, drugs, generator=generator)  # (d, m, i)
    P = torch.randn(5, omics, drugs, generator=generator)
    killed = full.exp() * torch.eye(drugs)[:, None, :]
    W = killed / full.exp().sum(dim=1, keepdim=True)
    wanted = torch.einsum("dmi,rmi->rd", W, P)
    module = Attention(omics, drugs)
    with torch.no_grad():
        module.logits.copy_(full.diagonal(dim1=0, dim2=2))
        torch.testing.assert_close(module(P), wanted)


def test_attention_by_line_can_follow_the_line():
    rng = np.random.default_rng(0)
    truth = pd.DataFrame(rng.normal(size=(300, 1)))
    good_below = truth.where(truth < 0, 3.0)
    good_above = truth.where(truth >= 0, 0.0)
    parts = {"below": good_below, "above": good_above}
    left = {
        kind: ((Stacker(kind, steps(300)).fit(parts, truth).predict(parts) - truth) ** 2)
        .mean()
        .item()
        for kind in ("drug", "line", "mean")
    }
    assert left["line"] < 0.5 * left["drug"] < left["mean"]


@pytest.mark.parametrize("kind", ["drug", "line"])
def test_omics_are_matched_by_name(kind):
    model = Stacker(kind, steps(20)).fit(PARTS, TRUTH)
    turned = dict(reversed(PARTS.items()))
    pd.testing.assert_frame_equal(model.predict(turned), model.predict(PARTS), check_exact=True)
    pd.testing.assert_frame_equal(model.weights(turned), model.weights(PARTS), check_exact=True)
    assert (model.weights(turned)["good"] > 0.6).all()


def test_other_lines_stop_the_attention_and_teach_nothing():
    part = {name: table[:20] for name, table in PARTS.items()}
    rest = {name: table[20:] for name, table in PARTS.items()}
    alone = Stacker(training=steps(6)).fit(part, TRUTH[:20])
    watched = Stacker(training=steps(6)).fit(part, TRUTH[:20], validation=(rest, TRUTH[20:]))
    assert alone.history_.train == watched.history_.train and alone.history_.validation == {}
    assert len(watched.history_.validation["loss"]) == 6
    np.testing.assert_array_equal(watched.mean_, TRUTH[:20].mean())
    early = replace(steps(300), patience=2, lr=0.5, validation_fraction=0.3)
    model = Stacker(training=early).fit(PARTS, TRUTH)
    assert len(model.history_.validation["loss"]) < 300
    assert not np.allclose(model.mean_, TRUTH.mean())


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: Stacker().predict(PARTS), "not fitted yet"),
        (
            lambda: Stacker(training=steps(1)).fit(PARTS, TRUTH).predict({"good": TRUTH}),
            "predictions of good",
        ),
        (lambda: Stacker().fit({"good": TRUTH.iloc[::-1]}, TRUTH), "'good' name other lines"),
        (lambda: Stacker("mean").fit({"a": TRUTH, "b": TRUTH.iloc[::-1]}, TRUTH), "'b' name other"),
        (lambda: Stacker().fit({"good": TRUTH.iloc[:, ::-1]}, TRUTH), "lines or drugs"),
        (lambda: Stacker().fit({"good": TRUTH.to_numpy()}, TRUTH), "'good' are a ndarray"),
        (lambda: Stacker(training=steps(-1)).fit(PARTS, TRUTH), "epochs is -1"),
    ],
)
def test_bad_input_is_one_sentence(call, words):
    with pytest.raises(InputError, match=words):
        call()
