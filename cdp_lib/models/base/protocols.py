"""The two ways in which a published procedure is run: with its leaks, and without them."""

PROTOCOLS = ("as_published", "repaired")
