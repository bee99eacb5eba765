"""Downloads into a cache that stays right: addresses, checksums, pins, sentences."""

import errno
import gzip
import hashlib
import json
import re
import shutil
from collections import namedtuple
from functools import partial

import pytest
from filelock import FileLock

from cdp_lib.data.files import download, transfer
from cdp_lib.data.files.catalogue import File
from cdp_lib.errors import DataUnavailable, InputError

BODY = bytes(range(256)) * 1200  # 307 kB: several network blocks
SUM = hashlib.sha256(BODY).hexdigest()


def file(*urls, name="a.bin", body=BODY, **fields) -> File:
    how = {"bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()} | fields
    return File("toy", name, "a file", urls, ("pocket",), **how)


def test_a_file_arrives_verified_and_is_asked_for_once(server, toy):
    server.serve("/a", BODY)
    toy.lists(file(server.address + "/a"))
    assert toy.get() == BODY
    assert download.path("toy", "a.bin") == toy.at()
    assert len(server.requests) == 1
    assert not list(toy.at().parent.glob("*.part*"))


def test_the_checksums_of_the_files_given_are_known_afterwards(server, toy, monkeypatch):
    monkeypatch.setattr(download, "_given", {})
    server.serve("/a", BODY)
    server.serve("/b", BODY)
    toy.lists(file(server.address + "/a"), file(server.address + "/b", name="b.bin", sha256=None))
    assert download.given() == {}
    download.path("toy", "a.bin")
    download.path("toy", "b.bin")  # pinned as it arrived
    assert download.given() == {"toy/a.bin": f"sha256:{SUM}", "toy/b.bin": f"sha256:{SUM}"}


def test_a_corrupt_file_is_kept_aside_and_never_used(server, toy):
    server.serve("/a", BODY, *["corrupt"] * 9)
    toy.lists(file(server.address + "/a"))
    wrong = hashlib.sha256(bytes([BODY[0] ^ 1]) + BODY[1:]).hexdigest()
    with pytest.raises(DataUnavailable) as caught:
        download.path("toy", "a.bin")
    assert wrong in str(caught.value) and SUM in str(caught.value)
    assert toy.bad() == [f"a.bin.bad-{wrong[:8]}"] and not toy.at().exists()


def test_md5_is_checked_where_it_is_all_there_is(server, toy):
    server.serve("/a", BODY, "corrupt")
    server.serve("/b", BODY)
    md5 = hashlib.md5(BODY).hexdigest()
    toy.lists(file(server.address + "/a", server.address + "/b", sha256=None, md5=md5))
    assert toy.get() == BODY and len(toy.bad()) == 1


def test_the_first_download_is_pinned_and_a_later_change_names_both_sums(server, toy):
    server.serve("/a", BODY)
    toy.lists(file(server.address + "/a", sha256=None, bytes=None))
    path = download.path("toy", "a.bin")
    pins = json.loads((download.cache_dir() / "catalogue.lock.json").read_text())
    assert pins["toy/a.bin"]["sha256"] == SUM
    path.unlink()
    server.serve("/a", BODY[::-1])
    other = hashlib.sha256(BODY[::-1]).hexdigest()
    with pytest.raises(DataUnavailable) as caught:
        download.path("toy", "a.bin")
    assert SUM in str(caught.value) and other in str(caught.value)
    assert "catalogue.lock.json" in str(caught.value)
    server.serve("/a", BODY)
    assert toy.get() == BODY


TEXT = b"gene,ACH-000001\n" + b"SOX10,0.5\n" * 5000


@pytest.mark.parametrize(
    ("name", "body", "why"),
    [
        ("a.txt", b" <html>login please</html>", "it is a web page"),
        ("a.csv.gz", gzip.compress(TEXT)[:50], "it is damaged or cut short"),
    ],
)
def test_what_cannot_be_the_file_is_never_pinned(toy, monkeypatch, tmp_path, name, body, why):
    toy.lists(file("http://127.0.0.1:9/a", name=name, sha256=None, bytes=None))
    monkeypatch.setenv("CDP_MIRROR", str(tmp_path / "mirror"))
    (tmp_path / "mirror/toy").mkdir(parents=True)
    there = tmp_path / "mirror/toy" / name
    there.write_bytes(body)
    with pytest.raises(DataUnavailable, match=f"{re.escape(why)}.*{name}.bad-"):
        toy.get(name)
    good = gzip.compress(TEXT) if name.endswith(".gz") else TEXT
    there.write_bytes(good)
    assert toy.get(name) == good


def test_a_pin_can_be_given_up(server, toy):
    server.serve("/a", BODY)
    server.serve("/b", BODY)
    toy.lists(
        file(server.address + "/a", sha256=None, bytes=None),
        file(server.address + "/b", name="b.bin"),
    )
    download.fetch("toy")
    server.serve("/a", BODY[::-1])
    download.fetch("toy", unpin=True)
    assert toy.get() == BODY[::-1] and toy.at("a.bin.old").read_bytes() == BODY
    assert [request["path"] for request in server.requests] == ["/a", "/b", "/a"]
    server.serve("/a", BODY)
    toy.at().unlink()
    with pytest.raises(DataUnavailable, match="toy --unpin"):
        toy.get()


def test_a_file_put_there_by_hand_is_pinned(toy):
    toy.lists(file("http://127.0.0.1:9/a", sha256=None, bytes=None))
    toy.at().parent.mkdir(parents=True)
    toy.at().write_bytes(BODY)
    assert [each.state for each in download.verify("toy")] == ["unpinned"]
    assert toy.get() == BODY
    assert [each.state for each in download.verify("toy")] == ["ok"]


def test_no_network_is_one_sentence(toy):
    toy.lists(file("http://127.0.0.1:9/a"))
    with pytest.raises(DataUnavailable) as caught:
        download.path("toy", "a.bin")
    sentence = str(caught.value)
    for part in ["toy/a.bin (307.2 kB)", str(toy.at().parent), "127.0.0.1 (no connection)"]:
        assert part in sentence
    assert 'data="teaching"' in sentence and "CDP_MIRROR" in sentence and "\n" not in sentence


def test_one_file_that_cannot_be_had_does_not_stop_the_others(server, toy):
    server.serve("/b", BODY)
    toy.lists(file(server.address + "/a"), file(server.address + "/b", name="b.bin"))
    with pytest.raises(DataUnavailable, match="toy/a.bin"):
        download.fetch("toy")
    assert toy.at("b.bin").exists()


def test_a_mirror_comes_first_and_upstream_fills_the_gaps(server, toy, monkeypatch, tmp_path):
    server.serve("/m/toy/other name.bin", BODY)
    server.serve("/b", BODY)
    toy.lists(
        file("http://127.0.0.1:9/a", also="other name.bin"),
        file(server.address + "/b", name="b.bin"),
    )
    monkeypatch.setenv("CDP_MIRROR", server.address + "/m/")
    assert len(download.fetch("toy")) == 2
    asked = [request["path"] for request in server.requests]
    assert asked == ["/m/toy/a.bin", "/m/toy/other name.bin", "/m/toy/b.bin", "/b"]


def test_a_mirror_folder_is_never_trusted(server, toy, monkeypatch, tmp_path):
    (tmp_path / "mirror/toy").mkdir(parents=True)
    (tmp_path / "mirror/toy/a.bin").write_bytes(BODY[::-1])
    monkeypatch.setenv("CDP_MIRROR", str(tmp_path / "mirror"))
    server.serve("/a", BODY)
    toy.lists(file(server.address + "/a"))
    assert toy.get() == BODY
    assert len(toy.bad()) == 1 and (tmp_path / "mirror/toy/a.bin").exists()


def test_the_licence_is_printed_once(server, toy, capsys):
    server.serve("/a", BODY)
    server.serve("/b", BODY)
    toy.lists(file(server.address + "/a"), file(server.address + "/b", name="b.bin"))
    download.path("toy", "a.bin")
    assert capsys.readouterr().out == "Toy (toy)\n  Licence: CC0\n  Cite: Nobody (2024).\n"
    download.fetch()
    toy.get("b.bin")
    assert capsys.readouterr().out == ""


def test_a_changed_file_in_the_cache_is_noticed_and_replaced(server, toy, capsys):
    server.serve("/a", BODY)
    toy.lists(file(server.address + "/a"), file("http://127.0.0.1:9/b", name="b.bin"))
    path = download.path("toy", "a.bin")
    assert download.verify() == [("toy", "a.bin", "ok")]
    path.write_bytes(BODY[::-1])
    assert download.verify("toy") == [("toy", "a.bin", "corrupt"), ("toy", "b.bin", "missing")]
    capsys.readouterr()
    assert toy.get() == BODY and len(toy.bad()) == 1
    told = capsys.readouterr().out
    assert "Fetched toy/a.bin again" in told and toy.bad()[0] in told
    path.unlink()
    assert download.verify() == [("toy", "a.bin", "missing")]


def test_a_file_that_changed_since_it_was_checked_is_hashed_again(server, toy):
    server.serve("/a", BODY)
    toy.lists(file(server.address + "/a"))
    toy.get()
    toy.at().write_bytes(BODY[::-1])
    assert toy.get() == BODY and len(toy.bad()) == 1


def test_a_checked_file_is_not_hashed_again(server, toy, monkeypatch):
    server.serve("/a", BODY)
    toy.lists(file(server.address + "/a"))
    path = download.path("toy", "a.bin")
    monkeypatch.setattr(
        "cdp_lib.data.files.pins.sums", lambda *_, **__: pytest.fail("hashed again")
    )
    assert download.path("toy", "a.bin") == path


def test_bad_requests_are_one_sentence(toy):
    toy.lists(file("http://127.0.0.1:9/a"))
    for arguments, sentence in [
        (("toyy",), "'toyy'.* toy"),
        (("toy", "official"), "toy .*official"),
        (("toy", "poket"), "'poket'.* pocket or official"),
        ((None, "teaching"), "download"),
    ]:
        with pytest.raises(InputError, match=sentence):
            download.fetch(*arguments)


def test_what_cannot_fit_is_refused_before_the_first_byte(server, toy):
    toy.lists(file(server.address + "/a", bytes=10**18))
    with pytest.raises(InputError, match="1000000000.00 GB"):
        download.fetch("toy")
    assert server.requests == []


def test_a_cache_that_cannot_be_a_folder_is_one_sentence(toy, monkeypatch, tmp_path):
    (tmp_path / "taken").write_text("a file")
    monkeypatch.setenv("CDP_CACHE", str(tmp_path / "taken/cache"))
    toy.lists(file("http://127.0.0.1:9/a"))
    with pytest.raises(InputError, match="CDP_CACHE"):
        download.path("toy", "a.bin")


def test_a_cache_that_may_only_be_read_is_enough(server, toy, monkeypatch):
    server.serve("/a", BODY)
    toy.lists(file(server.address + "/a"))
    toy.get()
    toy.at().touch()  # as on a copied disk: to be checked again

    def refused(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(download, "FileLock", refused)
    monkeypatch.setattr("tempfile.NamedTemporaryFile", refused)
    assert toy.get() == BODY
    assert [each.state for each in download.verify("toy")] == ["ok"]
    toy.at().write_bytes(BODY[::-1])
    with pytest.raises(InputError, match="Read-only.*CDP_CACHE"):
        toy.get()


@pytest.mark.parametrize(
    "mirror",
    [
        "ftp://x",
        "HTTP://x",
        "http://",
        "http://[::1",
        "http://h:port/",
        "http://h:99999/",
        "~nosuchuser/x",
        "file:///data",
    ],
)
def test_a_mirror_that_is_none_is_one_sentence(toy, monkeypatch, mirror):
    monkeypatch.setenv("CDP_MIRROR", mirror)
    toy.lists(file("http://127.0.0.1:9/a"))
    with pytest.raises(InputError, match=f"'{re.escape(mirror)}'"):
        toy.get()


@pytest.mark.parametrize("mirror", ["http://[::1]:9/x", "/" + "x" * 5000, "a\nb", "~/none"])
def test_a_mirror_that_gives_nothing_is_passed_over(server, toy, monkeypatch, mirror):
    monkeypatch.setenv("CDP_MIRROR", mirror)
    server.serve("/a", BODY)
    toy.lists(file(server.address + "/a"))
    assert toy.get() == BODY


def test_a_mirror_folder_that_may_not_be_read_is_passed_over(server, toy, monkeypatch, tmp_path):
    def refused(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    (tmp_path / "mirror/toy").mkdir(parents=True)
    there = tmp_path / "mirror/toy/a.bin"
    there.write_bytes(BODY)
    monkeypatch.setenv("CDP_MIRROR", str(tmp_path / "mirror"))
    toy.lists(file("http://127.0.0.1:9/a"))
    is_file, opened = type(there).is_file, type(there).open
    for name, usual in (("is_file", is_file), ("open", opened)):
        with monkeypatch.context() as patch:
            patch.setattr(
                type(there),
                name,
                lambda path, *rest, usual=usual: refused() if path == there else usual(path, *rest),
            )
            with pytest.raises(DataUnavailable, match="Permission denied"):
                toy.get()
    assert toy.get() == BODY


def test_a_cache_in_the_home_of_nobody_is_one_sentence(toy, monkeypatch):
    monkeypatch.setenv("CDP_CACHE", "~nosuchuser/x")
    toy.lists(file("http://127.0.0.1:9/a"))
    with pytest.raises(InputError, match="'~nosuchuser/x'"):
        toy.get()


def test_one_wrong_copy_is_kept_and_no_more(server, toy):
    toy.lists(file(server.address + "/a"), file(server.address + "/b", name="b.bin"))
    for body in (BODY[::-1], BODY[1:] + b"1", BODY[2:] + b"12"):
        server.serve("/a", body)
        with pytest.raises(DataUnavailable):
            toy.get()
    assert toy.bad() == [f"a.bin.bad-{hashlib.sha256(body).hexdigest()[:8]}"]
    toy.at("b.bin.bad-12345678").write_bytes(b"of another file")
    with pytest.raises(DataUnavailable):
        toy.get()
    assert len(toy.bad()) == 2


def test_room_is_needed_for_what_is_absent_not_for_what_is_to_be_hashed(server, toy, monkeypatch):
    server.serve("/a", BODY)
    toy.lists(file(server.address + "/a"))
    toy.get()
    shutil.rmtree(download.cache_dir() / "checked")
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**12, 10**12, 0))
    assert len(download.fetch("toy")) == 1
    toy.at().unlink()
    with pytest.raises(InputError, match="307.2 kB .* 0 bytes"):
        download.fetch("toy")


def test_two_processes_may_give_up_one_pin(server, toy, monkeypatch):
    """The other one moves the file away first."""
    server.serve("/a", BODY)
    toy.lists(file(server.address + "/a", sha256=None))
    toy.get()
    unpin = download.Pins.unpin

    def other_was_first(pins, file):
        unpin(pins, file)
        toy.at().rename(toy.at("a.bin.old"))

    monkeypatch.setattr(download.Pins, "unpin", other_was_first)
    download.fetch("toy", unpin=True)
    assert toy.get() == BODY


def hold(toy, monkeypatch, look=0.01, stalled=0.05):
    """The file's lock, in the hands of another process."""
    monkeypatch.setattr(download, "LOOK", look)
    monkeypatch.setattr(download, "STALLED", stalled)
    lock = FileLock(download.locks(download.cache_dir()) / "toy--a.bin.lock")
    lock.acquire()
    return lock


def test_waiting_for_a_process_that_stands_still_says_so_and_ends(server, toy, monkeypatch, capsys):
    server.serve("/b", BODY)
    toy.lists(file("http://127.0.0.1:9/a"), file(server.address + "/b", name="b.bin"))
    lock = hold(toy, monkeypatch)
    with pytest.raises(DataUnavailable, match="toy--a.bin.lock"):
        download.fetch("toy")
    assert lock.is_locked and toy.at("b.bin").exists()
    assert capsys.readouterr().err.count("Waiting for another process that fetches toy/a.bin") == 1


def test_a_process_that_goes_on_is_waited_for(server, toy, monkeypatch):
    """Each look finds another byte, far longer than one that stands still is given."""
    lock = hold(toy, monkeypatch)
    looks = []

    def look(part):
        looks.append(part)
        if len(looks) == 40:
            toy.at().write_bytes(BODY)
            lock.release()
        return len(looks) // 2

    monkeypatch.setattr(download, "length", look)
    toy.lists(file("http://127.0.0.1:9/a"))
    assert toy.get() == BODY and len(looks) == 40


def test_a_disk_without_locks_is_one_sentence(toy, monkeypatch):
    class None_:
        def __init__(self, path):
            self.lock_file = path

        def acquire(self, timeout):
            raise NotImplementedError("FileSystem does not appear to support flock")

    monkeypatch.setattr(download, "FileLock", None_)
    toy.lists(file("http://127.0.0.1:9/a"))
    with pytest.raises(InputError, match="flock.*CDP_CACHE"):
        toy.get()


@pytest.mark.parametrize("size", [None, len(BODY)])
def test_the_bar_has_one_colon(server, toy, monkeypatch, capsys, size):
    now = partial(download.tqdm, mininterval=0)
    at_once = {"delay": 0, "disable": False}
    monkeypatch.setattr(download, "tqdm", lambda **how: now(**how | at_once))
    server.serve("/a", BODY)
    toy.lists(file(server.address + "/a", bytes=size))
    toy.get()
    shown = capsys.readouterr().err
    assert "a.bin: " in shown and ": :" not in shown


def test_every_pocket_file_comes_from_the_mirror_folder(mirror, monkeypatch, tmp_path):
    monkeypatch.setenv("CDP_CACHE", str(tmp_path))
    monkeypatch.setenv("CDP_MIRROR", str(mirror))
    paths = download.fetch(edition="pocket", progress=False)
    assert len(paths) == 55
    assert {each.state for each in download.verify()} == {"ok"}
    shared = download.path("depmap-19q4", "avana_ceres_celllines_2019q4.csv")
    assert shared.name == "sample_info.csv"


def test_pocket_files_come_from_the_mirror_over_http(mirror, server, monkeypatch, tmp_path):
    monkeypatch.setattr(transfer, "PAUSE", 0.001)
    monkeypatch.setenv("CDP_CACHE", str(tmp_path))
    monkeypatch.setenv("CDP_MIRROR", server.address)
    wanted = [
        ("hint-hi2012", "hint+hi2012_edge_list"),
        ("gdsc-pocket", "1.Drug_listMon Jun 24 09_00_55 2019.csv"),
        ("ccle-expression-pocket", "CCLE_gene_expression_train(v4+eliminated_for_tsne_30)(1).txt"),
    ]
    for id, name in wanted:
        server.serve(f"/{id}/{name}", (mirror / id / name).read_bytes(), "drop")
        assert download.path(id, name).read_bytes() == (mirror / id / name).read_bytes()
    assert len(server.requests) == 2 * len(wanted)
