"""The pages of the library: what users import, and every public module, room by room."""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from types import ModuleType

import cdp_lib

# page -> its rooms, in the order in which a researcher meets them
PAGES = {
    "data": ("data",),
    "splits": ("splits",),
    "evaluate": ("evaluate", "metrics", "audit"),
    "models": ("models",),
    "claims": ("claims", "figures", "chapter", "machine", "errors"),
}
UNLISTED = ("exercises",)  # what the checks of the exercises demand
# room -> the words above its names; what a room's __all__ holds is what users import
IMPORTED = {
    "data": "Data",
    "splits": "Splits",
    "evaluate": "Evaluation",
    "metrics": "Metrics",
    "audit": "Audits",
    "claims": "Claims",
    "figures": "Figures",
    "chapter": "Chapters",
}


def room(name: str) -> str:
    return name.split(".")[1]


def public_modules() -> list[str]:
    """cdp_lib.audit, cdp_lib.chapter, ..."""
    return sorted(
        module.name
        for module in pkgutil.walk_packages(cdp_lib.__path__, "cdp_lib.")
        if not module.name.rpartition(".")[2].startswith("_") and room(module.name) not in UNLISTED
    )


def modules(page: str) -> str:
    """One section for each public module of a page's rooms."""
    names = [name for wanted in PAGES[page] for name in public_modules() if room(name) == wanted]
    section = (
        "## {name}\n\n```{{eval-rst}}\n.. automodule:: {name}\n"
        "   :members:\n   :ignore-module-all:\n```\n"
    )
    return "\n".join(section.format(name=name) for name in names)


def imports() -> str:
    """Each name that users import, with its first sentence, as definition lists."""
    parts = []
    for name, words in IMPORTED.items():
        module = importlib.import_module(f"cdp_lib.{name}")
        parts += [f"### {words}", *(item(f"{name}.{key}", thing) for key, thing in named(module))]
    parts += ["### Models", *(item(model.__name__, model) for model in models())]
    return "\n\n".join(parts) + "\n"


def named(module: ModuleType) -> Iterator[tuple[str, object]]:
    """The functions and classes that a room hands out."""
    names = getattr(module, "__all__", None) or [
        key for key, thing in vars(module).items()
        if not key.startswith("_") and getattr(thing, "__module__", None) == module.__name__
    ]  # fmt: skip
    for key in names:
        thing = getattr(module, key)
        if (inspect.isfunction(thing) or inspect.isclass(thing)) and inspect.getdoc(thing):
            yield key, thing


def models() -> list[type]:
    """The models, from the simplest room to the deepest."""
    found = [
        thing
        for name in public_modules()
        if name.startswith("cdp_lib.models.") and ".base." not in name
        for key, thing in vars(importlib.import_module(name)).items()
        if inspect.isclass(thing) and thing.__module__ == name and not key.startswith("_")
        if hasattr(thing, "fit") and (hasattr(thing, "predict") or hasattr(thing, "transform"))
    ]
    return sorted(found, key=lambda model: (model.__module__.count("."), model.__module__))


def item(name: str, thing: object) -> str:
    target = f"{thing.__module__}.{thing.__qualname__}"
    return f"{{py:obj}}`{name} <{target}>`\n: {first_sentence(thing)}"


def first_sentence(thing: object) -> str:
    """The first sentence of a docstring, as Markdown that shows it literally."""
    first = inspect.getdoc(thing).split("\n\n")[0].replace("\n", " ")
    first = re.split(r"(?<=[.?])\s(?=[A-Z])", first)[0]
    return "".join(
        part if part.startswith("`") else re.sub(r"([*_<\[\]|$])", r"\\\1", part)
        for part in re.split(r"(`[^`]*`)", first)
    )
