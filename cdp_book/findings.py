"""What the book found, and what the papers' own numbers say.

Every number is taken, as the page is read, from a recorded run on real measurements or from the
ledger of claims.  A sentence that no record or claim carries does not belong here, and one that its
records no longer carry is left out.
"""

from collections.abc import Callable
from statistics import mean

from cdp_lib import claims
from cdp_lib.claims import conclusions
from cdp_lib.claims.recorded import Record, records
from cdp_lib.claims.scores import pm

SCORES = ("mse", "rmse", "mae", "r2", "pearson", "spearman", "top_1", "top_3")
LEAP_AND_RIDGE = ("five summaries, lasso", "ridge, all genes")
CHAPTERS = {
    "00_quickstart": "Quickstart",
    "03_gene_dependency": "Gene dependency",
    "04_multi_omics_attention": "Multi-omics and attention",
    "05_variational_autoencoders": "Variational autoencoders",
    "06_drug_pairs": "Drug pairs",
    "07_leap": "Layered ensembles",
}
Found = dict[tuple[str, str], Record]


def stakes() -> str:
    """Why a wrong score matters to a patient."""
    score = claims.claim("wang2022-C020").reported
    return (
        "A model that foresees which drug stops a tumour could help to choose a treatment before a "
        "patient has lost weeks to a drug that does nothing.\n"
        f"If its score of {score} holds only for tumours that it has seen before, then the next "
        "patient, whom no model has ever seen, is treated by a guess that looks like knowledge.\n"
    )


def page() -> str:
    """Six sentences that a newcomer can repeat, each from the recorded runs on real data."""
    found = {(r.chapter, r.key): r for r in records() if r.edition == "pocket"}
    items = "\n".join(f"1. {words}" for words in sentences(found))
    return f"{items}\n\n{state()}\n"


def sentences(found: Found) -> list[str]:
    """The findings that the records carry, each with the chapter that shows it."""
    told = []
    for chapter, tell in FINDINGS:
        mine = {key: record for (place, key), record in found.items() if place == chapter}
        try:
            words = tell(mine)
        except KeyError:  # a record that is not there
            continue
        if words:
            told.append(f"{words} ([{CHAPTERS[chapter]}](../notebooks/{chapter}.ipynb))")
    return told


def name_tag(mine: dict[str, Record]) -> str:
    """What a network makes of a drug: its chemistry, random numbers, or nothing."""
    drug = {kind: mine[f"drug inputs/drug: {kind}"] for kind in ("descriptors", "noise", "no drug")}
    chemistry, noise, nothing = (drug[kind].value for kind in drug)
    if noise < chemistry - 0.02 or nothing > noise / 2:
        return ""
    return (
        "**A drug's chemistry works as a name tag**: where rows of a screen of drug pairs are left "
        "out at random, a network that knows each drug by random numbers explains "
        f"{100 * noise:.0f} % of the variance, and one that knows its chemistry "
        f"{100 * chemistry:.0f} %; on a drug that no training row has met, chemistry brings "
        f"{100 * max(mine['splits/a new drug, network'].value, 0):.0f} %."
    )


def for_everybody(mine: dict[str, Record]) -> str:
    """Random molecules that a model calls effective against one line, and against any."""
    case, anyone = (
        mine[f"effective/{whom}, N(0, 49)"].value for whom in ("HCC1187", "median line")
    )
    if case > 2 * anyone:
        return ""
    return (
        "**What a model calls a drug for one line, it calls a drug for all**: of random points "
        f"among the numbers that describe molecules, {100 * case:.0f} % are called effective "
        "against the breast line for which a paper invents ten molecules, and "
        f"{100 * anyone:.0f} % against the median line."
    )


def layers(mine: dict[str, Record]) -> str:
    """Five summaries of a line: learned, or drawn at random."""
    gains = {}
    for kind in ("autoencoders", "random directions"):
        one, five = (mine[f"how many/{kind}, lasso, {count}"].value for count in (1, 5))
        gains[kind] = five - one
    leap, ridge = (mine[f"new lines/{model}"] for model in LEAP_AND_RIDGE)
    if gains["random directions"] < gains["autoencoders"] or leap.value > ridge.value:
        return ""
    return (
        "**What five summaries of a line gain, five random ones gain more**: with a lasso on each, "
        f"five autoencoders add {gains['autoencoders']:.3f} to the rank correlation that one "
        f"reaches for gene dependency, and five random projections {gains['random directions']:.3f}"
        f"; ridge regression on all genes, without any summary, reaches {_sure(ridge)}, and the "
        f"five autoencoders {_sure(leap)}."
    )


def ridge_alone(mine: dict[str, Record]) -> str:
    """The simplest model on one omics, beside attention over five."""
    ridge, attention = mine["rivals/ridge, expression"], mine["wang2022-headline-repaired"]
    if ridge.value < attention.value:
        return ""
    return (
        "**A linear model of gene expression alone scores no lower than a network that attends to "
        f"five omics**: on cell lines that nothing has seen, ridge has an $R^2$ of {_sure(ridge)} "
        f"and attention {_sure(attention)} (mean ± sd over folds of lines)."
    )


def one_number(mine: dict[str, Record]) -> str:
    """A number a gene, equal for all lines, beside the best model on new genes."""
    rows = [
        record
        for key, record in mine.items()
        if key.startswith("new genes") and "published" not in key
        if (record.metric, record.axis) == ("pearson", "line") and record.value is not None
    ]
    naive = max((r.value for r in rows if r.baseline), default=None)
    best = max((r.value for r in rows if not r.baseline), default=None)
    if naive is None or best is None or best - naive > 0.1:
        return ""
    way = "nearly all the way" if best > naive else "all the way"
    return (
        f"**To say which genes a line needs, one number a gene goes {way}**: the same number for "
        f"every line reaches r = {naive:.2f} on new genes, and the best model {best:.2f}, so the "
        "score says little about the line at hand."
    )


def two_means(mine: dict[str, Record]) -> str:
    """Two means, which know no gene."""
    naive, network = mine["easy/mean effects"], mine["easy/network"]
    return (
        "**Two averages explain most of a drug screen**: how strong a drug is on average, and how "
        f"sensitive a line is, together reach an $R^2$ of {naive.value:.2f} on left-out pairs "
        f"without knowing one gene; a network that reads the genes reaches {network.value:.2f}."
    )


FINDINGS: tuple[tuple[str, Callable[[dict[str, Record]], str]], ...] = (
    ("04_multi_omics_attention", ridge_alone),
    ("06_drug_pairs", name_tag),
    ("05_variational_autoencoders", for_everybody),
    ("07_leap", layers),
    ("03_gene_dependency", one_number),
    ("00_quickstart", two_means),
)


def _sure(record: Record) -> str:
    return pm(record.value, record.sd, 2)


def state() -> str:
    """How many conclusions hold and how many numbers have been run, as the scoreboard counts."""
    counts = claims.summary()
    total, waiting = int(counts.to_numpy().sum()), int(counts[claims.NOT_RUN].sum())
    checked = int(claims.summary(arithmetic=True).to_numpy().sum())
    frame = conclusions.decided()
    statuses = frame["status"].value_counts()
    leaking = frame[frame["status"] == conclusions.WITH_LEAK]
    open_ = int((leaking["without_leak"] == conclusions.UNDECIDED).sum())
    decided = statuses.sum() - statuses.get(conclusions.NOT_RUN, 0)
    held = [
        f"{statuses[s]} {_verb(s, statuses[s])}" for s in conclusions.STATUSES[:-1] if s in statuses
    ]
    tested = f"{decided} have been tested on real data: {', '.join(held)}" if decided else ""
    tested = tested or "none has been tested yet"
    if open_:
        tested += f" (of those that hold with the leak, {open_} are undecided without it)"
    here = (frame["status"] != conclusions.NOT_RUN) & (frame["edition"] != "official")
    ran = set(frame.loc[here, "paper"])
    others = [paper for paper in claims.papers().values() if "target" in paper.headline]
    elsewhere = "".join(
        f"Those of {paper.citation} were tested on another response: {paper.headline['target']}.\n"
        for paper in others
        if paper.id in ran
    )
    return (
        f"The five papers draw {statuses.sum()} conclusions, of which {tested}.\n{elsewhere}"
        f"They report {total} numbers, of which {total - waiting} have been run on real data and "
        f"{checked} checked by arithmetic alone.\n"
        "Each stands on the [scoreboard](scoreboard.md)."
    )


def _verb(status: str, count: int) -> str:
    """A status of one conclusion, or of several."""
    if status == conclusions.UNDECIDED:
        return f"{'is' if count == 1 else 'are'} {status}"
    several = status.replace("does not hold", "do not hold").replace("holds", "hold")
    return status if count == 1 else several


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
        "In {cite:t}`xia2018` the rows with drug names and with drug descriptors imply, if each "
        "$R^2$ is one over all cells, that the responses they were scored on have different "
        f"variances: {names:.4f} and {descriptors:.4f}."
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
