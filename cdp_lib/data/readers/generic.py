"""Files that many projects use: CCLE tables, gct, gmt, edge lists, SMILES lists, name tables."""

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from cdp_lib.data.readers.files import AGAIN, text_lines
from cdp_lib.data.readers.names import (
    ACH,
    CCLE,
    GENE,
    SIDM,
    counted,
    drop_repeated_columns,
    is_smiles,
    known_names,
    lines_table,
    odd,
    refuse_duplicates,
    refuse_lower_case,
    refuse_nameless,
    refuse_odd_names,
    refuse_odd_smiles,
    with_notes,
)
from cdp_lib.data.readers.tables import read_matrix, read_table, require
from cdp_lib.errors import InputError


def ccle_rppa(path: str | Path) -> pd.DataFrame:
    """Lines (CCLE names) x antibodies: log2 protein level, CCLE_RPPA_20181003.csv."""
    return ccle_matrix(*read_matrix(path), path)


def ccle_metabolomics(path: str | Path) -> pd.DataFrame:
    """Lines (CCLE names) x metabolites: log10 abundance, CCLE_metabolomics_20190502.csv."""
    need = ("CCLE_ID", "DepMap_ID")
    return ccle_matrix(*read_matrix(path, texts=2, need=need, open_end=True), path)


def ccle_matrix(words: pd.DataFrame, table: pd.DataFrame, path: str | Path) -> pd.DataFrame:
    """Lines x features, from the names of the lines and their numbers."""
    key = words.columns[0]
    if key not in ("", "CCLE_ID"):
        raise InputError(
            f"{Path(path).name} begins with the column {key[:60]!r}, not with CCLE names: it is "
            f"not this table, check its name."
        )
    lines = known_names(words[key], key or "line", path, CCLE)
    refuse_odd_names(table.columns, "feature", path)
    refuse_lower_case(table.columns, path)
    table = table.set_axis(pd.Index(lines, name="line")).rename_axis(columns="feature")
    return with_notes(table)


def ccle_genes_by_lines(path: str | Path) -> pd.DataFrame:
    """Lines (CCLE names) x genes: TPM as published, from a tab-separated genes x lines table.

    The first column holds the genes (symbols, or Ensembl ids, whose version is cut off).
    """
    words, table = read_matrix(
        path, sep="\t", texts=lambda columns: 1 + ("transcript_ids" in columns[:2])
    )
    genes = words.iloc[:, 0].str.replace(r"^(ENSG\d+)\.\d+$", r"\1", regex=True)
    return genes_to_lines(genes, table, path)


def genes_to_lines(genes: pd.Series, table: pd.DataFrame, path: str | Path) -> pd.DataFrame:
    """Genes x lines as lines x genes; a repeated gene keeps its first row."""
    refuse_nameless(genes, "gene", path)
    refuse_odd_names(genes, "gene", path, GENE)
    refuse_odd_names(table.columns, "line", path, CCLE)
    refuse_duplicates(table.columns, "line", path)
    tidy = table.set_axis(pd.Index(genes, name="gene")).rename_axis(columns="line").T
    tidy, note = drop_repeated_columns(tidy)
    return with_notes(tidy, note)


def gct(path: str | Path) -> pd.DataFrame:
    """Lines x genes from a gct file (genes x lines; the symbol stands in Description)."""
    top = [line.split() for _, line in itertools.islice(text_lines(path), 2)]
    version, shape = [*top, [], []][:2]
    if not (
        version and version[0].startswith("#1.") and len(shape) > 1 and all(map(is_size, shape))
    ):
        raise InputError(f"{Path(path).name} does not begin like a gct file: check its name.")
    words, table = read_matrix(path, sep="\t", skip=2, texts=2, need=("Name", "Description"))
    if table.shape != (int(shape[0]), int(shape[1])):
        raise InputError(
            f"{Path(path).name} announces {int(shape[0])} genes x {int(shape[1])} lines but holds "
            f"{len(table)} x {table.shape[1]}: {AGAIN}."
        )
    known_names(words["Name"], "Name", path)
    return genes_to_lines(words["Description"], table, path)


def is_size(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


SYMBOL = re.compile(r"(?!NA$)[A-Z0-9-]+")  # where the address of a gene set belongs


def gmt(path: str | Path) -> dict[str, list[str]]:
    """Gene set -> its genes."""
    sets: dict[str, list[str]] = {}
    for number, line in text_lines(path):
        name, *rest = line.removesuffix("\n").split("\t")
        if line == "\n":
            continue
        known = {other.casefold() for other in sets}
        wrong = '"' in line or odd(name) or name != name.strip() or name.casefold() in known
        if wrong or len(rest) < 2 or SYMBOL.fullmatch(rest[0]):
            raise InputError(
                f"{Path(path).name}, line {number}, is not a new gene set (name, address, "
                f"genes, split by tabs): check its name."
            )
        wrong = next((g for g in rest[1:] if not is_symbol(g)), None)
        if wrong is not None or len(set(rest[1:])) < len(rest[1:]):
            what = "a gene twice" if wrong is None else f"{wrong[:60]!r} where a gene belongs"
            raise InputError(
                f"{Path(path).name}, line {number}, has {what}: correct this set, or {AGAIN}."
            )
        sets[name] = rest[1:]
    if not sets:
        raise InputError(f"{Path(path).name} holds no gene sets: {AGAIN}.")
    return sets


def is_symbol(text: str) -> bool:
    """KRAS, HLA-A, C1orf220; not a number, a word of a table or an address."""
    return bool(re.fullmatch(r"(?=.*[A-Za-z])[A-Za-z0-9][\w.@-]{0,29}", text, re.ASCII))


def edge_list(edges: str | Path, index: str | Path) -> pd.DataFrame:
    """Interactions [gene_a, gene_b], each once, from pairs of numbers and their gene names."""
    names: dict[str, str] = {}
    for number, (key, gene, *_) in word_lines(index, open_end=False):
        if names.setdefault(key, gene) != gene:
            raise InputError(
                f"{Path(index).name} has 1 number more than once ({key}, line {number}): keep one "
                f"row of each, a name must mean one thing."
            )
        if not key.isdigit() or not is_symbol(gene):
            raise InputError(
                f"{Path(index).name}, line {number}, is not a number and its gene: check its name."
            )
    pairs = []
    for number, words in word_lines(edges, open_end=True):
        if not all(map(is_size, words)):
            raise InputError(
                f"{Path(edges).name}, line {number}, is not a pair of numbers: check its name."
            )
        if words[0] not in names or words[1] not in names:
            raise InputError(
                f"{Path(edges).name} has interaction(s) whose numbers are not in "
                f"{Path(index).name}, the first in row {number}: use the index that belongs to it."
            )
        pairs.append([names[words[0]], names[words[1]]])
    ends = pd.DataFrame(pairs, columns=["a", "b"], dtype=str)
    ends = ends.mask(ends.isin(["NULL", "NA", "NaN", "nan", "None", "null"]))
    return interactions(ends["a"], ends["b"])


def word_lines(path: str | Path, open_end: bool) -> Iterator[tuple[int, list[str]]]:
    """The words of each line, as many in each as in the first."""
    width = 0
    for number, line in text_lines(path, open_end):
        words = line.split()
        width = width or len(words)
        if len(words) != width or width < 2:
            raise InputError(
                f"{Path(path).name}, line {number}, has {len(words)} word(s) where "
                f"{max(width, 2)} belong: {AGAIN}."
            )
        yield number, words
    if not width:
        raise InputError(f"{Path(path).name} holds no rows: {AGAIN}.")


def hint_binary(path: str | Path) -> pd.DataFrame:
    """Interactions [gene_a, gene_b], each once, from HINT's HomoSapiens_binary_hq.txt."""
    frame = read_table(path, sep="\t", need=("Gene_A", "Gene_B"), open_end=True)
    for ends in ("Gene_A", "Gene_B"):
        refuse_odd_names(frame[ends].dropna().unique(), "gene", path, GENE)
    return interactions(frame["Gene_A"], frame["Gene_B"])


def interactions(a: pd.Series, b: pd.Series) -> pd.DataFrame:
    """Unordered pairs of different genes, each once, sorted."""
    named = a.notna() & b.notna()
    ends = np.sort(np.column_stack([a[named].astype(str), b[named].astype(str)]).astype(str))
    frame = pd.DataFrame(ends, columns=["gene_a", "gene_b"])
    self_loop = frame["gene_a"] == frame["gene_b"]
    tidy = frame[~self_loop].drop_duplicates().sort_values(["gene_a", "gene_b"], ignore_index=True)
    return with_notes(
        tidy,
        counted(len(a) - int(named.sum()), "interaction(s) without a gene name dropped"),
        counted(int(self_loop.sum()), "interaction(s) of a gene with itself dropped"),
        counted(int((~self_loop).sum()) - len(tidy), "repeated interaction(s) merged"),
    )


def zinc_substances(path: str | Path) -> pd.DataFrame:
    """Molecules: smiles and, where the file has them, zinc_id, logP, qed and SAS."""
    frame = read_table(path, need=("smiles",), floats=("logP", "qed", "SAS"), free_text=True)
    if "logP" not in frame.columns:
        require(frame.columns, ("zinc_id",), path)
    refuse_nameless(frame["smiles"], "smiles", path)
    frame["smiles"] = frame["smiles"].str.strip()
    refuse_odd_smiles(frame["smiles"], path)
    refuse_duplicates(pd.Index(frame["smiles"]), "smiles", path, case=False)
    if "zinc_id" in frame.columns:
        frame["zinc_id"] = known_names(frame["zinc_id"], "zinc_id", path, r"ZINC\d+")
    known = [c for c in ("zinc_id", "smiles", "logP", "qed", "SAS") if c in frame.columns]
    return with_notes(frame[known])


def smiles_lines(path: str | Path) -> pd.DataFrame:
    """Molecules [smiles] from a text file with one SMILES a line."""
    rows = [line.strip() for _, line in text_lines(path)]
    wrong = next((n for n, text in enumerate(rows, start=1) if not is_smiles(text)), None)
    if wrong is not None:
        raise InputError(
            f"{Path(path).name}, line {wrong}, is not one SMILES: correct or drop it, or check the "
            f"file's name."
        )
    if not rows:
        raise InputError(f"{Path(path).name} holds no rows: {AGAIN}.")
    refuse_duplicates(pd.Index(rows), "SMILES", path, case=False)
    return with_notes(pd.DataFrame({"smiles": rows}))


def sampled_smiles(path: str | Path) -> pd.DataFrame:
    """Molecules [smiles] that a model wrote, one a line below SMILES; None where it wrote none.

    A molecule may be there more than once.
    """
    rows = [line.strip() for _, line in text_lines(path)]
    if not rows or rows[0] != "SMILES":
        raise InputError(f"{Path(path).name} does not begin with SMILES: check its name.")
    drawn = [None if text == "None" else text for text in rows[1:]]
    if "" in drawn:
        raise InputError(f"{Path(path).name}, line {drawn.index('') + 2}, is empty: {AGAIN}.")
    wrong = next(
        (n for n, text in enumerate(drawn, start=2) if not (text is None or is_smiles(text))), None
    )
    if wrong is not None:
        raise InputError(
            f"{Path(path).name}, line {wrong}, is not one SMILES: {AGAIN}, or check its name."
        )
    if not any(drawn):
        raise InputError(f"{Path(path).name} holds no molecules: {AGAIN}.")
    return with_notes(
        pd.DataFrame({"smiles": pd.Series(drawn, dtype=object)}),
        counted(drawn.count(None), "line(s) without a molecule"),
    )


def ccle_annotations(path: str | Path) -> pd.DataFrame:
    """One row a line, by CCLE name: ach, name, site, histology, sex, tcga."""
    columns = {
        "depMapID": "ach",
        "Name": "name",
        "Site_Primary": "site",
        "Histology": "histology",
        "Gender": "sex",
        "tcga_code": "tcga",
    }
    frame = read_table(path, sep="\t", need=("CCLE_ID", *columns), open_end=True)
    frame = lines_table(frame, "CCLE_ID", path, CCLE)
    refuse_odd_names(frame["depMapID"].dropna(), "DepMap id", path, ACH)
    return with_notes(frame[list(columns)].rename(columns=columns))


def cmp_models(path: str | Path) -> pd.DataFrame:
    """One row a Cell Model Passport, by SIDM id: name, patient, cosmic, ach, ccle_name, tissue.

    `ach`, `cosmic` and `ccle_name` are as written; a few hold several ids, split by ';'.
    """
    columns = {
        "model_name": "name",
        "synonyms": "synonyms",
        "patient_id": "patient",
        "COSMIC_ID": "cosmic",
        "BROAD_ID": "ach",
        "CCLE_ID": "ccle_name",
        "tissue": "tissue",
        "cancer_type": "disease",
    }
    frame = read_table(path, need=("model_id", *columns), free_text=True)
    frame = lines_table(frame, "model_id", path, SIDM)
    return with_notes(frame[list(columns)].rename(columns=columns))


def name_list(path: str | Path) -> pd.DataFrame:
    """Names [name], one a line, without a header; a name with a comma stands in quotes."""
    column = read_table(path, names=("name",))["name"]
    names = known_names(column, "name", path, r"(?=.*[A-Za-z]).+")
    if names.map(is_smiles).all():
        raise InputError(f"{Path(path).name} holds SMILES where names belong: check its name.")
    return with_notes(pd.DataFrame({"name": names.tolist()}))
