"""Decimal numbers in text -> images, all at once: digits are weighed by their place, then taken where a number ends."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ganlab_fer2013.options import SIZE_PX

_PIXELS = SIZE_PX * SIZE_PX


def pixels_of(rows: Sequence[bytes], room: NDArray[np.uint8] | None = None) -> NDArray[np.uint8] | None:
    """Return [N, 2304]; None if a row holds anything but 2304 numbers up to 255 of at most three digits and spaces.

    Each line below is one pass over all bytes, at some GB/s; that is why no row is looked at on its own. `room`, uint8
    [6, bytes], is where the passes leave what they find: asking the system for new memory takes longer than they do.
    """
    # Three spaces stand before the first byte and one behind the last, so that every byte has neighbours.
    text = np.frombuffer(b"   " + b" ".join(rows) + b" ", np.uint8)
    if room is None or room.shape[1] < len(text):
        room = np.empty((6, len(text)), np.uint8)
    digit, is_digit, two, three, value, spare = room[:, : len(text)]
    np.subtract(text, ord("0"), out=digit)  # wraps: 10 and more for whatever is no digit
    np.less_equal(digit, 9, out=is_digit.view(bool))
    np.equal(text, ord(" "), out=spare.view(bool))
    spare |= is_digit
    if not spare.all():
        return None

    # Whether the number that a byte belongs to has two, three or four digits so far.
    np.bitwise_and(is_digit[1:], is_digit[:-1], out=two[1:])
    np.bitwise_and(two[2:], two[1:-1], out=three[2:])
    np.bitwise_and(three[3:], three[2:-1], out=spare[3:])
    if spare[3:].any():
        return None

    # The value of the number up to each byte, modulo 256.
    np.multiply(digit[:-1], 10, out=value[1:])
    value[1:] *= two[1:]
    value[2:] += digit[2:]
    hundreds = three[2:]
    hundreds *= digit[:-2]
    if hundreds.max() > 2:
        return None
    np.multiply(hundreds, 100, out=spare[2:])
    spare[2:] += value[2:]
    if (spare[2:] < value[2:]).any():  # over 255
        return None

    ends = np.flatnonzero(is_digit[2:-1].view(bool) > is_digit[3:].view(bool))
    borders = np.cumsum([1, *(len(row) + 1 for row in rows)])
    if (np.diff(np.searchsorted(ends, borders)) != _PIXELS).any():
        return None
    values: NDArray[np.uint8] = spare[2:][ends]
    return values.reshape(len(rows), _PIXELS)


def pixels_of_each(rows: Sequence[bytes]) -> tuple[NDArray[np.uint8], list[list[str]]]:
    """Return [N, 2304], read number by number, and what is wrong with each row; a row with a fault is black."""
    pixels = np.zeros((len(rows), _PIXELS), np.uint8)
    faults = []
    for row, text in enumerate(rows):
        numbers = text.split()
        faults.append(_faults(numbers))
        if not faults[-1]:
            pixels[row] = [int(number) for number in numbers]
    return pixels, faults


def _faults(numbers: Sequence[bytes]) -> list[str]:
    faults = []
    for place, number in enumerate(numbers, start=1):
        if not number.isdigit():
            faults.append(f"pixel {place} is {shown(number)}, not a number from 0 to 255")
        elif len(number.lstrip(b"0")) > 3 or int(number) > 255:
            faults.append(f"pixel {place} is {shown(number)}, over 255")
        if faults:
            break
    if len(numbers) != _PIXELS:
        faults.append(f"{len(numbers)} pixels instead of {_PIXELS}")
    return faults


def shown(text: bytes) -> str:
    """Return the beginning of a piece of a foreign file, quoted, safe to print."""
    quoted = ascii(text[:24].decode("utf-8", "replace"))
    return quoted if len(text) <= 24 else f"{quoted}..."
