"""Files of the O'Neil screen of drug pairs, as DeepSynergy and its successors use it."""

from pathlib import Path

import pandas as pd

from cdp_lib.data.readers.files import AGAIN
from cdp_lib.data.readers.names import refuse_nameless, refuse_odd_names, whole_numbers, with_notes
from cdp_lib.data.readers.tables import read_table
from cdp_lib.errors import InputError

LABELS = {
    "cell_line": "line",
    "drug_a_name": "drug_a",
    "drug_b_name": "drug_b",
    "synergy": "value",
    "fold": "fold",
}
SCORES = {
    "Test": "tested",
    "Val": "tuned",
    "MSE": "mse",
    "MSE_SE": "mse_se",
    "SCC": "spearman",
    "PCC": "pearson",
}


def oneil_synergy(path: str | Path) -> pd.DataFrame:
    """Long, one measurement a row: line, drug_a, drug_b, value (Loewe synergy), fold (0, 1, ...).

    A row whose label in the first column is not its two drugs and its line is refused, and so is a
    pair that stands in two folds.
    """
    frame = read_table(path, need=tuple(LABELS), floats=("synergy",), once=True)
    for key in LABELS:
        refuse_nameless(frame[key], key, path)
    for key in ("cell_line", "drug_a_name", "drug_b_name"):
        refuse_odd_names(frame[key].unique(), key, path)
    label = frame["drug_a_name"] + "_" + frame["drug_b_name"] + "_" + frame["cell_line"]
    other = (label != frame.iloc[:, 0]).to_numpy()
    if other.any():
        row = int(other.argmax())
        raise InputError(
            f"{Path(path).name} calls row {row + 1} {str(frame.iloc[row, 0])[:60]!r}, but its "
            f"columns say {label[row][:60]!r}: {AGAIN}."
        )
    tidy = frame[list(LABELS)].rename(columns=LABELS)
    tidy["fold"] = whole_numbers(tidy["fold"], path).astype("int64")
    ends = tidy[["drug_a", "drug_b"]].agg(frozenset, axis=1)
    if tidy.groupby(ends)["fold"].nunique().max() > 1:
        raise InputError(f"{Path(path).name} has a pair of drugs in two folds: {AGAIN}.")
    return with_notes(tidy)


def fold_scores(path: str | Path) -> pd.DataFrame:
    """One run a row: the fold it was tested on, the fold it was tuned on, and its scores."""
    frame = read_table(path, need=tuple(SCORES), floats=tuple(SCORES)[2:])
    for key in SCORES:
        refuse_nameless(frame[key], key, path)
    tidy = frame[list(SCORES)].rename(columns=SCORES)
    for key in ("tested", "tuned"):
        tidy[key] = whole_numbers(tidy[key], path).astype("int64")
    if tidy.duplicated(["tested", "tuned"]).any():
        raise InputError(
            f"{Path(path).name} has two runs of the same two folds: keep one of them, or {AGAIN}."
        )
    return with_notes(tidy)
