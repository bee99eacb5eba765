"""How to cite a chapter, in a fold at its foot."""

import re
from datetime import date
from html import escape, unescape

from cdp_lib import __version__


def fold(pagename: str, title: str, config) -> str:
    """A fold with the BibTeX entry of this page."""
    text = escape(bibtex(pagename, title, config))
    return (
        '<details class="cite"><summary>Cite this chapter</summary>\n'
        f"<pre>{text}</pre>\n</details>\n"
    )


def bibtex(pagename: str, title: str, config) -> str:
    """The entry of a chapter: part of the book, at the address of its notebook."""
    address = config.html_theme_options["repository_url"]
    branch = config.html_theme_options.get("repository_branch", "main")
    plain = unescape(re.sub(r"<[^>]+>", "", title))
    fields = {
        "author": f"{{{config.author}}}",
        "title": plain,
        "booktitle": str(config.project),
        "year": re.sub(r"\D", "", config.copyright)[:4] or str(date.today().year),
        "note": f"version {__version__}",
        "url": f"{address}/blob/{branch}/{pagename}.ipynb",
    }
    width = max(map(len, fields))
    lines = [f"  {name.ljust(width)} = {{{value}}}" for name, value in fields.items()]
    key = "cdp_" + pagename.rpartition("/")[2]
    return "@incollection{" + key + ",\n" + ",\n".join(lines) + "\n}"
