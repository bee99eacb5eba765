"""What the files of the site say: links, images, the way to Colab."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from bs4 import BeautifulSoup


@pytest.fixture(scope="module")
def trees(site: Path, pages: list[str]) -> dict[str, BeautifulSoup]:
    return {page: BeautifulSoup((site / page).read_text(), "html.parser") for page in pages}


def test_every_entry_of_the_contents_is_a_page(repository, pages):
    toc = yaml.safe_load((repository / "_toc.yml").read_text())
    listed = {entry["file"] for part in toc["parts"] for entry in part["chapters"]}
    assert {f"{file}.html" for file in {toc["root"], *listed}} <= set(pages)


def test_internal_links_lead_somewhere(site, trees):
    anchors = {page: {tag["id"] for tag in tree.find_all(id=True)} for page, tree in trees.items()}
    broken = []
    for page, tree in trees.items():
        for tag in tree.find_all(["a", "link", "script", "img"]):
            link = urlsplit(tag.get("href") or tag.get("src") or "")
            if link.scheme or link.netloc or not (link.path or link.fragment):
                continue
            here = (site / page).parent / unquote(link.path) if link.path else site / page
            if not here.is_file():
                broken.append(f"{page} -> {link.geturl()}")
                continue
            target = here.resolve().relative_to(site.resolve()).as_posix()
            if link.fragment and target in anchors and link.fragment not in anchors[target]:
                broken.append(f"{page} -> {link.geturl()}")
    assert broken == []


def test_every_image_says_what_it_shows(trees):
    silent = [
        f"{page}: {str(image)[:120]}"
        for page, tree in trees.items()
        for image in tree.find_all("img")
        if len(words := image.get("alt", "").split()) == 0 or "/" in words[0]
    ]
    assert silent == []


def test_no_page_loads_anything_from_elsewhere(trees):
    """Scripts, styles, fonts, frames and images; a link that a reader clicks is no load."""
    remote = [
        f"{page}: {tag[attribute]}"
        for page, tree in trees.items()
        for name, attribute in (("script", "src"), ("img", "src"), ("iframe", "src"))
        for tag in tree.find_all(name, attrs={attribute: True})
        if urlsplit(tag[attribute]).netloc
    ]
    remote += [
        f"{page}: {tag['href']}"
        for page, tree in trees.items()
        for tag in tree.find_all("link", href=True)
        if urlsplit(tag["href"]).netloc and "stylesheet" in tag.get("rel", [])
    ]
    assert remote == []


def test_a_chapter_opens_on_colab_and_other_pages_do_not_offer_it(repository, trees):
    book = yaml.safe_load((repository / "_config.yml").read_text())["repository"]
    owner_and_name = urlsplit(book["url"]).path.strip("/")
    start = f"https://colab.research.google.com/github/{owner_and_name}/blob/{book['branch']}/"
    chapters = [page for page in trees if page.startswith("notebooks/")]
    assert chapters
    for page, tree in trees.items():
        links = {a["href"] for a in tree.find_all("a", href=True) if "colab" in a["href"]}
        if page not in chapters:
            assert links == set(), page
            continue
        (link,) = links
        assert link.startswith(start)
        assert (repository / link.removeprefix(start)).is_file()
        assert link.endswith(Path(page).with_suffix(".ipynb").as_posix())


def test_a_chapter_shows_no_records_and_folds_its_solutions(site, trees):
    for page, tree in trees.items():
        assert "vnd.cdp.record" not in "".join(
            output.get_text() for output in tree.select(".cell_output")
        )
        for cell in tree.select(".tag_solution"):
            assert cell.find("details") is not None, page


def test_the_contents_show_the_number_of_a_chapter(trees):
    for page, tree in trees.items():
        if page.startswith("notebooks/"):
            number = Path(page).name.partition("_")[0]
            current = tree.select_one("nav.bd-links .current.active > a, nav.bd-links a.current")
            assert current.get_text().strip().startswith(f"{number} "), page


def test_a_chapter_says_how_to_cite_it_and_no_other_page_does(repository, trees):
    for page, tree in trees.items():
        fold = tree.select_one("article details.cite")
        assert (fold is not None) == page.startswith("notebooks/"), page
        if fold:
            entry = fold.get_text()
            assert f"@incollection{{cdp_{Path(page).stem}," in entry
            assert f"/{page.removesuffix('.html')}.ipynb}}" in entry
            assert tree.h1.get_text().rstrip("#") in entry


def test_only_pages_with_formulas_load_mathjax(trees):
    for page, tree in trees.items():
        loads = any("mathjax" in tag["src"] for tag in tree.find_all("script", src=True))
        assert loads == bool(tree.select(".math")), page
