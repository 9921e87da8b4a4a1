"""The claims of a data set: what it promises is what it reads, always, and its test images are unseen."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from ganlab.options import DatasetOptions
from ganlab.testing.dataset.faults import (
    digests,
    identity_fault,
    image_fault,
    label_fault,
    label_remark,
    name_fault,
    spec_fault,
    splits_fault,
)
from ganlab.testing.dataset.reading import (
    Reading,
    accepted,
    completed,
    first_reading,
    other_values,
    read,
    readable,
    sound,
    usable_options,
    whole,
)
from ganlab.testing.kit import Broken, Claim, NotApplicable, Subject, place_of
from ganlab.testing.surroundings import heard_files

_SEEN_SHARE = 0.1  # of the test images; fewer copies of training images are told, and forgiven


def claims(subject: Subject) -> Iterable[Claim]:
    """Return the claims, what is promised first."""
    return (
        promises_without_reading,
        names_its_sources,
        reads_two_splits,
        gives_images,
        gives_labels,
        names_its_images,
        reads_the_same_twice,
        moves_no_random_number,
        reads_its_sources_only,
        honours_size_and_channels,
        says_what_is_seen,
        caches_what_decides,
        offers_labels,
        parts_people,
        parts_images,
    )


# What is promised


def promises_without_reading(subject: Subject) -> None:
    """Says what its images look like without opening a file."""
    options = completed(subject.options())
    where = place_of(type(options).data_spec)
    options.data_spec()  # whatever it imports is imported now
    with heard_files() as opened:
        spec, again = options.data_spec(), options.data_spec()
    if opened:
        raise Broken(f"data_spec() opens {opened[0]}; a recipe must be checked before any data are there", where)
    if spec != again:
        raise Broken(f"data_spec() says {spec} and then {again}", where)
    if fault := spec_fault(spec):
        raise Broken(f"data_spec() says {fault}", where)


def names_its_sources(subject: Subject) -> str | None:
    """Names the files that it reads, all of them there."""
    sources = readable(subject).sources
    for source in sources:
        if not source.is_file():
            what = "is a folder" if source.is_dir() else "is not there"
            advice = "name the files in it" if source.is_dir() else "raise DataError, saying how to get it"
            raise Broken(f"sources() names {source}, which {what}; {advice}")
    return None if sources else "reads no file"


# What is read


def reads_two_splits(subject: Subject) -> str:
    """Reads the splits train and test, neither of them empty."""
    usable_options(subject)
    splits = first_reading(subject).splits  # what it raises is the fault
    if fault := splits_fault(splits):
        raise Broken(fault)
    return " and ".join(f"{len(images.images)} {split}" for split, images in splits.items()) + " images"


def gives_images(subject: Subject) -> str | None:
    """Gives uint8 images [N, C, H, W], square, gray or colour, from 0 to 255."""
    reading = whole(subject)
    for split, images in reading.splits.items():
        if fault := image_fault(images):
            raise Broken(f"split {split}: {fault}")
    shape, promised = reading.splits["train"].images.shape[1:], reading.promised
    fitted = (promised.channels, promised.size_px, promised.size_px)
    if tuple(shape) != fitted:
        return f"read as {_shape(shape)}; ganlab makes {_shape(fitted)} of them"
    return None


def gives_labels(subject: Subject) -> str | None:
    """Gives every image a label of the kind that it promises."""
    return _check_labels(whole(subject))


def names_its_images(subject: Subject) -> None:
    """Gives each image a name of its own, where it says which file or line an image comes from."""
    splits = whole(subject).splits
    if faults := [f"split {split}: {fault}" for split, images in splits.items() if (fault := name_fault(images))]:
        raise Broken(faults[0])
    if all(images.names is None for images in splits.values()):
        raise NotApplicable("read() does not say where the images come from")


def reads_the_same_twice(subject: Subject) -> None:
    """Reads the same twice, bit for bit.

    Whatever the random numbers before, and under one fingerprint.
    """
    first = sound(subject)
    second = read(subject, first.options, seed=2)
    if difference := first.difference(second):
        raise Broken(
            f"reading twice, {difference}; draw from a generator of your own with a fixed seed, sort what a folder lists"
        )
    one, two = first.cached().fingerprint, second.cached().fingerprint
    if one != two:
        raise Broken(f"the same data have the fingerprints {one[:16]} and {two[:16]}: sources() or content() changed")


def moves_no_random_number(subject: Subject) -> None:
    """Moves no random numbers but its own.

    The global ones are the run's.
    """
    if moved := readable(subject).moved:
        raise Broken(f"reading moves the random numbers of {' and '.join(moved)}; use a generator of your own")


def reads_its_sources_only(subject: Subject) -> None:
    """Opens no file that sources() does not name.

    The cache notices every change of those that it names.
    """
    reading = readable(subject)
    named = {source.absolute().resolve() for source in reading.sources}
    own = Path(place_of(subject.component.load_target()).rpartition(":")[0] or ".").absolute().parent
    for path in reading.opened:
        if path.resolve() not in named and own not in path.parents:
            raise Broken(f"read() opens {path}, which sources() does not name: the cache would not notice a change of it")


# What options do


def honours_size_and_channels(subject: Subject) -> str:
    """Honours size_px and channels where its options accept them."""
    options = usable_options(subject)
    size_px = 16 if options.size_px != 16 else 32
    found = []
    for key, value in (("size_px", size_px), ("channels", 1), ("channels", 3)):
        if changed := accepted(subject, **{key: value}):
            promised = getattr(changed.data_spec(), key)
            if promised != value:
                raise Broken(f"{key} = {value} is accepted and data_spec() says {promised}", place_of(type(options).data_spec))
            for split, images in _read(subject, changed).splits.items():
                if fault := image_fault(images):
                    raise Broken(f"with {key} = {value}, split {split}: {fault}")
            found.append(f"{key} = {value}")
    if not found:
        raise NotApplicable(f"its options accept neither size_px = {size_px} nor channels")
    return ", ".join(found)


def says_what_is_seen(subject: Subject) -> None:
    """Says that the test images are seen when `split` trains on them."""
    where = place_of(type(usable_options(subject)).data_spec)
    specs = {split: options.data_spec() for split in ("test", "all") if (options := accepted(subject, split=split))}
    for split, spec in specs.items():
        if not spec.test_seen:
            told = "data_spec() says test_seen = False: scores would not say so"
            raise Broken(f'split = "{split}" trains on the test images, and {told}', where)
    if not specs:
        raise NotApplicable("its options accept the training images only")


def caches_what_decides(subject: Subject) -> str | None:
    """Reads the same whatever the options are that content() leaves out.

    The cache cannot tell them apart.
    """
    first = whole(subject)
    content = first.options.content()
    json.dumps(content)
    tried = []
    for field in type(first.options).model_fields:
        for value in other_values(first.options, field):
            changed = accepted(subject, **{field: value})
            if changed is None or changed.content() != content:
                continue
            if difference := first.difference(_read(subject, changed)):
                raise Broken(
                    f"with {field} = {json.dumps(value)}, {difference}; content() leaves {field} out, "
                    "so the cache would give the old ones",
                    place_of(type(first.options)),
                )
            tried.append(field)
    return f"tried {', '.join(dict.fromkeys(tried))}" if tried else None


def offers_labels(subject: Subject) -> str:
    """Reads every kind of labels that its options accept."""
    own = usable_options(subject).labels
    kinds = [kind for kind in ("expression", "attributes") if kind != own]
    if attributes := accepted(subject, labels="attributes"):
        kinds += attributes.data_spec().label_names[:1]
    found = [json.dumps(own)]
    for kind in kinds:
        if changed := accepted(subject, labels=kind):
            if fault := spec_fault(changed.data_spec()):
                raise Broken(f'with labels = "{kind}", data_spec() says {fault}', place_of(type(changed).data_spec))
            _check_labels(_read(subject, changed), f'with labels = "{kind}", ')
            found.append(json.dumps(kind))
    typo = accepted(subject, labels="no_such_label")
    accepts_all = "; any other name is accepted too" if typo and typo.data_spec().labels else ""
    return f"labels = {', '.join(found)}{accepts_all}"


# What is kept apart


def parts_people(subject: Subject) -> str:
    """Has no person in both training and test images."""
    reading = whole(subject)
    for split, images in reading.splits.items():
        if fault := identity_fault(images):
            raise Broken(f"split {split}: {fault}")
    train, test = (reading.splits[split].identities for split in ("train", "test"))
    if train is None or test is None:
        raise NotApplicable("read() does not say whose faces they are")
    people = [set(np.asarray(split).tolist()) for split in (train, test)]
    both = people[0] & people[1]
    if both and not reading.promised.test_seen:
        raise Broken(f"{len(both)} of {len(people[1])} people of the test images are also trained on, such as {min(both)}")
    return _seen(reading) or f"{len(people[0])} and {len(people[1])} people"


def parts_images(subject: Subject) -> str | None:
    """Has no image in both training and test images."""
    reading = sound(subject)
    train, test = (digests(reading.splits[split]) for split in ("train", "test"))
    trained = set(train)
    copies = sum(digest in trained for digest in test)
    told = f"{copies} of {len(test)} test images are training images too, bit for bit"
    if copies >= _SEEN_SHARE * len(test) and not reading.promised.test_seen:
        raise Broken(f"{told}; keep them apart, or let data_spec() say test_seen = True")
    return _seen(reading) or (told if copies else None)


# What is wrong with a reading


def _read(subject: Subject, options: DatasetOptions) -> Reading:
    """Read with other options, if it can be read at all."""
    whole(subject)
    return read(subject, options)


def _check_labels(reading: Reading, setting: str = "") -> str | None:
    """Raise Broken, its reason begun by `setting`, for wrong labels; return a remark on those that are right."""
    remarks = []
    for split, images in reading.splits.items():
        if fault := label_fault(images, reading.promised):
            raise Broken(f"{setting}split {split}: {fault}")
        if remark := label_remark(images, reading.promised):
            remarks.append(f"split {split}: {remark}")
    return "; ".join(remarks) or None


def _shape(shape: Sequence[int]) -> str:
    return f"{shape[0]} x {shape[1]} x {shape[2]}"


def _seen(reading: Reading) -> str | None:
    return "the test images are trained on, and data_spec() says so" if reading.promised.test_seen else None
