"""What the site generates: catalogue, scoreboard, API listing, findings, signature figure.

A page asks for generated text with a line of its own, `<!-- generated: catalogue -->`.
The text is put in its place as Sphinx reads the page, so no generated page is ever a file
that could grow old, and a plain `jupyter-book build .` shows the same as `make book`.
"""

import re
import shutil
from pathlib import Path

from cdp_book import findings
from cdp_book.sphinx import citations, cite, docstrings, listing, terms

PLACE = re.compile(r"^<!-- generated: (\w+)(?: (\w+))? -->$", re.MULTILINE)


def catalogue() -> str:
    """The data catalogue, in Markdown."""
    from cdp_book.catalogue_page import page

    return page()


def scoreboard() -> str:
    """Every claim beside what was measured, in Markdown."""
    from cdp_book.scoreboard import page

    return page()


def signature() -> str:
    """The signature figure, drawn into the page so that it takes its ink."""
    from cdp_book.html import in_markdown
    from cdp_book.signature import figure

    return in_markdown(figure())


GENERATED = {
    "api": listing.modules,
    "catalogue": catalogue,
    "imports": listing.imports,
    "findings": findings.page,
    "stakes": findings.stakes,
    "arithmetic": findings.arithmetic,
    "scoreboard": scoreboard,
    "signature": signature,
}


ACCESSIBLE = {
    # an entry of a list of references is an item of that list; docutils uses a role now deprecated
    'role="doc-biblioentry"': 'role="listitem"',
    # the empty corner of a table is no heading
    '<th class="head"><p></p></th>': "<td></td>",
}


def fill(text: str) -> str:
    """Put generated text into its places."""
    return PLACE.sub(lambda place: GENERATED[place[1]](*filter(None, [place[2]])), text)


def read(app, docname: str, source: list[str]) -> None:
    if not docname.startswith("notebooks/"):
        source[0] = fill(source[0])


def reread(app, env, added, changed, removed) -> list[str]:
    """Pages with generated text are read again in every build."""
    return [
        docname
        for docname in env.found_docs
        if (path := Path(env.doc2path(docname))).suffix == ".md" and PLACE.search(path.read_text())
    ]


def prepare(app) -> None:
    """Draw the figure of the README, write the downloads, copy MathJax, which the site serves."""
    from cdp_book.scoreboard import write_downloads
    from cdp_book.signature import signature

    if app.builder.format != "html":
        return
    static = Path(app.srcdir, "book", "_static")
    signature(static / "signature.svg")
    write_downloads(Path(app.outdir, "_static"))
    copy_script(app, mathjax(), "mathjax/tex-svg.js")


def finish_page(app, pagename, templatename, context, doctree) -> None:
    """No page knows thebe, a service; what a screen reader would misread is mended."""
    scripts = context["script_files"]
    scripts[:] = [script for script in scripts if not is_thebe(script)]
    body = context.get("body", "")
    for markup, accessible in ACCESSIBLE.items():
        body = body.replace(markup, accessible)
    if pagename.startswith("notebooks/"):
        body += cite.fold(pagename, context["title"], app.config)
    context["body"] = terms.tooltips(body)


def is_thebe(script) -> bool:
    return "thebe" in f"{script.filename} {script.attributes.get('body')}".lower()


def skip(app, what, name, obj, skip, options) -> bool | None:
    """Leave out what others wrote: `set_fit_request` and its like, "Alias for field number 0"."""
    routing = name.startswith("set_") and name.endswith("_request")
    alias = (getattr(obj, "__doc__", None) or "").startswith("Alias for field number")
    return True if routing or alias else None


def mathjax() -> Path:
    """MathJax with its glyphs in one file, from the package sphinx-mathjax-offline."""
    from importlib.metadata import distribution

    (script,) = (
        path
        for path in distribution("sphinx-mathjax-offline").files
        if path.match("static/mathjax/tex-svg.js")
    )
    return Path(script.locate())


def copy_script(app, source, name: str) -> None:
    target = Path(app.outdir, "_static", name)
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def repository(app, config) -> None:
    """`{{ repository }}` in prose is the address in _config.yml."""
    config.myst_substitutions["repository"] = config.html_theme_options["repository_url"]


def setup(app) -> dict:
    citations.register()
    app.connect("config-inited", repository, priority=100)
    app.connect("builder-inited", prepare)
    app.connect("source-read", read)
    app.connect("env-get-outdated", reread)
    app.connect("doctree-resolved", terms.link)
    app.connect("html-page-context", finish_page)
    app.connect("autodoc-skip-member", skip)
    app.connect("autodoc-process-docstring", docstrings.process)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
