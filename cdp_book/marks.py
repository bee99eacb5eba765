"""Small drawings within a line of HTML: where a score stands, and on which side a gain lies.

They are SVG in the page itself, so their ink is that of the page in light and in dark.  Whatever a
drawing shows stands in words beside it; a screen reader passes over it.
"""

from collections.abc import Iterable, Mapping

from markupsafe import Markup

from cdp_lib.metrics import LOWER_IS_BETTER

WIDTH, HEIGHT = 150, 26
PERCENT = ("top_1", "top_3", "percent")


def _domain(metric: str, values: list[float]) -> tuple[float, float]:
    if metric in LOWER_IS_BETTER:
        return 0.0, 1.05 * max(values)
    if metric in PERCENT:
        return 0.0, 100.0
    return min(0.0, *values), max(1.0, *values)


def strip(
    metric: str,
    reported: float | None = None,
    published: float | None = None,
    free: float | None = None,
    sd: float | None = None,
    floor: float | None = None,
    ceiling: float | None = None,
) -> Markup:
    """One score on its own axis: reported, our reading and leak-free, between floor and ceiling."""
    values = [v for v in (reported, published, free, floor, ceiling) if v is not None]
    if len(values) < 2:
        return Markup("")
    low, high = _domain(metric, values)
    middle = HEIGHT / 2

    def x(value: float) -> float:
        return 6 + (WIDTH - 12) * (min(max(value, low), high) - low) / ((high - low) or 1)

    parts = [f'<line x1="6" x2="{WIDTH - 6}" y1="{middle}" y2="{middle}" class="axis"/>']
    if floor is not None:
        left, right = (x(floor), WIDTH - 6) if metric in LOWER_IS_BETTER else (6, x(floor))
        parts.append(
            f'<rect x="{left:.1f}" y="3" width="{max(right - left, 1):.1f}" height="20" '
            'class="floor"/>'
        )
    if ceiling is not None:
        at = f"{x(ceiling):.1f}"
        parts.append(f'<line x1="{at}" x2="{at}" y1="2" y2="24" class="ceiling"/>')
    if reported is not None:
        parts.append(diamond(x(reported), middle))
    if published is not None:
        parts.append(triangle(x(published), middle))
    if free is not None:
        if sd:
            ends = f'x1="{x(free - sd):.1f}" x2="{x(free + sd):.1f}"'
            parts.append(f'<line {ends} y1="{middle}" y2="{middle}" class="free bar"/>')
        parts.append(circle(x(free), middle))
    return _svg("".join(parts), WIDTH, HEIGHT, "strip")


def diamond(x: float, y: float, r: float = 6) -> str:
    points = f"{x - r:.1f},{y} {x:.1f},{y - r} {x + r:.1f},{y} {x:.1f},{y + r}"
    return f'<polygon points="{points}" class="reported"/>'


def triangle(x: float, y: float, r: float = 6) -> str:
    points = f"{x - r:.1f},{y + r - 1} {x:.1f},{y - r} {x + r:.1f},{y + r - 1}"
    return f'<polygon points="{points}" class="published"/>'


def circle(x: float, y: float, r: float = 5) -> str:
    return f'<circle cx="{x:.1f}" cy="{y}" r="{r}" class="free"/>'


KEY = {
    "reported": Markup('<svg class="marks" width="14" height="14">' + diamond(7, 7) + "</svg>"),
    "published": Markup('<svg class="marks" width="14" height="14">' + triangle(7, 7) + "</svg>"),
    "free": Markup('<svg class="marks" width="14" height="14">' + circle(7, 7) + "</svg>"),
    "floor": Markup(
        '<svg class="marks" width="22" height="14"><rect width="22" height="14" class="floor"/>'
        "</svg>"
    ),
    "ceiling": Markup(
        '<svg class="marks" width="14" height="14">'
        '<line x1="7" x2="7" y1="0" y2="14" class="ceiling"/></svg>'
    ),
}


def interval(evidence: Iterable[Mapping]) -> Markup:
    """The gains that decide a conclusion: right of the line they speak for it, left against.

    A row for each comparison, leak-free ones filled, those with the leak in the colour of the
    leak.  The scale is that of the conclusion, with roots, so that small gains keep their side.
    """
    rows = list(evidence)
    largest = max([abs(row[end]) for row in rows for end in ("low", "high", "gain")] + [1e-12])
    height, middle = 12 * len(rows) + 6, WIDTH / 2

    def x(value: float) -> float:
        root = (abs(value) / largest) ** 0.5
        return middle + (1 if value > 0 else -1) * root * (middle - 8)

    parts = [f'<line x1="{middle}" x2="{middle}" y1="0" y2="{height}" class="zero"/>']
    for number, row in enumerate(rows):
        y = 9 + 12 * number
        name = "published" if row["leaky"] else "free"
        ends = f'x1="{x(row["low"]):.1f}" x2="{x(row["high"]):.1f}"'
        parts.append(f'<line {ends} y1="{y}" y2="{y}" class="{name} bar"/>')
        mark = triangle if row["leaky"] else circle
        parts.append(mark(x(row["gain"]), y, 4))
    return _svg("".join(parts), WIDTH, height, "interval")


def _svg(body: str, width: float, height: float, kind: str) -> Markup:
    return Markup(
        f'<svg class="marks {kind}" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" aria-hidden="true" focusable="false">{body}</svg>'
    )
