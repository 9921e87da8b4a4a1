"""What a drawn face is, and what it does not depend on."""

import pytest
import torch
from ganlab_synthetic_faces import (
    EXPRESSIONS,
    FIRST_IDENTITY,
    answers,
    expression,
    face_window,
    faces,
    identity,
    render,
    scene,
)
from ganlab_synthetic_faces.records import rows_of
from torch import Tensor


def drawn(rows: Tensor, size_px: int = 48, channels: int = 1, chunk_images: int = 32) -> Tensor:
    """Return the hard set's training faces at `rows`."""
    these = faces(5, rows, level="hard", identities=20)
    return render(these.identity, these.scene, these.expression, size_px, channels, chunk_images)


@pytest.mark.parametrize(("size_px", "channels"), [(16, 1), (48, 1), (33, 3), (64, 3)])
def test_a_picture_depends_on_its_row_alone(size_px: int, channels: int) -> None:
    rows = torch.arange(140)
    every = drawn(rows, size_px, channels)
    assert torch.equal(drawn(rows, size_px, channels, chunk_images=9), every)
    shuffled = torch.randperm(140, generator=torch.Generator().manual_seed(0))[:37]
    assert torch.equal(drawn(shuffled, size_px, channels), every[shuffled])
    assert torch.equal(drawn(rows[50:51], size_px, channels), every[50:51])


def test_threads_change_no_picture_and_are_restored() -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        two = drawn(torch.arange(8))
        assert torch.get_num_threads() == 2
        torch.set_num_threads(1)
        assert torch.equal(drawn(torch.arange(8)), two)
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("size_px", [16, 48, 128])
@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_use_the_range_at_every_size(size_px: int, channels: int) -> None:
    images = drawn(torch.arange(14), size_px, channels)
    assert images.shape == (14, channels, size_px, size_px)
    assert images.dtype == torch.uint8
    assert images.float().std((1, 2, 3)).min() > 15  # no flat picture
    assert ((images == 0) | (images == 255)).float().mean() < 0.2


def test_gray_is_the_luminance_of_colour() -> None:
    gray, colour = drawn(torch.arange(14)).float(), drawn(torch.arange(14), channels=3).float()
    luminance = (colour * torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)).sum(1, keepdim=True)
    assert (gray - luminance).abs().mean() < 3  # rouge, and what is cut off at white, differ


@pytest.mark.parametrize("size_px", [15, 129])
def test_sizes_that_cannot_be_drawn_are_refused(size_px: int) -> None:
    with pytest.raises(ValueError) as raised:
        drawn(torch.arange(1), size_px)
    assert str(raised.value) == f"size_px is {size_px}; faces are drawn from 16 to 128 pixels"


def test_two_channels_are_refused() -> None:
    with pytest.raises(ValueError) as raised:
        drawn(torch.arange(1), channels=2)
    assert str(raised.value) == "channels is 2; faces are drawn in 1 (gray) or 3 (colour)"


def test_an_expression_changes_the_face_only() -> None:
    index = torch.arange(30)
    people, scenes = identity(0, index), scene(0, index, 0.35, "portrait")
    neutral, *others = (
        render(people, scenes, expression(torch.full((30,), label), 1.0)).int() for label in (6, 0, 1, 2, 3, 4, 5)
    )
    changes = torch.stack([(other - neutral).abs() for other in others]).amax((0, 1, 2))
    assert changes[:5].max() == 0  # above the forehead
    assert changes[:, :6].max() == 0
    assert changes[:, -6:].max() == 0  # and beside it
    rows, columns = face_window(48, "portrait")
    assert changes[rows, columns].float().mean() > 50


def test_the_seven_expressions_differ_on_average_and_in_each_person() -> None:
    rows, columns = face_window(48)
    every = answers(0, torch.arange(60), level="default").float()[..., rows, columns].flatten(2)
    others = ~torch.eye(len(EXPRESSIONS), dtype=torch.bool)
    mean = every.mean(0)
    assert (torch.cdist(mean, mean, p=1) / mean.shape[1])[others].min() > 1.5  # gray levels a pixel
    assert (torch.cdist(every, every, p=1) / mean.shape[1]).mean(0)[others].min() > 4


def test_answers_hold_the_picture_itself_at_its_label() -> None:
    rows = torch.arange(21)
    given = faces(3, rows, split="fresh")
    every = answers(3, rows, split="fresh")
    assert every.shape == (21, 7, 1, 48, 48)
    assert torch.equal(every[rows, given.labels], render(given.identity, given.scene, given.expression))
    assert given.persons.min() >= FIRST_IDENTITY["fresh"]


def test_stronger_expressions_are_farther_from_neutral() -> None:
    one = torch.zeros(6, dtype=torch.int64)
    person, circumstances = identity(1, one), scene(1, one, 0.0)
    strengths = torch.tensor([0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
    for label in range(6):
        ramp = render(person, circumstances, expression(torch.full((6,), label), strengths)).float()
        distances = (ramp - ramp[:1]).abs().mean((1, 2, 3))
        assert torch.equal(distances, distances.sort().values), EXPRESSIONS[label]


def test_a_person_is_the_same_in_any_company() -> None:
    index = torch.tensor([7, 50_003, 7, 11])
    alone = identity(9, torch.tensor([7]))
    assert torch.equal(identity(9, index).colours.skin[2:3], alone.colours.skin)
    assert torch.equal(rows_of(identity(9, index), slice(0, 1)).nose.length, alone.nose.length)
    assert not torch.equal(identity(10, torch.tensor([7])).nose.length, alone.nose.length)


def test_the_face_window_covers_brows_to_chin() -> None:
    assert face_window(48) == (slice(10, 48), slice(8, 40))
    assert face_window(128, "portrait") == (slice(32, 113), slice(32, 96))
