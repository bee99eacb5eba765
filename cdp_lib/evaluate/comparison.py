"""Models side by side: means over folds, gains over a reference, and how sure they are.

    gain    mean over folds of (score - score of the reference); positive is better
    p       t = mean(gain) / sqrt((1 / folds + n_test / n_train) var(gain)),  folds - 1 degrees
    low, high   where 95 % of the gains lie when the units are drawn again with replacement

Folds share training cells, so their scores depend on each other; p is therefore that of the
corrected resampled t-test (Nadeau & Bengio 2003), two-sided.
"""

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from cdp_lib.audit import bootstrap, corrected_p
from cdp_lib.errors import InputError
from cdp_lib.evaluate.fitting import best_label, check_known
from cdp_lib.metrics import LOWER_IS_BETTER

FRAME = (
    "model", "kind", "split", "axis", "metric", "repeat", "fold", "unit", "n", "score", "constant",
    "n_train", "n_test", "cohort", "omics",
)  # fmt: skip
WITHIN = ("cohort", "split", "group", "axis", "metric")  # scores are compared within these
ROW = ["model", "omics"]
FOLD = ["repeat", "fold"]


def summary(
    frame: pd.DataFrame,
    reference: str | None = None,
    lower_is_better: Collection[str] = LOWER_IS_BETTER,
) -> pd.DataFrame:
    """One row for each cohort, split, axis, metric, model and omics of a frame of scores.

    mean and sd are over folds (of the mean over a fold's units), and sd_over says what a fold
    holds out; folds, units, constant and empty count the folds scored, the units scored, those
    with a constant prediction and those whose score is undefined, over all folds.  gain and p
    compare with `reference`, by default the best baseline by mean score: positive is better,
    whichever way the metric points.

    A row that stands in the frame twice, as baselines do where two frames are concatenated, counts
    once; another score under the same names is refused.
    """
    return compared(frame, reference, lower_is_better).drop(columns="too_few")


def compared(
    frame: pd.DataFrame,
    reference: str | None = None,
    lower_is_better: Collection[str] = LOWER_IS_BETTER,
    min_n: int = 1,
    draws: int = 0,
    seed: int = 0,
    ceiling: pd.DataFrame | pd.Series | float | None = None,
) -> pd.DataFrame:
    """`summary`, without units of fewer than `min_n` cells.

    `draws` add low, high and distinct, the number of units that were drawn from; a `ceiling` adds
    floor, ceiling and share.
    """
    check_known("reference", (reference or frame["model"].iloc[0],), frame["model"].unique())
    frame = frame.assign(**{name: "none" for name in ("cohort", "omics") if name not in frame})
    within = [name for name in WITHIN if name in frame]
    frame = _once(frame, [*within, *ROW, "repeat", "fold", "unit"])
    if ceiling is not None:
        frame = frame.assign(ceiling=_ceilings(frame["unit"], ceiling))
    rows = []
    for where, part in frame.groupby(within, sort=False):
        where = dict(zip(within, where, strict=True))
        sign = -1 if where["metric"] in lower_is_better else 1
        small = part[part["n"] < min_n].groupby(ROW, sort=False).size()
        part = part[part["n"] >= min_n]
        if part.empty:  # a small tissue, say
            nothing = {"folds": 0, "units": 0, "constant": 0, "empty": 0}
            named = ((dict(zip(ROW, key, strict=True)), n) for key, n in small.items())
            rows += [where | names | nothing | {"too_few": n} for names, n in named]
            continue
        scores, share = _by_fold(part)
        kinds = part.groupby(ROW, sort=False)["kind"].first()
        floor = best_label(sign * scores[kinds.index[kinds == "baseline"]].mean())
        against = floor if reference is None else _called(reference, kinds.index)
        for key, units in part.groupby(ROW, sort=False):
            gain = sign * (scores[key] - scores[against]) if against else scores[key] * np.nan
            row = where | dict(zip(ROW, key, strict=True))
            row |= {
                "kind": kinds[key],
                "mean": scores[key].mean(),
                "sd": scores[key].std(),
                "sd_over": folds_of(where["split"]),
                "folds": int(units.groupby(FOLD).ngroups),
                "units": len(units),
                "constant": int(units["constant"].sum()),
                "empty": int(units["score"].isna().sum()),
                "too_few": int(small.get(key, 0)),
                "reference": against[0] if against else None,
                "gain": gain.mean(),
                "p": np.nan if key == against else corrected_p(gain, share),
            }
            if draws:
                row |= _interval(part, key, against, sign, draws, seed)
            if ceiling is not None:
                row |= _share(part, key, floor, sign)
            rows.append(row)
    if all(row["units"] == 0 for row in rows):
        raise InputError(f"No unit has {min_n} test cells in a fold: ask for a smaller min_n.")
    longest = max(rows, key=len)
    return pd.DataFrame(rows)[[*within, *ROW, *list(longest)[len(within) + len(ROW) :]]]


def averaged(frame: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """A frame of scores in which draws of one control are one model: fold by fold, unit by unit.

    `names` leads from each draw, such as "rewired 3", to what it is a draw of; other models stay.
    """
    frame = frame.assign(model=frame["model"].replace(dict(names)))
    same = [name for name in frame.columns if name != "score"]
    return frame.groupby(same, sort=False, dropna=False, as_index=False)["score"].mean()


def folds_of(split: str) -> str:
    """What a fold of a split holds out: "folds of lines" of "leave lines out"."""
    held = split.partition(",")[0].removeprefix("leave ").removesuffix(" out")
    named = split.startswith("leave ")
    return f"folds of {held.replace('both', 'lines and perturbations')}" if named else "folds"


def _once(frame: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """The frame without repeated rows; refuse two scores, or two folds, under the same names."""
    if frame.duplicated(keys).any():
        frame = frame.drop_duplicates()
    again = frame[frame.duplicated(keys)]
    sizes = frame.groupby(keys[:-1], sort=False)[["n_train", "n_test"]]
    mixed = sizes.max().ne(sizes.min()).any(axis=1)
    if len(again) or mixed.any():
        names = again.iloc[0].to_dict() if len(again) else dict(zip(keys, mixed.idxmax()))
        raise InputError(
            f"Two sets of scores of {names['model']!r} ({names['omics']}) stand under the names "
            f"{names['cohort']!r} and {names['split']!r}, and would be averaged: give the models, "
            "cohorts or splits different names."
        )
    return frame


def _by_fold(part: pd.DataFrame) -> tuple[pd.DataFrame, float]:
    """The mean score of each fold (folds, models), and the mean share n_test / n_train."""
    folds = part.groupby([*ROW, *FOLD], sort=False)
    sizes = folds[["n_train", "n_test"]].first()
    return folds["score"].mean().unstack(ROW), (sizes["n_test"] / sizes["n_train"]).mean()


def _called(name: str, keys: pd.MultiIndex) -> tuple[str, str] | None:
    """The one model of this name."""
    found = [key for key in keys if key[0] == name]
    if len(found) > 1:
        raise InputError(
            f"The reference {name!r} stands on {' and on '.join(omics for _, omics in found)}: "
            "give each model its own name."
        )
    return found[0] if found else None


def _interval(part, key, against, sign: int, draws: int, seed: int) -> dict[str, float]:
    """95 % of the gains when the units are drawn again, all folds of a unit together."""
    nothing = {"low": np.nan, "high": np.nan, "distinct": 0}
    if against is None or key == against:
        return nothing
    score = part.set_index([*FOLD, "unit"])["score"]
    of = {
        row: score[((part["model"] == row[0]) & (part["omics"] == row[1])).to_numpy()]
        for row in (key, against)
    }
    gain = (sign * (of[key] - of[against])).dropna().unstack("unit").to_numpy()  # (folds, units)
    if gain.ndim < 2 or gain.shape[1] < 2:
        return nothing
    known, gain = ~np.isnan(gain), np.nan_to_num(gain)

    def mean(units: np.ndarray) -> float:
        times = np.bincount(units, minlength=gain.shape[1])
        n = known @ times  # (folds,) drawn units that were scored
        return float(((gain @ times)[n > 0] / n[n > 0]).mean())

    _, low, high = bootstrap(mean, gain.shape[1], draws, seed=seed)
    return {"low": low, "high": high, "distinct": int((known.sum(0) > 0).sum())}


def _ceilings(units: pd.Series, ceiling: pd.DataFrame | pd.Series | float) -> pd.Series | float:
    """The ceiling of each unit."""
    ceiling = ceiling["ceiling"] if isinstance(ceiling, pd.DataFrame) else ceiling
    if not isinstance(ceiling, pd.Series):
        return float(ceiling)
    values = units.map(ceiling)
    if values.isna().all():
        raise InputError(
            f"The ceiling is known for none of the units, such as {units.iloc[0]!r}: give one for "
            "each perturbation or line, as the axis says."
        )
    return values


def _share(part: pd.DataFrame, key, floor, sign: int) -> dict[str, object]:
    """How much of the way from floor to ceiling a model goes, over units with a known ceiling."""
    part = part[part["ceiling"].notna() & part["score"].notna()]
    folds = part.groupby([*ROW, *FOLD], sort=False)[["score", "ceiling"]].mean()
    own = folds.loc[key] if key in folds.index else folds.head(0).droplevel(ROW)
    naive = folds["score"].loc[floor] if floor else own["score"] * np.nan
    table = own.assign(floor=naive).dropna()  # (folds, score ceiling floor)
    mean = table.mean()
    reach, span = sign * (mean["score"] - mean["floor"]), sign * (mean["ceiling"] - mean["floor"])
    if floor is None:
        note = "there is no naive baseline"
    else:
        note = "" if span > 0 else "the ceiling is not above the floor"
    return {
        "floor": mean["floor"],
        "ceiling": mean["ceiling"],
        "share": np.nan if note else reach / span,
        "share_note": note,
    }
