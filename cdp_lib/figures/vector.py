"""A figure as SVG: small, in the ink of the page, its points named.

    svg       one file, in a middle grey that light and dark pages both show
    inline    the same for the HTML of a page: its ink is `currentColor`, the page's own

Matplotlib writes every style and coordinate in full.  Here coordinates keep two decimals, a style
that returns becomes a class, and what is not seen goes.  All ids and classes begin with the
figure's name, so that a page can hold many figures.
"""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator

import matplotlib
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cdp_lib.errors import InputError
from cdp_lib.figures.style import FONT, INK, NARROW, STYLE

LARGEST_SVG = 400_000  # bytes; the points of a larger figure become pixels, its text does not
MOST_TAPPED = 600
SVG, XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}"
NUMBER = re.compile(r"-?\d+\.\d{3,}(?:e-?\d+)?")
STEP = re.compile(r"\s*([MLCQZz])\s*")
REFERENCE = re.compile(r"#([\w.:-]+)")
UNSEEN = ("fill: none", "fill:none")


def svg(figure: Figure, name: str) -> str:
    """The figure as one file: text as text, and the same figure gives the same bytes."""
    for _ in range(2):
        for number, artist in enumerate(_named(figure)):
            artist.set_gid(f"named-{number}")
        stream = io.BytesIO()
        with matplotlib.rc_context({**STYLE, "svg.hashsalt": name}):
            figure.savefig(stream, format="svg", bbox_inches="tight", metadata={"Date": None})
        text = _smaller(stream.getvalue().decode(), figure, f"cdp-{name}-")
        if len(text) <= LARGEST_SVG:
            break
        for axes in figure.axes:
            for artist in (*axes.collections, *axes.lines):
                artist.set_rasterized(True)
    return text


def inline(figure: Figure, name: str) -> list[str]:
    """The figure for the HTML of a page, and where it has one, its version for a phone."""
    drawn = [svg(figure, name)]
    if getattr(figure, "narrow", None) is not None:
        drawn.append(svg(figure.narrow, f"{name}-narrow"))
    return [_of_the_page(text, name) for text in drawn]


def _of_the_page(text: str, name: str) -> str:
    """In the page's ink; the words for who cannot see it stand beside, as `cdp-<name>-alt`."""
    role = "group" if "tabindex" in text else "img"  # what an image holds is never reached
    about = f'<svg role="{role}" aria-labelledby="cdp-{name}-alt" '
    return text.replace("<svg ", about, 1).replace(INK, "currentColor")


def _named(figure: Figure) -> list:
    """The artists whose points have names, unless they are pixels."""
    return [a for a in figure.findobj(lambda a: hasattr(a, "names")) if not a.get_rasterized()]


def _smaller(text: str, figure: Figure, prefix: str) -> str:
    root = ET.fromstring(text)
    for parent in root.iter():
        for child in list(parent):
            if child.tag in (f"{SVG}metadata", f"{SVG}style"):
                parent.remove(child)
    used = set(REFERENCE.findall(text))
    ids: dict[str, str] = {}
    for element in root.iter():
        element.tag = element.tag.removeprefix(SVG)
        element.tail = None
        if element.tag != "text":
            element.text = None
        _attributes(element, used, ids, prefix)
    names = _names(root, figure)
    _flatten(root)
    _share_styles(root, prefix)
    about = {"xmlns": "http://www.w3.org/2000/svg", "viewBox": root.get("viewBox")}
    about |= {"font-family": FONT, "stroke-linejoin": "round", "stroke-linecap": "butt"}
    root.attrib.clear()
    root.attrib.update(about)
    if len(names):
        root.append(names)
    return ET.tostring(root, encoding="unicode", short_empty_elements=True).replace(" />", "/>")


def _attributes(element: ET.Element, used: set[str], ids: dict[str, str], prefix: str) -> None:
    """Short numbers, ids of this figure alone, and no attribute that says nothing."""

    def own(found: re.Match) -> str:
        return "#" + ids.setdefault(found[1], f"{prefix}{len(ids)}")

    for key, value in list(element.attrib.items()):
        del element.attrib[key]
        key = key.removeprefix(XLINK)
        if key == "id" and value not in used:
            if value.startswith(("named-", "halo")):
                element.set("gid", value)
            continue
        if key == "id":
            value = ids.setdefault(value, f"{prefix}{len(ids)}")
        elif key == "href" and not value.startswith("#"):
            value = value.replace("\n", "")  # an image
        elif key == "d":
            value = STEP.sub(r"\1", NUMBER.sub(_short, value)).strip()
        elif key == "style":
            kept = (part.strip() for part in value.split(";"))
            kept = [part for part in kept if not part.startswith("font-family")]
            value = REFERENCE.sub(own, ";".join(kept)) if "url(" in value else ";".join(kept)
            value = NUMBER.sub(_short, value.replace(": ", ":"))
        elif key == "transform" and value.startswith("rotate(-0 "):
            continue
        elif key in ("href", "clip-path"):
            value = REFERENCE.sub(own, value)
        else:
            value = NUMBER.sub(_short, value)
        element.set(key, value)


def _short(number: re.Match) -> str:
    text = f"{float(number[0]):.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _flatten(element: ET.Element) -> None:
    """Groups without an attribute dissolve; what paints nothing goes."""
    kept = []
    for child in element:
        _flatten(child)
        if child.tag == "path" and child.get("style") in UNSEEN:
            continue
        if child.tag == "g" and child.attrib.pop("gid", "").startswith("halo"):
            child.set("class", "cdp-halo")
        if child.tag == "g" and not child.attrib:
            kept += list(child)
        elif child.tag not in ("g", "defs") or len(child):
            kept.append(child)
    element[:] = kept


def _share_styles(root: ET.Element, prefix: str) -> None:
    """A style that returns becomes a class; marks in a row share one group."""
    for parent in list(root.iter()):
        _join_marks(parent)
    counts = Counter(element.get("style") for element in root.iter())
    classes = {
        style: f"{prefix}s{number}"
        for number, style in enumerate(style for style, n in counts.items() if style and n > 1)
    }
    for element in root.iter():
        style = element.get("style")
        if style in classes:
            del element.attrib["style"]
            element.set("class", " ".join(filter(None, (element.get("class"), classes[style]))))
    if classes:
        rules = ET.Element("style")
        rules.text = "".join(f".{name}{{{style}}}" for style, name in classes.items())
        root.insert(0, rules)


def _join_marks(parent: ET.Element) -> None:
    """Runs of marks with one style become a group that has it."""
    kept, group = [], None
    for child in parent:
        style = child.get("style") if child.tag == "use" else None
        if style is None:
            group = None
            kept.append(child)
            continue
        if group is None or group.get("style") != style:
            group = ET.Element("g", {"style": style})
            kept.append(group)
        del child.attrib["style"]
        group.append(child)
    parent[:] = kept


def _names(root: ET.Element, figure: Figure) -> ET.Element:
    """Over each named point a circle that feels the pointer, and beside it the hidden name.

    A finger covers a crowd: on a phone, no more than `MOST_TAPPED` points have one.
    """
    named = _named(figure)
    crowded = figure.get_figwidth() <= NARROW and sum(len(a.names) for a in named) > MOST_TAPPED
    whole = ET.Element("g", {"class": "cdp-names"})
    width = float(root.get("viewBox").split()[2])
    groups = {g.get("gid"): g for g in root.iter("g") if g.get("gid")}
    for number, artist in enumerate(named):
        group = groups[f"named-{number}"]
        marks = list(group.iter("use"))
        if len(marks) != len(artist.names):
            raise InputError(
                f"{len(artist.names)} names were given to {len(marks)} points that can be seen: "
                "name only points inside the axes."
            )
        _dots(group, marks, artist)
        for mark, words in [] if crowded else _sorted(zip(marks, artist.names, strict=True)):
            x, y = float(mark.get("x")), float(mark.get("y"))
            circle = {"cx": f"{x:.1f}", "cy": f"{y:.1f}", "r": "5"}
            if words in getattr(artist, "written", ()):
                circle |= {"tabindex": "0", "role": "img", "aria-label": words}
            ET.SubElement(whole, "circle", circle)
            at = {"x": f"{x + 7:.0f}", "y": f"{y + 3:.0f}"}
            if x > 0.6 * width:
                at |= {"x": f"{x - 7:.0f}", "class": "e"}
            ET.SubElement(whole, "text", at).text = words
    return whole


def _dots(group: ET.Element, marks: list[ET.Element], artist: Line2D) -> None:
    """Filled circles as one path: a stroke without length and with a round end each."""
    if artist.get_marker() != "o" or artist.get_markerfacecolor() == "none":
        return
    size = artist.get_markersize() + artist.get_markeredgewidth()
    ends = "".join(f"M{mark.get('x')} {mark.get('y')}h0" for mark in marks)
    style = f"stroke:{artist.get_markerfacecolor()};stroke-linecap:round;stroke-width:{size:g}"
    path = ET.Element("path", {"d": ends, "style": style, "opacity": f"{artist.get_alpha()}"})
    group[:] = [*group.iter("defs"), path]  # the legend uses the mark, too


def _sorted(pairs: Iterator[tuple[ET.Element, str]]) -> list[tuple[ET.Element, str]]:
    """From left to right, as the keyboard goes through them."""
    return sorted(pairs, key=lambda pair: float(pair[0].get("x")))
