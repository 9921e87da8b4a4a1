"""The training step of SMiLE's encoder: through a frozen generator each image should come back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import torch
from torch import Tensor

from ganlab import Criterion, GanlabError, Step, Update


class EncoderSteps:
    """Moves the encoder alone; generator and discriminator are frozen, in inference, with the statistics they came with."""

    def __init__(
        self,
        *,
        distance: Criterion,
        feature_distance: Criterion,
        distance_scale: Literal["mean", "half_sum"] = "mean",
        perceptual: bool = False,
        noise_match: Literal["none", "moments", "energy"] = "none",
    ) -> None:
        self.distance, self.feature_distance = distance, feature_distance
        self.distance_scale, self.perceptual, self.noise_match = distance_scale, perceptual, noise_match

    def step(self, s: Step) -> Iterator[Update]:
        """Yield the update of the encoder."""
        batch = s.batch()
        noise = s.nets["encoder"](batch.images)
        wanted = s.noise(len(batch))
        if noise.shape[1] != wanted.shape[1]:
            raise GanlabError(
                f"the encoder gives {noise.shape[1]} numbers of noise and the generator takes {wanted.shape[1]}: "
                f"set architecture.noise = {wanted.shape[1]}"
            )
        images = s.nets["generator"](noise, batch.labels)

        # tf.nn.l2_loss is half the sum over the whole batch.
        scale = images.numel() / 2 if self.distance_scale == "half_sum" else 1.0
        terms = {"e_image": self.distance(images, batch.images) * scale}
        if self.perceptual:
            discriminator = s.nets["discriminator"]
            with torch.no_grad():
                features = discriminator(batch.images).features
            terms["e_features"] = self.feature_distance(discriminator(images).features, features)
        if self.noise_match == "moments":
            terms["e_noise"] = moments_apart(noise.float(), wanted)
        elif self.noise_match == "energy":
            terms["e_noise"] = energy_distance(noise.float(), wanted)
        yield Update("encoder", **terms)
        # An encoder that gives all images one noise has collapsed.
        s.log(
            noise_deviation=noise.detach().float().std(0, correction=0).mean(),
            generator_noise_deviation=wanted.std(0, correction=0).mean(),
        )


def moments_apart(noise: Tensor, wanted: Tensor) -> Tensor:
    """Return how far mean and variance over a batch are from each other, squared, a mean over Z; both are [N, Z]."""
    mean = noise.mean(0) - wanted.mean(0)
    variance = noise.var(0, correction=0) - wanted.var(0, correction=0)
    return (mean.square() + variance.square()).mean()


def energy_distance(noise: Tensor, wanted: Tensor) -> Tensor:
    """Return 2 E|a - b| - E|a - a'| - E|b - b'| of two batches [N, Z] (Szekely and Rizzo, 2013): 0 if they are the same."""
    between = torch.cdist(noise, wanted).mean()
    return 2 * between - torch.cdist(noise, noise).mean() - torch.cdist(wanted, wanted).mean()
