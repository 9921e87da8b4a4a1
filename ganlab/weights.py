"""Files of weights that components need -> which are there, which are good, and one downloaded. Imports no torch.

Nothing else in ganlab downloads. A file comes into its folder whole, with the size and the digest that its plugin states,
or not at all.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ganlab.contracts import WeightsFile
from ganlab.errors import DataError, UsageError
from ganlab.files import explained, replacing
from ganlab.home import weights_folder
from ganlab.registry import Registry, did_you_mean, near_names, normalise

_PORTION_BYTES = 2**20
_PATIENCE_SECONDS = 30.0  # for a server that says nothing

Progress = Callable[[int, int], None]  # bytes that are here, of how many


@dataclass(frozen=True, kw_only=True)
class KnownWeights:
    """A file that some components need."""

    file: WeightsFile
    components: tuple[str, ...]  # "evaluator fid"
    path: Path  # where it is, or where it would be put

    def state(self) -> str:
        """Return "missing", "there", or of another size than the published one "wrong size"; reads nothing of it."""
        try:
            return "there" if self.path.stat().st_size == self.file.size else "wrong size"
        except OSError:
            return "missing"

    def checked(self) -> str:
        """Return "good" or "damaged" for a file that is there, else its state; reads all of it."""
        state = self.state()
        if state != "there":
            return "damaged" if state == "wrong size" else state
        return "good" if _digest_of(self.path) == self.file.sha256 else "damaged"


def known_weights(registry: Registry, environment: Mapping[str, str] = os.environ) -> list[KnownWeights]:
    """Return every file that a component of a usable plugin needs, each once."""
    users: dict[WeightsFile, list[str]] = {}
    for registered in registry.all():
        for file in registered.component.weights:
            users.setdefault(file, []).append(f"{registered.kind} {registered.name}")
    return [KnownWeights(file=file, components=tuple(by), path=_place(file, environment)) for file, by in users.items()]


def find_known(known: list[KnownWeights], name: str) -> KnownWeights:
    """Return the file of that name, or the first that the component of that name needs; raises `UsageError`."""
    by_name = {each.file.name: each for each in known}
    by_component = {component.partition(" ")[2]: each for each in reversed(known) for component in each.components}
    found = next((each for key, each in {**by_component, **by_name}.items() if normalise(key) == normalise(name)), None)
    if found is None:
        names = [*by_name, *by_component]
        hint = did_you_mean(near_names(name, names)) or f"; there are {', '.join(by_name) or 'none'}"
        raise UsageError(f"no file of weights is called {name!r}{hint}")
    return found


def fetch(known: KnownWeights, source: str | None = None, progress: Progress | None = None) -> tuple[Path, bool]:
    """Bring the file into the folder of weights, from its publisher or from `source`; return its path, and whether it is new.

    `source` is an address or a file; what comes must have the published digest wherever it comes from. A good file that is
    there stays. Raises `DataError` for what cannot be had, or is not what was published.
    """
    file, target = known.file, weights_folder() / known.file.name
    if target.is_file() and target.stat().st_size == file.size and _digest_of(target) == file.sha256:
        return target, False
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise explained(error, target.parent) from error
    total, size = hashlib.sha256(), 0
    with replacing(target) as written:
        for portion in _portions(file, source or file.url, target):
            total.update(portion)
            size += len(portion)
            if size > file.size:
                break
            written.write(portion)
            if progress is not None:
                progress(size, file.size)
        if size != file.size:
            had = "more" if size > file.size else f"{size:,}"
            raise DataError(f"{file.name}: {source or file.url} gave {had} bytes, not {file.size:,}; nothing was kept")
        if total.hexdigest() != file.sha256:
            raise DataError(
                f"{file.name}: {source or file.url} gave another file: sha256 {total.hexdigest()}, not {file.sha256}; "
                "nothing was kept"
            )
    return target, True


def _portions(file: WeightsFile, source: str, target: Path) -> Iterator[bytes]:
    """Yield what lies at an address or in a file; raises `DataError`, in one line, for what cannot be had."""
    try:
        if source.partition("://")[0] in ("https", "http"):
            request = urllib.request.Request(source, headers={"User-Agent": "ganlab"})
            opened = urllib.request.urlopen(request, timeout=_PATIENCE_SECONDS)
        else:
            opened = Path(source).expanduser().open("rb")
        with opened as stream:
            while portion := stream.read(_PORTION_BYTES):
                yield portion
    except (OSError, http.client.HTTPException, ValueError) as error:  # ValueError: an address that is none
        cause = getattr(error, "reason", None) or error  # of an address, the system's error is within the library's
        reason = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
        raise DataError(
            f"{file.name}: cannot be had from {source}: {reason}. Get it on a machine that can, put it at {target}, "
            "or name it by --from; `ganlab weights check` tells whether it is the published one"
        ) from error


def _place(file: WeightsFile, environment: Mapping[str, str]) -> Path:
    """Return where the component finds the file: at its variable's place, if that is set, else in the folder of weights."""
    named = Path(environment[file.variable]).expanduser() if environment.get(file.variable) else None
    if named is not None and named.is_dir():
        return named / file.name
    if named is not None and named.name == file.name:
        return named
    return weights_folder() / file.name


def _digest_of(path: Path) -> str:
    total = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while portion := stream.read(_PORTION_BYTES):
                total.update(portion)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    return total.hexdigest()
