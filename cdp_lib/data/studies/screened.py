"""The lines of GDSC under the names that GDSC writes, and the breast lines with an expression."""

import pandas as pd

from cdp_lib.data.ids import IdMap
from cdp_lib.data.studies.sources import Source


def screened(source: Source, lines: pd.DataFrame, ids: IdMap, drugs: pd.DataFrame) -> pd.DataFrame:
    """One line a row, by COSMIC id: name, tissue, rows (drugs measured), rows_structure.

    `drugs` is the table of drugs by drug id; `rows_structure` counts those with a known structure.
    """
    return SCREENED[source.edition](source, lines, ids, drugs)


def of_details(source: Source, lines: pd.DataFrame, ids: IdMap, drugs: pd.DataFrame):
    """Names and tissues as GDSC's table of lines has them."""
    known = source.read("GDSC by COSMIC").notna()
    drawn = known[known.columns.intersection(drugs.index[drugs["smiles"].notna()])]
    table = source.read("GDSC lines")[["name", "tissue"]]
    table = table.assign(rows=known.sum(axis=1), rows_structure=drawn.sum(axis=1))
    return table.dropna(subset=["name", "rows"])


def of_curves(source: Source, lines: pd.DataFrame, ids: IdMap, drugs: pd.DataFrame):
    """Names as the curves have them, tissues by the DepMap id."""
    curves = source.read("GDSC", source.choice("drug-response", "screen"))
    curves = curves.assign(drawn=curves["drug_id"].isin(drugs.index[drugs["smiles"].notna()]))
    table = curves.groupby("cosmic").agg(
        name=("line_name", "first"), rows=("drug", "size"), rows_structure=("drawn", "sum")
    )
    tissue = ids.to_ach(table.index, "cosmic").mapping.map(lines["tissue"])
    return table.assign(tissue=tissue.reindex(table.index))


def expressed_breast_lines(source: Source) -> tuple[pd.Index, bool]:
    """Breast lines with an expression, and whether the list is the very file of dong2020."""
    exact = source.find("breast expression") is not None
    names = source.read("breast expression" if exact else "annotations").index
    names = names if exact else names[names.str.endswith("_BREAST")]
    return names.str.split("_", n=1).str[0], exact


SCREENED = {"teaching": of_curves, "official": of_curves, "pocket": of_details}
