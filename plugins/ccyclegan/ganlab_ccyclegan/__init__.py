"""CCycleGAN, experiment T26: one face with seven expressions, by an encoder, a decoder and a discriminator."""

from ganlab import Component, hookimpl

_PAPER = "CCycleGAN (facial expressions on FER2013), experiment T26"


@hookimpl
def ganlab_architectures() -> list[Component]:
    """Offer the networks."""
    return [
        Component(
            "ccyclegan",
            "ganlab_ccyclegan.networks:CCycleGan",
            options="ganlab_ccyclegan.options:CCycleGanNetworks",
            summary="encoder of four latents, decoder with skips that takes the label, discriminator with two heads",
            paper=_PAPER,
        )
    ]


@hookimpl
def ganlab_objectives() -> list[Component]:
    """Offer the training procedure."""
    return [
        Component(
            "ccyclegan",
            "ganlab_ccyclegan.objective:T26",
            options="ganlab_ccyclegan.options:CCycleGanObjective",
            summary="each image to every other label; fakes have no class; reconstruction from the same latents",
            paper=_PAPER,
        )
    ]


@hookimpl
def ganlab_losses() -> list[Component]:
    """Offer the classification loss of the generator."""
    return [
        Component(
            "sigmoid_cce",
            "ganlab_ccyclegan.losses:SigmoidCrossEntropy",
            options="ganlab_ccyclegan.options:SigmoidCrossEntropyOptions",
            family="classification",
            summary="Keras' categorical cross-entropy on sigmoids: -ln of the class's share of their sum",
            paper=_PAPER,
        )
    ]
