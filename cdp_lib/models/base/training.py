"""The one training loop of the book.

    weights <- weights - lr * direction(gradient of loss(module, batch))

batch after batch, epoch after epoch, with AdamW's direction (Loshchilov & Hutter 2019).
How it is trained stands in one component, `Training`, which every network takes as `training=`.
Tensors move to the device once; all randomness (batch order, dropout) comes from `seed`, and the
global generator is left as it was found.
"""

import copy
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor, nn
from tqdm import tqdm

from cdp_lib.errors import InputError
from cdp_lib.models.base.settings import Component, Number, OneOf, check_number

Tensors = tuple[Tensor, ...]
Loss = Callable[..., Tensor | dict[str, Tensor]]
TINY = 1e-12  # keeps the root in a correlation differentiable where a prediction is constant


@dataclass(frozen=True, repr=False)
class Training(Component):
    """How a network is trained; `FeedForward(training=Training(lr=1e-4, epochs=200))`.

    The rows of `fit(X, Y, validation=(X, Y))`, or else a random `validation_fraction` of the rows
    of X, stop the training: when their loss has not improved for `patience` epochs (None: all
    epochs are run), and the weights of the best epoch come back.  Without such rows all epochs are
    run, and the last weights stay.  batch_size=None takes all rows at once.  device="auto" takes
    CUDA where there is one.

    The learning rate is `lr`, but it rises to it in equal steps over the first `warmup` epochs, and
    it is multiplied by `plateau_factor`, though not below `lowest_lr`, whenever the loss of the
    rows that stop the training has not improved for `plateau` epochs.  With `decay` it also falls,
    along half a cosine, to nearly 0 in the last epoch.
    """

    lr: float = 1e-3
    weight_decay: float = 0.0
    epochs: int = 100
    batch_size: int | None = 64
    patience: int | None = 10
    warmup: int = 0
    plateau: int | None = None
    plateau_factor: float = 0.5
    lowest_lr: float = 0.0
    decay: bool = False
    validation_fraction: float = 0.1
    seed: int = 0
    device: str = "auto"

    _settings: ClassVar = {
        "lr": Number(),
        "weight_decay": Number(),
        "epochs": Number(whole=True),
        "batch_size": [Number(least=1, whole=True), None],
        "patience": [Number(whole=True), None],
        "warmup": Number(whole=True),
        "plateau": [Number(least=1, whole=True), None],
        "plateau_factor": Number(most=1),
        "lowest_lr": Number(),
        "decay": OneOf(True, False),
        "validation_fraction": Number(below=1),
        "seed": Number(whole=True),
    }


ALL_EPOCHS = Training(epochs=200, patience=None, validation_fraction=0.0)  # on all rows


@dataclass(frozen=True)
class History:
    """What happened: each named term of the loss, one value an epoch."""

    train: dict[str, tuple[float, ...]]
    validation: dict[str, tuple[float, ...]]  # empty when there was no validation part
    best_epoch: int  # counted from 0; its weights are the ones the module holds
    device: str
    seconds: float = field(compare=False)  # the only thing that differs between two equal runs
    monitor: tuple[float, ...] = ()  # what `monitor` gave, one value an epoch
    lr: tuple[float, ...] = ()  # the learning rate of each epoch


def pick_device(device: str = "auto") -> torch.device:
    """The device to compute on; "auto" takes CUDA where there is one."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        chosen = torch.device(device)
    except (RuntimeError, TypeError):
        raise InputError(f"Unknown device {device!r}: use 'auto', 'cpu' or 'cuda'.") from None
    if chosen.type == "cuda" and not torch.cuda.is_available():
        raise InputError(
            f"Device {device!r} was asked for but this machine offers no CUDA: "
            "use device='auto' or device='cpu'."
        )
    return chosen


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Everything random in torch follows `seed` inside; outside, nothing has changed."""
    check_number("seed", seed, whole=True)
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        yield


def masked_mse(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean squared error over the known cells of `target`; 0 where none is known."""
    known = ~target.isnan()
    error = prediction - torch.where(known, target, prediction.detach())  # 0 in unknown cells
    return error.square().sum() / known.sum().clamp(min=1)


def masked_correlation(prediction: Tensor, target: Tensor) -> Tensor:
    """1 - r, the mean over the columns, with Pearson's r over the known rows of each.

    A column counts that has two different known labels or more; the loss is 0 where none has.  The
    r of a constant prediction is 0.
    """
    counts = comparable(target)
    prediction, target = prediction[:, counts], target[:, counts]  # (rows, columns that count)
    known = ~target.isnan()
    f, y = (_centred(torch.where(known, part, 0.0), known) for part in (prediction, target))
    lengths = (f.square().sum(dim=0) * y.square().sum(dim=0) + TINY).sqrt()
    r = (f * y).sum(dim=0) / lengths  # (columns,)
    return (1 - r).sum() / counts.sum().clamp(min=1)


def comparable(target: Tensor) -> Tensor:
    """A mask of the columns with two different known labels or more."""
    unknown = target.isnan()
    high = torch.where(unknown, -math.inf, target).amax(dim=0)
    return high > torch.where(unknown, math.inf, target).amin(dim=0)


def _centred(values: Tensor, known: Tensor) -> Tensor:
    """Less the mean of the known rows of each column; 0 in the unknown ones."""
    mean = values.sum(dim=0) / known.sum(dim=0).clamp(min=1)
    return torch.where(known, values - mean, 0.0)


def train(
    module: nn.Module,
    loss: Loss,
    data: Tensors,
    validation: Tensors | None = None,
    training: Training = Training(),
    *,
    progress: bool = False,
    begin: Callable[[int], None] | None = None,
    monitor: Callable[[], float] | None = None,
) -> History:
    """Fit `module` in place on `data`, a tuple of tensors with one row an example.

    `loss(module, *batch)` gives a scalar, or a dict of named scalars of which "loss" is minimised.
    `begin` is called before each epoch with its number, from 0: a loss may change with the epoch.
    `monitor` is called after each epoch, with the module set to predict; it is recorded and decides
    nothing.
    """
    start = time.perf_counter()
    for part in (data, validation or data):
        lengths = {len(tensor) for tensor in part}
        if len(lengths) != 1 or 0 in lengths:
            raise InputError(
                f"The tensors of a part have {sorted(lengths)} rows: "
                "give at least one row, and the same number in each tensor."
            )
    if training.plateau is not None and validation is None:
        raise InputError(
            f"plateau={training.plateau} lowers the learning rate by rows that are set aside, and "
            "there are none: give validation=(X, Y), or a validation_fraction above 0."
        )
    target = pick_device(training.device)
    module.to(target)
    data = tuple(tensor.to(target) for tensor in data)
    validation = validation and tuple(tensor.to(target) for tensor in validation)
    optimizer = torch.optim.AdamW(
        module.parameters(), lr=training.lr, weight_decay=training.weight_decay
    )
    order = torch.Generator().manual_seed(training.seed)

    seen, checked, watched, rates = [], [], [], []
    best, best_epoch, best_weights = math.inf, 0, None
    left, last_change = 1.0, 0  # what the plateaus have left of lr, and the epoch of the last one
    with seeded(training.seed):
        for epoch in (bar := tqdm(range(training.epochs), disable=not progress, unit="epoch")):
            if begin is not None:
                begin(epoch)
            rates.append(_lowered(learning_rate(training, epoch), left, training.lowest_lr))
            optimizer.param_groups[0]["lr"] = rates[-1]
            rows = torch.randperm(len(data[0]), generator=order).to(target)
            seen.append(_epoch(module, loss, data, rows, training.batch_size, optimizer))
            check_finite(seen[-1], epoch, training.lr)
            if monitor is not None:
                module.eval()
                watched.append(float(monitor()))
            if validation is None:
                best_epoch = epoch
                continue
            rows = torch.arange(len(validation[0]), device=target)
            checked.append(_epoch(module, loss, validation, rows, training.batch_size))
            check_finite(checked[-1], epoch, training.lr)
            bar.set_postfix(validation=f"{checked[-1]['loss']:.4g}")
            if checked[-1]["loss"] < best:
                best, best_epoch = checked[-1]["loss"], epoch
                best_weights = copy.deepcopy(module.state_dict())
            elif training.patience is not None and epoch - best_epoch >= training.patience:
                break
            if training.plateau is not None:
                waited = epoch - max(best_epoch, last_change)
                if waited >= training.plateau:
                    left, last_change = left * training.plateau_factor, epoch
    if best_weights is not None:
        module.load_state_dict(best_weights)
    module.eval()
    seconds = time.perf_counter() - start
    return History(
        _by_term(seen),
        _by_term(checked),
        best_epoch,
        str(target),
        seconds,
        tuple(watched),
        tuple(rates),
    )


def learning_rate(training: Training, epoch: int) -> float:
    """The rate of an epoch, counted from 0, but for what the plateaus take from it."""
    rising = (epoch + 1) / (training.warmup + 1)
    left = (epoch - training.warmup) / max(training.epochs - training.warmup, 1)
    falling = (1 + math.cos(math.pi * left)) / 2 if training.decay else 1.0
    return training.lr * (rising if rising < 1 else falling)


def _lowered(rate: float, left: float, lowest: float) -> float:
    """What the plateaus leave of a rate; one that is below the lowest already stays."""
    return max(rate * left, min(rate, lowest))


def _epoch(
    module: nn.Module,
    loss: Loss,
    data: Tensors,
    rows: Tensor,
    batch_size: int | None,
    optimizer: torch.optim.Optimizer | None = None,
) -> dict[str, float]:
    """One pass over `rows`; with an optimizer the weights learn, without it they are only judged.

    Rows are dealt into batches of nearly equal size: none is left over, and no batch shrinks to
    the single row that batch normalisation could not bear.
    """
    learning = optimizer is not None
    module.train(learning)
    totals: dict[str, Tensor] = {}
    with torch.set_grad_enabled(learning):
        for batch in rows.tensor_split(math.ceil(len(rows) / (batch_size or len(rows)))):
            terms = loss(module, *(tensor[batch] for tensor in data))
            terms = terms if isinstance(terms, dict) else {"loss": terms}
            if learning:
                optimizer.zero_grad()
                terms["loss"].backward()
                optimizer.step()
            for name, value in terms.items():  # weighted by rows; read from the device once
                totals[name] = totals.get(name, 0.0) + value.detach() * len(batch)
    return {name: float(total) / len(rows) for name, total in totals.items()}


def check_finite(terms: dict[str, float], epoch: int, lr: float) -> None:
    for name, value in terms.items():
        if not math.isfinite(value):
            raise InputError(
                f"Training broke in epoch {epoch + 1}: the term {name!r} became {value}; "
                f"try a smaller lr than {lr:g}, and look for extreme values in the inputs."
            )


def _by_term(epochs: list[dict[str, float]]) -> dict[str, tuple[float, ...]]:
    return {name: tuple(terms[name] for terms in epochs) for name in (epochs[0] if epochs else ())}
