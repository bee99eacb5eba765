"""One transfer from a server that misbehaves: resumed, retried, bounded, never two at once."""

import errno
import hashlib
import os
import pathlib
import signal
import subprocess
import sys
import time
from email.utils import formatdate

import pytest

from cdp_lib.data.files import download, transfer
from cdp_lib.data.files.catalogue import File
from cdp_lib.errors import DataUnavailable, InputError

BODY = bytes(range(256)) * 1200  # 307 kB: several network blocks
TEXT = b"KRAS\tNRAS\n" * 20_000
PINNED = ("hint", "HomoSapiens_binary_hq.txt")  # nobody publishes its checksum


def file(*urls, name="a.bin", body=BODY, **fields) -> File:
    how = {"bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()} | fields
    return File("toy", name, "a file", urls, ("pocket",), **how)


@pytest.mark.parametrize("fault", ["drop", 429, 500, 503, 507, 522])
def test_a_passing_fault_is_retried_at_the_same_address(server, toy, fault):
    server.serve("/a", BODY, fault, fault)
    toy.lists(file(server.address + "/a"))
    assert toy.get() == BODY
    assert len(server.requests) == 3


def test_a_server_that_falls_silent_is_asked_again(server, toy, monkeypatch):
    monkeypatch.setattr(transfer, "TIMEOUT", (1.0, 0.5))
    server.serve("/a", BODY, "hang")
    toy.lists(file(server.address + "/a"))
    assert toy.get() == BODY
    assert server.requests[1]["Range"].startswith("bytes=")


def test_a_sign_in_page_is_never_taken_for_the_file(server, toy):
    server.serve("/a", BODY, "page")
    toy.lists(file(server.address + "/a", bytes=None, sha256=None))
    with pytest.raises(DataUnavailable, match="web page"):
        toy.get()
    assert toy.get() == BODY


def test_a_dropped_transfer_goes_on_where_it_broke(server, toy):
    server.serve("/a", BODY, "drop")
    toy.lists(file(server.address + "/a"))
    download.path("toy", "a.bin")
    assert server.requests[1]["Range"] == f"bytes={len(BODY) // 2}-"
    assert server.requests[1]["If-Range"].startswith('"')


def test_a_short_answer_is_noticed_even_where_urllib3_does_not_count(server, toy, monkeypatch):
    receive = transfer._receive

    def lenient(reply, *rest):
        reply.raw.enforce_content_length = False  # as urllib3 1 has it under requests
        return receive(reply, *rest)

    monkeypatch.setattr(transfer, "_receive", lenient)
    server.serve("/a", BODY, "drop")
    toy.lists(file(server.address + "/a"))
    assert toy.get() == BODY and not toy.bad()
    assert server.requests[1]["Range"] == f"bytes={len(BODY) // 2}-"


@pytest.mark.parametrize("tag", [True, False])
def test_a_server_that_ignores_ranges_is_read_from_the_start(server, toy, tag):
    server.serve("/a", BODY, "drop", ranges=False, tag=tag)
    toy.lists(file(server.address + "/a"))
    assert toy.get() == BODY
    assert not toy.bad()


def test_without_version_or_checksum_old_bytes_are_not_kept(server, toy):
    server.serve("/a", BODY, "drop", tag=False)
    toy.lists(file(server.address + "/a", sha256=None))
    assert toy.get() == BODY
    assert "Range" not in server.requests[1]


def test_a_file_that_changed_meanwhile_is_read_from_the_start(server, toy):
    server.serve("/a", BODY[::-1], "drop")
    toy.lists(file(server.address + "/a", bytes=None))
    part = toy.at("a.bin.part")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transfer, "ATTEMPTS", 1)
        with pytest.raises(DataUnavailable):
            download.path("toy", "a.bin")
    assert part.stat().st_size == len(BODY) // 2
    server.serve("/a", BODY)
    assert toy.get() == BODY
    assert server.requests[-1]["If-Range"] and not toy.bad()


def test_spoilt_old_bytes_are_thrown_away_once(server, toy):
    server.serve("/a", BODY, tag=False)
    toy.lists(file(server.address + "/a"))
    toy.at().parent.mkdir(parents=True)
    toy.at("a.bin.part").write_bytes(b"x" * 1000)
    assert toy.get() == BODY
    assert [request.get("Range") for request in server.requests] == ["bytes=1000-", None]


def test_right_old_bytes_are_kept_even_where_their_note_is_lost(server, toy):
    server.serve("/a", BODY)
    toy.lists(file(server.address + "/a"))
    toy.at().parent.mkdir(parents=True)
    toy.at("a.bin.part").write_bytes(BODY[:1000])
    assert toy.get() == BODY
    assert [request.get("Range") for request in server.requests] == ["bytes=1000-"]


def test_a_part_longer_than_the_file_is_thrown_away(server, toy):
    server.serve("/a", BODY)
    toy.lists(file(server.address + "/a"))
    toy.at().parent.mkdir(parents=True)
    toy.at("a.bin.part").write_bytes(BODY + b"more")
    assert toy.get() == BODY


def test_a_complete_part_needs_no_request(server, toy):
    toy.lists(file(server.address + "/a"))
    toy.at().parent.mkdir(parents=True)
    toy.at("a.bin.part").write_bytes(BODY)
    assert toy.get() == BODY
    assert server.requests == []


def test_retry_after_is_obeyed_said_and_bounded(server, toy, monkeypatch, capsys):
    waits = []
    monkeypatch.setattr(time, "sleep", waits.append)
    server.serve("/a", BODY, 429, retry_after="7")
    toy.lists(file(server.address + "/a"))
    download.path("toy", "a.bin")
    assert 7.0 in waits
    assert "127.0.0.1: answered 429; asking again in 7 seconds." in capsys.readouterr().err
    server.serve("/b", BODY, 429, retry_after=formatdate(time.time() + 30, usegmt=True))
    toy.lists(file(server.address + "/b", name="b.bin"))
    toy.get("b.bin")
    assert 25 < max(waits) <= 30
    server.serve("/c", BODY, 503, retry_after="86400")
    toy.lists(file(server.address + "/c", name="c.bin"))
    with pytest.raises(DataUnavailable, match="503 .*86400"):
        toy.get("c.bin")


def test_an_endless_fault_ends(server, toy):
    server.serve("/a", BODY, *[500] * 50)
    toy.lists(file(server.address + "/a"))
    with pytest.raises(DataUnavailable, match="500, 5 times"):
        download.path("toy", "a.bin")
    assert len(server.requests) == transfer.ATTEMPTS


@pytest.mark.parametrize("fault", [404, 403, "page", "truncate"])
def test_the_next_address_is_tried(server, toy, fault):
    server.serve("/a", BODY, fault)
    server.serve("/b", BODY)
    toy.lists(file(server.address + "/a", server.address + "/b"))
    assert toy.get() == BODY
    assert [request["path"] for request in server.requests] == ["/a", "/b"]


def test_a_wrong_size_is_refused_before_it_is_read(server, toy):
    server.serve("/a", BODY + b"more")
    toy.lists(file(server.address + "/a"))
    with pytest.raises(DataUnavailable, match="307,204 .*307,200"):
        download.path("toy", "a.bin")


def test_a_full_disk_is_one_sentence_and_the_part_goes_on_later(server, toy, monkeypatch):
    server.serve("/a", BODY)
    toy.lists(file(server.address + "/a"))
    whole = transfer._open

    class Full:
        """A file on a disk with room for 100,000 bytes."""

        def __init__(self, file):
            self.file, self.room = file, 100_000

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.file.close()

        def write(self, block):
            if len(block) > self.room:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self.room -= self.file.write(block)

    def opened(path, mode):
        file = whole(path, mode)
        return Full(file) if path.suffix == ".part" else file

    with monkeypatch.context() as patch:
        patch.setattr(transfer, "_open", opened)
        with pytest.raises(InputError, match=r"toy/a.bin .*2\d\d.\d kB"):
            download.path("toy", "a.bin")
    assert toy.get() == BODY
    assert server.requests[-1]["Range"]


def test_a_real_full_disk(server, toy, monkeypatch, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(disk)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("mounting a small disk is not allowed on this machine")
    try:
        monkeypatch.setenv("CDP_CACHE", str(disk))
        server.serve("/a", BODY)
        toy.lists(file(server.address + "/a"))
        with pytest.raises(InputError, match="toy/a.bin .*CDP_CACHE"):
            download.path("toy", "a.bin")
        with pytest.raises(InputError, match="only .* are free"):
            download.fetch("toy")
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def start(server, cache: pathlib.Path) -> subprocess.Popen:
    """Another process that asks for PINNED."""
    code = f"from cdp_lib.data.files import download; print(download.path{PINNED!r})"
    environment = {**os.environ, "CDP_CACHE": str(cache), "CDP_MIRROR": server.address}
    return subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True
    )


def test_two_processes_fetch_one_file_once(server, tmp_path):
    server.serve("/" + "/".join(PINNED), TEXT, delay=0.5)
    both = [start(server, tmp_path / "shared") for _ in range(2)]
    places = {process.communicate(timeout=60)[0].strip().splitlines()[-1] for process in both}
    assert [process.returncode for process in both] == [0, 0]
    assert len(places) == 1 and pathlib.Path(places.pop()).read_bytes() == TEXT
    assert len(server.requests) == 1


def test_a_killed_process_is_resumed_by_the_next(server, tmp_path):
    server.serve("/" + "/".join(PINNED), TEXT, "hang")
    part = tmp_path / "shared" / PINNED[0] / f"{PINNED[1]}.part"
    first = start(server, tmp_path / "shared")
    deadline = time.monotonic() + 30
    while not (part.exists() and part.stat().st_size):
        assert time.monotonic() < deadline and first.poll() is None
        time.sleep(0.01)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    kept = part.stat().st_size
    second = start(server, tmp_path / "shared")
    out, _ = second.communicate(timeout=60)
    assert pathlib.Path(out.strip().splitlines()[-1]).read_bytes() == TEXT
    assert server.requests[1]["Range"] == f"bytes={kept}-"
