"""The figures: legible on light and dark pages, honest about what is missing, deterministic."""

import functools
import io
import re
import xml.etree.ElementTree as ET
from types import SimpleNamespace

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex, to_rgb, to_rgba
from matplotlib.image import imread
from matplotlib.lines import Line2D
from matplotlib.text import Text

from cdp_lib import figures
from cdp_lib.errors import InputError
from cdp_lib.figures import style as look
from cdp_lib.figures.fusion import by_epoch, least_error, two_stages
from cdp_lib.figures.gains import gains
from cdp_lib.figures.layers import by_count, layered
from cdp_lib.figures.losses import losses
from cdp_lib.figures.vector import inline

PAGES = ("#ffffff", "#121212")


def linear(colour):
    parts = np.array(to_rgb(colour))
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def luminance(colour):
    return linear(colour) @ (0.2126, 0.7152, 0.0722)


def lab(rgb):
    """Linear RGB as CIE Lab: distances are about what an eye tells apart."""
    xyz = np.clip(rgb, 0, 1) @ np.array(
        [[0.4124, 0.2126, 0.0193], [0.3576, 0.7152, 0.1192], [0.1805, 0.0722, 0.9505]]
    )
    x, y, z = np.cbrt(xyz / (0.9505, 1.0, 1.089)).T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def summary():
    names = {"ridge": "model", "network": "model", "mean effects": "baseline"}
    made = [
        {"model": name, "kind": kind, "split": split, "axis": "line", "metric": "r2"}
        for split in ("leave pairs out", "leave lines out")
        for name, kind in names.items()
    ]
    return pd.DataFrame(made).assign(mean=[0.5, 0.4, 0.3, 0.2, 0.1, np.nan], sd=0.05)


class LinesOut(list):
    name = "leave lines out"
    sentence = "Each line is held out once."

    def __init__(self):
        folds = []
        for first in (0, 20, 40):
            roles = np.zeros((60, 40), np.int8)
            roles[first : first + 20] = 2
            roles[(first + 20) % 60 :][:5] = 1
            folds.append(SimpleNamespace(roles=roles))
        super().__init__(folds)


def table(shape=(5, 4)):
    values = np.random.default_rng(0).normal(size=shape)
    values[1, 2] = np.nan
    return pd.DataFrame(values)


def points(n=40):
    return np.random.default_rng(1).normal(size=(2, n))


def lines_out():
    part = summary().head(3)
    return part.assign(mean=[0.5, 0.4, 0.3], sd_over="folds of lines")


def genes(n=40):
    frame = pd.DataFrame(points(n).T, columns=["x", "y"])
    return frame.assign(name=[f"L{i}" for i in range(n)], kind=list("abcd") * (n // 4))


def epochs():
    return pd.DataFrame({"mean": [0.2, 0.5], "sd": [0.01, 0.02]}, index=[30, 960])


def pairs():
    ends = [(a, b) for a in "ABCDEFGH" for b in "ABCDEFGH" if a < b]
    return pd.DataFrame(ends, columns=["drug_a", "drug_b"])


def interval_rows():
    names = ["layered minus ridge on all genes", "PCA"]
    return pd.DataFrame({"name": names, "value": [0.1, -0.1], "low": [0.0, -0.2], "high": 0.2})


def by_number():
    return pd.DataFrame({"mean": [0.2, 0.22], "low": [0.19, 0.21], "high": 0.23}, index=[1, 2])


samples = {"network": np.linspace(0, 1, 50), "ridge": [0.1, np.nan, 0.3, 0.4]}

DRAWN = {
    "distributions": lambda: figures.distributions(samples, "r", reference=(0.2, "reported")),
    "distributions of simulated data": lambda: figures.distributions(
        samples, "r", None, "teaching"
    ),
    "heatmap": lambda: figures.heatmap(table(), "z", centre=0),
    "large heatmap": lambda: figures.heatmap(table((30, 30)), "z"),
    "splits": lambda: figures.splits_diagram(LinesOut()),
    "held out": lambda: figures.held_out({"a": ("genes", "columns"), "b": ("drugs", "rows")}),
    "many points": lambda: figures.points(genes(2100), "x", "y", "name", edition="teaching"),
    "rows": lambda: figures.rows(
        lines_out().assign(ceiling=0.8), reported={"ridge": (0.9, 0.01)}, published={"ridge": 0.8}
    ),
    "rows of two splits": lambda: figures.rows(summary(), edition="teaching"),
    "slopes": lambda: figures.slopes(lines_out(), lines_out(), titles=("easy", "hard")),
    "bars": lambda: figures.bars(lines_out().assign(k="first"), by="k"),
    "points": lambda: figures.points(
        genes(), "x", "y", "name", colour="kind", identity=True, highlight=["L3", "L9"]
    ),
    "agreement": lambda: figures.agreement(
        {"A": genes()["x"], "B": genes()["y"], "C": genes()["x"] ** 2}, genes()["name"]
    ),
    "histograms": lambda: figures.histograms(
        {"a": samples["network"], "b": points()}, {"a": "AUC"}, log=["b"]
    ),
    "groups": lambda: figures.histograms({"a": samples}),
    "gaps": lambda: figures.measured({"drugs": table(), "genes": table((30, 30))}),
    "pair maps": lambda: figures.pair_maps(
        {"measured": pd.Series(points(28)[0]), "predicted": pd.Series(points(28)[1])},
        pairs(),
        "score",
        difference="predicted - measured",
    ),
    "two stages": lambda: two_stages(["expression", "copy number", "metabolites"]),
    "by epoch": lambda: by_epoch(
        {"saw all": epochs(), "left out": epochs()},
        {"saw all": "published", "left out": "repaired"},
        "R²",
        reported=("reported", 0.9),
    ),
    "least error": lambda: least_error(1.9, 0.1, 0.9, 0.4),
    "gains": lambda: gains({"one": interval_rows(), "another": interval_rows()}, "gain in r"),
    "layers": lambda: layered(),
    "losses": lambda: losses(
        {"reconstruction": [9.0, 3.0, 2.0], "kl": [0.0, 1.0, 1.5]},
        {"reconstruction": {"floor": 1.8}},
    ),
    "by count": lambda: by_count(
        {"autoencoders": by_number(), "directions at random": by_number() / 2},
        "ρ per gene",
        levels={"ridge on all genes": 0.21},
    ),
}


@functools.cache
def drawn(name):
    return DRAWN[name]()


@pytest.fixture(params=DRAWN)
def figure(request):
    return drawn(request.param)


def inks(figure):
    """The colours of what must be seen: lines and outlines."""
    figure.draw_without_rendering()
    for artist in figure.findobj(lambda a: a.get_visible()):
        if isinstance(artist, Line2D) and len(artist.get_xdata()):
            marked = artist.get_marker() not in (None, "None", "")
            yield "line", artist.get_markeredgecolor() if marked else artist.get_color()
        elif isinstance(artist, LineCollection):
            yield from (("interval", colour) for colour in artist.get_colors())


@pytest.mark.parametrize("page", PAGES)
def test_lines_are_seen_on_light_and_dark(figure, page):
    found = list(inks(figure))
    faint = [(what, to_rgba(ink)) for what, ink in found if contrast(ink, page) < 3]
    assert not faint
    assert all(to_rgba(ink)[3] == 1 for _, ink in found)


def test_text_has_the_ink_of_the_page_but_for_numbers_in_coloured_cells(figure):
    for drawing in (figure, getattr(figure, "narrow", figure)):
        drawing.draw_without_rendering()
        texts = drawing.findobj(lambda a: isinstance(a, Text) and a.get_text().strip())
        assert {to_hex(t.get_color()) for t in texts if t.get_gid() != "cell"} == {look.INK}


@pytest.mark.parametrize("page", PAGES)
def test_a_figure_is_transparent_and_leaves_ink_on_any_page(figure, page):
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=60, facecolor=page)
    stream.seek(0)
    pixels = imread(stream)[..., :3]
    inked = np.abs(pixels - np.array(to_rgb(page))).max(axis=2) > 0.2
    assert 0.005 < inked.mean() < 0.95
    assert figure.get_facecolor()[3] == 0
    assert all(axes.patch.get_facecolor()[3] == 0 for axes in figure.axes[:1])


def test_a_figure_has_the_book_s_width_and_words_for_those_who_cannot_see_it(figure):
    assert figure.get_figwidth() == look.WIDTH
    assert len(figure.alt_text) > 40 and figure.alt_text.endswith(".")
    assert "nan" not in figure.alt_text


def test_svg_is_deterministic_and_its_text_is_text(figure, request):
    first = figures.svg(figure, "name")
    assert figures.svg(figure, "name") == first
    again = DRAWN[request.node.callspec.params["figure"]]()
    assert figures.svg(again, "name") == first
    assert "<text" in first and "<dc:date>" not in first
    assert "sans-serif" in first
    assert len(first) < 150_000


def test_the_ids_of_a_figure_are_its_own_and_its_ink_is_the_page_s(figure):
    pages = [ET.fromstring(text) for name in "ab" for text in inline(figure, name)]
    ids = [element.get("id") for page in pages for element in page.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    for page in pages:
        text = ET.tostring(page, encoding="unicode")
        own = {element.get("id") for element in page.iter()}
        assert set(re.findall(r"url\(#([^)]+)\)", text)) <= own
        assert {e.get("href")[1:] for e in page.iter() if e.tag.endswith("use")} <= own
        assert look.INK not in text and "currentColor" in text
        assert page.get("aria-labelledby") in ("cdp-a-alt", "cdp-b-alt")
        assert not re.search(r"\d\.\d{3}", re.sub(r">[^<]*<", "><", text))


def test_text_on_a_phone_is_eleven_pixels_high(figure):
    for text in inline(figure, "a")[1:]:
        page = ET.fromstring(text)
        scale = 342 / float(page.get("viewBox").split()[2])  # the column of a phone of 390 px
        sizes = {float(size) for size in re.findall(r"font-size:([\d.]+)px", text)}
        assert sizes and min(sizes) * scale >= 10.9


def test_drawing_changes_no_setting_and_theme_does():
    with matplotlib.rc_context():
        before = dict(matplotlib.rcParams)
        figures.rows(lines_out())
        assert dict(matplotlib.rcParams) == before
        figures.theme()
        assert matplotlib.rcParams["svg.fonttype"] == "none"


def test_the_palette_survives_greyscale_and_colour_blindness():
    palette = [colour for colour in look.COLOURS.values() if colour != look.INK]
    lightness = sorted(116 * np.cbrt(luminance(c)) - 16 for c in palette)
    assert min(np.diff(lightness)) > 3
    assert len(set(look.MARKERS.values())) == len(look.COLOURS)
    # Machado et al. 2009, on linear RGB: full protanopia and deuteranopia
    protan = [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]]
    deutan = [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]]
    colours = np.array([linear(c) for c in palette])
    for seen in (protan, deutan):
        there = lab(colours @ np.array(seen).T)
        apart = np.linalg.norm(there[:, None] - there[None], axis=2)
        assert apart[~np.eye(len(colours), dtype=bool)].min() > 10


def test_no_role_s_colour_is_used_for_anything_else():
    by_name = genes().set_index("name")
    others = [
        inline(figure, "f")
        for figure in (
            figures.heatmap(table(), "z", centre=0),
            figures.splits_diagram(LinesOut()),
            figures.points(genes(), "x", "y", "name", colour="kind"),
            figures.agreement({"a": by_name["x"], "b": by_name["y"]}, by_name.index.to_series()),
            figures.distributions(samples, "AUC", role=None),
        )
    ]
    places = {"PCA": by_name[["x", "y"]]}
    lines = figures.line_map(
        places, by_name["kind"], by_name.index.to_series(), responses=by_name[["x"]]
    )
    pages = [*sum(others, []), lines.page("m", "So.")]
    roles = {colour.lower() for colour in look.COLOURS.values()}
    for page in pages:
        used = {colour.lower() for colour in re.findall(r"#[0-9a-fA-F]{6}\b", page)}
        assert used and not used & roles
    scored = figures.distributions({"ridge": [0, 1], "mean": [0, 1]}, "r", baselines=["mean"])
    used = {colour.lower() for colour in re.findall(r"#[0-9a-fA-F]{6}", inline(scored, "f")[0])}
    assert used == {look.COLOURS["repaired"].lower(), look.COLOURS["baseline"]}


def words(figure):
    return [text.get_text() for text in figure.findobj(Text)]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: figures.distributions({"a": [np.nan]}, "r"), "no finite number for a"),
        (lambda: figures.distributions({}, "r"), "no finite number"),
        (lambda: figures.heatmap(pd.DataFrame([[np.nan]]), "z"), "without a single finite"),
    ],
)
def test_what_cannot_be_drawn_is_one_sentence(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_simulated_data_are_hollow_or_hatched():
    assert figures.distributions(samples, "r", None, "teaching").axes[0].patches[0].get_hatch()
    assert not figures.distributions(samples, "r").axes[0].patches[0].get_hatch()
    for name in ("distributions of simulated data", "rows of two splits", "many points"):
        assert drawn(name).alt_text.startswith("Simulated data:")


def test_splits_diagram_shows_each_role_where_it_is():
    figure = figures.splits_diagram(LinesOut())
    train, tune, test = figure.axes[0].patches
    assert test.get_path().get_extents().y0 == 0  # tested first stands on top
    assert test.get_path().get_extents().y1 == pytest.approx(10)
    assert tune.get_hatch() and train.get_alpha() < 0.3 and test.get_alpha() is None  # in grey, too
    assert "Each line is held out once." in figure.alt_text
