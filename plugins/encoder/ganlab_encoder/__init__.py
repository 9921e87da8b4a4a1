"""SMiLE's encoder: the noise from which a trained generator makes a given face, and so the face with another label."""

from ganlab import Component, hookimpl

_PAPER = "SMiLEConverter (TensorFlow 1.0), main_encoder; experiments 6 and 7"


@hookimpl
def ganlab_architectures() -> list[Component]:
    """Offer the encoder; its generator comes from another run."""
    return [
        Component(
            "smile_encoder",
            "ganlab_encoder.networks:SmileEncoder",
            options="ganlab_encoder.options:SmileEncoderNetworks",
            summary="encoder of images into a frozen generator's noise; both together translate",
            paper=_PAPER,
        )
    ]


@hookimpl
def ganlab_objectives() -> list[Component]:
    """Offer its training procedure."""
    return [
        Component(
            "encoder",
            "ganlab_encoder.objective:EncoderSteps",
            options="ganlab_encoder.options:EncoderObjective",
            summary="with its own label an image should come back through encoder and frozen generator",
            paper=_PAPER,
        )
    ]
