"""tables.py: a frame as a table of the page and of the terminal."""

import numpy as np
import pandas as pd
import pytest

from cdp_lib.claims import tables
from cdp_lib.errors import InputError


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.4551, "0.46"), (-0.001, "0.00"), (-1234.5, "−1,234.50"), (np.float32(0.5), "0.50"),
        (12345, "12,345"), (np.int64(7), "7"), (True, "yes"), (np.bool_(False), "no"),
        (None, ""), (np.nan, ""), (pd.NA, ""), ((763, 462), "763 x 462"), ("A < B", "A < B"),
    ],
)  # fmt: skip
def test_a_value_is_written_as_a_reader_expects_it(value, words):
    assert tables.text(value) == words


def test_a_table_has_a_caption_named_columns_and_no_count_of_rows():
    frame = pd.DataFrame({"model": ["ridge", "a < b"], "r": [0.4551, np.nan], "lines": [505, 12]})
    page = tables.as_html(frame, 'Ridge & "more".', digits=3)
    assert "<caption" in page and "Ridge &amp; &quot;more&quot;." in page
    assert page.count('<th scope="col"') == 3 and page.count('<th scope="row"') == 2
    assert ">0.455</td>" in page and "nan" not in page and "a &lt; b" in page
    assert 'role="group" tabindex="0"' in page and "overflow-x: auto" in page


def test_a_named_index_becomes_the_first_column_and_a_nameless_one_is_refused():
    frame = pd.DataFrame({"r": [0.5]}, index=pd.Index(["ridge"], name="model"))
    assert tables.cells(frame, "Scores.").columns.tolist() == ["model", "r"]
    with pytest.raises(InputError, match="rename_axis"):
        tables.cells(frame.rename_axis(None), "Scores.")


def test_digits_may_differ_by_column():
    frame = pd.DataFrame({"r": [0.45678], "p": [0.04567]})
    assert tables.cells(frame, "Scores.", {"p": 4}).iloc[0].tolist() == ["0.46", "0.0457"]


def test_a_table_without_caption_or_with_two_columns_of_one_name_is_refused():
    with pytest.raises(InputError, match="caption"):
        tables.as_html(pd.DataFrame({"r": [1]}), " ")
    with pytest.raises(InputError, match="different name"):
        tables.as_html(pd.DataFrame([[1, 2]], columns=["r", "r"]), "Scores.")


def test_the_text_of_a_table_is_aligned():
    frame = pd.DataFrame({"model": ["ridge", "tissue mean"], "r": [0.5, -0.25]})
    assert tables.as_text(frame, "Scores.").splitlines() == [
        "Scores.",
        "model            r",
        "ridge         0.50",
        "tissue mean  −0.25",
    ]
