"""Scores of a predicted response matrix, one a perturbation, one a line, or one for all cells.

With y the measured and p the predicted response of the n known cells of a unit,

    mse = mean (y - p)^2                r2      = 1 - sum (y - p)^2 / sum (y - mean y)^2
    mae = mean |y - p|                  pearson = sum (y - mean y)(p - mean p)
    rmse = sqrt(mse)                              / sqrt(sum (y - mean y)^2 sum (p - mean p)^2)

and spearman is the pearson of the ranks. For a response of two classes, y = 1 or 0, with n1 and n0
cells of each,

    auroc = (sum of the ranks of the ones - n1 (n1 + 1) / 2) / (n1 n0)
    average_precision = sum over ranks of (share of the ones found here) x (precision so far)

A unit is a perturbation (a column: can we tell lines
apart?), a line (a row: can we rank perturbations?) or everything at once ("global": mostly tells
whether we know which perturbations are strong). The mean of each drug scores 0 on the first axis
and high on the other two, so a score without its axis means nothing.

Rules:
- NaN in Y means "not measured" and is left out; NaN in P where Y is known is an error.
- A unit whose score is undefined (too few known cells, or a constant truth) gets NaN: "empty".
- A constant prediction scores 0 in pearson and spearman; `constant_predictions` finds it.
- Sums run in float64, whatever comes in.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from numbers import Integral

import numpy as np
import pandas as pd

from cdp_lib.errors import InputError

AXES = ("perturbation", "line", "global")
LOWER_IS_BETTER = ("mse", "rmse", "mae", "negative_elbo", "distance")
NAMES = {"r2": "R²", "pearson": "Pearson r", "spearman": "Spearman ρ"}
NAMES |= {"mse": "MSE", "rmse": "RMSE", "mae": "MAE"}
NAMES |= {"auroc": "AUROC", "average_precision": "average precision"}
UNITS_AT_ONCE = 32  # so many columns of a thousand lines stay in a processor's cache

Matrix = np.ndarray | pd.DataFrame | pd.Series
Scores = np.ndarray | float


@dataclass(frozen=True)
class _Cells:
    """The cells of a block of units, in float64."""

    y: np.ndarray  # (units, cells), 0 where unknown
    p: np.ndarray
    known: np.ndarray | None  # (units, cells); None when every cell is known
    n: np.ndarray  # (units,) number of known cells
    y_rounding: float  # relative rounding of the format in which y came
    p_rounding: float


def mse(Y: Matrix, P: Matrix, axis: str = "perturbation") -> Scores:
    """Mean squared error, mean (y - p)^2: 0 is perfect; in squared units of the response.

    >>> mse([[0.0], [2.0]], [[1.0], [1.0]])
    array([1.])
    """
    return _score(Y, P, axis, lambda cells: _ratio(np.square(cells.y - cells.p).sum(1), cells.n))


def rmse(Y: Matrix, P: Matrix, axis: str = "perturbation") -> Scores:
    """Root mean squared error, sqrt(mse): 0 is perfect; in units of the response.

    >>> rmse([[0.0], [2.0]], [[2.0], [0.0]])
    array([2.])
    """
    return mse(Y, P, axis) ** 0.5


def mae(Y: Matrix, P: Matrix, axis: str = "perturbation") -> Scores:
    """Mean absolute error, mean |y - p|: 0 is perfect; less moved by outliers than rmse.

    >>> mae([[0.0], [2.0]], [[1.0], [5.0]])
    array([2.])
    """
    return _score(Y, P, axis, lambda cells: _ratio(np.abs(cells.y - cells.p).sum(1), cells.n))


def r2(Y: Matrix, P: Matrix, axis: str = "perturbation") -> Scores:
    """Coefficient of determination, 1 - sum (y - p)^2 / sum (y - mean y)^2.

    1 is perfect, 0 is as good as the unit's own mean over the scored cells, and below 0 is worse.
    That mean is of the *scored* cells: a model that knows only training means is at or below 0.

    >>> r2([[0.0], [1.0], [2.0]], [[1.0], [1.0], [1.0]])
    array([0.])
    """

    def score(cells: _Cells) -> np.ndarray:
        residual = np.square(cells.y - cells.p).sum(axis=1)
        _, spread = _centred(cells.y, cells.y_rounding, cells)
        return 1 - _ratio(residual, spread)

    return _score(Y, P, axis, score)


def pearson(Y: Matrix, P: Matrix, axis: str = "perturbation") -> Scores:
    """Pearson correlation, cov(y, p) / (sd(y) sd(p)): blind to the scale and offset of p.

    A constant prediction scores 0; a constant truth or fewer than two known cells give NaN.

    >>> pearson([[0.0], [1.0], [2.0]], [[5.0], [7.0], [9.0]])
    array([1.])
    """
    return _score(Y, P, axis, _correlation)


def spearman(Y: Matrix, P: Matrix, axis: str = "perturbation") -> Scores:
    """Spearman correlation, the pearson of the ranks; ties share their average rank.

    >>> spearman([[0.0], [1.0], [2.0]], [[1.0], [10.0], [100.0]])
    array([1.])
    """

    def score(cells: _Cells) -> np.ndarray:
        ranks = replace(cells, y=_ranks(cells.y, cells), p=_ranks(cells.p, cells))
        out = _correlation(ranks)
        out[_constant(cells.p, cells.p_rounding, cells)] = 0  # even if its last bits differ
        out[_constant(cells.y, cells.y_rounding, cells)] = np.nan
        return out

    return _score(Y, P, axis, score)


def auroc(Y: Matrix, P: Matrix, axis: str = "perturbation") -> Scores:
    """The chance that a cell of class 1 is predicted above one of class 0; a tie counts half.

    0.5 knows nothing, 1 is perfect; NaN where a class is missing.

    >>> auroc([[0.0], [1.0], [1.0]], [[0.1], [0.1], [0.7]])
    array([0.75])
    """

    def score(cells: _Cells) -> np.ndarray:
        ones = _ones(cells)
        n1 = ones.sum(axis=1)
        above = (_ranks(cells.p, cells) * ones).sum(axis=1) - n1 * (n1 + 1) / 2
        return _ratio(above, n1 * (cells.n - n1))

    return _score(Y, P, axis, score)


def average_precision(Y: Matrix, P: Matrix, axis: str = "perturbation") -> Scores:
    """The mean precision at the cells of class 1, from the highest prediction down.

    The share of ones knows nothing, 1 is perfect; cells with equal predictions come all at once.

    >>> average_precision([[0.0], [1.0], [1.0]], [[0.1], [0.6], [0.7]])
    array([1.])
    """

    def score(cells: _Cells) -> np.ndarray:
        ones = _ones(cells)
        p = cells.p if cells.known is None else np.where(cells.known, cells.p, -np.inf)
        order = np.argsort(-p, axis=1, kind="stable")
        p, ones = (np.take_along_axis(table, order, axis=1) for table in (p, ones))
        width = p.shape[1]
        ends = np.ones(p.shape, bool)  # of a run of equal predictions
        ends[:, :-1] = p[:, 1:] != p[:, :-1]
        places = np.where(ends, np.arange(width), width - 1)
        last = np.minimum.accumulate(places[:, ::-1], axis=1)[:, ::-1]  # of the cells tied with it
        found = np.take_along_axis(ones.cumsum(axis=1), last, axis=1)
        n1 = ones.sum(axis=1)
        both = (n1 > 0) & (n1 < cells.n)
        return np.where(both, _ratio((ones * found / (last + 1)).sum(axis=1), n1), np.nan)

    return _score(Y, P, axis, score)


METRICS: dict[str, Callable[..., Scores]] = {
    "mse": mse,
    "rmse": rmse,
    "mae": mae,
    "r2": r2,
    "pearson": pearson,
    "spearman": spearman,
}
OF_CLASSES = {"auroc": auroc, "average_precision": average_precision}  # of a response of 0 and 1


def constant_predictions(Y: Matrix, P: Matrix, axis: str = "perturbation") -> np.ndarray | bool:
    """True for each unit whose prediction is the same in all its known cells (two or more).

    "The same" means within the rounding of the prediction's own number format.

    >>> constant_predictions([[0.0, 0.0], [1.0, 1.0]], [[3.0, 1.0], [3.0, 2.0]])
    array([ True, False])
    """
    flags = _score(Y, P, axis, lambda c: (c.n > 1) & _constant(c.p, c.p_rounding, c))
    return bool(flags) if axis == "global" else flags.astype(bool)


def top_k(
    Y: Matrix,
    P: Matrix,
    k: int,
    definition: str = "true_best_in_predicted",
    lower_is_better: bool = True,
) -> np.ndarray:
    """Does a line's best perturbation appear among the k first? One value in [0, 1] a line.

    - "true_best_in_predicted": is the best measured perturbation among the k best predicted ones?
    - "predicted_best_in_true": is the best predicted perturbation among the k best measured ones?

    Both are called top-k in the literature and differ for k > 1. Only measured cells compete. A
    tie is worth its chance under random order, so a constant prediction over m cells scores k/m.
    A line with k measured cells or fewer cannot miss and gets NaN.

    >>> top_k([[1.0, 2.0, 3.0]], [[2.0, 1.0, 3.0]], k=1)
    array([0.])
    """
    if not isinstance(k, Integral) or k < 1:
        raise InputError(f"top_k needs a whole number k of at least 1, not {k!r}.")
    if definition not in ("true_best_in_predicted", "predicted_best_in_true"):
        raise InputError(
            f"top_k has no definition {definition!r}: use 'true_best_in_predicted' "
            "or 'predicted_best_in_true'."
        )
    sign = 1.0 if lower_is_better else -1.0

    def hits(cells: _Cells) -> np.ndarray:
        known = np.ones(cells.y.shape, bool) if cells.known is None else cells.known
        wanted, order = (np.where(known, sign * table, np.inf) for table in (cells.y, cells.p))
        if definition == "predicted_best_in_true":
            wanted, order = order, wanted
        out = np.full(len(known), np.nan)
        for line in np.flatnonzero(cells.n > k):
            best = order[line, known[line] & (wanted[line] == wanted[line].min())]
            ranked = np.sort(order[line, known[line]])
            before = np.searchsorted(ranked, best, side="left")
            tied = np.searchsorted(ranked, best, side="right") - before
            out[line] = np.clip((k - before) / tied, 0, 1).mean()
        return out

    return _score(Y, P, "line", hits)


def percent_top(
    k: int, definition: str = "true_best_in_predicted", lower_is_better: bool = True
) -> Callable[[np.ndarray, np.ndarray], float]:
    """`top_k` in percent as a metric of one line, f(truth, prediction), called "top_k"."""

    def percent(truth: np.ndarray, prediction: np.ndarray) -> float:
        (hit,) = top_k(truth[None], prediction[None], k, definition, lower_is_better)
        return 100 * float(hit)

    percent.__name__ = f"top_{k}" + ("" if definition == "true_best_in_predicted" else " turned")
    return percent


def top_shared(
    k: int, lower_is_better: bool = True, of: int | None = None
) -> Callable[[np.ndarray, np.ndarray], float]:
    """Which share of the k predicted first is among the k best, as a metric of one line.

    `of` counts those among the `of` best, which is the precision at k.  With w[c] = 1 for the cells
    among the first, and at the border, where several cells are equal, the chance of each under
    random order,

        share = sum over cells of w_measured[c] w_predicted[c] / k

    so a constant prediction over m cells scores of / m.  NaN where no more than k or `of` cells are
    known.

    >>> top_shared(2)(np.array([1.0, 2.0, 3.0, 4.0]), np.array([2.0, 9.0, 1.0, 8.0]))
    0.5
    """
    of = k if of is None else of
    for name, number in (("k", k), ("of", of)):
        if not isinstance(number, Integral) or number < 1:
            raise InputError(f"top_shared needs a whole {name} of at least 1, not {number!r}.")
    sign = 1.0 if lower_is_better else -1.0

    def share(truth: np.ndarray, prediction: np.ndarray) -> float:
        truth, prediction = np.asarray(truth, float), np.asarray(prediction, float)
        if len(truth) <= max(k, of):
            return np.nan
        return float(_among_first(sign * truth, of) @ _among_first(sign * prediction, k) / k)

    share.__name__ = f"top {k} shared" if of == k else f"precision at {k}"
    return share


def _among_first(x: np.ndarray, k: int) -> np.ndarray:
    """The chance of each cell to be among the k lowest, ties in random order."""
    border = np.partition(x, k - 1)[k - 1]
    below, level = x < border, x == border
    return below + level * (k - below.sum()) / level.sum()


def score_frame(
    Y: Matrix, P: Matrix, metrics: tuple[str, ...] | str = ("pearson",), axis: str = "perturbation"
) -> pd.DataFrame:
    """Scores as a tidy table: metric, axis, unit (its name in Y, or "all"), n, score, constant."""
    metrics = (metrics,) if isinstance(metrics, str) else tuple(metrics)
    known = METRICS | OF_CLASSES
    unknown = [name for name in metrics if name not in known]
    if unknown:
        raise InputError(f"Unknown metric {unknown[0]!r}: choose from {', '.join(known)}.")
    scores = {name: np.atleast_1d(known[name](Y, P, axis)) for name in metrics}
    n = np.atleast_1d(_score(Y, P, axis, lambda cells: cells.n)).astype(int)
    constant = np.atleast_1d(constant_predictions(Y, P, axis))
    table = pd.DataFrame(Y)
    units = {"perturbation": table.columns, "line": table.index, "global": ["all"]}[axis]
    about = pd.DataFrame({"axis": axis, "unit": list(units), "n": n})
    frames = {name: about.assign(score=s, constant=constant) for name, s in scores.items()}
    return pd.concat(frames, names=["metric", None]).reset_index("metric").reset_index(drop=True)


def _score(Y: Matrix, P: Matrix, axis: str, score: Callable[[_Cells], np.ndarray]) -> Scores:
    """Score block after block of units; a float for the one unit of axis="global"."""
    truth, prediction = _units(Y, P, axis)  # (units, cells)
    out = np.full(len(truth), np.nan)
    for part, cells in _blocks(truth, prediction):
        out[part] = score(cells)
    return float(out[0]) if axis == "global" else out


def _units(Y: Matrix, P: Matrix, axis: str) -> tuple[np.ndarray, np.ndarray]:
    """Both tables as (units, cells), checked to speak of the same cells."""
    if axis not in AXES:
        raise InputError(f"Unknown axis {axis!r}: choose from {', '.join(AXES)}.")
    if isinstance(Y, pd.DataFrame) and isinstance(P, pd.DataFrame):
        for side in ("index", "columns"):
            if not getattr(Y, side).equals(getattr(P, side)):
                raise InputError(
                    f"The {side} of Y and P differ: order P as Y with "
                    "P.reindex(index=Y.index, columns=Y.columns)."
                )
    truth, prediction = _array(Y, "Y"), _array(P, "P")  # (lines, perturbations)
    if truth.shape != prediction.shape:
        raise InputError(f"Y has the shape {truth.shape}, P {prediction.shape}: make them equal.")
    if axis == "global":
        return truth.reshape(1, -1), prediction.reshape(1, -1)
    return (truth, prediction) if axis == "line" else (truth.T, prediction.T)


def _array(table: Matrix, name: str) -> np.ndarray:
    """Any table as a 2-D array of floats; one dimension is one column."""
    try:
        array = np.asarray(table)
        array = array if array.dtype.kind == "f" else array.astype(float)
    except (TypeError, ValueError):
        raise InputError(f"{name} holds what is not a number: drop or convert it.") from None
    array = array[:, None] if array.ndim == 1 else array
    if array.ndim != 2:
        raise InputError(f"{name} has {array.ndim} dimensions: give a lines x perturbations table.")
    return array


def _blocks(truth: np.ndarray, prediction: np.ndarray) -> Iterator[tuple[slice, _Cells]]:
    """Blocks of units small enough for the processor's cache, unknown cells set to 0."""
    eps = [float(np.finfo(table.dtype).eps) for table in (truth, prediction, np.ones(1))]
    rounding = [2 * one + 32 * eps[2] for one in eps[:2]]  # of the format, and of a float64 sum
    for start in range(0, len(truth), UNITS_AT_ONCE):
        part = slice(start, start + UNITS_AT_ONCE)
        y = np.array(truth[part], dtype=float, order="C")
        p = np.array(prediction[part], dtype=float, order="C")
        n = np.full(len(y), y.shape[1])
        known = None
        with np.errstate(invalid="ignore", over="ignore"):
            complete = np.isfinite(y.sum() + p.sum())
        if not complete:
            known = ~np.isnan(y)
            y[~known] = 0
            p[~known] = 0
            if not (np.isfinite(y).all() and np.isfinite(p).all()):
                _refuse(truth, prediction)
            n = known.sum(axis=1)
        yield part, _Cells(y, p, known, n, *rounding)


def _refuse(truth: np.ndarray, prediction: np.ndarray) -> None:
    """Say which cells cannot be scored."""
    if infinite := np.isinf(truth).sum():
        raise InputError(f"Y holds {infinite} infinite values: set them to NaN if not measured.")
    known = ~np.isnan(truth)
    if missing := (np.isnan(prediction) & known).sum():
        raise InputError(
            f"P is NaN in {missing} of the {known.sum()} known cells of Y: "
            "predict every known cell, or set those cells of Y to NaN."
        )
    infinite = (np.isinf(prediction) & known).sum()
    raise InputError(f"P is infinite in {infinite} known cells of Y: the model has diverged there.")


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """above / below, and NaN where below is 0."""
    return np.divide(above, below, out=np.full(len(below), np.nan), where=below > 0)


def _centred(x: np.ndarray, rounding: float, cells: _Cells) -> tuple[np.ndarray, np.ndarray]:
    """x minus its mean, and the sum of squares of that: exactly 0 where x is constant."""
    mean = x.sum(axis=1) / np.maximum(cells.n, 1)
    centred = x - mean[:, None]
    if cells.known is not None:
        centred *= cells.known
    squares = np.einsum("uc,uc->u", centred, centred)
    squares[squares <= cells.n * np.square(rounding * mean)] = 0
    return centred, squares


def _constant(x: np.ndarray, rounding: float, cells: _Cells) -> np.ndarray:
    return _centred(x, rounding, cells)[1] == 0


def _correlation(cells: _Cells) -> np.ndarray:
    y, y_squares = _centred(cells.y, cells.y_rounding, cells)
    p, p_squares = _centred(cells.p, cells.p_rounding, cells)
    scale = np.sqrt(y_squares) * np.sqrt(p_squares)
    out = np.clip(_ratio(np.einsum("uc,uc->u", y, p), scale), -1, 1)
    out[p_squares == 0] = 0
    out[y_squares == 0] = np.nan
    return out


def _ones(cells: _Cells) -> np.ndarray:
    """The cells of class 1, and of no other than 0 and 1."""
    ones = cells.y == 1
    if (cells.y[~ones] != 0).any():
        raise InputError("Y holds numbers other than 0 and 1: give two classes.")
    return ones


def _ranks(x: np.ndarray, cells: _Cells) -> np.ndarray:
    """Average ranks among the known cells, 0 elsewhere."""
    values = x if cells.known is None else np.where(cells.known, x, np.nan)
    return pd.DataFrame(values.T).rank().fillna(0).to_numpy().T
