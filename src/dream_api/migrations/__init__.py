"""Schema migrations; each file in `versions` runs on both databases."""
