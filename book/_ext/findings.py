"""What the book found, in five sentences: every number is taken from the ledger as it is read.

Until chapters are recorded these are facts of arithmetic: the papers' own numbers, set side by
side. A sentence that no record or claim carries does not belong here.
"""

from statistics import mean

from cdp_lib import claims

SCORES = ("mse", "rmse", "mae", "r2", "pearson", "spearman", "top_1", "top_3")


def page() -> str:
    """Five sentences, a paper each, and how much of the ledger has been run."""
    known = {claim.id: claim for claim in claims.claims()}
    found = (wang2022, xia2018, itzhacky2021, dong2020, bodinier2025)
    items = "\n".join(f"1. {sentence(known)}" for sentence in found)
    return (
        f"{state()}\n\n{items}\n\n"
        "No model was run for these five: they set numbers of one paper side by side.\n"
        "Every claim, with its place in the paper, is on the [scoreboard](scoreboard.md).\n"
    )


def state() -> str:
    """How many claims have been run on real data."""
    counts = claims.summary()
    total = int(counts.to_numpy().sum())
    run = total - int(counts[claims.NOT_RUN].sum())
    if run == 0:
        return (
            f"The ledger holds {total} claims of the five papers.\n"
            "No chapter has been recorded on real data yet, so none of them has a verdict.\n"
            "What the ledger alone already shows:"
        )
    return (
        f"Of the {total} claims of the five papers, {run} have been run on real data.\n"
        "What the ledger alone shows:"
    )


def wang2022(known: dict) -> str:
    headline = known["wang2022-C019"]
    drugs = [claim for claim in known.values() if claim.location == "Table 4"]
    drugs = [claim.value for claim in drugs if claim.paper == "wang2022" and claim.metric == "mse"]
    return (
        f"{{cite:t}}`wang2022` report an MSE of {headline.reported} over all drugs, while the "
        f"MSEs they list for the {len(drugs)} single drugs have a mean of {mean(drugs):.2f}."
    )


def xia2018(known: dict) -> str:
    def variance(mse: str, r2: str) -> float:
        return known[mse].value / (1 - known[r2].value)

    names = variance("xia2018-C004", "xia2018-C006")
    descriptors = variance("xia2018-C013", "xia2018-C015")
    return (
        "In {cite:t}`xia2018` the rows with drug names and with drug descriptors cannot have been "
        f"scored on the same responses: their MSE and $R^2$ imply variances of {names:.4f} and "
        f"{descriptors:.4f}."
    )


def itzhacky2021(known: dict) -> str:
    below, above = known["itzhacky2021-C029"], known["itzhacky2021-C028"]
    targets = known["itzhacky2021-C010"]
    return (
        f"{{cite:t}}`itzhacky2021` count {below.reported} genes below a correlation of 0.2 and "
        f"{above.reported} above, out of {targets.reported} genes to predict."
    )


def dong2020(known: dict) -> str:
    gain = known["dong2020-C014"]
    return (
        f"{{cite:t}}`dong2020` credit their gene autoencoder with a gain of {gain.reported} in "
        "$R^2$, and give no spread over their repeated splits."
    )


def bodinier2025(known: dict) -> str:
    mine = [claim for claim in known.values() if claim.paper == "bodinier2025"]
    scores = [claim for claim in mine if claim.metric in SCORES]
    none = "none of which is a score" if not scores else f"of which {len(scores)} are scores"
    return (
        f"For {{cite:t}}`bodinier2025` the ledger could take {len(mine)} claims from the abstract "
        f"and the public repository, {none}."
    )
