"""Predictions, the middle of the house: fitted once, kept cell by cell, and looked at many times.

With y[c] the measured and p[m, c] the predicted response of model m in test cell c, which is one
line and one perturbation in one fold of one repeat,

    score   of a unit (a perturbation, a line, all cells) in a fold: metric(y, p) over its cells
    mean    over folds of the mean over a fold's units;  sd: over folds
    gain    score - score of the reference, in the same fold; positive is better
    floor   the mean of the best naive baseline on the same cells
    share   (mean - floor) / (ceiling - floor), where replicates say what the ceiling is

    P = evaluate.cross_predict({"ridge": Ridge()}, cohort, splits.leave_lines_out(cohort))
    P.summary("r2")                                     # beside the naive baselines
    P.summary("pearson", by=cohort.lines["tissue"])     # a row a tissue
    P.against("tissue mean", "pearson")                 # gain, its interval and its p
    P.summary("pearson", ceiling=P.ceiling(repeats))    # the share of the range that is reached
    P.write("ridge.npz"), Predictions.read("ridge.npz").scores("spearman", axis="line")

Cohort, omics and split belong to the name of a row, so rows of two cohorts or of two omics are
never averaged into one: `P | Q` puts them beside each other.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from cdp_lib.data.screens import agreement
from cdp_lib.errors import InputError, nearest
from cdp_lib.evaluate import stored
from cdp_lib.evaluate.comparison import FRAME, compared
from cdp_lib.evaluate.fitting import check_known
from cdp_lib.metrics import AXES, LOWER_IS_BETTER, METRICS, OF_CLASSES, score_frame

Metric = str | Callable[[np.ndarray, np.ndarray], float]
Key = tuple[str, str]  # model and omics


@dataclass(frozen=True, eq=False)
class HeldOut:
    """The test cells of one cohort under one split, and what each model predicts there.

    Cells stand fold after fold, in a fold line after line.  `line` and `perturbation` are positions
    in `lines` and `perturbations`; `folds` has a row a fold: repeat, fold, n_train and n_test, the
    number of its cells.  `values` are NaN where a model failed, for all cells of that fold.
    """

    about: dict[str, object]  # cohort, edition, study, split, sentence, seed
    lines: pd.Index
    perturbations: pd.Index
    folds: pd.DataFrame
    line: np.ndarray = field(repr=False)  # (cells,)
    perturbation: np.ndarray = field(repr=False)  # (cells,)
    truth: np.ndarray = field(repr=False)  # (cells,)
    values: dict[Key, np.ndarray] = field(repr=False)  # each (cells,)
    kinds: dict[Key, str] = field(repr=False)  # "model" or "baseline"

    @property
    def cohort(self) -> str:
        """The name of the cohort and, where it has one, its edition."""
        return full_name(self.about["cohort"], self.about["edition"])

    @property
    def split(self) -> str:
        return self.about["split"]

    def parts(self) -> Iterator[tuple[dict, slice]]:
        """Each fold: its row in `folds`, and where its cells stand."""
        start = 0
        for row in self.folds.to_dict("records"):
            yield row, slice(start, start + row["n_test"])
            start += row["n_test"]

    def table(self, part: slice, values: np.ndarray) -> pd.DataFrame:
        """The cells of a fold as lines x perturbations, NaN elsewhere; only lines with a cell."""
        lines, row = np.unique(self.line[part], return_inverse=True)
        table = np.full((len(lines), len(self.perturbations)), np.nan, values.dtype)
        table[row, self.perturbation[part]] = values[part]
        return pd.DataFrame(table, self.lines[lines], self.perturbations)

    def joined(self, other: "HeldOut") -> "HeldOut":
        """Both sets of models side by side; a baseline may stand in both with the same numbers."""
        same = (
            self.lines.equals(other.lines)
            and self.perturbations.equals(other.perturbations)
            and self.folds.equals(other.folds)
            and all(
                np.array_equal(getattr(self, name), getattr(other, name))
                for name in ("line", "perturbation", "truth")
            )
        )
        if not same:
            raise InputError(
                f"Both predictions are called {self.cohort!r} under {self.split!r} and speak of "
                "other cells: give one cohort, or one split, another name."
            )
        for key in [key for key in self.values if key in other.values]:
            repeated = self.kinds[key] == other.kinds[key] == "baseline"
            if not (repeated and np.array_equal(self.values[key], other.values[key], True)):
                raise InputError(
                    f"Both predictions hold {key[0]!r} on {key[1]} for {self.cohort!r} under "
                    f"{self.split!r}: give one of the two models another name."
                )
        return replace(self, values=self.values | other.values, kinds=self.kinds | other.kinds)


@dataclass(frozen=True, eq=False)
class Predictions:
    """What models predict for every test cell; made by `cross_predict`, `transfer` or `read`."""

    held: tuple[HeldOut, ...]
    failures: pd.DataFrame = field(default_factory=lambda: failed([]))

    def __or__(self, other: "Predictions") -> "Predictions":
        """Two sets of predictions side by side; the same model twice is refused."""
        held = {(each.cohort, each.split): each for each in self.held}
        for each in other.held:
            key = each.cohort, each.split
            held[key] = held[key].joined(each) if key in held else each
        failures = pd.concat([self.failures, other.failures], ignore_index=True)
        return Predictions(tuple(held.values()), failures)

    def __repr__(self) -> str:
        lines = []
        for held in self.held:
            models = ", ".join(f"{name} ({omics})" for name, omics in held.values)
            lines += [f"{held.cohort}, {len(held.truth):,} test cells of {models}"]
            lines += [f"  {held.about['sentence']}"]
        if len(self.failures):
            lines += [f"{len(self.failures)} fits failed: see .failures"]
        return "\n".join(lines)

    def add(self, name: str, tables: list[pd.DataFrame], omics: str = "none") -> "Predictions":
        """The same with a model of one's own making: a table, lines x perturbations, for each fold.

        It must name every test cell of the fold; what else it holds is left aside.
        """
        if len(self.held) != 1:
            raise InputError(f"Predictions for {len(self.held)} cohorts or splits: add to one.")
        (held,) = self.held
        if len(tables) != len(held.folds):
            raise InputError(f"{len(tables)} tables are given for {len(held.folds)} folds.")
        values = []
        for table, (row, part) in zip(tables, held.parts(), strict=True):
            wanted = held.table(part, held.truth)
            table = table.reindex(index=wanted.index, columns=wanted.columns)
            values.append(known_cells(table, wanted, f"The table of {name!r}, fold {row['fold']},"))
        new = replace(
            held, values={(name, omics): np.concatenate(values)}, kinds={(name, omics): "model"}
        )
        return self | Predictions((new,))

    def mean_of(self, ensembles: Mapping[str, Collection[str]]) -> "Predictions":
        """The same with ensembles of its models: name -> the models whose mean it predicts.

        An ensemble is a view: nothing is fitted for it.  Each member must have predicted every
        test cell.
        """
        held = tuple(
            replace(
                each,
                values={key: values for key, (values, _) in means.items()},
                kinds={key: kind for key, (_, kind) in means.items()},
            )
            for each in self.held
            for means in [dict(_mean(each, name, members) for name, members in ensembles.items())]
        )
        return self | Predictions(held)

    def only(self, models: Collection[str]) -> "Predictions":
        """The same with these models alone."""
        known = {model for held in self.held for model, _ in held.values}
        if missing := sorted(set(models) - known):
            raise InputError(f"No model is called {missing[0]!r}; {nearest(missing[0], known)}")
        held = tuple(
            replace(each, values={key: v for key, v in each.values.items() if key[0] in models})
            for each in self.held
        )
        return Predictions(held, self.failures[self.failures["model"].isin(list(models))])

    def cells(self) -> pd.DataFrame:
        """One row a model and test cell, with its truth and its prediction."""
        frames = []
        for held in self.held:
            about = held.folds.loc[held.folds.index.repeat(held.folds["n_test"])]
            frame = about[["repeat", "fold"]].reset_index(drop=True)
            frame["line"] = pd.Categorical.from_codes(held.line, held.lines)
            frame["perturbation"] = pd.Categorical.from_codes(held.perturbation, held.perturbations)
            frame["truth"] = held.truth
            for (model, omics), values in held.values.items():
                names = dict(cohort=held.cohort, split=held.split, model=model, omics=omics)
                kind = held.kinds[model, omics]
                frames.append(frame.assign(**names, kind=kind, prediction=values))
        return pd.concat(frames, ignore_index=True)

    def scores(
        self,
        metric: Metric | tuple[Metric, ...] = "pearson",
        axis: str | tuple[str, ...] = "perturbation",
        by: pd.Series | None = None,
    ) -> pd.DataFrame:
        """One row a score: a model in a unit (perturbation, line, "all") of a fold.

        n counts the scored cells of the unit, n_train and n_test the cells of the fold.  `metric`
        is a name or a function f(truth, prediction) -> float of two arrays.  `by`, a Series over
        the lines, scores the lines of each value apart: a column `group`.
        """
        metrics, axes = several(metric), several(axis)
        check_metrics(metrics, axes)
        frames = [
            frame.assign(cohort=held.cohort, split=held.split, **about)
            for held in self.held
            for about, frame in _scored(held, metrics, axes, by)
        ]
        if not frames:
            raise InputError("Every fit failed, so there is nothing to score: see .failures.")
        order = FRAME if by is None else ("group", *FRAME)
        return pd.concat(frames, ignore_index=True)[list(order)]

    def summary(
        self,
        metric: Metric | tuple[Metric, ...] = "pearson",
        axis: str | tuple[str, ...] = "perturbation",
        by: pd.Series | None = None,
        min_n: int = 1,
        reference: str | None = None,
        ceiling: pd.DataFrame | pd.Series | float | None = None,
    ) -> pd.DataFrame:
        """One row a model: its mean, its spread over the folds, and its gain over the floor.

        See `evaluate.summary` for the columns.  Units with fewer than `min_n` test cells in a fold
        are left out and counted in `too_few`.  With a `ceiling` (of `P.ceiling`, a Series over
        units, or one number) come `floor`, `ceiling` and `share`.
        """
        return self._compared(metric, axis, by, min_n, reference, ceiling=ceiling)

    def against(
        self,
        reference: str,
        metric: Metric | tuple[Metric, ...] = "pearson",
        axis: str | tuple[str, ...] = "perturbation",
        by: pd.Series | None = None,
        min_n: int = 1,
        draws: int = 1000,
        seed: int = 0,
        ceiling: pd.DataFrame | pd.Series | float | None = None,
    ) -> pd.DataFrame:
        """The summary against one model, and the interval from `low` to `high` of each gain.

        p asks whether the gain would be found again in other folds (`evaluate.summary`); the
        interval holds 95 % of the gains when the units (perturbations, or lines) are drawn again
        with replacement; `distinct` counts these units.  The axis "global" has a single unit and no
        interval.
        """
        more = {"draws": draws, "seed": seed, "ceiling": ceiling}
        return self._compared(metric, axis, by, min_n, reference, **more)

    def floor(
        self,
        metric: Metric | tuple[Metric, ...] = "pearson",
        axis: str | tuple[str, ...] = "perturbation",
        by: pd.Series | None = None,
        min_n: int = 1,
    ) -> pd.DataFrame:
        """The best naive baseline, by its mean, in each cohort, split, axis and metric."""
        table = self._compared(metric, axis, by, min_n, None)
        return table[table["model"] == table["reference"]].reset_index(drop=True)

    def ceiling(
        self,
        replicates: pd.DataFrame | pd.Series,
        metric: str = "pearson",
        axis: str = "perturbation",
        least: int = 20,
    ) -> pd.DataFrame:
        """What a second measurement allows: one row a unit, with r, n and the ceiling.

        With measured = truth + noise, and both measurements alike in their noise, the replicates
        correlate by r = var(truth) / var(measured).  The truth, which no model can pass, has

            pearson = sqrt(r)       r2 = r

        `replicates` is a second response, matched by the names of lines and perturbations (units
        with fewer than `least` common cells have NaN), or a Series of r over units.
        """
        check_known("axis", (axis,), ("perturbation", "line"))
        check_known("metric with a known ceiling", (metric,), ("pearson", "r2"))
        if isinstance(replicates, pd.Series):
            r = replicates.astype(float)
            table = pd.DataFrame({"r": r, "n": np.nan, "ceiling": np.sqrt(r.clip(lower=0))})
        else:
            table = agreement(*self._repeated(replicates, axis), least)
        if metric == "r2":
            table["ceiling"] = table["r"].clip(lower=0)
        return table.rename_axis(index="unit")

    def write(self, path: str | Path) -> None:
        """Write one small file, that `Predictions.read` and `cdp rescore` read without any data."""
        stored.write(path, self.held, self.failures)

    @classmethod
    def read(cls, path: str | Path) -> "Predictions":
        held, failures = stored.read(path)
        return cls(tuple(HeldOut(**each) for each in held), failed(failures))

    def _compared(self, metric, axis, by, min_n, reference, **more) -> pd.DataFrame:
        frame = self.scores(metric, axis, by)
        own = (one for one in several(metric) if getattr(one, "lower_is_better", False))
        lower = {*LOWER_IS_BETTER, *(one.__name__ for one in own)}
        return compared(frame, reference, lower, min_n, **more)

    def _repeated(self, replicates: pd.DataFrame, axis: str) -> tuple[pd.DataFrame, pd.DataFrame]:
        """The truth and its repeat with the same lines and perturbations, units as columns."""
        if len(self.held) != 1:
            raise InputError(
                f"A ceiling belongs to one cohort under one split, and here are {len(self.held)}: "
                "ask for it before you join predictions."
            )
        (held,) = self.held
        truth = held.table(slice(None), held.truth)
        lines = truth.index.intersection(replicates.index, sort=False)
        perturbations = truth.columns.intersection(replicates.columns, sort=False)
        if not len(lines) or not len(perturbations):
            raise InputError(
                f"The replicates share {len(lines)} lines and {len(perturbations)} perturbations "
                "with the predictions: bring both to the same names."
            )
        tables = truth.loc[lines, perturbations], replicates.loc[lines, perturbations]
        return tables if axis == "perturbation" else (tables[0].T, tables[1].T)


def full_name(cohort: str, edition: str) -> str:
    return f"{cohort} ({edition})" if edition else cohort


def failed(rows: list[dict]) -> pd.DataFrame:
    """The table of fits that failed: one row a model and fold."""
    return pd.DataFrame(
        rows, columns=["cohort", "split", "model", "omics", "repeat", "fold", "error"]
    )


def known_cells(P: pd.DataFrame, truth: pd.DataFrame, who: str = "It") -> np.ndarray:
    """The predictions for the known cells of the truth, line after line; none may be missing."""
    values = as_floats(P)[truth.notna().to_numpy()]
    if bad := int((~np.isfinite(values)).sum()):
        raise InputError(
            f"{who} predicts NaN or infinity in {bad} of {len(values)} test cells: "
            "every test cell needs a number."
        )
    return values


def as_floats(table: pd.DataFrame | np.ndarray) -> np.ndarray:
    """The values in their own float format; float64 where they come in another."""
    values = np.asarray(table)
    return values if values.dtype.kind == "f" else values.astype(float)


def several(given: Metric | tuple[Metric, ...]) -> tuple[Metric, ...]:
    """One or several, as a tuple."""
    return tuple(given) if isinstance(given, (tuple, list)) else (given,)


def check_metrics(metrics: tuple, axes: tuple) -> None:
    known = METRICS | OF_CLASSES
    check_known("metric", tuple(name for name in metrics if not callable(name)), known)
    check_known("axis", axes, AXES)


def _mean(held: HeldOut, name: str, members: Collection[str]) -> tuple[Key, tuple[np.ndarray, str]]:
    """The name and omics of an ensemble; its values, and whether it is a model or a baseline."""
    if isinstance(members, str) or not len(members):
        raise InputError(f"The ensemble {name!r} has no list of members: give names of models.")
    if again := next((each for each in members if list(members).count(each) > 1), None):
        raise InputError(
            f"{name!r} has the member {again!r} twice, which a mean would count double: name each "
            "once."
        )
    known = {model for model, _ in held.values}
    keys = []
    for member in members:
        own = [key for key in held.values if key[0] == member]
        if not own:
            raise InputError(f"{name!r} has no member {member!r}; {nearest(member, known)}")
        if len(own) > 1:
            raise InputError(
                f"The member {member!r} of {name!r} predicts from {len(own)} omics: give each its "
                "own name."
            )
        keys += own
        lost = [
            row["fold"] for row, part in held.parts() if np.isnan(held.values[own[0]][part]).all()
        ]
        if lost:
            raise InputError(
                f"The member {member!r} of {name!r} failed in {len(lost)} folds, the first of them "
                f"fold {lost[0]}: an ensemble needs all its members in every fold."
            )
    mean = sum(held.values[key].astype(float) for key in keys) / len(keys)  # (cells,)
    omics = " + ".join(dict.fromkeys(omics for _, omics in keys if omics != "none")) or "none"
    naive = all(held.kinds[key] == "baseline" for key in keys)
    return (name, omics), (mean, "baseline" if naive else "model")


def _scored(
    held: HeldOut, metrics: tuple, axes: tuple, by: pd.Series | None
) -> Iterator[tuple[dict, pd.DataFrame]]:
    """All scores of each model in each fold, and the names of model and fold."""
    for (model, omics), values in held.values.items():
        about = dict(model=model, omics=omics, kind=held.kinds[model, omics])
        for row, part in held.parts():
            if np.isnan(values[part]).all():
                continue  # this fit failed
            truth, P = held.table(part, held.truth), held.table(part, values).to_numpy()
            for group, rows in _groups(truth.index, by):
                frames = [_frame(truth[rows], P[rows], metrics, axis) for axis in axes]
                frame = pd.concat(frames)
                named = about | row | group
                yield named, frame[frame["n"] > 0]


def _groups(lines: pd.Index, by: pd.Series | None) -> Iterator[tuple[dict, slice | np.ndarray]]:
    """The lines of each group of `by`; all lines where there is none."""
    if by is None:
        yield {}, slice(None)
        return
    if not by.index.is_unique or by.reindex(lines).isna().any():
        raise InputError(
            "`by` must name one group for each tested line: give a Series over the lines, such as "
            "cohort.lines['tissue']."
        )
    groups = by.reindex(lines)
    for group in pd.unique(groups):
        yield {"group": group}, (groups == group).to_numpy()


def _frame(truth: pd.DataFrame, P: np.ndarray, metrics: tuple, axis: str) -> pd.DataFrame:
    """`score_frame`, with functions among the metrics."""
    if not any(callable(metric) for metric in metrics):
        return score_frame(truth, P, metrics, axis)
    return pd.concat(
        [
            _own(truth, P, m, axis) if callable(m) else score_frame(truth, P, m, axis)
            for m in metrics
        ]
    )


def _own(truth: pd.DataFrame, P: np.ndarray, metric: Callable, axis: str) -> pd.DataFrame:
    """The scores of one's own metric, a unit at a time."""
    y = truth.to_numpy()  # (lines, perturbations)
    units = {"perturbation": zip(y.T, P.T), "line": zip(y, P), "global": [(y.ravel(), P.ravel())]}
    known = ((a[~np.isnan(a)], b[~np.isnan(a)]) for a, b in units[axis])
    scores = [float(metric(a, b)) if len(a) else np.nan for a, b in known]
    return score_frame(truth, P, "mse", axis).assign(metric=metric.__name__, score=scores)
