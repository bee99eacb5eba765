"""One function for each upstream format: a path in, a tidy table out.

What a reader drops or renames on the way stands in `frame.attrs["notes"]`.
"""

from cdp_lib.data.readers.depmap import (
    ccle_mutations,
    damaging_matrix,
    depmap_wide,
    mutation_matrices,
    prism_auc,
    prism_logfold,
    prism_treatments,
    rds,
    rds_dependency,
    rds_lines,
    sample_info,
)
from cdp_lib.data.readers.gdsc import (
    copy_number_sidm,
    gdsc_drugs,
    gdsc_fitted,
    gdsc_line_details,
    gdsc_matrix_ach,
    gdsc_matrix_cosmic,
    same_fit,
    smiles_by_cid,
)
from cdp_lib.data.readers.generic import (
    ccle_annotations,
    ccle_genes_by_lines,
    ccle_metabolomics,
    ccle_rppa,
    cmp_models,
    edge_list,
    gct,
    gmt,
    hint_binary,
    smiles_lines,
    zinc_substances,
)
from cdp_lib.data.readers.nci60 import (
    almanac_drugs,
    almanac_growth,
    almanac_scores,
    cellminer,
    combo_compound_names,
    combo_compound_set,
    drug_smiles,
    nci60_expression,
)

__all__ = [
    "almanac_drugs", "almanac_growth", "almanac_scores", "ccle_annotations",
    "ccle_genes_by_lines", "ccle_metabolomics", "ccle_mutations", "ccle_rppa", "cellminer",
    "cmp_models", "combo_compound_names", "combo_compound_set", "copy_number_sidm",
    "damaging_matrix", "depmap_wide", "drug_smiles", "edge_list", "gct", "gdsc_drugs",
    "gdsc_fitted", "gdsc_line_details", "gdsc_matrix_ach", "gdsc_matrix_cosmic", "gmt",
    "hint_binary", "mutation_matrices", "nci60_expression", "prism_auc", "prism_logfold",
    "prism_treatments", "rds", "rds_dependency", "rds_lines", "same_fit", "sample_info",
    "smiles_by_cid", "smiles_lines", "zinc_substances",
]
