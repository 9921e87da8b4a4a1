"""Images with 40 attributes -> a folder as CelebA is published: pictures of 178 x 218 and their tables."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ganlab.contracts import DataSpec, ImageSet
from ganlab.files import PARTIAL, explained, sync_folder

CELEBA_ATTRIBUTES = (
    *("5_o_Clock_Shadow", "Arched_Eyebrows", "Attractive", "Bags_Under_Eyes", "Bald", "Bangs", "Big_Lips", "Big_Nose"),
    *("Black_Hair", "Blond_Hair", "Blurry", "Brown_Hair", "Bushy_Eyebrows", "Chubby", "Double_Chin", "Eyeglasses"),
    *("Goatee", "Gray_Hair", "Heavy_Makeup", "High_Cheekbones", "Male", "Mouth_Slightly_Open", "Mustache"),
    *("Narrow_Eyes", "No_Beard", "Oval_Face", "Pale_Skin", "Pointy_Nose", "Receding_Hairline", "Rosy_Cheeks"),
    *("Sideburns", "Smiling", "Straight_Hair", "Wavy_Hair", "Wearing_Earrings", "Wearing_Hat", "Wearing_Lipstick"),
    *("Wearing_Necklace", "Wearing_Necktie", "Young"),
)
EXPORTED = "exported_by_ganlab.txt"  # says that the pictures are not CelebA's, and that the folder may be overwritten

_WIDTH_PX, _HEIGHT_PX = 178, 218
_QUALITY = 92  # of the published files, by their quantisation tables
_TRAIN, _VALIDATION, _TEST = 0, 1, 2
_VALIDATION_SHARE = 9  # one person in so many of the training images, as published


def write_celeba(folder: Path, splits: Mapping[str, ImageSet], spec: DataSpec) -> dict[str, int]:
    """Write the folder, which is whole or absent; return how many images each part of the partition has."""
    partial = folder.with_name(f".{secrets.token_hex(8)}{PARTIAL}")
    try:
        (partial / "img_align_celeba").mkdir(parents=True)
        parts, attributes, identities = _tables(splits, spec)
        names = [f"{number:06}.jpg" for number in range(1, len(parts) + 1)]
        images = (image for split in ("train", "test") for image in splits[split].images)
        for name, image in zip(names, images, strict=True):
            _write_picture(partial / "img_align_celeba" / name, image)
        rows = (f"{name} {' '.join(values)}" for name, values in zip(names, attributes.tolist(), strict=True))
        _write_lines(partial / "list_attr_celeba.txt", [str(len(names)), " ".join(CELEBA_ATTRIBUTES), *rows])
        columns = {"list_eval_partition.txt": parts}
        columns |= {} if identities is None else {"identity_CelebA.txt": identities}
        for file, column in columns.items():
            _write_lines(partial / file, [f"{name} {value}" for name, value in zip(names, column.tolist(), strict=True)])
        _write_lines(
            partial / EXPORTED, ["Written by `ganlab data export` in the layout of CelebA; these are not its pictures."]
        )
        if folder.exists():
            shutil.rmtree(folder)
        partial.replace(folder)
        sync_folder(folder.parent)
    except OSError as error:
        raise explained(error, folder) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    counts = np.bincount(parts, minlength=3).tolist()
    return dict(zip(("train", "validation", "test"), counts, strict=True))


def _tables(
    splits: Mapping[str, ImageSet], spec: DataSpec
) -> tuple[NDArray[np.int64], NDArray[np.str_], NDArray[np.int64] | None]:
    """Return the partition [N], "1" or "-1" [N, 40] in CelebA's order, and whose face it is [N], if that is known."""
    columns = [spec.label_names.index(name) for name in CELEBA_ATTRIBUTES]
    labels = np.concatenate([np.asarray(splits[split].labels) for split in ("train", "test")])
    people = [splits[split].identities for split in ("train", "test")]
    train = np.full(len(splits["train"].images), _TRAIN)
    if people[0] is not None and len(train):
        known = np.unique(people[0])
        train[np.isin(people[0], known[len(known) - len(known) // _VALIDATION_SHARE :])] = _VALIDATION
    parts = np.concatenate([train, np.full(len(splits["test"].images), _TEST)])
    identities = None if any(split is None for split in people) else np.concatenate(people)
    return parts, np.where(labels[:, columns] == 1, "1", "-1"), identities


def _write_picture(path: Path, image: Tensor) -> None:
    """Write a square [3, S, S] in the middle of a picture, its first and last row repeated above and below."""
    from PIL import Image

    square = Image.fromarray(np.ascontiguousarray(image.permute(1, 2, 0).numpy()))
    square = square.resize((_WIDTH_PX, _WIDTH_PX), Image.Resampling.BICUBIC)
    above = (_HEIGHT_PX - _WIDTH_PX) // 2
    pixels = np.pad(np.asarray(square), ((above, _HEIGHT_PX - _WIDTH_PX - above), (0, 0), (0, 0)), mode="edge")
    Image.fromarray(pixels).save(path, "JPEG", quality=_QUALITY, subsampling="4:2:0")


def _write_lines(path: Path, lines: list[str]) -> None:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
