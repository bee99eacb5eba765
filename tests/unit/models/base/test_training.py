"""The training loop: it learns, stops, restores, repeats itself, and fails in one sentence."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from cdp_lib.errors import InputError
from cdp_lib.models.base.training import (
    Training,
    masked_correlation,
    masked_mse,
    pick_device,
    seeded,
    train,
)


def mse(module, x, y):
    return masked_mse(module(x), y)


def linear_data(rows=101, noise=0.1):
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(rows, 4, generator=generator)
    y = x @ torch.tensor([[1.0], [-2.0], [0.0], [3.0]])
    return x, y + noise * torch.randn(rows, 1, generator=generator)


def network(dropout=0.0):
    with seeded(0):
        return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(dropout), nn.Linear(8, 1))


def weights_of(module):
    return torch.cat([tensor.flatten() for tensor in module.state_dict().values()])


def test_it_learns():
    x, y = linear_data()
    module = nn.Linear(4, 1)
    history = train(
        module, mse, (x, y), training=Training(epochs=200, batch_size=16, lr=0.05, device="cpu")
    )
    assert history.train["loss"][-1] < 0.02 < history.train["loss"][0]
    assert torch.allclose(module.weight, torch.tensor([[1.0, -2.0, 0.0, 3.0]]), atol=0.05)
    assert history.best_epoch == 199 and history.validation == {} and history.device == "cpu"
    assert not module.training


def test_two_runs_are_identical_and_a_third_seed_is_not():
    def run(seed):
        module = network(dropout=0.3)
        history = train(
            module,
            mse,
            linear_data(),
            training=Training(epochs=5, batch_size=16, lr=0.01, seed=seed, device="cpu"),
        )
        return weights_of(module), history.train

    (first, losses), (second, same), (other, _) = run(3), run(3), run(4)
    assert torch.equal(first, second) and losses == same
    assert not torch.equal(first, other)


def test_the_global_generator_is_left_alone():
    torch.manual_seed(11)
    before = torch.random.get_rng_state()
    train(
        network(0.5),
        mse,
        linear_data(),
        training=Training(epochs=2, batch_size=16, lr=0.01, device="cpu"),
    )
    with seeded(5):
        torch.rand(3)
    # network() builds its weights inside seeded(), so nothing at all may have moved
    assert torch.equal(torch.random.get_rng_state(), before)


def test_it_stops_early_and_restores_the_best_weights():
    x, y = linear_data(rows=20, noise=2.0)
    validation = linear_data(rows=50)
    module = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 1))
    history = train(
        module,
        mse,
        (x, y),
        validation,
        training=Training(epochs=500, batch_size=50, lr=0.05, patience=7, device="cpu"),
    )
    losses = history.validation["loss"]
    assert len(losses) < 500
    assert history.best_epoch == losses.index(min(losses)) == len(losses) - 1 - 7
    assert mse(module, *validation).item() == pytest.approx(min(losses), rel=1e-6)


def test_without_patience_the_best_weights_come_back_after_all_epochs():
    validation = linear_data(rows=50)
    module = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 1))
    history = train(
        module,
        mse,
        linear_data(20, 2.0),
        validation,
        training=Training(epochs=60, batch_size=50, lr=0.05, patience=None, device="cpu"),
    )
    losses = history.validation["loss"]
    assert len(losses) == 60
    assert mse(module, *validation).item() == pytest.approx(min(losses), rel=1e-6)


@pytest.mark.parametrize(("rows", "batch_size"), [(101, 10), (11, 10), (9, 10), (1, 10), (7, 1)])
def test_every_row_is_seen_once_an_epoch_in_batches_of_nearly_equal_size(rows, batch_size):
    seen, sizes = [], []

    def watch(module, row):
        seen.extend(row.tolist())
        sizes.append(len(row))
        return module(row.float()[:, None]).square().mean()

    train(
        nn.Linear(1, 1),
        watch,
        (torch.arange(rows),),
        training=Training(epochs=2, batch_size=batch_size, lr=0.1, device="cpu"),
    )
    assert sorted(seen[:rows]) == sorted(seen[rows:]) == list(range(rows))
    assert max(sizes) <= batch_size and max(sizes) - min(sizes) <= 1
    assert rows < 3 or seen[:rows] != seen[rows:], "each epoch has its own order"


def test_named_terms_are_kept_as_means_over_rows():
    def two_terms(module, x, y):
        return {"loss": mse(module, x, y), "size": x.new_tensor(float(len(x)))}

    history = train(
        nn.Linear(4, 1),
        two_terms,
        linear_data(5),
        linear_data(3),
        training=Training(epochs=2, batch_size=4, lr=0.01, device="cpu"),
    )
    assert set(history.train) == set(history.validation) == {"loss", "size"}
    assert history.train["size"] == pytest.approx((13 / 5, 13 / 5))  # batches of 3 and 2 rows
    assert history.validation["size"] == (3.0, 3.0)


def test_validation_neither_learns_nor_drops_out():
    def judged(module, x):
        judged.modes.append((module.training, torch.is_grad_enabled()))
        return module(x).square().mean()

    judged.modes = []
    data = (torch.ones(4, 4),)
    train(
        network(0.5),
        judged,
        data,
        data,
        training=Training(epochs=1, batch_size=4, lr=0.1, device="cpu"),
    )
    assert judged.modes == [(True, True), (False, False)]


def test_masked_mse_counts_known_cells_only():
    prediction = torch.tensor([[1.0, 5.0], [3.0, 7.0]], requires_grad=True)
    target = torch.tensor([[0.0, float("nan")], [float("nan"), 4.0]])
    loss = masked_mse(prediction, target)
    loss.backward()
    assert loss.item() == (1.0 + 9.0) / 2
    assert prediction.grad.tolist() == [[1.0, 0.0], [0.0, 3.0]]


def test_masked_mse_of_an_unknown_batch_is_zero_with_zero_gradient():
    prediction = torch.ones(2, 2, requires_grad=True)
    loss = masked_mse(prediction, torch.full((2, 2), float("nan")))
    loss.backward()
    assert loss.item() == 0.0 and prediction.grad.tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_masked_correlation_is_pearsons_over_the_known_rows():
    rng = np.random.default_rng(0)
    y, f = rng.normal(size=(2, 30, 4))
    y[rng.random(y.shape) < 0.3] = np.nan
    y[:, 3] = np.where(np.isnan(y[:, 3]), np.nan, 2.0)  # constant: it does not count
    loss = masked_correlation(torch.tensor(f), torch.tensor(y))
    r = [pd.Series(f[:, j]).corr(pd.Series(y[:, j])) for j in range(3)]
    assert loss.item() == pytest.approx(1 - np.mean(r))
    moved = masked_correlation(torch.tensor(5 * f - 2), torch.tensor(y / 3 + 1))
    assert moved.item() == pytest.approx(loss.item())  # neither scale nor offset matters


@pytest.mark.parametrize(
    "target",
    [
        [[1.0, 2.0]],  # one row
        [[1.0, 2.0], [1.0, math.nan], [math.nan, 2.0]],  # constant labels
        [[math.nan, math.nan], [math.nan, 3.0]],
    ],
)
def test_a_correlation_that_nothing_defines_is_zero_with_zero_gradient(target):
    target = torch.tensor(target)
    prediction = torch.arange(2.0 * len(target)).reshape(-1, 2).requires_grad_()
    loss = masked_correlation(prediction, target)
    loss.backward()
    assert loss.item() == 0.0 and not prediction.grad.any()


def test_the_correlation_of_a_constant_prediction_is_zero_and_can_be_learned_from():
    prediction = torch.ones(3, 1, requires_grad=True)
    loss = masked_correlation(prediction, torch.tensor([[1.0], [2.0], [3.0]]))
    loss.backward()
    assert loss.item() == 1.0 and torch.isfinite(prediction.grad).all()
    assert prediction.grad[0] > 0 > prediction.grad[2]


def test_a_loss_that_explodes_is_one_sentence():
    with pytest.raises(InputError, match="epoch .* lr than 1e"):
        train(
            network(),
            mse,
            linear_data(),
            training=Training(epochs=50, batch_size=16, lr=1e30, device="cpu"),
        )


def test_weight_decay_is_apart_from_the_gradient():
    """AdamW shrinks weights by lr * weight_decay a step; Adam would scale the decay to lr."""
    module = nn.Linear(4, 1)
    before = module.weight.detach().clone()
    training = Training(epochs=3, batch_size=None, lr=0.1, weight_decay=0.5, device="cpu")
    train(module, lambda module, x: 0 * module(x).sum(), (torch.ones(5, 4),), training=training)
    torch.testing.assert_close(module.weight, before * (1 - 0.1 * 0.5) ** 3)


def test_without_a_batch_size_a_batch_is_all_rows():
    sizes = []

    def watch(module, x, y):
        sizes.append(len(x))
        return mse(module, x, y)

    training = Training(epochs=2, batch_size=None, device="cpu")
    train(nn.Linear(4, 1), watch, linear_data(101), training=training)
    assert sizes == [101, 101]


def test_no_rows_or_unequal_rows_are_refused():
    for bad in ((torch.ones(0, 4), torch.ones(0, 1)), (torch.ones(3, 4), torch.ones(2, 1))):
        with pytest.raises(InputError, match="rows"):
            train(
                network(), mse, bad, training=Training(epochs=1, batch_size=2, lr=0.1, device="cpu")
            )
        with pytest.raises(InputError, match="rows"):
            train(
                network(),
                mse,
                linear_data(),
                bad,
                training=Training(epochs=1, batch_size=2, lr=0.1, device="cpu"),
            )


def test_cuda_asked_for_and_absent(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert pick_device().type == "cpu"
    with pytest.raises(InputError, match="no CUDA"):
        pick_device("cuda")
    with pytest.raises(InputError, match="Unknown device 'gpu'"):
        pick_device("gpu")
    with pytest.raises(InputError, match="Unknown device None"):
        pick_device(None)


def test_auto_takes_cuda_where_there_is_one(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert pick_device().type == "cuda"


def test_the_learning_rate_warms_up_and_is_halved_on_a_plateau():
    x, y = linear_data()
    steady = Training(epochs=6, batch_size=16, lr=0.01, warmup=3, device="cpu")
    history = train(network(), mse, (x, y), training=steady)
    assert history.lr == pytest.approx((0.0025, 0.005, 0.0075, 0.01, 0.01, 0.01))
    never_better = (x, torch.full_like(y, float("nan")))  # a loss of 0 in every epoch
    plateau = Training(epochs=7, lr=0.01, plateau=2, patience=None, device="cpu")
    history = train(network(), mse, (x, y), never_better, plateau)
    assert history.lr == pytest.approx((0.01, 0.01, 0.01, 0.005, 0.005, 0.0025, 0.0025))
    slower = replace(plateau, plateau_factor=0.8, lowest_lr=0.007)
    history = train(network(), mse, (x, y), never_better, slower)
    assert history.lr == pytest.approx((0.01, 0.01, 0.01, 0.008, 0.008, 0.007, 0.007))
    rising = replace(slower, warmup=3, plateau=None)  # a rate that starts below the lowest
    assert train(network(), mse, (x, y), training=rising).lr[0] == pytest.approx(0.0025)
    with pytest.raises(InputError, match="plateau=2"):
        train(network(), mse, (x, y), training=plateau)
    falling = Training(epochs=5, lr=0.01, warmup=1, decay=True, device="cpu")
    half = 0.5 + 0.5**0.5 / 2  # half a cosine, an eighth of a turn on
    lr = train(network(), mse, (x, y), training=falling).lr
    assert lr == pytest.approx((0.005, 0.01, 0.01 * half, 0.005, 0.01 * (1 - half)))


def test_a_loss_may_change_with_the_epoch():
    numbers, weights = [], []

    def loss(module, x, y):
        weights.append(float(numbers[-1]))
        return {"loss": numbers[-1] * mse(module, x, y), "weight": torch.tensor(weights[-1])}

    few = Training(epochs=3, batch_size=32, patience=None, device="cpu")
    history = train(network(), loss, linear_data(), training=few, begin=numbers.append)
    assert numbers == [0, 1, 2] and history.train["weight"] == (0.0, 1.0, 2.0)


def test_a_schedule_changes_what_is_learned():
    def run(**changes):
        how = Training(epochs=12, batch_size=16, lr=0.05, patience=None, device="cpu", **changes)
        return train(network(), mse, linear_data(), linear_data(noise=5.0), how).train

    assert run() != run(warmup=4)
    assert run() != run(plateau=1)
    assert run() != run(decay=True)
