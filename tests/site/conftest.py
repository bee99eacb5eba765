"""The built site, served to a real browser whose network ends at this machine."""

import os
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from filelock import FileLock

from cdp_book import build, pdf


@pytest.fixture(scope="session")
def site(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`_build/html` where it is up to date, else a build of its own from the recorded runs."""
    mark = repository / "_build" / "html" / ".inputs"
    built_from = mark.read_text() if mark.exists() else None
    for executed in (None, *(repository / "_build" / "executed").glob("*/")):
        if build.fingerprint(repository, executed) == built_from:
            return mark.parent

    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent  # one build for all workers
    with FileLock(shared / "site.lock"):
        out = shared / "site"
        if not (out / "html").exists():
            build.build(repository, None, out)
    return out / "html"


@pytest.fixture(scope="session")
def pages(site: Path) -> list[str]:
    """Every page of the site, as a path below its root."""
    found = (path.relative_to(site) for path in site.rglob("*.html"))
    return sorted(path.as_posix() for path in found if path.parts[0] not in ("_static", "_sources"))


@pytest.fixture(scope="session")
def browser() -> Iterator:
    if not any(map(shutil.which, pdf.CHROMIUM)):
        reason = "the browser tests need chromium: on Debian run: apt install chromium"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with pdf.browser() as chromium:
        yield chromium


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments) -> None:
        """Say nothing: a request is no test result."""


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    """The site on a plain web server of this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=site))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


class Visitor:
    """A browser tab with the network cut; it notes what went wrong and what it was asked for."""

    def __init__(self, browser, home: str, **look) -> None:
        self.home = home
        self.remote: list[str] = []
        self.errors: list[str] = []
        self.context = browser.new_context(**look)
        self.context.route("**/*", self.cut)
        self.tab = self.context.new_page()
        self.tab.on("console", lambda said: said.type == "error" and self.errors.append(said.text))
        self.tab.on("pageerror", lambda error: self.errors.append(str(error)))

    def cut(self, route) -> None:
        url = route.request.url
        if url.startswith((self.home, "data:", "blob:")):
            route.continue_()
        else:
            self.remote.append(url)
            route.abort()

    def open(self, page: str) -> None:
        """Load a page and everything it asks for."""
        self.tab.goto(f"{self.home}/{page}", wait_until="load")
        self.tab.wait_for_function("!window.MathJax?.startup || MathJax.startup.promise")


@pytest.fixture
def visit(browser, address) -> Iterator:
    """visit(width=..., scheme=..., home=...) -> Visitor"""
    opened = []

    def new(width: int = 1400, scheme: str = "light", home: str = address) -> Visitor:
        size = {"width": width, "height": 900}
        opened.append(Visitor(browser, home, viewport=size, color_scheme=scheme))
        return opened[-1]

    yield new
    for visitor in opened:
        visitor.context.close()
