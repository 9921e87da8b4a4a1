"""GANs without labels: the fully connected face GAN, Radford's DCGAN, the plain GAN and the WGAN of SMiLEConverter."""

from ganlab import Component, hookimpl

_OPTIONS = "ganlab_dcgan.options"
_FACES = "Face Synthesis (seed 001, SamSamhuns/ml_gan_human_face_synthesis, 2020)"
_SMILE = "SMiLEConverter (seed 000, zhongyuk/SMiLEConverter, 2017)"


@hookimpl
def ganlab_architectures() -> list[Component]:
    """Offer the networks."""
    return [
        Component(
            "face_mlp",
            "ganlab_dcgan.mlp:face_mlp",
            options=f"{_OPTIONS}:FaceMlpNetworks",
            summary="fully connected generator and discriminator, without normalisation; any size of image",
            paper=_FACES,
        ),
        Component(
            "dcgan",
            "ganlab_dcgan.radford:dcgan",
            options=f"{_OPTIONS}:DcganNetworks",
            summary="4x4 convolutions with stride 2 and batch normalisation, from 4x4 to the image and back",
            paper="Radford, Metz and Chintala, 2015",
        ),
        Component(
            "smile_gan",
            "ganlab_dcgan.smile:smile_gan",
            options=f"{_OPTIONS}:SmileNetworks",
            summary="5x5 convolutions in both networks, 2048 channels at 4x4; model 0 of SMiLEConverter",
            paper=_SMILE,
        ),
        Component(
            "smile_wgan",
            "ganlab_dcgan.smile:smile_wgan",
            options=f"{_OPTIONS}:SmileNetworks",
            summary="the generator of smile_gan and a 4x4 critic without biases that ends in patches; model 1",
            paper=_SMILE,
        ),
    ]


@hookimpl
def ganlab_objectives() -> list[Component]:
    """Offer the training procedures."""
    return [
        Component(
            "gan",
            "ganlab_dcgan.gan:Gan",
            options="ganlab_dcgan.objective_options:GanObjective",
            summary="one update of the discriminator, then one of the generator; labels are not used",
            paper="Goodfellow et al., 2014",
        ),
        Component(
            "wgan",
            "ganlab_dcgan.wgan:Wgan",
            options="ganlab_dcgan.objective_options:WganObjective",
            summary="many updates of a clipped critic, then one of the generator; labels are not used",
            paper="Arjovsky et al., 2017",
        ),
    ]
