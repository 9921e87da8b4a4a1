"""Your own images: class sub-folders, or a folder with a table of labels or attributes."""

from ganlab import Component, hookimpl


@hookimpl
def ganlab_datasets() -> list[Component]:
    """Offer images from a folder."""
    return [
        Component(
            "image_folder",
            "ganlab_image_folder.dataset:ImageFolder",
            options="ganlab_image_folder.options:ImageFolderOptions",
            summary="your own images: a sub-folder for each class, or labels.csv or attributes.csv beside them",
        )
    ]
