"""Bring the files of a run here before it begins, or say at once that they cannot be had."""

import contextlib
import io
from collections.abc import Iterable
from pathlib import Path

import requests

from cdp_lib.data.files import download
from cdp_lib.data.files.catalogue import File, size_text
from cdp_lib.data.files.transfer import is_http
from cdp_lib.errors import DataUnavailable

PATIENCE = 5.0  # seconds for a host to answer at all


def fetch(files: Iterable[File]) -> str:
    """Fetch what is missing; return the licences of what came, or raise `DataUnavailable`.

    A machine without a network is told from a slow one by one short question, so that it need not
    wait for every retry of every file.
    """
    missing = download.missing(list(files))
    if not missing:
        return ""
    if not any(answers(address) for _, address in download.addresses(missing[0])):
        total = size_text(sum(file.bytes or 0 for file in missing))
        raise DataUnavailable(
            f"{len(missing)} files ({total}) of real measurements are not on this machine, and "
            f'no host of {missing[0].key} answers; use data="teaching", which needs no '
            "download, or fetch them where there is a network: cdp data fetch --edition pocket."
        )
    with contextlib.redirect_stdout(io.StringIO()) as licences:
        download.bring(missing)
    return licences.getvalue()


def answers(address: str) -> bool:
    """Whether a folder holds the file, or a host says anything at all."""
    if not is_http(address):
        return Path(address).is_file()
    try:
        requests.head(address, timeout=PATIENCE)
    except requests.RequestException:
        return False
    return True
