"""Archives with traps: nothing leaves the folder, nothing fills the disk."""

import gzip
import io
import stat
import tarfile
import zipfile

import pytest

from cdp_lib.data.files.archives import unpack
from cdp_lib.errors import InputError

ESCAPES = ["../evil.txt", "a/../../evil.txt", "/evil.txt", "C:\\evil.txt", "..\\evil.txt"]


@pytest.fixture
def places(tmp_path):
    (tmp_path / "in").mkdir()
    return tmp_path / "in", tmp_path / "in" / "out"


def make_zip(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as box:
        for name, content in members:
            box.writestr(name, content)
    return path


def make_tar(path, *infos):
    with tarfile.open(path, "w:gz") as box:
        for info, content in infos:
            info.size = len(content)
            box.addfile(info, io.BytesIO(content))
    return path


def link(name, target):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = tarfile.SYMTYPE, target
    return info


def everything(folder):
    return sorted(path.name for path in folder.rglob("*"))


def test_good_archives_unpack(places):
    folder, out = places
    zipped = make_zip(folder / "a.zip", [("one.txt", b"1"), ("deep/two.txt", b"2")])
    assert [path.read_bytes() for path in unpack(zipped, out)] == [b"1", b"2"]
    tarred = make_tar(folder / "a.tar.gz", (tarfile.TarInfo("three.txt"), b"3"))
    assert unpack(tarred, out)[0].read_bytes() == b"3"
    (folder / "four.txt.gz").write_bytes(gzip.compress(b"4"))
    assert unpack(folder / "four.txt.gz", out) == [out / "four.txt"]
    assert everything(out) == ["deep", "four.txt", "one.txt", "three.txt", "two.txt"]


@pytest.mark.parametrize("name", ESCAPES)
def test_no_path_leaves_the_folder(places, name):
    folder, out = places
    archives = [
        make_zip(folder / "a.zip", [("fine.txt", b"fine"), (name, b"evil")]),
        make_tar(
            folder / "a.tar.gz",
            (tarfile.TarInfo("fine.txt"), b"fine"),
            (tarfile.TarInfo(name), b"evil"),
        ),
    ]
    for archive in archives:
        with pytest.raises(InputError, match="would leave its folder; nothing was unpacked"):
            unpack(archive, out)
    assert everything(out) == []
    assert everything(folder) == ["a.tar.gz", "a.zip", "out"]


def test_no_links(places):
    folder, out = places
    tarred = make_tar(folder / "a.tar.gz", (link("door", "/etc"), b""))
    entry = zipfile.ZipInfo("door")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    zipped = make_zip(folder / "a.zip", [(entry, "/etc")])
    for archive in (tarred, zipped):
        with pytest.raises(InputError, match="'door' that is a link or a device"):
            unpack(archive, out)
    assert everything(out) == []


def test_a_bomb_is_stopped_by_what_it_unpacks_to(places):
    folder, out = places
    zipped = make_zip(folder / "a.zip", [("zeros", bytes(10**6))])
    (folder / "zeros.gz").write_bytes(gzip.compress(bytes(10**6)))
    for archive in (zipped, folder / "zeros.gz"):
        with pytest.raises(InputError, match="unpacks to more than 100.0 kB"):
            unpack(archive, out, limit=100_000)
    assert everything(out) == []


def test_a_cut_archive_is_one_sentence(places):
    folder, out = places
    (folder / "cut.txt.gz").write_bytes(gzip.compress(bytes(range(256)) * 99)[:-20])
    with pytest.raises(InputError, match="cut.txt.gz is damaged or cut short; delete it"):
        unpack(folder / "cut.txt.gz", out)
    whole = make_zip(folder / "a.zip", [("one.txt", bytes(range(256)) * 99)]).read_bytes()
    (folder / "cut.zip").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="no zip, tar or gz archive, or it is cut short"):
        unpack(folder / "cut.zip", out)
    assert everything(out) == []
