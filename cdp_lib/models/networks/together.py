"""Several masked autoencoders trained at once, each as it would be alone.

    z~ (models, rows, features) @ W (models, features, latent) + b        one batched product

Models that differ by their seed alone have weights of one shape.  Every model keeps its own draws,
the rows that stop it and its own number of epochs, so that training them side by side changes
nothing but the time: a GPU, which waits between small products, is kept at work.  On one core of
a CPU nothing is gained.
"""

import math
import time
from collections.abc import Sequence

import torch
from sklearn.base import clone
from torch import Tensor, nn

from cdp_lib.errors import InputError
from cdp_lib.models.base.stopping import set_aside
from cdp_lib.models.base.tables import Table, means_and_scales
from cdp_lib.models.base.training import History, check_finite, pick_device
from cdp_lib.models.networks.masked import MaskedAutoencoder


def fit_together(models: Sequence[MaskedAutoencoder], X: Table) -> list[MaskedAutoencoder]:
    """Fit these models to X in one batched training; they may differ by `training__seed` alone.

    Inside a layered ensemble they stay as they are in scikit-learn's `FrozenEstimator`:
    LayeredEnsemble([FrozenEstimator(each) for each in fit_together(models, X)], head).
    """
    _check_alike(models)
    x = [model._open_x(X) for model in models][0]  # (lines, features)
    for model in models:
        model.mean_, model.scale_ = means_and_scales(x)
    z, training = models[0]._scaled(x), models[0].training
    epochs = [training.epochs] * len(models)
    seeds = [model.training.seed for model in models]
    stops = [torch.from_numpy(set_aside(x, training.validation_fraction, s)) for s in seeds]
    if stops[0].any():
        judges = torch.stack([z[stop] for stop in stops])
        _, found = _trained(models, torch.stack([z[~stop] for stop in stops]), judges, epochs)
        for model, history in zip(models, found, strict=True):
            model.search_ = history
        epochs = [min(history.best_epoch + 1, training.epochs) for history in found]
    modules, found = _trained(models, z.expand(len(models), *z.shape), None, epochs)
    for model, module, history in zip(models, modules, found, strict=True):
        model.module_, model.history_ = module, history
    return list(models)


class SideBySide(nn.Module):
    """Modules of one shape as one: (models, rows, features) -> (models, rows, features)."""

    def __init__(self, modules: Sequence[nn.Module]):
        super().__init__()
        self.layers = [_layers(module) for module in modules]  # of each model
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for same in zip(*self.layers, strict=True):
            if isinstance(same[0], nn.Linear):
                self.weights.append(torch.stack([layer.weight.detach() for layer in same]))
                self.biases.append(torch.stack([layer.bias.detach() for layer in same]))

    def forward(self, z: Tensor) -> Tensor:
        linear = iter(zip(self.weights, self.biases, strict=True))
        for layer in self.layers[0]:
            if isinstance(layer, nn.Linear):
                weight, bias = next(linear)
                z = torch.baddbmm(bias[:, None], z, weight.mT)  # (models, rows, layer's width)
            else:
                z = layer(z)
        return z

    def copy_to(self, module: nn.Module, number: int) -> None:
        """Write the weights of one model into a module of its own."""
        linear = [layer for layer in _layers(module) if isinstance(layer, nn.Linear)]
        with torch.no_grad():
            for layer, weight, bias in zip(linear, self.weights, self.biases, strict=True):
                layer.weight.copy_(weight[number])
                layer.bias.copy_(bias[number])


def _trained(
    models: Sequence[MaskedAutoencoder], data: Tensor, judges: Tensor | None, epochs: list[int]
) -> tuple[list[nn.Module], list[History]]:
    """`train` of each model: data is (models, rows, features), `epochs` the most of each model."""
    start, training = time.perf_counter(), models[0].training
    target = pick_device(training.device)
    data, rows = data.to(target), data.shape[1]
    judges = None if judges is None else judges.to(target)
    modules = [model._module(data.shape[2]).to(target) for model in models]
    side = SideBySide(modules).to(target)
    optimizer = torch.optim.AdamW(
        side.parameters(), lr=training.lr, weight_decay=training.weight_decay
    )
    orders = [torch.Generator().manual_seed(model.training.seed) for model in models]
    draws = [torch.Generator(target).manual_seed(model.training.seed) for model in models]
    parts = math.ceil(rows / (training.batch_size or rows))
    learned, judged = [[] for _ in models], [[] for _ in models]
    best, best_epoch = [math.inf] * len(models), [0] * len(models)
    open_ = set(range(len(models)))  # the models that still learn
    for epoch in range(max(epochs)):
        orders_now = [torch.randperm(rows, generator=one).to(target) for one in orders]
        totals = torch.zeros(len(models), device=target)
        for batch in zip(*(order.tensor_split(parts) for order in orders_now), strict=True):
            z = torch.stack([own[one] for own, one in zip(data, batch, strict=True)])
            given = [m._spoiled(*pair) for m, *pair in zip(models, z, draws, strict=True)]
            losses = (side(torch.stack(given)) - z).square().mean(dim=(1, 2))  # (models,)
            optimizer.zero_grad()
            losses.sum().backward()
            optimizer.step()
            totals += losses.detach() * z.shape[1] / rows
        losses = totals
        if judges is not None:
            with torch.no_grad():
                losses = (side(judges) - judges).square().mean(dim=(1, 2))
        for number in list(open_):
            check_finite({"loss": float(totals[number])}, epoch, training.lr)
            learned[number].append(float(totals[number]))
            if judges is None:
                better = epoch + 1 == epochs[number]
                over = better
            else:
                judged[number].append(float(losses[number]))
                better = judged[number][-1] < best[number]
                waited = training.patience is not None and not better
                over = waited and epoch - best_epoch[number] >= training.patience
            if better:
                best[number], best_epoch[number] = float(losses[number]), epoch
                side.copy_to(modules[number], number)
            if over:
                open_.remove(number)
        if not open_:
            break
    seconds = time.perf_counter() - start
    histories = [
        History(
            {"loss": tuple(learned[number])},
            {"loss": tuple(judged[number])} if judges is not None else {},
            best_epoch[number],
            str(target),
            seconds,
        )
        for number in range(len(models))
    ]
    return [module.eval() for module in modules], histories


def _layers(module: nn.Module) -> list[nn.Module]:
    """Linear layers and activations, one after the other."""
    return [part for part in module.modules() if not list(part.children())]


def _check_alike(models: Sequence[MaskedAutoencoder]) -> None:
    if not models or not all(isinstance(model, MaskedAutoencoder) for model in models):
        raise InputError("Models that are fitted together are a list of MaskedAutoencoders.")
    settings = [clone(m).set_params(training__seed=0).get_params(deep=False) for m in models]
    for number, other in enumerate(settings):
        if differing := [name for name in other if other[name] != settings[0][name]]:
            raise InputError(
                f"Model {number} differs from the first in {', '.join(differing)}: models that are "
                "fitted together differ by training__seed alone."
            )
    training = models[0].training
    if training.warmup or training.plateau is not None or training.decay:
        raise InputError(
            "Models that are fitted together keep one learning rate: set warmup=0, plateau=None "
            "and decay=False, or fit them one by one."
        )
