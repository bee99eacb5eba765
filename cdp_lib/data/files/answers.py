"""What a server's answer says of itself: whether it is the file, where it starts, how long it is.

A header is text from elsewhere: a number in it is one of the digits 0 to 9, or it is none.
"""

import re
import time
from email.utils import parsedate_to_datetime

from requests import Response

LONGEST_PAUSE = 60.0  # seconds; a server that asks for more is left for the next address
RETRIED = (408, 429)  # and every 5xx


class NotHere(Exception):
    """This address cannot give the file; the message says why, in a few words."""


class Broken(Exception):
    """The transfer failed in a way that another attempt may mend."""

    def __init__(self, why: str, wait: float = 0.0):
        super().__init__(why)
        self.wait = wait


def refuse_what_is_no_file(reply: Response, name: str) -> None:
    """Statuses, and answers that are called success but are something else."""
    if reply.status_code == 416:
        return
    if reply.status_code in RETRIED or reply.status_code >= 500:
        raise Broken(f"answered {reply.status_code}", retry_after(reply))
    if reply.status_code not in {200, 206}:
        raise NotHere(f"answered {reply.status_code}")
    kind = reply.headers.get("Content-Type", "").strip().lower()
    if kind.startswith(("text/html", "application/xhtml")):
        raise NotHere("answered with a web page instead of the file")
    if kind.startswith("application/json"):
        raise NotHere("answered with JSON instead of the file")
    packed = reply.headers.get("Content-Encoding", "identity").strip().lower()
    as_it_is = packed in {"gzip", "x-gzip"} and name.endswith(".gz")  # said of the file itself
    if packed not in {"", "identity"} and not as_it_is:
        raise NotHere("packed the file although it was asked not to")


def total(reply: Response) -> int | None:
    """The size of the whole file, as the server states it."""
    if reply.status_code in {206, 416}:
        return _number(reply.headers.get("Content-Range", "").rpartition("/")[2])
    return body(reply)


def body(reply: Response) -> int | None:
    """How many bytes this answer has, as the server states it."""
    stated = reply.headers.get("Content-Length")
    if stated is None or chunked(reply):
        return None
    number = _number(stated.strip())
    if number is None:
        raise NotHere("states a length that is no number")
    return number


def chunked(reply: Response) -> bool:
    return "chunked" in reply.headers.get("Transfer-Encoding", "").lower()


def start(reply: Response) -> int | None:
    stated = reply.headers.get("Content-Range", "").removeprefix("bytes ")
    return _number(stated.partition("-")[0])


def _number(text: str) -> int | None:
    """A number of bytes or seconds; other digits than 0 to 9, or too many, are none."""
    return int(text) if re.fullmatch("[0-9]{1,18}", text) else None


def retry_after(reply: Response) -> float:
    """Seconds that the server asks us to wait, given as a number or as a date."""
    stated = reply.headers.get("Retry-After", "").strip()
    wait = _number(stated)
    if wait is None:
        try:
            wait = parsedate_to_datetime(stated).timestamp() - time.time() if stated else 0.0
        except (ValueError, TypeError, OverflowError, OSError):  # no date, or none of this world
            wait = 0.0
    if wait > LONGEST_PAUSE:
        raise NotHere(f"answered {reply.status_code} and asks to wait {wait:.0f} seconds")
    return max(wait, 0.0)


def named_version(reply: Response) -> str:
    """What If-Range may quote: a strong ETag, else the date of the last change."""
    tag = reply.headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else reply.headers.get("Last-Modified", "")
