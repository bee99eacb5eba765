"""Every reader and every damage: one sentence, or the very table of the file that is whole.

What no reader can see stands in TAKEN with its reason, and nowhere else.
"""

import gzip
import zipfile

import numpy as np
import pytest

from cdp_lib.data import readers
from cdp_lib.errors import DataUnavailable, InputError
from tests.unit.data.readers.damages import DAMAGES
from tests.unit.data.readers.small import FILES, reading

NO_END = "upstream's own file has no line end at its end, so a cut last word looks whole"
WHOLE_ROWS = "what is lost lies between the same places of two rows: one row fewer is left"
OTHER_ROW = "another drug or gene is as good a name here; the rows say the same thing twice"
NOTED = "upstream does so too, and the note says how many"
TAKEN = {
    "cut in the last cell": {
        "gdsc_drugs": NO_END,
        "ccle_metabolomics": NO_END,
        "ccle_annotations": NO_END,
        "almanac_drugs": NO_END,
        "cellminer": NO_END,
    },
    "bytes lost in the middle": {
        "gdsc_matrix_cosmic": WHOLE_ROWS,
        "gdsc_matrix_ach": WHOLE_ROWS,
        "copy_number_sidm": WHOLE_ROWS,
        "almanac_scores": WHOLE_ROWS,
        "cellminer": WHOLE_ROWS,
        "edge_list": WHOLE_ROWS,
        "xenograft_models": WHOLE_ROWS,
        "xenograft_drugs": WHOLE_ROWS,
    },
    "cut in a middle row": {"name_list": "a shorter name is a name, and the file has no more"},
    "the last cell missing in a row": {"gmt": "a gene set may have any number of genes"},
    "the id is None": {"sampled_smiles": "a model that finished no molecule writes None"},
    "an id of another row": {
        "xenograft_volumes": "a tumour is measured on many days",
        "prism_auc": OTHER_ROW,
        "edge_list": OTHER_ROW,
        "gdsc_fitted": NOTED,
        "ccle_genes_by_lines": NOTED,
    },
    "an id of another case": {
        "ccle_genes_by_lines": "C1orf220 and c1orf220 are two genes of a real table",
        "hint_binary": "C1orf220 and c1orf220 are two genes of a real table",
        "smiles_lines": "a lower-case atom is an aromatic one",
    },
}


def same(one: object, other: object) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one.items()) == list(other.items())
    return one.equals(other) and one.index.equals(other.index) and one.columns.equals(other.columns)


def verdict(name: str, path, whole: object) -> str:
    """ "" where the reader does right, otherwise what it does."""
    try:
        table = reading(name)(path)
    except InputError as error:
        text = str(error)
        good = text.endswith(".") and "\n" not in text and path.name in text and len(text) < 420
        return "" if good else f"refused with {text[:500]!r}"
    except Exception as error:  # whatever else comes out is the failure that is looked for
        return f"{type(error).__name__}: {error}"
    return "" if same(whole, table) else "taken"


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_refused_or_read_as_if_whole(name, tmp_path):
    path = tmp_path / "file.txt"
    path.write_text(FILES[name].text)
    whole = reading(name)(path)
    failures = []
    for damage, change in DAMAGES.items():
        damaged = change(FILES[name])
        if damaged is None:
            continue
        path.write_bytes(damaged)
        found = verdict(name, path, whole)
        if found != ("taken" if name in TAKEN.get(damage, {}) else ""):
            failures.append((damage, found))
    assert not failures


@pytest.mark.parametrize("name", FILES)
def test_bytes_at_random_are_one_sentence_or_a_table(name, tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "file.txt"
    whole = FILES[name].text.encode()
    for trial in range(40):
        body = bytearray(gzip.compress(whole, mtime=0) if trial % 4 == 3 else whole)
        for _ in range(rng.integers(1, 4)):
            at, length = int(rng.integers(len(body))), int(rng.integers(1, 30))
            body[at : at + length] = rng.bytes(int(rng.integers(0, 30)))
            body = body or bytearray(b"\0")
        path.write_bytes(body)
        try:
            reading(name)(path)
        except InputError as error:
            assert path.name in str(error) or "index_gene" in str(error)


# No reader could tell: a matrix of mutations is a table of numbers with gene names, and so on.
ALSO_READ = {
    ("damaging_matrix", "mutation_matrices"),  # one format
    ("mutation_matrices", "damaging_matrix"),
    ("depmap_wide", "mutation_matrices"),
    ("damaging_matrix", "depmap_wide"),
}


def test_the_file_of_another_reader_is_refused(tmp_path):
    path = tmp_path / "file.txt"
    read = set()
    for owner, file in FILES.items():
        path.write_text(file.text)
        for name in FILES:
            if name != owner and verdict(name, path, None) != "":
                read.add((name, owner))
    assert read <= ALSO_READ


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_unavailable(name, tmp_path):
    with pytest.raises(DataUnavailable, match="nowhere.csv"):
        reading(name)(tmp_path / "nowhere.csv")


@pytest.mark.parametrize("name", ["depmap_wide", "gct", "edge_list"])
def test_every_packing_is_read_and_its_damage_told(name, tmp_path):
    rng = np.random.default_rng(1)
    whole = FILES[name].text.encode()
    path = tmp_path / "file.txt"
    path.write_bytes(whole)
    right = reading(name)(path)
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        with zipfile.ZipFile(path, "w", method) as archive:
            archive.writestr("table.csv", whole)
        packed = path.read_bytes()
        assert same(reading(name)(path), right)
        for _ in range(60):
            body = bytearray(packed)
            body[int(rng.integers(4, len(body)))] ^= 1 << int(rng.integers(8))
            path.write_bytes(body)
            assert verdict(name, path, right) == ""


def test_an_encrypted_zip_and_an_unknown_packing_are_told(tmp_path):
    path = tmp_path / "file.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("table.csv", FILES["depmap_wide"].text)
    packed = path.read_bytes()
    directory = packed.index(b"PK\x01\x02")
    for offset, value in ((8, 1), (10, 97)):  # the flag of encryption; the number of the method
        body = bytearray(packed)
        body[directory + offset] = value
        body[offset - 2] = value
        path.write_bytes(body)
        with pytest.raises(InputError, match=r"file.zip"):
            readers.depmap_wide(path)
