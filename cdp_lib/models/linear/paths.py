"""Ridge in every fold and at every alpha, for all perturbations, from one Gram matrix.

With K = X X' of all lines, the Gram matrix of a fold's training lines t, centred on them, is

    K_c = H K[t, t] H = U diag(d) U',    H = I - 1 1' / n

and its predictions for lines s are  K_c[s, t] U diag(1 / (d + alpha)) U' (y - mean) + mean:  a
block, an eigendecomposition, and one product for all alphas.  Where there are fewer features than
lines the same is done with X'X, less the part of the lines that are not trained on.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import torch

from cdp_lib.errors import InputError
from cdp_lib.metrics import METRICS
from cdp_lib.models.base.tables import Table, TableRegressor, column_means
from cdp_lib.models.base.training import pick_device

Rows = np.ndarray  # a mask of the lines, or their numbers
Parts = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]


def ridge_path(
    X: Table,
    Y: Table,
    alphas: tuple[float, ...],
    folds: Iterable[tuple[Rows, Rows]],
    device: str = "auto",
) -> Iterator[np.ndarray]:
    """Held-out predictions at every alpha: one array (alphas, test lines, perturbations) a fold.

    `folds` are pairs (training lines, test lines), as scikit-learn's KFold gives them.  Features
    are centred in each fold but not rescaled: standardize X beforehand if you want to.  Unknown
    labels (NaN) take no part; perturbations known in the same training lines share the work.
    alpha = 0 is least squares, of the smallest norm where there is a choice.  All in float64.
    """
    alphas = read_alphas(alphas, least=0.0)
    x, y = TableRegressor()._open(X, Y)  # (lines, features), (lines, perturbations)
    target = pick_device(device)
    known = ~np.isnan(y)
    x = torch.as_tensor(x - x.mean(axis=0), device=target)  # changes no result, saves digits
    y = torch.tensor(y, device=target)
    alphas = torch.as_tensor(alphas, device=target)
    dual = x.shape[1] > len(x)
    gram = _squared(x if dual else x.T)
    for train, test in folds:
        train, test = _mask(train, len(x)), _mask(test, len(x))
        learned = known & train[:, None]
        if not learned.any() or not test.any():
            raise InputError(
                f"A fold has {learned.sum()} known labels to learn from and {test.sum()} test "
                "lines: give each fold some of both."
            )
        P = None
        for rows, columns in patterns(learned):
            labels = y[rows] if len(columns) == y.shape[1] else y[rows][:, columns]
            parts = (
                _dual_parts(gram, rows, test, labels)
                if dual
                else (primal_parts(x, gram, rows, test, labels))
            )
            found = all_alphas(*parts, labels.mean(dim=0), alphas)
            if len(columns) == y.shape[1]:  # the usual case, without a copy
                P = found
                continue
            if P is None:
                means = column_means(np.where(learned, y.cpu().numpy(), np.nan))
                P = np.tile(means, (len(alphas), test.sum(), 1))
            P[:, :, columns] = found
        yield P


def ridge_scores(
    X: Table,
    Y: Table,
    alphas: tuple[float, ...],
    folds: Iterable[tuple[Rows, Rows]],
    metric: str = "pearson",
    device: str = "auto",
) -> np.ndarray:
    """Held-out score of each perturbation: (alphas, folds, perturbations)."""
    if metric not in METRICS:
        raise InputError(f"Unknown metric {metric!r}: use one of {', '.join(METRICS)}.")
    folds = [(_mask(train, len(X)), _mask(test, len(X))) for train, test in folds]
    truth = np.asarray(Y, dtype=float).reshape(len(X), -1)  # (lines, perturbations)
    scores = [
        [METRICS[metric](truth[test], prediction) for prediction in P]
        for (_, test), P in zip(folds, ridge_path(X, Y, alphas, folds, device), strict=True)
    ]  # (folds, alphas, perturbations)
    return np.array(scores).swapaxes(0, 1)


def all_alphas(
    A: torch.Tensor,
    d: torch.Tensor,
    V: torch.Tensor,
    b: torch.Tensor,
    mean: torch.Tensor,
    alphas: torch.Tensor,
) -> np.ndarray:
    """A diag(1 / (d + alpha)) V' b + mean for all alphas: (alphas, test lines, columns)."""
    size = d + alphas[:, None]  # (alphas, dims)
    floor = d.max() * len(d) * torch.finfo(d.dtype).eps  # below it there is only rounding
    shrink = torch.where(size > floor, 1 / size, 0.0)
    left = (A * shrink[:, None]).reshape(-1, len(d))  # (alphas x test lines, dims)
    P = torch.linalg.multi_dot((left, V.T, b)).add_(mean)  # in the order of least work
    return P.cpu().numpy().reshape(len(alphas), len(A), -1)


def _dual_parts(gram: torch.Tensor, rows: np.ndarray, test: np.ndarray, y: torch.Tensor) -> Parts:
    """A, d, V and b of `all_alphas` from X X', features centred on the training `rows`."""
    rows, test = (torch.as_tensor(part, device=y.device) for part in (rows, np.flatnonzero(test)))
    K, K_test = gram[rows][:, rows], gram[test][:, rows]  # (train, train), (test, train)
    by_row = K.mean(dim=0)
    K_test = K_test - K_test.mean(dim=1, keepdim=True) - by_row + by_row.mean()
    d, U = torch.linalg.eigh(K - by_row - by_row[:, None] + by_row.mean())
    return K_test @ U, d.clamp(min=0), U, y - y.mean(dim=0)


def primal_parts(
    x: torch.Tensor, gram: torch.Tensor, rows: np.ndarray, test: np.ndarray, y: torch.Tensor
) -> Parts:
    """The same from X'X of all lines, less the part of the lines that are not trained on."""
    others = np.setdiff1d(np.arange(len(x)), rows)
    z = x[torch.as_tensor(rows, device=y.device)]  # (train, features)
    mean = z.mean(dim=0)
    if len(others) < len(rows):
        other = x[torch.as_tensor(others, device=y.device)]
        G = gram - _squared(other.T) - len(rows) * torch.outer(mean, mean)
    else:
        G = _squared((z - mean).T)
    d, V = torch.linalg.eigh(G)
    A = (x[torch.as_tensor(np.flatnonzero(test), device=y.device)] - mean) @ V
    return A, d.clamp(min=0), V, z.T @ (y - y.mean(dim=0))


def patterns(known: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Groups of columns that are known in the same rows, as (rows, columns)."""
    groups: dict[bytes, list[int]] = {}
    for column, bits in enumerate(np.packbits(known, axis=0).T):
        groups.setdefault(bits.tobytes(), []).append(column)
    for columns in groups.values():
        rows = np.flatnonzero(known[:, columns[0]])
        if len(rows):
            yield rows, np.array(columns)


def read_alphas(alphas: tuple[float, ...], least: float | None = None) -> np.ndarray:
    try:
        values = np.asarray(alphas, dtype=np.float64)
    except (TypeError, ValueError):
        values = np.full(1, np.nan)
    good = np.isfinite(values) & ((values > 0) | (values == least))
    if values.ndim != 1 or len(values) == 0 or not good.all():
        raise InputError(f"alphas is {alphas!r}: give one or more positive numbers.")
    return values


def _squared(x: torch.Tensor) -> torch.Tensor:
    """x x'.  NumPy sees that the two are one matrix, and does half of the work."""
    return torch.as_tensor(x.numpy() @ x.numpy().T) if x.device.type == "cpu" else x @ x.T


def _mask(rows: Rows, lines: int) -> np.ndarray:
    rows = np.asarray(rows)
    if rows.dtype == bool and rows.shape == (lines,):
        return rows
    if rows.dtype.kind not in "iu" or not np.isin(rows, np.arange(lines)).all():
        raise InputError(f"A fold must hold masks of the {lines} lines, or numbers below {lines}.")
    mask = np.zeros(lines, dtype=bool)
    mask[rows] = True
    return mask
