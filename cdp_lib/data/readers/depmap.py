"""Files of the Broad Institute: DepMap releases, PRISM, and the pocket tables made from them."""

from pathlib import Path

import numpy as np
import pandas as pd

from cdp_lib.data.readers.files import (
    counted,
    drop_repeated_columns,
    lines_table,
    numbers,
    opened,
    read_table,
    require,
    text_column,
    whole_number_text,
    with_notes,
)
from cdp_lib.errors import InputError

# The columns of a table of lines: our name, and its names in the releases.
LINE_COLUMNS = {
    "name": ("stripped_cell_line_name", "StrippedCellLineName", "cell_line"),
    "ccle_name": ("CCLE_Name", "CCLEName", "ccle_name"),
    "cosmic": ("COSMIC_ID", "COSMICID", "cosmicid"),
    "sanger": ("Sanger_model_ID", "Sanger_Model_ID", "SangerModelID", "sanger_model_id"),
    "tissue": ("lineage", "OncotreeLineage"),
    "subtype": ("lineage_subtype", "OncotreeSubtype"),
    "disease": ("disease", "primary_disease", "OncotreePrimaryDisease"),
    "sex": ("sex", "Sex"),
    "donor": ("PatientID",),
}
LINE_IDS = ("DepMap_ID", "ModelID", "X1", "depmap_id")


def depmap_wide(path: str | Path) -> pd.DataFrame:
    """Lines x genes: expression, copy number, gene effect, gene dependency, mutation matrices.

    The first column holds the ACH ids, whatever its name; the others are "SYMBOL (ENTREZ)".
    """
    frame = read_table(path)
    frame = lines_table(frame, frame.columns[0], path)
    refuse_other_ids(frame.index, path)
    frame.columns = frame.columns.str.replace(r" \(\d+\)(\.\d+)?$", "", regex=True).rename("gene")
    frame, note = drop_repeated_columns(frame)
    frame = numbers(frame, path)
    empty = int(frame.isna().to_numpy().sum())
    return with_notes(frame, note, counted(empty, f"of {frame.size} cells are empty"))


def refuse_other_ids(lines: pd.Index, path: str | Path) -> None:
    other = lines[~lines.str.startswith("ACH-")]
    if len(other):
        raise InputError(
            f"{Path(path).name} has {other[0]!r} in its first column where a DepMap id such as "
            f"ACH-000001 belongs: it is not a lines x genes table of DepMap, check its name."
        )


def sample_info(path: str | Path) -> pd.DataFrame:
    """The table of lines: sample_info.csv (to 22Q2) or Model.csv (from 22Q4), by ACH id."""
    return line_columns(read_table(path), path)


def line_columns(frame: pd.DataFrame, path: str | Path) -> pd.DataFrame:
    """Our columns out of a table of lines of any release, tissues in one spelling."""
    from cdp_lib.data.ids import harmonised_tissue

    key = next((k for k in LINE_IDS if k in frame.columns), "DepMap_ID")
    frame = lines_table(frame, key, path)
    refuse_other_ids(frame.index, path)
    chosen = {
        ours: next((c for c in theirs if c in frame.columns), None)
        for ours, theirs in LINE_COLUMNS.items()
    }
    require(frame, tuple(LINE_COLUMNS[o][0] for o in ("name", "tissue") if not chosen[o]), path)
    tidy = pd.DataFrame({ours: frame[theirs] for ours, theirs in chosen.items() if theirs})
    if "cosmic" in tidy:
        tidy["cosmic"] = whole_number_text(tidy["cosmic"])
    tidy["tissue"] = tidy["tissue"].map(harmonised_tissue)
    return with_notes(tidy)


def ccle_mutations(path: str | Path, which: str = "damaging or hotspot") -> pd.DataFrame:
    """Lines x genes, 1 where a line carries a mutation of the kind asked for.

    `which`: "any" (every row of the file), "damaging", "hotspot" (TCGA or COSMIC) or
    "damaging or hotspot". All lines and all genes of the file stay, also those without one.
    """
    symbol, line = "Hugo_Symbol", ("DepMap_ID", "Tumor_Sample_Barcode", "ModelID")
    hot = ("isTCGAhotspot", "isCOSMIChotspot")
    kinds = ("any", "damaging", "hotspot", "damaging or hotspot")
    if which not in kinds:
        raise InputError(f"There are no mutations {which!r}: choose one of {', '.join(kinds)}.")
    frame = read_table(
        path,
        sep=separator(path),
        comment="#",
        usecols=lambda c: c in {symbol, *line, *hot, "isDeleterious"},
    )
    key = next((c for c in line if c in frame.columns), line[0])
    require(frame, (symbol, key), path)
    if which != "any":
        require(frame, ("isDeleterious", *hot), path)
        flag = {c: frame[c].astype(str).str.lower().eq("true") for c in ("isDeleterious", *hot)}
        damaging, hotspot = flag["isDeleterious"], flag[hot[0]] | flag[hot[1]]
        carries = {"damaging": damaging, "hotspot": hotspot}.get(which, damaging | hotspot)
    else:
        carries = pd.Series(True, index=frame.index)
    nameless = frame[key].isna()
    frame, carries = frame[~nameless].astype({key: str}), carries[~nameless]
    lines = pd.Index(sorted(frame[key].unique()), name="line")
    genes = pd.Index(sorted(frame[symbol].dropna().astype(str).unique()), name="gene")
    matrix = np.zeros((len(lines), len(genes)), dtype=np.float32)  # (lines, genes)
    hits = frame[carries & frame[symbol].notna()]
    matrix[lines.get_indexer(hits[key]), genes.get_indexer(hits[symbol].astype(str))] = 1
    tidy = pd.DataFrame(matrix, index=lines, columns=genes)
    return with_notes(
        tidy,
        f"{len(hits)} of {len(frame)} mutations are {which}",
        counted(int(nameless.sum()), "mutation(s) without a line dropped"),
    )


def separator(path: str | Path) -> str:
    """Tab or comma, by the header line."""
    with opened(path) as file:
        for header in file:
            if not header.startswith(b"#"):
                return "\t" if b"\t" in header else ","
    return ","


def damaging_matrix(path: str | Path) -> pd.DataFrame:
    """Lines x genes, 1 where a gene carries a damaging or hotspot mutation (0/1 table)."""
    return only(depmap_wide(path), (0, 1), path)


def only(frame: pd.DataFrame, allowed: tuple[int, ...], path: str | Path) -> pd.DataFrame:
    """The table, whose cells must be among these values."""
    other = ~np.isin(frame.to_numpy(), allowed)
    if other.any():
        *most, last = allowed
        raise InputError(
            f"{Path(path).name} has {int(other.sum())} cell(s) other than "
            f"{', '.join(map(str, most))} and {last}: it is not a mutation matrix, check its name."
        )
    return frame


def mutation_matrices(damaging: str | Path, hotspot: str | Path) -> pd.DataFrame:
    """Lines x genes, 1 where a gene carries a damaging or hotspot mutation (two 0/1/2 tables).

    The genes are those of either table, the lines those of both.
    """
    tables = [only(depmap_wide(path), (0, 1, 2), path) for path in (damaging, hotspot)]
    first, second = tables
    lines = first.index[first.index.isin(second.index)]
    genes = first.columns.union(second.columns, sort=True)
    carries = [t.reindex(index=lines, columns=genes, fill_value=0).to_numpy() > 0 for t in tables]
    tidy = pd.DataFrame((carries[0] | carries[1]).astype(np.float32), index=lines, columns=genes)
    lost = len(first) + len(second) - 2 * len(lines)
    said = [note for table in tables for note in table.attrs.get("notes", [])]
    return with_notes(tidy, *said, counted(lost, "line(s) in only one of the two tables dropped"))


def prism_logfold(path: str | Path) -> pd.DataFrame:
    """Lines x treatments ("BRD-...::dose::screen"): log2 fold change of viability.

    Rows that PRISM itself marks as failed ("ACH-...._FAILED_STR") are dropped and noted.
    """
    frame = read_table(path)
    frame = lines_table(frame, frame.columns[0], path)
    refuse_other_ids(frame.index, path)
    failed = frame.index.str.contains("FAILED")
    frame = numbers(frame.loc[~failed], path).rename_axis(columns="perturbation")
    if not frame.columns.str.contains("::").any():
        raise InputError(
            f"{Path(path).name} has no column such as BRD-...::2.5::HTS: it is not a PRISM table "
            f"of log fold changes, check its name."
        )
    return with_notes(frame, counted(failed.sum(), "line(s) that failed STR typing dropped"))


def prism_treatments(path: str | Path) -> pd.DataFrame:
    """One row a treatment: broad_id, name, dose, screen, moa, target, smiles, phase."""
    need = ("column_name", "broad_id", "name", "dose", "smiles", "target")
    frame = read_table(path, need=need)
    frame = lines_table(frame, "column_name", path).rename_axis(index="perturbation")
    frame = frame.rename(columns={"screen_id": "screen", "disease.area": "disease_area"})
    smiles = text_column(frame, "smiles", path)
    several = smiles.str.contains(", ", na=False)
    frame["smiles"] = smiles.str.split(", ").str[0]
    return with_notes(
        frame, counted(several.sum(), "treatment(s) list several SMILES, the first is kept")
    )


def prism_auc(path: str | Path) -> pd.DataFrame:
    """Long: drug, line (stripped name) and the published AUC in PRISM, CTD2 and GDSC."""
    columns = {
        "Drug.Name": "drug",
        "ccle": "line",
        "REP_published_auc_mean": "prism_auc",
        "CTD2_published_auc_mean": "ctd2_auc",
        "GDSC_published_auc_mean": "gdsc_auc",
        "REP_auc_overlap_mean": "prism_overlap_auc",
        "CTD2_auc_overlap_mean": "ctd2_overlap_auc",
        "GDSC_auc_overlap_mean": "gdsc_overlap_auc",
    }
    frame = read_table(path, need=tuple(columns))
    return with_notes(frame[list(columns)].rename(columns=columns))


def rds(path: str | Path) -> pd.DataFrame:
    """The one data frame in an R file."""
    import pyreadr

    with opened(path):
        pass  # a missing or empty file says so in our words
    try:
        tables = pyreadr.read_r(str(path))
    except (pyreadr.LibrdataError, pyreadr.PyreadrError) as error:
        raise InputError(
            f"{Path(path).name} is not a readable R data frame ({error}): delete it and fetch it "
            f"again with `cdp data fetch`."
        ) from error
    if not tables:
        raise InputError(f"{Path(path).name} holds no data frame: check its name.")
    return next(iter(tables.values()))


def rds_dependency(path: str | Path) -> pd.DataFrame:
    """Lines x genes from an R data frame whose column X1 holds the ACH ids."""
    frame = lines_table(rds(path), "X1", path)
    refuse_other_ids(frame.index, path)
    return with_notes(numbers(frame, path).rename_axis(columns="gene"))


def rds_lines(path: str | Path) -> pd.DataFrame:
    """The table of lines, like `sample_info`, from an R data frame."""
    return line_columns(rds(path), path)
