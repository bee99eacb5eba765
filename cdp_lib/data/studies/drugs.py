"""Tables of drugs: one row a perturbation, with structure, target and the group that a split keeps.

A drug's group is the first block of its InChIKey: salts, stereoisomers and the same compound under
a second id share it. A drug without a known structure is grouped by its name.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from cdp_lib.data.checks import few
from cdp_lib.data.files.parsed import cached
from cdp_lib.data.ids import IdMap, normalised
from cdp_lib.data.readers import almanac_growth, prism_treatments
from cdp_lib.data.studies.sources import Source, notes
from cdp_lib.errors import InputError


class Measured(NamedTuple):
    """What a response says, in words, and what was noted on reading it."""

    response: str
    note: str
    lower_is_sensitive: bool = True
    sets: int | None = None  # of a line and two drugs, as the paper counts them


def ln_ic50(
    source: Source, ids: IdMap, screen: str | None = None
) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    """Lines x drug ids, the table of drugs by id, and what was noted on the way."""
    return LN_IC50[source.edition](source, ids, screen)


def fitted_matrix(source: Source, ids: IdMap, screen: str | None) -> tuple:
    """One table of ln IC50, and the list of drugs beside it."""
    listed, Y = source.read("GDSC drugs"), source.lines("GDSC", ids)
    return Y, with_smiles(source, listed.reindex(Y.columns), listed), f"fit: {Y.attrs['fit']}"


def fitted_curves(source: Source, ids: IdMap, screen: str | None) -> tuple:
    """One fitted curve a row; the ln IC50 of a repeated curve is the mean."""
    curves, listed = source.read("GDSC", screen), source.read("GDSC drugs")
    match = ids.to_ach(curves["cosmic"].unique(), "cosmic")
    curves = curves.assign(line=curves["cosmic"].map(match.mapping)).dropna(subset=["line"])
    Y = curves.pivot_table("ln_ic50", "line", "drug_id", aggfunc="mean", sort=False)
    drugs = curves.drop_duplicates("drug_id").set_index("drug_id")[["drug", "target"]]
    drugs = drugs.rename(columns={"drug": "name"}).reindex(Y.columns)
    return Y, with_smiles(source, drugs, listed), f"{notes(curves)}; {match.note}".strip("; ")


def with_smiles(source: Source, drugs: pd.DataFrame, listed: pd.DataFrame) -> pd.DataFrame:
    """SMILES through the PubChem id that the 2019 list gives for the same drug id and name."""
    smiles = source.read("GDSC smiles")
    same = listed.reindex(drugs.index)
    agrees = same["name"].map(normalised) == drugs["name"].map(normalised)
    cid = same["cid"].astype(str).where(agrees & same["cid"].notna())
    return drugs.assign(
        pathway=same["pathway"].where(agrees), cid=cid, smiles=cid.map(smiles["smiles"])
    )


def viability(source: Source, ids: IdMap) -> tuple[pd.DataFrame, pd.DataFrame, Measured]:
    """Lines x treatments of PRISM, the table of treatments, and what was measured."""
    return VIABILITY[source.edition](source, ids)


def primary_screen(source: Source, ids: IdMap) -> tuple[pd.DataFrame, pd.DataFrame, Measured]:
    """Log2 fold changes at one dose. RDKit reads the thousands of structures once (`cached`)."""
    Y = source.read("PRISM response")
    drugs = cached(described_treatments, *source.paths("PRISM treatments"))
    unknown = Y.columns.difference(drugs.index)
    if len(unknown):
        raise InputError(
            f"PRISM's table of treatments has no row for {len(unknown)} of the {Y.shape[1]} "
            f"treatments measured ({few(unknown)}): fetch both files of prism-19q4 again."
        )
    return Y, drugs.loc[Y.columns], Measured("log2 fold change", notes(Y))


def described_treatments(path: Path) -> pd.DataFrame:
    return describe(prism_treatments(path))


def secondary_screen(source: Source, ids: IdMap) -> tuple[pd.DataFrame, pd.DataFrame, Measured]:
    """AUC over the doses of the second screen, of the drugs that two other projects have, too."""
    long = source.read("PRISM response")
    match = ids.to_ach(long["line"].unique(), "name")
    Y = match.rename(long.pivot_table("prism_auc", "line", "drug", sort=False))
    drugs = describe(by_name(source.read("PRISM treatments"), Y.columns))
    return Y, drugs, Measured("AUC (PRISM secondary screen)", match.note)


def by_name(treatments: pd.DataFrame, names: pd.Index) -> pd.DataFrame:
    """The first treatment of each name; a name that PRISM does not list has no structure."""
    key = treatments["name"].map(normalised)
    first = treatments.set_axis(key)[~key.duplicated().to_numpy()]
    table = first.reindex([normalised(name) for name in names]).set_axis(names)
    return table.assign(name=names)


def describe(drugs: pd.DataFrame, kind: str = "drug") -> pd.DataFrame:
    """The table with kind, inchikey, group and scaffold."""
    from cdp_lib.data.molecules import describe_drugs

    smiles = drugs["smiles"].astype(object)
    drugs = describe_drugs(drugs.assign(smiles=smiles.where(smiles.notna(), None)))
    by_name = drugs["name"].map(normalised)
    group = drugs["group"].where(drugs["group"].notna(), by_name)
    scaffold = drugs["scaffold"].where(drugs["scaffold"].notna(), by_name)
    return drugs.assign(kind=kind, group=group, scaffold=scaffold)


def labelled(drugs: pd.DataFrame) -> pd.Series:
    """A label for each drug id: its name, and its id behind a name that occurs more than once."""
    ids = pd.Series(drugs.index.astype(str), index=drugs.index)
    name = drugs["name"].astype(object).where(drugs["name"].notna(), "drug " + ids)
    return name.where(~name.duplicated(keep=False), name + " (" + ids + ")")


def almanac(source: Source, singles: bool, response: str | None) -> tuple[pd.DataFrame, Measured]:
    """Long: line, nsc_a, nsc_b, value, orders (in how many orders the file has this pair)."""
    return ALMANAC[source.edition](source, singles, response)


def combo_scores(source: Source, singles: bool, response: None) -> tuple[pd.DataFrame, Measured]:
    """The published ComboScore of each pair; a single drug has none."""
    scores = source.read("ALMANAC").rename(columns={"score": "value"}).assign(orders=1)
    return scores, Measured("ComboScore (positive: more than additive)", notes(scores), False)


def lowest_growth(source: Source, singles: bool, response: str) -> tuple[pd.DataFrame, Measured]:
    """The lowest growth over the doses of each pair; with `singles` of each drug with itself."""
    options = {"singles": singles, "response": response}
    lowest = cached(lowest_of_wells, *source.paths("ALMANAC"), **options)
    meaning = f"lowest growth over doses (fraction of untreated; {response})"
    return lowest, Measured(meaning, notes(lowest), sets=lowest.attrs["sets"])


def lowest_of_wells(path: Path, singles: bool, response: str) -> pd.DataFrame:
    """Growth as a fraction, lowest over doses, by line and pair: two definitions of xia2018's code.

        min of means        min over dose pairs of the mean over the wells of a dose pair (2018)
        min of replicates   min over all wells (before)

    A noisy well is averaged in the first and taken for the answer in the second, which falls with
    the number of wells.  Read once and kept (`cached`): millions of wells become some hundred
    thousand pairs.
    """
    wells = almanac_growth(path)
    said = wells.attrs.get("notes", [])
    alone = wells["nsc_b"].isna()
    sets = len(wells[["line", "nsc_a", "nsc_b"]].drop_duplicates())
    if singles:  # one drug with itself, as in xia2018
        wells = wells.assign(nsc_b=wells["nsc_b"].where(~alone, wells["nsc_a"]))
    else:
        wells = wells[~alone]
    dose = ["conc_a", "conc_b"]
    swap = (wells["nsc_a"] > wells["nsc_b"]).to_numpy()
    for a, b in (("nsc_a", "nsc_b"), dose):
        first, second = wells[a].to_numpy(), wells[b].to_numpy()
        wells = wells.assign(**{a: np.where(swap, second, first), b: np.where(swap, first, second)})
    pair = ["line", "nsc_a", "nsc_b"]
    orders = wells[pair].assign(orders=swap).drop_duplicates().groupby(pair, sort=False).size()
    growth = wells.groupby([*pair, *dose], dropna=False, sort=False)["growth"]
    at_dose = (growth.mean() if response == "min of means" else growth.min()) / 100
    lowest = at_dose.groupby(pair, sort=False).min().rename("value")
    lowest = lowest.to_frame().assign(orders=orders).reset_index()
    lowest.attrs["notes"] = [*said, f"{response} of {len(wells)} wells"]
    lowest.attrs["sets"] = sets
    return lowest


def almanac_drugs(source: Source, nsc: pd.Index) -> tuple[pd.DataFrame, str]:
    """One row an NSC number of the screen; a compound that no list knows has only its number.

    Many names in the list are IUPAC names. Where a second list has one name for the structure, that
    name is used; otherwise a name longer than 40 letters gives way to the number.
    """
    listed = source.read("ALMANAC drugs")
    drugs = listed.reindex(nsc).rename(columns={"mechanism": "moa"})
    unknown = drugs["smiles"].isna()
    drugs = describe(drugs.assign(nsc=nsc, name=drugs["name"].fillna("")))
    short = short_names(source)
    name = drugs["group"].map(short).where(~unknown & ~drugs["group"].duplicated(keep=False))
    listed_name = drugs["name"].str.strip()
    listed_name = listed_name.where(listed_name.str.len().between(1, 40), "NSC " + nsc)
    drugs["name"] = name.where(name.notna(), listed_name)
    drugs["group"] = drugs["group"].where(~unknown, "NSC " + nsc)
    flat = drugs["inchikey"].dropna().duplicated().sum()
    said = f"{unknown.sum()} of {len(drugs)} compounds have no SMILES by NSC"
    return drugs, said + (f", {flat} share the SMILES of another" if flat else "")


def short_names(source: Source) -> pd.Series:
    """Common names by the first block of the InChIKey, where one structure has one name."""
    table = source.read("ALMANAC names")
    drugs = describe(table.assign(name=table.index))
    return drugs[~drugs["group"].duplicated(keep=False)].set_index("group")["name"]


# edition -> what makes the response of its tables
LN_IC50 = {"teaching": fitted_curves, "official": fitted_curves, "pocket": fitted_matrix}
VIABILITY = {"teaching": primary_screen, "official": primary_screen, "pocket": secondary_screen}
ALMANAC = {"teaching": lowest_growth, "official": lowest_growth, "pocket": combo_scores}
