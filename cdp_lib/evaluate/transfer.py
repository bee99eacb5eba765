"""From one study to another: learn in the cohort `train`, predict the lines of the cohort `test`.

    P = transfer({"ridge": Ridge()}, gdsc, ctrp)
    P                                   # says what was matched, what was removed, and how many
    P.summary("pearson")                # beside the naive means of the training cohort
    P.against("tissue mean", "pearson")  # one fold, hence no p; the interval is over perturbations

Two screens of the same lines share more than biology, so training lines that the test cohort also
measured, or that come from one of its donors, are removed.  Responses of two studies rarely have
one scale (ln IC50, area under a curve): then only correlations can be read, and r2 or an error
means nothing.  `scale` puts both on a common one, each perturbation within its own cohort:

    z       (y - mean) / sd                     over the lines of the cohort
    rank    (rank of y - 1/2) / number          from 0 to 1

Omics of two studies differ by more than biology, too: another laboratory, another protocol.  With
`own_scale` each feature has mean 0 and sd 1 over the lines of its own cohort, so that a shift of
the whole study is gone; what a line is predicted then hangs on the lines that are tested beside it.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from cdp_lib.data.ids import normalised
from cdp_lib.data.molecules import inchikey
from cdp_lib.errors import InputError
from cdp_lib.evaluate.cross_validation import cross_predict
from cdp_lib.evaluate.fitting import Omics, check_known
from cdp_lib.evaluate.predictions import Predictions, full_name
from cdp_lib.splits import TEST, TRAIN, TUNE, Fold, Split

SCALES = {
    None: lambda Y: Y,
    "z": lambda Y: (Y - Y.mean()) / Y.std(ddof=0).where(lambda sd: sd > 0),
    "rank": lambda Y: (Y.rank() - 0.5) / Y.notna().sum(),
}


def transfer(
    models: Mapping[str, BaseEstimator],
    train,
    test,
    omics: Omics | Mapping[str, Omics] = "expression",
    match: str = "name",
    shared: str = "remove",
    scale: str | None = None,
    own_scale: bool = False,
    tune: float = 0.1,
    seed: int = 0,
    baselines: bool = True,
    n_jobs: int | None = None,
    errors: str = "raise",
    checkpoint: str | Path | None = None,
) -> Predictions:
    """Fit each model on all lines of `train`, and keep what it predicts for the lines of `test`.

    Perturbations are matched by `match`: "name" (upper case, letters and digits only; the column
    `name` where there is one) or "structure" (the column `smiles`: salts and stereoisomers of one
    compound are one).  Features are matched by name.  Training lines that are in `test`, or whose
    donor is, are "remove"d or "keep"t, as `shared` says.  A share `tune` of the training donors,
    drawn by `seed`, is for models that stop by a validation set.  The rest is as in
    `cross_predict`.
    """
    check_known("match", (match,), ("name", "structure"))
    check_known("shared", (shared,), ("remove", "keep"))
    check_known("scale", (scale,), SCALES)
    turned = train.lower_is_sensitive != test.lower_is_sensitive
    if turned and scale is None:
        raise InputError(
            f"A low response means sensitive in one of {train.name!r} and {test.name!r} only: give "
            "scale='z' or scale='rank', which turn the training response round."
        )
    pairs, of_matching = matched(train, test, match)
    same, of_sharing = shared_lines(train, test, shared)
    learned = train.Y.loc[~same, pairs.index].set_axis(list(pairs), axis=1)
    learned, asked = SCALES[scale](-learned if turned else learned), SCALES[scale](test.Y[pairs])
    both = learned.notna().any() & asked.notna().any()
    learned, asked = learned.loc[:, both], asked.loc[:, both]
    if not learned.size or not asked.size:
        raise InputError(
            f"Nothing is left to learn or to test between {train.name!r} and {test.name!r}: "
            f"{len(learned)} training lines, {int(both.sum())} perturbations."
        )
    names = [full_name(each.name, each.edition) for each in (train, test)]
    stacked, of_features = _stacked(train, test, ~same, learned, asked, omics, own_scale)
    stacked.name = " to ".join(names)
    of_scale = "Both responses keep their own scale, so errors and r2 mean nothing"
    if scale is not None:
        of_scale = f"Responses are on the scale {scale!r}, each perturbation in its own cohort"
    sentence = (
        f"Transfer from {names[0]} ({len(learned)} lines) to {names[1]} "
        f"({len(asked)} lines), {int(both.sum())} perturbations: {of_matching}; {of_sharing}; "
        f"{of_features}. {of_scale}{', the training response turned round' * turned}; a score says "
        "how well another study is predicted."
    )
    roles = np.full(len(stacked.Y), TEST, np.int8)
    roles[: len(learned)] = _training_roles(train.lines[~same], tune, seed)
    fold = Fold(np.broadcast_to(roles[:, None], stacked.Y.shape))
    name = f"transfer by {match}" + (f", {scale}" if scale else "")
    name += ", shared lines kept" * (shared == "keep") + ", own scale" * own_scale
    split = Split(name, sentence, (fold,), seed)
    return cross_predict(
        models,
        stacked,
        split,
        omics,
        baselines,
        n_jobs=n_jobs,
        errors=errors,
        checkpoint=checkpoint,
    )


def matched(train, test, match: str) -> tuple[pd.Series, str]:
    """The test cohort's perturbation for each of the training cohort's that it shares.

    Where several perturbations of a cohort have one key, the one measured in most lines stands.
    """
    sides, counts = [], []
    for cohort in (train, test):
        keys = _keys(cohort, match)
        often = cohort.Y.notna().sum().sort_values(ascending=False, kind="stable").index
        first = keys.reindex(often).dropna().drop_duplicates()
        sides.append(pd.Series(first.index, first.to_numpy()))
        counts.append((len(keys), int(keys.notna().sum()) - len(first)))
    common = sides[0].index.intersection(sides[1].index)
    if not len(common):
        raise InputError(
            f"No perturbation of {train.name!r} has the {match} of one of {test.name!r}: look at "
            f"the column {'smiles' if match == 'structure' else 'name'} of both."
        )
    pairs = pd.Series(sides[1][common].to_numpy(), sides[0][common].to_numpy())
    pairs = pairs.reindex([each for each in train.Y.columns if each in pairs.index])
    words = f"{len(pairs)} of {counts[0][0]} and {counts[1][0]} are matched by {match}"
    if again := counts[0][1] + counts[1][1]:
        words += f" ({again} that repeat a {match} and were measured in fewer lines stand aside)"
    return pairs, words


def shared_lines(train, test, shared: str) -> tuple[np.ndarray, str]:
    """Which training lines to leave out: those of the test cohort, and those of its donors."""
    named = train.Y.index.isin(test.Y.index)
    donors = [getattr(cohort.lines, "donor", pd.Series(dtype=object)) for cohort in (train, test)]
    kin = donors[0].notna() & donors[0].isin(donors[1].dropna())
    kin = kin.reindex(train.Y.index, fill_value=False).to_numpy() & ~named
    words = (
        f"{int(named.sum())} training lines are in both cohorts and {int(kin.sum())} more share "
        f"a donor: {'removed' if shared == 'remove' else 'kept'}"
    )
    return (named | kin) & (shared == "remove"), words


def _keys(cohort, match: str) -> pd.Series:
    """What each perturbation is matched by; None where it is not known."""
    table = cohort.perturbations.loc[cohort.Y.columns]
    if match == "structure":
        if "smiles" not in table:
            raise InputError(f"The perturbations of {cohort.name!r} have no column 'smiles'.")
        return table["smiles"].map(lambda text: inchikey(text).split("-")[0], na_action="ignore")
    names = table["name"] if "name" in table else pd.Series(table.index, table.index)
    return names.map(normalised, na_action="ignore").replace("", None)


def _stacked(
    train, test, rows: np.ndarray, learned, asked, omics, own_scale: bool
) -> tuple[SimpleNamespace, str]:
    """Both cohorts as one, training lines first, with the features of both; and what these are."""
    choices = omics.values() if isinstance(omics, Mapping) else [omics]
    names = {
        name
        for each in choices
        if each is not None
        for name in ([each] if isinstance(each, str) else each)
    }
    tables, words = {}, []
    for name in sorted(names):
        a, b = train.X(name), test.X(name)
        common = a.columns.intersection(b.columns, sort=False)
        if not len(common):
            raise InputError(
                f"The {name} of {train.name!r} and of {test.name!r} have no feature in common, "
                f"such as {a.columns[0]!r} and {b.columns[0]!r}: bring both to the same names."
            )
        parts = [a.loc[rows, common], b[common]]
        tables[name] = pd.concat(map(_standard, parts) if own_scale else parts)  # (lines, features)
        words.append(
            f"{len(common)} features of {name} are in both, of {a.shape[1]} and {b.shape[1]}"
            + ", each with mean 0 and sd 1 in its own cohort" * own_scale
        )
    lines = pd.concat([train.lines[rows], test.lines])

    def X(chosen: str | Iterable[str]) -> pd.DataFrame:
        if isinstance(chosen, str):
            return tables[chosen]
        parts = {name: tables[name] for name in chosen}
        return pd.concat(parts, axis=1, names=["omics", "feature"])

    stacked = SimpleNamespace(
        Y=pd.concat([learned, asked]),
        X=X,
        lines=lines[~lines.index.duplicated(keep="last")],
        perturbations=test.perturbations.loc[asked.columns],
    )
    if hasattr(test, "drugs"):
        stacked.drugs = test.drugs
    return stacked, ", ".join(words) or "no omics"


def _standard(table: pd.DataFrame) -> pd.DataFrame:
    """Mean 0 and sd 1 in each column; a constant column is 0."""
    sd = table.std(ddof=0)
    return (table - table.mean()) / sd.where(sd > 1e-6, 1.0)


def _training_roles(lines: pd.DataFrame, tune: float, seed: int) -> np.ndarray:
    """TRAIN, and TUNE for a share of the donors."""
    donor = lines["donor"] if "donor" in lines else pd.Series(None, lines.index, dtype=object)
    donor = donor.where(donor.notna(), pd.Series(lines.index, lines.index))
    donors = pd.unique(donor)
    rng = np.random.default_rng(seed)
    chosen = rng.choice(donors, round(tune * len(donors)), replace=False)
    return np.where(donor.isin(chosen), TUNE, TRAIN)
