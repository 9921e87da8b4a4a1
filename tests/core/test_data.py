"""Which images come next, and what they look like on the device."""

import pytest
import torch
from torch import Tensor

from ganlab.contracts import ImageSet
from ganlab.data.bank import make_bank, one_hot, select
from ganlab.data.draws import Draws
from ganlab.errors import DataError

CPU = torch.device("cpu")


def draws_of(count: int, batch_images: int, *, with_replacement: bool = False, seed: int = 0) -> Draws:
    labels = one_hot(torch.arange(count) % 3, 3, count)
    return Draws(labels, batch_images=batch_images, with_replacement=with_replacement, seed=seed)


def image_set(count: int, first: int = 0) -> ImageSet:
    """Return images of one brightness each, numbered from `first`."""
    numbers = torch.arange(first, first + count)
    return ImageSet(
        images=numbers.to(torch.uint8)[:, None, None, None].expand(-1, 1, 2, 2).contiguous(),
        labels=numbers % 3,
        identities=numbers,
    )


# Draws


def test_without_replacement_each_image_comes_once_an_epoch_in_a_new_order() -> None:
    draws = draws_of(12, 4)
    epochs = [torch.cat([draws.rows(4) for _ in range(3)]).tolist() for _ in range(3)]
    assert [sorted(epoch) for epoch in epochs] == [list(range(12))] * 3
    assert epochs[0] != epochs[1] != epochs[2]
    assert (draws.images, draws.epoch) == (36, 3.0)


def test_a_rest_smaller_than_a_batch_waits_for_no_one() -> None:
    draws = draws_of(14, 4)
    epoch = torch.cat([draws.rows(4) for _ in range(3)]).tolist()
    assert len(set(epoch)) == 12
    assert draws.epoch == 1.0  # as many whole batches as the set has


def test_with_replacement_an_image_may_come_again() -> None:
    draws = draws_of(1000, 100, with_replacement=True)
    drawn = torch.cat([draws.rows(100) for _ in range(10)])
    assert 600 < len(drawn.unique()) < 660  # 1 - 1/e of the set
    assert (int(drawn.min()) >= 0, int(drawn.max()) < 1000, draws.epoch) == (True, True, 1.0)


@pytest.mark.parametrize("with_replacement", [False, True])
def test_draws_go_on_from_their_state(with_replacement: bool) -> None:
    def next_draws(draws: Draws) -> list[list[int]]:
        return [draws.rows(4).tolist(), draws.label_rows(3).tolist(), draws.rows(2, of=1).tolist(), draws.rows(4).tolist()]

    draws = draws_of(14, 4, with_replacement=with_replacement)
    draws.rows(4)
    state = {name: value.clone() for name, value in draws.state().items()}
    again = draws_of(14, 4, with_replacement=with_replacement, seed=99)
    again.load(state)
    assert next_draws(again) == next_draws(draws)
    assert again.images == draws.images == 14  # labels alone are not images drawn


def test_images_of_one_class_are_of_that_class() -> None:
    draws = draws_of(12, 4)
    rows = draws.rows(50, of=2)
    assert set(rows.tolist()) == {2, 5, 8, 11}
    labels = torch.zeros(4, 3)
    labels[:, 0] = 1
    with pytest.raises(DataError, match="the training set has no image of class 1"):
        Draws(labels, batch_images=2, with_replacement=False, seed=0).rows(1, of=1)


def test_a_batch_larger_than_the_set_is_refused() -> None:
    with pytest.raises(DataError) as error:
        draws_of(3, 4)
    assert str(error.value) == "training.batch_images: a batch of 4 is more than the 3 training images"
    with pytest.raises(DataError, match="the objective draws 9 images at once, more than the 5 training images"):
        draws_of(5, 4).rows(9)


# The bank


def test_pixels_reach_minus_one_and_one_and_labels_are_one_hot() -> None:
    images = torch.tensor([0, 255, 51], dtype=torch.uint8)[:, None, None, None].expand(-1, 3, 4, 4).contiguous()
    bank = make_bank(ImageSet(images=images, labels=torch.tensor([2, 0, 1])), 3, CPU)
    batch = bank.batch(torch.tensor([0, 1, 2, 1]), flip=False)
    assert batch.images.shape == (4, 3, 4, 4)
    assert batch.images[:, 0, 0, 0].tolist() == pytest.approx([-1, 1, -0.6, 1])
    assert batch.labels.tolist() == [[0, 0, 1], [1, 0, 0], [0, 1, 0], [1, 0, 0]]
    assert (len(batch), len(batch[:2]), batch[:2].labels.tolist()) == (4, 2, [[0, 0, 1], [1, 0, 0]])
    assert int(images[0, 0, 0, 0]) == 0  # the set itself is left alone


def test_attributes_stay_as_they_are_and_no_labels_are_none() -> None:
    attributes = torch.tensor([[1, 0, 1], [0, 0, 1]], dtype=torch.uint8)
    assert one_hot(attributes, 3, 2).tolist() == [[1, 0, 1], [0, 0, 1]]
    assert one_hot(attributes, 3, 2).dtype == torch.float32
    assert one_hot(None, 0, 5).shape == (5, 0)
    assert one_hot(torch.zeros(5), 0, 5).shape == (5, 0)


def test_about_half_of_the_images_are_mirrored_left_to_right_only() -> None:
    picture = torch.arange(8, dtype=torch.uint8).view(1, 1, 2, 4) * 30
    bank = make_bank(ImageSet(images=picture), 0, CPU)
    batch = bank.batch(torch.zeros(1000, dtype=torch.int64), flip=True).images
    straight = bank.batch(torch.zeros(1, dtype=torch.int64), flip=False).images[0]

    def count(image: Tensor) -> int:
        return int((batch == image).flatten(1).all(1).sum())

    mirrored = count(straight.flip(2))
    assert count(straight) + mirrored == 1000
    assert 440 < mirrored < 560


# Splits


def test_split_and_limit_choose_the_training_images() -> None:
    splits = {"train": image_set(6), "test": image_set(4, first=100)}

    def chosen(split: str, images: int | None) -> list[int]:
        selected = select(splits, split, images)
        assert len(selected.images) == len(selected.labels) == len(selected.identities)
        return selected.images[:, 0, 0, 0].tolist()

    assert chosen("train", None) == [0, 1, 2, 3, 4, 5]
    assert chosen("test", 2) == [100, 101]
    assert chosen("all", None) == [0, 1, 2, 3, 4, 5, 100, 101, 102, 103]
    assert chosen("all", 7)[-1] == 100
    assert chosen("train", 99) == [0, 1, 2, 3, 4, 5]  # a limit above the set is no fault
    with pytest.raises(DataError) as error:
        select(splits, "valid", None)
    assert str(error.value) == "dataset.split: the data set has no split 'valid'; it has train, test"
