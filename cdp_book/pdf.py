"""The book on paper: each chapter, and all pages in one file, printed by a browser.

    python -m cdp_book.pdf          from _build/html into _build/pdf

A page on which something is wider than the paper is an error that names it.
"""

import argparse
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from cdp_lib.errors import InputError

ROOT = Path(__file__).resolve().parents[1]
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
PAPER = {"width": 673, "height": 986}  # what the margins of @page in cdp.css leave of A4, in pixels
NUMBER = '<div style="font-size: 8px; width: 100%; text-align: center"><span class="pageNumber">'
FOOT = NUMBER + "</span></div>"
UNPRINTED = ("book/api", "book/scoreboard")  # for looking things up, on the site
# What only a specialist needs is printed too; code, checks and solutions that are folded are not.
UNFOLD = """() => document.querySelectorAll("details:not(.hide, .quiz details, .cite)")
    .forEach(fold => { fold.open = true; })"""
ARTICLE = """() => {
    const article = document.querySelector("article");
    article.querySelectorAll("[src]").forEach(one => { one.setAttribute("src", one.src); });
    article.querySelectorAll("[srcset]").forEach(one => {
        const first = one.getAttribute("srcset").split(" ")[0];
        one.setAttribute("srcset", new URL(first, document.baseURI));
    });
    return article.innerHTML;
}"""
APPEND = """parts => {
    const article = document.querySelector("article");
    for (const part of parts) {
        const page = document.createElement("div");
        page.className = "cdp-next-page";
        page.innerHTML = part;
        article.append(page);
    }
}"""
TOO_WIDE = """width => [...document.querySelectorAll("article *")]
    .filter(one => one.checkVisibility() && !one.parentElement.closest("svg, mjx-assistive-mml")
        && (one.getBoundingClientRect().right > width + 1
            || (one.tagName === "PRE" && one.scrollWidth > one.clientWidth + 1)))
    .map(one => `${one.tagName.toLowerCase()}.${one.getAttribute("class") || ""}: `
        + one.textContent.trim().slice(0, 60))"""


def main() -> int:
    parser = argparse.ArgumentParser(description="Print the site into OUT.")
    parser.add_argument("--site", type=Path, default=ROOT / "_build/html")
    parser.add_argument("--out", type=Path, default=ROOT / "_build/pdf")
    given = parser.parse_args()
    try:
        with browser() as chromium:
            for path in write(chromium, given.site.resolve(), given.out.resolve(), contents(ROOT)):
                print(path)
    except InputError as error:
        print(f"pdf: {error}", file=sys.stderr)
        return 1
    return 0


def contents(root: Path) -> list[str]:
    """The pages of the book, in its order."""
    toc = yaml.safe_load((root / "_toc.yml").read_text())
    files = [entry["file"] for part in toc["parts"] for entry in part["chapters"]]
    return [name for name in (toc["root"], *files) if not name.startswith(UNPRINTED)]


def write(chromium, site: Path, out: Path, names: list[str]) -> Iterator[Path]:
    """Each chapter in a file of its own, then all pages in cdp.pdf."""
    if not (site / f"{names[0]}.html").exists():
        raise InputError(f"{site} holds no site: run `make book` first.")
    out.mkdir(parents=True, exist_ok=True)
    tab, parts = paper(chromium), []
    for name in names:
        load(tab, site / f"{name}.html")
        parts.append(tab.evaluate(ARTICLE))
        if name.startswith("notebooks/"):
            yield printed(tab, out / f"{Path(name).name}.pdf")
    load(tab, site / f"{names[0]}.html")
    tab.evaluate(APPEND, parts[1:])
    tab.wait_for_function("[...document.images].every(image => image.complete)")
    yield printed(tab, out / "cdp.pdf")
    tab.context.close()


def paper(chromium):
    """A tab that shows pages as they are printed, as wide as the paper within its margins."""
    tab = chromium.new_context(viewport=PAPER, color_scheme="light").new_page()
    tab.emulate_media(media="print")
    return tab


@contextmanager
def browser():
    """The chromium of this machine."""
    from playwright.sync_api import sync_playwright

    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        raise InputError("printing needs chromium: on Debian run: apt install chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield chromium
        chromium.close()


def load(tab, page: Path) -> None:
    """A page as it is printed: formulas set, details open."""
    tab.goto(page.as_uri(), wait_until="load")
    tab.wait_for_function("!window.MathJax?.startup || MathJax.startup.promise")
    tab.evaluate(UNFOLD)


def printed(tab, path: Path) -> Path:
    """Print what the tab shows, unless something is wider than the paper."""
    if wide := too_wide(tab):
        raise InputError(f"{path.stem} holds what is wider than the paper: " + "; ".join(wide[:5]))
    tab.pdf(
        path=path,
        prefer_css_page_size=True,
        print_background=True,
        display_header_footer=True,
        header_template="<span></span>",
        footer_template=FOOT,
        outline=True,
        tagged=True,
    )
    return path


def too_wide(tab) -> list[str]:
    return tab.evaluate(TOO_WIDE, PAPER["width"])


if __name__ == "__main__":
    sys.exit(main())
