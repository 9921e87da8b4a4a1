"""FER2013 (Goodfellow et al., 2013): 35,887 gray faces of 48 x 48 pixels with one of seven expressions."""

from ganlab import Component, hookimpl


@hookimpl
def ganlab_datasets() -> list[Component]:
    """Offer the contest's file."""
    return [
        Component(
            "fer2013",
            "ganlab_fer2013.dataset:Fer2013",
            options="ganlab_fer2013.options:Fer2013Options",
            summary="35,887 gray faces of 48 x 48 pixels, seven expressions; reads the contest's fer2013.csv",
            paper="Goodfellow et al., 2013",
        )
    ]
