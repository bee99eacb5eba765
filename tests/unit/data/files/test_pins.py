"""What a machine knows of its files survives damage: proven again, or one sentence says so."""

import hashlib
import json
import os

import pytest
from filelock import FileLock

from cdp_lib.data.files import download, pins
from cdp_lib.data.files.catalogue import File
from cdp_lib.errors import DataUnavailable, InputError

BODY = bytes(range(256)) * 20
SUM = hashlib.sha256(BODY).hexdigest()
SHAPES = ["", "{", "[]", "3", "null", '"text"', "[" * 100_000, "\0\0\0"]


def file(url, **fields) -> File:
    how = {"bytes": len(BODY), "sha256": SUM} | fields
    return File("toy", "a.bin", "a file", (url,), ("pocket",), **how)


@pytest.fixture
def note(server, toy):
    """A file in the cache, asked for once, and the note of its check."""
    server.serve("/a", BODY)
    toy.lists(file(server.address + "/a"))
    toy.get()
    return download.cache_dir() / "checked" / "toy" / "a.bin.json"


@pytest.fixture
def lock_file(server, toy):
    """The lock file of a cache whose only file nobody publishes a checksum of."""
    server.serve("/a", BODY)
    toy.lists(file(server.address + "/a", sha256=None))
    toy.get()
    return download.cache_dir() / "catalogue.lock.json"


@pytest.mark.parametrize("shape", [*SHAPES, "{}", '{"stamp": 3}', '{"stamp": [1, 2, 3]}'])
def test_a_damaged_note_is_proven_again(note, server, toy, shape):
    note.write_text(shape)
    assert toy.get() == BODY and len(server.requests) == 1
    assert json.loads(note.read_text())["sha256"] == SUM


def test_a_note_that_cannot_be_read_is_proven_again(note, server, toy):
    note.unlink()
    note.mkdir()
    assert toy.get() == BODY and len(server.requests) == 1


def test_any_bit_of_a_note_may_turn(note, server, toy):
    whole = note.read_bytes()
    for bit in range(0, 8 * len(whole), 5):
        spoilt = bytearray(whole)
        spoilt[bit // 8] ^= 1 << bit % 8
        note.write_bytes(spoilt)
        assert toy.get() == BODY
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "shape", [*SHAPES, '{"toy/a.bin": 3}', '{"toy/a.bin": {}}', '{"x": {"sha256": 3}}']
)
def test_a_damaged_lock_file_is_one_sentence(lock_file, toy, shape):
    lock_file.write_text(shape)
    with pytest.raises(InputError, match="catalogue.lock.json"):
        toy.get()
    lock_file.unlink()
    assert toy.get() == BODY


def test_any_bit_of_a_lock_file_may_turn(lock_file, server, toy):
    """The right file, or one sentence: never a traceback, never another file."""
    whole, sentences = lock_file.read_bytes(), 0
    for bit in range(0, 8 * len(whole), 5):
        spoilt = bytearray(whole)
        spoilt[bit // 8] ^= 1 << bit % 8
        lock_file.write_bytes(spoilt)
        try:
            assert toy.get() == BODY
        except InputError as error:
            sentences += 1
            assert "catalogue.lock.json" in str(error)
    assert 0 < sentences < 8 * len(whole)


def test_a_file_written_again_with_its_old_size_and_time_is_noticed(note, server, toy):
    before = toy.at().stat()
    toy.at().write_bytes(BODY[::-1])
    os.utime(toy.at(), ns=(before.st_atime_ns, before.st_mtime_ns))
    assert toy.get() == BODY and len(toy.bad()) == 1


def test_a_process_that_holds_the_lock_file_for_ever_is_one_sentence(server, toy, monkeypatch):
    monkeypatch.setattr(pins, "LONGEST_WAIT", 0.05)
    server.serve("/a", BODY)
    toy.lists(file(server.address + "/a", sha256=None))
    with FileLock(pins.locks(download.cache_dir()) / "catalogue.lock"):
        with pytest.raises(InputError, match="catalogue.lock"):
            toy.get()
    assert toy.get() == BODY


def test_the_sum_of_a_file_is_asked_of_its_note_only_while_that_is_fresh(note, toy, monkeypatch):
    known = pins.Pins(download.cache_dir())
    hashed = []
    sums = pins.sums
    monkeypatch.setattr(pins, "sums", lambda path, md5: hashed.append(path) or sums(path, md5))
    assert known.digest(toy.at()) == SUM and hashed == []
    note.write_text(note.read_text().replace(SUM, "x" * 64))
    assert known.digest(toy.at()) == SUM and hashed == [toy.at()]
    toy.at().write_bytes(BODY[::-1])
    assert known.digest(toy.at()) == hashlib.sha256(BODY[::-1]).hexdigest()


def test_a_pin_still_holds_where_its_note_is_lost(lock_file, server, toy):
    (download.cache_dir() / "checked" / "toy" / "a.bin.json").unlink()
    toy.at().write_bytes(BODY[::-1])
    server.serve("/a", BODY[::-1])
    with pytest.raises(DataUnavailable, match=SUM):
        toy.get()
