"""What all models share: tables in and out, scaling, blocks, the training loop."""
