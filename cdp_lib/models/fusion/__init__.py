"""Several omics at once: networks on a graph, joint networks, and attention over predictions."""
