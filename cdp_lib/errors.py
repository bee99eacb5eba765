"""Two errors a reader may meet: each is one sentence that says what, where, and what to do."""


class InputError(ValueError):
    """What was given cannot be used; the message says what, where, and what to do."""

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows, by IPython's protocol: the sentence and no traceback."""
        return [f"{type(self).__name__}: {self}"]


class DataUnavailable(InputError):
    """Data were asked for that cannot be had here and now."""
