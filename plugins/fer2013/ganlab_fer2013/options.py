"""Options of FER2013."""

from pydantic import Field

from ganlab import DatasetOptions, DataSpec

EXPRESSIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")  # 0 to 6 in the column "emotion"
SIZE_PX = 48


class Fer2013Options(DatasetOptions):
    """Where the contest's file is, and whether its test images are trained on."""

    path: str | None = Field(
        None,
        description="fer2013.csv, also as .gz or .xz, or the folder that holds it; None: GANLAB_DATA, else ./datasets",
    )
    test_in_training: bool = Field(
        False, description="train on the test images too, as CCycleGAN T23 to T26 were published; every score says so"
    )

    def data_spec(self) -> DataSpec:
        """Return what the images look like."""
        if self.labels != "expression":
            raise ValueError(f'labels = "{self.labels}": FER2013 has labels = "expression" only')
        if self.test_in_training and self.split == "all":
            raise ValueError('test_in_training = true and split = "all" would train on each test image twice; drop one')
        return DataSpec(
            size_px=self.size_px or SIZE_PX,
            channels=self.channels or 1,
            label_kind="classes",
            label_names=EXPRESSIONS,
            test_seen=self.test_in_training or self.split != "train",
        )
