"""Classifiers of images: a small network, the usual training, the usual scores; judges of what other models make."""

from ganlab import Component, hookimpl


@hookimpl
def ganlab_architectures() -> list[Component]:
    """Offer a small network."""
    return [
        Component(
            "face_cnn",
            "ganlab_classifier.networks:FaceCnn",
            options="ganlab_classifier.options:FaceCnnOptions",
            summary="a small convolutional classifier with batch norm, from 16 px up, of classes or attributes",
        )
    ]


@hookimpl
def ganlab_objectives() -> list[Component]:
    """Offer supervised training."""
    return [
        Component(
            "classification",
            "ganlab_classifier.objective:Classification",
            options="ganlab_classifier.options:ClassificationOptions",
            summary="a classifier learns the labels of the training images",
        )
    ]


@hookimpl
def ganlab_evaluators() -> list[Component]:
    """Offer scores on the test images."""
    return [
        Component(
            "accuracy",
            "ganlab_classifier.accuracy:Accuracy",
            options="ganlab_classifier.options:AccuracyOptions",
            summary="a classifier on the test images: accuracy, also of each label and as their mean, and log loss",
        )
    ]
