"""Two errors a reader may meet: each is one sentence that says what, where, and what to do."""

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """What was given cannot be used; the message says what, where, and what to do."""

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows, by IPython's protocol: the sentence, its notes, no traceback."""
        return [f"{type(self).__name__}: {self}", *getattr(self, "__notes__", ())]


class DataUnavailable(InputError):
    """Data were asked for that cannot be had here and now."""


def nearest(name: object, known: Iterable[object]) -> str:
    """How a sentence about an unknown name ends: the names spelt like it, else all if few."""
    names = [str(each) for each in known]
    near = difflib.get_close_matches(str(name), names, n=3, cutoff=0.5)
    if near:
        return f"did you mean {' or '.join(near)}?"
    if 0 < len(names) <= 12:
        return f"choose from {', '.join(names)}."
    return "nothing is spelt like it." if names else "there is none to choose from."
