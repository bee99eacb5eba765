"""The rooms of the house: who may import whom."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# from the ground up: a room imports from itself and from the rooms before it
FLOORS = (
    "errors", "machine", "data.editions", "metrics", "splits", "data", "models", "audit",
    "evaluate", "claims", "figures", "exercises", "chapter",
)  # fmt: skip


def imports(path: Path, top_level: bool) -> set[str]:
    """The modules of the project that a file imports (also inside functions)."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = tree.body if top_level else ast.walk(tree)
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.startswith(("cdp_lib", "cdp_book"))}


LIBRARY = sorted((ROOT / "cdp_lib").rglob("*.py"))


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_library_never_imports_the_tools_of_the_book(path):
    assert not [name for name in imports(path, top_level=False) if name.startswith("cdp_book")]


def test_the_top_of_the_library_has_few_doors():
    doors = {p.stem for p in (ROOT / "cdp_lib").iterdir() if p.suffix == ".py" or p.is_dir()}
    doors -= {"__init__", "__pycache__", "book"}
    assert doors <= {floor.partition(".")[0] for floor in FLOORS}


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_imports_only_from_rooms_below(path):
    """What is imported when the module is imported; a function may fetch something for itself."""
    own = ".".join(path.relative_to(ROOT / "cdp_lib").with_suffix("").parts)
    if own == "__init__":
        return
    for name in imports(path, top_level=True):
        other = name.removeprefix("cdp_lib").lstrip(".")
        if other:
            assert floor(other) <= floor(own), f"{own} imports {name}, which lies above it"


def floor(module: str) -> int:
    """The floor on which a module stands: that of its longest name in FLOORS."""
    parts = module.split(".")
    names = [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
    return next((FLOORS.index(name) for name in names if name in FLOORS), 0)
