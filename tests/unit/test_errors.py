"""How a sentence about an unknown name ends."""

import pytest

from cdp_lib.errors import nearest


@pytest.mark.parametrize(
    ("name", "known", "end"),
    [
        ("poket", ["pocket", "official"], "did you mean pocket?"),
        ("a1", ["a2", "a3", "zz"], "did you mean a3 or a2?"),
        ("zzz", ["pocket", "official"], "choose from pocket, official."),
        ("zzz", [f"name {n}" for n in range(13)], "nothing is spelt like it."),
        (3, {"prism": 1}, "choose from prism."),
        ("zzz", [], "there is none to choose from."),
    ],
)
def test_near_names_come_first_then_all_where_these_are_few(name, known, end):
    assert nearest(name, known) == end
