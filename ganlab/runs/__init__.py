"""Run directories: what a run leaves on disk."""
