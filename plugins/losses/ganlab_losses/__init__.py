"""The losses that many variants share, and the worked example of a plugin: each formula is a class of its own."""

from ganlab import Component, hookimpl

_OPTIONS = "ganlab_losses.options"
_NO_OPTIONS = f"{_OPTIONS}:NoOptions"


@hookimpl
def ganlab_losses() -> list[Component]:
    """Offer each formula by name."""
    return [*_adversarial(), *_joint_and_paired(), *_penalties(), *_distances_and_classifications()]


def _adversarial() -> list[Component]:
    return [
        Component(
            "bce",
            "ganlab_losses.adversarial:BinaryCrossEntropy",
            options=f"{_OPTIONS}:BinaryCrossEntropyOptions",
            family="adversarial",
            summary="non-saturating binary cross-entropy on logits; soft targets of real and fake images by option",
            paper="Goodfellow et al., 2014",
        ),
        Component(
            "hinge",
            "ganlab_losses.adversarial:Hinge",
            options=_NO_OPTIONS,
            family="adversarial",
            summary="hinge on logits: real ones above 1, fake ones below -1",
            paper="Lim and Ye, 2017; Miyato et al., 2018",
        ),
        Component(
            "lsgan",
            "ganlab_losses.adversarial:LeastSquares",
            options=f"{_OPTIONS}:LeastSquaresOptions",
            family="adversarial",
            summary="least squares: squared distance of logits to targets",
            paper="Mao et al., 2017",
        ),
        Component(
            "wasserstein",
            "ganlab_losses.adversarial:Wasserstein",
            options=_NO_OPTIONS,
            family="adversarial",
            summary="difference of mean logits; wants a penalty, clipping or spectral normalisation",
            paper="Arjovsky et al., 2017",
        ),
    ]


def _joint_and_paired() -> list[Component]:
    return [
        Component(
            "lecam",
            "ganlab_losses.lecam:LeCam",
            options=f"{_OPTIONS}:LeCamOptions",
            family="joint",
            summary="a base loss, and logits held near moving averages, for few training images",
            paper="Tseng et al., 2021",
        ),
        Component(
            "relativistic_average",
            "ganlab_losses.relativistic:RelativisticAverage",
            options=_NO_OPTIONS,
            family="joint",
            summary="each logit against the mean logit of the other kind (RaSGAN)",
            paper="Jolicoeur-Martineau, 2018",
        ),
        Component(
            "relativistic_paired",
            "ganlab_losses.relativistic:RelativisticPaired",
            options=_NO_OPTIONS,
            family="paired",
            summary="each real logit against that of its fake (RpGAN, as in R3GAN)",
            paper="Jolicoeur-Martineau, 2018; Huang et al., 2024",
        ),
    ]


def _penalties() -> list[Component]:
    return [
        Component(
            "none",
            "ganlab_losses.penalties:NoPenalty",
            options=_NO_OPTIONS,
            family="penalty",
            summary="no penalty; nothing is computed",
        ),
        Component(
            "r1",
            "ganlab_losses.penalties:RealPenalty",
            options=_NO_OPTIONS,
            family="penalty",
            summary="half the squared slope of the critic at real images; its weight is gamma",
            paper="Mescheder et al., 2018",
        ),
        Component(
            "r2",
            "ganlab_losses.penalties:FakePenalty",
            options=_NO_OPTIONS,
            family="penalty",
            summary="half the squared slope of the critic at fake images; its weight is gamma",
            paper="Mescheder et al., 2018",
        ),
        Component(
            "wgan_gp",
            "ganlab_losses.penalties:GradientPenalty",
            options=_NO_OPTIONS,
            family="penalty",
            summary="squared distance of the critic's slope to 1, between real and fake images",
            paper="Gulrajani et al., 2017",
        ),
    ]


def _distances_and_classifications() -> list[Component]:
    return [
        Component(
            "l1",
            "ganlab_losses.formulas:L1",
            options=_NO_OPTIONS,
            family="distance",
            summary="absolute difference",
        ),
        Component(
            "l2",
            "ganlab_losses.formulas:L2",
            options=_NO_OPTIONS,
            family="distance",
            summary="squared difference",
        ),
        Component(
            "binary",
            "ganlab_losses.formulas:BinaryClassification",
            options=f"{_OPTIONS}:SmoothedOptions",
            family="classification",
            summary="binary cross-entropy of each label on its own",
        ),
        Component(
            "categorical",
            "ganlab_losses.formulas:CategoricalClassification",
            options=f"{_OPTIONS}:SmoothedOptions",
            family="classification",
            summary="cross-entropy of a softmax over the classes",
        ),
    ]
