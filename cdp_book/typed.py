"""Numbers typed in prose, each followed by the record that gives it: `0.13<!--= key -->`.

    <!--= key -->              a result of this chapter's record on the pocket edition
    <!--= key.sd -->           its standard deviation
    <!--= 02_chapter:key -->   a result of another chapter

The comment never reaches a page.  A number agrees where the record, rounded to the digits that
are printed, gives it; one followed by a per cent sign is compared with a hundred times the record.
"""

import re
from collections.abc import Callable, Iterator

COMMENT = re.compile(r"<!--=\s*(.*?)\s*-->")
NUMBER = re.compile(r"(?<![\w.,])([-\u2212+]?\d[\d,]*(?:\.\d+)?)\s?(%|\\%)?[*_$)]*$")
Lookup = Callable[[str, str], object]  # (chapter or "", key) -> value of the record, or None


def without_comments(text: str) -> str:
    """The prose as a reader sees it."""
    return COMMENT.sub("", text)


def problems(text: str, lookup: Lookup) -> Iterator[str]:
    """What the typed numbers of a text say against the records, a clause each."""
    for comment in COMMENT.finditer(text):
        before = text[: comment.start()].rpartition("\n")[2]
        typed = NUMBER.search(COMMENT.sub("", before))
        if typed is None:
            yield f"no number stands before {comment[0]}"
            continue
        chapter, _, key = comment[1].rpartition(":")
        value = lookup(chapter, key)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            yield f"{typed[0]}{comment[0]} names a key that the record does not hold as a number"
            continue
        decimals = len(typed[1].partition(".")[2])
        printed = float(typed[1].replace(",", "").replace("\u2212", "-"))
        recorded = value * 100 if typed[2] else value
        if abs(printed - recorded) > 0.5 * 10.0**-decimals + 1e-9:
            yield f"{typed[0]}{comment[0]} is {recorded:,.{decimals}f} in the record"
