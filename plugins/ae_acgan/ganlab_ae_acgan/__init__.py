"""AE-AC-GAN: faces with 40 attributes; an auto-encoder that shares the generator keeps its images different."""

from ganlab import Component, hookimpl

_PAPER = "M. Meingast, CelebA-AE-AC-GAN, 2020"


@hookimpl
def ganlab_architectures() -> list[Component]:
    """Offer the networks."""
    return [
        Component(
            "ae_acgan",
            "ganlab_ae_acgan.networks:AeAcGan",
            options="ganlab_ae_acgan.options:AeAcGanNetworks",
            summary="encoder to labels and noise, generator from both, discriminator with two heads",
            paper=_PAPER,
        )
    ]


@hookimpl
def ganlab_objectives() -> list[Component]:
    """Offer the training procedure."""
    return [
        Component(
            "ae_acgan",
            "ganlab_ae_acgan.objective:AeAcGan",
            options="ganlab_ae_acgan.options:AeAcGanObjective",
            summary="three updates a step: discriminator, generator, and an auto-encoder that moves the generator too",
            paper=_PAPER,
        )
    ]


@hookimpl
def ganlab_losses() -> list[Component]:
    """Offer the classification loss that its author used with labels of -1 and 1."""
    return [
        Component(
            "tanh_hinge",
            "ganlab_ae_acgan.losses:TanhHinge",
            options="ganlab_ae_acgan.options:TanhHingeOptions",
            family="classification",
            summary="hinge of each label on its own, on a tanh of the logit, against -1 and 1",
            paper=_PAPER,
        )
    ]
