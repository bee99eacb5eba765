"""Structure files: cut, glued together, or damaged."""

from pathlib import Path

import numpy as np
import pytest

from cdp_lib.data import readers
from cdp_lib.errors import InputError

WHOLE = (Path(__file__).parents[3] / "data" / "upstream" / "ComboCompoundSet.sdf").read_bytes()


@pytest.mark.parametrize(
    ("content", "fact"),
    [
        (b"", "empty"),
        (WHOLE[:-6], "in the middle of line|does not end"),
        (WHOLE[: len(WHOLE) // 4].rsplit(b"\n", 1)[0] + b"\n", "does not end"),
        (WHOLE * 2, "more than once"),
        (WHOLE.replace(b"NSC", b"ID"), "NSC"),
        (WHOLE.replace(b"32065", b"3206x"), "3206x"),
        (WHOLE.replace(b"32065", b"\xff2065"), "UTF-8"),
        (WHOLE.replace(b"32065", b"9" * 400), "999"),
        (WHOLE.replace(b"32065", b"\0" * 5), "empty bytes"),
        (WHOLE.replace(b"  5  4", b"  9  4"), "molecule 1|broken"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path, content, fact):
    path = tmp_path / "set.sdf"
    path.write_bytes(content)
    with pytest.raises(InputError, match=fact) as error:
        readers.combo_compound_set(path)
    assert "set.sdf" in str(error.value)


@pytest.mark.parametrize("content", [b"\xef\xbb\xbf" + WHOLE, WHOLE.replace(b"\n", b"\r\n")])
def test_other_line_ends_are_the_same_file(tmp_path, content):
    for name, body in (("a.sdf", WHOLE), ("b.sdf", content)):
        (tmp_path / name).write_bytes(body)
    tables = [readers.combo_compound_set(tmp_path / name) for name in ("a.sdf", "b.sdf")]
    assert tables[0].equals(tables[1])


def test_bytes_at_random_are_one_sentence_or_a_table(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "set.sdf"
    for _ in range(300):
        body = bytearray(WHOLE)
        for _ in range(rng.integers(1, 4)):
            body[int(rng.integers(len(body)))] = int(rng.integers(256))
        path.write_bytes(body)
        try:
            readers.combo_compound_set(path)
        except InputError as error:
            assert path.name in str(error)
