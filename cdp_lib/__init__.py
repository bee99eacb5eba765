"""cdp_lib: data, splits, models, metrics and figures of the book.

Importing it touches no network, seeds nothing and sets no theme.
"""

__version__ = "0.1.0"
