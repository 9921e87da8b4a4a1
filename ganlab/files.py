"""Files that are whole or absent, whoever stops or writes beside us. Imports no torch."""

from __future__ import annotations

import errno
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from ganlab.errors import DeviceError, GanlabError, RunError

PARTIAL = ".partial"  # ends the name of a file that is being written; one that a killed process left may be deleted


def write_bytes_atomic(path: Path, content: bytes) -> None:
    """Write a file that is whole or absent."""
    with replacing(path) as file:
        file.write(content)


def write_text_atomic(path: Path, content: str) -> None:
    """Write a text file, UTF-8 with the line ends as given, that is whole or absent."""
    write_bytes_atomic(path, content.encode())


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a new file that takes the place of `path` once the block has ended without an error, safe on disk.

    Until then `path` stays as it was; after an error nothing of the new file remains.
    """
    partial = path.with_name(f".{secrets.token_hex(8)}{PARTIAL}")
    try:
        with partial.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        sync_folder(path.parent)
    except BaseException as error:
        with suppress(OSError):
            partial.unlink()
        if isinstance(error, OSError):
            raise explained(error, path) from error
        raise


def sync_folder(folder: Path) -> None:
    """Make a rename last through a power cut, where the system can."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network file systems cannot; the rename stands
            raise
    finally:
        os.close(handle)


def explained(error: OSError, path: Path) -> GanlabError:
    """Return what to raise for a file that could not be written."""
    reason = error.strerror or str(error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return DeviceError(f"{path}: cannot be written: {reason}. Make room, or choose another folder.")
    return RunError(f"{path}: cannot be written: {reason}")


if sys.platform == "win32":
    import msvcrt

    def lock(descriptor: int) -> bool:
        """Take hold of an open file; return whether no other process holds it."""
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def lock(descriptor: int) -> bool:
        """Take hold of an open file; return whether no other process holds it."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        os.set_inheritable(descriptor, False)
        return True
