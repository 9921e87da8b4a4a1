"""Scores of conditional models: are the asked labels seen, is the face kept, do outputs differ, are they new.

Whether a label is seen is asked of a judge: a classifier that another recipe trained on real images, never the class head
of the model that is scored. Importing this package imports no torch.
"""

from __future__ import annotations

from ganlab import Component, hookimpl


@hookimpl
def ganlab_evaluators() -> list[Component]:
    """Offer the scores."""
    return [
        Component(
            "conditional",
            "ganlab_scores.conditional:Conditional",
            options="ganlab_scores.options:ConditionalOptions",
            summary="whether a judge sees the labels that a model was asked for, label by label",
        ),
        Component(
            "translation",
            "ganlab_scores.translation:Translation",
            options="ganlab_scores.options:ConditionalOptions",
            summary="whether a judge sees the target in translated photos, what is kept of each photo, and whether it changed",
            paper="structural similarity: Wang et al., 2004",
        ),
        Component(
            "fd_classifier",
            "ganlab_scores.judged_distance:JudgedDistance",
            options="ganlab_scores.options:JudgedDistanceOptions",
            summary="Frechet distance of a judge's features, which are about what it tells apart; it is no FID",
        ),
        Component(
            "diversity",
            "ganlab_scores.diversity:Diversity",
            options="ganlab_scores.options:DiversityOptions",
            summary="how far outputs for one label lie apart, beside real images of one label; needs no judge",
        ),
        Component(
            "memorisation",
            "ganlab_scores.memorisation:Memorisation",
            options="ganlab_scores.options:MemorisationOptions",
            summary="how many outputs lie nearer to a training image than training images to each other; needs no judge",
        ),
    ]
