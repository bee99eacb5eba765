"""Two drugs -> Loewe synergy in the screen of O'Neil, with the folds that others used.

DeepSynergy dealt the pairs of this screen into five folds, and later papers took them over, so a
score on these folds stands beside theirs: `splits.published.folds_of(screen)` are the folds,
`published_scores()` what two networks reached on them in the hands of others.
"""

from collections.abc import Iterable
from dataclasses import replace

import pandas as pd

from cdp_lib.data.cohort import Step
from cdp_lib.data.ids import IdMap, Match
from cdp_lib.data.pairs import PairScreen, in_order, pair_names
from cdp_lib.data.studies import drugs as drug_tables
from cdp_lib.data.studies import sources
from cdp_lib.data.studies.assembly import chosen, truth, whole_columns
from cdp_lib.data.studies.sources import Source, notes, source_of, step
from cdp_lib.data.studies.tables import OMICS, OTHERS

SHAPE = (39, 583)  # lines and pairs, as DeepSynergy reports them


def synergy(source: Source, omics: Iterable[str] = ()) -> PairScreen:
    """Pairs of 38 drugs in 39 lines -> Loewe synergy (positive: more than additive).

    A pair that was measured in a line a second time counts once, with the mean. No omics by
    default, which keeps all lines; with "expression" those lines that have one. The fold of each
    pair stands in `screen.perturbations["fold"]`.
    """
    lines, ids = sources.read_lines(source)
    long, match = measured(source, ids)
    shape = (long["line"].nunique(), long["perturbation"].nunique())
    steps = [step(source, "synergy", shape, SHAPE, notes(long))]
    steps.append(Step("lines with a DepMap id", (len(match.mapping),), None, match.note))
    names = pd.Index(sorted({*long["drug_a"], *long["drug_b"]}), name="drug")
    drugs = drug_tables.describe(drug_tables.by_name(source.read("PRISM treatments"), names))
    unknown = int(drugs["smiles"].isna().sum())
    said = f"{unknown} of {len(drugs)} are not among PRISM's treatments: no structure"
    steps.append(Step("drugs", (len(drugs),), (38,), said if unknown else ""))
    tables = {}
    for name in chosen(omics, OMICS, source) if omics else ():
        table, dropped = whole_columns(sources.read_omics(source, ids, name))
        steps.append(step(source, name, table.shape, None, notes(table), dropped))
        tables[name] = table
    described, unknown = sources.describe_lines(lines, ids, pd.Index(long["line"].unique()))
    screen = PairScreen.from_tables(
        long,
        tables,
        described,
        drugs,
        name="synergy",
        edition=source.edition,
        study="synergy",
        steps=steps,
        extras=sources.knowledge(source),
        response="Loewe synergy (positive: more than additive)",
        lower_is_sensitive=False,
        truth=truth(source),
    )
    fold = long.drop_duplicates("perturbation").set_index("perturbation")["fold"]
    table = screen.perturbations
    return replace(screen, perturbations=table.assign(fold=fold.reindex(table.index)))


def measured(source: Source, ids: IdMap) -> tuple[pd.DataFrame, Match]:
    """The rows as they were measured, by DepMap id (or the name, where there is none), and pair."""
    long = source.read("synergy")
    match = ids.to_ach(long["line"].unique(), "name")
    ach = {name: match.mapping.get(name, name) for name in long["line"].unique()}
    long = in_order(long.assign(line=long["line"].map(ach)))
    return long.assign(perturbation=pair_names(long)), match


def rows(data: str = "pocket") -> pd.DataFrame:
    """The 23,052 rows: line, perturbation, drug_a, drug_b, value, fold; repeats are rows, too.

    The screen holds the mean of a repeated pair; scores of others are over these rows.
    """
    source = source_of(data)
    return measured(source, sources.read_lines(source)[1])[0]


def published_scores(data: str = "pocket") -> pd.DataFrame:
    """What two networks reached on these folds, a run a row; none on simulated data.

    Columns: inputs ("features": of drugs and line, "names": one-hot alone), tested and tuned (the
    numbers of the folds), mse, mse_se, spearman, pearson. The runs are by the authors of a later
    comparison, not by those of the network.
    """
    source = source_of(data)
    runs = {
        name.removeprefix("synergy, "): source.read(name) for name in OTHERS if source.find(name)
    }
    columns = ["inputs", "tested", "tuned", "mse", "mse_se", "spearman", "pearson"]
    if not runs:
        return pd.DataFrame(columns=columns)
    table = pd.concat(runs, names=["inputs", None]).reset_index(level="inputs")
    return table.reset_index(drop=True)[columns]
