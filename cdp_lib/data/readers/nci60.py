"""Files of the National Cancer Institute: NCI-ALMANAC drug pairs and CellMiner's NCI-60 tables.

Lines are written as CellMiner writes them, without the panel: "MDA-MB-231", "HL-60(TB)".
"""

import io
from pathlib import Path

import numpy as np
import pandas as pd

from cdp_lib.data.checks import few
from cdp_lib.data.ids import nci60_name
from cdp_lib.data.readers.files import (
    counted,
    drop_empty_rows,
    lines_table,
    numbers,
    opened,
    read_table,
    refuse_html,
    refuse_nameless,
    require,
    some_rows,
    whole_number_text,
    whole_numbers,
    with_notes,
    workbook,
)
from cdp_lib.errors import InputError

GROWTH = {
    "CELLNAME": "line",
    "NSC1": "nsc_a",
    "CONC1": "conc_a",
    "NSC2": "nsc_b",
    "CONC2": "conc_b",
    "PERCENTGROWTH": "growth",
    "SCORE": "score",
}


def almanac_growth(path: str | Path) -> pd.DataFrame:
    """Long, one well a row: line, nsc_a, conc_a, nsc_b, conc_b, growth (%), score.

    Reads ComboDrugGrowth (CSV or its zip). Rows that are not VALID are dropped and counted; a
    single drug has no nsc_b.
    """
    frame = read_table(
        path,
        need=(*GROWTH, "VALID"),
        usecols=lambda c: c in GROWTH or c == "VALID",
    )
    valid = frame["VALID"].astype(str).str.upper().eq("Y")
    tidy = frame.loc[valid, list(GROWTH)].rename(columns=GROWTH).reset_index(drop=True)
    for key in ("CELLNAME", "NSC1"):
        refuse_nameless(tidy[GROWTH[key]], key, path)
    tidy["line"] = nci60_names(tidy["line"], path)
    for column in ("nsc_a", "nsc_b"):
        tidy[column] = whole_numbers(tidy[column], path)
    values = ["conc_a", "conc_b", "growth", "score"]
    tidy[values] = numbers(tidy[values], path)
    dropped = int((~valid).sum())
    return with_notes(tidy, counted(dropped, f"of {len(frame)} row(s) are not valid, dropped"))


def nci60_names(lines: pd.Series, path: str | Path) -> pd.Series:
    """One spelling of each line; an unknown name is an error."""
    known = {name: nci60_name(name) for name in lines.unique()}
    unknown = [name for name, found in known.items() if found is None]
    if unknown:
        raise InputError(
            f"{Path(path).name} has {len(unknown)} line name(s) that are not of the NCI-60 "
            f"({few(unknown)}): correct the spelling or drop these rows."
        )
    return lines.map(known)


def almanac_scores(path: str | Path) -> pd.DataFrame:
    """Long, one (line, pair) a row: line, nsc_a, nsc_b, score (ComboScore).

    Pairs that the file holds in both orders are brought to one and merged by their mean.
    """
    wide = read_table(path, sep="\t", need=("paired_drug",))
    wide = lines_table(wide, "paired_drug", path)
    nsc = wide.index.str.extract(r"^(\d+)_(\d+)$")
    if nsc.isna().any(axis=None):
        raise InputError(
            f"{Path(path).name} has {wide.index[nsc.isna().any(axis=1)][0]!r} where a pair such "
            f"as 740_752 belongs: it is not this table, check its name."
        )
    wide = numbers(wide, path)
    wide.columns = nci60_names(wide.columns.to_series(), path).to_numpy()
    empty = wide.columns[wide.isna().all()]
    ends = np.sort(nsc.to_numpy(dtype=str), axis=1)  # (pairs, 2), the smaller text first
    merged = wide.groupby([ends[:, 0], ends[:, 1]]).mean()
    merged.index.names, merged.columns.name = ["nsc_a", "nsc_b"], "line"
    tidy = merged.stack().dropna().rename("score").reset_index()
    return with_notes(
        tidy[["line", "nsc_a", "nsc_b", "score"]],
        counted(len(wide) - len(merged), "pair(s) stood in both orders, merged by their mean"),
        counted(len(empty), f"line(s) without any score: {few(empty)}"),
    )


def almanac_drugs(path: str | Path) -> pd.DataFrame:
    """One row a compound, by NSC: name, cid, smiles, mechanism."""
    need = ("NSC", "CID", "SMILES", "MECHANISM", "NAME")
    frame = lines_table(read_table(path, need=need), "NSC", path).rename_axis(index="nsc")
    tidy = frame.rename(columns=str.lower)[["name", "cid", "smiles", "mechanism"]]
    return with_notes(tidy.assign(cid=whole_number_text(tidy["cid"])))


def combo_compound_names(path: str | Path) -> pd.DataFrame:
    """NSC -> name: ComboCompoundNames_small.txt, tab-separated, without a header."""
    frame = read_table(path, sep="\t", header=None, dtype=str, names=["nsc", "name"])
    refuse_nameless(frame["name"], "name", path)
    frame["nsc"] = whole_numbers(frame["nsc"], path)
    return lines_table(frame, "nsc", path).rename_axis(index="nsc")


def combo_compound_set(path: str | Path) -> pd.DataFrame:
    """NSC -> smiles: ComboCompoundSet.sdf. A molecule that RDKit refuses has none, and is noted."""
    from cdp_lib.data.molecules import read_sdf

    refuse_html(path)
    with opened(path) as file:
        whole = io.BytesIO(file.read())  # what is cut short says so here, and not inside RDKit
    records = read_sdf(whole, id_field="NSC", name=Path(path).name)
    table = some_rows(pd.DataFrame(records, columns=["nsc", "smiles"]), path)
    table = lines_table(table, "nsc", path)
    bad = table.index[table["smiles"].isna()]
    note = counted(len(bad), f"molecule(s) that RDKit refuses have no SMILES: {few(bad)}")
    return with_notes(table.rename_axis(index="nsc"), note)


def drug_smiles(path: str | Path) -> pd.DataFrame:
    """Drug name -> cid, smiles (drug_smiles.csv, isomeric SMILES of ALMANAC drugs)."""
    frame = read_table(path, need=("name", "pubchemid", "isosmiles"))
    frame = lines_table(frame, "name", path).rename_axis(index="drug")
    return with_notes(
        pd.DataFrame({"cid": whole_number_text(frame["pubchemid"]), "smiles": frame["isosmiles"]})
    )


def cellminer(path: str | Path) -> pd.DataFrame:
    """Lines x features from a CellMiner table (features x the 60 lines, "BR:MCF7").

    Reads the text files, the Excel files and the zip files that hold one of them. A feature is
    the identifier in the first column. Empty rows and lines are dropped and noted.
    """
    frame = cellminer_rows(path)
    lines = [c for c in frame.columns if ":" in str(c) and nci60_name(c)]
    require(frame, () if lines else ("BR:MCF7",), path)
    key = frame.columns[0]
    blank = frame.isna().all(axis=1)
    frame = lines_table(frame.loc[~blank, [key, *lines]], key, path)
    return nci60_table(frame, path, counted(blank.sum(), "empty row(s) of the file dropped"))


def cellminer_rows(path: str | Path) -> pd.DataFrame:
    """The table below the row that names the lines; a file may tell its story above it."""
    nothing = ["-", "na"]
    with opened(path) as file:
        start = file.read(4)
    if start[:2] not in (b"PK", b"\xd0\xcf"):
        with opened(path) as file:
            above = next((n for n, row in enumerate(file) if b"BR:MCF7" in row), 0)
        return read_table(path, sep="\t", skiprows=above, na_values=nothing)
    with opened(path) as file:
        frame = workbook(io.BytesIO(file.read()), path, header=None, na_values=nothing)
    named = (frame == "BR:MCF7").any(axis=1).to_numpy()
    header = int(named.argmax())
    return frame.iloc[header + 1 :].set_axis(frame.iloc[header].astype(str), axis=1)


def nci60_expression(*paths: str | Path) -> pd.DataFrame:
    """Lines x genes from one or more parts, each genes x the 60 lines ("Gene", "MCF7", ...)."""
    parts = [lines_table(read_table(p, need=("Gene",)), "Gene", p) for p in paths]
    if any(list(p.columns) != list(parts[0].columns) for p in parts):
        raise InputError(
            f"The parts {few(Path(p).name for p in paths)} do not hold the same lines: they are "
            f"not parts of one table."
        )
    frame = pd.concat(parts)
    return nci60_table(frame, paths[0])


def nci60_table(frame: pd.DataFrame, path: str | Path, *notes: str) -> pd.DataFrame:
    """Features x lines as lines x features, in the one spelling of the lines."""
    frame = numbers(frame, path)
    names = nci60_names(frame.columns.to_series(), path).to_numpy()
    tidy = frame.set_axis(pd.Index(names, name="line"), axis=1).rename_axis(index="feature").T
    tidy, empty = drop_empty_rows(tidy, "line")
    return with_notes(tidy, *notes, empty)
