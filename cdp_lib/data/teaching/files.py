"""The teaching cohort on disk: each simulated table under the name and in the format upstream uses.

Columns that no reader needs are left out. Ids are simulated too and lie outside the ranges that
upstream uses (ACH-9....., SIDM9...., COSMIC 99....., numbers behind gene symbols from 9,000,000,
PubChem ids from 900,000,000); gene symbols, drugs, their structures, targets and NSC numbers are
real.
"""

import shutil
import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
import pandas as pd

from cdp_lib.data.ids import NCI60, nci60_lines, oncotree_lineage
from cdp_lib.data.screens import tumour_responses
from cdp_lib.data.teaching import r_file
from cdp_lib.data.teaching.molecules import recombined
from cdp_lib.data.teaching.omics import drug_facts, facts
from cdp_lib.data.teaching.world import World

DRUG_LIST = "1.Drug_listMon Jun 24 09_00_55 2019.csv"
XEVA = "PDXE_Non-small_Cell_Lung_Carcinoma_XevaSet.rds"
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the time in every zip file, so that its bytes never change


def write_files(folder: Path, world: World) -> None:
    """Every file of the teaching edition, under `<folder>/<data set>/<file>`."""
    omics, sites = world.lines.omics, ccle_names(world)
    genes = gene_columns(world)
    rng = np.random.default_rng([world.seed, 7])

    def some(table: pd.DataFrame, share: float) -> pd.DataFrame:
        """Not every project has every line."""
        return table[rng.random(len(table)) < share]

    dependency = some(world.dependency.measured, 0.96)
    effect = world.effect.loc[dependency.index]
    for name, table in {
        "depmap-19q4/Achilles_gene_dependency.csv": dependency,
        "depmap-19q4/Achilles_gene_effect.csv": effect,
        "depmap-19q4/CCLE_expression.csv": omics["expression"],
        "depmap-19q4/CCLE_gene_cn.csv": np.log2(1 + 2 ** omics["copy_number"]),
    }.items():
        write_csv(folder / name, table.rename(columns=genes).rename_axis(None))
    write_csv(folder / "depmap-19q4/CCLE_mutations.csv", mutations(world, rng), index=False)
    write_mutation_matrices(folder / "depmap-23q4", world)
    write_other_releases(folder)
    write_line_tables(folder, world)
    write_csv(
        folder / "ccle-2019/CCLE_RPPA_20181003.csv",
        some(omics["rppa"], 0.98).rename(index=sites).rename_axis(None),
    )
    metabolites = some(omics["metabolites"], 0.98)
    metabolites.insert(0, "DepMap_ID", metabolites.index)
    write_csv(
        folder / "ccle-2019/CCLE_metabolomics_20190502.csv",
        metabolites.rename(index=sites).rename_axis("CCLE_ID"),
    )
    write_gdsc(folder, world)
    write_prism(folder, world)
    write_nci60(folder, world)
    write_synergy(folder, world)
    write_xenografts(folder / "pdxe-pocket", world)
    write_lists(folder, world)
    write_knowledge(folder, world)
    zinc = folder / "zinc/250k_rndm_zinc_drugs_clean_3.csv"
    write_csv(zinc, recombined(world.seed), index=False)


def write_other_releases(folder: Path) -> None:
    """The simulation knows one release; the others are its tables under their names."""
    for name, others in {
        "Achilles_gene_dependency.csv": ["depmap-23q4/CRISPRGeneDependency.csv"],
        "Achilles_gene_effect.csv": ["depmap-23q4/CRISPRGeneEffect.csv"],
        "CCLE_expression.csv": [
            "depmap-19q3/CCLE_expression.csv",
            "depmap-23q4/OmicsExpressionProteinCodingGenesTPMLogp1.csv",
        ],
        "CCLE_gene_cn.csv": ["depmap-19q3/CCLE_gene_cn.csv", "depmap-23q4/OmicsCNGene.csv"],
        "CCLE_mutations.csv": ["depmap-19q3/CCLE_mutations.csv"],
    }.items():
        for other in others:
            (folder / other).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / "depmap-19q4" / name, folder / other)


def write_csv(path: Path, table: pd.DataFrame, index: bool = True, sep: str = ",") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(path, index=index, sep=sep, float_format="%.5g", lineterminator="\n")


def write_zip(path: Path, name: str, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(zipfile.ZipInfo(name, LONG_AGO), text, zipfile.ZIP_DEFLATED)


def gene_columns(world: World) -> dict[str, str]:
    """DepMap writes a gene as "SYMBOL (number)"."""
    return {g: f"{g} ({9_000_001 + i})" for i, g in enumerate(world.lines.genes.index)}


def ccle_names(world: World) -> pd.Series:
    """ACH id -> CCLE name, such as TL001_LUNG."""
    known = facts()["lineages"]
    table = world.lines.lines
    site = table["lineage"].map({k: v["site"] for k, v in known.items()})
    return table["name"].str.replace("-", "") + "_" + site


def ids(world: World) -> pd.DataFrame:
    """The other ids of each line: stripped and CCLE name, COSMIC, Sanger."""
    n = np.arange(1, len(world.lines.lines) + 1)
    table = world.lines.lines
    return pd.DataFrame(
        {
            "name": table["name"],
            "stripped": table["name"].str.replace("-", ""),
            "ccle": ccle_names(world),
            "cosmic": 9_900_000 + n,
            "sanger": [f"SIDM9{i:04d}" for i in n],
        },
        index=table.index,
    )


def write_line_tables(folder: Path, world: World) -> None:
    """sample_info, Model, the CCLE annotations and the Cell Model Passports with their donors."""
    table, other = world.lines.lines, ids(world)
    title = table["lineage"].map({k: v["title"] for k, v in facts()["lineages"].items()})
    write_csv(
        folder / "depmap-19q4/sample_info.csv",
        pd.DataFrame(
            {
                "DepMap_ID": table.index,
                "stripped_cell_line_name": other["stripped"],
                "CCLE_Name": other["ccle"],
                "COSMIC_ID": other["cosmic"].astype(str) + ".0",
                "lineage": table["lineage"],
                "lineage_subtype": table["lineage"],
                "sex": "Unknown",
                "disease": "simulated",
                "Sanger_model_ID": other["sanger"],
                "additional_info": "simulated line of the cdp teaching cohort",
            }
        ),
        index=False,
    )
    write_csv(
        folder / "depmap-23q4/Model.csv",
        pd.DataFrame(
            {
                "ModelID": table.index,
                "PatientID": table["donor"].str.replace("SIDP", "PT-"),
                "StrippedCellLineName": other["stripped"],
                "CCLEName": other["ccle"],
                "OncotreeLineage": title,
                "OncotreePrimaryDisease": "simulated",
                "OncotreeSubtype": "simulated",
                "Sex": "Unknown",
                "SangerModelID": other["sanger"],
                "COSMICID": other["cosmic"].astype(str) + ".0",
            }
        ),
        index=False,
    )
    write_csv(
        folder / "cell-line-names/Cell_lines_annotations_20181226.txt",
        pd.DataFrame(
            {
                "CCLE_ID": other["ccle"],
                "depMapID": table.index,
                "Name": other["name"],
                "Site_Primary": other["ccle"].str.split("_", n=1).str[1].str.lower(),
                "Histology": "simulated",
                "Gender": "",
                "tcga_code": "",
            }
        ),
        index=False,
        sep="\t",
    )
    write_csv(
        folder / "cell-line-names/ModelList_20191106.csv",
        pd.DataFrame(
            {
                "model_id": other["sanger"],
                "model_name": other["name"],
                "synonyms": "",
                "tissue": title,
                "cancer_type": "simulated",
                "patient_id": table["donor"],
                "COSMIC_ID": other["cosmic"],
                "BROAD_ID": table.index,
                "CCLE_ID": other["ccle"],
            }
        ),
        index=False,
    )


def mutations(world: World, rng: np.random.Generator) -> pd.DataFrame:
    """One call a row; beside those that count stand silent ones that a reader must not count."""
    table, oncogenes = world.lines.omics["mutation"], activating()
    silent = (rng.random(table.shape) < 0.01) & (table.to_numpy() == 0)
    i, j = np.nonzero(table.to_numpy().astype(bool) | silent)
    gene = table.columns[j]
    hot, quiet = gene.isin(oncogenes) & ~silent[i, j], silent[i, j]
    numbers = gene_columns(world)
    return pd.DataFrame(
        {
            "Hugo_Symbol": gene,
            "Entrez_Gene_Id": [numbers[g].rsplit("(", 1)[1].rstrip(")") for g in gene],
            "Variant_Classification": np.where(
                quiet, "Silent", np.where(hot, "Missense_Mutation", "Nonsense_Mutation")
            ),
            "isDeleterious": ~quiet & ~hot,
            "isTCGAhotspot": hot,
            "isCOSMIChotspot": hot,
            "DepMap_ID": table.index[i],
        }
    )


def activating() -> list[str]:
    """The genes whose mutations stand as hotspots; those of all others are damaging."""
    return [g for g, d in facts()["drivers"].items() if d["effect"] > 0]


def write_mutation_matrices(folder: Path, world: World) -> None:
    """Damaging and hotspot mutations as two tables of lines x genes."""
    table, genes = world.lines.omics["mutation"].astype(int), gene_columns(world)
    hot = table.columns.isin(activating())
    for kind, chosen in {"Damaging": ~hot, "Hotspot": hot}.items():
        write_csv(
            folder / f"OmicsSomaticMutationsMatrix{kind}.csv",
            table.loc[:, chosen].rename(columns=genes).rename_axis(None),
        )


def write_gdsc(folder: Path, world: World) -> None:
    """The fitted curves as Excel, the list of drugs, and SMILES by PubChem id."""
    drugs, other = drug_facts().loc[world.drugs.measured.columns], ids(world)
    wide = world.drugs.measured
    i, j = np.nonzero(wide.notna().to_numpy())
    ln_ic50 = wide.to_numpy()[i, j]
    top = np.exp(np.round(world.drugs.causes["potency"].to_numpy() + 1.5))[j]  # highest dose, uM
    curves = pd.DataFrame(
        {
            "DATASET": "GDSC1 (simulated)",
            "CELL_LINE_NAME": other["name"].to_numpy()[i],
            "COSMIC_ID": other["cosmic"].to_numpy()[i],
            "SANGER_MODEL_ID": other["sanger"].to_numpy()[i],
            "DRUG_ID": j + 1,
            "DRUG_NAME": drugs.index[j],
            "PUTATIVE_TARGET": drugs["targets"].str.join(", ").to_numpy()[j],
            "MAX_CONC": top.round(5),
            "LN_IC50": ln_ic50.round(6),
            "AUC": (1 / (1 + np.exp(-(ln_ic50 - np.log(top) + 3) / 1.5))).round(6),
            "RMSE": 0.08,
        }
    )
    write_xlsx(folder / "gdsc/GDSC1_fitted_dose_response_25Feb20.xlsx", curves)
    cid = 900_000_001 + np.arange(len(drugs))
    write_csv(
        folder / "gdsc-pocket" / DRUG_LIST,
        pd.DataFrame(
            {
                "drug_id": np.arange(len(drugs)) + 1,
                "Name": drugs.index,
                "Synonyms": "",
                "Targets": drugs["targets"].str.join(", "),
                "Target pathway": drugs["moa"],
                "PubCHEM": cid,
            }
        ),
        index=False,
    )
    smiles = "".join(f"{c}\t{s}\n" for c, s in zip(cid, drugs["smiles"], strict=True))
    (folder / "gdsc-pocket/223drugs_pubchem_smiles.txt").write_text(smiles, encoding="utf-8")


def write_xlsx(path: Path, table: pd.DataFrame) -> None:
    """A minimal workbook with one sheet; unlike openpyxl's, its bytes hold no time of day."""

    def cell(value: object) -> str:
        if isinstance(value, str):
            return f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>'
        return f"<c><v>{value}</v></c>"

    rows = [table.columns, *table.itertuples(index=False)]
    sheet = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{kind}.worksheet+xml"/>'
        "</Types>",
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="r1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/>'
        "</Relationships>",
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        '<sheet name="Sheet 1" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{sheet}</sheetData>'
        "</worksheet>",
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in parts.items():
            archive.writestr(zipfile.ZipInfo(name, LONG_AGO), text, zipfile.ZIP_DEFLATED, 1)


def write_prism(folder: Path, world: World) -> None:
    """Log fold changes and the table of treatments."""
    drugs = drug_facts().loc[world.prism.columns]
    broad = pd.Series([f"BRD-K9{i:07d}-001-01-0" for i in range(1, len(drugs) + 1)], drugs.index)
    treatment = broad + "::2.5::HTS"
    write_csv(
        folder / "prism-19q4/primary-screen-replicate-collapsed-logfold-change.csv",
        world.prism.rename(columns=treatment).rename_axis(None),
    )
    write_csv(
        folder / "prism-19q4/primary-screen-replicate-collapsed-treatment-info.csv",
        pd.DataFrame(
            {
                "column_name": treatment,
                "broad_id": broad,
                "name": drugs.index,
                "dose": 2.5,
                "screen_id": "HTS",
                "moa": drugs["moa"],
                "target": drugs["targets"].str.join(", "),
                "disease.area": "oncology",
                "indication": "",
                "smiles": drugs["smiles"],
                "phase": "simulated response",
            }
        ),
        index=False,
    )


def write_nci60(folder: Path, world: World) -> None:
    """Drug pairs as ComboDrugGrowth, their compounds by NSC, and CellMiner's tables."""
    wells, drugs = world.wells, drug_facts()
    panel = nci60_lines()["panel"]
    growth = pd.DataFrame(
        {
            "SCREENER": "simulated",
            "STUDY": "teaching",
            "PANELNBR": "",
            "CELLNBR": "",
            "NSC1": wells["drug_a"].map(drugs["nsc"]),
            "CONC1": wells["dose_a"] * 1e-6,
            "CONCUNIT1": "M",
            "NSC2": wells["drug_b"].map(drugs["nsc"]),
            "CONC2": wells["dose_b"] * 1e-6,
            "CONCUNIT2": "M",
            "PERCENTGROWTH": 100 * wells["growth"],
            "EXPECTEDGROWTH": "",
            "SCORE": "",
            "VALID": "Y",
            "PANEL": wells["line"].map(panel),
            "CELLNAME": wells["line"],
        }
    )
    text = growth.to_csv(index=False, float_format="%.5g", lineterminator="\n")
    write_zip(
        folder / "nci-almanac/ComboDrugGrowth_Nov2017.zip", "ComboDrugGrowth_Nov2017.csv", text
    )
    tested = drugs[drugs["nsc"] != ""]
    write_csv(
        folder / "nci-almanac-pocket/nsc_cid_smiles_class_name.csv",
        pd.DataFrame(
            {
                "NSC": tested["nsc"],
                "CID": "",
                "SMILES": tested["smiles"],
                "MECHANISM": tested["moa"],
                "NAME": tested.index,
            }
        ),
        index=False,
    )
    write_csv(
        folder / "nci-almanac-pocket/drug_smiles.csv",
        pd.DataFrame(
            {
                "name": tested.index,
                "pubchemid": "",
                "isosmiles": tested["smiles"],
            }
        ),
        index=False,
    )
    place = {name: f"{code}:{name}" for code, names in NCI60.items() for name in names.split(", ")}
    for name, table in {
        "RNA__5_Platform_Gene_Transcript_Average_z_scores": world.panel["expression"],
        "RNA__Agilent_Human_microRNA_(V2)_GeneSpringGX": world.panel["microrna"],
        "Protein__SWATH_(Mass_spectrometry)_Protein": world.panel["protein"],
    }.items():
        wide = table.rename(index=place).T.rename_axis("Identifier")
        text = wide.to_csv(sep="\t", float_format="%.5g", lineterminator="\n")
        write_zip(folder / f"cellminer/nci60_{name}.zip", f"{name}.txt", text)


def write_synergy(folder: Path, world: World) -> None:
    """Pairs of drugs as DeepSynergy's table has them."""
    table = world.synergy.assign(line=world.synergy["line"].map(ids(world)["stripped"]))
    label = table["drug_a"] + "_" + table["drug_b"] + "_" + table["line"]
    columns = {"drug_a": "drug_a_name", "drug_b": "drug_b_name", "line": "cell_line"}
    table = table.rename(columns=columns).set_index(label.rename(None))
    write_csv(folder / "oneil-synergy/labels.csv", table[[*columns.values(), "synergy", "fold"]])


def write_xenografts(folder: Path, world: World) -> None:
    """Volumes, models, drugs, and the R object with RNA-seq and the responses as published."""
    volumes = world.xenografts.volumes
    volumes = volumes.assign(model=volumes["patient"] + "." + volumes["drug"])
    columns = {"model": "model.id", "drug": "drug", "day": "time", "volume": "volume"}
    table = volumes.rename(columns=columns)[[*columns.values()]].assign(**{"body.weight": ""})
    table["volume"] = table["volume"].round(1)
    write_csv(folder / "expriment.csv", table, index=False)
    models = volumes.drop_duplicates("model").rename(columns={"model": "model.id"})
    models = models.assign(tissue="NSCLC", patient=models["patient"])
    models["tissue.name"] = "Lung (simulated)"
    models = models.rename(columns={"patient": "patient.id"})
    write_csv(
        folder / "model_info.csv",
        models[["model.id", "tissue", "tissue.name", "patient.id", "drug"]],
        index=False,
    )
    names = volumes["drug"].unique()
    targets = drug_facts()["targets"].str.join(",").reindex(names).fillna("none")
    about = {"drug.id": names, "standard.name": names, "treatment.target": targets.to_numpy()}
    write_csv(
        folder / "drug_info.csv",
        pd.DataFrame(about | {"treatment.type": "single"}),
        index=False,
    )
    ours = tumour_responses(table.rename(columns={"model.id": "model", "time": "day"}))
    responses = pd.DataFrame(
        {
            "model.id": ours.index,
            "mRECIST": None,
            "best.response": ours["best"].to_numpy(),
            "best.average.response": ours["best_average"].to_numpy(),
        }
    )
    r_file.write(folder / XEVA, r_file.xeva_set(world.xenografts.expression.T, responses))


def write_lists(folder: Path, world: World) -> None:
    """What each task is about: genes that some lines need, drugs, tissues, genes that vary."""
    causes = world.dependency.causes
    genes = causes.index[~causes["kind"].isin(["never", "always"])].str.lower()
    drugs = world.drugs.measured.columns.str.lower()
    tissue = world.lines.lines["lineage"].to_frame("tissue")
    tissues = oncotree_lineage(tissue).value_counts()
    expression = world.lines.omics["expression"]
    most = expression.std().sort_values(ascending=False).index[: round(0.8 * expression.shape[1])]
    for name, names in {
        "perturbations_task_1": genes,
        "perturbations_task_2": drugs,
        "perturbations_task_3": genes,
        "perturbations_task_4": drugs[: max(2, round(0.8 * len(drugs)))],
        "perturbations_task_5": sorted(set(world.xenografts.volumes["drug"]) - {"untreated"}),
        "tissues_task_3": tissues.index,
        "tissues_task_4": tissues.index[: max(2, len(tissues) - 3)],
        "most_variant_genes": most,
    }.items():
        path = folder / f"leap-lists/list_of_{name}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{name}\n" for name in sorted(names)), encoding="utf-8")


def write_knowledge(folder: Path, world: World) -> None:
    """The interaction graph as HINT's list and the gene sets as a gmt."""
    edges = world.edges
    write_csv(
        folder / "hint/HomoSapiens_binary_hq.txt",
        pd.DataFrame(
            {
                "Uniprot_A": "",
                "Uniprot_B": "",
                "Gene_A": edges["gene_a"],
                "Gene_B": edges["gene_b"],
            }
        ),
        index=False,
        sep="\t",
    )
    rows = [[name, "simulated", *genes] for name, genes in world.pathways.items()]
    path = folder / "msigdb-hallmark/h.all.v2023.2.Hs.symbols.gmt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
