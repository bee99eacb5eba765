"""How a recorded run is shown: the section "On real measurements" of a chapter."""

import base64
import html

import pandas as pd

from cdp_lib.records import Record, Run


def text(run: Run) -> str:
    """One line a result: what, how much, how sure."""
    return "\n".join(
        f"{r.key}: {r.metric or ''} {_value(r.value)}{_sure(r)}"
        for r in run.results
        if r.value is not None
    )


def page(run: Run, words: str) -> str:
    """A table for each score that was asked for, baselines below the models; then the figures.

    A key "table/row" puts the result into that table; its caption says what was measured, how.
    """
    rows = pd.DataFrame(
        [{**vars(r), "table": r.key.partition("/")[0]} for r in run.results if r.value is not None]
    )
    rows[["split", "axis", "metric"]] = rows[["split", "axis", "metric"]].fillna("")
    parts = [f"<p>{words}, {_provenance_words(run.provenance)}.</p>"]
    by = ["table", "split", "axis", "metric"]
    for (table, split, axis, metric), part in rows.groupby(by, sort=False):
        scored = part["baseline"].any()  # models beside baselines: the best on top
        if scored:
            best_first = ["baseline", "value"]
            part = part.sort_values(best_first, ascending=[True, False], kind="stable")
        lines = []
        for row in part.itertuples():
            name = row.key.partition("/")[2] or row.key
            name += " (baseline)" if row.baseline else ""
            sd = "" if pd.isna(row.sd) else f"{row.sd:.3f}"
            n = "" if pd.isna(row.n) else f"{row.n:,.0f}"
            lines.append(
                f'<tr><th scope="row">{html.escape(name)}</th><td>{html.escape(_value(row.value))}</td>'
                f"<td>{sd}</td><td>{n}</td></tr>"
            )
        said = [metric, f"axis {axis}" if axis else "", split]
        said = ([] if scored else [table]) + [word for word in said if word]
        head = "".join(
            f'<th scope="col">{word}</th>'
            for word in ("model" if scored else "what", "score" if scored else "value", "sd", "n")
        )
        parts.append(
            f'<table class="table recorded"><caption>{html.escape(", ".join(said))}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
        )
    for figure in run.figures:
        picture = base64.b64encode(figure["path"].read_bytes()).decode()
        parts.append(figure_html(picture, figure["alt"], figure["caption"]))
    return "\n".join(parts)


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


def figure_html(picture: str, alt: str, caption: str) -> str:
    return (
        f'<figure><img src="data:image/svg+xml;base64,{picture}" alt="{html.escape(alt)}" '
        f'style="max-width: 100%"><figcaption>{html.escape(caption)}</figcaption></figure>'
    )
