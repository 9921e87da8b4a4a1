"""cGAN of faces with 40 attributes: generator and discriminator both read the labels, through an embedding."""

from ganlab import Component, hookimpl

_PAPER = "Mirza and Osindero, 2014; as in Generate Faces with Specific Attributes on CelebA (Keras)"


@hookimpl
def ganlab_architectures() -> list[Component]:
    """Offer the networks."""
    return [
        Component(
            "cgan",
            "ganlab_cgan.networks:CGan",
            options="ganlab_cgan.options:CGanNetworks",
            summary="convolutional generator and discriminator that see the labels as a map beside their own",
            paper=_PAPER,
        )
    ]


@hookimpl
def ganlab_objectives() -> list[Component]:
    """Offer the training procedure."""
    return [
        Component(
            "cgan",
            "ganlab_cgan.objective:CGanSteps",
            options="ganlab_cgan.options:CGanObjective",
            summary="discriminator on half a batch of real images, then of fakes with their labels; then the generator",
            paper=_PAPER,
        )
    ]
