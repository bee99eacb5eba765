"""Files that many projects use: CCLE tables, gct, gmt, edge lists, SMILES lists, name tables."""

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
    refuse_duplicates,
    refuse_html,
    text_column,
    text_lines,
    with_notes,
)
from cdp_lib.errors import InputError


def ccle_rppa(path: str | Path) -> pd.DataFrame:
    """Lines (CCLE names) x antibodies: log2 protein level, CCLE_RPPA_20181003.csv."""
    frame = read_table(path, skipinitialspace=True)
    frame = lines_table(frame, frame.columns[0], path).rename_axis(columns="feature")
    refuse_other_names(frame.index, path)
    return with_notes(numbers(frame, path))


def ccle_metabolomics(path: str | Path) -> pd.DataFrame:
    """Lines (CCLE names) x metabolites: log10 abundance, CCLE_metabolomics_20190502.csv."""
    frame = read_table(path, need=("CCLE_ID", "DepMap_ID"))
    frame = lines_table(frame, "CCLE_ID", path).drop(columns="DepMap_ID")
    refuse_other_names(frame.index, path)
    return with_notes(numbers(frame.rename_axis(columns="feature"), path))


def refuse_other_names(lines: pd.Index, path: str | Path) -> None:
    other = lines[~lines.str.contains("_")]
    if len(other):
        raise InputError(
            f"{Path(path).name} has the line {other[0]!r} where a CCLE name such as MCF7_BREAST "
            f"belongs: it is not this table, check its name."
        )


def ccle_genes_by_lines(path: str | Path) -> pd.DataFrame:
    """Lines (CCLE names) x genes: TPM as published, from a tab-separated genes x lines table.

    The first column holds the genes (symbols, or Ensembl ids, whose version is cut off).
    """
    frame = read_table(path, sep="\t")
    key = frame.columns[0]
    frame = frame.drop(columns=[c for c in ("transcript_ids",) if c in frame.columns])
    frame[key] = text_column(frame, key, path).str.replace(r"^(ENSG\d+)\.\d+$", r"\1", regex=True)
    return genes_to_lines(frame.set_index(key), path)


def genes_to_lines(frame: pd.DataFrame, path: str | Path) -> pd.DataFrame:
    """Genes x lines as lines x genes; a repeated gene keeps its first row."""
    refuse_other_names(frame.columns, path)
    tidy = numbers(frame, path).T.rename_axis(index="line", columns="gene")
    tidy, note = drop_repeated_columns(tidy)
    return with_notes(tidy, note)


def gct(path: str | Path) -> pd.DataFrame:
    """Lines x genes from a gct file (genes x lines; the symbol stands in Description)."""
    refuse_html(path)
    with opened(path) as file:
        version, shape = file.readline().strip(), file.readline().split()
    if not version.startswith(b"#1.") or len(shape) < 2 or not all(n.isdigit() for n in shape):
        raise InputError(f"{Path(path).name} does not begin like a gct file: check its name.")
    frame = read_table(path, sep="\t", skiprows=2, need=("Name", "Description"))
    frame = frame.set_index("Description").drop(columns="Name")
    if frame.shape != (int(shape[0]), int(shape[1])):
        raise InputError(
            f"{Path(path).name} announces {int(shape[0])} genes x {int(shape[1])} lines but holds "
            f"{len(frame)} x {frame.shape[1]}: delete it and fetch it again with `cdp data fetch`."
        )
    return genes_to_lines(frame, path)


def gmt(path: str | Path) -> dict[str, list[str]]:
    """Gene set -> its genes."""
    sets: dict[str, list[str]] = {}
    for number, line in text_lines(path):
        name, *rest = line.split("\t")
        if not name:
            continue
        if len(rest) < 2 or name in sets:
            raise InputError(
                f"{Path(path).name}, line {number}, is not a new gene set (name, address, "
                f"genes, split by tabs): check its name."
            )
        sets[name] = [gene for gene in rest[1:] if gene]
    return sets


def edge_list(edges: str | Path, index: str | Path) -> pd.DataFrame:
    """Interactions [gene_a, gene_b], each once, from pairs of numbers and their gene names."""
    names = read_table(
        index,
        sep=r"\s+",
        header=None,
        usecols=[0, 1],
        names=["number", "gene"],
        dtype={"gene": str},
    )
    names = names.drop_duplicates().set_index("number")["gene"]
    refuse_duplicates(names.index, "number", index)
    pairs = read_table(edges, sep=r"\s+", header=None, usecols=[0, 1], names=["a", "b"])
    unknown = ~pairs.isin(names.index).all(axis=1)
    if unknown.any():
        raise InputError(
            f"{Path(edges).name} has {int(unknown.sum())} interaction(s) whose numbers are not in "
            f"{Path(index).name}, the first in row {int(unknown.to_numpy().argmax()) + 1}: use the "
            f"index that belongs to it."
        )
    return interactions(pairs["a"].map(names), pairs["b"].map(names))


def hint_binary(path: str | Path) -> pd.DataFrame:
    """Interactions [gene_a, gene_b], each once, from HINT's HomoSapiens_binary_hq.txt."""
    frame = read_table(path, sep="\t", need=("Gene_A", "Gene_B"))
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
    frame = read_table(path, need=("smiles",))
    frame["smiles"] = text_column(frame, "smiles", path).str.strip()
    known = [c for c in ("zinc_id", "smiles", "logP", "qed", "SAS") if c in frame.columns]
    return with_notes(frame[known])


def smiles_lines(path: str | Path) -> pd.DataFrame:
    """Molecules [smiles] from a text file with one SMILES a line."""
    smiles = [words[0] for words in (line.split() for _, line in text_lines(path)) if words]
    return with_notes(pd.DataFrame({"smiles": smiles}))


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
    frame = read_table(path, sep="\t", need=("CCLE_ID", *columns))
    frame = lines_table(frame, "CCLE_ID", path)
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
    frame = read_table(path, need=("model_id", *columns), dtype=str)
    frame = lines_table(frame, "model_id", path)
    return with_notes(frame[list(columns)].rename(columns=columns))
