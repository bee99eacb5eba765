"""What cannot be the file is told apart from what can, by its first bytes and its archive."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile

import numpy as np
import pytest

from cdp_lib.data.files.flaws import flaw

TEXT = b"gene,ACH-000001,ACH-000002\n" + b"SOX10,0.5,0.7\n" * 500
PAGE = b"<!DOCTYPE html><html>login please</html>"
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4665\nsize 1234\n"
ZIPS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]


def zipped(how=zipfile.ZIP_DEFLATED, **members: bytes) -> bytes:
    with zipfile.ZipFile(box := io.BytesIO(), "w", how) as archive:
        for name, body in members.items():
            archive.writestr(name.replace("__", "/"), body)
    return box.getvalue()


def tarred(body: bytes) -> bytes:
    with tarfile.open(fileobj=(box := io.BytesIO()), mode="w:gz") as archive:
        info = tarfile.TarInfo("a.csv")
        info.size = len(body)
        archive.addfile(info, io.BytesIO(body))
    return box.getvalue()


def found(tmp_path, name, body):
    path = tmp_path / "bytes"
    path.write_bytes(body)
    return flaw(path, name)


WORKBOOK = zipped(xl__workbook_xml=b"", **{"xl/workbook.xml": b"<workbook/>"})


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("a.csv", TEXT),
        ("a.csv", b"\xef\xbb\xbf" + TEXT),
        ("a.CSV", TEXT),
        ("smiles.txt", b"[Na+].CC(=O)[O-]\n"),
        ("a.sdf", b"\n  RDKit\n\n  0  0\n"),
        ("edge_list", b"1 2\n"),
        ("a.csv.gz", gzip.compress(TEXT)),
        ("CID-SMILES.gz", gzip.compress(b"1\tCC\n")),
        ("a.csv.gz", gzip.compress(TEXT) + gzip.compress(TEXT)),
        ("a.zip", zipped(a=TEXT)),
        *[("a.zip", zipped(how, a=TEXT)) for how in ZIPS],
        ("a.xlsx", WORKBOOK),
        ("a.Rds", gzip.compress(b"X\n\0\0\0")),
        ("a.rds", bz2.compress(b"X\n\0\0\0")),
        ("a.rds", lzma.compress(b"X\n\0\0\0")),
        ("a.rds", b"X\n\0\0\0"),
        ("a.tar.gz", tarred(TEXT)),
        ("sparse.zip", zipped(a=b"0,0,0,0,1\n" * 10**5)),
    ],
)
def test_what_can_be_the_file_is_left_alone(tmp_path, name, body):
    assert found(tmp_path, name, body) == ""


@pytest.mark.parametrize(
    ("name", "body", "why"),
    [
        ("a.csv", b"", "empty"),
        ("a.txt", b"\n", "empty"),
        ("a.zip", b"\0\0", "empty"),
        ("a.csv", PAGE, "web page"),
        ("a.zip", PAGE, "web page"),
        ("a.csv", b"<!-- served by x -->\n" + PAGE, "web page"),
        ("a.csv", b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml">', "web page"),
        ("a.csv", b"<Error><Code>AccessDenied</Code></Error>", "web page"),
        ("a.csv.gz", gzip.compress(PAGE), "web page"),
        ("a.csv", b'{"message": "not found"}', "JSON"),
        ("a.gmt", b'\n[{"error": 404}]', "JSON"),
        ("a.csv.gz", gzip.compress(b'{"message": "not found"}'), "JSON"),
        ("a.csv", LFS, "git-LFS"),
        ("a.xlsx", LFS, "git-LFS"),
        ("a.csv", gzip.compress(TEXT), "no text"),
        ("a.txt", zipped(a=TEXT), "no text"),
        ("a.csv", TEXT.decode().encode("utf-16"), "no text"),
        ("a.csv.gz", gzip.compress(gzip.compress(TEXT)), "packed twice"),
        ("CID-SMILES.gz", gzip.compress(gzip.compress(TEXT)), "packed twice"),
        ("a.csv.gz", TEXT, "no .gz file"),
        ("a.zip", gzip.compress(TEXT), "no .zip file"),
        ("a.xlsx", TEXT, "no .xlsx file"),
        ("a.xlsx", zipped(a=TEXT), "no workbook"),
        ("a.Rds", TEXT, "no .rds file"),
        ("a.csv.gz", gzip.compress(TEXT)[:-20], "damaged"),
        ("a.csv.gz", gzip.compress(TEXT) + b"more", "damaged"),
        ("a.zip", zipped(a=TEXT)[:-30], "damaged"),
        ("a.zip", zipped(zipfile.ZIP_STORED, a=TEXT).replace(b"SOX10", b"SOX11", 1), "damaged"),
        ("a.zip", zipped(a=bytes(3 * 10**7)), "500 times"),
        ("a.gz", gzip.compress(b"1" * 3 * 10**7), "500 times"),
    ],
)
def test_what_cannot_be_the_file_is_named(tmp_path, name, body, why):
    assert why in found(tmp_path, name, body)


def flags_of(archive: bytes, offset: int, value: int) -> bytes:
    """The archive with two bytes changed in both headers of its only member."""
    spoilt = bytearray(archive)
    for header, further in ((b"PK\x03\x04", 0), (b"PK\x01\x02", 2)):
        at = spoilt.index(header) + offset + further
        spoilt[at : at + 2] = value.to_bytes(2, "little")
    return bytes(spoilt)


@pytest.mark.parametrize(
    "body",
    [flags_of(zipped(a=TEXT), 6, 1), flags_of(zipped(a=TEXT), 8, 99)],
    ids=["encrypted", "unknown compression"],
)
def test_what_nobody_can_open_is_damaged(tmp_path, body):
    assert "damaged" in found(tmp_path, "a.zip", body)


@pytest.mark.parametrize(
    ("name", "body"),
    [(f"a{how}.zip", zipped(how, a=TEXT)) for how in ZIPS]
    + [("a.csv.gz", gzip.compress(TEXT)), ("a.tar.gz", tarred(TEXT))],
    ids=["stored", "deflated", "bzip2", "lzma", "gz", "tar.gz"],
)
def test_a_bit_that_turns_in_an_archive_is_told_or_harmless(tmp_path, name, body):
    """Harmless: the bytes that a reader unpacks are the same, as in a time stamp."""

    def unpacked(body):
        if name.endswith("gz"):
            return gzip.decompress(body)
        with zipfile.ZipFile(io.BytesIO(body)) as box:
            return [box.read(member) for member in box.infolist()]

    whole, told = unpacked(body), 0
    for bit in np.random.default_rng(0).permutation(8 * len(body))[:200]:
        spoilt = bytearray(body)
        spoilt[bit // 8] ^= 1 << int(bit) % 8
        if found(tmp_path, name, bytes(spoilt)):
            told += 1
        else:
            assert unpacked(bytes(spoilt)) == whole
    assert told > 60
