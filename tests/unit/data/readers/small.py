"""One small valid file for every reader of text, as upstream writes it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from cdp_lib.data import readers

UPSTREAM = Path(__file__).parents[3] / "data" / "upstream"
SMILES = ("CC(=O)Oc1ccccc1C(=O)O", "NC(=O)NO", "C1CCCCC1", "c1ccc2ccccc2c1")
LINES = ("MCF7", "A549", "SF-539", "K-562")
CCLE = ("MCF7_BREAST", "A549_LUNG", "SF539_CENTRAL_NERVOUS_SYSTEM", "K562_BLOOD")
ACH = ("ACH-000004", "ACH-000005", "ACH-000007", "ACH-000009")
GENES = ("KRAS", "TP53", "SOX10", "C1orf220")


@dataclass(frozen=True)
class Small:
    """A text, what separates its cells, its lines above the data, and where its ids stand."""

    text: str
    sep: str = ","
    head: int = 1  # lines above the first row of data; the last of them is the header
    ids: int = 0  # the column of ids
    measured: int | None = -1  # a column of numbers that the reader takes
    read: Callable | None = None


def table(corner: str, columns: tuple, rows: tuple, values: list, sep: str = ",") -> str:
    head = sep.join([corner, *columns])
    body = [sep.join([row, *map(str, line)]) for row, line in zip(rows, values, strict=True)]
    return "\n".join([head, *body]) + "\n"


def numbers(columns: int) -> list:
    return [[round(-7.5 + 3.125 * r + 0.75 * c, 3) for c in range(columns)] for r in range(4)]


def zeros(columns: int) -> list:
    return [[(r + c) % 2 for c in range(columns)] for r in range(4)]


def upstream(name: str) -> str:
    return (UPSTREAM / name).read_text()


LABELS = tuple(f"{gene} ({n})" for n, gene in enumerate(GENES, start=100))
TREATED = tuple(f"BRD-A0005505{n}-001-01-0::2.5::HTS" for n in range(4))
DRUGS = ("Aspirin", "Hydroxyurea", "Cyclohexane", "Naphthalene")
NSC = ("740", "752", "32065", "119875")


def with_texts(sep: str, head: str, rows: list[tuple]) -> str:
    return "\n".join([head, *(sep.join(row) for row in rows)]) + "\n"


def small_files() -> dict[str, Small]:
    wide, bits = numbers(4), zeros(4)
    index = "".join(f"{n} {gene}\t0\n" for n, gene in enumerate(GENES, start=1))
    return {
        "depmap_wide": Small(table("", LABELS, ACH, wide)),
        "damaging_matrix": Small(table("", GENES, ACH, bits)),
        "prism_logfold": Small(table("", TREATED, ACH, wide)),
        "sample_info": Small(upstream("Model.csv"), measured=5),
        "ccle_mutations": Small(upstream("CCLE_mutations.csv"), ids=11, measured=None),
        "prism_treatments": Small(
            with_texts(
                ",",
                "column_name,broad_id,name,dose,screen_id,moa,target,disease.area,smiles,phase",
                [
                    (t, t[:22], d, f"2.{n}", "HTS", "m", "KRAS", "blood", s, "Launched")
                    for n, (t, d, s) in enumerate(zip(TREATED, DRUGS, SMILES, strict=True))
                ],
            ),
            measured=3,
        ),
        "prism_auc": Small(
            with_texts(
                ",",
                "Drug.Name,ccle,drug_id,sample_id,REP_published_auc_mean,CTD2_published_auc_mean,"
                "GDSC_published_auc_mean,REP_auc_overlap_mean,CTD2_auc_overlap_mean,"
                "GDSC_auc_overlap_mean",
                [
                    (d.upper(), line, "0", "1", "1.59", "12.921", "0.94", "1.0", "0.97", f"0.9{n}7")
                    for n, (d, line) in enumerate(
                        zip(DRUGS, ("MFE296", "A549", "T47D", "K562"), strict=True)
                    )
                ],
            ),
        ),
        "gdsc_fitted": Small(upstream("GDSC2_fitted_dose_response.csv"), ids=3, measured=15),
        "gdsc_matrix_cosmic": Small(
            table(
                "COSMIC_ID",
                tuple(f"Drug_{n}_IC50" for n in range(1, 5)),
                ("683667", "684052", "684057", "905946"),
                wide,
            )
        ),
        "gdsc_matrix_ach": Small(table("", ACH, tuple(f"GDSC:{n}" for n in range(1, 5)), wide)),
        "gdsc_drugs": Small(upstream("screened_compounds_rel_8.5.csv"), measured=0),
        "gdsc_line_details": Small(
            with_texts(
                ",",
                "Sample Name,COSMIC identifier,GDSC Tissue descriptor 1,GDSC Tissue descriptor 2,"
                "Cancer Type (matching TCGA label),Microsatellite instability Status (MSI)",
                [
                    (line, f"90580{n}", "lung", "lung_NSCLC", "LUAD", "MSS/MSI-L")
                    for n, line in enumerate(LINES)
                ],
            ),
            ids=1,
            measured=1,
        ),
        "copy_number_sidm": Small(table("", tuple(f"SIDM0000{n}" for n in range(4)), GENES, wide)),
        "smiles_by_cid": Small(
            "".join(f"{n}\t{s}\n" for n, s in enumerate(SMILES, start=22010)), "\t", 0, measured=0
        ),
        "ccle_rppa": Small(table("", ("4E-BP1", "A-Raf_pS299", "c-Kit", "p53"), CCLE, wide)),
        "ccle_metabolomics": Small(
            table(
                "CCLE_ID",
                ("DepMap_ID", "adenine", "C14:0 CE", "taurine"),
                CCLE,
                [[a, *row[1:]] for a, row in zip(ACH, wide, strict=True)],
            )
        ),
        "ccle_genes_by_lines": Small(table("Gene", CCLE, GENES, wide, "\t"), "\t"),
        "gct": Small(
            "#1.2\n4\t4\n"
            + table(
                "Name",
                ("Description", *CCLE),
                tuple(f"ENSG0000022397{n}.4" for n in range(4)),
                [[g, *row] for g, row in zip(GENES, wide, strict=True)],
                "\t",
            ),
            "\t",
            3,
        ),
        "gmt": Small(
            "".join(
                f"HALLMARK_{n}\thttp://www.broadinstitute.org/{n}\tKRAS\tTP53\tRAF{n}\n"
                for n in range(4)
            ),
            "\t",
            0,
            measured=None,
        ),
        "edge_list": Small("1 2 1\n2 3 1\n3 4 1\n1 4 1\n", " ", 0, read=edges_with(index)),
        "hint_binary": Small(upstream("HomoSapiens_binary_hq.txt"), "\t", ids=2, measured=None),
        "zinc_substances": Small(
            with_texts(
                ",",
                "zinc_id,smiles,logP",
                [(f"ZINC00000000000{n}", s, f"1.{n}5") for n, s in enumerate(SMILES)],
            )
        ),
        "sampled_smiles": Small(
            "\n".join(["SMILES", *SMILES, "None"]) + "\n", "\t", 0, measured=None
        ),
        "smiles_lines": Small("\n".join(SMILES) + "\n", "\t", 0, measured=None),
        "ccle_annotations": Small(
            with_texts(
                "\t",
                "CCLE_ID\tdepMapID\tName\tSite_Primary\tHistology\tGender\ttcga_code",
                [
                    (c, a, n, "lung", "carcinoma", "male", "LUAD")
                    for c, a, n in zip(CCLE, ACH, LINES, strict=True)
                ],
            ),
            "\t",
            measured=None,
        ),
        "cmp_models": Small(
            with_texts(
                ",",
                "model_id,model_name,synonyms,patient_id,COSMIC_ID,BROAD_ID,CCLE_ID,tissue,cancer_type",
                [
                    (f"SIDM0000{n}", line, "", f"SIDP0000{n}", f"90580{n}", a, c, "Lung", "LUAD")
                    for n, (line, a, c) in enumerate(zip(LINES, ACH, CCLE, strict=True))
                ],
            ),
            measured=None,
        ),
        "almanac_growth": Small(upstream("ComboDrugGrowth_Nov2017.csv"), ids=28, measured=19),
        "almanac_scores": Small(
            table(
                "paired_drug",
                tuple(f"BR:{n}" for n in LINES),
                tuple(f"{n}_75" for n in NSC),
                wide,
                "\t",
            ),
            "\t",
        ),
        "almanac_drugs": Small(
            with_texts(
                ",",
                ",NSC,CID,SMILES,MECHANISM,NAME",
                [
                    (str(n), nsc, f"1112{n}", s, "Other", d)
                    for n, (nsc, s, d) in enumerate(zip(NSC, SMILES, DRUGS, strict=True))
                ],
            ),
            ids=1,
            measured=2,
        ),
        "combo_compound_names": Small(
            "".join(f"{n}\t{d}\n" for n, d in zip(NSC, DRUGS, strict=True)), "\t", 0, measured=0
        ),
        "drug_smiles": Small(
            with_texts(
                ",",
                "name,pubchemid,isosmiles",
                [(d, f"12694{n}", s) for n, (d, s) in enumerate(zip(DRUGS, SMILES, strict=True))],
            ),
            measured=1,
        ),
        "cellminer": Small(
            table(
                "Identifier c",
                ("Gene name d", *(f"XX:{n}".replace("XX:MCF7", "BR:MCF7") for n in LINES)),
                ("89593_AAA_2", "47091_BBB_5", "miR-21", "miR-22"),
                [[g, *row] for g, row in zip(GENES, wide, strict=True)],
                "\t",
            ),
            "\t",
        ),
        "xenograft_volumes": Small(
            with_texts(
                ",",
                "model.id,drug,time,volume,body.weight",
                [(f"X.{n}.a", "BGJ398", f"{4 * n}", f"20{n}.3", "21.5") for n in range(4)],
            ),
            measured=3,
        ),
        "xenograft_models": Small(
            with_texts(
                ",",
                "model.id,tissue,tissue.name,patient.id,drug",
                [(f"X.{n}.a", "GC", "Gastric Cancer", f"X-{n}", "BGJ398") for n in range(4)],
            ),
            measured=None,
        ),
        "xenograft_drugs": Small(
            with_texts(
                ",",
                "drug.id,standard.name,treatment.target,treatment.type",
                [(d, d, "KRAS", "single") for d in DRUGS],
            ),
            measured=None,
        ),
        "name_list": Small("aars2\nmk-2206\nc1orf220\n5-fluorouracil\n", ",", 0, measured=None),
        "oneil_synergy": Small(
            with_texts(
                ",",
                ",drug_a_name,drug_b_name,cell_line,synergy,fold",
                [
                    (f"{d}_MK-{n}_{line}", d, f"MK-{n}", line, f"{3.5 - n}", f"{n % 3}")
                    for n, (d, line) in enumerate(
                        zip(DRUGS, ("A2058", "A375", "HT29", "VCAP"), strict=True)
                    )
                ],
            ),
            measured=4,
        ),
        "fold_scores": Small(
            with_texts(
                ",",
                "Test,Val,MSE,MSE_SE,SCC,PCC",
                [(t, v, f"21{v}.5", f"9.{t}", "0.7", "0.71") for t in "01" for v in "12" if t != v],
            ),
            ids=1,
            measured=2,
        ),
        "nci60_expression": Small(table("Gene", LINES, GENES, wide)),
        "mutation_matrices": Small(table("", LABELS, ACH, bits), read=both),
    }


def edges_with(index: str) -> Callable:
    def read(path: Path) -> pd.DataFrame:
        (path.parent / "index_gene").write_text(index)
        return readers.edge_list(path, path.parent / "index_gene")

    return read


def both(path: Path) -> pd.DataFrame:
    return readers.mutation_matrices(path, path)


FILES = small_files()


def reading(name: str) -> Callable:
    """The reader of one path."""
    return FILES[name].read or getattr(readers, name)
