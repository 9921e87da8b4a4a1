"""Parts -> trained weights."""
