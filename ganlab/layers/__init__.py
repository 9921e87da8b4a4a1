"""Layers that three variants share, and what plugins may do to whole networks."""

from ganlab.layers.networks import clip, inference

__all__ = ["clip", "inference"]
