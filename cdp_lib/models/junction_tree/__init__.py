"""The junction-tree variational autoencoder: molecules as trees of rings and bonds."""
