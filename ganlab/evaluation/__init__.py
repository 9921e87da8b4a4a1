"""Trained networks -> images -> scores."""
