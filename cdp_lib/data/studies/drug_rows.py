"""Lines and drugs as dong2020 joins them: GDSC's names of lines with CCLE's.

The published code writes `names.replace("-", "")`, which in pandas replaces a cell that *is* "-".
No hyphen is taken out, so "HCC-1187" of GDSC never meets "HCC1187_BREAST" of CCLE, and the rows of
every line with a hyphen in its name are lost.  `join="as_published"` repeats that, and
`join="repaired"` joins the lines by their ids.
"""

import numpy as np
import pandas as pd

from cdp_lib.data.cohort import Cohort
from cdp_lib.data.ids import IdMap
from cdp_lib.data.studies import drugs as drug_tables
from cdp_lib.data.studies import sources
from cdp_lib.data.studies.assembly import assemble, with_structures
from cdp_lib.data.studies.assembly import join as common_lines
from cdp_lib.data.studies.screened import screened
from cdp_lib.data.studies.sources import Source, step
from cdp_lib.errors import InputError, nearest

JOINS = ("as_published", "repaired")
FILTERS = {  # of log2(TPM + 1) (lines, genes): what the text says, and what the code does
    "text": lambda x: (x.mean() >= 1) & (x.std() >= 0.5),
    "code": lambda x: (np.exp2(x) - 1).std() >= 0.5,
}
# What the paper reports: shapes, and rows of a line and a drug.
GENES, FILTERED, DRUGS = (51, 57_820), (51, 597), (222,)
ROWS = {"breast": (3_358,), None: (13_605,)}
LISTED = {"pocket": "cancer genes alone"}
NO_LIST = "all genes: this edition has no list of cancer genes"


def drug_rows(
    source: Source,
    join: str = "repaired",
    site: str | None = "breast",
    varying: str | None = "code",
    all_genes: bool = False,
) -> Cohort:
    """Expression of cancer genes -> ln IC50 (uM) of GDSC's drugs with a structure (dong2020).

    `join` is one of "as_published" and "repaired" (see above).  `site` takes the lines whose CCLE
    name ends in it, by default those of breast; None takes all.  `varying` keeps the cancer genes
    that vary over the lines of the site: by the rule of the text ("text": mean of at least 1 and
    deviation of at least 0.5 of log2(TPM + 1)) or by that of the code ("code": deviation of at
    least 0.5 of TPM); None keeps all.  `all_genes=True` adds the omics "all genes", which the
    pocket edition has of the breast lines.
    """
    for what, given, known in (("join", join, JOINS), ("varying", varying, (*FILTERS, None))):
        if given not in known:
            ways = ", ".join(map(repr, known))
            raise InputError(f"{what}={given!r} is no way of this study: choose from {ways}.")
    lines, ids = sources.read_lines(source)
    Y, drugs, names = measured(source, lines, ids)
    steps = [step(source, "ln IC50, lines by COSMIC id", Y.shape)]
    Y, drugs = with_structures(Y, drugs, steps)
    tables = {"expression": sources.read_omics(source, ids, "expression")}
    if all_genes:
        tables["all genes"] = every_gene(source, ids)
    ccle = of_site(source.read("annotations"), site, tables["expression"].index)
    for name, table in tables.items():
        tables[name] = table[table.index.isin(ccle)]
        said = "" if name == "all genes" else LISTED.get(source.edition, NO_LIST)
        paper = GENES if name == "all genes" else None
        steps.append(step(source, f"{name} of the lines", tables[name].shape, paper, said))
    if varying is not None:
        x = tables["expression"]
        tables["expression"] = x.loc[:, FILTERS[varying](x)]
        said = f"the rule of the {varying}, over these lines"
        steps.append(step(source, "genes that vary", tables["expression"].shape, FILTERED, said))
    partner = partners(names, ccle, ids, join)  # COSMIC id -> ACH id
    Y = Y.loc[partner.index].set_axis(partner.to_numpy())
    Y, tables, shared = common_lines(source, Y, tables, None)
    Y = Y.loc[:, Y.notna().any()]
    rows = int(Y.notna().to_numpy().sum())
    steps += [*shared, step(source, "drugs measured in them", Y.shape[1:], DRUGS)]
    paper = ROWS.get(site)
    steps.append(step(source, "rows of a line and a drug", (rows,), paper, f"join: {join}"))
    return assemble(
        source, "drug-rows", "ln IC50 (uM)", lines, ids, Y, tables, drugs.loc[Y.columns], steps
    )


def measured(source: Source, lines: pd.DataFrame, ids: IdMap) -> tuple:
    """ln IC50 (COSMIC ids x drugs), the table of drugs, and GDSC's names of the lines."""
    listed = source.read("GDSC drugs")
    if source.edition == "pocket":
        Y = source.read("GDSC by COSMIC")
        drugs = listed.reindex(Y.columns)
    else:
        curves = source.read("GDSC", source.choice("drug-response", "screen"))
        Y = curves.pivot_table("ln_ic50", "cosmic", "drug_id", aggfunc="mean", sort=False)
        drugs = curves.drop_duplicates("drug_id").set_index("drug_id")[["drug", "target"]]
        drugs = drugs.rename(columns={"drug": "name"}).loc[Y.columns]
    drugs = drug_tables.with_smiles(source, drugs, listed)
    names = screened(source, lines, ids, drugs)["name"]
    drugs = drug_tables.describe(drugs.assign(drug_id=drugs.index))
    label = drug_tables.labelled(drugs)
    return Y.set_axis(label.loc[Y.columns], axis=1), drugs.set_axis(label), names


def every_gene(source: Source, ids: IdMap) -> pd.DataFrame:
    """log2(TPM + 1) of all genes, by ACH id."""
    if source.find("breast expression") is None:
        return sources.read_omics(source, ids, "expression")
    tpm = source.read("breast expression")
    return np.log2(ids.to_ach(tpm.index, "ccle").rename(tpm) + 1)


def of_site(annotations: pd.DataFrame, site: str | None, lines: pd.Index) -> pd.Series:
    """The ACH id of each CCLE name, without its site, among `lines`."""
    parts = annotations.index.str.split("_", n=1)
    ccle, sites = pd.Series(annotations["ach"].to_numpy(), parts.str[0]), parts.str[1].str.lower()
    known = annotations["ach"].isin(lines).to_numpy()
    if site is None:
        return ccle[known]
    if not (known & (sites == site)).any():
        raise InputError(f"No line is of the site {site!r}; {nearest(site, set(sites[known]))}")
    return ccle[known & (sites == site)]


def partners(names: pd.Series, ccle: pd.Series, ids: IdMap, join: str) -> pd.Series:
    """The ACH id of each line of GDSC (COSMIC id) that finds a partner in CCLE."""
    if join == "repaired":
        found = ids.to_ach(names.index, "cosmic").mapping
        return found[found.isin(ccle)]
    unique = ccle[~ccle.index.duplicated(keep=False)]  # names of two lines join neither
    return names.replace("-", "").map(unique).dropna()  # the published line of code
