"""The WACGAN of SMiLEConverter: an AC-GAN whose discriminator is a clipped Wasserstein critic with a class head."""

from ganlab import Component, hookimpl


@hookimpl
def ganlab_objectives() -> list[Component]:
    """Offer the training procedure; the networks are those of the architecture `smile_acgan`, or any with two heads."""
    return [
        Component(
            "wacgan",
            "ganlab_wacgan.objective:WacGan",
            options="ganlab_wacgan.options:WacGanObjective",
            summary="many updates of a clipped critic that also reads labels, then one of the generator",
            paper="SMiLEConverter (TensorFlow), 2017; Arjovsky et al., 2017; Odena et al., 2017",
        )
    ]
