"""Tables of drugs: one row a perturbation, with structure, target and the group that a split keeps.

A drug's group is the first block of its InChIKey: salts, stereoisomers and the same compound under
a second id share it. A drug without a known structure is grouped by its name.
"""

import numpy as np
import pandas as pd

from cdp_lib.data import readers
from cdp_lib.data.ids import IdMap, normalised
from cdp_lib.data.studies.sources import DRUG_LIST, Source, notes

SCREENS = ("GDSC1 25Feb20", "GDSC2 25Feb20", "GDSC1 27Oct23", "GDSC2 27Oct23")


def ln_ic50(
    source: Source, ids: IdMap, screen: str | None = None
) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    """Lines x drug ids, the table of drugs by id, and what was noted on the way."""
    listed = source.read(readers.gdsc_drugs, "gdsc-pocket", DRUG_LIST)
    if source.pocket:
        Y = source.read(readers.gdsc_matrix_ach, "gdsc-pocket", "GDSC_IC50.csv")
        return Y, with_smiles(source, listed.reindex(Y.columns), listed), "fit: GDSC v17 by ACH"
    number, date = screen.split()
    curves = source.read(readers.gdsc_fitted, "gdsc", f"{number}_fitted_dose_response_{date}.xlsx")
    match = ids.to_ach(curves["cosmic"].unique(), "cosmic")
    curves = curves.assign(line=curves["cosmic"].map(match.mapping)).dropna(subset=["line"])
    Y = curves.pivot_table("ln_ic50", "line", "drug_id", aggfunc="mean", sort=False)
    drugs = curves.drop_duplicates("drug_id").set_index("drug_id")[["drug", "target"]]
    drugs = drugs.rename(columns={"drug": "name"}).reindex(Y.columns)
    return Y, with_smiles(source, drugs, listed), f"{notes(curves)}; {match.note}".strip("; ")


def with_smiles(source: Source, drugs: pd.DataFrame, listed: pd.DataFrame) -> pd.DataFrame:
    """SMILES through the PubChem id that the 2019 list gives for the same drug id and name."""
    smiles = source.read(readers.smiles_by_cid, "gdsc-pocket", "223drugs_pubchem_smiles.txt")
    same = listed.reindex(drugs.index)
    agrees = same["name"].map(normalised) == drugs["name"].map(normalised)
    cid = same["cid"].astype(str).where(agrees & same["cid"].notna())
    return drugs.assign(
        pathway=same["pathway"].where(agrees), cid=cid, smiles=cid.map(smiles["smiles"])
    )


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


def almanac(source: Source, singles: bool) -> tuple[pd.DataFrame, str]:
    """Long: line, nsc_a, nsc_b, value. Pocket: ComboScore; else the lowest growth over doses."""
    if source.pocket:
        file = "DTB_NCI60_cell_lines_Almanac_paired_drug_combo_scores.txt"
        scores = source.read(readers.almanac_scores, "nci-almanac-pocket", file)
        return scores.rename(columns={"score": "value"}), notes(scores)
    wells = source.read(readers.almanac_growth, "nci-almanac", "ComboDrugGrowth_Nov2017.zip")
    said = notes(wells)
    alone = wells["nsc_b"].isna()
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
    at_dose = wells.groupby([*pair, *dose], dropna=False, sort=False)["growth"].mean() / 100
    lowest = at_dose.groupby(pair, sort=False).min().rename("value").reset_index()
    said += "; " if said else ""
    return lowest, f"{said}mean of repeats, then the lowest growth over doses of {len(wells)} wells"


def almanac_drugs(source: Source, nsc: pd.Index) -> tuple[pd.DataFrame, str]:
    """One row an NSC number of the screen; a compound that no list knows has only its number.

    Many names in the list are IUPAC names. Where a second list has one name for the structure, that
    name is used; otherwise a name longer than 40 letters gives way to the number.
    """
    listed = source.read(
        readers.almanac_drugs, "nci-almanac-pocket", "nsc_cid_smiles_class_name.csv"
    )
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
    table = source.read(readers.drug_smiles, "nci-almanac-pocket", "drug_smiles.csv")
    drugs = describe(table.assign(name=table.index))
    return drugs[~drugs["group"].duplicated(keep=False)].set_index("group")["name"]
