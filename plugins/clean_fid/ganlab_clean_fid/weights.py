"""A path, a variable or a folder -> the file of Inception's weights, its digest known before anything in it is used.

Nothing is downloaded here, and no folder is looked into that any user may write to.
"""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ganlab import DataError
from ganlab.scores import weights_folder
from ganlab_clean_fid.published import PUBLISHED, VARIABLE


@dataclass(frozen=True, kw_only=True)
class Weights:
    """A file whose digest is known."""

    path: Path
    sha256: str
    is_script: bool
    is_published: bool

    def content(self) -> bytes:
        """Return what the file holds; raises `DataError` if that is no longer what was examined."""
        content = _read(self.path)
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise DataError(f"{self.path}: the file changed while it was in use; score again")
        return content


def find_weights(chosen: str | None, *, allow_unknown: bool, environment: Mapping[str, str] = os.environ) -> Weights:
    """Return the weights at `chosen`, else at GANLAB_FID_WEIGHTS, else in the folder of weights of GANLAB_HOME.

    Who names a place means that place: no other is tried. Raises `DataError`, in one line, for a file that is missing,
    damaged or unknown.
    """
    named = chosen or environment.get(VARIABLE)
    if named:
        place = Path(named).expanduser()
        candidates = [place / published.name for published in PUBLISHED] if place.is_dir() else [place]
    else:
        candidates = [weights_folder() / published.name for published in PUBLISHED]
    found = next((path for path in candidates if path.exists()), None)
    if found is None:
        raise DataError(_missing(candidates, "the option weights" if chosen else VARIABLE if named else None))
    return _examined(found, allow_unknown=allow_unknown)


def _missing(candidates: list[Path], source: str | None) -> str:
    first = PUBLISHED[0]
    places = " and ".join(str(path) for path in candidates)
    where = f"{source} says {places}, which is not there" if source else f"looked for {places}"
    return (
        f"this score needs Inception's weights, {first.name} ({first.size:,} bytes, sha256 {first.sha256}); {where}. "
        f"`ganlab weights fetch {first.name}` downloads it; or put it there, or name it by the option weights or by "
        f"{VARIABLE}. The score rfd needs no weights."
    )


def _examined(path: Path, *, allow_unknown: bool) -> Weights:
    content = _read(path)
    digest = hashlib.sha256(content).hexdigest()
    if digest in [published.sha256 for published in PUBLISHED]:
        return Weights(path=path, sha256=digest, is_script=_is_script(content), is_published=True)
    if fault := _fault(content):
        raise DataError(f"{path}: {fault}. Replace it by {PUBLISHED[0].name} ({PUBLISHED[0].size:,} bytes).")
    if not allow_unknown:
        raise DataError(
            f"{path}: sha256 {digest} is not that of Inception's published weights, so its scores would be no FID. "
            "If you trust the file, which may execute code, say allow_unknown_weights = true: its scores get another name."
        )
    return Weights(path=path, sha256=digest, is_script=_is_script(content), is_published=False)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: the weights cannot be read: {error.strerror or error}") from error


def _fault(content: bytes) -> str | None:
    """Return what makes this no file of weights at all; None if nothing does."""
    start = content[:200].lstrip()
    if not content:
        return "the file is empty"
    if start.startswith(b"version https://git-lfs"):
        return "this is a Git LFS pointer, not the file itself; `git lfs pull` gets that"
    if start.startswith(b"<"):
        return "this is a web page, not weights: the download failed"
    if content.startswith(b"PK") and not zipfile.is_zipfile(io.BytesIO(content)):
        return f"the file is cut short at {len(content):,} bytes: its download did not end"
    if len(content) in [published.size for published in PUBLISHED]:
        return "the file has the right size and other content: it is damaged"
    return None


def _is_script(content: bytes) -> bool:
    """Return whether a file holds TorchScript: an archive with code in it."""
    if not zipfile.is_zipfile(io.BytesIO(content)):
        return False
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return any("code" in name.split("/")[:-1] for name in archive.namelist())
