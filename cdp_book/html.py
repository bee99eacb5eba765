"""HTML from templates, every value escaped; and its place in a page of Markdown."""

import re
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined


@cache
def templates() -> Environment:
    return Environment(loader=PackageLoader("cdp_book"), autoescape=True, undefined=StrictUndefined)


def render(template: str, **values: object) -> str:
    """A template of `cdp_book/templates` with these values."""
    return templates().get_template(template).render(**values)


def in_markdown(html: str) -> str:
    """HTML as a raw block, fenced by more backticks than stand in it, so that nothing ends it."""
    longest = max((len(run) for run in re.findall("`+", html)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{{raw}} html\n{html}\n{fence}\n"
