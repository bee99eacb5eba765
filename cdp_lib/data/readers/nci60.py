"""Files of the National Cancer Institute: NCI-ALMANAC drug pairs and CellMiner's NCI-60 tables.

Lines are written as CellMiner writes them, without the panel: "MDA-MB-231", "HL-60(TB)".
"""

import io
from pathlib import Path

import numpy as np
import pandas as pd

from cdp_lib.data.checks import few
from cdp_lib.data.ids import nci60_name
from cdp_lib.data.readers.excel import text_cells, with_header, workbook
from cdp_lib.data.readers.files import AGAIN, opened, text_lines
from cdp_lib.data.readers.names import (
    GENE,
    NUMBER,
    counted,
    drop_empty_rows,
    is_smiles,
    known_names,
    lines_table,
    numbers,
    refuse_duplicates,
    refuse_nameless,
    refuse_odd_names,
    refuse_odd_smiles,
    whole_numbers,
    with_notes,
)
from cdp_lib.data.readers.tables import read_matrix, read_table, require
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
MEASURED = ("conc_a", "conc_b", "growth", "score")


def almanac_growth(path: str | Path) -> pd.DataFrame:
    """Long, one well a row: line, nsc_a, conc_a, nsc_b, conc_b, growth (%), score.

    Reads ComboDrugGrowth (CSV or its zip). Rows that are not VALID are dropped and counted; a
    single drug has no nsc_b.
    """
    values = [column for column in GROWTH if GROWTH[column] in MEASURED]
    frame = read_table(
        path,
        need=(*GROWTH, "VALID"),
        floats=tuple(values),
        keep=lambda c: c in GROWTH or c == "VALID",
        once=True,
        control="\x1a",  # in a few cells of upstream's file; the spelling of a line has none
    )
    refuse_odd_names(frame["VALID"].fillna("").unique(), "Y or N", path, "[YN]")
    valid = frame["VALID"].eq("Y")
    tidy = frame.loc[valid, list(GROWTH)].rename(columns=GROWTH).reset_index(drop=True)
    for key in ("CELLNAME", "NSC1", "CONC1", "PERCENTGROWTH"):
        refuse_nameless(tidy[GROWTH[key]], key, path)
    tidy["line"] = nci60_names(tidy["line"], path)
    for column in ("nsc_a", "nsc_b"):
        tidy[column] = whole_numbers(tidy[column], path)
    tidy[list(MEASURED)] = numbers(tidy[list(MEASURED)], path)
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


def nci60_columns(columns: pd.Index, path: str | Path) -> pd.Index:
    """The lines that columns stand for, each once."""
    names = pd.Index(nci60_names(columns.to_series(), path), name="line")
    refuse_duplicates(names, "line", path)
    return names


def almanac_scores(path: str | Path) -> pd.DataFrame:
    """Long, one (line, pair) a row: line, nsc_a, nsc_b, score (ComboScore).

    Pairs that the file holds in both orders are brought to one and merged by their mean.
    """
    words, wide = read_matrix(path, sep="\t", need=("paired_drug",))
    require(words.columns, ("paired_drug",), path)
    pairs = known_names(words["paired_drug"], "paired_drug", path)
    nsc = pairs.str.extract(r"^(\d{1,15})_(\d{1,15})$")
    if nsc.isna().any(axis=None):
        raise InputError(
            f"{Path(path).name} has {pairs[nsc.isna().any(axis=1)].iloc[0]!r} where a pair such "
            f"as 740_752 belongs: it is not this table, check its name."
        )
    wide.columns = nci60_columns(wide.columns, path)
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
    frame = read_table(path, need=need, open_end=True)
    frame = lines_table(frame, "NSC", path, NUMBER).rename_axis(index="nsc")
    tidy = frame.rename(columns=str.lower)[["name", "cid", "smiles", "mechanism"]]
    refuse_odd_smiles(tidy["smiles"], path)
    return with_notes(tidy.assign(cid=whole_numbers(tidy["cid"], path)))


def combo_compound_names(path: str | Path) -> pd.DataFrame:
    """NSC -> name: ComboCompoundNames_small.txt, tab-separated, without a header."""
    frame = read_table(path, sep="\t", names=("nsc", "name"))
    refuse_nameless(frame["name"], "name", path)
    refuse_odd_names(frame["name"], "name", path)
    if frame["name"].map(is_smiles).all():
        raise InputError(f"{Path(path).name} holds SMILES where names belong: check its name.")
    return lines_table(frame, "nsc", path, NUMBER).rename_axis(index="nsc")


def combo_compound_set(path: str | Path) -> pd.DataFrame:
    """NSC -> smiles: ComboCompoundSet.sdf. A molecule that RDKit refuses has none, and is noted."""
    from cdp_lib.data.molecules import read_sdf

    text = "".join(line for _, line in text_lines(path))  # a flaw of the file shows here first
    if not text.rstrip().endswith("$$$$"):
        raise InputError(f"{Path(path).name} does not end in $$$$: it is cut or no SDF, {AGAIN}.")
    records = read_sdf(io.BytesIO(text.encode()), id_field="NSC", name=Path(path).name)
    if len(records) != sum(line == "$$$$" for line in text.splitlines()):
        raise InputError(f"{Path(path).name} holds broken molecules: {AGAIN}.")
    table = pd.DataFrame(records, columns=["nsc", "smiles"])
    table = lines_table(table, "nsc", path, NUMBER)
    bad = table.index[table["smiles"].isna()]
    note = counted(len(bad), f"molecule(s) that RDKit refuses have no SMILES: {few(bad)}")
    return with_notes(table.rename_axis(index="nsc"), note)


def drug_smiles(path: str | Path) -> pd.DataFrame:
    """Drug name -> cid, smiles (drug_smiles.csv, isomeric SMILES of ALMANAC drugs)."""
    frame = read_table(path, need=("name", "pubchemid", "isosmiles"))
    frame = lines_table(frame, "name", path).rename_axis(index="drug")
    refuse_odd_smiles(frame["isosmiles"], path)
    return with_notes(
        pd.DataFrame({"cid": whole_numbers(frame["pubchemid"], path), "smiles": frame["isosmiles"]})
    )


def cellminer(path: str | Path) -> pd.DataFrame:
    """Lines x features from a CellMiner table (features x the 60 lines, "BR:MCF7").

    Reads the text files, the Excel files and the zip files that hold one of them. A feature is
    the identifier in the first column. Empty rows and lines are dropped and noted.
    """
    words, table = cellminer_parts(path)
    names = words.iloc[:, 0]
    blank = (words.isna().all(axis=1) & table.isna().all(axis=1)).to_numpy()
    names, table = names[~blank], table.loc[~blank]
    features = known_names(names, str(names.name), path)
    table = table.set_axis(pd.Index(features))
    return nci60_table(table, path, counted(blank.sum(), "empty row(s) of the file dropped"))


def cellminer_parts(path: str | Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(texts, numbers) below the row that names the lines; a file may tell its story above it."""
    nothing = ("-", "na")
    with opened(path) as file:
        start = file.read(2)
    if start not in (b"PK", b"\xd0\xcf"):
        above = next((n for n, row in text_lines(path, open_end=True) if "BR:MCF7" in row), 1) - 1
        return read_matrix(
            path,
            sep="\t",
            skip=above,
            texts=lambda columns: first_line(columns, path),
            missing=nothing,
            open_end=True,
        )
    with opened(path) as file:
        content = io.BytesIO(file.read())
    frame = workbook(content, path, nothing)
    frame = with_header(frame, int((frame == "BR:MCF7").any(axis=1).to_numpy().argmax()), path)
    texts = first_line(list(frame.columns), path)
    words = pd.DataFrame({0: text_cells(frame.iloc[:, 0], path)}).set_axis(
        frame.columns[:1], axis=1
    )
    rest = frame.iloc[:, 1:texts].isna().all(axis=1)
    words = words.assign(rest=rest.map({True: None, False: "something"}))
    return words, numbers(frame.iloc[:, texts:].set_axis(words.iloc[:, 0]), path).reset_index(
        drop=True
    )


def first_line(columns: list[str], path: str | Path) -> int:
    """Where the columns of lines begin; nothing else follows them."""
    first = next((n for n, c in enumerate(columns) if ":" in c and nci60_name(c)), None)
    if first is None:
        require(columns, ("BR:MCF7",), path)
    if first == 0 or columns[0] == "paired_drug":
        raise InputError(
            f"{Path(path).name} begins with the column {columns[0]}, where CellMiner names a "
            f"feature: it is not this table, check its name."
        )
    return first


def nci60_expression(*paths: str | Path) -> pd.DataFrame:
    """Lines x genes from one or more parts, each genes x the 60 lines ("Gene", "MCF7", ...)."""
    parts = []
    for path in paths:
        words, table = read_matrix(path, need=("Gene",))
        require(words.columns, ("Gene",), path)
        genes = known_names(words["Gene"], "Gene", path)
        refuse_odd_names(genes, "gene", path, GENE)
        parts.append(table.set_axis(pd.Index(genes)))
    if any(list(p.columns) != list(parts[0].columns) for p in parts):
        raise InputError(
            f"The parts {few(Path(p).name for p in paths)} do not hold the same lines: they are "
            f"not parts of one table."
        )
    frame = pd.concat(parts)
    refuse_duplicates(frame.index, "Gene", paths[-1])
    return nci60_table(frame, paths[0])


def nci60_table(frame: pd.DataFrame, path: str | Path, *notes: str) -> pd.DataFrame:
    """Features x lines as lines x features, in the one spelling of the lines."""
    names = nci60_columns(frame.columns, path)
    tidy = frame.set_axis(names, axis=1).rename_axis(index="feature").T
    tidy, empty = drop_empty_rows(tidy, "line")
    return with_notes(tidy, *notes, empty)
