"""typed.py: a number typed in prose agrees with its record at the digits that are printed."""

import pytest

from cdp_book.typed import problems, without_comments

RECORD = {"r2": 0.1449, "sd": 0.02, "n": 12_345, "gain": -0.031, "share": 0.4567, "who": "PAX8"}


def lookup(chapter: str, key: str) -> object:
    return RECORD.get(key) if chapter in ("", "02_other") else 9.0


@pytest.mark.parametrize(
    "text",
    [
        "an R2 of 0.14<!--= r2 -->.",
        "an R2 of **0.145**<!--= r2 --> (sd 0.02<!--= sd -->)",
        "12,345<!--= n --> lines",
        "a gain of -0.03<!--= gain --> or \u22120.03<!--= gain -->",
        "45.7%<!--= share --> or 46 %<!--=share-->",
        "$0.14$<!--= r2 -->",
        "0.14<!--= 02_other:r2 -->, and 9<!--= 03_third:r2 -->",
        "no number at all <!-- a comment -->",
    ],
)
def test_what_agrees_at_its_digits_is_right(text):
    assert list(problems(text, lookup)) == []


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("0.15<!--= r2 -->", ["0.15", "r2", "0.14"]),
        ("0.140<!--= r2 -->", ["0.140", "0.145"]),
        ("0.03<!--= gain -->", ["0.03", "-0.03"]),
        ("45%<!--= share -->", ["45%", "46"]),
        ("0.14<!--= r3 -->", ["r3"]),
        ("0.14<!--= who -->", ["who"]),
        ("about<!--= r2 -->", ["r2"]),
    ],
)
def test_what_does_not_is_named_with_both_numbers(text, facts):
    (said,) = problems(text, lookup)
    assert all(fact in said for fact in facts)


def test_no_such_comment_reaches_a_page():
    assert without_comments("0.14<!--= r2 --> and <!-- kept -->") == "0.14 and <!-- kept -->"
