"""Tumours of patients that grow in mice -> how far a treatment shrinks them (Gao et al. 2015).

The response of a model follows from the volumes of its tumour (`screens.tumour_responses`).
"""

from collections.abc import Iterable

import pandas as pd

from cdp_lib.data.cohort import Cohort, Step
from cdp_lib.data.ids import IdMap
from cdp_lib.data.screens import FIRST_DAY, LEAST, tumour_responses
from cdp_lib.data.studies import sources
from cdp_lib.data.studies.assembly import chosen, join, truth
from cdp_lib.data.studies.sources import Source, notes, source_of, step
from cdp_lib.errors import InputError, nearest

RESPONSES = {"best average": "best_average", "best": "best"}
TISSUES = {  # of the files -> ours
    "BRCA": "breast",
    "CM": "skin",
    "CRC": "colorectal",
    "GC": "gastric",
    "NSCLC": "lung",
    "PDAC": "pancreas",
}
CONTROL = "untreated"


def xenografts(
    source: Source, omics: Iterable[str] = ("expression",), response: str = "best average"
) -> Cohort:
    """Patients x treatments -> best (average) response of their tumour in mice, in % (task 5).

    A line is the tumour of a patient, and a cell one mouse: lower, that is a smaller tumour, means
    more sensitive. RNA is there for lung alone; `omics=()` keeps the patients of all six cancers.
    `response`: "best average", or "best". The untreated mice are no treatment and stay out.
    """
    if response not in RESPONSES:
        raise InputError(f"There is no response {response!r}; {nearest(str(response), RESPONSES)}")
    models, volumes = source.read("xenograft models"), source.read("xenograft volumes")
    responses = tumour_responses(volumes)
    steps = [step(source, "models", (len(models),), (4_706,), notes(models))]
    known = responses[RESPONSES[response]].dropna()
    treated = models[models["drug"] != CONTROL]
    cells = treated[treated.index.isin(known.index)]
    n = len(treated) - len(cells)
    said = f"{n} treated models have fewer than {LEAST} volumes from day {FIRST_DAY} on"
    steps.append(Step("models with a response", (len(cells),), None, said))
    Y, repeated = by_patient(cells.assign(value=known.reindex(cells.index)))
    said = "without the untreated" + repeated
    steps.append(Step("patients x treatments", Y.shape, (277, 62), said))
    tables = {}
    for name in chosen(omics, ("expression",), source) if omics else ():
        tables[name] = source.lines("xenograft expression", IdMap())
        steps.append(step(source, name, tables[name].shape, None, notes(tables[name])))
    Y, tables, joined = join(source, Y, tables, None)
    Y = Y.loc[:, Y.notna().any()]
    of = models.drop_duplicates("patient").set_index("patient").reindex(Y.index)
    lines = pd.DataFrame(
        {
            "tissue": of["tissue"].map(lambda code: TISSUES.get(code, code.lower())),
            "donor": Y.index,
            "name": Y.index,
        },
        index=Y.index,
    )
    return Cohort.from_tables(
        Y,
        tables,
        lines,
        treatments(source, Y.columns),
        name="xenografts",
        edition=source.edition,
        study="xenografts",
        response=f"{response} response of the tumour (% change of its volume)",
        lower_is_sensitive=True,
        steps=[*steps, *joined],
        extras=sources.knowledge(source),
        truth=truth(source),
    )


def by_patient(mice: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """(patients, treatments) of one mouse a row, and how many cells are the mean of several."""
    again = mice.groupby(["patient", "drug"]).size().gt(1).sum()
    Y = mice.pivot_table("value", "patient", "drug")
    said = f"; {again} cells are the mean of several mice" if again else ""
    return Y.rename_axis(index="line", columns="perturbation"), said


def published_responses(data: str = "pocket", **sizes: int) -> pd.DataFrame:
    """The published responses of the lung models beside ours: mrecist, best, best_average, ...

    `best` and `best_average` are published, `best, ours` and `best_average, ours` follow from the
    volumes.
    """
    source = source_of(data, **sizes)
    ours = tumour_responses(source.read("xenograft volumes")).add_suffix(", ours")
    theirs = source.read("xenograft responses")
    return theirs.join(ours)


def treatments(source: Source, names: pd.Index) -> pd.DataFrame:
    """One row a treatment; `name` is its drug without the dose, "gemcitabine-50mpk"."""
    known = source.read("xenograft drugs").reindex(names)
    name = names.to_series().str.replace(r"-[\d.]+mpk$", "", regex=True)
    kind = known["type"].map({"single": "drug", "combo": "drug combination"}).fillna("drug")
    return pd.DataFrame(
        {"kind": kind, "name": name, "target": known["target"], "group": name}, index=names
    )
