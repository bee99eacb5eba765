"""What a fitted model says of genes: stable features, one sparse student, enriched sets."""
