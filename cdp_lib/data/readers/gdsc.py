"""Files of the Sanger Institute: GDSC drug response, its drugs and lines, gene copy number.

Two public tables go by the name "GDSC v17" and are different curve fits. `gdsc_matrix_cosmic`
and `gdsc_matrix_ach` read one each and write which fit it is into `attrs["fit"]`;
`same_fit` refuses to mix them.
"""

import re
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from cdp_lib.data.checks import few
from cdp_lib.data.readers.excel import text_cells, with_header, workbook
from cdp_lib.data.readers.files import opened, text_lines
from cdp_lib.data.readers.names import (
    ACH,
    GENE,
    NUMBER,
    SIDM,
    counted,
    drop_empty_columns,
    known_names,
    lines_table,
    numbers,
    refuse_duplicates,
    refuse_nameless,
    refuse_odd_names,
    refuse_odd_smiles,
    whole_number_text,
    whole_numbers,
    with_notes,
)
from cdp_lib.data.readers.tables import read_matrix, read_table, require
from cdp_lib.errors import InputError

FITTED = {
    "CELL_LINE_NAME": "line_name",
    "COSMIC_ID": "cosmic",
    "SANGER_MODEL_ID": "sanger",
    "DRUG_ID": "drug_id",
    "DRUG_NAME": "drug",
    "PUTATIVE_TARGET": "target",
    "LN_IC50": "ln_ic50",
    "AUC": "auc",
    "RMSE": "rmse",
}
DRUGS = {
    "name": ("Name", "DRUG_NAME"),
    "synonyms": ("Synonyms", "SYNONYMS"),
    "target": ("Targets", "TARGET"),
    "pathway": ("Target pathway", "TARGET_PATHWAY"),
    "cid": ("PubCHEM",),
}
DETAILS = {
    "Sample Name": "name",
    "COSMIC identifier": "cosmic",
    "GDSC Tissue descriptor 1": "tissue",
    "GDSC Tissue descriptor 2": "subtype",
    "Cancer Type (matching TCGA label)": "tcga",
    "Microsatellite instability Status (MSI)": "msi",
}


def excel_or_csv(path: str | Path, need: tuple[str, ...], **layout: object) -> pd.DataFrame:
    """The first sheet of a workbook, or a comma-separated table, every cell a text."""
    with opened(path) as file:
        if file.read(4) != b"PK\x03\x04":
            return read_table(path, need=need, **layout)
        frame = with_header(workbook(file, path), 0, path)
    require(frame.columns, need, path)
    return pd.DataFrame({c: text_cells(frame[c], path) for c in frame.columns})


def gdsc_fitted(path: str | Path) -> pd.DataFrame:
    """Long, one curve a row: line_name, cosmic, sanger, drug_id, drug, target, ln_ic50, auc, rmse.

    Reads GDSC1_ and GDSC2_fitted_dose_response (release 8.x), as Excel or CSV.
    """
    frame = excel_or_csv(path, tuple(FITTED))
    if frame.duplicated().any():
        row = int(frame.duplicated().to_numpy().argmax()) + 1
        raise InputError(f"{Path(path).name} repeats an earlier curve in row {row}: keep one.")
    tidy = frame[list(FITTED)].rename(columns=FITTED)
    for column in ("line_name", "cosmic", "drug_id", "drug", "ln_ic50", "auc"):
        refuse_nameless(tidy[column], column, path)
    for column in ("cosmic", "drug_id"):
        tidy[column] = whole_numbers(tidy[column], path)
    for column, like in (("line_name", None), ("drug", None), ("sanger", SIDM)):
        refuse_odd_names(tidy[column].dropna().unique(), column, path, like)
    values = ["ln_ic50", "auc", "rmse"]
    tidy[values] = numbers(tidy[values].set_axis("row " + tidy.index.astype(str)), path).to_numpy()
    twice = tidy.duplicated(["cosmic", "drug_id"]).sum()
    return with_notes(tidy, counted(twice, "curve(s) repeat a (line, drug) of this file"))


def gdsc_matrix_cosmic(path: str | Path) -> pd.DataFrame:
    """Lines (COSMIC ids) x drug ids: ln IC50 (uM), the v17 table of gdsctools."""
    words, frame = read_matrix(path, need=("COSMIC_ID",))
    require(words.columns, ("COSMIC_ID",), path)
    lines = known_names(words["COSMIC_ID"], "COSMIC_ID", path, NUMBER)
    frame = frame.set_axis(pd.Index(lines, name="line"))
    drug = frame.columns.str.extract(r"^Drug_(\d+)_IC50$", expand=False)
    if drug.isna().any():
        raise InputError(
            f"{Path(path).name} has {int(drug.isna().sum())} column(s) not called Drug_<id>_IC50 "
            f"({few(frame.columns[drug.isna()])}): it is not this matrix, check its name."
        )
    frame.columns = drug.rename("perturbation")
    frame.attrs["fit"] = "GDSC v17, gdsctools"
    return frame


def gdsc_matrix_ach(path: str | Path) -> pd.DataFrame:
    """Lines (ACH ids) x drug ids: ln IC50 (uM), the v17 table of CCLE names (drugs as rows)."""
    words, frame = read_matrix(path)
    drugs = known_names(words.iloc[:, 0], words.columns[0], path)
    drug = drugs.str.extract(r"^GDSC:(\d+)$", expand=False)
    if drug.isna().any():
        raise InputError(
            f"{Path(path).name} has {drugs[drug.isna()].iloc[0]!r} where a drug such as GDSC:1 "
            f"belongs: it is not this matrix, check its name."
        )
    refuse_odd_names(frame.columns, "line", path, ACH)
    frame = frame.set_axis(pd.Index(drug, name="perturbation")).T.rename_axis(index="line")
    frame.attrs["fit"] = "GDSC v17, by DepMap id"
    return frame


def same_fit(*tables: pd.DataFrame) -> None:
    """Refuse tables whose values come from different curve fits."""
    fits = sorted({table.attrs.get("fit", "unknown fit") for table in tables})
    if len(fits) > 1:
        raise InputError(
            f"These responses are different curve fits ({'; '.join(fits)}): use one of them, "
            f"never both, because the same line and drug differ between them."
        )


def gdsc_drugs(path: str | Path) -> pd.DataFrame:
    """One row a drug id: name, synonyms, target, pathway and, where listed, PubChem cid.

    Reads the drug list of 2019 and screened_compounds of release 8.x. Some compounds stand under
    two ids; the column `same_as` names the first id of the same name.
    """
    frame = read_table(path, open_end=True)
    key = "drug_id" if "drug_id" in frame.columns else "DRUG_ID"
    frame = lines_table(frame, key, path, NUMBER).rename_axis(index="perturbation")
    chosen = {
        ours: next((c for c in theirs if c in frame.columns), None)
        for ours, theirs in DRUGS.items()
    }
    need = tuple(DRUGS[o][-1] for o in ("name", "target") if not chosen[o])
    require(frame.columns, need, path)
    tidy = pd.DataFrame({ours: frame[theirs] for ours, theirs in chosen.items() if theirs})
    refuse_nameless(tidy["name"], "name", path)
    refuse_odd_names(tidy["name"], "name", path)
    if "cid" in tidy:
        cid = whole_number_text(tidy["cid"])
        tidy["cid"] = cid.where(cid.str.fullmatch(r"\d+", na=False), None)
    first = pd.Series(tidy.index, index=tidy.index).groupby(tidy["name"]).transform("first")
    if "cid" in tidy:
        first = first.groupby(tidy["cid"].fillna(tidy["name"])).transform("first")
    tidy["same_as"] = first.where(first != tidy.index, None)
    twice = tidy["same_as"].notna().sum()
    return with_notes(tidy, counted(twice, "compound(s) stand under two ids"))


def gdsc_line_details(path: str | Path) -> pd.DataFrame:
    """One row a line, by COSMIC id: name, tissue, subtype, tcga, msi (Cell_Lines_Details)."""
    frame = excel_or_csv(path, tuple(DETAILS), free_text=True)
    total = frame["Sample Name"].str.upper().str.startswith("TOTAL", na=False)
    tidy = frame.loc[~total, list(DETAILS)].rename(columns=DETAILS)
    known_names(tidy["name"], "Sample Name", path)
    tidy["cosmic"] = whole_number_text(tidy["cosmic"])
    tidy = lines_table(tidy, "cosmic", path, NUMBER)
    return with_notes(tidy, "the row of totals dropped" if total.any() else "")


def copy_number_sidm(path: str | Path) -> pd.DataFrame:
    """Lines (SIDM ids) x genes: total copy number; lines without any value are dropped."""
    words, frame = read_matrix(path)
    refuse_odd_names(frame.columns, "line", path, SIDM)
    genes = known_names(words.iloc[:, 0], words.columns[0] or "gene", path)
    refuse_odd_names(genes, "gene", path, GENE)
    frame, note = drop_empty_columns(frame.set_axis(pd.Index(genes, name="gene")))
    return with_notes(frame.rename_axis(columns="line").T, note)


def smiles_by_cid(path: str | Path, cids: Iterable[str] | None = None) -> pd.DataFrame:
    """PubChem cid -> smiles. The file has no header: its first row is a drug.

    `cids` keeps only these; PubChem's own list of all compounds does not fit into memory.
    """
    wanted = None if cids is None else {str(cid) for cid in cids}
    rows = []
    for number, line in text_lines(path):
        cid, _, smiles = line.removesuffix("\n").partition("\t")
        if not re.fullmatch(NUMBER, cid, re.ASCII) or not smiles:
            raise InputError(
                f"{Path(path).name}, line {number}, is not a PubChem id, tab, SMILES: it is "
                f"not this list, check its name."
            )
        if wanted is None or cid in wanted:
            rows.append((cid, smiles))
    table = pd.DataFrame(rows, columns=["cid", "smiles"]).set_index("cid")
    refuse_odd_smiles(table["smiles"], path)
    refuse_duplicates(table.index, "PubChem id", path)
    return with_notes(table)
