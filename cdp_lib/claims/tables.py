"""A frame as a table that a reader, a screen reader, a phone and a terminal can use.

pd.DataFrame({"model": ["ridge"], "r": [0.4551]})   ->   caption | model | r
                                                                 | ridge | 0.46
"""

from collections.abc import Mapping
from html import escape
from numbers import Integral, Real

import pandas as pd

from cdp_lib.errors import InputError

Digits = int | Mapping[str, int]


def as_html(frame: pd.DataFrame, caption: str, digits: Digits = 2) -> str:
    """A table with a caption and named columns; a table wider than its page scrolls by itself."""
    texts = cells(frame, caption, digits)
    right = {name for name in texts if _is_number(frame, name)}
    head = "".join(f'<th scope="col"{_side(name in right)}>{escape(name)}</th>' for name in texts)
    body = "\n".join(_row(row, texts.columns, right) for row in texts.itertuples(index=False))
    return (
        f'<div class="cdp-table" role="group" tabindex="0" aria-label="{escape(caption)}" '
        'style="overflow-x: auto"><table class="table">'
        f'<caption style="caption-side: top; text-align: left">{escape(caption)}</caption>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>"
    )


def as_text(frame: pd.DataFrame, caption: str, digits: Digits = 2) -> str:
    """The same for a terminal: the caption, then aligned columns."""
    texts = cells(frame, caption, digits)
    right = [_is_number(frame, name) for name in texts]
    wide = [max([len(name), *texts[name].map(len)]) for name in texts]
    rows = [tuple(texts), *texts.itertuples(index=False)]
    aligned = (
        "  ".join(
            text.rjust(n) if number else text.ljust(n)
            for text, n, number in zip(row, wide, right, strict=True)
        )
        for row in rows
    )
    return "\n".join([caption, *(line.rstrip() for line in aligned)])


def cells(frame: pd.DataFrame, caption: str, digits: Digits = 2) -> pd.DataFrame:
    """Every cell as text; an index with a name is the first column, a bare count is left out."""
    if not caption.strip():
        raise InputError("A table has no caption: say what it shows, and what its numbers count.")
    frame = with_index(frame)
    if frame.columns.nlevels > 1 or not frame.columns.is_unique:
        raise InputError(f"The table {caption!r} needs one different name for each column.")
    many = digits if isinstance(digits, Mapping) else dict.fromkeys(frame, digits)
    return pd.DataFrame(
        {str(name): [text(value, many.get(name, 2)) for value in frame[name]] for name in frame}
    )


def with_index(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with its index as columns, unless the index only counts the rows."""
    if isinstance(frame.index, pd.RangeIndex) and frame.index.name is None:
        return frame
    if None in frame.index.names:
        raise InputError(
            "The index of a table has labels and no name: give one, such as "
            'frame.rename_axis("model").'
        )
    return frame.reset_index()


def text(value: object, digits: int = 2) -> str:
    """A number with so many digits, a count, a shape such as 763 x 462, yes or no, or words."""
    if isinstance(value, bool) or type(value).__name__ == "bool":  # bool of numpy
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return " x ".join(text(part, digits) for part in value)
    if value is None or pd.isna(value):
        return ""
    if isinstance(value, Integral):
        return f"{int(value):,}"
    if isinstance(value, Real):
        written = f"{float(value):,.{digits}f}"
        return written.replace("-", "−" if float(written.replace(",", "")) else "")
    return str(value)


def _is_number(frame: pd.DataFrame, name: str) -> bool:
    column = with_index(frame).rename(columns=str)[name]
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _row(row: tuple[str, ...], names: pd.Index, right: set[str]) -> str:
    first, *rest = (
        f"{_side(name in right)}>{escape(text)}" for name, text in zip(names, row, strict=True)
    )
    others = "".join(f"<td{cell}</td>" for cell in rest)
    return f'<tr><th scope="row"{first}</th>{others}</tr>'


def _side(right: bool) -> str:
    return f' style="text-align: {"right" if right else "left"}"'
