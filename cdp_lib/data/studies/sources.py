"""Where each table of a study comes from in each edition, always as lines (ACH ids) x features.

The teaching edition lies in official file names and formats, so it is read by the same functions as
the official one, from another folder. The pocket edition has its own files and readers; what they
return has the same form, so that `studies.py` needs to know no edition.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from cdp_lib.data import readers
from cdp_lib.data.cohort import Step
from cdp_lib.data.files import download
from cdp_lib.data.files.parsed import cached
from cdp_lib.data.ids import IdMap

DRUG_LIST = "1.Drug_listMon Jun 24 09_00_55 2019.csv"
RELEASES = ("19Q3", "19Q4", "23Q4")  # of DepMap's omics
CGC_EXPRESSION = "CCLE_gene_expression_train(v4+eliminated_for_tsne_30)(1).txt"
MUTATION_MATRIX = "depmap_19q2_mutation_calls.damage.hotspot_matrix.zip"


@dataclass(frozen=True)
class Source:
    """The files of one edition."""

    edition: str
    folder: Path | None = None  # of the teaching cohort

    @property
    def pocket(self) -> bool:
        return self.edition == "pocket"

    def path(self, dataset: str, name: str) -> Path:
        if self.folder is not None:
            return self.folder / dataset / name
        return download.path(dataset, name)

    def read(self, reader: Callable, dataset: str, *names: str) -> pd.DataFrame:
        return cached(reader, *(self.path(dataset, name) for name in names))


def notes(table: pd.DataFrame) -> str:
    return "; ".join(table.attrs.get("notes", []))


def step(
    source: Source,
    what: str,
    shape: tuple,
    paper: tuple | None = None,
    *said: str,
    names: int = 0,
) -> Step:
    """A step; where official files do not have the paper's shape, its note says so.

    `names` is how many columns of names the paper counts among the features.
    """
    if source.edition == "official" and paper is not None:
        *rows, columns = paper
        said = (*said, "" if tuple(shape) == (*rows, columns - names) else "differs from the paper")
    if names:
        said = (*said, f"the paper counts {names} column(s) of names")
    return Step(what, tuple(shape), paper, "; ".join(note for note in said if note))


def read_lines(source: Source, release: str = "19Q4") -> tuple[pd.DataFrame, IdMap]:
    """The lines by ACH id, and the map of their names."""
    samples = [source.read(readers.sample_info, "depmap-19q4", "sample_info.csv")]
    if release == "23Q4":
        samples.append(source.read(readers.sample_info, "depmap-23q4", "Model.csv"))
    if source.pocket:  # lines that only the later release has
        later = source.read(readers.rds_lines, "depmap-20q2-pocket", "20Q2_expression_meta.Rds")
        samples.append(later)
    models = source.read(readers.cmp_models, "cell-line-names", "ModelList_20191106.csv")
    names = source.read(
        readers.ccle_annotations, "cell-line-names", "Cell_lines_annotations_20181226.txt"
    )
    ids = IdMap(samples, models, names)
    lines = pd.concat(samples)
    lines = lines[~lines.index.duplicated()]
    return lines, ids


def describe_lines(lines: pd.DataFrame, ids: IdMap, wanted: pd.Index) -> tuple[pd.DataFrame, str]:
    """A row for each line; those of which only the id is known have the tissue "unknown"."""
    table = lines.reindex(wanted)
    unknown = ~wanted.isin(lines.index)
    table["donor"] = ids.donors(wanted)
    table["tissue"] = table["tissue"].where(table["tissue"].notna(), "unknown")
    table["name"] = table["name"].where(table["name"].notna(), wanted)
    return table, f"{unknown.sum()} lines are in no table of lines" if unknown.any() else ""


def depmap(release: str) -> str:
    """The data set of a release."""
    return f"depmap-{release.lower()}"


def read_omics(source: Source, ids: IdMap, name: str, release: str = "19Q4") -> pd.DataFrame:
    """One omics table by ACH id: expression, mutation, copy_number, rppa or metabolites."""
    return OMICS[name](source, ids, release)


def expression(source: Source, ids: IdMap, release: str) -> pd.DataFrame:
    """log2(TPM + 1)."""
    if source.pocket:
        tpm = source.read(readers.ccle_genes_by_lines, "ccle-expression-pocket", CGC_EXPRESSION)
        table = ids.to_ach(tpm.index, "ccle").rename(tpm)
        return np.log2(table + 1)
    name = {"23Q4": "OmicsExpressionProteinCodingGenesTPMLogp1.csv"}.get(
        release, "CCLE_expression.csv"
    )
    return source.read(readers.depmap_wide, depmap(release), name)


def expression_462(source: Source) -> pd.DataFrame:
    """Pocket only: log2(TPM + 1) of the 462 genes whose dependency is known."""
    return source.read(readers.rds_dependency, "depmap-20q2-pocket", "20Q2_expression.Rds")


def mutation(source: Source, ids: IdMap, release: str) -> pd.DataFrame:
    """1 where a gene carries a damaging or hotspot mutation."""
    if source.pocket:
        return source.read(readers.damaging_matrix, "depmap-19q2-mutations-pocket", MUTATION_MATRIX)
    if release == "23Q4":
        return source.read(
            readers.mutation_matrices,
            depmap(release),
            "OmicsSomaticMutationsMatrixDamaging.csv",
            "OmicsSomaticMutationsMatrixHotspot.csv",
        )
    return source.read(readers.ccle_mutations, depmap(release), "CCLE_mutations.csv")


def copy_number(source: Source, ids: IdMap, release: str) -> pd.DataFrame:
    """Pocket: total copies (PICNIC); otherwise log2(relative copies + 1)."""
    if source.pocket:
        table = source.read(
            readers.copy_number_sidm, "gdsc-pocket", "copynumber_total_new_map.csv.gz"
        )
        return ids.to_ach(table.index, "sanger").rename(table)
    name = {"23Q4": "OmicsCNGene.csv"}.get(release, "CCLE_gene_cn.csv")
    return source.read(readers.depmap_wide, depmap(release), name)


def rppa(source: Source, ids: IdMap, release: str) -> pd.DataFrame:
    """log2 of protein level by antibody."""
    table = source.read(readers.ccle_rppa, "ccle-2019", "CCLE_RPPA_20181003.csv")
    return ids.to_ach(table.index, "ccle").rename(table)


def metabolites(source: Source, ids: IdMap, release: str) -> pd.DataFrame:
    """log10 of abundance by metabolite."""
    table = source.read(readers.ccle_metabolomics, "ccle-2019", "CCLE_metabolomics_20190502.csv")
    return ids.to_ach(table.index, "ccle").rename(table)


OMICS = {
    "expression": expression,
    "mutation": mutation,
    "copy_number": copy_number,
    "rppa": rppa,
    "metabolites": metabolites,
}


def dependency(source: Source, target: str, release: str = "19Q4") -> pd.DataFrame:
    """Lines x genes: the gene effect, or the probability that a line needs the gene."""
    if source.pocket:
        return source.read(readers.rds_dependency, "depmap-20q2-pocket", "20Q2_achilles.Rds")
    word = {"probability": "dependency", "effect": "effect"}[target]
    name = {"23Q4": f"CRISPRGene{word.title()}.csv"}.get(release, f"Achilles_gene_{word}.csv")
    return source.read(readers.depmap_wide, depmap(release), name)


def nci60_omics(source: Source, name: str) -> pd.DataFrame:
    """Expression, microRNA or protein of the NCI-60, by their own names."""
    if source.pocket:
        if name == "expression":
            return source.read(
                readers.nci60_expression,
                "nci60-omics",
                "gene_exp_part1.csv.gz",
                "gene_exp_part2.csv.gz",
            )
        file = {
            "microrna": "RNA__Agilent_Human_microRNA_(V2)_GeneSpringGX.txt",
            "protein": "Protein_SWATH_int2.4.2_05192020.txt",
        }[name]
        return source.read(readers.cellminer, "nci60-omics", file)
    file = {
        "expression": "nci60_RNA__5_Platform_Gene_Transcript_Average_z_scores.zip",
        "microrna": "nci60_RNA__Agilent_Human_microRNA_(V2)_GeneSpringGX.zip",
        "protein": "nci60_Protein__SWATH_(Mass_spectrometry)_Protein.zip",
    }[name]
    return source.read(readers.cellminer, "cellminer", file)


def knowledge(source: Source) -> dict[str, object]:
    """The interaction graph (gene_a, gene_b) and the pathways (name -> genes)."""
    if source.pocket:
        graph = source.read(
            readers.edge_list, "hint-hi2012", "hint+hi2012_edge_list", "hint+hi2012_index_gene"
        )
        pathways = source.path("msigdb-hallmark", "h.all.v5.1.symbols.gmt")
    else:
        graph = source.read(readers.hint_binary, "hint", "HomoSapiens_binary_hq.txt")
        pathways = source.path("msigdb-hallmark", "h.all.v2023.2.Hs.symbols.gmt")
    return {"graph": graph, "pathways": readers.gmt(pathways)}
