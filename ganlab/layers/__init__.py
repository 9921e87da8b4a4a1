"""Layers that three variants share, and what plugins may do to whole networks."""

from ganlab.layers.instance_norm import InstanceNorm
from ganlab.layers.networks import clip, inference

__all__ = ["InstanceNorm", "clip", "inference"]
