"""The junction-tree variational autoencoder: molecules as trees of rings and bonds."""

from cdp_lib.models.junction_tree.checkpoint import load, save
from cdp_lib.models.junction_tree.fitting import JunctionTree

__all__ = ["JunctionTree", "load", "save"]
