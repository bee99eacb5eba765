"""How a recorded run is shown: the section "On real measurements" of a chapter."""

import base64
import html

import pandas as pd

from cdp_lib.records import Run


def text(run: Run) -> str:
    """One line a result: what, how much, how sure."""
    rows = [r for r in run.results if isinstance(r.value, int | float)]
    return "\n".join(f"{r.key}: {r.metric} {r.value:.3f} (sd {r.sd}, {r.split})" for r in rows)


def page(run: Run, words: str) -> str:
    """A table for each score that was asked for, baselines below the models; then the figures."""
    rows = pd.DataFrame([vars(r) for r in run.results if isinstance(r.value, int | float)])
    parts = [f"<p>{words}, {_provenance_words(run.provenance)}.</p>"]
    for (split, axis, metric), part in rows.groupby(["split", "axis", "metric"], sort=False):
        part = part.sort_values(["baseline", "value"], ascending=[True, False], kind="stable")
        lines = []
        for row in part.itertuples():
            name = row.key.rpartition("/")[2] + (" (baseline)" if row.baseline else "")
            sd = "" if pd.isna(row.sd) else f"{row.sd:.3f}"
            lines.append(
                f'<tr><th scope="row">{html.escape(name)}</th><td>{row.value:.3f}</td>'
                f"<td>{sd}</td><td>{html.escape(str(row.n))}</td></tr>"
            )
        caption = html.escape(f"{metric}, axis {axis}, {split}")
        head = "".join(f'<th scope="col">{word}</th>' for word in ("model", "score", "sd", "n"))
        parts.append(
            f'<table class="table recorded"><caption>{caption}</caption><thead><tr>{head}</tr>'
            f"</thead><tbody>{''.join(lines)}</tbody></table>"
        )
    for figure in run.figures:
        picture = base64.b64encode(figure["path"].read_bytes()).decode()
        parts.append(figure_html(picture, figure["alt"], figure["caption"]))
    return "\n".join(parts)


def _provenance_words(provenance: dict) -> str:
    day = str(provenance.get("date", ""))[:10]
    return f"profile {provenance.get('profile')}, seed {provenance.get('seed')}, {day}"


def figure_html(picture: str, alt: str, caption: str) -> str:
    return (
        f'<figure><img src="data:image/svg+xml;base64,{picture}" alt="{html.escape(alt)}" '
        f'style="max-width: 100%"><figcaption>{html.escape(caption)}</figcaption></figure>'
    )
