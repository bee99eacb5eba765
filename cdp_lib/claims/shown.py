"""How a recorded run is shown: the section "On real measurements" of a chapter."""

from dataclasses import fields

import pandas as pd
from jinja2 import Environment, PackageLoader

from cdp_lib.claims.recorded import Record, Run

OPEN = 3  # more tables than this are folded away below the figures


def text(run: Run) -> str:
    """One line a result: what, how much, how sure."""
    return "\n".join(
        f"{r.key}: {r.metric or ''} {_value(r.value)}{_sure(r)}"
        for r in run.results
        if r.value is not None
    )


def page(run: Run, words: str) -> str:
    """A table for each score that was asked for, baselines below the models, and the figures.

    A key "table/row" puts the result into that table; scores stand apart by metric, axis and split.
    """
    known = [result for result in run.results if result.value is not None]
    rows = pd.DataFrame(known, columns=[field.name for field in fields(Record)])
    rows[["split", "axis", "metric"]] = rows[["split", "axis", "metric"]].fillna("")
    rows["table"] = [key.partition("/")[0] for key in rows["key"]]
    rows["row"] = [key.partition("/")[2] or key for key in rows["key"]]
    tables = []
    is_score = (rows["split"] + rows["axis"]) != ""
    metric = rows["metric"].where(is_score, "")  # a table of facts may hold several
    for (table, split, axis, _), part in rows.groupby(
        ["table", "split", "axis", metric], sort=False
    ):
        tables.append(_scores(part) if split or axis else _facts(table, part))
    figures = [
        (
            [figure["path"].read_text("utf-8")],
            figure["name"],
            figure["alt"],
            figure["caption"],
            None,
        )
        for figure in run.figures
    ]
    first = f"{words}, {_provenance_words(run.provenance)}."
    return _macros().page(first, tables, figures, len(tables) > OPEN, len(rows))


def figure_html(
    pictures: list[str], name: str, alt: str, caption: str, points: pd.DataFrame | None = None
) -> str:
    """A figure from its SVG, and from the one for a phone where there is one.

    `points` are told again in a table that unfolds, for who can neither see nor point.
    """
    told = points is not None and (list(points), list(points.itertuples(index=False)))
    return str(_macros().figure(pictures, name, alt, caption, told))


def told_html(words: str, look: str, more: str) -> str:
    """A box that cannot be overlooked, or a line that unfolds (look "licences")."""
    return str(_macros().told(words, look, more))


def figure_style() -> str:
    """The style sheet of every figure."""
    return str(_macros().figure_style())


def _macros():
    environment = Environment(loader=PackageLoader("cdp_lib.claims"), autoescape=True)
    return environment.get_template("shown.html").module


def _scores(part: pd.DataFrame) -> tuple:
    """One metric, axis and split: the best model on top, baselines below."""
    best_first = ["baseline", "value"]
    part = part.sort_values(best_first, ascending=[True, False], kind="stable")
    first = part.iloc[0]
    caption = [first["metric"], f"axis {first['axis']}" if first["axis"] else "", first["split"]]
    table = pd.DataFrame(
        {
            "model": part["row"] + part["baseline"].map({True: " (baseline)", False: ""}),
            "score": part["value"].map(_value),
            "sd": part["sd"].map(lambda sd: "" if pd.isna(sd) else f"{sd:.3f}"),
            "n": part["n"].map(_count),
        }
    )
    return _table(", ".join(word for word in caption if word), table)


def _facts(caption: str, part: pd.DataFrame) -> tuple:
    """Counts, shapes and words of one table; a column that would be empty is left out."""
    table = pd.DataFrame(
        {
            "what": part["row"],
            "value": part["value"].map(_value),
            "measure": part["metric"],
            "n": part["n"].map(_count),
        }
    )
    return _table(caption, table.loc[:, (table != "").any()])


def _table(caption: str, table: pd.DataFrame) -> tuple[str, list[str], list[tuple]]:
    """What the template of a table needs."""
    return caption, list(table), list(table.itertuples(index=False))


def _count(n: float | None) -> str:
    return "" if pd.isna(n) else f"{n:,.0f}"


def _value(value: float | int | bool | str | list) -> str:
    """A score with three digits, a count, a shape such as 763 x 462, or words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return " x ".join(f"{size:,}" for size in value)
    if isinstance(value, str):
        return value
    return f"{value:,}" if isinstance(value, int) else f"{value:.3f}"


def _sure(record: Record) -> str:
    parts = [f"sd {record.sd:.3f}" if record.sd is not None else "", record.split or ""]
    words = ", ".join(part for part in parts if part)
    return f" ({words})" if words else ""


def _provenance_words(provenance: dict) -> str:
    day = str(provenance.get("date", ""))[:10]
    return f"profile {provenance.get('profile')}, seed {provenance.get('seed')}, {day}"
