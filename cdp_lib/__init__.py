"""cdp_lib: data, splits, models, metrics and figures of the book.

    from cdp_lib import load, splits, evaluate, metrics, audit, figures, claims, chapter

Importing it touches no network, seeds nothing and sets no theme.
"""

__version__ = "0.2.0"


def __getattr__(name: str):
    """`load` is imported when it is first asked for, so that `import cdp_lib` stays quick."""
    if name != "load":
        raise AttributeError(f"module {__name__} has no attribute {name}")
    from cdp_lib.data.studies import load

    return load
