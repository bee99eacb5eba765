"""Files of the Broad Institute: DepMap releases, PRISM, and the pocket tables made from them."""

import re
from pathlib import Path

import numpy as np
import pandas as pd

from cdp_lib.data.readers.files import text_lines
from cdp_lib.data.readers.names import (
    ACH,
    GENE,
    counted,
    drop_repeated_columns,
    known_names,
    lines_table,
    numbers,
    refuse_duplicates,
    refuse_lower_case,
    refuse_nameless,
    refuse_odd_names,
    refuse_odd_smiles,
    whole_numbers,
    with_notes,
)
from cdp_lib.data.readers.rds import rda, rds
from cdp_lib.data.readers.tables import read_matrix, read_table, require
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
    "culture": ("culture_type", "GrowthPattern"),
    "nnmd": ("cell_line_NNMD", "cell_line_nnmd"),  # how far essential genes lie from the others
    "cas9": ("cas9_activity",),
}
CLASSES = ("weak_dependency", "dependency", "strong_dependency")
LINE_OF_CLASSES = r"depmap_[a-z]+_[A-Z0-9]+_\w+"  # tissues in upper or lower case
LINE_IDS = ("DepMap_ID", "ModelID", "X1", "depmap_id")


TREATMENT = r"BRD-[A-Z]\d{8}-\d{3}-\d{2}-\d::\d+(\.\d+)?(e-\d+)?::\w+"
GENE_OR_BOTH = r"[^\s<>,:]+( \([^\s()]+\))?(\.\d+)?"
GENE_AND_ENTREZ = r"[^\s<>,]+ \([^\s()]+\)(\.\d+)?"


def depmap_wide(path: str | Path) -> pd.DataFrame:
    """Lines x genes: expression, copy number, gene effect, gene dependency, mutation matrices.

    The first column holds the ACH ids, whatever its name; the others are "SYMBOL (ENTREZ)".
    """
    return lines_by_genes(path, GENE_AND_ENTREZ)


def lines_by_genes(path: str | Path, label: str) -> pd.DataFrame:
    """ACH ids x genes, whose labels are of this form."""
    lines, table = ach_matrix(path)
    refuse_odd_columns(table.columns, label, "gene such as A1BG (1)", path)
    table = table.set_axis(pd.Index(lines, name="line"))
    genes = table.columns.str.replace(r" \([^\s()]+\)(\.\d+)?$", "", regex=True)
    table.columns = genes.rename("gene")
    table, note = drop_repeated_columns(table)
    empty = int(table.isna().to_numpy().sum())
    return with_notes(table, note, counted(empty, f"of {table.size} cells are empty"))


def ach_matrix(path: str | Path, like: str = ACH) -> tuple[pd.Series, pd.DataFrame]:
    """The lines, each once, and their numbers."""
    words, table = read_matrix(path)
    key = words.columns[0]
    if re.fullmatch(like, key):
        raise InputError(f"{Path(path).name} begins with the line {key}: its header is missing.")
    return known_names(words[key], key, path, like), table


def refuse_odd_columns(columns: pd.Index, like: str, what: str, path: str | Path) -> None:
    other = next((c for c in columns if not re.fullmatch(like, c)), None)
    if other is not None:
        raise InputError(
            f"{Path(path).name} has the column {other[:60]!r} where a {what} belongs: it is not "
            f"this table, check its name."
        )
    refuse_lower_case(columns, path)


def sample_info(path: str | Path) -> pd.DataFrame:
    """The table of lines: sample_info.csv (to 22Q2) or Model.csv (from 22Q4), by ACH id."""
    return line_columns(read_table(path), path)


def line_columns(frame: pd.DataFrame, path: str | Path) -> pd.DataFrame:
    """Our columns out of a table of lines of any release, tissues in one spelling."""
    from cdp_lib.data.ids import harmonised_tissue

    key = next((k for k in LINE_IDS if k in frame.columns), "DepMap_ID")
    frame = lines_table(frame, key, path, ACH)
    chosen = {
        ours: next((c for c in theirs if c in frame.columns), None)
        for ours, theirs in LINE_COLUMNS.items()
    }
    require(frame, tuple(LINE_COLUMNS[o][0] for o in ("name", "tissue") if not chosen[o]), path)
    tidy = pd.DataFrame({ours: frame[theirs] for ours, theirs in chosen.items() if theirs})
    if "cosmic" in tidy:
        tidy["cosmic"] = whole_numbers(tidy["cosmic"], path)
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
    skip, sep = header_of(path)
    used = {symbol, *line, *hot, "isDeleterious"}
    frame = read_table(path, sep=sep, skip=skip, keep=lambda c: c in used)
    key = next((c for c in line if c in frame.columns), line[0])
    require(frame.columns, (symbol, key), path)
    if which != "any":
        require(frame.columns, ("isDeleterious", *hot), path)
        flag = {c: truth(frame[c], path) for c in ("isDeleterious", *hot)}
        damaging, hotspot = flag["isDeleterious"], flag[hot[0]] | flag[hot[1]]
        carries = {"damaging": damaging, "hotspot": hotspot}.get(which, damaging | hotspot)
    else:
        carries = pd.Series(True, index=frame.index)
    nameless = frame[key].isna()
    frame, carries = frame[~nameless], carries[~nameless]
    refuse_odd_names(frame[key].unique(), "DepMap id", path, ACH)
    refuse_odd_names(frame[symbol].dropna().unique(), "gene", path, GENE)
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


def truth(flags: pd.Series, path: str | Path) -> pd.Series:
    """True where it says so; an empty cell is False."""
    words = flags.str.lower()
    other = flags[~words.isin(["true", "false"]) & flags.notna()]
    if len(other):
        raise InputError(
            f"{Path(path).name} has {other.iloc[0][:60]!r} in row {other.index[0] + 1} where True "
            f"or False belongs, in column {flags.name}: correct or empty this cell."
        )
    return words.eq("true")


def header_of(path: str | Path) -> tuple[int, str]:
    """How many lines of comments stand above the header, and its separator: tab or comma."""
    for number, line in text_lines(path):
        if not line.startswith("#"):
            return number - 1, "\t" if "\t" in line else ","
    return 0, ","


def damaging_matrix(path: str | Path) -> pd.DataFrame:
    """Lines x genes, 1 where a gene carries a damaging or hotspot mutation (0/1 table)."""
    return only(lines_by_genes(path, GENE_OR_BOTH), (0, 1), path)


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
    lines, table = ach_matrix(path, ACH + "(_FAILED_STR)?")
    refuse_odd_columns(table.columns, TREATMENT, "treatment such as BRD-...::2.5::HTS", path)
    failed = lines.str.endswith("FAILED_STR").to_numpy()
    frame = table.set_axis(pd.Index(lines, name="line")).loc[~failed]
    frame = frame.rename_axis(columns="perturbation")
    return with_notes(frame, counted(failed.sum(), "line(s) that failed STR typing dropped"))


def prism_treatments(path: str | Path) -> pd.DataFrame:
    """One row a treatment: broad_id, name, dose, screen, moa, target, smiles, phase."""
    need = ("column_name", "broad_id", "name", "dose", "smiles", "target")
    frame = read_table(path, need=need, floats=("dose",))
    frame = lines_table(frame, "column_name", path, TREATMENT).rename_axis(index="perturbation")
    frame = frame.rename(columns={"screen_id": "screen", "disease.area": "disease_area"})
    if frame["smiles"].isna().all():
        raise InputError(f"{Path(path).name} has no text in its column smiles: check its name.")
    several = frame["smiles"].str.contains(", ", na=False)
    frame["smiles"] = frame["smiles"].str.split(", ").map(first_of, na_action="ignore")
    refuse_odd_smiles(frame["smiles"], path)
    return with_notes(
        frame, counted(several.sum(), "treatment(s) list several SMILES, the first is kept")
    )


def first_of(parts: list[str]) -> str:
    """The first that is not empty: two cells of the real file begin with a comma."""
    return next((part for part in parts if part), "")


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
    measured = tuple(theirs for theirs, ours in columns.items() if ours.endswith("auc"))
    frame = read_table(path, need=tuple(columns), floats=measured)
    for key in ("Drug.Name", "ccle"):
        refuse_nameless(frame[key], key, path)
        frame[key] = frame[key].str.strip()
        names = pd.Index(frame[key].unique())
        refuse_odd_names(names, key, path)
        refuse_duplicates(names, key, path)
    refuse_duplicates(pd.Index(frame["Drug.Name"] + " in " + frame["ccle"]), "drug and line", path)
    return with_notes(frame[list(columns)].rename(columns=columns))


def rds_dependency(path: str | Path) -> pd.DataFrame:
    """Lines x genes from an R data frame whose column X1 holds the ACH ids."""
    frame = lines_table(rds(path), "X1", path, ACH)
    refuse_odd_columns(frame.columns, GENE, "gene", path)
    return with_notes(numbers(frame, path).rename_axis(columns="gene"))


def rds_lines(path: str | Path) -> pd.DataFrame:
    """The table of lines, like `sample_info`, from an R data frame."""
    return line_columns(rds(path), path)


def dependency_classes(path: str | Path) -> pd.DataFrame:
    """Lines (CCLE names) x genes: 0 weak dependency, 1 dependency, 2 strong dependency, or NaN.

    An R file with a row a gene and a column a line; each cell holds one of the three words.
    """
    frame = rda(path, CLASSES)
    require(frame.columns, ("gene_name", "entrez_id"), path)
    names = known_names(frame["gene_name"], "gene_name", path, GENE)
    classes = frame.drop(columns=["gene_name", "entrez_id"])
    refuse_odd_columns(classes.columns, LINE_OF_CLASSES, "line", path)
    other = next((c for c in classes.columns if classes[c].dtype != np.float32), None)
    if other is not None:
        words = classes[other].dropna()
        odd = next((w for w in words if w not in CLASSES), "no word at all")
        raise InputError(
            f"{Path(path).name} has {str(odd)[:60]!r} where a class of dependency belongs, in "
            f"column {other}: check its name, or fetch it again with `cdp data fetch`."
        )
    lines = classes.columns.str.replace(r"^depmap_[a-z]+_", "", regex=True)
    table = pd.DataFrame(
        classes.to_numpy(np.float32).T, index=lines.rename("line"), columns=pd.Index(names)
    )
    empty = int(table.isna().to_numpy().sum())
    return with_notes(
        table.rename_axis(columns="gene"), counted(empty, f"of {table.size} cells are empty")
    )
