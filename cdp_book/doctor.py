"""Is this machine ready? One line for each thing a chapter needs: fine, or what to do."""

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import urlsplit

from cdp_lib.errors import InputError

GB = 1e9
NEEDED_MEMORY = 4 * GB  # the quick profile, with room for the rest of the desktop
NEEDED_DISK = 1 * GB  # the pocket edition and its parsed tables


@dataclass(frozen=True)
class Line:
    """One thing looked at; `todo` is empty where it is fine."""

    what: str
    found: str
    todo: str = ""


def examine(network: bool = False) -> list[Line]:
    """Look at everything; at the network only when asked."""
    lines = [_python(), *_packages(), _device(), _memory(), *_storage(), _mirror()]
    return [*lines, *(_hosts() if network else [])]


def _python() -> Line:
    todo = "" if sys.version_info >= (3, 11) else "install Python 3.11 or newer"
    return Line("python", f"{platform.python_version()} in {sys.executable}", todo)


def _packages() -> Iterator[Line]:
    for name in ("cdp-lib", "torch", "numpy", "pandas", "scikit-learn", "rdkit", "papermill"):
        try:
            yield Line(name, version(name))
        except PackageNotFoundError:
            wanted = "'cdp-lib[book]'" if name == "papermill" else "cdp-lib"
            yield Line(name, "missing", f"run: pip install {wanted}")


def _device() -> Line:
    import torch

    if torch.cuda.is_available():
        return Line("device", f"cuda, {torch.cuda.get_device_name()}")
    return Line("device", f"cpu, {torch.get_num_threads()} threads; no CUDA")


def _memory() -> Line:
    try:
        size = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError):
        return Line("memory", "unknown on this system")
    todo = "" if size >= NEEDED_MEMORY else "close other programs, or use Colab"
    return Line("memory", f"{size / GB:.1f} GB", todo)


def _storage() -> Iterator[Line]:
    from cdp_lib.data.files.download import cache_dir

    try:
        cache = cache_dir()
        there = next(folder for folder in (cache, *cache.parents) if folder.exists())
    except (InputError, OSError):
        yield Line("cache", os.environ.get("CDP_CACHE", ""), "correct or unset CDP_CACHE")
        return
    elsewhere = "set CDP_CACHE to a folder on another disk"
    writable = there.is_dir() and os.access(there, os.W_OK)
    yield Line("cache", str(cache), "" if writable else f"cannot be written: {elsewhere}")
    free = shutil.disk_usage(there).free
    yield Line("disk", f"{free / GB:.1f} GB free", "" if free >= NEEDED_DISK else elsewhere)


def _mirror() -> Line:
    from cdp_lib.data.files.download import mirror_place
    from cdp_lib.data.files.transfer import without_password

    shown = without_password(os.environ.get("CDP_MIRROR", ""))
    if not shown:
        return Line("mirror", "none (CDP_MIRROR is not set); data come from their sources")
    try:
        place = mirror_place()
    except InputError:
        return Line("mirror", shown, "no folder and no address: correct or unset CDP_MIRROR")
    if isinstance(place, Path) and not place.is_dir():
        return Line("mirror", shown, "no such folder: correct or unset CDP_MIRROR")
    return Line("mirror", shown)


def _hosts() -> Iterator[Line]:
    """One request to each host that the catalogue names."""
    import requests

    from cdp_lib.data.files.catalogue import datasets

    files = [file for dataset in datasets().values() for file in dataset.files]
    hosts = {urlsplit(url)[:2] for file in files for url in file.urls}
    for scheme, host in sorted(hosts):
        try:
            requests.head(f"{scheme}://{host}/", timeout=5)
            yield Line("network", f"{host} answers")
        except requests.RequestException as error:
            todo = "check the network or proxy, or set CDP_MIRROR"
            yield Line("network", f"{host} does not answer ({type(error).__name__})", todo)
