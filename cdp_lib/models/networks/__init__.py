"""Networks on one omics table: feed-forward, and autoencoders with what follows them."""
