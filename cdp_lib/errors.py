"""Two errors a reader may meet: each is one sentence that says what, where, and what to do."""


class InputError(ValueError):
    """What was given cannot be used; the message says what, where, and what to do."""


class DataUnavailable(InputError):
    """Data were asked for that cannot be had here and now."""
