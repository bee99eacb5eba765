"""The editions as a table: which files hold each table of a study, and what reads them.

The teaching edition lies in official names and formats, so it stands in the rows of the official
one and is read from another folder. A name followed by a release is the table of that release.
What a study can be asked for in an edition, the default first, stands in `CHOICES`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cdp_lib.data import readers
from cdp_lib.data.files import catalogue


@dataclass(frozen=True)
class Table:
    """Files, and how they become lines (ACH ids) x features in the unit of the other editions."""

    reader: Callable[..., pd.DataFrame]
    dataset: str
    files: tuple[str, ...]
    lines: str = ""  # the kind of names its lines have (ids.KINDS); nothing: ACH ids, or no lines
    unit: Callable[[pd.DataFrame], pd.DataFrame] | None = None
    gene_column: int | None = None  # of the file, where features are named otherwise


def table(reader: Callable, dataset: str, *files: str, **more: object) -> Table:
    return Table(reader, dataset, files, **more)


def log2_plus_one(tpm: pd.DataFrame) -> pd.DataFrame:
    return np.log2(tpm + 1)


def tpm_of_fpkm(table: pd.DataFrame) -> pd.DataFrame:
    """log2(TPM + 1) from log2(FPKM + 1) of all genes: TPM = 10^6 FPKM / sum of FPKM."""
    fpkm = np.exp2(table.to_numpy(float)) - 1  # (lines, genes)
    tpm = 1e6 * fpkm / fpkm.sum(axis=1, keepdims=True)
    return pd.DataFrame(np.log2(tpm + 1).astype(np.float32), table.index, table.columns)


def classes(effect: pd.DataFrame) -> pd.DataFrame:
    """0, 1 or 2: the gene effect cut at -0.5 and -1; NaN where it is."""
    cut = (effect <= -0.5).astype(np.float32) + (effect <= -1)
    return cut.where(effect.notna()).astype(np.float32)


EARLY = {"19Q3": "depmap-19q3", "19Q4": "depmap-19q4"}  # releases that share their file names
LATE = "depmap-23q4"
PRISM = "primary-screen-replicate-collapsed-"
XEVA = "PDXE_Non-small_Cell_Lung_Carcinoma_XevaSet.rds"
MATRIX = "OmicsSomaticMutationsMatrix"
LISTS = {  # of bodinier2025 -> its file
    **{f"perturbations of task {n}": f"list_of_perturbations_task_{n}" for n in range(1, 6)},
    **{f"tissues of task {n}": f"list_of_tissues_task_{n}" for n in (3, 4)},
    "most variant genes": "list_of_most_variant_genes",
}

EVERYWHERE = {
    "lines": table(readers.sample_info, "depmap-19q4", "sample_info.csv"),
    "models": table(readers.cmp_models, "cell-line-names", "ModelList_20191106.csv"),
    "annotations": table(
        readers.ccle_annotations, "cell-line-names", "Cell_lines_annotations_20181226.txt"
    ),
    "rppa": table(readers.ccle_rppa, "ccle-2019", "CCLE_RPPA_20181003.csv", lines="ccle"),
    "metabolites": table(
        readers.ccle_metabolomics, "ccle-2019", "CCLE_metabolomics_20190502.csv", lines="ccle"
    ),
    "GDSC drugs": table(
        readers.gdsc_drugs, "gdsc-pocket", "1.Drug_listMon Jun 24 09_00_55 2019.csv"
    ),
    "GDSC smiles": table(readers.smiles_by_cid, "gdsc-pocket", "223drugs_pubchem_smiles.txt"),
    "PRISM treatments": table(readers.prism_treatments, "prism-19q4", f"{PRISM}treatment-info.csv"),
    "ALMANAC drugs": table(
        readers.almanac_drugs, "nci-almanac-pocket", "nsc_cid_smiles_class_name.csv"
    ),
    "ALMANAC names": table(readers.drug_smiles, "nci-almanac-pocket", "drug_smiles.csv"),
    "synergy": table(readers.oneil_synergy, "oneil-synergy", "labels.csv"),
    "xenograft volumes": table(readers.xenograft_volumes, "pdxe-pocket", "expriment.csv"),
    "xenograft models": table(readers.xenograft_models, "pdxe-pocket", "model_info.csv"),
    "xenograft drugs": table(readers.xenograft_drugs, "pdxe-pocket", "drug_info.csv"),
    "xenograft responses": table(readers.xenograft_responses, "pdxe-pocket", XEVA),
    "xenograft expression": table(
        readers.xenograft_expression, "pdxe-pocket", XEVA, unit=tpm_of_fpkm
    ),
    **{name: table(readers.name_list, "leap-lists", f"{file}.csv") for name, file in LISTS.items()},
}
OTHERS = {  # what others measured on the same folds: nobody did on simulated data
    "synergy, features": table(readers.fold_scores, "oneil-synergy", "metrics_summary.csv"),
    "synergy, names": table(readers.fold_scores, "oneil-synergy", "ohe_metrics_summary.csv"),
}
OFFICIAL = EVERYWHERE | {
    **{
        f"{name} {release}": table(reader, dataset, file)
        for release, dataset in EARLY.items()
        for name, reader, file in (
            ("expression", readers.depmap_wide, "CCLE_expression.csv"),
            ("copy_number", readers.depmap_wide, "CCLE_gene_cn.csv"),
            ("mutation", readers.ccle_mutations, "CCLE_mutations.csv"),
        )
    },
    "probability 19Q4": table(readers.depmap_wide, "depmap-19q4", "Achilles_gene_dependency.csv"),
    "effect 19Q4": table(readers.depmap_wide, "depmap-19q4", "Achilles_gene_effect.csv"),
    "classes CRISPR 19Q4": table(
        readers.depmap_wide, "depmap-19q4", "Achilles_gene_effect.csv", unit=classes
    ),
    "classes CRISPR 23Q4": table(readers.depmap_wide, LATE, "CRISPRGeneEffect.csv", unit=classes),
    "later lines 23Q4": table(readers.sample_info, LATE, "Model.csv"),
    "expression 23Q4": table(
        readers.depmap_wide, LATE, "OmicsExpressionProteinCodingGenesTPMLogp1.csv"
    ),
    "copy_number 23Q4": table(readers.depmap_wide, LATE, "OmicsCNGene.csv"),
    "mutation 23Q4": table(
        readers.mutation_matrices, LATE, f"{MATRIX}Damaging.csv", f"{MATRIX}Hotspot.csv"
    ),
    "probability 23Q4": table(readers.depmap_wide, LATE, "CRISPRGeneDependency.csv"),
    "effect 23Q4": table(readers.depmap_wide, LATE, "CRISPRGeneEffect.csv"),
    **{
        f"GDSC {number} {date}": table(
            readers.gdsc_fitted, "gdsc", f"{number}_fitted_dose_response_{date}.xlsx"
        )
        for date in ("25Feb20", "27Oct23")
        for number in ("GDSC1", "GDSC2")
    },
    "PRISM response": table(readers.prism_logfold, "prism-19q4", f"{PRISM}logfold-change.csv"),
    "ALMANAC": table(readers.almanac_growth, "nci-almanac", "ComboDrugGrowth_Nov2017.zip"),
    "NCI-60 expression": table(
        readers.cellminer,
        "cellminer",
        "nci60_RNA__5_Platform_Gene_Transcript_Average_z_scores.zip",
    ),
    "NCI-60 microrna": table(
        readers.cellminer, "cellminer", "nci60_RNA__Agilent_Human_microRNA_(V2)_GeneSpringGX.zip"
    ),
    "NCI-60 protein": table(
        readers.cellminer, "cellminer", "nci60_Protein__SWATH_(Mass_spectrometry)_Protein.zip"
    ),
    "graph": table(readers.hint_binary, "hint", "HomoSapiens_binary_hq.txt"),
    "pathways": table(readers.gmt, "msigdb-hallmark", "h.all.v2023.2.Hs.symbols.gmt"),
    "molecules": table(readers.zinc_substances, "zinc", "250k_rndm_zinc_drugs_clean_3.csv"),
}
POCKET = EVERYWHERE | {
    "later lines": table(readers.rds_lines, "depmap-20q2-pocket", "20Q2_expression_meta.Rds"),
    "expression": table(
        readers.ccle_genes_by_lines,
        "ccle-expression-pocket",
        "CCLE_gene_expression_train(v4+eliminated_for_tsne_30)(1).txt",
        lines="ccle",
        unit=log2_plus_one,
    ),
    "expression 20Q2": table(readers.rds_dependency, "depmap-20q2-pocket", "20Q2_expression.Rds"),
    "effect": table(readers.rds_dependency, "depmap-20q2-pocket", "20Q2_achilles.Rds"),
    "classes CRISPR": table(
        readers.dependency_classes, "depmap-22q1-classes", "depmap_crispr.rda", lines="ccle"
    ),
    "classes RNAi": table(
        readers.dependency_classes, "depmap-22q1-classes", "depmap_rnai.rda", lines="ccle"
    ),
    "mutation": table(
        readers.damaging_matrix,
        "depmap-19q2-mutations-pocket",
        "depmap_19q2_mutation_calls.damage.hotspot_matrix.zip",
    ),
    "copy_number": table(
        readers.copy_number_sidm, "gdsc-pocket", "copynumber_total_new_map.csv.gz", lines="sanger"
    ),
    "GDSC": table(readers.gdsc_matrix_ach, "gdsc-pocket", "GDSC_IC50.csv"),
    "GDSC by COSMIC": table(
        readers.gdsc_matrix_cosmic, "gdsc-pocket", "IC50_v17.csv.gz", lines="cosmic"
    ),
    "GDSC lines": table(readers.gdsc_line_details, "gdsc-pocket", "Cell_Lines_Details.csv"),
    "breast expression": table(
        readers.ccle_genes_by_lines, "ccle-expression-pocket", "CCLE_gene_expression_train(v1).zip"
    ),
    "PRISM response": table(readers.prism_auc, "prism-pocket", "rep-gdsc-ctd2-mean-log.csv"),
    "ALMANAC": table(
        readers.almanac_scores,
        "nci-almanac-pocket",
        "DTB_NCI60_cell_lines_Almanac_paired_drug_combo_scores.txt",
    ),
    "NCI-60 expression": table(
        readers.nci60_expression, "nci60-omics", "gene_exp_part1.csv.gz", "gene_exp_part2.csv.gz"
    ),
    "NCI-60 microrna": table(
        readers.cellminer, "nci60-omics", "RNA__Agilent_Human_microRNA_(V2)_GeneSpringGX.txt"
    ),
    "NCI-60 protein": table(
        readers.cellminer, "nci60-omics", "Protein_SWATH_int2.4.2_05192020.txt", gene_column=1
    ),
    "NCI-60 protein array": table(
        readers.cellminer, "nci60-omics", "Protein__Lysate_Array_log2.txt", gene_column=1
    ),
    "graph": table(
        readers.edge_list, "hint-hi2012", "hint+hi2012_edge_list", "hint+hi2012_index_gene"
    ),
    "pathways": table(readers.gmt, "msigdb-hallmark", "h.all.v5.1.symbols.gmt"),
    "molecules dong2020": table(readers.zinc_substances, "zinc-pocket", "substances.csv"),
    "molecules zinc 86k": table(readers.smiles_lines, "zinc-86k", "qed_mols.txt"),
    "molecules zinc test": table(readers.smiles_lines, "zinc-pocket", "test.txt"),
    "molecules zinc valid": table(readers.smiles_lines, "zinc-pocket", "valid.txt"),
    "cliques": table(readers.smiles_lines, "zinc-pocket", "vocab.txt"),
    "samples faster": table(readers.sampled_smiles, "jtvae-samples", "moses-h450z56_sample.txt"),
    "samples first": table(
        readers.sampled_smiles, "jtvae-samples", "moses-h450L56d3beta0.5_samples.txt"
    ),
}
SIMULATED = OFFICIAL | {  # a few hundred genes, whose sum means nothing
    "xenograft expression": table(readers.xenograft_expression, "pdxe-pocket", XEVA)
}
TABLES = {"teaching": SIMULATED, "official": OFFICIAL | OTHERS, "pocket": POCKET | OTHERS}

OMICS = ("expression", "mutation", "copy_number", "rppa", "metabolites")
SCREENS = tuple(name.removeprefix("GDSC ") for name in OFFICIAL if name.startswith("GDSC GDSC"))
WHOLE = {  # study -> option -> what it may be
    "gene-dependency": {"target": ("probability", "effect"), "release": ("19Q4", "23Q4")},
    "dependency-classes": {"assay": ("CRISPR",), "release": ("19Q4", "23Q4")},
    "drug-response": {
        "screen": SCREENS,
        "release": ("19Q4", "19Q3", "23Q4"),
        "omics": (OMICS,),
    },
    "drug-pairs": {
        "singles": (False, True),
        "response": ("min of means", "min of replicates"),
    },
    "molecules": {"which": ("zinc 250k",)},
    "published_samples": {"model": ()},
}
CHOICES = {
    "official": WHOLE,
    "teaching": WHOLE
    | {
        "drug-response": WHOLE["drug-response"] | {"screen": SCREENS[:1]},
        "molecules": {"which": ("recombined",)},
    },
    "pocket": {
        "gene-dependency": {"target": ("effect",), "release": ("20Q2",)},
        "dependency-classes": {"assay": ("CRISPR", "RNAi"), "release": ("22Q1",)},
        "drug-response": {  # with copy number, 274 of 480 lines would be left
            "screen": (None,),
            "release": (None,),
            "omics": (("expression", "mutation", "rppa", "metabolites"),),
        },
        "drug-pairs": {"singles": (False,), "response": (None,)},
        "molecules": {"which": ("dong2020", "zinc 86k", "zinc test", "zinc valid")},
        "published_samples": {"model": ("faster", "first")},
    },
}


def files_of(edition: str, names: Iterable[str]) -> list[catalogue.File]:
    """The files behind some tables of an edition, each once; the teaching edition fetches none."""
    if edition == "teaching":
        return []
    tables = [TABLES[edition][name] for name in names]
    files = [(each.dataset, file) for each in tables for file in each.files]
    return [catalogue.dataset(dataset).file(file) for dataset, file in dict.fromkeys(files)]
