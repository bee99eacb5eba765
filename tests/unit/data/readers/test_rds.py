"""R files: a data frame of every kind of column, and files that are crafted or damaged."""

import gzip
import struct

import numpy as np
import pandas as pd
import pytest

from cdp_lib.data import readers
from cdp_lib.data.teaching import r_file
from cdp_lib.errors import InputError


def integers(*numbers: int) -> bytes:
    return struct.pack(f">{len(numbers)}i", *numbers)


def words(*texts: str | None) -> bytes:
    body = [
        integers(9, -1) if t is None else integers(0x40009, len(t.encode())) + t.encode()
        for t in texts
    ]
    return integers(16, len(texts)) + b"".join(body)


def name(text: str) -> bytes:
    return integers(1, 0x40009, len(text)) + text.encode()


def frame(columns: dict[str, bytes], classes: tuple[str, ...] = ("data.frame",)) -> bytes:
    """A data frame as R writes it."""
    attributes = (
        integers(0x402) + name("names") + words(*columns)
        + integers(0x402) + name("class") + words(*classes)
        + integers(254)
    )  # fmt: skip
    head = b"X\n" + integers(3, 0x40003, 0x30500, 5) + b"UTF-8"
    return head + integers(0x313, len(columns)) + b"".join(columns.values()) + attributes


LINES = words("ACH-000004", "ACH-000005")
REAL = integers(14, 2) + struct.pack(">2d", 0.5, float("nan"))
INTEGER = integers(13, 2, 7, -(2**31))
FACTOR = integers(0x20D, 2, 2, -(2**31)) + integers(0x402) + name("levels") + words("a", "b")
FACTOR += integers(254)
WHOLE = frame({"X1": LINES, "KRAS": REAL, "TP53": INTEGER})


def written(folder, content: bytes):
    (folder / "data.Rds").write_bytes(gzip.compress(content))
    return folder / "data.Rds"


def test_columns_of_every_kind(tmp_path):
    table = readers.rds(
        written(tmp_path, frame({"x": LINES, "y": REAL, "z": INTEGER, "f": FACTOR}))
    )
    assert table["x"].tolist() == ["ACH-000004", "ACH-000005"]
    assert table["y"].tolist()[0] == 0.5 and np.isnan(table["y"][1])
    assert table["z"].tolist()[0] == 7 and np.isnan(table["z"][1])
    assert table["f"][0] == "b" and pd.isna(table["f"][1])
    table = readers.rds_dependency(written(tmp_path, WHOLE))
    assert table.index.tolist() == ["ACH-000004", "ACH-000005"]
    assert table.loc["ACH-000004"].to_dict() == {"KRAS": 0.5, "TP53": 7.0}


def classes_file(folder, columns: dict[str, bytes], head: bytes = b"RDX3\n", also: bytes = b""):
    """Named objects as R saves them: one data frame."""
    body = frame(columns)
    start = 2 + 4 * 3 + (4 + 5)  # what precedes the frame in its own stream
    object_ = integers(0x402) + name("depmap_crispr") + body[start:]
    (folder / "classes.rda").write_bytes(
        gzip.compress(head + body[:start] + object_ + also + integers(254))
    )
    return folder / "classes.rda"


GENES, ENTREZ = words("KRAS", "TP53"), words("3845", "7157")
ONE, TWO = words("dependency", "weak_dependency"), words(None, "strong_dependency")
CLASSES = {"gene_name": GENES, "entrez_id": ENTREZ, "depmap_crispr_MCF7_BREAST": ONE}


def test_classes_become_numbers(tmp_path):
    path = classes_file(tmp_path, CLASSES | {"depmap_crispr_U251MGDM_Brain": TWO})
    table = readers.dependency_classes(path)
    assert table.columns.tolist() == ["KRAS", "TP53"]
    assert table.loc["MCF7_BREAST"].tolist() == [1, 0]
    assert (
        np.isnan(table.loc["U251MGDM_Brain", "KRAS"]) and table.loc["U251MGDM_Brain", "TP53"] == 2
    )
    assert table.attrs["notes"] == ["1 of 4 cells are empty"]


@pytest.mark.parametrize(
    ("columns", "more", "fact"),
    [
        (CLASSES | {"depmap_crispr_A549_LUNG": words("dependency", "strong")}, {}, "'strong'"),
        (CLASSES | {"depmap_crispr_A549_LUNG": REAL}, {}, "class of dependency"),
        (CLASSES | {"A549_LUNG": ONE}, {}, "'A549_LUNG' where a line"),
        (CLASSES | {"gene_name": words("KRAS", "KRAS")}, {}, "more than once"),
        (CLASSES | {"gene_name": words("KRAS", None)}, {}, "without gene_name"),
        ({"gene_name": GENES, "depmap_crispr_MCF7_BREAST": ONE}, {}, "no column entrez_id"),
        (CLASSES, {"head": b"RDA3\n"}, "does not begin"),
        (CLASSES, {"also": integers(0x402) + name("b") + integers(254)}, "one object"),
    ],
)
def test_a_file_that_holds_no_classes(tmp_path, columns, more, fact):
    with pytest.raises(InputError, match=fact) as error:
        readers.dependency_classes(classes_file(tmp_path, columns, **more))
    assert "classes.rda" in str(error.value)


def test_classes_at_random_are_one_sentence_or_a_table(tmp_path):
    path = classes_file(tmp_path, CLASSES)
    whole = gzip.decompress(path.read_bytes())
    rng = np.random.default_rng(0)
    for trial in range(400):
        body = bytearray(whole)
        for _ in range(rng.integers(1, 4)):
            body[int(rng.integers(len(body)))] = int(rng.integers(256))
        path.write_bytes(
            gzip.compress(body[: int(rng.integers(len(body)))] if trial % 5 == 0 else body)
        )
        try:
            table = readers.dependency_classes(path)
        except InputError as error:
            assert "classes.rda" in str(error)
        else:
            assert np.isin(table.to_numpy(), (0, 1, 2)).all() or table.isna().to_numpy().any()


def test_an_independent_reader_finds_the_same_classes(mirror):
    """Counts of each word by another reader of R files, on the real file of RNAi."""
    table = readers.dependency_classes(mirror / "depmap-22q1-classes" / "depmap_rnai.rda")
    counts = {k: int((table == k).to_numpy().sum()) for k in (0, 1, 2)}
    assert table.shape == (712, 17_023)
    assert counts == {0: 8_926_341, 1: 380_802, 2: 124_210}  # by pyreadr


def test_an_independent_reader_finds_the_same(mirror):
    import pyreadr

    path = mirror / "depmap-20q2-pocket" / "20Q2_expression_meta.Rds"
    other = next(iter(pyreadr.read_r(str(path)).values()))
    table = readers.rds(path)
    assert list(table.columns) == list(other.columns)
    for column in table.columns:
        assert table[column].isna().equals(other[column].isna()), column
        known = table[column].notna()
        assert table.loc[known, column].tolist() == other.loc[known, column].tolist(), column


@pytest.mark.parametrize(
    ("content", "fact"),
    [
        (b"<html></html>", "does not begin"),
        (WHOLE[:-10], "too early"),
        (WHOLE + b"\0", "something follows"),
        (b"X\n" + integers(9, 0, 0), "version 9"),
        (b"X\n" + integers(2, 0, 0) + integers(19, 1) * 200_000, "lists in lists"),
        (b"X\n" + integers(2, 0, 0) + integers(0x402) * 200_000, "lists in lists|name"),
        (b"X\n" + integers(2, 0, 0) + integers(14, 2**31 - 1), "too early"),
        (b"X\n" + integers(2, 0, 0) + integers(255), "R data frame"),
        (frame({"X1": LINES}).replace(b"ACH-000004", b"ACH-00000\xff"), "R data frame"),
        (frame({"X1": LINES, "KRAS": integers(14, 0)}), "no data frame"),
        (frame({"X1": LINES}, ("list",)), "no data frame"),
        (frame({"X1": LINES, "": REAL}), "columns without a name"),
        (frame({"X1": LINES, "KRAS": integers(0x20D, 2, 9, 1) + FACTOR[16:]}), "factor"),
        (frame({"Y1": LINES, "KRAS": REAL}), "no column X1"),
        (frame({"X1": words("foo", "ACH-000005"), "KRAS": REAL}), "'foo' in row 1"),
        (frame({"X1": words("ACH-000005", "ACH-000005"), "KRAS": REAL}), "more than once"),
        (frame({"X1": LINES, "KRAS": words("a", "1")}), "'a' where a number"),
        (frame({"X1": LINES, "KRAS": integers(10, 2, 1, 0)}), "'True' where a number"),
        (frame({"X1": LINES, "KRAS": FACTOR}), "'b' where a number"),
        (frame({"X1": LINES, "5.5": REAL}), "'5.5'"),
    ],
)
def test_a_file_that_is_no_table_of_lines(tmp_path, content, fact):
    with pytest.raises(InputError, match=fact) as error:
        readers.rds_dependency(written(tmp_path, content))
    assert "data.Rds" in str(error.value)


def test_bytes_at_random_are_one_sentence_or_a_table(tmp_path):
    rng = np.random.default_rng(0)
    for _ in range(400):
        body = bytearray(WHOLE)
        for _ in range(rng.integers(1, 4)):
            body[int(rng.integers(len(body)))] = int(rng.integers(256))
        try:
            readers.rds_dependency(written(tmp_path, bytes(body)))
        except InputError as error:
            assert "data.Rds" in str(error)


def xeva_file(folder, rna: pd.DataFrame | None = None):
    """An object with slots, as the simulation writes it."""
    if rna is None:
        rna = pd.DataFrame([[1.5, 0.0, 2.5], [3.0, 4.0, 0.5]], ["KRAS", "TP53"], list("abc"))
    responses = pd.DataFrame(
        {
            "model.id": ["a.x", "b.x"],
            "mRECIST": ["PD", None],
            "best.response": [-50.0, np.nan],
            "best.average.response": [-20.0, np.nan],
        }
    )
    r_file.write(folder / "xeva.rds", r_file.xeva_set(rna, responses))
    return folder / "xeva.rds", rna


def test_what_lies_in_the_slots_of_an_object(tmp_path):
    path, rna = xeva_file(tmp_path)
    table = readers.xenograft_expression(path)
    pd.testing.assert_frame_equal(table, rna.T.astype("float32"), check_names=False)
    responses = readers.xenograft_responses(path)
    assert responses.loc["a.x"].tolist() == ["PD", -50, -20]
    assert responses.loc["b.x"].isna().all()


@pytest.mark.parametrize("reader", ["xenograft_expression", "xenograft_responses"])
def test_objects_at_random_are_one_sentence_or_a_table(tmp_path, reader):
    path, _ = xeva_file(tmp_path)
    whole = gzip.decompress(path.read_bytes())
    rng = np.random.default_rng(0)
    for trial in range(400):
        body = bytearray(whole)
        for _ in range(rng.integers(1, 4)):
            body[int(rng.integers(len(body)))] = int(rng.integers(256))
        path.write_bytes(
            gzip.compress(body[: int(rng.integers(len(body)))] if trial % 5 == 0 else body)
        )
        try:
            table = getattr(readers, reader)(path)
        except InputError as error:
            assert "xeva.rds" in str(error) and "\n" not in str(error)
        else:
            assert isinstance(table, pd.DataFrame)


@pytest.mark.parametrize(
    ("rna", "fact"),
    [
        (pd.DataFrame([[1.0, 2.0]], ["KRAS"], ["a", "a"]), "more than once"),
        (pd.DataFrame([[1.0], [2.0]], ["5.5", "TP53"], ["a"]), "'5.5'"),
        (pd.DataFrame([[1.0, np.nan]], ["KRAS"], ["a", "b"]), "no number"),
        (pd.DataFrame([[1.0]], [None], ["a"]), "gene without a name"),
    ],
)
def test_odd_names_and_numbers_inside_an_object(tmp_path, rna, fact):
    with pytest.raises(InputError, match=fact):
        readers.xenograft_expression(xeva_file(tmp_path, rna)[0])


def test_a_data_frame_is_no_object_with_slots(tmp_path):
    with pytest.raises(InputError, match="RNA-seq"):
        readers.xenograft_expression(written(tmp_path, WHOLE))
    with pytest.raises(InputError, match="R data frame"):
        readers.rds(xeva_file(tmp_path)[0])


def test_the_real_object(mirror):
    path = mirror / "pdxe-pocket" / "PDXE_Non-small_Cell_Lung_Carcinoma_XevaSet.rds"
    table = readers.xenograft_expression(path)
    assert table.shape == (27, 19_711) and table.to_numpy().max() == pytest.approx(14.457156)
