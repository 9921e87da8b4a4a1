"""CelebA (Liu et al., 2015): 202,599 aligned faces of 10,177 people, with 40 attributes, from its published files."""

from ganlab import Component, hookimpl


@hookimpl
def ganlab_datasets() -> list[Component]:
    """Offer the published files."""
    return [
        Component(
            "celeba",
            "ganlab_celeba.dataset:CelebA",
            options="ganlab_celeba.options:CelebAOptions",
            summary="202,599 faces in colour with 40 attributes; reads img_align_celeba and its tables",
            paper="Liu et al., 2015",
        )
    ]
