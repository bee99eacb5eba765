"""What was measured more than once: areas of drug curves, genes, drugs and fits.

Each function answers with tables of lines x columns that two projects, methods or fits share, or
with none where an edition has one of them only.
"""

from itertools import combinations

import pandas as pd

from cdp_lib.data.cohort import Cohort
from cdp_lib.data.ids import IdMap
from cdp_lib.data.studies.assembly import whole_columns
from cdp_lib.data.studies.sources import Source
from cdp_lib.errors import InputError

Tables = dict[str, pd.DataFrame]
Pairs = dict[str, tuple[pd.DataFrame, pd.DataFrame]]


def areas(source: Source) -> Tables:
    """Lines x drugs by project: areas under drug curves and, in PRISM's first screen, one dose."""
    known = AREAS[source.edition](source)
    return {"GDSC, AAC": 1 - known["GDSC, AUC"], **known}


def of_three_projects(source: Source) -> Tables:
    """A row for each line and drug that all three projects measured."""
    long = source.read("PRISM response")
    return {
        f"{name.upper()}, AUC": long.pivot_table(f"{name}_auc", "line", "drug")
        for name in ("gdsc", "ctd2", "prism")
    }


def of_two_screens(source: Source) -> Tables:
    curves = source.read("GDSC", source.choice("drug-response", "screen"))
    return {
        "GDSC, AUC": curves.pivot_table("auc", "line_name", "drug"),
        "PRISM, log fold change": source.read("PRISM response"),
    }


def by_gene(source: Source, lines: pd.Index) -> Tables:
    """RNA and protein of the NCI-60, lines x genes; protein by a second method where there is."""
    rna, protein = (
        whole_columns(source.read(f"NCI-60 {name}"))[0] for name in ("expression", "protein")
    )
    tables = {"RNA": rna, "protein": first_of_each(source, "NCI-60 protein", protein)}
    if source.find("NCI-60 protein array"):
        array = source.read("NCI-60 protein array")
        tables["protein array"] = first_of_each(source, "NCI-60 protein array", array)
    return {name: table.loc[lines] for name, table in tables.items()}


def first_of_each(source: Source, name: str, table: pd.DataFrame) -> pd.DataFrame:
    """The first column of each gene; a peptide or antibody goes by the gene that the file gives."""
    column = source.find(name).gene_column
    if column is not None:
        (path,) = source.paths(name)
        gene = pd.read_csv(path, sep="\t", index_col=0, usecols=[0, column]).iloc[:, 0]
        table = table.set_axis(gene.loc[table.columns], axis=1)
    return table.loc[:, ~table.columns.duplicated()]


def repeats(source: Source, screen: pd.DataFrame, drugs: Cohort) -> Pairs:
    """Two tables each, alike in lines and columns, that measure one thing twice.

    `screen` is ln IC50 by drug id, `drugs` the cohort of the same screen.
    """
    one_structure = drugs.perturbations.groupby("group")["drug_id"]
    twice = one_structure.agg(["first", "last"])[one_structure.size() > 1]
    two_ids = [screen[twice[i]].set_axis(twice.index, axis=1) for i in ("first", "last")]
    found = {"GDSC,\ntwo ids": tuple(two_ids)} if len(twice) else {}
    return found | REPEATS[source.edition](source, drugs)


def projects_and_orders(source: Source, drugs: Cohort) -> Pairs:
    """AUC of three projects, and pairs of drugs that ALMANAC holds in both orders."""
    tables = areas(source)
    found = {
        f"{a} and\n{b}, AUC": (tables[f"{a}, AUC"], tables[f"{b}, AUC"])
        for a, b in combinations(("PRISM", "CTD2", "GDSC"), 2)
    }
    return found | {"ALMANAC,\nA + B, B + A": mirrored(source)}


def mirrored(source: Source) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Lines x pairs of drugs ("NSC_NSC") that ALMANAC's scores hold in both orders."""
    if source.edition != "pocket":
        raise InputError(
            f"The {source.edition} edition has no scores of pairs in both orders: use the pocket "
            "edition."
        )
    (path,) = source.paths("ALMANAC")
    scores = pd.read_csv(path, sep="\t", index_col="paired_drug")
    other = pd.Series(["_".join(pair.split("_")[::-1]) for pair in scores.index], scores.index)
    both = other[other.isin(scores.index) & (other.index < other)]
    return scores.loc[both.index].T, scores.loc[both].set_axis(both.index).T


def one_dose_and_curve(source: Source, drugs: Cohort) -> Pairs:
    """One dose of PRISM beside ln IC50 of GDSC, for the drugs that go by one name."""
    prism = source.read("PRISM response")
    name = source.read("PRISM treatments")["name"].reindex(prism.columns)
    prism = prism.set_axis(name, axis=1).loc[:, ~name.duplicated().to_numpy()]
    names = drugs.Y.columns.intersection(prism.columns)
    lines = drugs.Y.index.intersection(prism.index)
    return {"PRISM and\nGDSC": (prism.loc[lines, names], drugs.Y.loc[lines, names])}


def two_fits(source: Source, ids: IdMap) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """The two curve fits that go by the name GDSC v17, alike in lines and drugs."""
    if not source.find("GDSC by COSMIC"):
        return None
    one, other = source.lines("GDSC by COSMIC", ids), source.lines("GDSC", ids)
    lines, drugs = one.index.intersection(other.index), one.columns.intersection(other.columns)
    return one.loc[lines, drugs], other.loc[lines, drugs]


# edition -> what makes its tables
AREAS = {
    "teaching": of_two_screens,
    "official": of_two_screens,
    "pocket": of_three_projects,
}
REPEATS = {
    "teaching": one_dose_and_curve,
    "official": one_dose_and_curve,
    "pocket": projects_and_orders,
}
