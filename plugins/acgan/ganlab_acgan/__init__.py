"""AC-GANs of faces: one with 40 attributes at 64 px (CelebA, Keras), one that smiles or not at 128 px (SMiLE, TensorFlow)."""

from ganlab import Component, hookimpl

_ATTRIBUTES = "Odena et al., 2017; as in Generate Faces with Specific Attributes on CelebA (Keras)"
_SMILE = "Odena et al., 2017; as in SMiLEConverter (TensorFlow 1.0)"


@hookimpl
def ganlab_architectures() -> list[Component]:
    """Offer the networks of both."""
    return [
        Component(
            "acgan",
            "ganlab_acgan.networks:AcGan",
            options="ganlab_acgan.options:AcGanNetworks",
            summary="generator of noise joined with labels (or told them by an embedding), discriminator with two heads",
            paper=_ATTRIBUTES,
        ),
        Component(
            "smile_acgan",
            "ganlab_acgan.smile_networks:SmileAcGan",
            options="ganlab_acgan.smile_options:SmileAcGanNetworks",
            summary="generator whose noise the label gates, discriminator with two heads and features to match",
            paper=_SMILE,
        ),
    ]


@hookimpl
def ganlab_objectives() -> list[Component]:
    """Offer the training procedures of both."""
    return [
        Component(
            "acgan",
            "ganlab_acgan.objective:AcGanSteps",
            options="ganlab_acgan.options:AcGanObjective",
            summary="discriminator on half a batch of real images, then on fakes (or on both at once); then the generator",
            paper=_ATTRIBUTES,
        ),
        Component(
            "smile_acgan",
            "ganlab_acgan.smile_objective:SmileAcGanSteps",
            options="ganlab_acgan.smile_options:SmileAcGanObjective",
            summary="discriminator, then generator with the same noise and new real images, whose features fakes match",
            paper=f"{_SMILE}; feature matching: Salimans et al., 2016",
        ),
    ]


@hookimpl
def ganlab_losses() -> list[Component]:
    """Offer the classification loss that the text of the attribute GAN names."""
    return [
        Component(
            "softmax_bce",
            "ganlab_acgan.losses:SoftmaxBinaryCrossEntropy",
            options="ganlab_acgan.options:SoftmaxBinaryCrossEntropyOptions",
            family="classification",
            summary="binary cross-entropy of each label on a softmax over all; 40 attributes cannot all be right under it",
            paper=_ATTRIBUTES,
        )
    ]
