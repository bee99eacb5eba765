"""Files of the PDX Encyclopedia (Gao et al. 2015): tumours of patients that grow in mice.

A *model* is one mouse with the tumour of one patient under one treatment. Its files are tables of
an R package: the volumes of every tumour, what each model is, and an object of the class XevaSet
with RNA-seq and the published responses of one kind of cancer.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from cdp_lib.data.readers.files import AGAIN
from cdp_lib.data.readers.names import (
    GENE,
    lines_table,
    refuse_duplicates,
    refuse_nameless,
    refuse_odd_names,
    with_notes,
)
from cdp_lib.data.readers.rds import frame, inside, matrix, part
from cdp_lib.data.readers.tables import read_table, require
from cdp_lib.errors import InputError

PUBLISHED = {
    "mRECIST": "mrecist",
    "best.response": "best",
    "best.average.response": "best_average",
}


def xenograft_volumes(path: str | Path) -> pd.DataFrame:
    """Long, one measurement a row: model, drug, day, volume (cubic millimetres).

    Three untreated models hold two or three mice, each with a row a day.
    """
    columns = {"model.id": "model", "drug": "drug", "time": "day", "volume": "volume"}
    measured = ("time", "volume", "body.weight")
    frame = read_table(path, need=tuple(columns), floats=measured, once=True)
    for key in columns:
        refuse_nameless(frame[key], key, path)
    for key in ("model.id", "drug"):
        frame[key] = frame[key].str.strip()
        names = pd.Index(frame[key].unique())
        refuse_odd_names(names, key, path)
        refuse_duplicates(names, key, path)
    odd = (frame["time"] < 0) | (frame["volume"] < 0)
    if odd.any():
        raise InputError(
            f"{Path(path).name} has a time or volume below 0 in row {int(odd.argmax()) + 1}: "
            f"correct or drop it, or {AGAIN}."
        )
    return with_notes(frame[list(columns)].rename(columns=columns))


def xenograft_models(path: str | Path) -> pd.DataFrame:
    """One row a model: tissue (a code such as NSCLC), tissue_name, patient, drug."""
    columns = {
        "tissue": "tissue",
        "tissue.name": "tissue_name",
        "patient.id": "patient",
        "drug": "drug",
    }
    frame = lines_table(read_table(path, need=("model.id", *columns)), "model.id", path)
    for key in columns:
        refuse_nameless(frame[key], key, path)
        refuse_odd_names(frame[key].unique(), key, path)
    return with_notes(frame[list(columns)].rename(columns=columns).rename_axis("model"))


def xenograft_drugs(path: str | Path) -> pd.DataFrame:
    """One row a treatment: its target and its type, "single" or "combo"."""
    columns = {"treatment.target": "target", "treatment.type": "type"}
    frame = lines_table(read_table(path, need=("drug.id", *columns)), "drug.id", path)
    refuse_odd_names(frame["treatment.type"].dropna().unique(), "type", path, "single|combo")
    return with_notes(frame[list(columns)].rename(columns=columns).rename_axis("drug"))


def xenograft_expression(path: str | Path) -> pd.DataFrame:
    """Patients x genes from a XevaSet: RNA-seq, log2 as published (.rds)."""

    def rna(xeva) -> pd.DataFrame:
        return matrix(part(xeva, "molecularProfiles", "RNASeq", "assayData", "exprs"))

    table = inside(path, rna, "RNA-seq of xenografts").T
    for names, what, like in ((table.index, "patient", None), (table.columns, "gene", GENE)):
        if any(not isinstance(name, str) for name in names):
            raise InputError(f"{Path(path).name} has a {what} without a name: {AGAIN}.")
        refuse_odd_names(names, what, path, like)
        refuse_duplicates(names, what, path, case=False)
    if not np.isfinite(table.to_numpy()).all():
        raise InputError(f"{Path(path).name} has cells that are no number: {AGAIN}.")
    return with_notes(table.rename_axis(index="line", columns="gene"))


def xenograft_responses(path: str | Path) -> pd.DataFrame:
    """One row a model: the published mrecist, best and best_average response (%) of a XevaSet."""
    table = inside(path, lambda xeva: frame(part(xeva, "sensitivity", "model")), "responses")
    require(table.columns, tuple(PUBLISHED), path)
    table = lines_table(table, "model.id", path).rename_axis("model")
    return with_notes(table[list(PUBLISHED)].rename(columns=PUBLISHED))
