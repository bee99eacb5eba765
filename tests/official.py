"""Files of the official releases: real formats, headers, names and shapes, drawn values.

    python tests/official.py FOLDER [SCALE]

writes the files that the studies and chapters read from the official edition into FOLDER, laid out
as a mirror (CDP_MIRROR). SCALE 1, 2 GB, has the shapes of the releases; 0.05 has a twentieth of the
features and rows and a fifth of the lines. Small tables, and the names of lines, are those of a
teaching cohort with as many lines as 19Q4.

The values follow a few hidden factors of each line, so that a model finds something to learn:

    cell[line, column] = words[centre[column] + spread[column] (factors[line] . loadings + noise)]

where `words` is a sorted list of 1,024 numbers already written out, which makes text fast to write.
Such files cannot have the checksums of the releases: `unpinned` is the catalogue without them.
"""

import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import pandas as pd

from cdp_lib.data import teaching
from cdp_lib.data.files import catalogue
from cdp_lib.data.ids import NCI60
from cdp_lib.data.teaching.files import LONG_AGO, write_csv, write_xlsx, write_zip
from cdp_lib.data.teaching.omics import drug_facts

WORDS = 1024  # different numbers in a table
FACTORS = 5  # hidden, of each line
RELEASES = {  # lines x features of each table
    "depmap-19q4": {
        "Achilles_gene_dependency.csv": (689, 18_333),
        "Achilles_gene_effect.csv": (689, 18_333),
        "CCLE_expression.csv": (1_249, 19_144),
        "CCLE_gene_cn.csv": (1_682, 27_639),
    },
    "depmap-19q3": {
        "CCLE_expression.csv": (1_210, 19_144),
        "CCLE_gene_cn.csv": (1_657, 27_562),
    },
}
MUTATIONS = {"depmap-19q4": (1_666, 1_240_000), "depmap-19q3": (1_656, 1_220_000)}  # lines, calls
MUTATED_GENES = 18_798
SCREENS = {  # lines, drugs, curves
    "GDSC1_fitted_dose_response_25Feb20.xlsx": (987, 367, 311_847),
    "GDSC2_fitted_dose_response_25Feb20.xlsx": (809, 198, 135_060),
}
PRISM = (578, 4_686)
WELLS, ALMANAC_DRUGS = 3_480_000, 104
SETS, ROWS = 311_737, 85_303  # (line, drug, drug) of the file, and of the first 54 compounds alone
DESCRIBED = 54  # as many compounds as xia2018 describes
AGAIN = 20  # pairs of drugs that each line holds in both orders
CELLMINER = {
    "RNA__5_Platform_Gene_Transcript_Average_z_scores": 25_723,
    "RNA__Agilent_Human_microRNA_(V2)_GeneSpringGX": 454,
    "Protein__SWATH_(Mass_spectrometry)_Protein": 3_171,
}
LINES = 1_756
CALLS = (
    "Hugo_Symbol,Entrez_Gene_Id,NCBI_Build,Chromosome,Start_position,End_position,Strand,"
    "Variant_Classification,Variant_Type,Reference_Allele,Tumor_Seq_Allele1,dbSNP_RS,"
    "dbSNP_Val_Status,Genome_Change,Annotation_Transcript,DepMap_ID,cDNA_Change,Codon_Change,"
    "Protein_Change,isDeleterious,isTCGAhotspot,TCGAhsCnt,isCOSMIChotspot,COSMIChsCnt,ExAC_AF,"
    "CGA_WES_AC,SangerWES_AC,SangerRecalibWES_AC,RNAseq_AC,HC_AC,RD_AC,WGS_AC,Variant_annotation"
)
CURVES = (
    "DATASET,NLME_RESULT_ID,NLME_CURVE_ID,COSMIC_ID,CELL_LINE_NAME,SANGER_MODEL_ID,TCGA_DESC,"
    "DRUG_ID,DRUG_NAME,PUTATIVE_TARGET,PATHWAY_NAME,COMPANY_ID,WEBRELEASE,MIN_CONC,MAX_CONC,"
    "LN_IC50,AUC,RMSE,Z_SCORE"
)
GROWTH = (
    "COMBODRUGSEQ,SCREENER,STUDY,TESTDATE,PLATE,PANELNBR,CELLNBR,PREFIX1,NSC1,SAMPLE1,CONCINDEX1,"
    "CONC1,CONCUNIT1,PREFIX2,NSC2,SAMPLE2,CONCINDEX2,CONC2,CONCUNIT2,PERCENTGROWTH,"
    "PERCENTGROWTHNOTZ,TESTVALUE,CONTROLVALUE,TZVALUE,EXPECTEDGROWTH,SCORE,VALID,PANEL,CELLNAME"
)


@dataclass(frozen=True)
class Drawn:
    """What all files share: the lines, their hidden factors, names of genes, and the scale."""

    folder: Path
    scale: float
    lines: pd.DataFrame  # sample_info of the teaching cohort
    genes: list[str]
    rng: np.random.Generator

    def some(self, n: int) -> pd.DataFrame:
        """The first lines, so many as this scale has of n."""
        return self.lines.head(round(n * max(self.scale, 0.2)))

    def scaled(self, n: int) -> int:
        return max(round(n * self.scale), 1)


def write(folder: str | Path, scale: float = 1.0, seed: int = 0) -> Path:
    """All files under `<folder>/<data set>/<file>`."""
    drawn = begun(Path(folder), scale, seed)
    for release, tables in RELEASES.items():
        for name, shape in tables.items():
            write_wide(drawn, drawn.folder / release / name, *shape)
    for release, (n_lines, calls) in MUTATIONS.items():
        write_calls(drawn, drawn.folder / release / "CCLE_mutations.csv", n_lines, calls)
    for name, sizes in SCREENS.items():
        write_curves(drawn, drawn.folder / "gdsc" / name, *sizes)
    write_prism(drawn)
    write_wells(drawn)
    write_cellminer(drawn)
    return drawn.folder


def write_screen_of_pairs(folder: str | Path, seed: int = 0) -> Path:
    """What the study drug-pairs reads, alone and at its full size: growth and omics."""
    drawn = replace(begun(Path(folder), 0.05, seed), scale=1.0)
    write_wells(drawn)
    write_cellminer(drawn)
    return drawn.folder


def begun(folder: Path, scale: float, seed: int) -> Drawn:
    """The files of a teaching cohort, and what the others share."""
    teaching.write(folder, lines=round(LINES * max(scale, 0.2)), seed=seed)
    rng = np.random.default_rng(seed)
    lines = pd.read_csv(folder / "depmap-19q4/sample_info.csv", dtype=str)
    tissues = lines["lineage"].unique()
    of_tissue = dict(zip(tissues, rng.normal(size=(len(tissues), FACTORS)), strict=True))
    factors = np.array([of_tissue[t] for t in lines["lineage"]]) + rng.normal(size=(len(lines), 5))
    lines = lines.sample(frac=1, random_state=seed).assign(factors=list(factors))
    with open(folder / "depmap-19q4/CCLE_expression.csv") as file:
        known = [name.split(" ")[0] for name in file.readline().strip().split(",")[1:]]
    genes = known + [f"FAKE{i:05d}" for i in range(28_000)]
    return Drawn(folder, scale, lines, genes, rng)


def cells(drawn: Drawn, factors: np.ndarray, centre: np.ndarray, spread: np.ndarray) -> Iterator:
    """Which word stands in each cell, line by line: (columns,) of 0 to WORDS - 1."""
    loadings = drawn.rng.normal(size=(FACTORS, len(centre))) / np.sqrt(2 * FACTORS)
    for factor in factors:
        noise = drawn.rng.standard_normal(len(centre), dtype=np.float32)
        found = centre + spread * (factor @ loadings + noise)
        yield np.clip(found, 0, WORDS - 1).astype(np.intp)


def written(values: np.ndarray, digits: int) -> np.ndarray:
    """Numbers from 0 to below 10 as bytes of one width, each with the comma behind it."""
    return np.array([f"{value:.{digits}f},".encode() for value in values])


def write_wide(drawn: Drawn, path: Path, n_lines: int, n_genes: int) -> None:
    """Lines x genes: probabilities of dependency, expression or copy number."""
    lines, n = drawn.some(n_lines), drawn.scaled(n_genes)
    names = drawn.genes[:n]
    quantile = np.arange(WORDS) / WORDS
    kind = drawn.rng.random(n)  # of each gene
    centre, spread = np.full(n, WORDS / 2), np.full(n, WORDS / 5)
    incomplete = 0
    if "dependency" in path.name:
        words = written(quantile, 15)
        names = names[: round(0.995 * n)] + [f"ONLY{i:05d}" for i in range(n - round(0.995 * n))]
        centre[:] = np.where(kind < 0.27, WORDS / 2, np.where(kind < 0.9, 30, WORDS - 60))
        spread[kind >= 0.27] = 15
        incomplete = round(0.06 * len(lines))
    elif "expression" in path.name:
        words = written(np.where(quantile < 0.01, 0, 9.9 * quantile), 8)
        centre[kind < 0.11], spread[kind < 0.11] = -200, 100
    else:
        words = written(0.2 + 2 * quantile, 12)
    header = "".join(f",{name} ({9_000_001 + i})" for i, name in enumerate(names))
    table = cells(drawn, np.stack(lines["factors"]), centre, spread)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        file.write(f"{header}\n".encode())
        for number, (line, row) in enumerate(zip(lines["DepMap_ID"], table, strict=True)):
            text = words[row]
            if number < incomplete:
                text = text.astype(object)
                text[drawn.rng.integers(0, n, 20)] = b","
                text = np.array([b"".join(text)])
            file.write(line.encode() + b"," + text.tobytes()[:-1] + b"\n")


def write_calls(drawn: Drawn, path: Path, n_lines: int, n_calls: int) -> None:
    """One mutation call a row; one in five is deleterious, one in a hundred a hotspot."""
    lines, n, rng = drawn.some(n_lines)["DepMap_ID"].to_numpy(), drawn.scaled(n_calls), drawn.rng
    genes = np.array(drawn.genes[: drawn.scaled(MUTATED_GENES)])
    gene = (len(genes) * rng.random(n) ** 3).astype(int)  # few genes carry most mutations
    line = rng.integers(0, len(lines), n)
    flags = np.where(rng.random((n, 2)) < [0.2, 0.01], "True", "False")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"{CALLS}\n")
        file.writelines(
            f"{genes[g]},{9_000_001 + g},37,{1 + g % 22},{10_000 + g},{10_000 + g},+,"
            f"Missense_Mutation,SNP,C,T,,,g.chr{1 + g % 22}:{10_000 + g}C>T,ENST00000{g:06d}.1,"
            f"{lines[i]},c.{g}C>T,c.(1-3)aCg>aTg,p.T{g}M,{damaging},{hot},{g % 3},False,0,,"
            f"{g % 90}:{i % 90},,,,,,,damaging\n"
            for g, i, (damaging, hot) in zip(gene, line, flags, strict=True)
        )


def write_curves(drawn: Drawn, path: Path, n_lines: int, n_drugs: int, n_curves: int) -> None:
    """Fitted curves, as a workbook; the drugs of the teaching cohort come first."""
    lines, rng, share = drawn.some(n_lines), drawn.rng, n_curves / n_lines / n_drugs
    n_drugs = max(drawn.scaled(n_drugs), 60)
    facts = drug_facts()
    names = [*facts.index, *(f"compound {i}" for i in range(len(facts), n_drugs))]
    targets = [*facts["targets"].str.join(", "), *["" for _ in names[len(facts) :]]]
    potency, spread = rng.normal(2.5, 2.5, n_drugs), np.full(n_drugs, 1.2)
    loadings = rng.normal(size=(FACTORS, n_drugs)) / np.sqrt(2 * FACTORS)
    signal = np.stack(lines["factors"]) @ loadings + rng.normal(size=(len(lines), n_drugs)) * 0.7
    ln_ic50 = potency + spread * signal  # (lines, drugs)
    size = n_curves if drawn.scale == 1 else round(share * ln_ic50.size)
    i, j = np.divmod(np.sort(rng.choice(ln_ic50.size, size, replace=False)), n_drugs)
    known = lines[["COSMIC_ID", "stripped_cell_line_name", "Sanger_model_ID"]].to_numpy()

    def rows() -> Iterator[tuple]:
        for number, (line, drug) in enumerate(zip(i, j, strict=True)):
            cosmic, name, sanger = known[line]
            yield (
                path.name[:5],
                281,
                12_974_350 + number,
                int(float(cosmic)),
                name,
                sanger,
                "UNCLASSIFIED",
                drug + 1,
                names[drug],
                targets[drug],
                "Other",
                1045,
                "Y",
                0.003906,
                10.0,
                round(ln_ic50[line, drug], 6),
                0.9,
                0.08,
                0.43,
            )

    write_workbook(path, CURVES.split(","), rows(), size)


def packed(name: str) -> zipfile.ZipInfo:
    """A member to be compressed, whose bytes hold no time of day."""
    member = zipfile.ZipInfo(name, LONG_AGO)
    member.compress_type = zipfile.ZIP_DEFLATED
    return member


def write_workbook(path: Path, columns: list[str], rows: Iterator[tuple], n: int) -> None:
    """One sheet of n rows below the header, row by row; texts are inline."""
    corner = f"{chr(64 + len(columns))}{n + 1}"  # the name of the last cell, such as S311848

    def row(values: tuple | list) -> str:
        return "".join(
            f'<c t="inlineStr"><is><t>{value}</t></is></c>'
            if isinstance(value, str)
            else f"<c><v>{value}</v></c>"
            for value in values
        )

    sheet = "xl/worksheets/sheet1.xml"
    write_xlsx(path, pd.DataFrame({"empty": [0]}))
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist() if name != sheet}
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, text in parts.items():
            archive.writestr(packed(name), text)
        with archive.open(packed(sheet), "w", force_zip64=True) as file:
            file.write(f'<worksheet xmlns="{main}"><dimension ref="A1:{corner}"/>'.encode())
            file.write(f"<sheetData><row>{row(columns)}</row>".encode())
            for values in rows:
                file.write(f"<row>{row(values)}</row>".encode())
            file.write(b"</sheetData></worksheet>")


def write_prism(drawn: Drawn) -> None:
    """Log fold changes and treatments; two SMILES cells begin with a comma, as in the release."""
    lines, n = drawn.some(PRISM[0]), max(drawn.scaled(PRISM[1]), 80)
    facts = drug_facts()
    broad = [f"BRD-K{i:08d}-001-01-9" for i in range(n)]
    names = [*facts.index, *(f"treatment-{i}" for i in range(len(facts), n))]
    smiles = [
        *facts["smiles"],
        *(f"{'C' * (1 + i % 40)}Oc1ccc({'N' + 'C' * (i // 40)})cc1" for i in range(n - len(facts))),
    ]
    smiles[-2:] = [f", {smiles[-2]}", f", {smiles[-1]}, {smiles[-3]}"]
    genes = np.array(drawn.genes[:600])
    targets = [
        *facts["targets"].str.join(", "),
        *(
            "NA" if i % 3 == 0 else ", ".join(genes[[i % 600, 7 * i % 600]])
            for i in range(n - len(facts))
        ),
    ]
    columns = [f"{id}::2.5::HTS" for id in broad]
    folder = drawn.folder / "prism-19q4"
    write_csv(
        folder / "primary-screen-replicate-collapsed-treatment-info.csv",
        pd.DataFrame(
            {
                "column_name": columns,
                "broad_id": broad,
                "name": names,
                "dose": 2.5,
                "screen_id": "HTS",
                "moa": "NA",
                "target": targets,
                "disease.area": "NA",
                "indication": "NA",
                "smiles": smiles,
                "phase": "Launched",
            }
        ),
        index=False,
    )
    loadings = drawn.rng.normal(size=(FACTORS, n)) / np.sqrt(2 * FACTORS)
    noise = drawn.rng.normal(size=(len(lines), n))
    values = np.stack(lines["factors"]) @ loadings * 0.5 + 0.5 * noise
    values[drawn.rng.random(values.shape) < 0.05] = np.nan
    ids = lines["DepMap_ID"].to_numpy().copy()
    ids[-8:] = [f"{id}_FAILED_STR" for id in ids[-8:]]
    table = pd.DataFrame(values, ids, columns)
    path = folder / "primary-screen-replicate-collapsed-logfold-change.csv"
    table.to_csv(path, float_format="%.15f", lineterminator="\n")


def compounds(n: int = ALMANAC_DRUGS) -> pd.DataFrame:
    """The list of the screen's compounds: those of the teaching cohort, then made-up ones."""
    facts = drug_facts()
    tested = facts[facts["nsc"] != ""]
    extra = max(n, len(tested)) - len(tested)
    nsc = [*tested["nsc"], *(str(900_000 + i) for i in range(extra))]
    smiles = [*tested["smiles"], *(f"{'C' * (i + 2)}N1CCOCC1" for i in range(extra))]
    names = [*tested.index, *(f"compound {i}" for i in range(extra))]
    return pd.DataFrame({"NSC": nsc, "CID": "", "SMILES": smiles, "MECHANISM": "", "NAME": names})


def pairs_of_lines(
    rng: np.random.Generator, n_lines: int, n_drugs: int, sets: int, rows: int
) -> Iterator[np.ndarray]:
    """The pairs (pairs, 2) of each line in turn, those that it has in both orders first.

    With a set for each drug alone, and two for a pair in both orders, the lines have `sets` of
    them, and `rows` of the first 54 compounds alone. Which pairs are missing differs by line.
    """
    pairs = np.stack(np.triu_indices(n_drugs, 1), axis=1)
    described = pairs[:, 1] < DESCRIBED
    inside, outside = pairs[described][AGAIN:], pairs[~described]
    alone = min(DESCRIBED, n_drugs)
    for line in range(n_lines):
        of_line, of_described = ((total + line) // n_lines for total in (sets, rows))
        n_inside = of_described - alone - 2 * AGAIN
        n_outside = of_line - of_described - (n_drugs - alone)
        some, others = rng.permutation(inside)[:n_inside], rng.permutation(outside)[:n_outside]
        yield np.concatenate([pairs[:AGAIN], some, others])


def write_wells(drawn: Drawn) -> None:
    """ComboDrugGrowth: pairs at 3 x 3 doses, drugs alone at 5 and repeated, on 60 lines."""
    rng, listed = drawn.rng, compounds(round(ALMANAC_DRUGS * drawn.scale))
    write_csv(
        drawn.folder / "nci-almanac-pocket/nsc_cid_smiles_class_name.csv", listed, index=False
    )
    nsc, n_drugs = listed["NSC"].to_numpy(), len(listed)
    lines = [(panel, name) for panel, names in NCI60.items() for name in names.split(", ")][:60]
    doses = ["1e-09", "1e-07", "1e-05"]
    grid = [(a, b) for a in doses for b in doses]
    single = [(a, x) for a in range(n_drugs) for x in ("1e-09", "1e-08", "1e-07", "1e-06", "1e-05")]
    effect = rng.normal(60, 30, n_drugs)
    sets = drawn.scaled(SETS)
    rows = drawn.scaled(ROWS) if n_drugs > DESCRIBED else sets
    each = pairs_of_lines(rng, len(lines), n_drugs, sets, rows)
    path = drawn.folder / "nci-almanac/ComboDrugGrowth_Nov2017.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open(packed("ComboDrugGrowth_Nov2017.csv"), "w", force_zip64=True) as file:
            file.write(f"{GROWTH}\n".encode())

            def well(
                panel: str, line: str, a: str, x: str, b: str, y: str, growth: float, run: int = 0
            ) -> str:
                other = f"S,{b},1,1,{y},M" if b else ",,,0,,"
                return (
                    f"{260_311 + run},1A,BH20-1,05/30/2012,9999,7,4,S,{a},1,1,{x},M,{other},"
                    f"{growth:.3f},70.145,69.5,99.1,20.8,,,Y,{panel},{line}\n"
                )

            for (panel, line), pairs in zip(lines, each, strict=True):
                shift = rng.normal(0, 10)
                written = []
                for a, b in pairs:
                    both = min(effect[a], effect[b]) + shift
                    noise = rng.normal(0, 10, len(grid))
                    written += [
                        well(panel, line, nsc[a], x, nsc[b], y, both + e)
                        for (x, y), e in zip(grid, noise, strict=True)
                    ]
                written += [  # once more, at the middle doses and in the other order
                    well(panel, line, nsc[b], "1e-07", nsc[a], "1e-07", effect[a] + shift + e)
                    for (a, b), e in zip(pairs[:AGAIN], rng.normal(0, 10, AGAIN), strict=True)
                ]
                left = drawn.scaled(WELLS) // len(lines) - len(written)
                for i, (a, x) in enumerate(islice(cycle(single), max(left, len(single)))):
                    growth = effect[a] + shift + rng.normal(0, 10)
                    run = 1 + i // len(single)
                    written.append(well(panel, line, nsc[a], x, "", "", growth, run))
                file.write("".join(written).encode())


def write_cellminer(drawn: Drawn) -> None:
    """Features x the 60 lines, as text in a zip."""
    lines = [f"{panel}:{name}" for panel, names in NCI60.items() for name in names.split(", ")]
    lines = [line for line in lines if not line.endswith("MDA-MB-468")]
    for name, n in CELLMINER.items():
        n = max(drawn.scaled(n), 40)
        features = [f"miR-{i}" for i in range(n)] if "microRNA" in name else drawn.genes[:n]
        table = pd.DataFrame(drawn.rng.normal(size=(n, len(lines))), features, lines)
        text = table.rename_axis("Identifier").to_csv(sep="\t", float_format="%.5f")
        write_zip(drawn.folder / f"cellminer/nci60_{name}.zip", f"{name}.txt", text)


def unpinned() -> dict[str, catalogue.Dataset]:
    """The catalogue without sizes and checksums: what is fetched first is pinned."""
    return {
        key: replace(
            data,
            files=tuple(replace(file, bytes=None, md5=None, sha256=None) for file in data.files),
        )
        for key, data in catalogue.datasets().items()
    }


def takes(patch: Callable[[object, str, object], None] = setattr) -> None:
    """Let the library of this process take such files for the releases."""
    known = unpinned()
    patch(catalogue, "datasets", lambda: known)


if __name__ == "__main__":
    write(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 1.0)
