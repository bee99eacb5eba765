"""What the book found, and what the papers' own numbers say.

Every number is taken, as the page is read, from a recorded run on real measurements or from the
ledger of claims. A sentence that no record or claim carries does not belong here.
"""

from statistics import mean

from cdp_lib import claims
from cdp_lib.claims.recorded import Record, records

SCORES = ("mse", "rmse", "mae", "r2", "pearson", "spearman", "top_1", "top_3")


def page() -> str:
    """Five sentences, each from the recorded runs on real measurements of one chapter."""
    found = {(r.chapter, r.key): r for r in records() if r.edition == "pocket"}
    sentences = (means_reach, noise_ceiling, drawn_again, autoencoders, three_protocols)
    items = "\n".join(f"1. {sentence(found)}" for sentence in sentences)
    first = "On real measurements (the pocket edition, by the recorded runs):"
    return f"{first}\n\n{items}\n\n{state()}\n"


def state() -> str:
    """How many claims have been run on real data, and how many were checked without any."""
    counts = claims.summary()
    total = int(counts.to_numpy().sum())
    run = total - int(counts[claims.NOT_RUN].sum())
    checked = int(claims.summary(arithmetic=True).to_numpy().sum())
    apart = f"; {checked} were checked against the papers' own other numbers, without any data"
    return (
        f"Of the {total} claims of the five papers, {run} have been run on real data"
        f"{apart if checked else ''}; each is on the [scoreboard](scoreboard.md)."
    )


Found = dict[tuple[str, str], Record]


def means_reach(found: Found) -> str:
    easy = {n: found["00_quickstart", f"easy/{n}"] for n in ("mean effects", "ridge", "network")}
    hard = {n: found["00_quickstart", f"hard/{n}"] for n in ("tissue mean", "ridge")}
    return (
        "The mean of a drug plus the mean of a line, which know no gene, reach a global $R^2$ of "
        f"{easy['mean effects'].value:.2f} on left-out pairs, ridge {easy['ridge'].value:.2f} and "
        f"a network {easy['network'].value:.2f}; for a new line and one drug at a time, the mean "
        f"of the tissue reaches r = {hard['tissue mean'].value:.2f} and ridge "
        f"{hard['ridge'].value:.2f} ([Quickstart](../notebooks/00_quickstart.ipynb))."
    )


def noise_ceiling(found: Found) -> str:
    chapter = "01_screens_and_omics"
    r = found[chapter, "agreement of repeats, r/GDSC, two ids"]
    ceiling = found[chapter, "agreement of repeats, ceiling/GDSC, two ids"]
    return (
        f"{r.n} compounds were screened twice by one laboratory, and the two screens agree at a "
        f"median r of {r.value:.2f} over lines, so that a perfect model would score "
        f"{ceiling.value:.2f} on them "
        f"([What was measured](../notebooks/{chapter}.ipynb))."
    )


def drawn_again(found: Found) -> str:
    leak = {
        name: found["02_honest_evaluation", f"leak gains/{name}"].value
        for name in ("folds drawn again", "epoch chosen on test", "scaling on all rows")
    }
    return (
        "Of the leaks we built by hand, one is ruinous: folds drawn again between two stages add "
        f"{leak['folds drawn again']:.2f} to r per drug, while choosing the epoch on the test rows "
        f"adds {leak['epoch chosen on test']:.3f} and scaling on all rows "
        f"{leak['scaling on all rows']:.3f} "
        "([What a score can mean](../notebooks/02_honest_evaluation.ipynb))."
    )


def three_protocols(found: Found) -> str:
    chapter = "04_multi_omics_attention"
    ours = {
        name: found[chapter, f"protocols/{name}"].value
        for name in ("saw all", "redrawn", "out of fold")
    }
    tissue = found[chapter, "wang2022-headline-baseline"].value
    return (
        "Attention over five omics, {cite:t}`wang2022`, reaches an $R^2$ per drug of "
        f"{ours['saw all']:.2f} when its networks have seen all lines, {ours['redrawn']:.2f} when "
        f"the folds are drawn again, and {ours['out of fold']:.2f} on lines that nothing has seen, "
        f"where the mean of the tissue reaches {tissue:.2f}; the paper reports "
        f"{claims.claim('wang2022-C020').reported} "
        f"([Multi-omics and attention](../notebooks/{chapter}.ipynb))."
    )


def autoencoders(found: Found) -> str:
    chapter = "03_gene_dependency"
    names = ("as-published", "repaired", "baseline")
    ours = {name: found[chapter, f"itzhacky2021-headline-{name}"].value for name in names}
    return (
        "Autoencoders and a network, {cite:t}`itzhacky2021`, predict the dependencies of new lines "
        f"with a mean r per gene of {ours['as-published']:.2f} as published and "
        f"{ours['repaired']:.2f} without the leaks, on a few hundred genes where the paper had "
        f"thousands; the mean of the tissue reaches {ours['baseline']:.2f} "
        f"([Gene dependency](../notebooks/{chapter}.ipynb))."
    )


def arithmetic() -> str:
    """What each paper's own numbers say when they are set side by side; no model is run."""
    known = {claim.id: claim for claim in claims.claims()}
    papers = (itzhacky2021, wang2022, dong2020, xia2018, bodinier2025)
    return "\n".join(f"- {sentence(known)}" for sentence in papers)


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
