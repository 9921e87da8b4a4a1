"""Layers that three variants share, and what plugins may do to whole networks and to what those see."""

from ganlab.layers.augment import diff_augment
from ganlab.layers.cut_normal import draw_cut_normal
from ganlab.layers.instance_norm import InstanceNorm
from ganlab.layers.keras import draw_as_keras
from ganlab.layers.networks import clip, inference
from ganlab.layers.spectral import spectral_norm

__all__ = ["InstanceNorm", "clip", "diff_augment", "draw_as_keras", "draw_cut_normal", "inference", "spectral_norm"]
