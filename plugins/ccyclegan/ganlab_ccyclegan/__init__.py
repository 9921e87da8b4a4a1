"""CCycleGAN, experiments T1 to T26, C1 and C2 of its author's log: one face with seven expressions."""

from ganlab import Component, hookimpl

_WORK = "CCycleGAN (facial expressions on FER2013)"
_PAPER = f"{_WORK}, experiment T26"
_NO_OPTIONS = "ganlab_ccyclegan.cycle_options:NoOptions"


@hookimpl
def ganlab_architectures() -> list[Component]:
    """Offer the networks of each experiment."""
    return [
        Component(
            "ccyclegan",
            "ganlab_ccyclegan.networks:CCycleGan",
            options="ganlab_ccyclegan.options:CCycleGanNetworks",
            summary="encoder of four latents, decoder with skips that takes the label, discriminator with two heads",
            paper=_PAPER,
        ),
        Component(
            "ccyclegan_t17",
            "ganlab_ccyclegan.architectures:T17",
            options="ganlab_ccyclegan.architecture_options:T17Networks",
            summary="a U-Net in two halves, the label beside the smallest feature map; a discriminator with two heads",
            paper=f"{_WORK}, experiment T17",
        ),
        Component(
            "ccyclegan_unet",
            "ganlab_ccyclegan.architectures:UnetPair",
            options="ganlab_ccyclegan.architecture_options:UnetNetworks",
            summary="a U-Net told the label at its image or at its smallest feature map; discriminators of image and label",
            paper=f"{_WORK}, experiments T1 to T16 and C1",
        ),
        Component(
            "ccyclegan_domains",
            "ganlab_ccyclegan.architectures:Domains",
            options="ganlab_ccyclegan.architecture_options:DomainNetworks",
            summary="two U-Nets, from the first of two classes to the second and back, and a discriminator of each class",
            paper=f"{_WORK}, experiment T4, after Zhu et al., 2017 (arXiv:1703.10593)",
        ),
        Component(
            "resnet_classifier",
            "ganlab_ccyclegan.architectures:ResnetClassifier",
            options="ganlab_ccyclegan.architecture_options:ResnetClassifierNetworks",
            summary="torchvision's ResNet and two dense layers: the class of a face",
            paper=f"{_WORK}, experiment C2, after He et al., 2016 (arXiv:1512.03385)",
        ),
    ]


@hookimpl
def ganlab_objectives() -> list[Component]:
    """Offer the training procedures."""
    return [
        Component(
            "ccyclegan",
            "ganlab_ccyclegan.objective:SharedLatents",
            options="ganlab_ccyclegan.options:CCycleGanObjective",
            summary="each image to other labels; fakes have no class; reconstruction from the same latents",
            paper=f"{_WORK}, experiments T17 to T26",
        ),
        Component(
            "ccyclegan_cycle",
            "ganlab_ccyclegan.cycle:TrueCycle",
            options="ganlab_ccyclegan.cycle_options:CycleObjective",
            summary="each image to one other label and back; the discriminator judges image and label, or tells the class",
            paper=f"{_WORK}, experiments T1 to T16",
        ),
        Component(
            "ccyclegan_domains",
            "ganlab_ccyclegan.two_domains:TwoDomains",
            options="ganlab_ccyclegan.cycle_options:DomainObjective",
            summary="CycleGAN between two classes, with generators and discriminators of their own",
            paper=f"{_WORK}, experiment T4, after Zhu et al., 2017 (arXiv:1703.10593)",
        ),
        Component(
            "matching",
            "ganlab_ccyclegan.matching:Matching",
            options="ganlab_ccyclegan.cycle_options:MatchingObjective",
            summary="the discriminator alone: does the label fit the image",
            paper=f"{_WORK}, experiment C1",
        ),
    ]


@hookimpl
def ganlab_losses() -> list[Component]:
    """Offer the losses that are the author's own, or as Keras computes them on sigmoids and softmaxes."""
    return [
        Component(
            "sigmoid_cce",
            "ganlab_ccyclegan.losses:SigmoidCrossEntropy",
            options=_NO_OPTIONS,
            family="classification",
            summary="Keras' categorical cross-entropy on sigmoids: -ln of the class's share of their sum",
            paper=_PAPER,
        ),
        Component(
            "softmax_mae",
            "ganlab_ccyclegan.losses:SoftmaxDistance",
            options=_NO_OPTIONS,
            family="classification",
            summary="absolute difference of each share of a softmax and its target",
            paper=f"{_WORK}, experiment T8",
        ),
        Component(
            "bce_mse",
            "ganlab_ccyclegan.losses:CrossEntropyThenSquares",
            options=_NO_OPTIONS,
            family="adversarial",
            summary="cross-entropy for the discriminator, squared distance of its probability to 1 for the generator",
            paper=f"{_WORK}, experiments T6 to T8",
        ),
    ]


@hookimpl
def ganlab_evaluators() -> list[Component]:
    """Offer what C1 was scored by."""
    return [
        Component(
            "matching",
            "ganlab_ccyclegan.matching_scores:MatchingScores",
            options="ganlab_ccyclegan.cycle_options:MatchingScoresOptions",
            summary="does a label fit a test image: accuracy, log loss and AUC over its own label and a wrong one",
            paper=f"{_WORK}, experiment C1",
        )
    ]
