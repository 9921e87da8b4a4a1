"""clean_fid: scores with the semantics and the weights of clean-fid (Parmar et al., 2022), and one that needs no weights.

Images are uint8, resized as PIL does in floating point, and seen by the Inception of 2015. clean-fid itself is not needed:
its parts that a score needs are a resize and a network file, and both are here without its downloader, its folders and its
random numbers. Its own code gives the same features, to 1e-5, in the tests. Importing this package imports no torch.
"""

from __future__ import annotations

from ganlab import Component, hookimpl
from ganlab_clean_fid.published import PUBLISHED


@hookimpl
def ganlab_evaluators() -> list[Component]:
    """Offer the scores."""
    return [
        Component(
            "fid",
            "ganlab_clean_fid.evaluators:fid",
            options="ganlab_clean_fid.options:InceptionOptions",
            summary="Frechet distance of Inception features, as clean-fid measures it; needs its weights",
            paper="Heusel et al., 2017; Parmar et al., 2022",
            weights=PUBLISHED,
        ),
        Component(
            "kid",
            "ganlab_clean_fid.evaluators:kid",
            options="ganlab_clean_fid.options:InceptionOptions",
            summary="kernel distance of Inception features, unbiased at any number of images; needs the weights",
            paper="Binkowski et al., 2018",
            weights=PUBLISHED,
        ),
        Component(
            "prdc",
            "ganlab_clean_fid.evaluators:prdc",
            options="ganlab_clean_fid.options:NeighbourOptions",
            summary="precision, recall, density and coverage of Inception features; needs the weights",
            paper="Kynkaanniemi et al., 2019; Naeem et al., 2020",
            weights=PUBLISHED,
        ),
        Component(
            "rfd",
            "ganlab_clean_fid.evaluators:RandomFeatureScore",
            options="ganlab_clean_fid.options:SamplingOptions",
            summary="Frechet distance of random features: orders models and needs no weights; it is no FID",
        ),
        Component(
            "class_fid",
            "ganlab_clean_fid.classes:class_fid",
            options="ganlab_clean_fid.options:InceptionClassOptions",
            summary="FID of each class and their mean, as CCycleGAN's T27 measures translators; needs the weights",
            weights=PUBLISHED,
        ),
        Component(
            "class_kid",
            "ganlab_clean_fid.classes:class_kid",
            options="ganlab_clean_fid.options:InceptionClassOptions",
            summary="KID of each class and their mean: unbiased, so for classes of few images; needs the weights",
            weights=PUBLISHED,
        ),
        Component(
            "class_rfd",
            "ganlab_clean_fid.classes:ClassRandomFeatureScore",
            options="ganlab_clean_fid.options:ClassOptions",
            summary="rfd of each class and their mean; needs no weights",
        ),
    ]
