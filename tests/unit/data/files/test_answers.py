"""Answers that are not the file: each is told in a few words, and the next address is asked."""

import errno
import gzip
import hashlib
import json
import os
import shutil
from collections import namedtuple

import pytest

from cdp_lib.data.files import download, transfer
from cdp_lib.data.files.catalogue import File
from cdp_lib.errors import DataUnavailable, InputError

TEXT = b"gene,ACH-000001\n" + b"SOX10,0.5\n" * 20_000
PACKED = gzip.compress(TEXT)
NOTHING = "http://127.0.0.1:9/a"  # nobody listens there


def file(*urls, name="a.csv", body=TEXT, **fields) -> File:
    how = {"bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()} | fields
    return File("toy", name, "a file", urls, ("pocket",), **how)


def unknown(*urls, name="a.csv") -> File:
    """A file of which the catalogue knows neither size nor checksum."""
    return file(*urls, name=name, bytes=None, sha256=None)


def answer(*headers: bytes, status: bytes = b"200 OK", body: bytes = TEXT) -> bytes:
    return b"\r\n".join([b"HTTP/1.1 " + status, *headers, b"", body])


def sized(body: bytes) -> bytes:
    return b"Content-Length: %d" % len(body)


PAGE = b"<p>no</p>"
ANSWERS = {
    "packed on the way": (answer(sized(PACKED), b"Content-Encoding: gzip", body=PACKED), "packed"),
    "packed, brotli": (answer(sized(TEXT), b"Content-Encoding: BR"), "packed"),
    "a page in capitals": (answer(sized(TEXT), b"Content-Type: Text/HTML"), "web page"),
    "XHTML": (answer(sized(TEXT), b"Content-Type: application/xhtml+xml"), "web page"),
    "a page called text": (answer(sized(PAGE), b"Content-Type: text/csv", body=PAGE), "web page"),
    "JSON": (answer(sized(TEXT), b"Content-Type: application/json; charset=utf-8"), "JSON"),
    "JSON called text": (answer(b"Content-Length: 2", body=b"{}"), "JSON"),
    "no length": (answer(body=TEXT[:1000]), "does not say where the file ends"),
    "length +5": (answer(b"Content-Length: +5"), "length that is no number"),
    "length -5": (answer(b"Content-Length: -5"), "length that is no number"),
    "length in words": (answer(b"Content-Length: five"), "length that is no number"),
    "two lengths": (answer(b"Content-Length: 5", b"Content-Length: 6"), "no usable|no number"),
    "length, superscript": (answer(b"Content-Length: \xb2"), "length that is no number"),
    "length, 5,000 digits": (answer(b"Content-Length: " + b"9" * 5000), "length that is no number"),
    "length, 18 digits": (answer(b"Content-Length: " + b"9" * 18), "more than any file"),
    "to nowhere": (answer(b"Location: http://[::1", status=b"302 Found"), "no usable address"),
    "to no host": (answer(b"Location: http://h\x01\xff/", status=b"302 Found"), "no usable"),
    "to no scheme": (answer(b"Location: gopher://h/", status=b"302 Found"), "no usable"),
    "to a bad port": (answer(b"Location: http://h:99999/", status=b"302 Found"), "no "),
    "to itself": (answer(b"Location: /a", b"Content-Length: 0", status=b"302 Found"), "no usable"),
    "no content": (answer(status=b"204 No Content", body=b""), "answered 204"),
}


@pytest.mark.parametrize(("reply", "why"), ANSWERS.values(), ids=ANSWERS)
def test_a_first_download_that_cannot_be_the_file_is_never_pinned(server, toy, reply, why):
    server.serve("/a", TEXT, *[reply] * 40)
    server.serve("/b", TEXT)
    toy.lists(unknown(server.address + "/a"))
    with pytest.raises(DataUnavailable, match=why):
        toy.get("a.csv")
    assert not (download.cache_dir() / "catalogue.lock.json").exists()
    toy.lists(unknown(server.address + "/a", server.address + "/b"))
    assert toy.get("a.csv") == TEXT


@pytest.mark.parametrize(
    "reply",
    [
        b"\x00\xff\r\n\r\n",
        b"",
        b"HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nab",
        b"HTTP/1.1 " + b"2" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A" * 70_000 + b"\r\n\r\n",
        answer(b"Transfer-Encoding: chunked", body=b"zz\r\nab"),
        answer(b"Transfer-Encoding: chunked", body=b"ffffffffff\r\nab"),
        answer(b"Content-Range: bytes \xb2-9/5", status=b"206 Partial Content"),
        answer(b"Content-Range: bytes 0-9/" + b"9" * 5000, status=b"206 Partial Content"),
        answer(b"Content-Range: bytes */\xb3", b"Content-Length: 0", status=b"416 No", body=b""),
        answer(b"Retry-After: \xb2", status=b"503 Later", body=b""),
        answer(b"Retry-After: " + b"9" * 5000, status=b"503 Later", body=b""),
        answer(b"Retry-After: Mon, 99 Foo 99999 99:99:99 GMT", status=b"429 Later", body=b""),
        answer(b"Retry-After: Fri, 31 Dec 9999 23:59:59 -9999", status=b"429 Later", body=b""),
    ],
)
@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
def test_no_answer_is_a_traceback_and_the_next_address_is_asked(server, toy, reply, known):
    server.serve("/a", TEXT, *[reply] * 40)
    server.serve("/b", TEXT)
    toy.lists((file if known else unknown)(server.address + "/a", server.address + "/b"))
    assert toy.get("a.csv") == TEXT


def test_any_bit_of_a_head_may_turn(server, toy, monkeypatch):
    monkeypatch.setattr(transfer, "ATTEMPTS", 2)
    head = b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\nETag: "ab"\r\n\r\n' % len(TEXT)
    server.serve("/b", TEXT)
    toy.lists(file(server.address + "/a", server.address + "/b"))
    for bit in range(0, 8 * len(head), 5):
        spoilt = bytearray(head)
        spoilt[bit // 8] ^= 1 << bit % 8
        server.serve("/a", TEXT, *[bytes(spoilt) + TEXT] * 9)
        assert toy.get("a.csv") == TEXT
        toy.at("a.csv").unlink()


def test_a_file_that_is_packed_by_nature_may_say_so(server, toy):
    reply = answer(sized(PACKED), b"Content-Encoding: x-gzip", body=PACKED)
    server.serve("/a", PACKED, reply)
    toy.lists(unknown(server.address + "/a", name="a.csv.gz"))
    assert toy.get("a.csv.gz") == PACKED


def test_a_stated_end_is_enough_for_a_first_download(server, toy):
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(TEXT), TEXT)
    cut = answer(b"Transfer-Encoding: chunked", body=chunks[:-300])
    server.serve("/a", TEXT, cut, answer(b"Transfer-Encoding: chunked", body=chunks))
    toy.lists(unknown(server.address + "/a"))
    assert toy.get("a.csv") == TEXT


def test_a_known_checksum_needs_no_stated_end(server, toy):
    server.serve("/a", TEXT, answer())
    toy.lists(file(server.address + "/a", bytes=None))
    assert toy.get("a.csv") == TEXT


def test_another_range_than_the_one_asked_for_is_not_put_behind_the_old_bytes(server, toy):
    server.serve("/a", TEXT, "drop", "shift")
    toy.lists(file(server.address + "/a", sha256=None))
    assert toy.get("a.csv") == TEXT
    ranges = [request.get("Range") for request in server.requests]
    assert ranges == [None, f"bytes={len(TEXT) // 2}-", None]


def test_a_range_of_another_version_is_not_put_behind_the_old_bytes(server, toy):
    """A server that honours a range but not the version that goes with it."""
    half = len(TEXT) // 2
    other = TEXT.replace(b"0.5", b"0.7")
    rest = answer(
        b"Content-Range: bytes %d-%d/%d" % (half, len(TEXT) - 1, len(TEXT)),
        sized(other[half:]),
        b'ETag: "another"',
        status=b"206 Partial Content",
        body=other[half:],
    )
    server.serve("/a", TEXT, "drop", rest)
    toy.lists(file(server.address + "/a", sha256=None))
    assert toy.get("a.csv") == TEXT


HALF = TEXT[len(TEXT) // 2 :]


@pytest.mark.parametrize(
    ("length", "body"),
    [(b"Content-Length: 100", HALF[:100]), (b"Transfer-Encoding: chunked", b"1\r\nx\r\n0\r\n\r\n")],
)
def test_a_range_of_a_file_without_an_end_is_not_taken_for_its_rest(server, toy, length, body):
    """`*` says that nobody knows how long the file is."""
    place = b"Content-Range: bytes %d-%d/*" % (len(TEXT) // 2, len(TEXT) // 2 + 99)
    piece = answer(place, length, status=b"206 Partial Content", body=body)
    server.serve("/a", TEXT, "drop", piece)
    toy.lists(unknown(server.address + "/a"))
    with pytest.raises(DataUnavailable, match="file ends"):
        toy.get("a.csv")
    assert toy.get("a.csv") == TEXT


def test_an_answer_that_ends_too_early_without_a_word_is_asked_for_the_rest(server, toy):
    server.serve("/a", TEXT, answer(b'ETag: "ab"', body=TEXT[:1000]))
    toy.lists(file(server.address + "/a"))
    assert toy.get("a.csv") == TEXT and not toy.bad()
    assert server.requests[1]["Range"] == "bytes=1000-"


@pytest.mark.parametrize(
    "wait", [b"\xb2", b"9" * 30, b"soon", b"Mon, 99 Foo 99999 99:99:99 GMT", b"31 Dec 9999 -9999"]
)
def test_a_wait_that_is_none_is_not_waited_for(server, toy, wait):
    later = answer(b"Retry-After: " + wait, sized(b""), status=b"503 Later", body=b"")
    server.serve("/a", TEXT, later)
    toy.lists(file(server.address + "/a"))
    assert toy.get("a.csv") == TEXT


def test_a_failure_has_a_reason_even_when_old_bytes_were_kept_twice(server, toy):
    """Half arrives, the connection breaks, the rest is of another file: twice."""
    wrong = TEXT.replace(b"0.5", b"0.7")
    server.serve("/a", wrong, "drop", None, "drop", None)
    toy.lists(file(server.address + "/a"))
    with pytest.raises(DataUnavailable, match=r"sha256 is [0-9a-f]{64}"):
        toy.get("a.csv")


def test_a_server_that_only_drips_is_left_for_the_next(server, toy, monkeypatch):
    monkeypatch.setattr(transfer, "PATIENCE", 0.2)
    server.serve("/a", TEXT, *["drip"] * 9)
    toy.lists(file(server.address + "/a"))
    with pytest.raises(DataUnavailable, match=r"sent only \d+ bytes in"):
        toy.get("a.csv")
    assert 0 < toy.at("a.csv.part").stat().st_size < 1000  # to go on from
    server.serve("/b", TEXT)
    toy.lists(file(server.address + "/a", server.address + "/b"))
    assert toy.get("a.csv") == TEXT


@pytest.mark.parametrize("size", [len(TEXT), None])
def test_a_body_without_an_end_is_cut_off_and_leaves_nothing(server, toy, monkeypatch, size):
    monkeypatch.setattr(transfer, "LARGEST", 10**6)
    server.serve("/a", TEXT, *["endless"] * 9)
    toy.lists(file(server.address + "/a", bytes=size))
    with pytest.raises(DataUnavailable, match=f"{size or 10**6:,} bytes"):
        toy.get("a.csv")
    assert list(toy.at("a.csv").parent.iterdir()) == []


def free(monkeypatch, size):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**12, 10**12 - size, size))


def test_a_body_without_an_end_leaves_room_on_the_disk(server, toy, monkeypatch):
    free(monkeypatch, transfer.SPARE + 10**6)
    server.serve("/a", TEXT, *["endless"] * 9)
    toy.lists(file(server.address + "/a", bytes=None))
    with pytest.raises(DataUnavailable, match="1,000,000 bytes"):
        toy.get("a.csv")


def test_a_stated_size_that_the_disk_has_no_room_for_is_refused_at_once(server, toy, monkeypatch):
    free(monkeypatch, 1000)
    server.serve("/a", TEXT)
    toy.lists(file(server.address + "/a", bytes=None))
    with pytest.raises(InputError, match="disk is full"):
        toy.get("a.csv")
    assert not toy.at("a.csv.part").exists() or not toy.at("a.csv.part").stat().st_size


NOTES = ["[]", "3", "null", "{}", '{"url": 3}', '{"url": "URL", "version": 3}', "{", "[" * 100_000]
NOTES += ['{"url": "URL", "version": "a\\nb"}', '{"url": "URL", "version": "\\u20ac"}']


@pytest.mark.parametrize("note", NOTES, ids=range(len(NOTES)))
def test_a_damaged_note_beside_a_part_is_no_note(server, toy, note):
    server.serve("/a", TEXT)
    toy.lists(file(server.address + "/a", sha256=None))
    toy.at("a.csv").parent.mkdir(parents=True)
    toy.at("a.csv.part").write_bytes(b"x" * 1000)
    toy.at("a.csv.part.json").write_text(note.replace("URL", server.address + "/a"))
    assert toy.get("a.csv") == TEXT


@pytest.mark.parametrize("name", ["a.csv.part", "a.csv.part.json"])
def test_a_link_in_the_place_of_a_part_is_not_followed(server, toy, tmp_path, name):
    server.serve("/a", TEXT, "drop")
    toy.lists(file(server.address + "/a"))
    (tmp_path / "precious").write_bytes(b"precious")
    toy.at("a.csv").parent.mkdir(parents=True)
    toy.at(name).symlink_to(tmp_path / "precious")
    assert toy.get("a.csv") == TEXT and not toy.at("a.csv").is_symlink()
    assert (tmp_path / "precious").read_bytes() == b"precious"


def test_a_link_that_comes_at_the_last_moment_is_not_followed(tmp_path):
    (tmp_path / "precious").write_bytes(b"precious")
    (tmp_path / "a.csv.part").symlink_to(tmp_path / "precious")
    with pytest.raises(OSError) as caught:
        transfer._open(tmp_path / "a.csv.part", "ab")
    assert caught.value.errno == errno.ELOOP


def test_a_password_in_an_address_is_used_but_neither_shown_nor_written(
    server, toy, monkeypatch, capsys
):
    secret = server.address.replace("://", "://reader:s3cr:e@t@")
    monkeypatch.setenv("CDP_MIRROR", secret)
    server.serve("/toy/a.csv", TEXT, "drop", 404)
    toy.lists(file(NOTHING))
    with pytest.raises(DataUnavailable) as caught:
        toy.get("a.csv")
    notes = toy.at("a.csv.part.json").read_bytes()
    toy.lists(unknown(NOTHING))
    assert toy.get("a.csv") == TEXT
    assert server.requests[0]["Authorization"].startswith("Basic ")
    written = [p for p in download.cache_dir().rglob("*") if p.is_file()]
    texts = [p.read_bytes() for p in written if p.suffix == ".json"]
    pins = json.loads((download.cache_dir() / "catalogue.lock.json").read_text())
    assert pins["toy/a.csv"]["from"] == f"the mirror {server.address}/toy/a.csv"
    for text in (str(caught.value).encode(), notes, *texts, *map(os.fsencode, capsys.readouterr())):
        assert b"s3cr" not in text and b"e@t" not in text
